import FederationModel

/// A row query on its way down to a child, with the origins that the child must answer for.
package struct RowRequest: Hashable, Sendable, Codable {
    package let query: RowQuery
    package let origins: [NodeID]
    /// The node whose people asked: the answer goes up to it, by all that are between.
    package let reader: NodeID
    /// Time left for the answer in milliseconds, counted from its arrival.
    package let deadlineMS: Int64
    /// Both nodes must stand on it: another topology parts the origins in another way.
    package let topologyVersion: Int64

    /// - Throws: `E_ANALYSIS_REQUEST` for no, too many or repeated origins, or a deadline out of range.
    package init(
        query: RowQuery, origins: [NodeID], reader: NodeID, deadlineMS: Int64, topologyVersion: Int64
    ) throws(FederationError) {
        try LogicalRequest.check(origins, deadlineMS: deadlineMS)
        self.reader = reader
        self.query = query
        self.origins = origins
        self.deadlineMS = deadlineMS
        self.topologyVersion = topologyVersion
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            query: container.decode(RowQuery.self, forKey: .query),
            origins: container.decode([NodeID].self, forKey: .origins),
            reader: container.decode(NodeID.self, forKey: .reader),
            deadlineMS: container.decode(Int64.self, forKey: .deadlineMS),
            topologyVersion: container.decode(Int64.self, forKey: .topologyVersion))
    }
}

/// A page of rows, and a report on every origin that was asked for.
///
/// Rows are in the order of (origin, key), byte by byte, so pages are stable while rows come and go: a page holds what lies
/// between `after` of its question and `next`.
package struct RowAnswer: Hashable, Sendable, Codable {
    package struct Row: Hashable, Sendable, Codable {
        package let id: RowKey
        /// The values of the columns asked for, in their order; null also for what is withheld.
        package let cells: [FieldValue]

        package init(id: RowKey, cells: [FieldValue]) {
            self.id = id
            self.cells = cells
        }

        /// Bytes of its texts.
        package var bytes: Int { cells.reduce(id.key.utf8.count) { $0 + ($1.text?.utf8.count ?? 0) } }
    }

    package var rows: [Row]
    /// Everything up to this row has been answered; nil when nothing lies behind it. A page may be shorter than asked for,
    /// even empty, and still have a next one.
    package var next: RowKey?
    package var nodes: [NodeReport]
    /// The columns that are not given, by the code of the origin. An origin that gives all is not there.
    package var withheld: [String: [String]]

    package init(
        rows: [Row] = [], next: RowKey? = nil, nodes: [NodeReport] = [], withheld: [String: [String]] = [:]
    ) {
        self.rows = rows
        self.next = next
        self.nodes = nodes
        self.withheld = withheld
    }

    /// One page out of the answers of all parts of a plan, which have no origin in common.
    ///
    /// It ends where the first of them ends, since nobody knows what of the others comes behind that; and where it has as
    /// many rows or bytes as a page may have.
    package static func merged(_ parts: [RowAnswer], limit: Int) -> RowAnswer {
        let end = parts.compactMap(\.next).min()
        let rows = parts.flatMap(\.rows).filter { row in end.map { row.id <= $0 } ?? true }.sorted { $0.id < $1.id }
        var bytes = 0
        let page = rows.prefix(limit).prefix { row in
            bytes += row.bytes
            return bytes <= RowQuery.bytesMax
        }
        return RowAnswer(
            rows: Array(page), next: page.count < rows.count ? page.last?.id : end, nodes: parts.flatMap(\.nodes),
            withheld: parts.reduce(into: [:]) { $0.merge($1.withheld) { first, _ in first } })
    }

    /// Holds a child's answer against what it was asked, before anybody sees a row of it.
    ///
    /// - Throws: `E_ANALYSIS_ANSWER` when it reports on other nodes than those asked for; has more, larger, other or
    ///   disordered rows; rows of an origin that is not answered; values that their columns can't have; or does not go on.
    package func check(against request: RowRequest) throws(FederationError) {
        let query = request.query
        try NodeReport.check(nodes, areOf: request.origins)
        guard rows.count <= query.limit else { throw .badAnswer("\(rows.count) rows, at most \(query.limit)") }
        guard rows.reduce(0, { $0 + $1.bytes }) <= RowQuery.bytesMax else {
            throw .badAnswer("a page that is too large")
        }
        let names = Set(query.columns.map(\.name))
        let asked = Set(request.origins.map(\.code))
        guard withheld.allSatisfy({ asked.contains($0.key) && names.isSuperset(of: $0.value) }) else {
            throw .badAnswer("columns or origins are withheld that were not asked for")
        }
        let answered = Set(nodes.filter(\.state.hasRows).map(\.node.code))
        var last = query.after
        for row in rows {
            guard answered.contains(row.id.origin), RowQuery.isKey(row.id) else {
                throw .badAnswer("a row of an origin that was not asked for or is not answered, or without a key")
            }
            if let last, row.id <= last { throw .badAnswer("rows that are not in the order of origin and key") }
            last = row.id
            guard row.cells.count == query.columns.count else { throw .badAnswer("a row with other columns") }
            let hidden = Set(withheld[row.id.origin] ?? [])
            for (cell, column) in zip(row.cells, query.columns) {
                guard cell == .null || !hidden.contains(column.name) && column.canHold(cell) else {
                    throw .badAnswer("a value that \(query.resource.name).\(column.name) can't have")
                }
            }
        }
        guard let next else { return }
        guard asked.contains(next.origin), RowQuery.isKey(next), last.map({ $0 <= next }) ?? true, next != query.after
        else { throw .badAnswer("it does not go on behind the rows that it has") }
    }
}

