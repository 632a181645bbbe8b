import FederationModel

/// Counts region codes of the past under their successors, as the tree stood on one day (domain ground rule 9): 371202 is
/// 370116 since 2019, and so lies in 370100. Towns and villages follow the county that they lie in.
struct RegionRollup {
    let successions: [(code: String, successor: String)]

    /// Leaves every code as it is.
    static let none = RegionRollup(successions: [])

    private init(successions: [(code: String, successor: String)]) { self.successions = successions }

    init(_ regions: CodeList, on day: Int64) {
        successions = regions.successions(on: day).filter { Self.isCounty($0.code) && Self.isCounty($0.successor) }
    }

    /// Six digits and nothing else: these codes become part of a statement.
    private static func isCounty(_ code: String) -> Bool { code.utf8.count == 6 && NodeID(code) != nil }

    var isEmpty: Bool { successions.isEmpty }

    /// A region code, rolled up. Almost all codes pass by the IN, which is a search in a small tree; the CASE compares one after
    /// the other.
    ///
    /// - Parameter column: the code as SQL.
    func sql(_ column: String) -> String {
        guard !isEmpty else { return column }
        let county = "substr(\(column), 1, 6)"
        let codes = successions.map { "'\($0.code)'" }.joined(separator: ", ")
        let cases = successions.map { "WHEN '\($0.code)' THEN '\($0.successor)'" }.joined(separator: " ")
        return """
            CASE WHEN \(county) IN (\(codes)) THEN (CASE \(county) \(cases) END) || substr(\(column), 7) \
            ELSE \(column) END
            """
    }
}
