import FederationModel

/// A statement with its values. Nothing that a person or a peer has sent is ever part of `sql`, but numbers; it is bound. Region codes
/// of the reference data are part of it, as digits and nothing else.
package struct CompiledQuery: Hashable, Sendable {
    package let sql: String
    /// One for each `?`, in their order.
    package let arguments: [FieldValue]
    /// The first so many columns are the group's key, text or null; the others are integer sums, and behind them states.
    package let keyCount: Int
    /// Which sum of the analysis each of these is.
    let sums: [Int]
    /// Which state each of those behind is.
    let states: [Int]
    /// The resource whose rows decide what may be told.
    package let resource: ResourceName
}

/// An analysis in SQLite's SQL (3.35 or later), over the resources of its facts and, only where it is needed, `ticket_state`.
package enum SQLiteDialect {
    /// The partial aggregation of `analysis` over the live rows of `origins`, a row for each group: one statement for the measures
    /// that have fact, period and base in common.
    ///
    /// One group more than `PartialResult.groupsMax` ends a statement, so that adding it up fails instead of the node.
    ///
    /// - Parameters:
    ///   - regions: by which codes of the past roll up; see ``RegionRollup``.
    ///   - grant: of the link over which it was asked; see ``Analysis/withheld(by:)``.
    package static func compile(
        _ analysis: Analysis, origins: [NodeID], regions: CodeList = ReferenceData.builtIn.regions,
        grant: LinkGrant = LinkGrant()
    ) -> [CompiledQuery] {
        let rollup = RegionRollup(regions, on: ShanghaiTime.dayNumber(analysis.regionsAsOf ?? analysis.asOf))
        let layout = PartialLayout(analysis.measures)
        var parts: [(term: Analysis.Measure.Term, sums: [Placed], states: [Placed])] = []
        for (measure, places) in zip(analysis.measures, layout.places) {
            var rest = places[...]
            for term in measure.terms {
                let index = parts.firstIndex { $0.term.hasSameRows(as: term) } ?? parts.count
                if index == parts.count { parts.append((term, [], [])) }
                for aggregate in term.aggregates {
                    switch rest.removeFirst() {
                    case .sum(let place): parts[index].sums.append(Placed(place: place, aggregate: aggregate))
                    case .state(let place):
                        // Another measure may read the same state.
                        guard !parts[index].states.contains(where: { $0.place == place }) else { continue }
                        parts[index].states.append(Placed(place: place, aggregate: aggregate))
                    }
                }
            }
        }
        // So the text of a question about the past is the same whenever it is asked: by that it is found among what is kept.
        let isOver = analysis.to.map { $0 <= analysis.asOf } ?? false
        return parts.map { part in
            FactSQL(
                part.term.fact, period: part.term.period, asOf: analysis.asOf, known: isOver ? part.term.hasCome : nil,
                rollup, grant
            ).query(analysis, base: part.term.base, part.sums, part.states, origins)
        }
    }

    /// An aggregate with its place among the sums, or the states, of the analysis.
    struct Placed {
        let place: Int
        let aggregate: Aggregate
    }

    // MARK: - What SQL has no words for

    /// Functions that the connection must have. An aggregate gives the text of a ``MergeableState``, or null of no row.
    package enum Function {
        /// Aggregate over lengths.
        package static let distribution = "state_distribution"
        /// Aggregate over what `personHash` gives.
        package static let distinct = "state_distinct"
        /// Of the columns that say who a person is, in their order, the hash of the first (``PersonDigest``) as a signed number; null
        /// where none says it.
        package static let personHash = "person_hash"
        /// Of two times, the working time between them.
        package static let workingTime = "working_time"
    }

    /// The number of live rows of a resource of each of `origins`, for the coverage. An origin without rows has no row.
    package static func rowsPerOrigin(_ origins: [NodeID], of resource: ResourceName) -> CompiledQuery {
        CompiledQuery(
            sql: """
                SELECT t.origin, count(*)
                FROM \(resource) AS t
                WHERE t.deleted = 0 AND t.origin IN (\(origins.map { _ in "?" }.joined(separator: ", ")))
                GROUP BY t.origin
                """,
            arguments: origins.map { .text($0.code) }, keyCount: 1, sums: [], states: [], resource: resource)
    }

    // MARK: - Filters

    /// The conditions of a row query on a row `r` of its resource, without origins and the place where the page begins.
    package static func conditions(_ query: RowQuery) -> (sql: [String], arguments: [FieldValue]) {
        var conditions: [SQLText] = []
        for filter in query.filters where filter.field != RowQuery.Filter.origin {
            let isText = query.resource.column(named: filter.field)?.type.storage == .text
            conditions.append(
                condition(
                    "r.\"\(filter.field)\"", filter.comparison,
                    bound: filter.values.map {
                        .bound(isText ? .text($0) : Int64($0).map { .integer($0) } ?? .null)
                    }))
        }
        for (limit, sign) in [(query.from, ">="), (query.to, "<")] {
            guard let limit, let column = query.resource.timeColumn else { continue }
            conditions.append("r.\"\(column)\" \(sign) \(.bound(.integer(limit)))")
        }
        return (conditions.map(\.sql), conditions.flatMap(\.arguments))
    }

    /// - Parameter value: named once, because it may have values of its own.
    static func condition(_ value: SQLText, _ comparison: FilterOperator, _ values: [String]) -> SQLText {
        condition(value, comparison, bound: values.map { .bound(.text($0)) })
    }

    private static func condition(_ value: SQLText, _ comparison: FilterOperator, bound values: [SQLText]) -> SQLText {
        switch comparison {
        case .equals: return "\(value) IN (\(values.joined(", ")))"
        case .notEquals: return "(\(value) IN (\(values.joined(", ")))) IS NOT TRUE"
        case .hasPrefix:
            // Not a chain of OR: SQLite takes expressions of depth 1,000 (https://www.sqlite.org/limits.html, 6).
            let rows = values.map { value -> SQLText in "(\(value))" }.joined(", ")
            return "EXISTS (SELECT 1 FROM (VALUES \(rows)) WHERE instr(\(value), column1) = 1)"
        }
    }
}

extension Analysis.Measure.Term {
    /// Whether one statement can add up both.
    fileprivate func hasSameRows(as other: Self) -> Bool {
        fact == other.fact && period == other.period && base.criterion == other.base.criterion
    }
}

extension PartialResult {
    /// Adds a row of a statement; the sums that it does not have are 0, and the states empty.
    ///
    /// - Throws: as `add`.
    package mutating func add(_ row: [FieldValue], of query: CompiledQuery) throws(FederationError) {
        var sums = Array(repeating: Int64(0), count: sumCount)
        for (place, value) in zip(query.sums, row.dropFirst(query.keyCount)) { sums[place] = value.integer ?? 0 }
        var states: [MergeableState] = []
        if !stateKinds.isEmpty {
            states = stateKinds.map(\.empty)
            for (place, value) in zip(query.states, row.dropFirst(query.keyCount + query.sums.count)) {
                guard let text = value.label else { continue }
                states[place] = try MergeableState(stateKinds[place], text: text)
            }
        }
        try add(
            key: row.prefix(query.keyCount).map { $0.label.map { ExactText($0) } }, Group(sums: sums, states: states))
    }
}

extension FieldValue {
    /// The value of a dimension.
    fileprivate var label: String? {
        switch self {
        case .null: nil
        case .integer(let integer): String(integer)
        case .real(let real): String(real)
        case .text(let text): text
        }
    }
}
