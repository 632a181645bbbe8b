import FederationModel
import GRDB

extension NodeStore {
    /// Rows that belong to the tickets of a period, as far as they are here: of what was requested in it and counts (neither merged nor
    /// refused).
    ///
    /// - Parameters:
    ///   - resource: one whose rows are records of tickets; `service_request` gives the tickets themselves.
    ///   - columns: of that resource.
    ///   - stateColumns: of the folded state of the ticket, behind them.
    ///   - tickets: only those of these tickets, by global id; nil for all.
    /// - Returns: for each row the ticket's global id, its origin, and the values of `columns` and `stateColumns`; the earlier tickets first.
    package func rowsOfTickets(
        requestedIn time: Range<UnixMilliseconds>, of resource: ResourceDefinition, columns: [String],
        stateColumns: [String] = [], only tickets: Set<String>? = nil
    ) async throws -> [(ticket: String, origin: String, values: [FieldValue])] {
        let names = columns.map { "t.\(quoted($0))" } + stateColumns.map { "s.\(quoted($0))" }
        let some = tickets.map { _ in "AND r.global_id IN (SELECT value FROM json_each(?))" } ?? ""
        return try await pool.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT r.global_id, r.origin, \(names.joined(separator: ", "))
                    FROM main.service_request r JOIN main.ticket_state s ON s.global_id = r.global_id
                    JOIN main.\(quoted(resource.name.text)) t ON t.global_id = r.global_id
                    WHERE r.requested_datetime >= ? AND r.requested_datetime < ? AND r.deleted = 0 AND t.deleted = 0
                    AND s.merged_into IS NULL AND coalesce(r.acceptance, '') <> 'not_accepted' \(some)
                    ORDER BY r.requested_datetime, r.global_id, t.origin, t."key"
                    """,
                arguments: [time.lowerBound, time.upperBound]
                    + StatementArguments(tickets.map { [jsonArray($0)] } ?? [])
            ).map { row in
                (row[0], row[1], (0..<names.count).map { row.fieldValue(at: $0 + 2) })
            }
        }
    }
}
