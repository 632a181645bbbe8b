import FederationModel
import GRDB

extension NodeStore {
    /// The tickets of a department that are here and of which anything has changed since a seq, the earlier changes first.
    ///
    /// - Parameters:
    ///   - names: the unit's, as rows may have them; or one category, with everything below it.
    /// - Returns: global ids, each with the seq of its latest change.
    package func tickets(
        ofUnits names: [String], category: String?, after seq: Int64, limit: Int
    ) async throws -> [(ticket: String, seq: Int64)] {
        let threadTables = tableOrder.filter { $0.definition.isTicketRecord && $0.columns.contains("global_id") }
            .map(\.definition.name.text)
        return try await pool.read { db in
            // Which tickets: without seqs, so that a further record of one of them is told too.
            let marks = names.map { _ in "?" }.joined(separator: ", ")
            let scope =
                category == nil
                ? "SELECT DISTINCT global_id FROM main.assignment WHERE deleted = 0 AND assignee_unit IN (\(marks))"
                : """
                SELECT r.global_id FROM main.service_request r LEFT JOIN main.ticket_state s ON s.global_id = r.global_id
                WHERE r.deleted = 0 AND (coalesce(s.category, r.service_code) = ?
                OR substr(coalesce(s.category, r.service_code), 1, ?) = ?)
                """
            let changes = threadTables.map {
                "SELECT global_id, seq FROM main.\(quoted($0)) WHERE seq > ? AND global_id IN mine"
            }
            var arguments: StatementArguments =
                if let category {
                    [category, category.unicodeScalars.count + 1, category + "."]
                } else {
                    StatementArguments(names)
                }
            for _ in threadTables { arguments += [seq] }
            return try Row.fetchAll(
                db,
                sql: """
                    WITH mine AS MATERIALIZED (\(scope))
                    SELECT global_id, max(seq) FROM (\(changes.joined(separator: " UNION ALL ")))
                    GROUP BY global_id ORDER BY 2 LIMIT ?
                    """, arguments: arguments + [limit]
            ).map { ($0[0], $0[1]) }
        }
    }
}
