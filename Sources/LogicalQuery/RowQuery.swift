import FederationModel

/// A question for rows of one resource, as a value: which columns, under which conditions, a page at a time.
///
/// Like an `Analysis` it is not SQL, and reading it from a peer's JSON checks the same limits as making it. Nobody can search
/// by personal fields: who may not read a telephone number must not find its ticket by guessing it either.
package struct RowQuery: Hashable, Sendable, Codable {
    /// Rows of a page: what a person reads, not a way to copy a resource.
    package static let limitMax = 1_000
    /// Texts of a page in bytes of UTF-8; a page ends before it has more. Four times the longest row.
    package static let bytesMax = 4 << 20
    package static let filtersMax = 16

    package let resource: ResourceDefinition
    /// Each once, in the order in which they are wanted.
    package let columns: [ColumnDefinition]
    /// All must hold.
    package let filters: [Filter]
    /// Rows whose `timeColumn` lies then or later; nil has no lower end.
    package let from: UnixMilliseconds?
    /// Rows whose `timeColumn` lies before; nil has no upper end.
    package let to: UnixMilliseconds?
    /// Rows of a page at most.
    package let limit: Int
    /// The page begins behind this row, in the order of origin and key; nil begins with the first.
    package let after: RowKey?

    /// - Parameter columns: names; nil for all columns of the resource.
    /// - Throws: `E_RESOURCE_UNKNOWN`, `E_ROWS_COLUMN` with the nearest name, `E_ROWS_INVALID` naming the limit that is
    ///   exceeded, `E_FILTER_FIELD`, `E_FILTER_VALUE`.
    package init(
        _ name: ResourceName, columns names: [String]? = nil, filters: [Filter] = [], from: UnixMilliseconds? = nil,
        to: UnixMilliseconds? = nil, limit: Int = 100, after: RowKey? = nil
    ) throws(FederationError) {
        guard let resource = BuiltInResources.named(name), !resource.isReference,
            !CatalogResources.names.contains(name)
        else {
            throw FederationError(
                "E_RESOURCE_UNKNOWN", "there is no resource of that name whose rows can be asked for",
                hint: "see `federation-node resource list`; every node has the reference data and catalogs itself")
        }
        self.resource = resource
        columns = try Self.columns(names, of: resource)
        self.filters = filters
        self.from = from
        self.to = to
        self.limit = limit
        self.after = after
        if let violation { throw FederationError("E_ROWS_INVALID", violation) }
        for filter in filters { try filter.check(against: resource) }
    }

    private static func columns(
        _ names: [String]?, of resource: ResourceDefinition
    ) throws(FederationError) -> [ColumnDefinition] {
        guard let names else { return resource.columns }
        var columns: [ColumnDefinition] = []
        for name in names {
            guard let column = resource.column(named: name) else {
                throw .unknownWord(
                    name, kind: "column of \(resource.name)", known: resource.columns.map(\.name), code: "E_ROWS_COLUMN"
                )
            }
            columns.append(column)
        }
        return columns
    }

    private var violation: String? {
        if columns.isEmpty { return "no column" }
        if Set(columns.map(\.name)).count < columns.count { return "a column is named twice" }
        if !(1...Self.limitMax).contains(limit) { return "a page has 1 to \(Self.limitMax) rows" }
        if filters.count > Self.filtersMax { return "\(filters.count) filters, at most \(Self.filtersMax)" }
        if resource.timeColumn == nil, from != nil || to != nil { return "\(resource.name) has no time to select by" }
        if let from, let to, from >= to { return "the period is empty: it ends before or when it begins" }
        if let after, !Self.isKey(after) { return "the row to go on from is not ORIGIN/KEY" }
        return nil
    }

    static func isKey(_ row: RowKey) -> Bool {
        NodeID(row.origin) != nil && (1...RowKey.bytesMax).contains(row.key.utf8.count) && !row.key.utf8.contains(0)
    }

    /// The columns by which rows are selected, beside `origin`.
    package var selectingColumns: [ColumnDefinition] {
        let time = from == nil && to == nil ? nil : resource.timeColumn
        return (filters.map(\.field) + (time.map { [$0] } ?? [])).compactMap { resource.column(named: $0) }
    }

    /// Those of `origins` that can have a row of this page or a later one.
    package func originsAsked(among origins: [NodeID]) -> [NodeID] {
        let wanted = filters.filter { $0.field == Filter.origin }
        return origins.filter { origin in wanted.allSatisfy { $0.accepts(origin.code) } }
    }

    /// The same question with more columns at its end; those that it has already are not added.
    func adding(_ names: [String]) throws(FederationError) -> RowQuery {
        let known = columns.map(\.name)
        return try RowQuery(
            resource.name, columns: known + names.filter { !known.contains($0) }, filters: filters, from: from, to: to,
            limit: limit, after: after)
    }

    // MARK: - Between nodes

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case resource, columns, filters, from, to, limit, after
    }

    /// - Throws: as the other initialiser, and `E_ANALYSIS_UNKNOWN` for a part that this node does not know.
    package init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self, kind: "part of a row query")
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            container.decode(ResourceName.self, forKey: .resource),
            columns: container.decode([String].self, forKey: .columns),
            filters: container.decode([Filter].self, forKey: .filters),
            from: container.decodeIfPresent(UnixMilliseconds.self, forKey: .from),
            to: container.decodeIfPresent(UnixMilliseconds.self, forKey: .to),
            limit: container.decode(Int.self, forKey: .limit),
            after: container.decodeIfPresent(RowKey.self, forKey: .after))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(resource.name, forKey: .resource)
        try container.encode(columns.map(\.name), forKey: .columns)
        try container.encode(filters, forKey: .filters)
        try container.encodeIfPresent(from, forKey: .from)
        try container.encodeIfPresent(to, forKey: .to)
        try container.encode(limit, forKey: .limit)
        try container.encodeIfPresent(after, forKey: .after)
    }
}

