import ChangeSetFormat
import FederationModel
import GRDB

/// A consumer that feeds something outside of the node's database, such as another engine, and keeps its cursor there. It may
/// stall or fail as long as it will: intake, other consumers and the pruning of tombstones do not wait for it. If tombstones
/// were pruned meanwhile that it has not seen, the database has another past, or its rows would be made in another way now, it
/// starts over.
package protocol ExternalConsumer: FeedConsumer {
    /// What it has durably taken; nil when that is nothing.
    func position() async throws -> FeedPosition?

    /// Takes what changed, reading it from the store, and durably with it the position behind it. It may be told of the same changes
    /// twice, if it failed after it had taken them.
    func take(_ changes: FeedChanges, of store: NodeStore) async throws
}

/// A place in the feed of one node.
package struct FeedPosition: Hashable, Sendable {
    /// Seqs count within it.
    package let epoch: Epoch
    /// How rows are made for those outside (`NodeStore.exportBasis`).
    package let basis: String
    package let seq: Seq

    package init(epoch: Epoch, basis: String, seq: Seq) {
        self.epoch = epoch
        self.basis = basis
        self.seq = seq
    }
}

/// Why a consumer outside does not get on.
package struct ConsumerFailure: Sendable {
    package let error: FederationError
    /// When it last met that.
    package let at: UnixMilliseconds
}

/// A part of the feed.
package struct FeedChanges: Hashable, Sendable {
    /// Whether all that was taken before is to be forgotten: everything that there is follows.
    package let isWhole: Bool
    package let after: Seq
    package let upTo: FeedPosition
}

extension NodeStore {
    static let externalBasis = "external"
    /// Changes that an external consumer takes at once.
    private static let externalRows = 5_000

    /// The consumers that feed something outside; each is run by itself.
    package var externalConsumers: [any ExternalConsumer] { consumers.compactMap { $0 as? any ExternalConsumer } }

    /// Hands the next changes to an external consumer. They go no further than tickets' states do.
    ///
    /// - Returns: whether it has reached the head, as that was when it was read.
    package func advance(_ consumer: some ExternalConsumer) async throws -> Bool {
        let position = try await consumer.position()
        let (changes, head) = try await changes(since: position)
        if changes.upTo != position {
            try await note(changes.after, of: consumer)
            try await consumer.take(changes, of: self)
            try await note(changes.upTo.seq, of: consumer)
        }
        if try await failure(of: consumer.name) != nil { try await forgetFailure(of: consumer) }
        return changes.upTo.seq == head
    }

    /// How many changes of the feed are behind a position; nil for one from which the feed can't be followed.
    package func lag(of position: FeedPosition?) async throws -> Int64? {
        try await pool.read { [self] db in
            guard try isFollowable(position, db), let position else { return nil }
            return max(0, try NodeValue.integer("seq", db) - position.seq)
        }
    }

    /// For `status` alone: what counts is the consumer's own position.
    private func note(_ cursor: Seq, of consumer: some ExternalConsumer) async throws {
        try await pool.write { db in
            try Self.save(cursor, of: consumer.name, basis: Self.externalBasis, db)
        }
    }

    /// Keeps why a consumer does not get on, for whoever asks beside the service; until it does again.
    package func note(_ error: FederationError, of consumer: some ExternalConsumer, at now: UnixMilliseconds)
        async throws
    {
        try await pool.write { db in
            try db.cachedStatement(sql: "INSERT OR REPLACE INTO main.consumer_failure VALUES (?, ?, ?, ?, ?)").execute(
                arguments: [consumer.name, error.code, error.message, error.hint, now])
        }
    }

    private func forgetFailure(of consumer: some ExternalConsumer) async throws {
        try await pool.write { db in
            try db.cachedStatement(sql: "DELETE FROM main.consumer_failure WHERE name = ?").execute(
                arguments: [consumer.name])
        }
    }

    /// Why a consumer does not get on, and when it last met that; nil when it does.
    package func failure(of consumer: String) async throws -> ConsumerFailure? {
        try await pool.read { db in
            let sql = "SELECT code, message, hint, at FROM main.consumer_failure WHERE name = ?"
            return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [consumer]).map {
                ConsumerFailure(error: FederationError($0[0], $0[1], hint: $0[2]), at: $0[3])
            }
        }
    }

    private func isFollowable(_ position: FeedPosition?, _ db: Database) throws -> Bool {
        guard let position, position.epoch == epoch, position.basis == exportBasis else { return false }
        return try position.seq >= NodeValue.integer(NodeValue.floor, db)
            && position.seq <= NodeValue.integer("seq", db)
    }

    private func changes(since position: FeedPosition?) async throws -> (changes: FeedChanges, head: Seq) {
        try await pool.read { [self] db in
            let head = try foldedUpTo(db)
            let (epoch, basis) = (epoch, exportBasis)
            guard try isFollowable(position, db), let position else {
                let all = FeedPosition(epoch: epoch, basis: basis, seq: head)
                return (FeedChanges(isWhole: true, after: 0, upTo: all), head)
            }
            let union = tableOrder.map { "SELECT seq FROM main.\($0.table) WHERE seq > ?1 AND seq <= ?2" }
            let seqs = try Int64.fetchAll(
                db.cachedStatement(
                    sql:
                        "SELECT seq FROM (\(union.joined(separator: " UNION ALL "))) ORDER BY seq LIMIT \(Self.externalRows)"
                ), arguments: [position.seq, head])
            let upTo = max(position.seq, seqs.count < Self.externalRows ? head : seqs.last ?? head)
            return (
                FeedChanges(
                    isWhole: false, after: position.seq, upTo: FeedPosition(epoch: epoch, basis: basis, seq: upTo)),
                max(position.seq, head)
            )
        }
    }
}
