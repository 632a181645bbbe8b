import Detection
import FederationModel
import Foundation
import LocalStore
import NodeDesk
import NodeFiles
import NodeIdentity
import TestSupport
import Testing

@Suite struct `Files that are carried between two nodes` {
    private let world: FerryWorld
    private let jinan = FerryWorld.jinan
    private let province = FerryWorld.province

    init() throws { world = try FerryWorld() }

    private func take(_ path: String, at node: NodeID) async throws -> FerryImportReport {
        try await world.desk(node).importFerry(path: path)
    }

    private func isEqual() async throws -> Bool {
        try await world.tickets(at: jinan) == world.tickets(at: province)
    }

    @Test func `bring everything to a node that was never met, then what has changed since it confirmed`() async throws
    {
        try await world.write([1: 1, 2: 1, 3: 1])
        let whole = try await world.export(from: jinan)
        #expect(whole.report.from.sweep != .complete && whole.report.rows >= 3 && whole.report.acknowledged == nil)
        let first = try await take(whole.path, at: province)
        #expect(first.applied == whole.report.rows && first.cursor == whole.report.upto && first.confirmed == nil)
        #expect(try await isEqual())

        let answer = try await world.carry(from: province)
        #expect(answer.confirmed == whole.report.upto)
        try await world.write([2: 2])
        let next = try await world.export(from: jinan)
        #expect(next.report.from == whole.report.upto && next.report.rows == 1 && next.report.changeSets == 1)
        #expect(next.report.acknowledged != nil)
        #expect(try await take(next.path, at: province).applied == 1)
        #expect(try await isEqual())
    }

    @Test func `may get lost: the next one brings the same, and goes on wherever the receiver stands`() async throws {
        try await world.write([1: 1])
        try await world.carry(from: jinan)
        try await world.carry(from: province)
        try await world.write([1: 2, 2: 2])
        let second = try await world.export(from: jinan)
        try await world.write([3: 3])
        let third = try await world.export(from: jinan)
        try await world.write([4: 4])
        let fourth = try await world.export(from: jinan)
        // The second comes, the third is lost.
        _ = try await take(second.path, at: province)
        let report = try await take(fourth.path, at: province)
        #expect(report.applied == 2 && report.changeSetsSkipped == 1)
        #expect(try await isEqual())
        let late = try await take(third.path, at: province)
        #expect(late.isReplay && late.applied == 0 && late.cursor == fourth.report.upto)
        // And the fourth alone would have been enough.
        try await world.carry(from: province)
        try await world.write([5: 5])
        _ = try await world.export(from: jinan)
        try await world.write([6: 6])
        try await world.carry(from: jinan)
        #expect(try await isEqual())
    }

    @Test func `that come twice change nothing and say so`() async throws {
        try await world.write([1: 1])
        let file = try await world.export(from: jinan)
        _ = try await take(file.path, at: province)
        let before = try await world.province.local.store.head()
        let again = try await take(file.path, at: province)
        #expect(again.isReplay && again.changeSetsSkipped == file.report.changeSets)
        #expect(try await world.province.local.store.head() == before)
    }

    @Test func `that come too early are refused with the place where they would go on`() async throws {
        try await world.write([1: 1])
        let first = try await world.export(from: jinan, start: .last)
        try await world.write([2: 2])
        let second = try await world.export(from: jinan, start: .last)
        #expect(second.report.rows == 1)
        #expect(await errorCode { _ = try await take(second.path, at: province) } == "E_OUT_OF_STEP")
        #expect(try await world.tickets(at: province).isEmpty)
        _ = try await take(first.path, at: province)
        _ = try await take(second.path, at: province)
        #expect(try await isEqual())
    }

    @Test func `are refused by whoever they are not for, when they are altered, and under another topology`()
        async throws
    {
        try await world.write([1: 1])
        let file = try await world.export(from: jinan)
        let before = try await world.province.local.store.head()
        #expect(await errorCode { _ = try await take(file.path, at: jinan) } == "E_FERRY_ADDRESS")
        var bytes = Array(try Data(contentsOf: URL(filePath: file.path)))
        bytes[bytes.count / 2] ^= 1
        let altered = world.newPath("ferry")
        try Data(bytes).write(to: URL(filePath: altered))
        #expect(await errorCode { _ = try await take(altered, at: province) } == "E_FERRY_ALTERED")
        try world.folder.write(FerryWorld.topology(version: 2), to: "370000/topology.yaml")
        try world.reopen(province)
        #expect(await errorCode { _ = try await take(file.path, at: province) } == "E_TOPOLOGY_VERSION")
        #expect(try await world.province.local.store.head() == before)
        #expect(try await world.province.local.store.cursor(of: jinan) == nil)
    }

