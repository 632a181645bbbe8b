import FederationModel
import Foundation
import LocalStore
import LogicalQuery
import Testing

/// Design idea 5: everything downstream of the feed keeps a cursor, inside the database or outside of it.
@Suite struct `Consumers of the feed` {
    @Test func `outside may stall: intake, the others and pruning go on, and it catches up by starting over`()
        async throws
    {
        let file = try RowFile()
        let temporary = try TemporaryStore(jinan, topology: qilu, consumers: NodeStore.builtInConsumers + [file])
        let (store, above) = (temporary.store, try TemporaryStore(province, topology: qilu))
        _ = try await store.intake((1...5).map { ticket($0) }, now: noon)
        try await store.catchUpConsumers(now: noon)
        await file.stall()
        let stalled = Task { try await store.advance(file) }
        await file.untilWaiting()

        _ = try await store.intake((6...9).map { ticket($0) }, now: noon)
        _ = try await store.remove(.delete, tickets: ["\(jinan)-2"], reason: "other", order: ulid(1), now: noon)
        try await store.catchUpConsumers(now: noon)
        try await carry(store, above.store, policy: policy(from: jinan, to: province))
        #expect(try await above.store.count("service_request") == 8)
        #expect(try await store.prune(receivers: [], retention: 0, now: noon).tombstones == 1)
        let behind = try #require(try await store.consumerStatus().first { $0.name == "row-file" })
        #expect(behind.cursor == 0 && behind.lagRows > 9)

        await file.goOn()
        #expect(try await stalled.value, "it took all that there was when it was given the rows")
        #expect(try await file.live() == Set((1...5).map { "\(jinan)-\($0)" }))
        while try await !store.advance(file) {}
        #expect(await file.restarts == 2, "the first time, and after the tombstone was gone")
        #expect(try await file.live() == Set([1, 3, 4, 5, 6, 7, 8, 9].map { "\(jinan)-\($0)" }))
        let level = try #require(try await store.consumerStatus().first { $0.name == "row-file" })
        #expect(level.lagRows == 0)
    }

    @Test func `outside may fail: it goes on from its own position, and rows that change reach it once more`()
        async throws
    {
        let file = try RowFile()
        let store = try TemporaryStore(jinan, consumers: NodeStore.builtInConsumers + [file])
        _ = try await store.store.intake([ticket(1), ticket(2)], now: noon)
        try await store.store.catchUpConsumers(now: noon)
        await file.fail(true)
        await #expect(throws: RowFile.Broken.self) { try await store.store.advance(file) }
        await file.fail(false)
        let away = FederationError("E_WAREHOUSE_AWAY", "nobody is there", hint: "look there")
        try await store.store.note(away, of: file, at: noon)
        let failure = try #require(try await store.store.failure(of: "row-file"))
        #expect(failure.error.code == "E_WAREHOUSE_AWAY" && failure.error.hint == "look there" && failure.at == noon)
        while try await !store.store.advance(file) {}
        #expect(try await store.store.failure(of: "row-file") == nil, "it is forgotten when the consumer gets on")
        _ = try await store.store.intake([ticket(2, title: "路灯修好"), ticket(3)], now: noon + 1)
        #expect(try await store.store.advance(file), "what is not folded yet is not exported")
        #expect(try await file.lines().count == 2)
        try await store.store.catchUpConsumers(now: noon + 1)
        while try await !store.store.advance(file) {}
        #expect(await file.restarts == 1)
        let lines = try await file.lines()
        #expect(lines.map(\.key) == [1, 2, 2, 3].map { "\(jinan)-\($0)" })
        #expect(lines.map(\.status) == Array(repeating: "received", count: 4))
        #expect(zip(lines, lines.dropFirst()).allSatisfy { $0.seq <= $1.seq })
        // The database of another life: what it knows is not of this feed.
        let other = try TemporaryStore(jinan, epoch: Epoch(counter: 2, nonce: 7), consumers: [file])
        _ = try await other.store.intake([ticket(4)], now: noon)
        while try await !other.store.advance(file) {}
        #expect(await file.restarts == 2)
        #expect(try await file.live() == ["\(jinan)-4"])
    }

