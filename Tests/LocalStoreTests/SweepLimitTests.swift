import ChangeSetFormat
import FederationModel
import LocalStore
import TestSupport
import Testing
import Zstandard

import struct FederationModel.Cursor

/// A city's rows were deleted past the program, in SQL: there are no tombstones, and then a sweep comes by.
@Suite struct `A sweep that no longer names rows` {
    private let city: TemporaryStore
    private let above: TemporaryStore

    init() throws {
        city = try TemporaryStore(jinan, topology: qilu)
        above = try TemporaryStore(province, topology: qilu)
    }

    private func link(_ version: Int64, _ grant: LinkGrant = LinkGrant()) -> LinkPolicy {
        policy(from: jinan, to: province, topology: topology(version, grant))
    }

    private func topology(_ version: Int64, _ grant: LinkGrant) -> Topology {
        Topology(
            name: "test", version: version,
            nodes: qilu.nodes.map { node in
                TopologyNode(
                    id: node.id, name: node.name, parent: node.parent, region: node.region, endpoint: nil,
                    grant: node.id == jinan ? grant : LinkGrant())
            })
    }

    private func send(_ count: Int, calls: Int = 0) async throws {
        _ = try await city.store.intake((1...count).map { ticket($0) }, now: noon)
        if calls > 0 { _ = try await city.store.intake((1...calls).map { call($0) }, now: noon) }
        try await carry(city.store, above.store, policy: link(1))
    }

    private func lost() async throws -> Int { try await above.store.lostRows()[jinan] ?? 0 }

    private func count(_ resource: String = "service_request") async throws -> Int64? {
        try await above.store.count(resource)
    }

    /// What goes back to the city, and what that says of it.
    private func giveBack(_ policy: LinkPolicy) async throws -> Int {
        var position: LostPosition?
        var settled = 0
        while let (changeSet, end) = try await above.store.lostChangeSet(
            of: jinan, policy: policy, after: position, now: noon, compressor: ZstandardCompressor())
        {
            let incoming = try IncomingChangeSet(
                bytes: changeSet.bytes, policy: policy, resources: city.store.resources, now: noon)
            let taken = try await city.store.takeBack(incoming, policy: policy, now: noon)
            _ = try await above.store.settle(taken.settled, of: jinan, now: noon)
            (settled, position) = (settled + taken.settled.count, end)
        }
        return settled
    }

    @Test(arguments: [3, 1_000])
    func `takes none of them away when they are more than 5 of 100, and a person decides`(rowsMax: Int) async throws {
        try await send(600)
        try city.tamper("DELETE FROM service_request WHERE id % 19 = 0 OR id > 599")
        #expect(try await city.store.count("service_request") == 568)
        let reports = try await carry(city.store, above.store, policy: link(2), rowsMax: rowsMax)
        #expect(reports.last?.lost == 32 && reports.allSatisfy { $0.retracted == 0 })
        #expect(try await count() == 600)
        // The city knows nothing of them and has not gone back: it takes none, and says nothing of them.
        #expect(try await giveBack(link(2)) == 0)
        #expect(try await lost() == 32)
        // Another sweep asks again for the same ones.
        #expect(try await carry(city.store, above.store, policy: link(3), rowsMax: rowsMax).last?.lost == 32)
        _ = try await above.store.acceptLoss(of: jinan, rows: 32, now: noon)
        try await carry(city.store, above.store, policy: link(3), rowsMax: rowsMax)
        #expect(try await count() == 568)
        #expect(try await lost() == 0)
    }

    @Test(arguments: [3, 1_000])
    func `takes them away when they are fewer`(rowsMax: Int) async throws {
        try await send(600)
        try city.tamper("DELETE FROM service_request WHERE id % 20 = 0")
        let reports = try await carry(city.store, above.store, policy: link(2), rowsMax: rowsMax)
        #expect(reports.last?.lost == 0 && reports.reduce(0) { $0 + $1.retracted } == 30)
        #expect(try await count() == 570)
    }

