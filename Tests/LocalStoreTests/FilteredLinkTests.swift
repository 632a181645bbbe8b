import ChangeSetFormat
import FederationModel
import LocalStore
import Testing
import Zstandard

/// The chain county, city, province with what each gives upwards.
func chain(
    _ version: Int64, _ county: LinkGrant, _ city: LinkGrant = LinkGrant(), modes: [ResourceName: AggregationMode] = [:]
)
    -> Topology
{
    Topology(
        name: "chain", version: version,
        nodes: [
            TopologyNode(id: province, name: "山东省", parent: nil, region: "370000", endpoint: nil),
            TopologyNode(
                id: jinan, name: "济南市", parent: province, region: "370100", endpoint: nil, modes: modes, grant: city),
            TopologyNode(
                id: lixia, name: "历下区", parent: jinan, peers: [qingdao], region: "370102", endpoint: nil, grant: county),
            TopologyNode(
                id: qingdao, name: "青岛市", parent: province, peers: [lixia], region: "370200", endpoint: nil,
                sharedWithPeers: ["service_request"]),
        ])
}

/// A ticket whose filter columns matter.
func ticket(_ number: Int, origin: NodeID, region: String, type: String = "2", phone: String = "13812348000")
    -> IntakeRecord
{
    var record = ticket(number, origin: origin)
    record.fields["region_code"] = .text(region)
    record.fields["request_type"] = .text(type)
    record.fields["reporter_phone"] = .text(phone)
    record.fields["reporter_id_number"] = .text("370102199001010016")
    return record
}

/// Rows of one change-set as somebody on the wire sees them.
struct SentRow: Hashable {
    let resource: ResourceName
    let kind: BlockKind
    let fields: [String: FieldValue]
    var id: String { "\(resource) \(fields["origin"]?.text ?? "") \(fields["key"]?.text ?? "")" }
}

func rows(sentIn bytes: [UInt8]) throws -> [SentRow] {
    try InspectedChangeSet(bytes: bytes, resources: BuiltInResources.all).rows().map {
        SentRow(resource: $0.resource, kind: $0.kind, fields: $0.fields)
    }
}

@Suite struct `A link with a policy` {
    let county: TemporaryStore
    let city: TemporaryStore

    init() throws {
        county = try TemporaryStore(lixia, isFiltered: true)
        city = try TemporaryStore(jinan, isFiltered: true)
    }

    private func grant(types: [String] = [], _ fields: [String: FieldTreatment] = [:]) -> LinkGrant {
        var grant = LinkGrant()
        grant.tickets.requestTypes = types
        grant.treatments["service_request"] = fields
        return grant
    }

    private func link(_ grant: LinkGrant, version: Int64 = 1) -> LinkPolicy {
        policy(from: lixia, to: jinan, topology: chain(version, grant))
    }

    /// 5.2-4 of the domain model.
    @Test func `never lets out a column that is dropped, and masks and tokenises others`() async throws {
        _ = try await county.store.intake([ticket(1, origin: lixia, region: "370102")], now: noon)
        let link = link(grant(["reporter_phone": .mask, "reporter_id_number": .drop, "title": .token]))
        let start = try await startCursor(county.store, city.store, policy: link)
        let outgoing = try await changeSet(county.store, from: start, policy: link)
        let inspected = try InspectedChangeSet(bytes: outgoing.bytes, resources: BuiltInResources.all)
        let columns = inspected.blocks.flatMap(\.columns).map(\.name)
        #expect(columns.contains("reporter_phone") && !columns.contains("reporter_id_number"))
        let sent = try #require(try rows(sentIn: outgoing.bytes).first)
        #expect(sent.fields["reporter_phone"] == .text("138****8000"))
        #expect(sent.fields["title"]?.text?.hasPrefix("~0f") == true)
        try await carry(county.store, city.store, policy: link)
        #expect(try await city.store.count("service_request", where: "reporter_id_number IS NULL") == 1)
    }

    @Test func `retracts a ticket that leaves the filter with its thread, and tells no key that was never granted`()
        async throws
    {
        let link = link(grant(types: ["2"]))
        try await carry(county.store, city.store, policy: link)
        let handled = stage("handling", of: 1, origin: lixia, after: 5, ["contacted": .integer(1)])
        let hidden = stage("handling", of: 2, origin: lixia, after: 5, [:])
        _ = try await county.store.intake(
            [
                ticket(1, origin: lixia, region: "370102"), ticket(2, origin: lixia, region: "370102", type: "4"),
                handled, hidden,
            ],
            now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await city.store.count("service_request") == 1)
        #expect(try await city.store.count("handling") == 1)

        _ = try await county.store.intake(
            [
                ticket(1, origin: lixia, region: "370102", type: "4"),
                ticket(2, origin: lixia, region: "370102", type: "3"),
            ],
            now: noon + 1)
        let start = try await startCursor(county.store, city.store, policy: link)
        let sent = try rows(sentIn: await changeSet(county.store, from: start, policy: link, rowsMax: 100).bytes)
        #expect(
            Set(sent.map(\.id)) == ["service_request 370102 370102-1", "handling 370102 370102-1.handling.5"])
        for row in sent {
            #expect(row.fields.filter { !$0.value.isNull }.keys.sorted() == ["deleted", "key", "origin", "version"])
        }
        try await carry(county.store, city.store, policy: link)
        #expect(try await city.store.count("service_request") == 0)
        #expect(try await city.store.count("handling") == 0)

