import FederationModel
import LocalStore
import TestSupport
import Testing

@Suite struct `The inbox` {
    /// A city and its province, which get everything from each other.
    private let city: TemporaryStore
    private let top: TemporaryStore

    init() throws {
        city = try TemporaryStore(jinan, topology: qilu)
        top = try TemporaryStore(province, topology: qilu)
    }

    private func settle() async throws {
        for _ in 0..<4 {
            for (sender, receiver) in [(city.store, top.store), (top.store, city.store)] {
                try await sender.catchUpConsumers(now: noon)
                try await carry(sender, receiver, policy: policy(from: sender.node, to: receiver.node))
            }
        }
        try await city.store.catchUpConsumers(now: noon)
    }

    @Test func `tells once what others did to this node's tickets, and goes on behind a cursor`() async throws {
        _ = try await city.store.intake([ticket(1), ticket(2)], now: noon)
        _ = try await city.store.intake(
            [stage("supervision", of: 2, after: 5, ["level": .text("reminder")])], now: noon)
        try await settle()
        #expect(try await city.store.inbox(after: 0, limit: 10).isEmpty, "what the node did itself is no news")
        let card = stage("supervision", of: 1, after: 10, ["level": .text("written")])
        _ = try await top.store.intake([card], now: noon)
        try await settle()
        let items = try await city.store.inbox(after: 0, limit: 10)
        #expect(items.map(\.kind) == ["supervision"] && items.map(\.ticket) == ["\(jinan)-1"])
        #expect(items[0].node == province.code && items[0].key == card.key && items[0].at == noon + 600_000)
        #expect(try await city.store.inbox(after: items[0].cursor, limit: 10).isEmpty)
        try await settle()
        #expect(try await city.store.inbox(after: 0, limit: 10).count == 1)
        #expect(try await top.store.inbox(after: 0, limit: 10).isEmpty, "it is the city's ticket")
    }

    @Test func `tells of alerts that others raised on this node's tickets, once a level`() async throws {
        _ = try await city.store.intake([ticket(1), ticket(2)], now: noon)
        try await settle()
        func raise(_ level: String, _ tickets: [String], at store: NodeStore? = nil) async throws {
            let ids = tickets.map { "\"\($0)\"" }.joined(separator: ",")
            let alert = IntakeRecord(
                resource: CaseResources.alert.name, key: "REPEAT-1",
                fields: [
                    "alert_id": .text("REPEAT-1"), "occurred_at": .integer(noon), "rule": .text("REPEAT"),
                    "rule_version": .integer(1), "level": .text(level), "kind": .text("concentrated"),
                    "period": .text("2025-09-30"), "decided_at": .integer(noon), "tickets": .integer(3),
                    "persons": .integer(1), "evidence": .text("{\"tickets\":[\(ids)]}"), "nodes": .text(jinan.code),
                ])
            _ = try await (store ?? top.store).intake([alert], now: noon)
            try await settle()
        }
        func items() async throws -> [InboxItem] { try await city.store.inbox(after: 0, limit: 10) }
        try await raise("yellow", ["\(qingdao)-1"])
        #expect(try await items().isEmpty, "it rests on nothing of the city")
        try await raise("yellow", ["\(jinan)-1", "\(qingdao)-1"])
        let first = try #require(try await items().first)
        #expect(first.kind == "alert" && first.ticket == "\(jinan)-1")
        #expect(first.key == "REPEAT-1" && first.node == province.code)
        try await raise("yellow", ["\(jinan)-1", "\(jinan)-2"])
        #expect(try await items().count == 1, "more of the same is no news")
        try await raise("orange", ["\(jinan)-1", "\(jinan)-2"])
        let both = try await items()
        #expect(both.map(\.detail) == ["yellow", "orange"] && both.last?.ticket == nil)
        try await raise("red", ["\(jinan)-1"], at: city.store)
        #expect(try await items().count == 2, "what it raised itself is no news")
    }

    @Test func `tells of conflicts and of rows that a receiver has put aside`() async throws {
        _ = try await city.store.intake([ticket(1)], now: noon)
        try await settle()
        let closure = stage("closure", of: 1, after: 10, ["closure_kind": .text("closed")])
        _ = try await top.store.intake([closure], now: noon)
        try await settle()
        let items = try await city.store.inbox(after: 0, limit: 10)
        #expect(items.map(\.kind) == ["closure", "conflict"] && items[1].detail == "E_STATE_NOT_OWNER")
        var status = LinkStatus(peer: province, direction: .sending, state: .level)
        status.quarantined = 3
        try await city.store.save(status)
        _ = try await city.store.intake([ticket(2)], now: noon)
        try await settle()
        let last = try #require(try await city.store.inbox(after: items[1].cursor, limit: 10).first)
        #expect(last.kind == "quarantine" && last.node == province.code && last.detail == "3" && last.ticket == nil)
    }
}