    @Test func `takes 20 away at any share, and not 21`() async throws {
        try await send(22, calls: 21)
        try city.tamper("DELETE FROM service_request WHERE id > 1; DELETE FROM call_record WHERE id > 1")
        #expect(try await carry(city.store, above.store, policy: link(2)).last?.lost == 21)
        #expect(try await count() == 22)
        #expect(try await count("call_record") == 1)
    }

    @Test(arguments: [1, 15]) func `takes nothing away when it names none of a resource any more`(rows: Int)
        async throws
    {
        try await send(rows, calls: 3)
        try city.tamper("DELETE FROM service_request")
        #expect(try await carry(city.store, above.store, policy: link(2)).last?.lost == rows)
        #expect(try await count() == Int64(rows))
        #expect(try await count("call_record") == 3)
    }

    @Test func `of one resource is not outweighed by the rows of another`() async throws {
        try await send(1_000, calls: 30)
        try city.tamper("DELETE FROM call_record")
        #expect(try await carry(city.store, above.store, policy: link(2)).last?.lost == 30)
        #expect(try await count("call_record") == 30)
    }

    @Test func `takes away whatever the policy grants no more, and by the next policy keeps again`() async throws {
        try await send(100)
        var grant = LinkGrant()
        grant.tickets.requestTypes = ["9"]
        let reports = try await carry(city.store, above.store, policy: link(2, grant))
        #expect(reports.last?.lost == 0 && reports.reduce(0) { $0 + $1.retracted } == 100)
        try await carry(city.store, above.store, policy: link(3))
        #expect(try await count() == 100)
        try city.tamper("DELETE FROM service_request")
        #expect(try await carry(city.store, above.store, policy: link(4)).last?.lost == 100)
    }

    @Test func `takes nothing away that is kept as lost already, though less is granted now`() async throws {
        try await send(100)
        try city.tamper("DELETE FROM service_request")
        #expect(try await carry(city.store, above.store, policy: link(2)).last?.lost == 100)
        var grant = LinkGrant()
        grant.tickets.requestTypes = ["9"]
        #expect(try await carry(city.store, above.store, policy: link(3, grant)).last?.lost == 100)
        #expect(try await count() == 100)
    }

    @Test func `and has narrowed another resource keeps those of this one`() async throws {
        try await send(100, calls: 50)
        var grant = LinkGrant()
        grant.treatments["call_record"] = ["caller": .drop]
        try city.tamper("DELETE FROM service_request")
        #expect(try await carry(city.store, above.store, policy: link(2, grant)).last?.lost == 100)
    }

    @Test func `has rows taken away that were deleted by an order whose tombstones are gone, without a person`()
        async throws
    {
        try await send(60)
        let ids = (1...40).map { "370100-\($0)" }
        _ = try await city.store.remove(.delete, tickets: ids, reason: "unlawful", order: ulid(1), now: noon)
        try await city.store.catchUpConsumers(now: noon)
        // The province was away for longer than tombstones are kept.
        try await city.store.confirm(
            Cursor(
                epoch: city.store.epoch, seq: try await city.store.head(), revision: link(1).revision,
                sweep: .complete), by: province, now: noon)
        let later = noon + 3 * 3_600_000
        _ = try await city.store.advanceConsumers(now: later)
        _ = try await city.store.prune(receivers: [province], retention: 0, now: later)
        let start = Cursor(
            epoch: city.store.epoch, seq: try await city.store.head(), revision: link(1).revision,
            sweep: link(1).sweepStart)
        let sent = try await changeSet(city.store, from: start, policy: link(1), rowsMax: 1_000)
        let read = try IncomingChangeSet(
            bytes: sent.bytes, policy: link(1), resources: above.store.resources, now: noon)
        #expect(try await above.store.apply(read, policy: link(1), now: noon).lost == 40)
        // The order is here, and the rows are too: it proves nothing yet.
        try await above.store.catchUpConsumers(now: noon)
        #expect(try await above.store.removalOrders().count == 1)
        #expect(try await above.store.confirmed().isEmpty)
        #expect(try await giveBack(link(1)) == 40)
        #expect(try await lost() == 0)
        #expect(try await count() == 20)
        try await above.store.catchUpConsumers(now: noon)
        #expect(try await above.store.confirmed() == [ulid(1).description])
    }

