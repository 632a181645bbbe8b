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
        subcommands: [WriteTable.self, WriteBatches.self, FoldBenchmark.self])
}

/// What a hotline's system exports of a ticket. Supervision is not its own act, and happens at any time between the others.
private let exported = BuiltInResources.ticketResources.filter { $0.name != BuiltInResources.supervision.name }

/// Writes invented tickets the way a hotline's system exports them: one row a ticket with the columns of its stages.
struct WriteTable: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "table", abstract: "Writes tickets with their stages as one CSV file, and its mapping.",
        discussion: "IntakeBenchmark table --tickets 500000 --out /tmp/t.csv --mapping /tmp/t.yaml")

    @Option(help: "How many tickets.")
    var tickets = 500_000

    @Option(help: "The CSV file.")
    var out: String

    @Option(help: "The mapping file.")
    var mapping: String

    /// A column of the table: a field of the first record of its resource in a ticket's thread.
    private struct Column {
        let resource: ResourceDefinition
        let field: ColumnDefinition
        var name: String { "\(resource.name).\(field.name)" }
    }

    func run() throws {
        let generator = TicketGenerator(
            seed: 12_345, origin: try code("370100"), region: "370100", from: ShanghaiTime.parse("2025-01-01") ?? 0,
            days: 365, tickets: tickets)
        let columns = usedColumns(generator)
        try mappingText(columns).write(toFile: mapping, atomically: true, encoding: .utf8)
        try Data().write(to: URL(filePath: out))
        guard let file = FileHandle(forWritingAtPath: out) else { throw ValidationError("\(out) cannot be written") }
        var text = columns.map(\.name).joined(separator: ",") + "\n"
        for thread in generator {
            for (index, column) in columns.enumerated() {
                if index > 0 { text += "," }
                let record = thread.first { $0.resource == column.resource.name }
                append(record?.fields[column.field.name] ?? .null, column.field.type, to: &text)
            }
            text += "\n"
            if text.utf8.count > 1 << 20 {
                try file.write(contentsOf: Data(text.utf8))
                text = ""
            }
        }
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    /// An export has the columns that are used, so those that the first tickets fill.
    private func usedColumns(_ generator: TicketGenerator) -> [Column] {
        var used: Set<String> = []
        for thread in generator.prefix(5_000) {
            for record in thread { for field in record.fields.keys { used.insert("\(record.resource).\(field)") } }
        }
        return exported.flatMap { resource in
            resource.columns.filter { !["global_id", "ticket_origin", "ext"].contains($0.name) }.map {
                Column(resource: resource, field: $0)
            }
        }.filter { used.contains($0.name) }
    }

    private func mappingText(_ columns: [Column]) -> String {
        var text = "key: service_request.service_request_id\ntime_formats: [yyyy-MM-dd HH:mm:ss]\nrecords:\n"
        for resource in exported {
            let own = columns.filter { $0.resource.name == resource.name }
            guard !own.isEmpty else { continue }
            text += "  - resource: \(resource.name)\n"
            if resource.isThreadRecord { text += "    when: \(resource.name).occurred_at\n" }
            text += "    fields:\n"
            for column in own { text += "      \(column.field.name): \(column.name)\n" }
        }
        return text
    }

    private func append(_ value: FieldValue, _ type: ColumnType, to text: inout String) {
        switch value {
        case .null: break
        case .integer(let time) where type == .timestamp: text += ShanghaiTime.second(time)
        case .integer(let integer): text += String(integer)
        case .real(let real): text += String(real)
        case .text(let words): text += "\"" + words.replacing("\"", with: "\"\"") + "\""
        }
    }
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
            let generator = TicketGenerator(
                seed: UInt64(777 + client), origin: try code("370100"), region: "370100",
                from: (ShanghaiTime.parse("2026-01-01") ?? 0) + Int64(client) * 31_536_000_000, days: 365,
                tickets: share)
            var batches: [(resource: ResourceName, body: String)] = []
            var window: [[IntakeRecord]] = []
            func write() throws {
                // All tickets of a window before their stages, in the order of a ticket's life.
                for resource in BuiltInResources.ticketResources {
                    let own = window.flatMap { $0.filter { $0.resource == resource.name } }
                    for first in stride(from: 0, to: own.count, by: records) {
                        let body = own[first..<min(own.count, first + records)].map(line).joined()
                        let path = "\(out)/\(client)-\(batches.count).jsonl"
                        try body.write(toFile: path, atomically: false, encoding: .utf8)
                        batches.append((resource.name, path))
                    }
                    total += own.count
                }
                window = []
            }
            for thread in generator {
                window.append(thread)
                if window.count == records * 10 { try write() }
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
