import FederationModel
import GRDB

/// Rows that a neighbour had supplied and now no longer knows, or knows only in an older version: its database was set up afresh,
/// an older one was put back (design rule 6), or so much is gone without a word that nobody can have meant it (`RetractionLimit`).
/// This node may hold the only copy, so it keeps them, however often the neighbour lists what it has, until that supplies them again
/// or a person accepts the loss.
enum LostRows {
    /// What is known of a row that its sender has not named.
    enum State: Int, DatabaseValueConvertible {
        /// The sender has lost it.
        case lost = 0
        /// At the end of its resource the sweep that goes on decides.
        case pending = 1
        /// It came from a former supplier of its origin, and the present one may not have all of that yet (`awaited`).
        case awaited = 2
    }

    static func holdsAny(_ db: Database) throws -> Bool {
        try db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM main.lost_row)").fetchInteger([]) == 1
    }

    static func count(of sender: NodeID, _ db: Database) throws -> Int {
        let statement = try db.cachedStatement(
            sql: "SELECT count(*) FROM main.lost_row WHERE sender = ? AND state = \(State.lost.rawValue)")
        return Int(try statement.fetchInteger([sender.code]) ?? 0)
    }

    static func ids(of table: ResourceTable, sender: NodeID, after row: Int64, limit: Int, _ db: Database) throws
        -> [Int64]
    {
        try Int64.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT row FROM main.lost_row
                    WHERE resource = ? AND row > ? AND sender = ? AND state = \(State.lost.rawValue) ORDER BY row LIMIT ?
                    """),
            arguments: [table.definition.name.text, row, sender.code, limit])
    }

    static func id(_ key: RowKey, of table: ResourceTable, sender: NodeID, _ db: Database) throws -> Int64? {
        try db.cachedStatement(
            sql: """
                SELECT l.row FROM main.\(table.table) AS r JOIN main.lost_row AS l
                  ON l.resource = '\(table.definition.name)' AND l.row = r.id
                WHERE r.origin = ? AND r."key" = ? AND l.sender = ?
                """
        ).fetchInteger([key.origin, key.key, sender.code])
    }

    /// What is known of rows already stays.
    static func keep(
        _ ids: [Int64], of table: ResourceTable, sender: NodeID, as state: State = .lost, _ db: Database
    ) throws {
        let statement = try db.cachedStatement(sql: "INSERT OR IGNORE INTO main.lost_row VALUES (?, ?, ?, ?)")
        for id in ids { try statement.execute(arguments: [table.definition.name.text, id, sender.code, state]) }
    }

    /// Those over which the sweep that goes on has not decided.
    static func pending(of table: ResourceTable, sender: NodeID, _ db: Database) throws -> [Int64] {
        try Int64.fetchAll(
            db.cachedStatement(
                sql: "SELECT row FROM main.lost_row WHERE resource = ? AND sender = ? AND state = ?"),
            arguments: [table.definition.name.text, sender.code, State.pending])
    }

    static func settlePending(of table: ResourceTable, sender: NodeID, _ db: Database) throws {
        try db.cachedStatement(
            sql: "UPDATE main.lost_row SET state = ? WHERE resource = ? AND sender = ? AND state = ?"
        ).execute(arguments: [State.lost, table.definition.name.text, sender.code, State.pending])
    }

    static func settle(_ ids: [Int64], of table: ResourceTable, sender: NodeID, _ db: Database) throws {
        let statement = try db.cachedStatement(
            sql: "UPDATE main.lost_row SET state = ?, sender = ? WHERE resource = ? AND row = ?")
        for id in ids {
            try statement.execute(arguments: [State.lost, sender.code, table.definition.name.text, id])
        }
    }

    /// Rows of one origin that wait for its supplier to be whole.
    static func awaited(of origin: NodeID, in table: ResourceTable, _ db: Database) throws -> [Int64] {
        try Int64.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT l.row FROM main.lost_row AS l CROSS JOIN main.\(table.table) AS r ON r.id = l.row
                    WHERE l.resource = ? AND l.state = ? AND r.origin = ?
                    """), arguments: [table.definition.name.text, State.awaited, origin.code])
    }

    /// From here on they are the sender's to give, whoever has lost them before.
    static func expect(rowsOf origins: Set<NodeID>, in table: ResourceTable, from sender: NodeID, _ db: Database) throws
    {
        try db.cachedStatement(
            sql: """
                UPDATE main.lost_row SET state = ?1, sender = ?2 WHERE resource = ?3 AND sender <> ?2
                  AND EXISTS (SELECT 1 FROM main.\(table.table) AS r
                    WHERE r.id = lost_row.row AND r.origin IN (SELECT value FROM json_each(?4)))
                """
        ).execute(arguments: [State.awaited, sender.code, table.definition.name.text, jsonArray(origins)])
    }

    /// Takes out of the staged rows what is older than the copy here, and keeps that.
    ///
    /// - Parameter all: whether this holds for every row of the sender; else only for those that are kept as lost already.
    static func withhold(olderIn table: ResourceTable, sender: NodeID, all: Bool, _ db: Database) throws {
        let older = try Row.fetchAll(
            db.cachedStatement(sql: table.stagedOlder(all: all)), arguments: [Int64(sender.code) ?? 0])
        guard !older.isEmpty else { return }
        try keep(older.map { $0[0] }, of: table, sender: sender, db)
        let unstage = try db.cachedStatement(sql: "DELETE FROM batch.\(table.table) WHERE n = ?")
        for row in older { try unstage.execute(arguments: [row[1] as Int64]) }
    }

    /// What is staged now the sender has again.
    static func release(stagedIn table: ResourceTable, _ db: Database) throws {
        try db.cachedStatement(sql: table.releaseLost).execute()
    }

    static func forget(_ ids: [Int64], of table: ResourceTable, _ db: Database) throws {
        guard try holdsAny(db) else { return }
        let statement = try db.cachedStatement(sql: "DELETE FROM main.lost_row WHERE resource = ? AND row = ?")
        for id in ids { try statement.execute(arguments: [table.definition.name.text, id]) }
    }
}

