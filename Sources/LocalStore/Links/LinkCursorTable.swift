import ChangeSetFormat
import FederationModel
import GRDB

import struct FederationModel.Cursor

/// The receiver's durable cursor of each sender (design rule 5).
enum LinkCursorTable {
    static func cursor(of sender: NodeID, _ db: Database) throws -> Cursor? {
        let statement = try db.cachedStatement(
            sql: """
                SELECT epoch, seq, topology, policy, sweep_resource, sweep_origin, sweep_key
                FROM main.link_cursor WHERE sender = ?
                """)
        return try Row.fetchOne(statement, arguments: [sender.code]).flatMap(cursor(in:))
    }

    /// - Parameter row: epoch, seq, the two parts of the revision, the three of the sweep.
    static func cursor(in row: Row) -> Cursor? {
        guard let epoch = Epoch(row[0]) else { return nil }
        var sweep = SweepPosition.complete
        if let resource: String = row[4] {
            var after: RowKey?
            if let origin: String = row[5], let key: String = row[6] { after = RowKey(origin: origin, key: key) }
            sweep = .at(resource: ResourceName(resource), after: after)
        }
        return Cursor(
            epoch: epoch, seq: row[1], revision: LinkRevision(topology: row[2], policy: row[3]), sweep: sweep)
    }

    /// Whether the first sweep since the sender has begun another epoch is not over.
    static func isNewEpoch(of sender: NodeID, _ db: Database) throws -> Bool {
        try db.cachedStatement(sql: "SELECT is_new_epoch FROM main.link_cursor WHERE sender = ?")
            .fetchInteger([sender.code]) == 1
    }

    static func mark(of sender: NodeID, _ db: Database) throws -> HistoryMark? {
        try db.cachedStatement(sql: "SELECT mark FROM main.link_cursor WHERE sender = ?").fetchInteger([sender.code])
            .map { HistoryMark(UInt64(bitPattern: $0)) }
    }

    /// - Parameter madeAt: the sender's clock when the change-set was made that took the cursor there.
    static func save(
        _ cursor: Cursor, mark: HistoryMark?, madeAt: UnixMilliseconds, of sender: NodeID, isNewEpoch: Bool,
        _ db: Database
    ) throws {
        let (resource, after) = parts(of: cursor.sweep)
        try db.cachedStatement(
            sql: """
                INSERT INTO main.link_cursor
                  (sender, epoch, seq, topology, policy, sweep_resource, sweep_origin, sweep_key, is_new_epoch,
                   mark, made_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (sender) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq,
                  topology = excluded.topology, policy = excluded.policy, sweep_resource = excluded.sweep_resource,
                  sweep_origin = excluded.sweep_origin, sweep_key = excluded.sweep_key,
                  is_new_epoch = excluded.is_new_epoch, mark = excluded.mark, made_at = excluded.made_at
                """
        ).execute(arguments: [
            sender.code, cursor.epoch.description, cursor.seq, cursor.revision.topology, cursor.revision.policy,
            resource, after?.origin, after?.key, isNewEpoch, mark.map { Int64(bitPattern: $0.value) },
            madeAt,
        ])
    }
}

extension LinkCursorTable {
    static func parts(of sweep: SweepPosition) -> (resource: String?, after: RowKey?) {
        guard case .at(let resource, let after) = sweep else { return (nil, nil) }
        return (resource.text, after)
    }
}

extension NodeStore {
    /// Where this node stands with a sender; nil before the first change-set.
    package func cursor(of sender: NodeID) async throws -> Cursor? { try await markedCursor(of: sender)?.cursor }

    /// The same with its history mark, which is nil when the sender puts none.
    package func markedCursor(of sender: NodeID) async throws -> (cursor: Cursor, mark: HistoryMark?)? {
        try await pool.read { db in
            try LinkCursorTable.cursor(of: sender, db).map { ($0, try LinkCursorTable.mark(of: sender, db)) }
        }
    }

    /// When the change-set was made that took this node where it stands with a sender, by that one's clock.
    package func cursorMadeAt(of sender: NodeID) async throws -> UnixMilliseconds? {
        try await pool.read { db in
            try db.cachedStatement(sql: "SELECT made_at FROM main.link_cursor WHERE sender = ?")
                .fetchInteger([sender.code])
        }
    }

    /// Keeps what a receiver has said of its cursor, in an acknowledgement, at hello or in a file: then all before it is on its disk.
    ///
    /// - Parameter saidAt: when it wrote that into a file, by its clock; nil when it says so now. What is older than its last word changes
    ///   nothing, because files are late and overtake each other.
    package func confirm(
        _ cursor: Cursor, by receiver: NodeID, saidAt: UnixMilliseconds? = nil, now: UnixMilliseconds
    ) async throws {
        let (resource, after) = LinkCursorTable.parts(of: cursor.sweep)
        try await pool.write { db in
            try db.cachedStatement(
                sql: """
                    INSERT INTO main.link_confirmation
                      (receiver, epoch, seq, topology, policy, sweep_resource, sweep_origin, sweep_key, said_at)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                    ON CONFLICT (receiver) DO UPDATE SET epoch = ?2, seq = ?3, topology = ?4, policy = ?5,
                      sweep_resource = ?6, sweep_origin = ?7, sweep_key = ?8, said_at = ?9
                    WHERE ?10 OR said_at IS NULL OR said_at <= ?9 OR said_at > ?11
                    """
            ).execute(arguments: [
                receiver.code, cursor.epoch.description, cursor.seq, cursor.revision.topology, cursor.revision.policy,
                resource, after?.origin, after?.key, saidAt ?? now, saidAt == nil, now + SyncLimits.clockSkewMax,
            ])
            try FerryTable.forgetEnds(of: receiver, db)
        }
    }

    /// Where a receiver stood when it was last heard; nil when it has said nothing of this life of the database.
    package func confirmedCursor(of receiver: NodeID) async throws -> Cursor? {
        let epoch = epoch
        return try await pool.read { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT epoch, seq, topology, policy, sweep_resource, sweep_origin, sweep_key
                    FROM main.link_confirmation WHERE receiver = ? AND topology IS NOT NULL
                    """, arguments: [receiver.code])
            return row.flatMap(LinkCursorTable.cursor(in:)).flatMap { $0.epoch == epoch ? $0 : nil }
        }
    }

    /// Up to where a receiver has everything; 0 when it has said nothing of this life of the database.
    package func confirmation(of receiver: NodeID) async throws -> Seq {
        try await pool.read { db in try confirmed(by: receiver, db) }
    }

    /// The same inside a read; 0 when it has said nothing of this life of the database.
    func confirmed(by receiver: NodeID, _ db: Database) throws -> Seq {
        try db.cachedStatement(sql: "SELECT seq FROM main.link_confirmation WHERE receiver = ? AND epoch = ?")
            .fetchInteger([receiver.code, epoch.description]) ?? 0
    }
}
