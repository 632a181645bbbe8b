import ChangeSetFormat
import FederationModel
import GRDB

/// What was removed from the feed at one time.
package struct PruneReport: Hashable, Sendable {
    package var tombstones = 0
    package var scopeEntries = 0
    /// A receiver whose cursor stands below it is swept.
    package var floor: Seq = 0
}

extension NodeStore {
    /// Rows in one transaction: the writer must be free in between.
    private static let pruneBatch = 2_000
    /// How far apart the marks are by which a seq's age is known.
    private static let markInterval: Int64 = 3_600_000

    /// Removes what nobody needs to be sent any more (design rule 8): tombstones that every receiver and every consumer of
    /// this database has passed and that are older than `retention`, with the threads that records had left by then, and entries of the scope
    /// log that all of them have passed.
    ///
    /// - Parameters:
    ///   - receivers: every neighbour that this node sends to. One that has never confirmed anything holds all back.
    ///   - retention: milliseconds. A seq is as old as the hourly mark behind it.
    ///   - undo: milliseconds for which it is kept what rows were before an intake.
    package func prune(
        receivers: [NodeID], retention: Int64, undo: Int64 = .max, now: UnixMilliseconds
    ) async throws -> PruneReport {
        if undo < now { try await forgetIntakes(before: now - undo) }
        let (passed, aged) = try await pool.write { [self] db in
            try Self.mark(now: now, retention: retention, db)
            var passed = try leastCursor(db)
            for receiver in receivers { passed = min(passed, try confirmed(by: receiver, db)) }
            let aged = try db.cachedStatement(sql: "SELECT max(seq) FROM main.feed_mark WHERE at <= ?").fetchInteger([
                now - retention
            ])
            // A receiver that is below the floor is swept, whatever its past.
            try HistoryMarks.remove(below: max(passed, NodeValue.integer(NodeValue.floor, db)), db)
            return (passed, min(passed, aged ?? 0))
        }
        var report = PruneReport()
        report.scopeEntries = try await remove(from: "scope_log", where: "seq <= ?1", upto: passed)
        for table in tableOrder {
            let gone = "deleted <> \(RowState.live.rawValue) AND seq <= ?1"
            report.tombstones += try await remove(from: table.definition.name.text, where: gone, upto: aged)
        }
        _ = try await remove(from: ResourceTable.leftThreads, where: "seq <= ?1", upto: aged)
        report.floor = try await pool.read { db in try NodeValue.integer(NodeValue.floor, db) }
        return report
    }

    private func forgetIntakes(before time: UnixMilliseconds) async throws {
        let numbers = try await pool.read { db in try Intakes.remembered(before: time, db) }
        for number in numbers {
            try await pool.write { [tableOrder] db in try Intakes.forget(number, tables: tableOrder, db) }
        }
    }

    private static func mark(now: UnixMilliseconds, retention: Int64, _ db: Database) throws {
        let last = try Int64.fetchOne(db, sql: "SELECT max(at) FROM main.feed_mark")
        if let last, now - last < markInterval { return }
        try db.execute(
            sql: """
                INSERT OR REPLACE INTO main.feed_mark SELECT ?1, value FROM main.node WHERE name = 'seq';
                """, arguments: [now])
        // Of those that are old enough only the newest decides.
        try db.execute(
            sql: "DELETE FROM main.feed_mark WHERE at < (SELECT max(at) FROM main.feed_mark WHERE at <= ?)",
            arguments: [now - retention])
    }

    /// - Returns: how many rows were removed. The floor rises in the same transaction.
    private func remove(from table: String, where condition: String, upto: Seq) async throws -> Int {
        var removed = 0
        while true {
            let batch = try await pool.write { db in
                let rows = try Row.fetchAll(
                    db.cachedStatement(
                        sql: """
                            DELETE FROM main.\(quoted(table)) WHERE id IN (
                              SELECT id FROM main.\(quoted(table)) WHERE \(condition) ORDER BY seq LIMIT \(Self.pruneBatch))
                            RETURNING seq, id
                            """), arguments: [upto])
                guard let highest = rows.map({ $0[0] as Seq }).max() else { return 0 }
                // Ids are given out again.
                for row in rows {
                    try db.cachedStatement(sql: "DELETE FROM main.ticket_share WHERE resource = ? AND row = ?").execute(
                        arguments: [table, row[1] as Int64])
                }
                if try highest > NodeValue.integer(NodeValue.floor, db) {
                    try NodeValue.set(NodeValue.floor, highest, db)
                }
                return rows.count
            }
            removed += batch
            if batch < Self.pruneBatch { return removed }
        }
    }
}
