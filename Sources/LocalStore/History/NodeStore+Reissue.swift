import ChangeSetFormat
import FederationModel
import GRDB

extension NodeStore {
    /// Rows in one transaction: the writer must be free in between.
    private static let reissueBatch = 2_000

    /// Gives this node's rows that were written under a clock which was ahead a version of now, so that receivers take them.
    ///
    /// MUST be called only while a neighbour's clock agrees with `now`: under a clock that is behind, rows that neighbours hold would seem
    /// to be ahead, and would get older versions than they have there. The new versions come after all those of this node's rows that a
    /// neighbour may have taken.
    ///
    /// - Returns: how many there were, and the head of the feed.
    package func reissueFutureVersions(now: UnixMilliseconds) async throws -> (rows: Int, head: Seq) {
        let limit = HybridTime(milliseconds: now + SyncLimits.clockSkewMax + 1, counter: 0).rawValue
        var (reissued, head) = (0, try await head())
        let isDue = try await pool.read { db in
            try NodeValue.integer("version", db) >= limit || NodeValue.integer(NodeValue.hasFutureVersions, db) == 1
        }
        guard isDue else { return (0, head) }
        var version = try await pool.read { [tableOrder] db in
            let latest = try tableOrder.compactMap {
                try Int64.fetchOne(db, sql: $0.latestOwnBefore, arguments: [limit])
            }
            return HybridTime(rawValue: latest.max() ?? 0)
        }
        while true {
            // Another for each batch: a row may be written again between two of them.
            version = version.next(now: now)
            let (rows, reached) = try await writeFeed(isDurable: true, now: now) { [version, tableOrder] writer in
                for table in tableOrder {
                    let waiting = try Int64.fetchAll(
                        writer.db, sql: table.ownFrom, arguments: [limit, Self.reissueBatch])
                    if waiting.isEmpty { continue }
                    try writer.resequence(waiting) { seq, id in
                        try writer.db.cachedStatement(sql: table.reissue).execute(
                            arguments: [seq, id, version.rawValue])
                    }
                    return waiting.count
                }
                try writer.setVersion(version)
                try NodeValue.set(NodeValue.hasFutureVersions, 0, writer.db)
                return 0
            }
            (reissued, head) = (reissued + rows, reached)
            if rows == 0 { return (reissued, head) }
        }
    }
}
