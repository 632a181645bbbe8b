import ArgumentParser
import FederationModel
import Foundation
import LocalStore
import NodeDesk
import NodeRuntime
import RecordIntake

/// What `scripts/bench-intake.sh` can't do from outside a process.
@main
struct IntakeBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "IntakeBenchmark", abstract: "Data for and measurements of intake.",
        subcommands: [WriteBatches.self, FoldBenchmark.self])
}

/// Writes the requests of local systems that push their records: JSON Lines, one resource a request.
struct WriteBatches: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batches", abstract: "Writes records as bodies for the intake route, and curl's configuration.",
        discussion: """
            IntakeBenchmark batches --tickets 100000 --out /tmp/push --url http://127.0.0.1:7470
            curl -K /tmp/push/client-0 sends what the first client has to send, one request after the other.
            """)

    @Option(help: "How many tickets.")
    var tickets = 100_000

    @Option(help: "Most records of a request.")
    var records = 500

    @Option(help: "How many clients share the tickets.")
    var clients = 2

    @Option(help: "A folder that is not there yet.")
    var out: String

    @Option(help: "Where the node takes records in.")
    var url: String

    @Option(help: "The token that the clients show.")
    var token: String

    func run() throws {
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: false)
        let share = tickets / clients
        var total = 0
        for client in 0..<clients {
            let recipe = TicketRecipe(
                seed: UInt64(777 + client), origin: try code("370100"), region: "370100")
            let generator = TicketGenerator(
                recipe, from: (ShanghaiTime.parse("2026-01-01") ?? 0) + Int64(client) * 31_536_000_000, days: 365,
                tickets: share)
            var batches: [(resource: ResourceName, body: String)] = []
            var pool = BatchPool(generator)
            while let (resource, own) = pool.next(atMost: records) {
                let path = "\(out)/\(client)-\(batches.count).jsonl"
                try own.map(line).joined().write(toFile: path, atomically: false, encoding: .utf8)
                batches.append((resource, path))
                total += own.count
            }
            let config = batches.map { batch in
                """
                url = "\(url)/v1/resources/\(batch.resource)/records"
                data-binary = "@\(batch.body)"
                header = "Content-Type: application/x-ndjson"
                header = "Authorization: Bearer \(token)"
                header = "Expect:"
                silent
                fail-with-body
                """
            }
            try config.joined(separator: "\nnext\n").write(
                toFile: "\(out)/client-\(client)", atomically: true, encoding: .utf8)
        }
        print("{\"records\":\(total)}")
    }

    private func line(_ record: IntakeRecord) -> String {
        let columns = BuiltInResources.named(record.resource)?.columns ?? []
        var object: [String: Any] = ["key": record.key]
        for column in columns {
            switch record.fields[column.name] {
            case .text(let text): object[column.name] = column.type == .json ? nil : text
            case .integer(let integer): object[column.name] = column.type == .boolean ? integer == 1 : integer
            case .real(let real): object[column.name] = real
            case .null, nil: break
            }
        }
        let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data ?? Data(), as: UTF8.self) + "\n"
    }
}

/// Threads cut into batches of one resource each, as full as can be, so that each record comes after those before it in its
/// thread: what many tickets that are in work at the same time give.
private struct BatchPool {
    private var threads: TicketGenerator.Iterator
    private var open: [[IntakeRecord]] = []
    /// Which of the open threads go on with a record of the resource.
    private var ready: [ResourceName: [Int]] = [:]

    /// Tickets in work at one time.
    private static let size = 20_000

    init(_ generator: TicketGenerator) { threads = generator.makeIterator() }

    mutating func next(atMost count: Int) -> (ResourceName, [IntakeRecord])? {
        while (ready.values.map(\.count).max() ?? 0) < count || open.count < Self.size, let thread = threads.next() {
            open.append(thread.reversed())
            enter(open.count - 1)
        }
        guard
            let (resource, waiting) = ready.max(by: { ($0.value.count, $0.key.text) < ($1.value.count, $1.key.text) }),
            !waiting.isEmpty
        else { return nil }
        ready[resource] = Array(waiting.dropFirst(count))
        let batch = waiting.prefix(count).compactMap { open[$0].popLast() }
        for index in waiting.prefix(count) { enter(index) }
        return (resource, batch)
    }

    private mutating func enter(_ index: Int) {
        if let next = open[index].last { ready[next.resource, default: []].append(index) }
    }
}

/// Measures how long the fold of one changed ticket takes among those that a database holds.
struct FoldBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fold", abstract: "Changes tickets one by one and folds each.",
        discussion: "IntakeBenchmark fold --database /tmp/jn/node.db")

    @Option(help: "A node's database; its service does not run.")
    var database: String

    @Option(help: "How many tickets.")
    var changes = 200

    func run() async throws {
        let store = try NodeStore(at: database)
        try await store.catchUpConsumers(now: wallClock())
        let keys = try await store.rows(
            sql: "SELECT \"key\" FROM service_request WHERE id % 997 = 1 LIMIT ?",
            arguments: [.integer(Int64(changes))]
        ).compactMap { $0[0].text }
        var milliseconds: [Double] = []
        for (index, key) in keys.enumerated() {
            let now = wallClock()
            let action = IntakeRecord(
                resource: "handling", key: "\(key).handling.bench\(now)",
                fields: [
                    "global_id": .text(key), "ticket_origin": .text(store.node.code), "round": .integer(1),
                    "occurred_at": .integer(now + Int64(index)), "unit": .text("市住建局"),
                ])
            _ = try await store.intake([action], now: now)
            let started = ContinuousClock.now
            try await store.catchUpConsumers(now: now)
            let elapsed = (ContinuousClock.now - started).components
            milliseconds.append(Double(elapsed.seconds) * 1_000 + Double(elapsed.attoseconds) / 1e15)
        }
        milliseconds.sort()
        guard !milliseconds.isEmpty else { throw ValidationError("\(database) holds no tickets") }
        let held = try await store.rows(sql: "SELECT count(*) FROM ticket_state", arguments: [])[0][0].integer ?? 0
        print(
            """
            {"tickets":\(held),"p50_ms":\(milliseconds[milliseconds.count / 2]),\
            "p99_ms":\(milliseconds[milliseconds.count * 99 / 100])}
            """)
        try store.close()
    }
}

private func code(_ text: String) throws -> NodeID {
    guard let node = NodeID(text) else { throw ValidationError("\(text) is not the code of a node") }
    return node
}
