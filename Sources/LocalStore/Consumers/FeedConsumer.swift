import FederationModel
import GRDB

/// Something downstream of the feed that keeps a cursor of its own: it catches up by itself, can be built again from 0, and
/// its lag is a number. Whoever opens the store says which there are.
///
/// It is one of two kinds: a `TransactionalConsumer` derives tables of this database, an `ExternalConsumer` feeds something
/// else. Apply stays short because neither happens inside it.
package protocol FeedConsumer: Sendable {
    /// As `status` and metrics name it; also the name of its cursor, so it is never given to another.
    var name: String { get }
}

/// A consumer whose result is in the node's database. Its cursor moves in the transaction in which it consumes.
package protocol TransactionalConsumer: FeedConsumer {
    /// What else than the feed its result depends on (rules). When that changes, it is built again.
    func basis(of store: NodeStore, under standing: Standing) -> String

    /// The name of the consumer that it must not overtake, because it rests on what that one does; nil for none.
    var isBehind: String? { get }

    /// Forgets everything. Called before it begins from the first row.
    func clear(_ writer: FeedWriter) throws

    /// Takes in what changed in (`after`, `upto`].
    func consume(after: Seq, upto: Seq, _ writer: FeedWriter) throws
}

extension TransactionalConsumer {
    package func basis(of store: NodeStore, under standing: Standing) -> String { "" }
    package var isBehind: String? { nil }
    package func clear(_ writer: FeedWriter) throws {}
}

extension NodeStore {
    /// What every node derives from its feed. The audience first: what it gives new seqs is folded in the same round.
    package static let builtInConsumers: [any FeedConsumer] = [
        ThreadAudienceConsumer(), TicketStateConsumer(), ThreadStateConsumer(), RemovalConsumer(), InboxConsumer(),
        RollupConsumer(), ObservationConsumer(),
    ]

    /// Tickets and seqs after which a turn of consumers ends, so that the writer is free in between: what costs is a ticket.
    private static let (turnTickets, turnSeqs): (Int, Seq) = (2_000, 16_000)
    /// Seqs that are looked through at once for the tickets in them.
    private static let turnStep: Seq = 2_000

    private var transactionalConsumers: [any TransactionalConsumer] {
        consumers.compactMap { $0 as? any TransactionalConsumer }
    }

    /// Moves each consumer of this database one turn on.
    ///
    /// - Returns: whether all of them have reached the head.
    /// - Throws: what the first consumer throws that fails; the others have moved on all the same.
    package func advanceConsumers(now: UnixMilliseconds) async throws -> Bool {
        do {
            // Together, since they read the same threads.
            return try await advance(transactionalConsumers, now: now)
        } catch  where !Task.isCancelled {
            var failure: (any Error)?
            for consumer in transactionalConsumers {
                do {
                    _ = try await advance([consumer], now: now)
                } catch { failure = failure ?? error }
            }
            if let failure { throw failure }
            return false
        }
    }

    private func advance(_ consumers: [any TransactionalConsumer], now: UnixMilliseconds) async throws -> Bool {
        let all = transactionalConsumers
        return try await writeFeed(now: now) { [self] writer in
            // Nearly always all of them begin at one place.
            var turn: Range<Seq> = 0..<0
            for consumer in consumers {
                let cursor = try cursor(of: consumer, under: writer.standing, writer.db)
                if cursor == 0, try writer.head() > 0 { try consumer.clear(writer) }
                if turn.lowerBound != cursor || turn.isEmpty {
                    turn = try cursor..<Self.turnEnd(after: cursor, head: writer.head(), writer.db)
                }
                var upto = turn.upperBound
                if let first = all.first(where: { $0.name == consumer.isBehind }) {
                    upto = min(upto, try self.cursor(of: first, under: writer.standing, writer.db))
                }
                guard cursor < upto else { continue }
                try consumer.consume(after: cursor, upto: upto, writer)
                try save(upto, of: consumer, under: writer.standing, writer.db)
            }
            let head = try writer.head()
            return try consumers.allSatisfy { try cursor(of: $0, under: writer.standing, writer.db) == head }
        }.value
    }

