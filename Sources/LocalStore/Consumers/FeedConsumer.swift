import FederationModel
import GRDB

/// Something downstream of the feed that keeps a cursor of its own: it catches up by itself, can be rebuilt from 0, and
/// its lag is a number.
///
/// Apply stays short because none of this happens inside it.
protocol FeedConsumer: Sendable {
    var name: String { get }
    /// What else than the feed its result depends on (rules). When that changes, it is built again.
    var basis: String { get }

    /// The name of the consumer that it must not overtake, because it rests on what that one does; nil for none.
    var isBehind: String? { get }

    /// Forgets everything. Called before it begins from the first row.
    func clear(_ db: Database) throws

    /// Takes in what changed in (`after`, `upto`]. Called inside the transaction that moves the cursor, so it happens once.
    func consume(after: Seq, upto: Seq, now: UnixMilliseconds, _ db: Database) throws
}

/// How far a consumer is.
package struct ConsumerStatus: Hashable, Sendable {
    package let name: String
    package let cursor: Seq
    package let head: Seq
    package var lagRows: Int64 { max(0, head - cursor) }
}

extension FeedConsumer {
    var isBehind: String? { nil }
}

extension NodeStore {
    /// Seqs that a consumer takes in at once. It holds the writer for some 50 ms then.
    private static let consumerWindow: Int64 = 2_000

    /// The audience first: what it touches is folded in the same round.
    var consumers: [any FeedConsumer] {
        [
            TicketAudienceConsumer(tables: tableOrder, node: node, topology: topology),
            TicketStateConsumer(rules: rules),
            RemovalConsumer(store: self),
        ]
    }

    /// Moves each consumer one window on.
    ///
    /// - Returns: whether all of them have reached the head.
    package func advanceConsumers(now: UnixMilliseconds) async throws -> Bool {
        var isLevel = true
        let consumers = consumers
        for consumer in consumers {
            let level = try await pool.write { db in
                let head = try NodeValue.integer("seq", db)
                let cursor = try Self.cursor(of: consumer, db)
                guard cursor < head else { return true }
                if cursor == 0 { try consumer.clear(db) }
                var upto = min(head, cursor + Self.consumerWindow)
                if let first = consumers.first(where: { $0.name == consumer.isBehind }) {
                    upto = min(upto, try Self.cursor(of: first, db))
                    guard cursor < upto else { return false }
                }
                try consumer.consume(after: cursor, upto: upto, now: now, db)
                try Self.save(upto, of: consumer, db)
                return try upto == NodeValue.integer("seq", db)
            }
            isLevel = isLevel && level
        }
        return isLevel
    }

    /// Brings every consumer to the head.
    package func catchUpConsumers(now: UnixMilliseconds) async throws {
        while try await !advanceConsumers(now: now) {}
    }

    /// Brings every consumer to the head, as far as the database can be written to: what is there can be read without.
    ///
    /// - Returns: why some are behind; nil when none is.
    package func catchUpForReading(now: UnixMilliseconds) async throws -> FederationError? {
        do {
            if try await consumerStatus().contains(where: { $0.lagRows > 0 }) { try await catchUpConsumers(now: now) }
            return nil
        } catch let error as FederationError where StorePool.passing.contains(error.code) {
            return error
        }
    }

    /// Builds everything that consumers derive again, from the first row.
    package func rebuildConsumers(now: UnixMilliseconds) async throws {
        for consumer in consumers {
            try await pool.write { db in try Self.save(0, of: consumer, db) }
        }
        try await catchUpConsumers(now: now)
    }

    package func consumerStatus() async throws -> [ConsumerStatus] {
        try await pool.read { [consumers] db in
            let head = try NodeValue.integer("seq", db)
            return try consumers.map {
                ConsumerStatus(name: $0.name, cursor: try Self.cursor(of: $0, db), head: head)
            }
        }
    }

    /// 0 also for a consumer whose basis has changed: it begins anew.
    static func cursor(of consumer: any FeedConsumer, _ db: Database) throws -> Seq {
        try db.cachedStatement(sql: "SELECT cursor FROM main.consumer WHERE name = ? AND basis = ?").fetchInteger([
            consumer.name, consumer.basis,
        ]) ?? 0
    }

    private static func save(_ cursor: Seq, of consumer: any FeedConsumer, _ db: Database) throws {
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO main.consumer VALUES (?, ?, ?)").execute(arguments: [
            consumer.name, cursor, consumer.basis,
        ])
    }
}
