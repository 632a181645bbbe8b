import ArgumentParser
import ChangeSetFormat
import FederationModel
import Foundation
import LocalStore
import NodeDesk
import NodeRuntime
import Zstandard
import struct FederationModel.Cursor

/// Measures what a link's policy costs: extracting through a filter and masks, a grant of one row in a hundred, and tickets
/// that leave the filter.
struct PolicyBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Sends the tickets of a city under several policies.",
        discussion: "SyncBenchmark policy --city 370100 --database /tmp/jn/node.db --scratch /tmp")

    @Option(help: "The city's code.")
    var city: String

    @Option(help: "The city's database; its tickets are changed.")
    var database: String

    @Option(help: "A folder for the databases of provinces.")
    var scratch: String

    @Option(help: "Most rows of a change-set.")
    var rows = 10_000

    @Option(help: "How many tickets change at once, to measure changes.")
    var changes = 2_000

    private static let province = "370000"

    func run() async throws {
        let store = try NodeStore(at: database)
        try store.logScope(isFolded: false)
        let (city, province) = (try code(city), try code(Self.province))
        var whole: [Double] = []
        var filtered: [Double] = []
        var masked = LinkGrant()
        masked.tickets.regions = [city.code]
        masked.treatments["service_request"] = [
            "reporter_name": .mask, "reporter_phone": .mask, "address_string": .mask,
        ]
        // In turn, so that both see the same machine.
        for _ in 0..<3 {
            whole.append(try await extract(store, policy(city, province, LinkGrant())))
            filtered.append(try await extract(store, policy(city, province, masked)))
        }
        let sparse = try await sparseGrant(store, city, province)
        let change = try await changes(store, city, province)
        print(
            """
            {"extract_rows_s":\(median(whole)),"filtered_extract_rows_s":\(median(filtered)),\
            "filtered_extract_vs_unfiltered":\(median(filtered) / median(whole)),\
            "sparse_grant_vs_full":\(sparse),"scope_change_vs_update":\(change)}
            """)
        try store.close()
    }

    private func policy(_ city: NodeID, _ province: NodeID, _ grant: LinkGrant) throws -> LinkPolicy {
        let topology = Topology(
            name: "benchmark", version: 1,
            nodes: [
                TopologyNode(id: province, name: "province", parent: nil, region: "370000", endpoint: nil),
                TopologyNode(id: city, name: "city", parent: province, region: city.code, endpoint: nil, grant: grant),
            ])
        guard let policy = LinkPolicy(from: city, to: province, topology: topology, resources: BuiltInResources.all)
        else { throw ValidationError("no link from \(city)") }
        return policy
    }

    private func start(_ store: NodeStore, _ policy: LinkPolicy) async throws -> Cursor {
        Cursor(epoch: store.epoch, seq: try await store.head(), revision: policy.revision, sweep: policy.sweepStart)
    }

    /// - Returns: rows a second of a whole sweep, read, treated and compressed.
    private func extract(_ store: NodeStore, _ policy: LinkPolicy) async throws -> Double {
        let compressor = ZstandardCompressor()
        var cursor = try await start(store, policy)
        var count = 0
        let started = ContinuousClock.now
        while case .changeSet(let outgoing) = try await store.prepareChangeSet(
            from: cursor, policy: policy, rowsMax: rows, now: wallClock(), compressor: compressor)
        {
            count += outgoing.header.rowCount
            cursor = outgoing.header.end
        }
        return Double(count) / (ContinuousClock.now - started).seconds
    }

    /// - Returns: the time of a first load of the newest hundredth over the time of all.
    private func sparseGrant(_ store: NodeStore, _ city: NodeID, _ province: NodeID) async throws -> Double {
        let newest = try await store.rows(
            sql: """
                SELECT requested_datetime FROM service_request ORDER BY requested_datetime DESC
                LIMIT 1 OFFSET (SELECT count(*) / 100 FROM service_request)
                """, arguments: [])
        var sparse = LinkGrant()
        sparse.tickets.from = newest.first?[0].integer
        var times: [Double] = []
        for (name, grant) in [("full", LinkGrant()), ("sparse", sparse)] {
            let target = try target(name, province)
            let policy = try policy(city, province, grant)
            let started = ContinuousClock.now
            _ = try await carry(store, target, policy, from: start(store, policy))
            times.append((ContinuousClock.now - started).seconds)
            try target.close()
        }
        return times[1] / times[0]
    }

    /// - Returns: the time of tickets that leave the filter, from intake until they are retracted at the province, over the
    ///   time of as many whose title changes.
    private func changes(_ store: NodeStore, _ city: NodeID, _ province: NodeID) async throws -> Double {
        var grant = LinkGrant()
        grant.tickets.regions = [city.code]
        let policy = try policy(city, province, grant)
        let target = try target("changes", province)
        var cursor = try await carry(store, target, policy, from: start(store, policy))
        var updates: [Double] = []
        var scopes: [Double] = []
        for _ in 0..<3 {
            let keep = try await records(store) { $0["title"] = .text("改") }
            let move = try await records(store) { $0["region_code"] = .text("379900") }
            for (records, isMove) in [(keep, false), (move, true)] {
                let started = ContinuousClock.now
                _ = try await store.intake(records, now: wallClock())
                cursor = try await carry(store, target, policy, from: cursor)
                let seconds = (ContinuousClock.now - started).seconds
                if isMove { scopes.append(seconds) } else { updates.append(seconds) }
            }
        }
        try target.close()
        return median(scopes) / median(updates)
    }

    /// The next tickets that have not been moved yet.
    private func records(
        _ store: NodeStore, change: (inout [String: FieldValue]) -> Void
    ) async throws -> [IntakeRecord] {
        let columns = BuiltInResources.serviceRequest.columns.map(\.name)
        let list = columns.map { "\"\($0)\"" }.joined(separator: ", ")
        return try await store.rows(
            sql: """
                SELECT "key", \(list) FROM service_request WHERE region_code <> '379900' ORDER BY "key"
                LIMIT \(changes)
                """, arguments: []
        ).map { row in
            var fields = Dictionary(uniqueKeysWithValues: zip(columns, row.dropFirst()).filter { !$0.1.isNull })
            change(&fields)
            return IntakeRecord(resource: "service_request", key: row[0].text ?? "", fields: fields)
        }
    }

    private func target(_ name: String, _ province: NodeID) throws -> NodeStore {
        let path = "\(scratch)/policy-\(name).db"
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        try NodeStore.create(at: path, node: province, epoch: Epoch(counter: 1, nonce: 1))
        return try NodeStore(at: path)
    }

    private func carry(
        _ store: NodeStore, _ target: NodeStore, _ policy: LinkPolicy, from start: Cursor
    ) async throws -> Cursor {
        let compressor = ZstandardCompressor()
        var cursor = start
        while case .changeSet(let outgoing) = try await store.prepareChangeSet(
            from: cursor, policy: policy, rowsMax: rows, now: wallClock(), compressor: compressor)
        {
            let incoming = try IncomingChangeSet(
                bytes: outgoing.bytes, policy: policy, resources: BuiltInResources.all, now: wallClock())
            cursor = try await target.apply(incoming, policy: policy, now: wallClock()).cursor
        }
        return cursor
    }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