    @Test func `hear of the ticket that a record has left, and of the one that it no longer names`() async throws {
        let file = try RowFile()
        let temporary = try TemporaryStore(jinan, consumers: NodeStore.builtInConsumers + [file])
        let store = temporary.store
        func take(_ records: [IntakeRecord]) async throws -> [String: RowFile.Line] {
            _ = try await store.intake(records, now: noon)
            try await store.catchUpConsumers(now: noon)
            while try await !store.advance(file) {}
            return Dictionary(try await file.lines().map { ($0.key, $0) }, uniquingKeysWith: { $1 })
        }
        func moved(_ record: IntakeRecord, _ column: String) -> IntakeRecord {
            IntakeRecord(
                resource: record.resource, key: record.key,
                fields: record.fields.merging([column: .text("\(jinan)-3")]) { $1 })
        }
        let closure = stage("closure", of: 1, after: 10, ["closure_kind": .text("closed"), "review": .text("passed")])
        let mark = stage(
            "ticket_action", of: 4, after: 20, ["action": .text("mark_repeat"), "target": .text("\(jinan)-2")])
        let before = try await take((1...4).map { ticket($0) } + [closure, mark])
        #expect(before["\(jinan)-1"]?.status == "closed" && before["\(jinan)-3"]?.status == "received")

        let after = try await take([moved(closure, "global_id")])
        #expect(after["\(jinan)-1"]?.status == "received" && after["\(jinan)-3"]?.status == "closed")
        #expect(try await store.ticket("\(jinan)-1").state?.status == .received)
        #expect(after["\(jinan)-2"]?.seq == before["\(jinan)-2"]?.seq)

        let unmarked = try await take([moved(mark, "target")])
        let (later, earlier) = try (#require(unmarked["\(jinan)-2"]).seq, #require(after["\(jinan)-2"]).seq)
        #expect(later > earlier)
    }

    @Test func `inside may fail too, and holds back no other`() async throws {
        let temporary = try TemporaryStore(jinan, consumers: [Faulty()] + NodeStore.builtInConsumers)
        let store = temporary.store
        _ = try await store.intake([ticket(1)], now: noon)
        await #expect(throws: Faulty.Fault.self) { try await store.catchUpConsumers(now: noon) }
        let status = try await store.consumerStatus()
        #expect(status.first { $0.name == "faulty" }?.cursor == 0)
        #expect(
            status.filter { $0.name != "faulty" }.allSatisfy { $0.lagRows == 0 }
                && status.count == NodeStore.builtInConsumers.count + 1)
        #expect(try await store.ticket("\(jinan)-1").state?.status == .received)
        _ = try await store.prune(receivers: [], retention: 0, now: noon)
    }

    @Test func `inside take a batch in one turn, whatever its tickets have records of, and many tickets in several`()
        async throws
    {
        let temporary = try TemporaryStore(jinan)
        defer { withExtendedLifetime(temporary) {} }
        let store = temporary.store
        let handlings = (1...1_100).map { number in
            IntakeRecord(
                resource: "handling", key: "\(jinan)-\(number).handling",
                fields: [
                    "global_id": .text("\(jinan)-\(number)"), "ticket_origin": .text(jinan.code),
                    "round": .integer(1), "occurred_at": .integer(noon), "unit": .text("市住建局"),
                ])
        }
        _ = try await store.intake((1...1_100).map { ticket($0) } + handlings, now: noon)
        #expect(try await store.advanceConsumers(now: noon), "each ticket is folded once, with all that it has")
        _ = try await store.intake((2_001...8_100).map { ticket($0) }, now: noon)
        #expect(try await !store.advanceConsumers(now: noon), "the writer is free in between")
        try await store.catchUpConsumers(now: noon)
        #expect(try await store.rows(sql: "SELECT count(*) FROM ticket_state", arguments: [])[0][0].integer == 7_200)
    }
}

private struct Faulty: TransactionalConsumer {
    struct Fault: Error {}
    let name = "faulty"
    func consume(after: Seq, upto: Seq, _ writer: FeedWriter) throws { throw Fault() }
}

