import FederationModel
import GRDB

extension NodeStore {
    /// How long what comes back is taken, milliseconds: neighbours may have been away, and what they hold comes from hop to hop.
    static let recoveryTime: Int64 = 30 * 86_400_000

    /// Takes back from now on what this node lost and its neighbours hold, also where none of them has noticed that by itself. A recovery
    /// that goes on already goes on as it is.
    ///
    /// - Returns: when it began.
    package func beginRecovery(now: UnixMilliseconds) async throws -> UnixMilliseconds {
        try await writeDurably { db in
            let end = try NodeValue.integer(NodeValue.recoveryEnd, db)
            if end > now { return end - Self.recoveryTime }
            try NodeValue.set(NodeValue.recoveryEnd, now + Self.recoveryTime, db)
            return now
        }
    }

    /// What has come back since then.
    package func returnedRows(since begin: UnixMilliseconds) async throws -> [ReturnedRows] {
        try await pool.read { db in
            let groups = try Row.fetchAll(
                db,
                sql: """
                    SELECT resource, receiver, treated, count(*) FROM main.returned_row WHERE returned_at >= ?
                    GROUP BY resource, receiver, treated ORDER BY resource, receiver
                    """, arguments: [begin])
            var found: [ReturnedRows] = []
            for group in groups {
                guard let receiver = NodeID(group[1]) else { continue }
                let (resource, rows): (ResourceName, Int) = (ResourceName(group[0]), group[3])
                if found.last?.resource != resource || found.last?.receiver != receiver {
                    found.append(ReturnedRows(resource: resource, receiver: receiver))
                }
                found[found.count - 1].rows += rows
                for column in (group[2] as String).split(separator: " ") {
                    found[found.count - 1].treated[String(column), default: 0] += rows
                }
            }
            return found
        }
    }
}
