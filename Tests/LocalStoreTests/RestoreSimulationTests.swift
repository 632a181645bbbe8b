import ChangeSetFormat
import FederationModel
import Foundation
import LocalStore
import TestSupport
import Testing
import Zstandard

/// Real stores, and histories in which nodes go back to older copies, write on and are set up afresh, without saying so.
///
/// Each ticket's title is the number of the write that made it, so it shows which of two is the later. What is held against: whatever any
/// node held of a ticket right after somebody went back is not lost, in the end its origin has it, and so has everybody above.
@Suite struct `A federation whose nodes go back to older databases` {
    @Test(arguments: SimulationSeeds.range(count: 24))
    func `loses nothing that any node still holds, and comes to rest`(seed: UInt64) async throws {
        let simulation = try RestoreSimulation(seed: seed)
        try await simulation.run()
    }
}

/// Which seeds a campaign runs: `SIMULATION_FIRST` and `SIMULATION_SEEDS` of `scripts/simulate.sh`, else a slice.
enum SimulationSeeds {
    static func range(count: UInt64) -> Range<UInt64> {
        func number(_ name: String) -> UInt64? { ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } }
        let first = number("SIMULATION_FIRST") ?? 0
        return first..<first + (number("SIMULATION_SEEDS") ?? count)
    }
}

private final class RestoreSimulation {
    private var random: SplitMix64
    private let folder: TemporaryFolder
    private var stores: [NodeID: NodeStore] = [:]
    /// Copies of databases, the older first.
    private var copies: [NodeID: [String]] = [:]
    /// Nodes that went back and were not declared to have done so.
    private var undeclared: Set<NodeID> = []
    private var now = noon
    private var writes = 0
    private var files = 0
    /// The latest write of each ticket that any node held when somebody went back; and later writes.
    private var known: [String: Int] = [:]

    private static let links: [(NodeID, NodeID)] = [(lixia, jinan), (jinan, province), (qingdao, province)]
    private static let nodes = [province, jinan, qingdao, lixia]

    init(seed: UInt64) throws {
        random = SplitMix64(seed: seed)
        folder = try TemporaryFolder("restore")
        for node in Self.nodes { try begin(node, counter: 1) }
    }

    deinit { for store in stores.values { try? store.close() } }

    // MARK: - Histories

    func run() async throws {
        for _ in 0..<Int.random(in: 20...70, using: &random) { try await happen() }
        for round in 0..<60 {
            for (sender, receiver) in Self.links { try await converse(sender, receiver, isWhole: true) }
            if try await isAtRest() { break }
            // Two that went back together may have nobody who tells them: an administrator does.
            if round == 12 { for node in Self.nodes where undeclared.contains(node) { try await declare(node) } }
        }
        try await check()
    }

    private func happen() async throws {
        now += Int64.random(in: 1...120_000, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<45: try await write()
        case 45..<78:
            let (sender, receiver) = Self.links.randomElement(using: &random) ?? Self.links[0]
            try await converse(sender, receiver, isWhole: Bool.random(using: &random))
        case 78..<88: try copy(Self.nodes.randomElement(using: &random) ?? jinan)
        default: try await goBack(Self.nodes.randomElement(using: &random) ?? jinan)
        }
    }

    private func write() async throws {
        let origin = [jinan, qingdao, lixia].randomElement(using: &random) ?? jinan
        let count = Int.random(in: 1...6, using: &random)
        var records: [IntakeRecord] = []
        for _ in 0..<count {
            writes += 1
            let record = ticket(Int.random(in: 1...30, using: &random), origin: origin, title: "\(writes)", at: noon)
            records.append(record)
            known[record.key] = writes
        }
        _ = try await store(origin).intake(records, now: now)
    }

    /// An older copy, sometimes of a moment ago, or a new database.
    private func goBack(_ node: NodeID) async throws {
        if copies[node, default: []].isEmpty && Bool.random(using: &random) { return }
        try stores.removeValue(forKey: node)?.close()
        if let copy = copies[node]?.randomElement(using: &random) {
            try reopen(node, from: copy)
        } else {
            try begin(node, counter: UInt32.random(in: 1...2, using: &random))
        }
        undeclared.insert(node)
        if Int.random(in: 0..<3, using: &random) == 0 { try await declare(node) }
        known = [:]
        for node in Self.nodes {
            for (key, write) in try await tickets(of: node) { known[key] = max(known[key] ?? 0, write) }
        }
    }

    private func declare(_ node: NodeID) async throws {
        try await store(node).beginEpoch(now: now)
        undeclared.remove(node)
    }

    // MARK: - Files

