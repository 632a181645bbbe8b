import ChangeSetFormat
import FederationModel
import LocalStore
import Testing
import Zstandard

/// Two releases: the later one has one more resource and one more column.
@Suite struct `Nodes of two schema revisions` {
    private static let today = BuiltInResources.schemaRevision
    private static let later: [ResourceDefinition] = {
        let meter = ResourceDefinition(
            "meter_reading", "抄表",
            columns: [
                .init("meter", "表号", level: .open, required: true), .init("value", "读数", .integer, level: .open),
            ],
            since: today + 1)
        // In the middle, so that the order of a sweep is another one too.
        var resources = BuiltInResources.all.map { resource in
            guard resource.name == "service_request" else { return resource }
            return ResourceDefinition(
                resource.name, resource.title, stage: resource.stage,
                columns: resource.columns + [.init("noise", "噪声", level: .open)], indexes: resource.indexes,
                flow: resource.flow, thread: resource.thread)
        }
        resources.insert(meter, at: 5)
        return resources
    }()

    private func link(_ sender: NodeStore, _ receiver: NodeStore) throws -> LinkPolicy {
        let all = sender.schemaRevision > receiver.schemaRevision ? sender.resources : receiver.resources
        let policy = LinkPolicy(from: sender.node, to: receiver.node, topology: qilu, resources: all)
        return try #require(policy).known(at: min(sender.schemaRevision, receiver.schemaRevision))
    }

    @discardableResult
    private func carry(_ sender: NodeStore, _ receiver: NodeStore, rowsMax: Int = 1_000) async throws -> [ApplyReport] {
        try await LocalStoreTests.carry(sender, receiver, policy: try link(sender, receiver), rowsMax: rowsMax)
    }

    private func records(_ numbers: ClosedRange<Int>, of origin: NodeID, isLater: Bool) -> [IntakeRecord] {
        numbers.flatMap { number -> [IntakeRecord] in
            var request = ticket(number, origin: origin)
            guard isLater else { return [request] }
            request.fields["noise"] = .text("吵\(number)")
            let reading = IntakeRecord(
                resource: "meter_reading", key: "\(origin)-m\(number)",
                fields: ["meter": .text("7"), "value": .integer(Int64(number))])
            return [request, reading]
        }
    }

    @Test(arguments: [2, 1_000])
    func `send each other in both directions what both know, and the column that only one knows is kept`(
        rowsMax: Int
    ) async throws {
        let newer = try TemporaryStore(jinan, resources: Self.later)
        let older = try TemporaryStore(province)
        #expect(newer.store.schemaRevision == Self.today + 1 && older.store.schemaRevision == Self.today)
        _ = try await newer.store.intake(records(1...9, of: jinan, isLater: true), now: noon)
        let up = try await carry(newer.store, older.store, rowsMax: rowsMax)
        #expect(up.reduce(0) { $0 + $1.applied } == 9 && up.allSatisfy { $0.quarantined == 0 })
        #expect(up.last?.cursor.sweep == .complete)
        #expect(try await older.store.count("service_request", where: "carried IS NOT NULL") == 9)
        // What is down: reference data and what somebody below must see.
        try await carry(older.store, newer.store, rowsMax: rowsMax)
        #expect(try await newer.store.cursor(of: province)?.sweep == .complete)
        // The other way round: the older one sends up.
        let (city, above) = (try TemporaryStore(jinan), try TemporaryStore(province, resources: Self.later))
        _ = try await city.store.intake(records(1...9, of: jinan, isLater: false), now: noon)
        #expect(try await carry(city.store, above.store, rowsMax: rowsMax).reduce(0) { $0 + $1.applied } == 9)
        #expect(try await above.store.cursor(of: jinan)?.sweep == .complete)
        try await carry(above.store, city.store, rowsMax: rowsMax)
        // Live changes go on.
        _ = try await city.store.intake(records(10...12, of: jinan, isLater: false), now: noon)
        #expect(try await carry(city.store, above.store).reduce(0) { $0 + $1.applied } == 3)
    }

    @Test func `have everything once the older one is upgraded: rows that lie behind its cursor are swept`()
        async throws
    {
        let newer = try TemporaryStore(jinan, resources: Self.later)
        let older = try TemporaryStore(province)
        _ = try await newer.store.intake(records(1...30, of: jinan, isLater: true), now: noon)
        try await carry(newer.store, older.store)
        try older.store.close()
        let upgraded = try NodeStore(at: older.path, resources: Self.later)
        defer { try? upgraded.close() }
        #expect(try await upgraded.cursor(of: jinan)?.revision == LinkRevision(topology: 0, policy: 0))
        let reports = try await carry(newer.store, upgraded, rowsMax: 7)
        #expect(try await upgraded.count("meter_reading") == 30)
        #expect(try await upgraded.count("service_request", where: "noise IS NOT NULL AND carried IS NULL") == 30)
        #expect(reports.reduce(0) { $0 + $1.applied } == 30 && reports.reduce(0) { $0 + $1.retracted } == 0)
        #expect(try await carry(newer.store, upgraded).isEmpty)
        // A second start asks for nothing again.
        try upgraded.close()
        let again = try NodeStore(at: older.path, resources: Self.later)
        defer { try? again.close() }
        #expect(try await again.cursor(of: jinan)?.revision == LinkRevision(topology: 1, policy: 0))
    }

    @Test func `of which the sender was upgraded last get its new rows by the tail`() async throws {
        let city = try TemporaryStore(jinan)
        let above = try TemporaryStore(province, resources: Self.later)
        _ = try await city.store.intake(records(1...3, of: jinan, isLater: false), now: noon)
        try await carry(city.store, above.store)
        try city.store.close()
        let upgraded = try NodeStore(at: city.path, resources: Self.later)
        defer { try? upgraded.close() }
        _ = try await upgraded.intake(records(1...3, of: jinan, isLater: true), now: noon + 1)
        let reports = try await carry(upgraded, above.store)
        #expect(reports.count == 1 && reports[0].applied == 6)
        #expect(try await above.store.count("meter_reading") == 3)
    }

    @Test func `with an older one between them lose nothing: columns pass it, rows wait until it is upgraded`()
        async throws
    {
        let county = try TemporaryStore(lixia, resources: Self.later)
        let city = try TemporaryStore(jinan)
        let above = try TemporaryStore(province, resources: Self.later)
        _ = try await county.store.intake(records(1...20, of: lixia, isLater: true), now: noon)
        try await carry(county.store, city.store, rowsMax: 6)
        try await carry(city.store, above.store, rowsMax: 6)
        #expect(try await above.store.count("service_request", where: "noise LIKE '吵%'") == 20)
        #expect(try await above.store.count("meter_reading") == 0)
        _ = try await county.store.intake(records(21...22, of: lixia, isLater: true), now: noon + 1)
        try await carry(county.store, city.store)
        try await carry(city.store, above.store)
        #expect(try await above.store.count("service_request", where: "noise LIKE '吵%'") == 22)

        try city.store.close()
        let upgraded = try NodeStore(at: city.path, resources: Self.later)
        defer { try? upgraded.close() }
        try await carry(county.store, upgraded, rowsMax: 6)
        try await carry(upgraded, above.store, rowsMax: 6)
        #expect(try await above.store.count("meter_reading") == 22)
        let read = "SELECT origin, \"key\", version, meter, value FROM meter_reading ORDER BY \"key\""
        #expect(
            try await above.store.rows(sql: read, arguments: []) == county.store.rows(sql: read, arguments: []))
    }
}