    /// Where a turn ends: behind whole commits if it can. Intake stores the records of a batch by resource, so a batch that is cut has
    /// tickets with records on both sides of the cut, which are read and folded twice.
    private static func turnEnd(after cursor: Seq, head: Seq, _ db: Database) throws -> Seq {
        let reader = ThreadReader(TicketKind())
        var (end, tickets): (Seq, Set<ExactText>) = (cursor, [])
        while end < head, end - cursor < turnSeqs, tickets.count <= turnTickets {
            let next = min(head, end + turnStep)
            tickets.formUnion(try reader.changed(after: end, upto: next, db))
            end = next
        }
        if end == head { return head }
        return try HistoryMarks.lastCommit(after: cursor, upTo: end, db) ?? end
    }

    /// Brings every consumer of this database to the head.
    package func catchUpConsumers(now: UnixMilliseconds) async throws {
        while try await !advanceConsumers(now: now) { try Task.checkCancellation() }
    }

    /// Brings every consumer to the head, as far as the database can be written to: what is there can be read without.
    ///
    /// - Returns: why some are behind; nil when none is.
    package func catchUpForReading(now: UnixMilliseconds) async throws -> FederationError? {
        do {
            if try await !pool.read({ [self] db in try isDerived(db) }) { try await catchUpConsumers(now: now) }
            return nil
        } catch let error as FederationError where StorePool.passing.contains(error.code) {
            return error
        }
    }

    /// Whether consumers of this database have consumed all.
    func isDerived(_ db: Database) throws -> Bool {
        let head = try NodeValue.integer("seq", db)
        return try transactionalConsumers.allSatisfy { try cursor(of: $0, under: standing, db) >= head }
    }

    /// Builds everything that consumers of this database derive again, from the first row.
    package func rebuildConsumers(now: UnixMilliseconds) async throws {
        try await pool.write { [self] db in
            for consumer in transactionalConsumers { try save(0, of: consumer, under: standing, db) }
        }
        try await catchUpConsumers(now: now)
    }

    /// How far each consumer is; one outside as it last said.
    package func consumerStatus() async throws -> [ConsumerStatus] {
        try await pool.read { [self] db in
            let head = try NodeValue.integer("seq", db)
            var status = try transactionalConsumers.map {
                ConsumerStatus(name: $0.name, cursor: try cursor(of: $0, under: standing, db), head: head)
            }
            // From the table: a command beside the service does not run them.
            for consumer in externalConsumers {
                let cursor = try db.cachedStatement(
                    sql: "SELECT cursor FROM main.consumer WHERE name = ? AND basis = ?"
                ).fetchInteger([consumer.name, Self.externalBasis])
                status.append(ConsumerStatus(name: consumer.name, cursor: cursor ?? 0, head: head))
            }
            return status
        }
    }

    /// The least cursor of the consumers of this database; those outside hold nothing back.
    func leastCursor(_ db: Database) throws -> Seq {
        try transactionalConsumers.map { try cursor(of: $0, under: standing, db) }.min() ?? NodeValue.integer("seq", db)
    }

    /// 0 also for a consumer whose basis has changed: it begins anew.
    func cursor(
        of consumer: any TransactionalConsumer, under standing: Standing, _ db: Database
    ) throws -> Seq {
        try db.cachedStatement(sql: "SELECT cursor FROM main.consumer WHERE name = ? AND basis = ?").fetchInteger([
            consumer.name, consumer.basis(of: self, under: standing),
        ]) ?? 0
    }

    private func save(
        _ cursor: Seq, of consumer: any TransactionalConsumer, under standing: Standing, _ db: Database
    ) throws {
        try Self.save(cursor, of: consumer.name, basis: consumer.basis(of: self, under: standing), db)
    }

    static func save(_ cursor: Seq, of consumer: String, basis: String, _ db: Database) throws {
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO main.consumer VALUES (?, ?, ?)").execute(arguments: [
            consumer, cursor, basis,
        ])
    }
}
