import ChangeSetFormat
import FederationModel
import LocalStore
import TestSupport
import Testing

/// A bad row among good ones: only it is put aside, wherever it stands and by whichever way it comes.
@Suite struct `Bad rows on a link` {
    private let city: TemporaryStore
    private let above: TemporaryStore
    private let long = String(repeating: "长", count: 1_000)

    /// The city's release takes longer titles than the province's.
    init() throws {
        city = try TemporaryStore(jinan, resources: longTitles)
        above = try TemporaryStore(province)
    }

    private func link(_ version: Int64 = 1) -> LinkPolicy {
        policy(
            from: jinan, to: province, topology: Topology(name: "test", version: version, nodes: qilu.nodes))
    }

    private func aside() async throws -> [String] {
        try await above.store.quarantinedRows(limit: 100).map(\.key).sorted()
    }

    private func titles() async throws -> [String: String] {
        let rows = try await above.store.rows(
            sql: "SELECT \"key\", title FROM service_request WHERE deleted = 0", arguments: [])
        return Dictionary(uniqueKeysWithValues: rows.map { ($0[0].text ?? "", $0[1].text ?? "") })
    }

    @Test(arguments: [[1], [10], [4, 5], Array(1...10)], [true, false])
    func `leave the good ones of their change-set alone, and the cursor goes on`(bad: [Int], inSweep: Bool) async throws
    {
        if !inSweep { try await carry(city.store, above.store, policy: link()) }
        _ = try await city.store.intake(
            (1...10).map { ticket($0, title: bad.contains($0) ? long : "好") }, now: noon)
        let reports = try await carry(city.store, above.store, policy: link())
        #expect(reports.count == 1 && reports[0].quarantined == bad.count && reports[0].applied == 10 - bad.count)
        #expect(try await aside() == bad.map { "370100-\($0)" }.sorted())
        #expect(try await titles().count == 10 - bad.count)
        #expect(try await carry(city.store, above.store, policy: link()).isEmpty, "nothing is sent again and again")
    }

    @Test func `leave the good image that is here, also through a sweep, until a good one comes`() async throws {
        _ = try await city.store.intake([ticket(1, title: "初"), ticket(2, title: "初")], now: noon)
        try await carry(city.store, above.store, policy: link())
        _ = try await city.store.intake([ticket(1, title: long)], now: noon + 1)
        try await carry(city.store, above.store, policy: link())
        #expect(try await titles() == ["370100-1": "初", "370100-2": "初"])
        #expect(try await aside() == ["370100-1"])
        let swept = try await carry(city.store, above.store, policy: link(2))
        #expect(swept.reduce(0) { $0 + $1.retracted } == 0)
        #expect(try await titles()["370100-1"] == "初")
        #expect(try await aside() == ["370100-1"])
        _ = try await city.store.intake([ticket(1, title: "改")], now: noon + 2)
        try await carry(city.store, above.store, policy: link(2))
        #expect(try await titles()["370100-1"] == "改")
        #expect(try await aside().isEmpty)
    }

    @Test func `are forgotten when they are deleted, or no longer granted in a sweep`() async throws {
        _ = try await city.store.intake((1...3).map { ticket($0, title: long) }, now: noon)
        try await carry(city.store, above.store, policy: link())
        #expect(try await aside().count == 3)
        _ = try await city.store.remove(.delete, tickets: ["370100-1"], reason: "unlawful", order: ulid(1), now: noon)
        try await city.store.catchUpConsumers(now: noon)
        try await carry(city.store, above.store, policy: link())
        #expect(try await aside() == ["370100-2", "370100-3"])
        var grant = LinkGrant()
        grant.tickets.requestTypes = ["9"]
        let narrow = policy(
            from: jinan, to: province,
            topology: Topology(
                name: "test", version: 2,
                nodes: qilu.nodes.map {
                    TopologyNode(
                        id: $0.id, name: $0.name, parent: $0.parent, region: $0.region, endpoint: nil,
                        grant: $0.id == jinan ? grant : LinkGrant())
                }))
        try await carry(city.store, above.store, policy: narrow)
        #expect(try await aside().isEmpty)
    }

    @Test func `are taken in the order of their versions by an upgraded release, none over a later good one`()
        async throws
    {
        _ = try await city.store.intake((1...3).map { ticket($0, title: long) }, now: noon)
        try await carry(city.store, above.store, policy: link())
        _ = try await city.store.intake([ticket(2, title: "好")], now: noon + 60_000)
        try await carry(city.store, above.store, policy: link())
        try above.store.close()
        let upgraded = try NodeStore(at: above.path, resources: city.store.resources)
        defer { try? upgraded.close() }
        let retry = try await upgraded.retryQuarantined(nil, policies: [jinan: link()], now: noon)
        #expect(retry.taken == 2 && retry.kept == 0)
        #expect(try await upgraded.count("service_request", where: "length(title) = 1000") == 2)
        #expect(try await upgraded.count("service_request", where: "title = '好'") == 1)
        // Both ends are level: the sender hears in the next acknowledgement that nothing is aside any more.
        _ = try await city.store.intake([ticket(4)], now: noon + 120_000)
        #expect(try await carry(city.store, upgraded, policy: link()).last?.quarantinedTotal == 0)
    }
}
