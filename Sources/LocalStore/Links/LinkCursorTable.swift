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
        guard let row = try Row.fetchOne(statement, arguments: [sender.code]), let epoch = Epoch(row[0]) else {
            return nil
        }
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

    static func save(
        _ cursor: Cursor, mark: HistoryMark?, of sender: NodeID, isNewEpoch: Bool, _ db: Database
    ) throws {
        var resource: String?
        var after: RowKey?
        if case .at(let name, let key) = cursor.sweep {
            resource = name.text
            after = key
        }
        try db.cachedStatement(
            sql: """
                INSERT INTO main.link_cursor
                  (sender, epoch, seq, topology, policy, sweep_resource, sweep_origin, sweep_key, is_new_epoch,
                   mark)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (sender) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq,
                  topology = excluded.topology, policy = excluded.policy, sweep_resource = excluded.sweep_resource,
                  sweep_origin = excluded.sweep_origin, sweep_key = excluded.sweep_key,
                  is_new_epoch = excluded.is_new_epoch, mark = excluded.mark
                """
        ).execute(arguments: [
            sender.code, cursor.epoch.description, cursor.seq, cursor.revision.topology, cursor.revision.policy,
            resource, after?.origin, after?.key, isNewEpoch, mark.map { Int64(bitPattern: $0.value) },
        ])
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

    /// Keeps what a receiver has said of its cursor, in an acknowledgement or at hello: then all before it is on its disk.
    package func confirm(_ cursor: Cursor, by receiver: NodeID) async throws {
        try await pool.write { db in
            try db.cachedStatement(sql: "INSERT OR REPLACE INTO main.link_confirmation VALUES (?, ?, ?)").execute(
                arguments: [receiver.code, cursor.epoch.description, cursor.seq])
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