extension ColumnDefinition {
    /// Whether an answer may have this value, masked or not. Codes are not held against their lists, which may be newer at
    /// the origin.
    fileprivate func canHold(_ cell: FieldValue) -> Bool {
        switch cell {
        case .null: true
        // JSON does not tell 36.0 from 36.
        case .integer where type.storage == .real: true
        case .real(let real): type.storage == .real && real.isFinite
        case .text(let text): type.storage == .text && text.utf8.count <= bytesMax && !text.utf8.contains(0)
        case .integer: violation(of: cell) == nil
        }
    }
}

/// What one node gives of the rows of one question: to its parent, or to the people who ask at this node.
package struct RowGate: Sendable {
    /// The question as the children are asked: with the columns that the filter looks at behind those that are wanted.
    package let query: RowQuery
    private let wanted: Int
    private let filter: GrantFilter
    private let treatments: [FieldTreatment]
    private let token: @Sendable (String) -> String

    /// - Parameters:
    ///   - grant: that of the link over which the answer goes; an empty one for people at this node.
    ///   - token: makes the keyed digest of a value.
    /// - Throws: `E_ROWS_NOT_GRANTED` when the question selects by a field that is not given in clear.
    package init(
        _ query: RowQuery, grant: LinkGrant, token: @escaping @Sendable (String) -> String
    ) throws(FederationError) {
        let resource = query.resource
        filter = resource.isTicketRecord ? grant.tickets : GrantFilter()
        wanted = query.columns.count
        treatments = query.columns.map { grant.rowTreatment(of: $0, in: resource.name) }
        self.token = token
        self.query = try query.adding(filter.isEmpty || resource.isThreadRecord ? [] : GrantFilter.ownColumns)
        let hidden = query.selectingColumns.first { grant.rowTreatment(of: $0, in: resource.name) != .keep }
        if let hidden {
            throw FederationError(
                "E_ROWS_NOT_GRANTED",
                "rows can't be selected by \(resource.name).\(hidden.name), which is not given in clear")
        }
    }

    /// Whether rows that come from below can pass at all: what decides over a record of a thread is its ticket, and over some
    /// filters the ticket's thread, and those are not here.
    package var letsThrough: Bool { filter.isEmpty || !query.resource.isThreadRecord && !filter.isFolded }

    /// The columns that are wanted and not given.
    package var withheld: [String] {
        zip(query.columns, treatments).filter { $0.1 == .drop }.map(\.0.name)
    }

    /// A child's page as it may go on: rows that the filter gives, treated.
    package func pass(_ answer: RowAnswer) -> RowAnswer {
        let positions = Dictionary(
            uniqueKeysWithValues: query.columns.enumerated().map { ($0.element.name, $0.offset) })
        let given = answer.rows.filter { row in
            filter.isEmpty || filter.gives { name in positions[name].map { row.cells[$0] } ?? .null }
        }
        let asked = Set(query.columns.prefix(wanted).map(\.name))
        var passed = treat(RowAnswer(rows: given, next: answer.next, nodes: answer.nodes))
        for (origin, columns) in answer.withheld {
            let more = columns.filter { asked.contains($0) && !withheld.contains($0) }
            if !more.isEmpty { passed.withheld[origin, default: []] += more }
        }
        return passed
    }

    /// A page of this node's own rows and copies, which the filter has let through.
    package func treat(_ answer: RowAnswer) -> RowAnswer {
        var treated = answer
        treated.rows = answer.rows.map { row in
            RowAnswer.Row(
                id: row.id,
                cells: zip(row.cells, zip(query.columns, treatments)).map { cell, how in
                    treat(cell, of: how.0, by: how.1)
                })
        }
        if !withheld.isEmpty {
            for report in answer.nodes where report.state.hasRows { treated.withheld[report.node.code] = withheld }
        }
        return treated
    }

    private func treat(_ cell: FieldValue, of column: ColumnDefinition, by treatment: FieldTreatment) -> FieldValue {
        switch (treatment, cell) {
        case (.keep, _): cell
        case (.mask, .text(let text)): .text(Masking.of(column: column.name).mask(text))
        case (.token, .text(let text)): .text(FieldTreatment.isToken(text) ? text : token(text))
        default: .null
        }
    }
}