    @Test func `bring a signed topology that is newer, and their rows once the node stands on it`() async throws {
        try await world.write([1: 1])
        try await world.carry(from: jinan)
        _ = try await world.province.publishTopology(FerryWorld.topology(version: 2), isConfirmed: false)
        try world.reopen(province)
        let file = try await world.export(from: province)
        #expect(await errorCode { _ = try await take(file.path, at: jinan) } == "E_TOPOLOGY_VERSION")
        try world.reopen(jinan)
        #expect(world.jinan.topology.version == 2)
        #expect(try await take(file.path, at: jinan).confirmed != nil)
        try await world.write([2: 2])
        try await world.carry(from: jinan)
        #expect(try await isEqual())
    }

    @Test func `go on in the middle of what a connection had begun to bring`() async throws {
        try await world.write([1: 1, 2: 1, 3: 1, 4: 1])
        try await world.converse(changeSetsMax: 2, rowsMax: 1)
        #expect(try await world.province.local.store.cursor(of: jinan)?.sweep != .complete)
        try await world.carry(from: province)
        #expect(try await world.carry(from: jinan).applied > 0)
        #expect(try await isEqual())
    }

    @Test func `that could not be written are not taken for written`() async throws {
        try await world.write([1: 1])
        try await world.carry(from: jinan)
        try await world.write([2: 2])
        let full = FerryExport(peer: "370000", path: "/dev/full", start: .last)
        #expect(await errorCode { _ = try await world.jinan.exportFerry(full) } == "E_FILE_WRITE")
        #expect(try await world.carry(from: jinan, start: .last).applied == 1)
        #expect(try await isEqual())
    }

    @Test func `of a clock that is ahead are refused, and old ones are taken`() async throws {
        try await world.write([1: 1])
        world.pass(600_000)
        let file = try await world.export(from: jinan)
        world.pass(-600_000)
        #expect(await errorCode { _ = try await take(file.path, at: province) } == "E_CLOCK_SKEW")
        world.pass(40 * 86_400_000)
        #expect(try await take(file.path, at: province).applied > 0)
    }