extension FederationError {
    /// How both ends of a link name it.
    package static func rowsLost(_ rows: Int, by sender: NodeID, at receiver: NodeID) -> FederationError {
        FederationError(
            "E_ROWS_LOST", "\(sender) no longer has \(rows) rows that \(receiver) got from it; \(receiver) keeps them",
            hint:
                "its database was set up afresh, an older one was put back, or rows were deleted past the program; what it lost by a "
                + "restore goes back to it by itself. If it does not, put the right database back, or, if the rows are to go, "
                + "`federation-node link accept-loss --peer \(sender) --rows \(rows)` at \(receiver)"
        )
    }
}

extension NodeStore {
    /// Rows that each neighbour had supplied and no longer has; those without any are absent.
    package func lostRows() async throws -> [NodeID: Int] {
        try await pool.read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT sender, count(*) FROM main.lost_row WHERE state = ? GROUP BY sender",
                arguments: [LostRows.State.lost])
            return Dictionary(uniqueKeysWithValues: rows.compactMap { row in NodeID(row[0]).map { ($0, row[1]) } })
        }
    }

    /// Lets go of the rows that a neighbour has lost: a person has decided that it does not get them back. It sweeps anew then.
    ///
    /// - Parameter rows: how many that person has seen there to be.
    /// - Throws: `E_LOST_ROWS_COUNT` when there are more or fewer by now; nothing is changed then.
    /// - Returns: the head of the feed.
    package func acceptLoss(of sender: NodeID, rows: Int, now: UnixMilliseconds) async throws -> Seq {
        try await writeFeed(now: now) { [tableOrder] writer in
            let count = try LostRows.count(of: sender, writer.db)
            guard count == rows else {
                throw FederationError(
                    "E_LOST_ROWS_COUNT", "node \(sender) has lost \(count) rows, not \(rows)",
                    hint: "see `federation-node link list`, and name the number that stands there")
            }
            for table in tableOrder {
                let ids = try Int64.fetchAll(
                    writer.db,
                    sql: "SELECT row FROM main.lost_row WHERE resource = ? AND sender = ? AND state = ?",
                    arguments: [table.definition.name.text, sender.code, LostRows.State.lost])
                try writer.retract(ids, of: table)
            }
            // Of some of them the sender has an older version: its next sweep brings it.
            try writer.db.execute(
                sql: "UPDATE main.link_cursor SET topology = 0, policy = 0 WHERE sender = ?", arguments: [sender.code])
        }.head
    }
}
