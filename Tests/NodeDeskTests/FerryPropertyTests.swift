import FederationModel
import Foundation
import LocalStore
import NodeDesk
import TestSupport
import Testing

/// Histories of files that are made, lost, carried twice and in any order, of connections in between, and of databases that go back. What is
/// held against: a row that the province has got never goes, whatever comes; and once both carry files to and fro, both hold the same,
/// the latest of what either held.
@Suite struct `Files and connections on one link` {
    @Test(arguments: seeds(count: 12))
    func `in any order lose nothing and come to rest`(seed: UInt64) async throws {
        try await FerryHistory(seed: seed, goesBack: false).run()
    }

    @Test(arguments: seeds(count: 12))
    func `also when databases go back to older copies`(seed: UInt64) async throws {
        try await FerryHistory(seed: seed, goesBack: true).run()
    }

    /// `SIMULATION_FIRST` and `SIMULATION_SEEDS` of a campaign, else a slice.
    private static func seeds(count: UInt64) -> Range<UInt64> {
        func number(_ name: String) -> UInt64? { ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } }
        let first = number("SIMULATION_FIRST") ?? 0
        return first..<first + (number("SIMULATION_SEEDS") ?? count)
    }
}

private final class FerryHistory {
    private let world: FerryWorld
    private let goesBack: Bool
    private var random: SplitMix64
    private var writes = 0
    /// Files that were made and not thrown away, by who made them.
    private var files: [(sender: NodeID, path: String)] = []
    private var copies: [NodeID: [String]] = [:]
    private var undeclared: Set<NodeID> = []
    /// What the province has held since its database went back last.
    private var seen: Set<String> = []
    /// The latest write of each ticket that anybody held when somebody went back; and later writes.
    private var known: [String: Int] = [:]

    /// With these a file may be refused: it comes too early or too late, or somebody's database has gone back.
    private static let expected: Set<String> = ["E_OUT_OF_STEP", "E_EPOCH", "E_HISTORY_DIFFERS"]

    init(seed: UInt64, goesBack: Bool) throws {
        world = try FerryWorld()
        random = SplitMix64(seed: seed)
        self.goesBack = goesBack
    }

    func run() async throws {
        for _ in 0..<Int.random(in: 15...40, using: &random) {
            try await happen()
            try await checkNothingGoes()
        }
        for round in 0..<14 {
            for sender in [FerryWorld.province, FerryWorld.jinan] {
                world.pass(60_000)
                try await take(sender, try await world.export(from: sender).path)
                try await checkNothingGoes()
            }
            if try await isAtRest() { break }
            if round == 8 {
                for node in undeclared { _ = try await world.desk(node).local.store.beginEpoch(now: world.now) }
            }
        }
        #expect(try await isAtRest())
        let held = try await world.tickets(at: FerryWorld.jinan)
        #expect(try await world.tickets(at: FerryWorld.province) == held)
        for (key, write) in known { #expect(held[key] ?? 0 >= write, "\(key)") }
    }

    private func happen() async throws {
        world.pass(Int64.random(in: 1_000...3_600_000, using: &random))
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<30: try await write()
        case 30..<55:
            let sender = Bool.random(using: &random) ? FerryWorld.jinan : FerryWorld.province
            let starts: [FerryExport.Start] = [.confirmed, .confirmed, .confirmed, .last, .beginning]
            let start = starts.randomElement(using: &random) ?? .confirmed
            files.append((sender, try await world.export(from: sender, start: start).path))
        case 55..<80:
            guard let index = files.indices.randomElement(using: &random) else { return }
            try await take(files[index].sender, files[index].path)
            if Int.random(in: 0..<3, using: &random) > 0 { files.remove(at: index) }
        case 80..<92:
            try await world.converse(
                changeSetsMax: Int.random(in: 1...4, using: &random), rowsMax: Int.random(in: 1...20, using: &random),
                isAcknowledged: Bool.random(using: &random))
        default: if goesBack { try await goBackOrCopy() }
        }
    }

    private func write() async throws {
        var titles: [Int: Int] = [:]
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            writes += 1
            titles[Int.random(in: 1...30, using: &random)] = writes
        }
        for (number, write) in titles { known["370100-\(number)"] = write }
        try await world.write(titles)
    }

    private func take(_ sender: NodeID, _ path: String) async throws {
        let receiver = sender == FerryWorld.jinan ? FerryWorld.province : FerryWorld.jinan
        do {
            let report = try await world.desk(receiver).importFerry(path: path)
            if report.newEpoch != nil { undeclared.remove(receiver) }
        } catch let error as FederationError where Self.expected.contains(error.code) {}
    }

    private func goBackOrCopy() async throws {
        let node = Bool.random(using: &random) ? FerryWorld.jinan : FerryWorld.province
        guard let copy = copies[node]?.randomElement(using: &random), Bool.random(using: &random) else {
            copies[node, default: []].append(try world.copy(node))
            return
        }
        try world.putBack(copy, at: node)
        undeclared.insert(node)
        known = [:]
        if node == FerryWorld.province { seen = [] }
        for node in [FerryWorld.jinan, FerryWorld.province] {
            for (key, write) in try await world.tickets(at: node) { known[key] = max(known[key] ?? 0, write) }
        }
    }

    private func checkNothingGoes() async throws {
        let held = Set(try await world.tickets(at: FerryWorld.province).keys)
        #expect(seen.subtracting(held).isEmpty)
        seen = held
    }

    private func isAtRest() async throws -> Bool {
        let (sender, receiver) = (world.jinan.local.store, world.province.local.store)
        guard let cursor = try await receiver.cursor(of: FerryWorld.jinan), cursor.epoch == sender.epoch,
            cursor.sweep == .complete, try await receiver.lostRows().isEmpty
        else { return false }
        return try await world.tickets(at: FerryWorld.jinan) == world.tickets(at: FerryWorld.province)
    }
}
