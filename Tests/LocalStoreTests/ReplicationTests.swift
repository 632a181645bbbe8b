import ChangeSetFormat
import FederationModel
import LocalStore
import TestSupport
import Testing
import Zstandard

@Suite struct ReplicationTests {
    let city: TemporaryStore
    let above: TemporaryStore
    let link = policy(from: jinan, to: province)

    init() throws {
        city = try TemporaryStore(jinan)
        above = try TemporaryStore(province)
    }

    @Test func `a first contact brings every row by a sweep, then changes come by the tail`() async throws {
        try await _ = city.store.intake((1...250).map { ticket($0) }, now: noon)
        let reports = try await carry(city.store, above.store, policy: link, rowsMax: 100)
        #expect(reports.reduce(0) { $0 + $1.applied } == 250)
        #expect(try await above.store.count("service_request") == 250)
        #expect(try await above.store.cursor(of: jinan)?.sweep == .complete)

        try await _ = city.store.intake([ticket(7, title: "已修好"), ticket(251)], now: noon + 1)
        let tail = try await carry(city.store, above.store, policy: link)
        #expect(tail.map(\.applied) == [2])
        #expect(try await above.store.count("service_request", where: "title = '已修好'") == 1)
    }

    @Test func `the same records handed in again change nothing and leave nothing to send`() async throws {
        let records = (1...50).map { ticket($0) }
        let first = try await city.store.intake(records, now: noon)
        try await carry(city.store, above.store, policy: link)
        let second = try await city.store.intake(records, now: noon + 60_000)
        #expect(first.outcomes.allSatisfy { $0 == .accepted(.new) })
        #expect(second.outcomes.allSatisfy { $0 == .unchanged })
        #expect(second.head == first.head)
        #expect(try await carry(city.store, above.store, policy: link).isEmpty)
    }