/// An engine of the simplest kind: a file with a line for each row that it was given, and one with its position.
private actor RowFile: ExternalConsumer {
    struct Broken: Error {}
    struct Line: Codable {
        let key: String
        let seq: Seq
        let isLive: Bool
        let status: String?
    }

    nonisolated let name = "row-file"
    private let folder: URL
    private(set) var restarts = 0
    private var fails = false
    private var isStalled = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var watchers: [CheckedContinuation<Void, Never>] = []

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "rows-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private var rowsFile: URL { folder.appending(path: "rows.jsonl") }
    private var positionFile: URL { folder.appending(path: "position") }

    func position() throws -> FeedPosition? {
        guard let text = try? String(contentsOf: positionFile, encoding: .utf8) else { return nil }
        let parts = text.split(separator: " ")
        guard let epoch = Epoch(String(parts[0])), let seq = Seq(parts[2]) else { return nil }
        return FeedPosition(epoch: epoch, basis: String(parts[1]), seq: seq)
    }

    func take(_ changes: FeedChanges, of store: NodeStore) async throws {
        var tickets: [FactRows] = []
        if changes.isWhole {
            let last = try #require(try await store.lastFactRows()["ticket"])
            for first in stride(from: Int64(1), through: last, by: 2) {
                tickets.append(
                    try await store.factRows(
                        of: FactTable(.ticket), numbered: first...first + 1, upTo: changes.upTo.seq, shards: 2))
            }
        } else {
            tickets = try await store.factRows(of: changes, shards: 2).filter { $0.table.name == "ticket" }
        }
        if isStalled {
            for watcher in watchers { watcher.resume() }
            watchers = []
            await withCheckedContinuation { waiting.append($0) }
        }
        if fails { throw Broken() }
        if changes.isWhole {
            restarts += 1
            for file in [positionFile, rowsFile] { try? FileManager.default.removeItem(at: file) }
        }
        var new: [Line] = []
        for rows in tickets {
            var found: [Line] = []
            for shard in rows.shards {
                var reader = RowReader(bytes: shard[...])
                while !reader.bytes.isEmpty { found.append(reader.line(of: rows.table)) }
            }
            #expect(found.count == rows.count)
            new += found.sorted { $0.key < $1.key }
        }
        let text = try (lines() + new).map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
        try text.joined(separator: "\n").write(to: rowsFile, atomically: true, encoding: .utf8)
        let reached = changes.upTo
        try "\(reached.epoch) \(reached.basis) \(reached.seq)".write(
            to: positionFile, atomically: true, encoding: .utf8)
    }

    /// Reads rows back from what an engine is given.
    private struct RowReader {
        var bytes: ArraySlice<UInt8>

        mutating func line(of table: FactTable) -> Line {
            _ = text()
            let key = text()
            _ = number()
            let seq = number()
            let isGone = bytes.removeFirst() == 1
            _ = text()
            var status: String?
            for column in table.columns where bytes.removeFirst() == 0 {
                switch column.kind {
                case .text:
                    let text = text()
                    if column.name == "status" { status = text }
                case .number: _ = number()
                }
            }
            if bytes.removeFirst() == 0 { _ = number() }
            return Line(key: key, seq: seq, isLive: !isGone, status: status)
        }

        private mutating func number() -> Int64 {
            let number = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            bytes = bytes.dropFirst(8)
            return Int64(bitPattern: number)
        }

        private mutating func text() -> String {
            // None here is longer than 127 bytes.
            let length = Int(bytes.removeFirst())
            defer { bytes = bytes.dropFirst(length) }
            return String(decoding: bytes.prefix(length), as: UTF8.self)
        }
    }

    // MARK: - What a test does to it

    func fail(_ fails: Bool) { self.fails = fails }
    func stall() { isStalled = true }

    func untilWaiting() async {
        if waiting.isEmpty { await withCheckedContinuation { watchers.append($0) } }
    }

    func goOn() {
        isStalled = false
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    func lines() throws -> [Line] {
        guard let text = try? String(contentsOf: rowsFile, encoding: .utf8) else { return [] }
        return try text.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    }

    /// The keys of the rows that are live by the latest line on each.
    func live() throws -> Set<String> {
        var last: [String: Line] = [:]
        for line in try lines() where line.seq >= last[line.key]?.seq ?? 0 { last[line.key] = line }
        return Set(last.values.filter(\.isLive).map(\.key))
    }
}
