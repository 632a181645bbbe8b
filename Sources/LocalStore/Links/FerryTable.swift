import FederationModel
import GRDB

import struct FederationModel.Cursor

/// What a node knows of a neighbour that files are carried to and from.
package struct FerryPeer: Hashable, Sendable {
    /// That the neighbour has shown last, PEM.
    package var certificate: String?
    /// When a file was last written for it.
    package var exportedAt: UnixMilliseconds?
    /// When a file of it was last taken.
    package var importedAt: UnixMilliseconds?
    /// Rows that it got from this node and that this node no longer has, as its last file says.
    package var lost = 0
    /// Rows of this node that are put aside there.
    package var quarantined = 0
    /// That it knows, as its last file says.
    package var schemaRevision: Int?
}

enum FerryTable {
    /// Where files ended that have not been confirmed; more than this many are not remembered, the oldest go.
    static let endsMax = 1_000

    /// A receiver does not go back behind what it has confirmed, and if it does it says so.
    static func forgetEnds(of receiver: NodeID, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                DELETE FROM main.ferry_end WHERE receiver = ?1 AND EXISTS (
                  SELECT 1 FROM main.link_confirmation AS c WHERE c.receiver = ?1
                    AND (c.epoch <> ferry_end.epoch OR c.seq > ferry_end.seq))
                """
        ).execute(arguments: [receiver.code])
    }

    static func cursor(in row: Row) -> Cursor? {
        Epoch(row[0]).map {
            Cursor(
                epoch: $0, seq: row[1], revision: LinkRevision(topology: row[2], policy: row[3]), sweep: .complete)
        }
    }
}

extension NodeStore {
    package func ferryPeers() async throws -> [NodeID: FerryPeer] {
        try await pool.read { db in
            var peers: [NodeID: FerryPeer] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT * FROM main.ferry") {
                guard let peer = NodeID(row["peer"]) else { continue }
                peers[peer] = FerryPeer(
                    certificate: row["certificate"], exportedAt: row["exported_at"], importedAt: row["imported_at"],
                    lost: row["lost"], quarantined: row["quarantined"], schemaRevision: row["schema_revision"])
            }
            return peers
        }
    }

    /// Changes what is known of a neighbour, on disk with all that was committed before: who carries files is told that they are here.
    package func changeFerry(
        of peer: NodeID, _ change: @Sendable @escaping (inout FerryPeer) -> Void
    ) async throws {
        try await writeDurably { db in
            let row = try Row.fetchOne(db, sql: "SELECT * FROM main.ferry WHERE peer = ?", arguments: [peer.code])
            var known = FerryPeer(
                certificate: row?["certificate"], exportedAt: row?["exported_at"], importedAt: row?["imported_at"],
                lost: row?["lost"] ?? 0, quarantined: row?["quarantined"] ?? 0,
                schemaRevision: row?["schema_revision"])
            change(&known)
            try db.execute(
                sql: "INSERT OR REPLACE INTO main.ferry VALUES (?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    peer.code, known.certificate, known.exportedAt, known.importedAt, known.lost, known.quarantined,
                    known.schemaRevision,
                ])
        }
    }

    // MARK: - Ends of files

    /// Where files for a receiver have ended in this life of the database that it has not confirmed; the earliest first.
    package func ferryEnds(of receiver: NodeID) async throws -> [Cursor] {
        let epoch = epoch.description
        return try await pool.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT epoch, seq, topology, policy FROM main.ferry_end WHERE receiver = ? AND epoch = ?
                    ORDER BY topology, policy, seq
                    """, arguments: [receiver.code, epoch]
            ).compactMap(FerryTable.cursor(in:))
        }
    }

    /// Remembers where a file ends, before it is there: one place too many does no harm, one too few makes a file that its receiver
    /// refuses.
    package func note(ferryEnd end: Cursor, of receiver: NodeID) async throws {
        try await pool.write { db in
            try db.execute(
                sql: "INSERT OR IGNORE INTO main.ferry_end VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    receiver.code, end.epoch.description, end.seq, end.revision.topology, end.revision.policy,
                ])
            try db.execute(
                sql: """
                    DELETE FROM main.ferry_end WHERE receiver = ?1 AND seq < (SELECT min(seq) FROM (
                      SELECT seq FROM main.ferry_end WHERE receiver = ?1 ORDER BY seq DESC LIMIT \(FerryTable.endsMax)))
                    """, arguments: [receiver.code])
        }
    }

    /// Forgets the end of a file that could not be written after all.
    package func forget(ferryEnd end: Cursor, of receiver: NodeID) async throws {
        try await pool.write { db in
            try db.execute(
                sql: "DELETE FROM main.ferry_end WHERE receiver = ? AND epoch = ? AND seq = ?",
                arguments: [receiver.code, end.epoch.description, end.seq])
        }
    }

    /// The marks of the commits that gave some seqs out; those that were never given out are absent.
    package func marks(of seqs: [Seq]) async throws -> [Seq: HistoryMark?] {
        try await pool.read { db in
            let head = try NodeValue.integer("seq", db)
            return try Dictionary(
                seqs.filter { $0 <= head }.map { ($0, try HistoryMarks.mark(of: $0, db)) }
            ) { first, _ in first }
        }
    }

    // MARK: - Settlements

    /// What is decided over rows that a receiver gave back by file and that it is still to be told.
    package func settlements(for receiver: NodeID) async throws -> [(resource: ResourceName, key: RowKey)] {
        try await pool.read { db in
            try Row.fetchAll(
                db, sql: "SELECT resource, origin, \"key\" FROM main.ferry_settlement WHERE receiver = ?",
                arguments: [receiver.code]
            ).map { (ResourceName($0[0] as String), RowKey(origin: $0[1], key: $0[2])) }
        }
    }

    /// Keeps them in place of those from before: the receiver gives back in each file what it has not been told.
    package func keep(
        settlements rows: [(resource: ResourceName, key: RowKey)], for receiver: NodeID
    ) async throws {
        try await pool.write { db in
            try db.execute(sql: "DELETE FROM main.ferry_settlement WHERE receiver = ?", arguments: [receiver.code])
            let statement = try db.cachedStatement(
                sql: "INSERT OR IGNORE INTO main.ferry_settlement VALUES (?, ?, ?, ?)")
            for row in rows {
                try statement.execute(arguments: [receiver.code, row.resource.text, row.key.origin, row.key.key])
            }
        }
    }
}