    @Test func `need the receiver's certificate once, and then its own files bring it`() async throws {
        try await world.write([1: 1])
        func export(_ certificate: String?) async throws {
            _ = try await world.jinan.exportFerry(
                FerryExport(peer: "370000", path: world.newPath("ferry"), certificatePath: certificate))
        }
        #expect(await errorCode { try await export(nil) } == "E_FERRY_CERTIFICATE")
        let own = "\(world.directory(of: jinan))/credentials/node.pem"
        #expect(await errorCode { try await export(own) } == "E_FERRY_CERTIFICATE")
        try await world.carry(from: province)
        try await export(nil)
        #expect(
            await errorCode { _ = try await world.jinan.exportFerry(FerryExport(peer: "370200", path: "x")) }
                == "E_NOT_A_NEIGHBOUR")
    }

    @Test func `of a database that went back delete nothing, and it gets back what it lost`() async throws {
        try await world.write([1: 1, 2: 1])
        try await world.carry(from: jinan)
        try await world.carry(from: province)
        let old = try world.copy(jinan)
        try await world.write([1: 2, 3: 2, 4: 2])
        try await world.carry(from: jinan)
        let held = try await world.tickets(at: province)
        try world.putBack(old, at: jinan)
        // It writes on, and has come as far as the receiver stands, by other commits.
        try await world.write([5: 3])
        try await world.write([6: 3, 7: 3, 8: 3])
        let blind = try await world.export(from: jinan)
        let code = await errorCode { _ = try await take(blind.path, at: province) }
        #expect(code == "E_HISTORY_DIFFERS" || code == "E_OUT_OF_STEP")
        #expect(try await world.tickets(at: province) == held)

        let answer = try await world.carry(from: province)
        #expect(answer.newEpoch != nil && answer.confirmed == nil)
        let whole = try await world.carry(from: jinan)
        #expect(whole.lost > 0)
        for (key, title) in held { #expect(try await world.tickets(at: province)[key] == title) }
        let returned = try await world.carry(from: province)
        #expect(returned.adopted == whole.lost)
        #expect(try await world.carry(from: jinan).lost == 0)
        #expect(try await isEqual())
        #expect(try await world.tickets(at: jinan).count == 8)
        #expect(try await world.tickets(at: jinan)["370100-1"] == 2)
    }

    @Test func `that begin at the beginning do not let a database that went back delete by silence`() async throws {
        try await world.write([1: 1])
        let old = try world.copy(jinan)
        try await world.write([2: 2, 3: 2])
        try await world.carry(from: jinan)
        let held = try await world.tickets(at: province)
        try world.putBack(old, at: jinan)
        for number in 10..<20 { try await world.write([number: 3]) }
        let file = try await world.export(from: jinan, start: .beginning)
        #expect(await errorCode { _ = try await take(file.path, at: province) } == "E_OUT_OF_STEP")
        #expect(try await world.tickets(at: province) == held)
    }

    @Test func `and connections mix: a file that a connection has overtaken is passed over`() async throws {
        try await world.write([1: 1, 2: 1])
        let file = try await world.export(from: jinan)
        try await world.converse(changeSetsMax: 9, rowsMax: 100)
        try await world.write([3: 3])
        try await world.converse(changeSetsMax: 9, rowsMax: 100)
        #expect(try await take(file.path, at: province).isReplay)
        let next = try await world.export(from: jinan)
        #expect(
            next.report.changeSets == 0 && next.report.from.sweep == .complete, "the connection has told how far it is")
        try await world.write([4: 4])
        try await world.carry(from: jinan)
        #expect(try await isEqual())
    }

    @Test func `show in the status when they were made and taken`() async throws {
        try await world.write([1: 1])
        try await world.carry(from: jinan)
        let links = try await world.province.links().filter { $0.peer.id == jinan }
        let receiving = try #require(links.first { $0.direction == .receiving })
        #expect(receiving.state == .ferried && receiving.ferriedAt == world.now && receiving.cursor > 0)
        #expect(links.first { $0.direction == .sending }?.ferriedAt == nil)
        let sending = try #require(try await world.jinan.links().first { $0.direction == .sending })
        #expect(sending.state == .ferried && sending.ferriedAt == world.now - 1_000 && sending.lagRows > 0)
        try await world.carry(from: province)
        let confirmed = try #require(try await world.jinan.links().first { $0.direction == .sending })
        #expect(confirmed.lagRows == 0 && confirmed.cursor > 0)
    }

    @Test func `bring down the dictionary of the topmost node, which nobody below replaces (7.2.1.2-3)`() async throws {
        func publish(_ id: String, _ version: Int, _ word: String, at node: NodeID) async throws -> Int {
            try world.folder.write(
                """
                rules:
                  - id: \(id)
                    version: \(version)
                    title: 敏感诉求
                    method: immediate
                    kind: sensitive
                    words:
                      - {name: 极端行为, level: red, words: [\(word)], exclusions: [\(word)价]}
                """, to: "rules.yaml")
            return try await world.desk(node).publishRules(path: world.folder.path("rules.yaml")).count
        }
        func words(_ id: String) async throws -> [String] {
            try await world.jinan.rule(id).rule.words.flatMap(\.words)
        }
        #expect(try await publish("SENSITIVE", 5, "跳桥", at: jinan) == 1, "nobody above keeps one yet")
        #expect(try await words("SENSITIVE") == ["跳桥"])
        #expect(try await publish("SENSITIVE", 2, "跳楼", at: province) == 1)
        try await world.carry(from: province)
        #expect(try await words("SENSITIVE") == ["跳楼"], "whatever version the one below had")
        #expect(try await world.jinan.rule("SENSITIVE").publisher == province)
        #expect(await code { try await publish("SENSITIVE", 6, "跳桥", at: jinan) } == "E_RULE_DICTIONARY")
        #expect(try await publish("SENSITIVE_JINAN", 1, "跳桥", at: jinan) == 1)
        #expect(try await words("SENSITIVE_JINAN") == ["跳桥"])
    }
}
