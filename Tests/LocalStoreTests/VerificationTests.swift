import ChangeSetFormat
import FederationModel
import LocalStore
import TestSupport
import Testing
import Verification

private let link = policy(from: jinan, to: province)
private let scope = VerificationScope(sender: jinan, receiver: province, topologyVersion: 1)
private let requests: ResourceName = "service_request"

/// 济南 with some tickets, all of them at the province.
private func pair(tickets: Int = 300) async throws -> (city: TemporaryStore, province: TemporaryStore) {
    let city = try TemporaryStore(jinan, topology: qilu)
    let above = try TemporaryStore(province, topology: qilu)
    _ = try await city.store.intake((1...tickets).map { ticket($0) }, now: noon)
    try await carry(city.store, above.store, policy: link)
    return (city, above)
}

private func totals(_ store: TemporaryStore, _ policy: LinkPolicy = link) async throws -> [RangeTotal] {
    try await store.store.partedRanges(of: policy, scope).map(\.total)
}

@Suite struct `Both ends of a link` {
    @Test func `come to the same fingerprints when they hold the same rows`() async throws {
        let (city, above) = try await pair()
        let granted = try await totals(city)
        let received = try await totals(above)
        #expect(granted == received)
        #expect(granted.map(\.fingerprint.rows) == [300])
    }

    @Test(arguments: [
        "UPDATE service_request SET title = title || '。' WHERE key = '370100-150'",
        "UPDATE service_request SET version = version + 1 WHERE key = '370100-150'",
        "UPDATE service_request SET lat = lat + 1e-13 WHERE key = '370100-150'",
        "UPDATE service_request SET carried = '{\"x\":1}' WHERE key = '370100-150'",
        "UPDATE service_request SET reporter_name = '' WHERE key = '370100-150'",
        "UPDATE service_request SET key = '370100-150x' WHERE key = '370100-150'",
        "DELETE FROM service_request WHERE key = '370100-150'",
    ])
    func `come to others after any change of a row, by whatever way`(statement: String) async throws {
        let (city, above) = try await pair()
        let whole = try await city.store.partedRanges(of: link, scope)[0]
        try above.tamper(statement)
        let (ours, theirs) = (try await totals(above), try await totals(city))
        #expect(ours != theirs)
        let here = try await above.store.fingerprints(of: whole.ranges, policy: link, scope)
        let differing = zip(whole.ranges, zip(whole.parts, here)).filter { $1.0.fingerprint != $1.1 }.map(\.0)
        let range = try #require(differing.first)
        #expect(differing.count == 1)
        let sent = try await city.store.rows(in: range, limit: 100, of: link, scope).rows
        let held = try await above.store.rows(in: range, limit: 100, of: link, scope)
        let keys = Set(differences(granted: sent, received: held.rows).map(\.key))
        #expect(keys.contains("370100-150") && keys.isSubset(of: ["370100-150", "370100-150x"]))
        #expect(held.position?.seq == 300)
    }

    @Test func `agree on what the link masks, leaves out and carries along`() async throws {
        var grant = LinkGrant()
        grant.treatments[requests] = ["reporter_phone": .mask, "reporter_name": .token, "description": .drop]
        let topology = Topology(
            name: "test", version: 1,
            nodes: qilu.nodes.map { one in
                guard one.id == jinan else { return one }
                return TopologyNode(
                    id: one.id, name: one.name, parent: one.parent, region: one.region, endpoint: nil, grant: grant)
            })
        let treated = policy(from: jinan, to: province, topology: topology)
        let city = try TemporaryStore(jinan, topology: topology)
        let above = try TemporaryStore(province, topology: topology)
        var record = ticket(1)
        record.fields["reporter_phone"] = .text("13812348000")
        record.fields["reporter_name"] = .text("张三")
        record.fields["description"] = .text("请拨13812348000找我")
        _ = try await city.store.intake([record], now: noon)
        try await carry(city.store, above.store, policy: treated)
        let granted = try await totals(city, treated)
        let received = try await totals(above, treated)
        #expect(granted.count == 1 && granted == received)
    }

