import ChangeSetFormat
import FederationModel
import GRDB

extension NodeStore {
    /// Rows in one transaction: the writer must be free in between.
    private static let reissueBatch = 2_000

    /// Gives this node's rows that were written under a clock which was ahead a version of now, so that receivers take them.
    ///
    /// An older version is right here: what the neighbour that supplied a copy sends next replaces it (design rule 2).
    ///
    /// - Returns: how many there were, and the head of the feed.
    package func reissueFutureVersions(now: UnixMilliseconds) async throws -> (rows: Int, head: Seq) {
        let limit = HybridTime(milliseconds: now + SyncLimits.clockSkewMax + 1, counter: 0).rawValue
        var (reissued, head) = (0, try await head())
        let isDue = try await pool.read { db in
            try NodeValue.integer("version", db) >= limit || NodeValue.integer(NodeValue.hasFutureVersions, db) == 1
        }
        guard isDue else { return (0, head) }
        for table in tableOrder {
            while true {
                let waiting = try await pool.read { db in
                    try Int64.fetchAll(db, sql: table.ownFrom, arguments: [limit, Self.reissueBatch])
                }
                guard !waiting.isEmpty else { break }
                head = try await writeFeed(isDurable: true, now: now) { writer in
                    let version = try writer.version().rawValue
                    try writer.resequence(waiting) { seq, id in
                        try writer.db.cachedStatement(sql: table.reissue).execute(arguments: [seq, id, version])
                    }
                }.head
                reissued += waiting.count
            }
        }
        try await pool.write { db in try NodeValue.set(NodeValue.hasFutureVersions, 0, db) }
        return (reissued, head)
    }
}
