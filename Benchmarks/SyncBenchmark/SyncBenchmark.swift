import ArgumentParser
import ChangeSetFormat
import FederationModel
import Foundation
import LocalStore
import NodeDesk
import NodeRuntime
import RecordIntake
import Zstandard

/// What `scripts/bench-sync.sh` can't measure from outside a process.
@main
struct SyncBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "SyncBenchmark", abstract: "Measurements of synchronization; printed as JSON.",
        subcommands: [ApplyBenchmark.self, VisibleBenchmark.self, PolicyBenchmark.self])
}

/// Measures applying change-sets in one process: what the store does, without a network and without consumers.
struct ApplyBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Applies everything that some cities hold to a new province.",
        discussion: "SyncBenchmark apply --into /tmp/p.db 370100=/tmp/jn/node.db 370200=/tmp/qd/node.db")

    @Option(help: "Where the province's database is made.")
    var into: String

    @Option(help: "Most rows of a change-set.")
    var rows = 10_000

    @Argument(help: "CODE=DATABASE of each city.")
    var cities: [String]

    func run() async throws {
        let province = try code("370000")
        let sources = try cities.map { text in
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { throw ValidationError("expected CODE=DATABASE, got \(text)") }
            return (try code(String(parts[0])), try NodeStore(at: String(parts[1])))
        }
        let topology = Topology(
            name: "benchmark", version: 1,
            nodes: [TopologyNode(id: province, name: "province", parent: nil, region: "370000", endpoint: nil)]
                + sources.map {
                    TopologyNode(id: $0.0, name: $0.0.code, parent: province, region: $0.0.code, endpoint: nil)
                })
        try NodeStore.create(at: into, node: province, epoch: Epoch(counter: 1, nonce: 1))
        let store = try NodeStore(at: into)
        let compressor = ZstandardCompressor()
        var times = Times()
        for (city, source) in sources {
            guard
                let policy = LinkPolicy(
                    from: city, to: province, topology: topology, resources: BuiltInResources.all)
            else { throw ValidationError("no link from \(city)") }
            var cursor = Cursor(
                epoch: source.epoch, seq: try await source.head(), revision: policy.revision, sweep: policy.sweepStart)
            while true {
                let started = ContinuousClock.now
                let preparation = try await source.prepareChangeSet(
                    from: cursor, policy: policy, rowsMax: rows, now: wallClock(), compressor: compressor)
                guard case .changeSet(let outgoing) = preparation else { break }
                let prepared = ContinuousClock.now
                let incoming = try IncomingChangeSet(
                    bytes: outgoing.bytes, policy: policy, resources: BuiltInResources.all, now: wallClock())
                let decoded = ContinuousClock.now
                let report = try await store.apply(incoming, policy: policy, now: wallClock())
                let applied = ContinuousClock.now
                times.prepare += prepared - started
                times.decode += decoded - prepared
                times.apply += applied - decoded
                times.rows += report.applied
                times.bytes += outgoing.bytes.count
                times.rawBytes += outgoing.header.payloadBytes
                cursor = report.cursor
            }
        }
        try store.close()
        print(times.json)
    }

}

/// Measures how long a ticket that is written on an idle link takes until it can be read on the parent. Both services run;
/// this process writes into the city's database, rings as a command does, and looks into the province's.
struct VisibleBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "visible", abstract: "Writes tickets one by one and waits for each on the parent.",
        discussion: "SyncBenchmark visible --city /tmp/jn/node.db --province /tmp/p/node.db")

    @Option(help: "The city's database; its service runs.")
    var city: String

    @Option(help: "The province's database; its service runs.")
    var province: String

    @Option(help: "How many tickets.")
    var tickets = 200

    @Option(help: "Idle time before each, in milliseconds.")
    var pause = 20

    func run() async throws {
        let source = try NodeStore(at: city)
        let target = try NodeStore(at: province)
        let recipe = TicketRecipe(seed: UInt64(wallClock()), origin: source.node, region: source.node.code)
        let generator = TicketGenerator(recipe, from: wallClock(), days: 1, tickets: tickets)
        var milliseconds: [Double] = []
        for thread in generator {
            guard let request = thread.first else { continue }
            try await Task.sleep(for: .milliseconds(pause))
            let started = ContinuousClock.now
            _ = try await source.intake([request], now: wallClock())
            Doorbell.ring(databasePath: city)
            while try await target.rows(
                sql: "SELECT 1 FROM service_request WHERE origin = ? AND \"key\" = ?",
                arguments: [.text(source.node.code), .text(request.key)]
            ).isEmpty {
                guard ContinuousClock.now - started < .seconds(10) else {
                    throw ValidationError("a ticket was not visible after 10 seconds: is the link up?")
                }
            }
            milliseconds.append((ContinuousClock.now - started).seconds * 1_000)
        }
        milliseconds.sort()
        func quantile(_ share: Double) -> Double {
            milliseconds[min(milliseconds.count - 1, Int(Double(milliseconds.count) * share))]
        }
        print("{\"tickets\":\(milliseconds.count),\"p50_ms\":\(quantile(0.5)),\"p99_ms\":\(quantile(0.99))}")
    }
}

func code(_ text: String) throws -> NodeID {
    guard let node = NodeID(text) else { throw ValidationError("\(text) is not the code of a node") }
    return node
}

private struct Times {
    var rows = 0
    var bytes = 0
    var rawBytes = 0
    var prepare = Duration.zero
    var decode = Duration.zero
    var apply = Duration.zero

    var json: String {
        """
        {"rows":\(rows),"prepare_s":\(prepare.seconds),"decode_s":\(decode.seconds),"apply_s":\(apply.seconds),\
        "bytes":\(bytes),"payload_bytes":\(rawBytes)}
        """
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
