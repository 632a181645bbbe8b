import FederationModel

/// How a filter compares.
package enum FilterOperator: String, CaseIterable, Sendable, Codable {
    /// One of the values.
    case equals = "="
    /// None of the values; a row without any value passes.
    case notEquals = "!="
    /// Begins with one of the values.
    case hasPrefix = "^="

    func accepts(_ value: String, _ values: [String]) -> Bool {
        switch self {
        case .equals: values.contains { value.isSame(as: $0) }
        case .notEquals: !values.contains { value.isSame(as: $0) }
        case .hasPrefix: values.contains { value.utf8.starts(with: $0.utf8) }
        }
    }

    /// - Throws: `E_ANALYSIS_UNKNOWN` for one that this node does not know.
    package init(from decoder: any Decoder) throws {
        let sign = try decoder.singleValueContainer().decode(String.self)
        guard let known = Self(rawValue: sign) else {
            throw FederationError.unknownWord(
                sign, kind: "filter operator", known: Self.allCases.map(\.rawValue), code: "E_ANALYSIS_UNKNOWN")
        }
        self = known
    }
}

extension Analysis {
    /// A condition on one dimension of a ticket: `channel=01,02`, `request_type!=4`, `region^=3701`.
    package struct Filter: Hashable, Sendable, Codable {
        package static let valuesMax = 1_000
        /// Longest value in bytes of UTF-8, that of the longest column it can meet.
        package static let valueBytesMax = 400

        package let field: Dimension
        package let comparison: FilterOperator
        package let values: [String]

        /// - Throws: `E_FILTER_VALUE` for no value, too many, an empty or a too long one.
        package init(_ field: Dimension, _ comparison: FilterOperator, _ values: [String]) throws(FederationError) {
            try Self.checkLimits(values, of: field.name)
            self.field = field
            self.comparison = comparison
            self.values = values
        }

        /// - Throws: `E_FILTER_VALUE`.
        static func checkLimits(_ values: [String], of field: String) throws(FederationError) {
            if values.isEmpty || values.contains("") {
                throw FederationError("E_FILTER_VALUE", "the filter on \(field) has an empty value")
            }
            if values.count > Self.valuesMax {
                throw FederationError(
                    "E_FILTER_VALUE", "the filter on \(field) has \(values.count) values, at most \(Self.valuesMax)")
            }
            if values.contains(where: { $0.utf8.count > Self.valueBytesMax }) {
                throw FederationError(
                    "E_FILTER_VALUE", "the filter on \(field) has a value of more than \(Self.valueBytesMax) bytes")
            }
        }

        /// Reads what people type: `FIELD=VALUE[,VALUE…]`, `FIELD!=…` or `FIELD^=…`. The fields are the dimensions, by name or
        /// title.
        ///
        /// Values are codes or the words that tables print: `渠道=电话`, `status=已办结`. The name of a region or category means all
        /// that lies in it: `region=历下区` is `region:county=370102`. A slip is an error and not an empty table. What comes
        /// from a peer is not checked so: its code lists may be newer. Nodes are left as they are.
        ///
        /// - Parameter known: the dimensions that there are.
        /// - Throws: `E_FILTER_SYNTAX`, `E_FILTER_FIELD` with the nearest field, `E_FILTER_VALUE`.
        package static func parse(
            _ text: String, reference: ReferenceData = .builtIn, among known: [Dimension] = Dimension.allCases
        ) throws(FederationError) -> Filter {
            let (field, comparison, words) = try split(text)
            guard let dimension = try? Dimension(field, among: known) else {
                throw .unknownWord(field, kind: "filter field", known: known.map(\.name), code: "E_FILTER_FIELD")
            }
            // The limits, before anything is looked up.
            let filter = try Filter(dimension, comparison, words)
            if case .time(let cut) = dimension.value, let shape = cut.shape,
                words.contains(where: { comparison == .hasPrefix ? !cut.hasAny(beginning: $0) : !cut.has($0) })
            {
                throw FederationError(
                    "E_FILTER_VALUE", "the filter on \(dimension) has a value that is none",
                    hint: "written like \(shape), and one that the calendar has")
            }
            if dimension.codes == .numbers, words.contains(where: { Int64($0) == nil }) {
                throw FederationError("E_FILTER_VALUE", "the filter on \(dimension) needs whole numbers")
            }
            if dimension.codes == .units { return try UnitRegister(reference).filter(filter) }
            if case .axis(let list) = dimension.value {
                return try ServiceAxis(list, reference).filter(on: dimension, comparison, words)
            }
            guard let list = dimension.list(reference) else { return filter }
            return try FilterWords(list, dimension).filter(comparison, words)
        }

        /// Takes `FIELD=VALUE[,VALUE…]` apart.
        ///
        /// - Throws: `E_FILTER_SYNTAX`.
        static func split(
            _ text: String
        ) throws(FederationError) -> (field: String, comparison: FilterOperator, values: [String]) {
            let scalars = text.unicodeScalars
            guard let equals = scalars.firstIndex(of: "=") else {
                throw FederationError(
                    "E_FILTER_SYNTAX", "a filter without =",
                    hint: "FIELD=VALUE, FIELD!=VALUE or FIELD^=PREFIX; several values with commas: channel=01,02")
            }
            let left = scalars[..<equals]
            let comparison: FilterOperator =
                switch left.last {
                case "!": .notEquals
                case "^": .hasPrefix
                default: .equals
                }
            let values = scalars[scalars.index(after: equals)...].split(
                separator: ",", omittingEmptySubsequences: false)
            return (
                trimmed(Substring(comparison == .equals ? left : left.dropLast())), comparison,
                values.map { trimmed(Substring($0)) }
            )
        }

        private static func trimmed(_ text: Substring) -> String {
            String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        }

        /// Whether a ticket with this value passes.
        func accepts(_ value: String) -> Bool { comparison.accepts(value, values) }

        // MARK: - Between nodes

        private enum CodingKeys: String, CodingKey {
            case field
            case comparison = "op"
            case values
        }

        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            try self.init(
                container.decode(Dimension.self, forKey: .field),
                container.decode(FilterOperator.self, forKey: .comparison),
                container.decode([String].self, forKey: .values))
        }
    }
}