    @Test func `agree though one knows columns that the other only carries along`() async throws {
        let older = BuiltInResources.all.map { resource in
            guard resource.name == requests else { return resource }
            let columns = resource.columns.filter { !["lat", "title"].contains($0.name) }
            return ResourceDefinition(resource.name, resource.title, columns: columns, indexes: [])
        }
        let city = try TemporaryStore(jinan, topology: qilu)
        let above = try TemporaryStore(province, resources: older, topology: qilu)
        var record = ticket(1)
        record.fields["lat"] = .real(36)
        _ = try await city.store.intake([record, ticket(2)], now: noon)
        try await carry(city.store, above.store, policy: link)
        #expect(try await above.store.count("service_request", where: "carried IS NOT NULL") == 2)
        let received = try #require(
            LinkPolicy(from: jinan, to: province, topology: qilu, resources: older))
        let (granted, held) = (try await totals(city), try await totals(above, received))
        #expect(granted == held)
    }

    @Test func `are held against each other for one day, resource or origin`() async throws {
        let (city, above) = try await pair(tickets: 3)
        _ = try await city.store.intake([ticket(4, at: noon + 86_400_000)], now: noon)
        try await carry(city.store, above.store, policy: link)
        func rows(_ scope: VerificationScope) async throws -> [Int] {
            let here = try await city.store.partedRanges(of: link, scope).map(\.total)
            let there = try await above.store.partedRanges(of: link, scope).map(\.total)
            #expect(here == there)
            return here.map(\.fingerprint.rows)
        }
        func scope(_ resource: ResourceName? = nil, _ origin: NodeID? = nil, from: Int64? = nil) -> VerificationScope {
            VerificationScope(
                sender: jinan, receiver: province, resource: resource, origin: origin, topologyVersion: 1, from: from,
                to: from.map { $0 + 86_400_000 })
        }
        #expect(try await rows(scope(from: noon)) == [3])
        #expect(try await rows(scope(from: noon + 86_400_000)) == [1])
        #expect(try await rows(scope("handling")) == [])
        #expect(try await rows(scope(requests, jinan)) == [4])
        #expect(try await rows(scope(requests, lixia)) == [])
    }
}

@Suite struct `A sender says of a row that differs` {
    @Test func `that it is on its way, granted, withdrawn or unknown`() async throws {
        let (city, _) = try await pair(tickets: 3)
        _ = try await city.store.intake([ticket(2, title: "又不亮")], now: noon)
        let verdicts = try await city.store.verdicts(
            on: ["370100-1", "370100-2", "370100-9"], of: requests, origin: jinan, policy: link, seen: 3)
        #expect(verdicts == [.granted, .onItsWay, .unknown])
        let foreign = try await city.store.verdicts(
            on: ["370100-1"], of: requests, origin: jinan, policy: policy(from: jinan, to: lixia), seen: 99)
        #expect(foreign == [.withdrawn])
    }

    @Test func `so that what was lost or changed comes again by the tail, and what is not granted goes`() async throws {
        let (city, above) = try await pair(tickets: 5)
        try above.tamper(
            """
            DELETE FROM service_request WHERE key = '370100-1';
            UPDATE service_request SET title = 'x' WHERE key = '370100-2';
            UPDATE service_request SET key = '370100-77' WHERE key = '370100-3';
            """)
        let sent = try await city.store.resend(
            ["370100-1", "370100-2", "370100-3", "370100-77"], of: requests, origin: jinan, policy: link, now: noon)
        #expect(sent.rows == 3)
        let released = try await above.store.release(
            withdrawn: ["370100-77"], lost: ["370100-78"], of: requests, origin: jinan, from: jinan, now: noon)
        #expect(released.rows == 1)
        try await carry(city.store, above.store, policy: link)
        let (granted, received) = (try await totals(city), try await totals(above))
        #expect(granted == received)
        #expect(try await above.store.lostRows().isEmpty)
    }

    @Test func `and what it has lost is kept, and goes back to it`() async throws {
        let (_, above) = try await pair(tickets: 2)
        let released = try await above.store.release(
            withdrawn: [], lost: ["370100-1"], of: requests, origin: jinan, from: jinan, now: noon)
        #expect(released.rows == 1)
        #expect(try await above.store.lostRows() == [jinan: 1])
        // Nobody but its supplier has a say about a copy.
        let foreign = try await above.store.release(
            withdrawn: ["370100-2"], lost: [], of: requests, origin: jinan, from: qingdao, now: noon)
        #expect(foreign.rows == 0)
        #expect(try await above.store.count("service_request") == 2)
    }
}