extension RowQuery {
    /// A condition on a column, or on `origin`: `channel=01,02`, `request_type!=4`, `region_code^=3701`.
    package struct Filter: Hashable, Sendable, Codable {
        /// What stands for the node that a row comes from.
        package static let origin = "origin"

        package let field: String
        package let comparison: FilterOperator
        package let values: [String]

        /// - Throws: `E_FILTER_VALUE` for no value, too many, an empty or a too long one; `E_FILTER_FIELD` for what can't
        ///   be the name of a field.
        package init(_ field: String, _ comparison: FilterOperator, _ values: [String]) throws(FederationError) {
            guard FederationError.isName(field) else {
                throw FederationError("E_FILTER_FIELD", "a filter on what is not the name of a field")
            }
            try Analysis.Filter.checkLimits(values, of: field)
            self.field = field
            self.comparison = comparison
            self.values = values
        }

        /// Reads what people type, as `Analysis.Filter.parse` does: codes, and the words that tables print. The name of a region or
        /// category means all that lies in it.
        ///
        /// - Throws: `E_FILTER_SYNTAX`, `E_FILTER_VALUE` also for a word that is not known. Whether there is such a field is for the query
        ///   to say.
        package static func parse(
            _ text: String, of resource: ResourceDefinition?, reference: ReferenceData = .builtIn
        ) throws(FederationError) -> Filter {
            let parts = try Analysis.Filter.split(text)
            let filter = try Filter(parts.field, parts.comparison, parts.values)
            guard let column = resource?.column(named: filter.field) else { return filter }
            if column.type == .boolean, let flags = filter.flags { return flags }
            let isOfPlaces = ["region_code", "service_code"].contains(column.name)
            let list =
                isOfPlaces
                ? column.name == "region_code" ? reference.regions : reference.services
                : column.codeList.flatMap { reference.lists.named($0) }
            guard let list, !list.entries.isEmpty else { return filter }
            return try filter.byWords(of: list, isOfPlaces: isOfPlaces)
        }

        private var flags: Filter? {
            let codes = values.map { ["是": "1", "否": "0"][$0] ?? $0 }
            return try? Filter(field, comparison, codes)
        }

        private func byWords(of list: CodeList, isOfPlaces: Bool) throws(FederationError) -> Filter {
            let byName = list.codesByName(within: nil)
            /// Digits and dots may be a code that is not listed; so may the beginning of a code.
            func isCode(_ word: String) -> Bool {
                list.contains(word)
                    || isOfPlaces && word.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
                    || comparison == .hasPrefix && list.entries.contains { $0.code.utf8.starts(with: word.utf8) }
            }
            let words = values.filter { !isCode($0) }
            if words.isEmpty { return self }
            let codes = words.compactMap { byName[ExactText(CodeList.joinedLevels($0))] }
            guard codes.count == words.count else {
                throw FederationError(
                    "E_FILTER_VALUE", "the filter on \(field) has a value that is not known, or stands for several",
                    hint: isOfPlaces
                        ? "`reference show` prints them"
                        : "one of \(list.entries.map { "\($0.code) \($0.title)" }.joined(separator: ", "))")
            }
            guard isOfPlaces else {
                return try Filter(field, comparison, values.map { byName[ExactText($0)] ?? $0 })
            }
            guard comparison != .notEquals, codes.count == values.count else {
                throw FederationError(
                    "E_FILTER_VALUE",
                    "the filter on \(field) has names, which mean all that lies in them, beside codes or with !=",
                    hint: "write codes, or names alone with =")
            }
            return try Filter(field, .hasPrefix, codes.map { field == "region_code" ? RegionRange($0).prefix : $0 })
        }

        /// Whether a row with this value passes.
        func accepts(_ value: String) -> Bool { comparison.accepts(value, values) }

        fileprivate func check(against resource: ResourceDefinition) throws(FederationError) {
            if field == Self.origin { return }
            guard let column = resource.column(named: field), column.level < .personal, column.isFilterable else {
                let known = resource.columns.filter { $0.level < .personal && $0.isFilterable }.map(\.name)
                throw .unknownWord(
                    field, kind: "filter field", known: [Self.origin] + known, code: "E_FILTER_FIELD")
            }
            guard column.type.storage == .integer else { return }
            if comparison == .hasPrefix || values.contains(where: { Int64($0) == nil }) {
                throw FederationError("E_FILTER_VALUE", "the filter on \(field) needs whole numbers, with = or !=")
            }
        }
    }
}

extension ColumnDefinition {
    /// Times are selected by a period.
    fileprivate var isFilterable: Bool {
        switch type {
        case .text, .integer, .boolean: true
        case .real, .timestamp, .json: false
        }
    }
}
