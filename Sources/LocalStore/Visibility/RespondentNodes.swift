import FederationModel
import GRDB

/// The neighbours that tickets here name as their respondent (被反映主体), since the first that did. A report must not reach
/// whom it accuses (`Accusation`), so a link to one of these checks each row, and the scope log is kept for it. Links to
/// all others, nearly every link, pay nothing for that rule.
struct RespondentNodes {
    /// By name, also as links mask it.
    private let neighbours: [(name: String, node: NodeID)]

    /// - Parameter node: whose neighbours these are.
    init(neighboursOf node: NodeID, topology: Topology) {
        neighbours = topology.neighbours(of: node).compactMap { topology.node($0) }.flatMap { neighbour in
            neighbour.respondentNames.sorted().map { ($0, neighbour.id) }
        }
    }

    /// A neighbour as the tickets that it must not see name it.
    struct Entry {
        let node: NodeID
        let names: [String]
        /// What changed after this seq is in the scope log.
        let since: Seq
    }

    static func entry(of node: NodeID, _ db: Database) throws -> Entry? {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT name, since FROM main.respondent_node WHERE node = ? ORDER BY name"),
            arguments: [node.code])
        guard let since: Seq = rows.map({ $0["since"] }).min() else { return nil }
        return Entry(node: node, names: rows.map { $0["name"] }, since: since)
    }

    /// The tickets among `all` that name one of them, or did and have been folded (`FoldedColumns`).
    static func naming(_ all: Set<ExactText>, _ db: Database) throws -> Set<ExactText> {
        let statement = try db.cachedStatement(
            sql: """
                SELECT EXISTS (SELECT 1 FROM main.service_request AS r WHERE r.global_id = ? AND (
                  r.confidentiality IS NOT NULL
                  OR EXISTS (SELECT 1 FROM main.respondent_node WHERE name = r.respondent_name)))
                """)
        return try all.filter { try Bool.fetchOne(statement, arguments: [$0.text]) ?? false }
    }

    static func areThere(_ db: Database) throws -> Bool {
        try Bool.fetchOne(db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM main.respondent_node)")) ?? false
    }

    /// Notes the neighbours that rows of `table`, the requests or their staging table, are the first to name.
    ///
    /// - Parameter since: the scope log has what changes after this seq.
    /// - Returns: whether there were any.
    func note(namedIn table: String, since: Seq, _ db: Database) throws -> Bool {
        guard !neighbours.isEmpty else { return false }
        let places = neighbours.map { _ in "?" }.joined(separator: ", ")
        let named = try Set(
            String.fetchAll(
                db.cachedStatement(
                    sql: "SELECT DISTINCT respondent_name FROM \(table) WHERE respondent_name IN (\(places))"),
                arguments: StatementArguments(neighbours.map(\.name))))
        guard !named.isEmpty else { return false }
        var isNew = false
        let nodes = Set(neighbours.filter { named.contains($0.name) }.map(\.node))
        for neighbour in neighbours where nodes.contains(neighbour.node) {
            try db.cachedStatement(sql: "INSERT OR IGNORE INTO main.respondent_node VALUES (?, ?, ?)").execute(
                arguments: [neighbour.name, neighbour.node.code, since])
            if db.changesCount > 0 { isNew = true }
        }
        return isNew
    }
}
