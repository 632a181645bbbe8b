import FederationModel
import GRDB

extension NodeStore {
    /// The tickets of a department that are here and of which anything has changed since a seq, the earlier changes first.
    ///
    /// - Parameters:
    ///   - names: the unit's, as rows may have them; or one category, with everything below it.
    ///   - score: only tickets whose handling was ever rated below it; nil for all.
    /// - Returns: global ids, each with the seq of its latest change.
    package func tickets(
        ofUnits names: [String], category: String?, after seq: Int64, limit: Int, ratedBelow score: Int? = nil
    ) async throws -> [(ticket: String, seq: Int64)] {
        let threadTables = tableOrder.filter { $0.definition.isTicketRecord && $0.columns.contains("global_id") }
            .map(\.definition.name.text)
        return try await pool.read { db in
            let marks = names.map { _ in "?" }.joined(separator: ", ")
            // Without seqs, so that a further record of one of them is told too.
            let isMine =
                category == nil
                ? """
                SELECT 1 FROM main.assignment AS a WHERE a.global_id = c.global_id AND a.deleted = 0
                AND a.assignee_unit IN (\(marks))
                """
                : """
                SELECT 1 FROM main.service_request AS r LEFT JOIN main.ticket_state AS s ON s.global_id = r.global_id
                WHERE r.global_id = c.global_id AND r.deleted = 0 AND (coalesce(s.category, r.service_code) = ?
                OR substr(coalesce(s.category, r.service_code), 1, ?) = ?)
                """
            let isRated =
                score == nil
                ? ""
                : """
                AND EXISTS (SELECT 1 FROM main.evaluation AS e WHERE e.global_id = c.global_id AND e.deleted = 0
                AND e.object = 'handling' AND CAST(e.score5 AS INTEGER) < ?)
                """
            let changes = threadTables.map { "SELECT global_id, seq FROM main.\(quoted($0)) WHERE seq > ?" }
            let scope: StatementArguments =
                if let category {
                    [category, category.unicodeScalars.count + 1, category + "."]
                } else {
                    StatementArguments(names)
                }
            return try Row.fetchAll(
                db,
                sql: """
                    WITH c AS (SELECT global_id, max(seq) AS seq FROM (\(changes.joined(separator: " UNION ALL ")))
                      WHERE global_id IS NOT NULL GROUP BY global_id)
                    SELECT global_id, seq FROM c WHERE EXISTS (\(isMine)) \(isRated) ORDER BY seq LIMIT ?
                    """,
                arguments: StatementArguments(threadTables.map { _ in seq }) + scope
                    + StatementArguments(score.map { [$0] } ?? []) + [limit]
            ).map { ($0[0], $0[1]) }
        }
    }

    /// What this node found of a unit in evaluations (7.2.4), the earlier results first.
    ///
    /// - Parameters:
    ///   - names: the unit's, as results may have them.
    ///   - end: the last change that is looked at.
    package func evaluations(
        ofUnits names: [String], after seq: Seq, upTo end: Seq
    ) async throws -> [(record: HeldRecord, seq: Seq)] {
        let columns = CaseResources.evaluationResult.columns.map(\.name)
        return try await pool.read { [node] db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT origin, "key", seq, \(columns.map { quoted($0) }.joined(separator: ", "))
                    FROM main.evaluation_result WHERE seq > ? AND seq <= ? AND deleted = 0 AND +origin = ?
                      AND evaluatee IN (\(names.map { _ in "?" }.joined(separator: ", "))) ORDER BY seq
                    """,
                arguments: [seq, end, node.code] + StatementArguments(names)
            ).compactMap { row in HeldRecord(row, columns: columns, from: 3).map { ($0, row[2]) } }
        }
    }
}