    @Test func `a change-set that is applied twice is refused the second time and changes nothing`() async throws {
        try await _ = city.store.intake((1...10).map { ticket($0) }, now: noon)
        let start = try await startCursor(city.store, above.store, policy: link)
        let outgoing = try await changeSet(city.store, from: start, policy: link)
        let incoming = try IncomingChangeSet(
            bytes: outgoing.bytes, policy: link, resources: BuiltInResources.all, now: noon)
        let report = try await above.store.apply(incoming, policy: link, now: noon)
        #expect(report.applied == 5)
        await #expect { try await above.store.apply(incoming, policy: link, now: noon) } throws: {
            ($0 as? FederationError)?.code == "E_CURSOR_MOVED"
        }
        #expect(try await above.store.count("service_request") == 5)
    }

    /// 5.2-2 of the domain model, with its counts.
    @Test func `a link that breaks after 400 of 1,000 changes ends with 1,000 rows, and what comes twice is skipped`()
        async throws
    {
        _ = try await city.store.intake((1...1_000).map { ticket($0) }, now: noon)
        let start = try await startCursor(city.store, above.store, policy: link)
        let first = try await changeSet(city.store, from: start, policy: link, rowsMax: 400)
        let incoming = try IncomingChangeSet(
            bytes: first.bytes, policy: link, resources: BuiltInResources.all, now: noon)
        #expect(try await above.store.apply(incoming, policy: link, now: noon).applied == 400)
        // The connection breaks here; the next one asks the receiver where to go on.
        let rest = try await carry(city.store, above.store, policy: link, rowsMax: 600)
        #expect(rest.map(\.applied).reduce(0, +) == 600)
        #expect(try await above.store.count("service_request") == 1_000)

        // A new revision states everything again: 400, then 600.
        let again = policy(from: jinan, to: province, topology: Topology(name: "", version: 2, nodes: qilu.nodes))
        let head = try await above.store.head()
        let restart = try await startCursor(city.store, above.store, policy: again)
        let repeated = try await changeSet(city.store, from: restart, policy: again, rowsMax: 400)
        _ = try await above.store.apply(
            try IncomingChangeSet(bytes: repeated.bytes, policy: again, resources: BuiltInResources.all, now: noon),
            policy: again, now: noon)
        let report = try #require(try await carry(city.store, above.store, policy: again, rowsMax: 600).first)
        #expect(report.applied == 0)
        #expect(report.skipped == 600)
        #expect(try await above.store.head() == head, "nothing to tell onwards")
    }

    @Test
    func `a sweep says again what is there, skips what is known, and what it does not list goes when that is accepted`()
        async throws
    {
        try await _ = city.store.intake((1...30).map { ticket($0) }, now: noon)
        try await carry(city.store, above.store, policy: link, rowsMax: 7)
        // The same city after a new epoch, in which ticket 31 is new and those above 20 are not there any more.
        let restored = try TemporaryStore(jinan, epoch: Epoch(counter: 2, nonce: 7))
        try await _ = restored.store.intake((1...20).map { ticket($0) } + [ticket(31)], now: noon)
        let reports = try await carry(restored.store, above.store, policy: link, rowsMax: 6)
        #expect(reports.reduce(0) { $0 + $1.retracted } == 0)
        #expect(try await above.store.count("service_request") == 31)
        _ = try await above.store.acceptLoss(of: jinan, rows: 10, now: noon)
        #expect(try await above.store.count("service_request") == 21)
        #expect(try await above.store.count("service_request", where: "deleted = 2 AND title IS NULL") == 10)
    }

    @Test func `texts that fill a change-set before its rows are counted go into several, and none is lost`()
        async throws
    {
        let long = String(repeating: "供热温度不达标。", count: 3_500)
        let records = (1...260).map { number in
            var record = ticket(number)
            record.fields["description"] = .text(long)
            return record
        }
        _ = try await city.store.intake(records, now: noon)
        let swept = try await carry(city.store, above.store, policy: link, rowsMax: 10_000)
        #expect(swept.count > 1)
        #expect(try await above.store.count("service_request") == 260)
        // The same by the tail: all of them change at once.
        _ = try await city.store.intake(
            records.map { record in
                var record = record
                record.fields["title"] = .text("改")
                return record
            }, now: noon + 1)
        let tail = try await carry(city.store, above.store, policy: link, rowsMax: 10_000)
        #expect(tail.count > 1)
        #expect(try await above.store.count("service_request", where: "deleted = 0 AND title = '改'") == 260)
    }

    @Test func `a county's rows reach the province through the city, and what the city lost sight of goes there too`()
        async throws
    {
        let county = try TemporaryStore(lixia)
        try await _ = county.store.intake((1...8).map { ticket($0, origin: lixia) }, now: noon)
        let lower = policy(from: lixia, to: jinan)
        try await carry(county.store, city.store, policy: lower)
        try await carry(city.store, above.store, policy: link)
        #expect(try await above.store.count("service_request", where: "origin = '370102'") == 8)

        let emptied = try TemporaryStore(lixia, epoch: Epoch(counter: 2, nonce: 1))
        try await _ = emptied.store.intake([ticket(1, origin: lixia)], now: noon)
        try await carry(emptied.store, city.store, policy: lower)
        _ = try await city.store.acceptLoss(of: lixia, rows: 7, now: noon)
        try await carry(city.store, above.store, policy: link)
        #expect(try await above.store.count("service_request") == 1)
    }

    @Test func `rows of an origin that the neighbour does not supply are refused and nothing is stored`() async throws {
        // A store that claims to be Jinan's but writes Qingdao's rows: made by relaying with a wider policy.
        let liar = try TemporaryStore(qingdao)
        try await _ = liar.store.intake([ticket(1, origin: qingdao)], now: noon)
        let wide = policy(from: qingdao, to: province)
        let start = try await startCursor(liar.store, above.store, policy: wide)
        let outgoing = try await changeSet(liar.store, from: start, policy: wide)
        #expect {
            try IncomingChangeSet(bytes: outgoing.bytes, policy: link, resources: BuiltInResources.all, now: noon)
        } throws: {
            ($0 as? FederationError)?.code == "E_ORIGIN_NOT_SUPPLIED"
        }
    }

    /// One command under a clock that was ahead must not cut a city off.
    @Test func `a version out of the future holds nothing up, and is issued anew once the clock is right`() async throws
    {
        let ahead = noon + 2 * 86_400_000
        _ = try await city.store.intake([ticket(1)], now: noon)
        _ = try await city.store.intake([ticket(2)], now: ahead)
        // Versions never go back by themselves: a machine can't tell whether its clock is wrong or was.
        _ = try await city.store.intake([ticket(3)], now: noon)
        try await carry(city.store, above.store, policy: link)
        #expect(try await above.store.count("service_request") == 1)
        #expect(try await above.store.quarantinedRows(limit: 9).map(\.rule) == ["E_FIELD_TIME", "E_FIELD_TIME"])
        // A retry does not let in what may not come in.
        #expect(try await above.store.retryQuarantined(nil, policies: [jinan: link], now: noon).kept == 2)
        #expect(try await above.store.retryEarlyRows(policies: [jinan: link], now: noon) == QuarantineRetry())
        #expect(try await above.store.count("service_request") == 1)
        #expect(try await city.store.reissueFutureVersions(now: noon).rows == 2)
        #expect(try await city.store.reissueFutureVersions(now: noon).rows == 0)
        _ = try await city.store.intake([ticket(4)], now: noon)
        try await carry(city.store, above.store, policy: link)
        #expect(try await above.store.count("service_request") == 4)
        #expect(try await above.store.quarantinedRows(limit: 9).isEmpty)
    }

    @Test func `what is issued anew comes after the versions of this node that neighbours may hold`() async throws {
        _ = try await city.store.intake([ticket(1)], now: noon + SyncLimits.clockSkewMax)
        _ = try await city.store.intake([ticket(2)], now: noon + 86_400_000)
        #expect(try await city.store.reissueFutureVersions(now: noon).rows == 1)
        _ = try await city.store.intake([ticket(3)], now: noon)
        let versions = try await city.store.rows(
            sql: "SELECT version FROM service_request ORDER BY \"key\"", arguments: [])
        let numbers = versions.compactMap { $0[0].integer }
        #expect(numbers.count == 3 && numbers[0] < numbers[1] && numbers[1] < numbers[2])
    }

    @Test func `what a receiver put aside because its own clock was behind is taken once that is right`() async throws {
        _ = try await city.store.intake([ticket(1), ticket(2)], now: noon)
        try await carry(city.store, above.store, policy: link, receivedAt: noon - 86_400_000)
        #expect(try await above.store.count("service_request") == 0)
        #expect(try await above.store.quarantinedRows(limit: 9).count == 2)
        let retry = try await above.store.retryEarlyRows(policies: [jinan: link], now: noon)
        #expect(retry.taken == 2 && retry.kept == 0)
        #expect(try await above.store.count("service_request") == 2)
        #expect(try await above.store.quarantinedRows(limit: 9).isEmpty)
    }

    @Test func `nothing is taken in under a clock that can't be right, until a neighbour agrees with it`() async throws
    {
        _ = try await city.store.intake([ticket(1)], now: noon - 86_400_000)
        try await city.store.noteAgreedClock(now: noon)
        for wrong in [0, noon - SyncLimits.clockSkewMax - 1, noon + 367 * 86_400_000] {
            let code = await errorCode { _ = try await city.store.intake([ticket(2)], now: wrong) }
            #expect(code == "E_CLOCK_IMPLAUSIBLE")
        }
        _ = try await city.store.intake([ticket(2)], now: noon - SyncLimits.clockSkewMax)
        _ = try await city.store.intake([ticket(3)], now: noon + 300 * 86_400_000)
        try await city.store.noteAgreedClock(now: noon - 7_200_000)
        _ = try await city.store.intake([ticket(4)], now: noon - 7_200_000)
        #expect(try await city.store.count("service_request") == 4)
    }

    @Test func `versions go on when the clock steps back, so that what is written later counts`() async throws {
        _ = try await city.store.intake([ticket(3)], now: noon + SyncLimits.clockSkewMax)
        try await carry(city.store, above.store, policy: link)
        _ = try await city.store.intake([ticket(3, title: "改")], now: noon)
        try await carry(city.store, above.store, policy: link)
        #expect(try await above.store.count("service_request", where: "title = '改'") == 1)
    }

    @Test func `a resource in logical mode is not in the change-set`() async throws {
        let nodes = qilu.nodes.map {
            $0.id != jinan
                ? $0
                : TopologyNode(
                    id: $0.id, name: $0.name, parent: $0.parent, region: $0.region, endpoint: nil,
                    modes: ["recording": .logical])
        }
        let narrow = policy(from: jinan, to: province, topology: Topology(name: "", version: 1, nodes: nodes))
        try await _ = city.store.intake(
            [ticket(1), IntakeRecord(resource: "recording", key: "r1", fields: ["uri": .text("file:///r1")])], now: noon
        )
        try await carry(city.store, above.store, policy: narrow)
        #expect(try await above.store.count("service_request") == 1)
        #expect(try await above.store.count("recording") == 0)
    }

    @Test func `one bad row is put aside and blocks nothing`() async throws {
        try await _ = city.store.intake([ticket(1), ticket(2), ticket(3)], now: noon)
        // The city's release lets a channel through that does not even look like a code.
        _ = try await city.store.rows(sql: "SELECT 1", arguments: [])
        let start = try await startCursor(city.store, above.store, policy: link)
        let outgoing = try await changeSet(city.store, from: start, policy: link)
        // The receiver demands a field that the sender's release does not know.
        let stricter = BuiltInResources.all.map { resource in
            resource.name != "service_request"
                ? resource
                : ResourceDefinition(
                    resource.name, resource.title, stage: resource.stage,
                    columns: resource.columns.map {
                        $0.name == "title"
                            ? ColumnDefinition("title", $0.title, level: $0.level, bytesMax: 3) : $0
                    }, indexes: resource.indexes)
        }
        let incoming = try IncomingChangeSet(bytes: outgoing.bytes, policy: link, resources: stricter, now: noon)
        let report = try await above.store.apply(incoming, policy: link, now: noon)
        #expect(report.quarantined == 3)
        #expect(report.applied == 0)
        let held = try await above.store.quarantinedRows(limit: 10)
        #expect(held.map(\.rule) == ["E_FIELD_TOO_LONG", "E_FIELD_TOO_LONG", "E_FIELD_TOO_LONG"])
        #expect(held.allSatisfy { !$0.detail.contains("路灯") })

        // Their good look releases them.
        try await _ = city.store.intake([ticket(1, title: "新"), ticket(2, title: "新")], now: noon)
        try await carry(city.store, above.store, policy: link)
        #expect(try await above.store.quarantinedRows(limit: 10).map(\.key) == ["370100-3"])
    }
}