    @Test func `decides nothing before its resource is through, and begins anew with the next sweep`() async throws {
        try await send(100)
        try city.tamper("DELETE FROM service_request WHERE id <= 50")
        let first = try await changeSet(
            city.store, from: try await startCursor(city.store, above.store, policy: link(2)), policy: link(2),
            rowsMax: 10)
        let read = try IncomingChangeSet(
            bytes: first.bytes, policy: link(2), resources: above.store.resources, now: noon)
        let report = try await above.store.apply(read, policy: link(2), now: noon)
        #expect(report.lost == 0 && report.retracted == 0)
        let before = try await (count(), lost())
        #expect(before == (100, 0))
        // Meanwhile the city has its rows back, from its own backup.
        _ = try await city.store.intake((1...50).map { ticket($0) }, now: noon + 1)
        #expect(try await carry(city.store, above.store, policy: link(3)).last?.lost == 0)
        let after = try await (count(), lost())
        #expect(after == (100, 0))
    }

    @Test func `loses nothing to the tombstones that come beside it`() async throws {
        try await send(100)
        let ids = (1...50).map { "370100-\($0)" }
        _ = try await city.store.remove(.delete, tickets: ids, reason: "unlawful", order: ulid(1), now: noon)
        try await city.store.catchUpConsumers(now: noon)
        let reports = try await carry(city.store, above.store, policy: link(2), rowsMax: 10)
        #expect(reports.last?.lost == 0)
        #expect(try await count() == 50)
        try await above.store.catchUpConsumers(now: noon)
        #expect(try await above.store.confirmed() == [ulid(1).description])
    }

    @Test func `takes everything away where the limit is switched off`() async throws {
        try await send(100)
        try city.tamper("DELETE FROM service_request")
        try above.store.close()
        let lenient = try NodeStore(at: above.path, retractionLimit: RetractionLimit(percent: 100))
        defer { try? lenient.close() }
        #expect(try await carry(city.store, lenient, policy: link(2)).last?.lost == 0)
        #expect(try await lenient.count("service_request") == 0)
    }

    /// The city says how much it has of the county: of what has come from it by now, that is all there is.
    private func say(_ isWhole: Bool, of origin: NodeID = lixia, _ policy: LinkPolicy) async throws {
        let freshness = OriginFreshness(
            asOf: noon, complete: isWhole, topology: policy.revision.topology, level: policy.revision.topology)
        _ = try await above.store.save(freshness: [origin: freshness], under: policy, now: noon)
    }

    /// What the province has of the county came over another node before, and the city has nothing of it yet.
    private func move(_ county: TemporaryStore, rows: Int) async throws {
        _ = try await city.store.intake((1...30).map { ticket($0) }, now: noon)
        _ = try await county.store.intake((1...rows).map { ticket($0, origin: lixia) }, now: noon)
        try await carry(county.store, city.store, policy: policy(from: lixia, to: jinan))
        try await carry(city.store, above.store, policy: link(1))
        #expect(try await count() == Int64(30 + rows))
        try above.tamper("UPDATE service_request SET supplier = 370200 WHERE origin = '370102'")
        try city.tamper("DELETE FROM service_request WHERE origin = '370102'")
        try city.tamper("DELETE FROM link_cursor")
    }

