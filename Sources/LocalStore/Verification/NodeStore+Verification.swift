import ChangeSetFormat
import FederationModel
import GRDB
import Verification

/// What a node needs to prove with a neighbour that both hold the same rows (design rule "verify"): everything is read from the
/// rows as they lie in the file, so what changed there by whatever way is found.
extension NodeStore {
    /// Parts everything that `scope` compares: for each resource and origin of which there are rows, all of them.
    package func partedRanges(of policy: LinkPolicy, _ scope: VerificationScope) async throws -> [PartedRange] {
        try await read(policy, scope) { resources, db in
            try resources.flatMap { rows in
                // They come in the order of their origins.
                var (origin, splitters): (String?, [RangeSplitter]) = (nil, [])
                try rows.forEach(db) { next, key, digest in
                    if next != origin {
                        guard let node = NodeID(next) else { return }
                        splitters.append(RangeSplitter(KeyRange(rows.resource.name, node)))
                        origin = next
                    }
                    splitters[splitters.count - 1].add(key: key, digest)
                }
                return splitters.map(\.parted)
            }
        }
    }

    /// Parts one range.
    package func parted(
        _ range: KeyRange, of policy: LinkPolicy, _ scope: VerificationScope
    ) async throws -> PartedRange {
        try await read(policy, scope) { resources, db in
            var splitter = RangeSplitter(range)
            try resources.forEach(in: range, db) { key, digest in
                splitter.add(key: key, digest)
                return true
            }
            return splitter.parted
        }
    }

    /// What the rows of some ranges come to here.
    package func fingerprints(
        of ranges: [KeyRange], policy: LinkPolicy, _ scope: VerificationScope
    ) async throws -> [Fingerprint] {
        try await read(policy, scope) { resources, db in
            try ranges.map { range in
                var fingerprint = Fingerprint()
                try resources.forEach(in: range, db) { _, digest in
                    fingerprint.add(digest)
                    return true
                }
                return fingerprint
            }
        }
    }

    /// The rows of a range one by one, `limit` at most, and where this node stands in the sender's feed if it is the receiver, read as
    /// one.
    package func rows(
        in range: KeyRange, limit: Int, of policy: LinkPolicy, _ scope: VerificationScope
    ) async throws -> (rows: [RowStatement], position: ReceiverPosition?) {
        try await read(policy, scope) { [node] resources, db in
            var rows: [RowStatement] = []
            try resources.forEach(in: range, db) { key, digest in
                rows.append(RowStatement(key: key, digest: digest))
                return rows.count < limit
            }
            return (rows, policy.receiver == node ? try Self.position(in: policy.sender, db) : nil)
        }
    }

    /// Where this node stands in a sender's feed; nil while it does not have everything yet that was there before it came.
    package func position(in sender: NodeID) async throws -> ReceiverPosition? {
        try await pool.read { db in try Self.position(in: sender, db) }
    }

    private static func position(in sender: NodeID, _ db: Database) throws -> ReceiverPosition? {
        guard let cursor = try LinkCursorTable.cursor(of: sender, db), cursor.sweep == .complete else { return nil }
        return ReceiverPosition(cursor)
    }

    /// What this node, as the sender, says of rows that differ.
    ///
    /// - Parameter seen: up to where the receiver had come when it looked.
    package func verdicts(
        on keys: [String], of resource: ResourceName, origin: NodeID, policy: LinkPolicy, seen: Seq
    ) async throws -> [RowVerdict] {
        guard let table = tables[resource] else { return keys.map { _ in .unknown } }
        return try await pool.read { [visibility] db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT max(r.seq, ifnull((SELECT max(seq) FROM main.scope_log AS l WHERE l.resource = '\(resource)'
                      AND l.origin = r.origin AND l."key" = r."key" AND l.seq > ?3), 0)),
                      \(visibility.isGranted(resource, by: policy))
                    FROM main.\(table.table) AS r WHERE r.origin = ?1 AND r."key" = ?2
                    """)
            return try keys.map { key in
                guard let row = try Row.fetchOne(statement, arguments: [origin.code, key, seen]) else {
                    return .unknown
                }
                if row[0] as Int64 > seen { return .onItsWay }
                return row[1] as Int64 == 1 ? .granted : .withdrawn
            }
        }
    }

    /// Gives granted rows new seqs, so that they are sent again.
    ///
    /// - Returns: how many, and the head of the feed.
    package func resend(
        _ keys: [String], of resource: ResourceName, origin: NodeID, policy: LinkPolicy, now: UnixMilliseconds
    ) async throws -> (rows: Int, head: Seq) {
        guard let table = tables[resource] else { return (0, try await head()) }
        let (rows, head) = try await writeFeed(now: now) { [visibility] writer in
            let statement = try writer.db.cachedStatement(
                sql: """
                    SELECT r.id FROM main.\(table.table) AS r
                    WHERE r.origin = ? AND r."key" = ? AND \(visibility.isGranted(resource, by: policy))
                    """)
            let ids = try keys.compactMap { try statement.fetchInteger([origin.code, $0]) }
            try writer.resequence(ids, of: table)
            return ids.count
        }
        return (rows, head)
    }

    /// Lets go of copies that their sender knows and does not grant, and notes those that it has lost: they go back to it.
    ///
    /// - Returns: how many that were, and the head of the feed.
    package func release(
        withdrawn: [String], lost: [String], of resource: ResourceName, origin: NodeID, from sender: NodeID,
        now: UnixMilliseconds
    ) async throws -> (rows: Int, head: Seq) {
        guard let table = tables[resource], let supplier = Int64(sender.code) else { return (0, try await head()) }
        let (rows, head) = try await writeFeed(now: now) { writer in
            let statement = try writer.db.cachedStatement(
                sql: """
                    SELECT id FROM main.\(table.table) WHERE origin = ? AND "key" = ? AND supplier = ?
                      AND deleted = \(RowState.live.rawValue)
                    """)
            func ids(_ keys: [String]) throws -> [Int64] {
                try keys.compactMap { try statement.fetchInteger([origin.code, $0, supplier]) }
            }
            let (gone, missed) = (try ids(withdrawn), try ids(lost))
            try writer.retract(gone, of: table)
            try LostRows.keep(missed, of: table, sender: sender, writer.db)
            if !missed.isEmpty { try Self.doubt([origin], writer.db) }
            return gone.count + missed.count
        }
        return (rows, head)
    }

    private func read<Value: Sendable>(
        _ policy: LinkPolicy, _ scope: VerificationScope,
        _ body: @escaping @Sendable ([VerifiedRows], Database) throws -> Value
    ) async throws -> Value {
        try await pool.read { [node, tables, visibility] db in
            let resources = try VerifiedRows.all(of: policy, at: node, scope, tables: tables, visibility, db)
            return try body(resources, db)
        }
    }
}
