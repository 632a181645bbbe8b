import ArgumentParser
import FederationModel
import Foundation
import LocalStore
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
            var window: [[IntakeRecord]] = []
            func write() throws {
                // The first records of all tickets of a window, then the second ones, and so on: each is legal at its place.
                for step in 0..<(window.map(\.count).max() ?? 0) {
                    let records = window.compactMap { step < $0.count ? $0[step] : nil }
                    for resource in BuiltInResources.ticketResources {
                        let own = records.filter { $0.resource == resource.name }
                        for first in stride(from: 0, to: own.count, by: self.records) {
                            let body = own[first..<min(own.count, first + self.records)].map(line).joined()
                            let path = "\(out)/\(client)-\(batches.count).jsonl"
                            try body.write(toFile: path, atomically: false, encoding: .utf8)
                            batches.append((resource.name, path))
                        }
                    }
                    total += records.count
                }
                window = []
            }
            for thread in generator {
                window.append(thread)
                if window.count == records * 20 { try write() }
            }
            try write()
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
        try await store.catchUpConsumers()
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
            try await store.catchUpConsumers()
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
