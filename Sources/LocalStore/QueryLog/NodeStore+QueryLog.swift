import FederationModel
import GRDB
import LogicalQuery

extension NodeStore {
    /// Logs are kept for three years (domain model 5.4).
    private static let queryLogKept: Int64 = 1_096 * 86_400_000
    /// However many there are, none younger than 180 days is removed (网络安全法, Art. 21).
    private static let queryLogFloor: Int64 = 180 * 86_400_000
    /// Adds an entry, and removes a few of those whose time is over.
    ///
    /// - Parameter entriesMax: from how many on the oldest go before their time; a million take about 300 MB.
    package func log(_ entry: QueryLogEntry, entriesMax: Int = 1_000_000) async throws {
        try await pool.write { db in
            try db.cachedStatement(
                sql: """
                    INSERT INTO main.query_log (at, direction, peer, kind, resource, question, columns, origins, rows,
                      bytes, outcome, duration) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """
            ).execute(arguments: [
                entry.at, entry.direction.rawValue, entry.peer.code, entry.kind.rawValue, entry.resource.text,
                entry.question, entry.columns, entry.origins, entry.rows, entry.bytes, entry.outcome, entry.durationMS,
            ])
            // The oldest come first, so this looks at ten entries; a clock that was wrong for a while keeps some longer.
            try db.cachedStatement(
                sql: """
                    DELETE FROM main.query_log WHERE id IN (SELECT id FROM main.query_log ORDER BY id LIMIT 10)
                      AND (at < ?1 OR at < ?2 AND id <= (SELECT max(id) FROM main.query_log) - ?3)
                    """
            ).execute(arguments: [
                entry.at - Self.queryLogKept, entry.at - Self.queryLogFloor, entriesMax,
            ])
        }
    }

    /// The newest entries, newest first.
    package func queryLog(since: UnixMilliseconds?, limit: Int) async throws -> [QueryLogEntry] {
        try await pool.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM main.query_log WHERE at >= ? ORDER BY id DESC LIMIT ?",
                arguments: [since ?? .min, limit]
            ).compactMap { row in
                guard let direction = QueryLogEntry.Direction(rawValue: row["direction"]),
                    let kind = QueryLogEntry.Kind(rawValue: row["kind"]), let peer = NodeID(row["peer"])
                else { return nil }
                return QueryLogEntry(
                    at: row["at"], direction: direction, peer: peer, kind: kind,
                    resource: ResourceName(row["resource"]), question: row["question"], columns: row["columns"],
                    origins: row["origins"], rows: row["rows"], bytes: row["bytes"], outcome: row["outcome"],
                    durationMS: row["duration"])
            }
        }
    }
}