        // And back into sight, thread and all.
        _ = try await county.store.intake([ticket(1, origin: lixia, region: "370102")], now: noon + 2)
        try await carry(county.store, city.store, policy: link)
        #expect(try await city.store.count("handling", where: "deleted = 0 AND contacted = 1") == 1)
    }

    /// 保密提升 ∥ 共享 of the domain model, 6.4: raising wins, and receivers let go.
    @Test func `gives nothing for an audience that is about to end, or nobody would take it back`() async throws {
        // The link copies reports of one type alone, so what else goes over it goes by its audience.
        let link = policy(from: lixia, to: jinan, topology: chain(1, grant(types: ["1"])))
        let county = try TemporaryStore(lixia, topology: chain(1, grant(types: ["1"])), isFiltered: true)
        let city = try TemporaryStore(jinan)
        let offer = stage(
            "transfer", of: 1, origin: lixia, after: 1,
            ["transfer_id": .text("t"), "step": .text("offer"), "to_node": .text(province.code)])
        try await _ = county.store.intake([offer], now: noon)
        try await county.store.catchUpConsumers(now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await city.store.count("transfer") == 1)
        // The ticket itself comes now, and is a report on whom it was offered to: nobody is to see it.
        var report = ticket(1, origin: lixia)
        report.fields["request_type"] = .text("4")
        report.fields["respondent_name"] = .text("山东省")
        try await _ = county.store.intake([report], now: noon + 1)
        try await carry(county.store, city.store, policy: link)
        #expect(try await city.store.count("service_request") == 0)
        try await county.store.catchUpConsumers(now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await city.store.count("transfer") == 0)
    }

    @Test func `takes a ticket back whose protection is raised, and gives it again when its origin lowers it`()
        async throws
    {
        var open = LinkGrant()
        open.tickets.confidential = false
        let link = link(open)
        func set(_ confidential: String, after minutes: Int64, _ number: Int = 1) -> IntakeRecord {
            stage(
                "ticket_action", of: number, origin: lixia, after: minutes,
                ["action": .text("set_confidential"), "target": .text(confidential)])
        }
        _ = try await county.store.intake([ticket(1, origin: lixia, region: "370102")], now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await city.store.count("service_request") == 1)

        // A ticket that is raised in the transaction that brings it was never granted: its key is not told.
        _ = try await county.store.intake(
            [
                set("reporter_protected", after: 5), ticket(2, origin: lixia, region: "370102"),
                set("name_hidden", after: 1, 2),
            ],
            now: noon)
        let start = try await startCursor(county.store, city.store, policy: link)
        let sent = try rows(sentIn: await changeSet(county.store, from: start, policy: link, rowsMax: 100).bytes)
        #expect(sent.map(\.id) == ["service_request 370102 370102-1"])
        #expect(sent.allSatisfy { $0.fields["title"]?.text == nil })
        try await carry(county.store, city.store, policy: link)
        #expect(try await city.store.count("service_request") == 0)
        #expect(try await city.store.count("ticket_action") == 0)

        _ = try await county.store.intake([set("none", after: 9)], now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await city.store.count("service_request", where: "deleted = 0 AND title IS NOT NULL") == 1)
        #expect(try await city.store.count("ticket_action") == 2)
    }

    @Test func `gives the tickets that a unit handles now, also those from before the filter`() async throws {
        var mine = LinkGrant()
        mine.tickets.units = ["市住建局"]
        let upper = try TemporaryStore(province)
        let link = policy(from: jinan, to: province, topology: chain(1, LinkGrant(), mine))
        func dispatch(_ number: Int, to unit: String, after minutes: Int64) -> IntakeRecord {
            stage(
                "assignment", of: number, after: minutes,
                ["assignee_unit": .text(unit), "role": .text("main"), "due_datetime": .integer(noon)])
        }
        // A node without such a filter, which gets one.
        let plain = try TemporaryStore(jinan)
        _ = try await plain.store.intake([ticket(1), ticket(2), dispatch(1, to: "市住建局", after: 5)], now: noon)
        let store = plain.store
        try store.logScope(isFolded: true)
        try await carry(store, upper.store, policy: link)
        #expect(try await upper.store.count("service_request") == 1)
        _ = try await store.intake(
            [dispatch(1, to: "市城管局", after: 9), dispatch(2, to: "市住建局", after: 9)], now: noon)
        try await carry(store, upper.store, policy: link)
        #expect(try await upper.store.count("service_request", where: "deleted = 0 AND global_id = '370100-2'") == 1)
        #expect(try await upper.store.count("service_request") == 1)
        #expect(try await upper.store.count("assignment") == 1)
    }

    @Test func `goes over to a new policy bucket by bucket, with the old rows in sight until then`() async throws {
        _ = try await county.store.intake(
            (1...40).map { ticket($0, origin: lixia, region: "370102", type: $0 % 2 == 0 ? "2" : "3") }, now: noon)
        try await carry(county.store, city.store, policy: link(grant(types: ["2"])))
        #expect(try await city.store.count("service_request") == 20)

        let next = link(grant(types: ["3"], ["reporter_phone": .drop]), version: 2)
        let start = try await startCursor(county.store, city.store, policy: next)
        let first = try await changeSet(county.store, from: start, policy: next, rowsMax: 5)
        let incoming = try IncomingChangeSet(
            bytes: first.bytes, policy: next, resources: BuiltInResources.all, now: noon)
        _ = try await city.store.apply(incoming, policy: next, now: noon)
        let old = try await city.store.count("service_request", where: "deleted = 0 AND request_type = '2'") ?? 0
        #expect((1..<20).contains(old))
        // The connection breaks; the sweep goes on at its bucket.
        let rest = try await carry(county.store, city.store, policy: next, rowsMax: 7)
        #expect(rest.reduce(0) { $0 + $1.applied } == 15)
        #expect(
            try await city.store.count(
                "service_request", where: "deleted = 0 AND request_type = '3' AND reporter_phone IS NULL") == 20)
        #expect(try await city.store.count("service_request") == 20)
    }

    @Test func `never takes a masked look of one's own ticket from a neighbour`() async throws {
        _ = try await county.store.intake([ticket(1, origin: lixia, region: "370102")], now: noon)
        let up = link(grant(["reporter_phone": .mask]))
        let start = try await startCursor(county.store, city.store, policy: up)
        let masked = try await changeSet(county.store, from: start, policy: up)
        // The city is made a peer that sends it back: neither the link nor the origin allows it.
        let back = policy(from: qingdao, to: lixia, topology: chain(1, LinkGrant()))
        #expect {
            try IncomingChangeSet(bytes: masked.bytes, policy: back, resources: BuiltInResources.all, now: noon)
        } throws: {
            ($0 as? FederationError)?.code == "E_ORIGIN_NOT_SUPPLIED"
        }
        #expect(try await county.store.count("service_request", where: "reporter_phone = '13812348000'") == 1)
    }

    @Test func `says beforehand what a new policy will add, retract and send again`() async throws {
        _ = try await county.store.intake(
            (1...30).map { ticket($0, origin: lixia, region: "370102", type: ["1", "2", "3"][$0 % 3]) }
                + [stage("handling", of: 1, origin: lixia, after: 5, [:])], now: noon)
        let (old, new) = (link(grant(types: ["1", "2"])), link(grant(types: ["2", "3"]), version: 2))
        try await carry(county.store, city.store, policy: old)
        let plans = try await county.store.plan(from: old, to: new, now: noon, compressor: ZstandardCompressor())
        #expect(plans.map(\.resource) == ["service_request", "handling"])
        #expect(plans.map { [$0.added, $0.retracted, $0.again] } == [[10, 10, 10], [0, 0, 1]])
        #expect(plans.allSatisfy { $0.bytes > 0 })
        let before = Set(
            try await city.store.rows(sql: "SELECT \"key\" FROM service_request WHERE deleted = 0", arguments: []))
        try await carry(county.store, city.store, policy: new)
        let after = Set(
            try await city.store.rows(sql: "SELECT \"key\" FROM service_request WHERE deleted = 0", arguments: []))
        #expect(after.subtracting(before).count == 10 && before.subtracting(after).count == 10)
    }

    /// 5.2-5 of the domain model.
    @Test
    func `to a resource that goes over to queries and back deletes the copies, keeps a record, and fills up again`()
        async throws
    {
        let upper = try TemporaryStore(province)
        func link(_ version: Int64, _ mode: AggregationMode) -> LinkPolicy {
            policy(from: jinan, to: province, topology: chain(version, LinkGrant(), modes: ["service_request": mode]))
        }
        _ = try await city.store.intake((1...500).map { ticket($0) }, now: noon)
        try await carry(city.store, upper.store, policy: link(1, .logical))
        #expect(try await upper.store.count("service_request") == 0)
        let reports = try await carry(city.store, upper.store, policy: link(2, .physical))
        #expect(reports.reduce(0) { $0 + $1.applied } == 500)

        try await upper.store.adopt(chain(2, LinkGrant()))
        let logical = link(3, .logical)
        let records = try await upper.store.adopt(chain(3, LinkGrant(), modes: ["service_request": .logical]))
        #expect(records.map(\.rows) == [500])
        #expect(try await upper.store.deletions() == records)
        #expect(try await upper.store.count("service_request") == 0)
        #expect(try await upper.store.count("service_request", where: "title IS NOT NULL") == 0)
        #expect(try await upper.store.adopt(chain(3, LinkGrant(), modes: ["service_request": .logical])).isEmpty)
        try await carry(city.store, upper.store, policy: logical)
        try await upper.store.adopt(chain(4, LinkGrant()))
        try await carry(city.store, upper.store, policy: link(4, .physical))
        #expect(try await upper.store.count("service_request") == 500)
    }
}