    private func store(_ node: NodeID) throws -> NodeStore { try #require(stores[node]) }

    private func begin(_ node: NodeID, counter: UInt32) throws {
        files += 1
        let path = folder.path("\(files).db")
        try NodeStore.create(at: path, node: node, epoch: Epoch(counter: counter, nonce: random.next()))
        try open(node, path)
    }

    private func open(_ node: NodeID, _ path: String) throws {
        let store = try NodeStore(at: path)
        try store.publish(Standing(node: node, topology: qilu))
        stores[node] = store
        paths[node] = path
    }

    private var paths: [NodeID: String] = [:]

    private func copy(_ node: NodeID) throws {
        files += 1
        let (from, to) = (try #require(paths[node]), folder.path("\(files).db"))
        for end in ["", "-wal"] where FileManager.default.fileExists(atPath: from + end) {
            try FileManager.default.copyItem(atPath: from + end, toPath: to + end)
        }
        copies[node, default: []].append(to)
    }

    private func reopen(_ node: NodeID, from copy: String) throws {
        files += 1
        let path = folder.path("\(files).db")
        for end in ["", "-wal"] where FileManager.default.fileExists(atPath: copy + end) {
            try FileManager.default.copyItem(atPath: copy + end, toPath: path + end)
        }
        try open(node, path)
    }

    // MARK: - Links

    /// One connection: hello, some or all that there is to send, and what goes back.
    private func converse(_ from: NodeID, _ to: NodeID, isWhole: Bool) async throws {
        let (sender, receiver) = (try store(from), try store(to))
        let policy = try #require(sender.standing.outgoing[to])
        let durable = try await receiver.markedCursor(of: from)
        if try await sender.recognise(durable?.cursor, mark: durable?.mark, of: to, now: now) != nil {
            undeclared.remove(from)
        }
        let compressor = ZstandardCompressor()
        while isWhole || Int.random(in: 0..<5, using: &random) > 0 {
            let start = try await startCursor(sender, receiver, policy: policy)
            let prepared = try await sender.prepareChangeSet(
                from: start, policy: policy, rowsMax: Int.random(in: 1...25, using: &random), evenIfEmpty: true,
                hasMark: true, now: now, compressor: compressor)
            guard case .changeSet(let outgoing) = prepared, outgoing.header.end != start || durable == nil else {
                break
            }
            let incoming = try IncomingChangeSet(
                bytes: outgoing.bytes, policy: policy, resources: receiver.resources, now: now)
            if outgoing.header.end == start, try await receiver.cursor(of: from) == start { break }
            _ = try await receiver.apply(incoming, policy: policy, now: now)
        }
        let cursor = try await receiver.cursor(of: from)
        guard isWhole, cursor?.epoch == sender.epoch, cursor?.sweep == .complete else { return }
        try await sender.confirm(try #require(cursor), by: to, now: now)
        var position: LostPosition?
        while let (changeSet, end) = try await receiver.lostChangeSet(
            of: from, policy: policy, after: position, now: now, compressor: compressor)
        {
            let incoming = try IncomingChangeSet(
                bytes: changeSet.bytes, policy: policy, resources: sender.resources, now: now)
            let taken = try await sender.takeBack(incoming, policy: policy, now: now)
            _ = try await receiver.settle(taken.settled, of: from, now: now)
            position = end
        }
    }

    // MARK: - Checks

    private func tickets(of node: NodeID) async throws -> [String: Int] {
        let rows = try await store(node).rows(
            sql: "SELECT \"key\", title FROM service_request WHERE deleted = 0", arguments: [])
        return Dictionary(uniqueKeysWithValues: rows.map { ($0[0].text ?? "", Int($0[1].text ?? "") ?? 0) })
    }

    private func isAtRest() async throws -> Bool {
        for (from, to) in Self.links {
            let (sender, receiver) = (try store(from), try store(to))
            guard let cursor = try await receiver.cursor(of: from), cursor.epoch == sender.epoch,
                cursor.sweep == .complete, cursor.seq == (try await sender.head()),
                try await receiver.lostRows().isEmpty
            else { return false }
        }
        return true
    }

    private func check() async throws {
        #expect(try await isAtRest())
        var held: [NodeID: [String: Int]] = [:]
        for node in Self.nodes { held[node] = try await tickets(of: node) }
        for (key, write) in known {
            let origin = try #require(NodeID(String(key.prefix(6))))
            #expect(held[origin]?[key] ?? 0 >= write, "\(key) at its origin")
        }
        for (from, to) in Self.links {
            for (key, write) in held[from] ?? [:] { #expect(held[to]?[key] == write, "\(key) of \(from) at \(to)") }
        }
        for node in Self.nodes {
            for key in held[node]?.keys ?? [:].keys {
                let origin = try #require(NodeID(String(key.prefix(6))))
                #expect(held[origin]?[key] != nil, "\(key) at \(node) and not at its origin")
            }
        }
    }
}
