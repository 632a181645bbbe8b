import FederationModel
import GRDB

extension NodeStore {
    /// All revisions that are here, of this node and of others, the newest first.
    ///
    /// - Parameter number: only those of the reports with this number.
    package func reportLines(number: String? = nil) async throws -> [ReportLine] {
        try await pool.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT origin, "key", number, revision, kind, edition, period, title, occurred_at FROM main.report
                    WHERE deleted = 0 AND (?1 IS NULL OR number = ?1)
                    ORDER BY occurred_at DESC, origin, number, edition, revision DESC
                    """, arguments: [number]
            ).compactMap { row in
                NodeID(row[0]).map {
                    ReportLine(
                        origin: $0, key: row[1], number: row[2], revision: row[3], kind: row[4], edition: row[5],
                        period: row[6], title: row[7], madeAt: row[8])
                }
            }
        }
    }

    /// What a revision holds, as JSON; nil when it is not here.
    package func reportText(_ line: ReportLine) async throws -> (document: String, changes: String?)? {
        try await pool.read { db in
            try Row.fetchOne(
                db, sql: "SELECT document, changes FROM main.report WHERE origin = ? AND \"key\" = ? AND deleted = 0",
                arguments: [line.origin.code, line.key]
            ).map { ($0[0], $0[1]) }
        }
    }

    /// Who gets the reports of this node, and who did.
    package func reportSubscriptions() async throws -> [ReportSubscription] {
        try await pool.read { [node] db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT report_series_id, node, occurred_at, ended_at FROM main.report_subscription
                    WHERE origin = ? AND deleted = 0 ORDER BY report_series_id, node
                    """, arguments: [node.code]
            ).compactMap { row in
                NodeID(row[1]).map {
                    ReportSubscription(series: row[0], node: $0, since: row[2], endedAt: row[3])
                }
            }
        }
    }
}
