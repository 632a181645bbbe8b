import ArgumentParser
import ChangeSetFormat
import FederationModel
import Foundation
import LocalStore
import Zstandard

/// Measures applying change-sets in one process: what the store does, without a network and without consumers.
///
/// `scripts/bench-sync.sh` calls it and compares it with the sqlite3 shell in the same run.
@main
struct SyncBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "SyncBenchmark",
        abstract: "Applies everything that some cities hold to a new province, and prints seconds as JSON.",
        discussion: "SyncBenchmark --into /tmp/p.db 370100=/tmp/jn/node.db 370200=/tmp/qd/node.db")

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
                    from: cursor, policy: policy, rowsMax: rows, now: now(), compressor: compressor)
                guard case .changeSet(let outgoing) = preparation else { break }
                let prepared = ContinuousClock.now
                let incoming = try IncomingChangeSet(
                    bytes: outgoing.bytes, policy: policy, resources: BuiltInResources.all, now: now())
                let decoded = ContinuousClock.now
                let report = try await store.apply(incoming, policy: policy, now: now())
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

    private func code(_ text: String) throws -> NodeID {
        guard let node = NodeID(text) else { throw ValidationError("\(text) is not the code of a node") }
        return node
    }

    private func now() -> UnixMilliseconds { UnixMilliseconds(Date().timeIntervalSince1970 * 1_000) }
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
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
