import FederationModel
import GRDB

extension NodeStore {
    /// Conflict records by ticket, then in the order in which they came up in its thread.
    ///
    /// - Parameters:
    ///   - code: only those of one kind.
    ///   - limit: at most so many.
    package func conflicts(code: TicketFinding.Code?, limit: Int) async throws -> [TicketConflict] {
        try await pool.read { [tables] db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM main.ticket_conflict WHERE ?1 IS NULL OR code = ?1 ORDER BY global_id, ordinal LIMIT ?2
                    """, arguments: [code?.rawValue, limit])
            return try rows.compactMap { row in
                guard let finding = TicketFinding(row: row) else { return nil }
                var occurredAt: UnixMilliseconds?
                if let table = tables[finding.event.resource] {
                    let time = table.columns.contains("occurred_at") ? "occurred_at" : "requested_datetime"
                    occurredAt = try Int64.fetchOne(
                        db,
                        sql: """
                            SELECT \(time) FROM main.\(quoted(finding.event.resource.text)) WHERE origin = ? AND "key" = ?
                            """, arguments: [finding.event.origin, finding.event.key])
                }
                return TicketConflict(globalID: row["global_id"], finding: finding, occurredAt: occurredAt)
            }
        }
    }
}