    @Test func `keeps what a former supplier brought until the new one has the whole of its origin`() async throws {
        let county = try TemporaryStore(lixia, topology: qilu)
        try await move(county, rows: 300)
        let reports = try await carry(city.store, above.store, policy: link(2))
        #expect(reports.reduce(0) { $0 + $1.retracted } == 0 && reports.last?.lost == 0)
        try await say(false, link(2))
        #expect(try await count() == 330)
        // Of its own records the city says the same as ever.
        try await say(true, of: jinan, link(2))
        #expect(try await count() == 330)
        // Now the county reaches it; five tickets it has deleted before.
        _ = try await county.store.remove(
            .delete, tickets: (1...5).map { "370102-\($0)" }, reason: "unlawful", order: ulid(1), now: noon)
        try await carry(county.store, city.store, policy: policy(from: lixia, to: jinan))
        try await carry(city.store, above.store, policy: link(2))
        // Another sweep is no word of the city that it is whole.
        try await carry(city.store, above.store, policy: link(3))
        #expect(try await count() == 330)
        try await say(true, link(2))
        #expect(try await count() == 330)
        try await say(true, link(3))
        let after = try await (count(), lost())
        #expect(after == (325, 0))
    }

    @Test func `keeps it as lost when the whole of its origin is much less`() async throws {
        let county = try TemporaryStore(lixia, topology: qilu)
        try await move(county, rows: 40)
        // The county's machine was set up afresh, and moved.
        let afresh = try TemporaryStore(lixia, topology: qilu)
        _ = try await afresh.store.intake([ticket(41, origin: lixia)], now: noon)
        try await carry(afresh.store, city.store, policy: policy(from: lixia, to: jinan))
        try await carry(city.store, above.store, policy: link(2))
        try await say(true, link(2))
        let kept = try await (count(), lost())
        #expect(kept == (71, 40))
        _ = try await above.store.acceptLoss(of: jinan, rows: 40, now: noon)
        let accepted = try await (count(), lost())
        #expect(accepted == (31, 0))
    }

    @Test func `lets go of it where the new way grants less`() async throws {
        let county = try TemporaryStore(lixia, topology: qilu)
        try await move(county, rows: 40)
        var narrow = LinkGrant()
        narrow.tickets.serviceCodes = ["99"]
        try above.store.publish(Standing(node: province, topology: topology(2, narrow)))
        try await carry(city.store, above.store, policy: link(2, narrow))
        try await say(true, link(2, narrow))
        let after = try await (count(), lost())
        #expect(after == (0, 0))
    }

    @Test func `a row that one has lost is awaited from who supplies its origin now`() async throws {
        let county = try TemporaryStore(lixia, topology: qilu)
        try await move(county, rows: 40)
        try above.tamper(
            "INSERT INTO lost_row SELECT 'service_request', id, '370200', 0 FROM service_request WHERE origin = '370102'"
        )
        try await carry(city.store, above.store, policy: link(2))
        #expect(try await above.store.lostRows().isEmpty)
        try await carry(county.store, city.store, policy: policy(from: lixia, to: jinan))
        try await carry(city.store, above.store, policy: link(2))
        try await say(true, link(2))
        #expect(try await above.store.lostRows().isEmpty)
        #expect(try await count() == 70)
    }

    @Test func `brings no older version of what came over another node before`() async throws {
        let below = policy(from: lixia, to: jinan)
        let county = try TemporaryStore(lixia, topology: qilu)
        _ = try await county.store.intake((1...3).map { ticket($0, origin: lixia) }, now: noon)
        try await carry(county.store, city.store, policy: below)
        try await carry(city.store, above.store, policy: link(1))
        // Of one ticket the other node had more.
        try above.tamper(
            """
            UPDATE service_request SET supplier = 370200, version = version + 65536, title = '新'
            WHERE "key" = '370102-2'
            """)
        try await carry(city.store, above.store, policy: link(2))
        #expect(try await count() == 3)
        #expect(try await above.store.count("service_request", where: "title = '新'") == 1)
        // What comes after that counts again.
        _ = try await county.store.intake([ticket(2, origin: lixia, title: "再")], now: noon + 60_000)
        try await carry(county.store, city.store, policy: below)
        try await carry(city.store, above.store, policy: link(2))
        #expect(try await above.store.count("service_request", where: "title = '再'") == 1)
    }
}
