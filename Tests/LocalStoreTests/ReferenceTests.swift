import FederationModel
import Foundation
import LocalStore
import LogicalQuery
import Testing

private let laiwu = CodeList(
    name: ReferenceData.regionList, title: "行政区划",
    entries: [
        .init(code: "370000", title: "山东省"),
        .init(code: "370100", title: "济南市", parent: "370000"),
        .init(code: "370116", title: "莱芜区", parent: "370100", validFrom: CivilDate.dayNumber("2019-01-01")),
        .init(
            code: "371202", title: "莱芜区", parent: "371200", validTo: CivilDate.dayNumber("2018-12-31"),
            successor: "370116"),
    ])

private let small = ReferenceData(
    version: 1, title: "测试", additions: [laiwu],
    notices: [
        HolidayNotice(
            year: 2025, holidays: [20_362: "国庆节"], workingDays: [20_372], specialDays: [20_246: "高考", 20_362: "会议"])
    ], limits: LimitRules([]))

private func ticket(_ number: Int, region: String?) -> IntakeRecord {
    var record = ticket(number)
    record.fields["region_code"] = region.map { .text($0) }
    return record
}

/// Counts by the dimensions, as the merged view adds them up.
private func answer(
    _ store: NodeStore, _ dimensions: [Analysis.Dimension], filters: [Analysis.Filter] = [], asOf day: String? = nil
) async throws -> [[ExactText?]: Int64] {
    let analysis = try Analysis(
        dimensions: dimensions, filters: filters, asOf: noon, regionsAsOf: day.flatMap { ShanghaiTime.parse($0) })
    var partial = PartialResult(for: analysis)
    for query in SQLiteDialect.compile(analysis, origins: [jinan], regions: laiwu) {
        for row in try await store.rows(sql: query.sql, arguments: query.arguments) { try partial.add(row, of: query) }
    }
    return partial.groups.mapValues { $0.sums[0] }
}

@Suite struct `Regions of the past` {
    @Test func `count under their successors in today's tree, and as they were in the tree of then`() async throws {
        let city = try TemporaryStore(jinan)
        let regions = ["371202", "371202001", "370116", "370102", "370102001003", nil]
        let records = regions.enumerated().map { ticket($0.offset, region: $0.element) }
        _ = try await city.store.intake(records, now: noon)
        let today = try await answer(city.store, [.region(.county)])
        #expect(today == [["370116"]: 3, ["370102"]: 2, [nil]: 1])
        #expect(try await answer(city.store, [.region(.city)]) == [["370100"]: 5, [nil]: 1])
        #expect(
            try await answer(
                city.store, [.region(.town)], filters: [Analysis.Filter(.region(.county), .equals, ["370116"])])
                == [["370116"]: 2, ["370116001"]: 1])
        let then = try await answer(city.store, [.region(.city)], asOf: "2018-06-30")
        #expect(then == [["371200"]: 2, ["370100"]: 3, [nil]: 1])
        // What is stored stays what was written.
        #expect(try await answer(city.store, [.region(nil)])[["371202"]] == 1)
    }
}

@Suite struct `Reference data of the top node` {
    @Test func `are read back from its rows`() async throws {
        let top = try TemporaryStore(province)
        #expect(try top.store.reference(of: province) == nil)
        _ = try await top.store.intake(small.records, now: noon)
        #expect(try top.store.reference(of: province) == small)
        #expect(try top.store.reference(of: jinan) == nil)
        let again = try await top.store.intake(small.records, now: noon + 1)
        #expect(again.outcomes.allSatisfy { $0 == .unchanged })
    }

    /// Only the top node owns them; a child's rows of them go nowhere.
    @Test func `are never sent upwards`() async throws {
        let (city, above) = (try TemporaryStore(jinan), try TemporaryStore(province))
        _ = try await city.store.intake(small.records + [ticket(1)], now: noon)
        try await carry(city.store, above.store, policy: policy(from: jinan, to: province))
        #expect(try await above.store.count("service_request") == 1)
        for resource in ReferenceResources.all { #expect(try await above.store.count(resource.name.text) == 0) }
    }

    @Test func `come in as a release only, not as single records`() async throws {
        let top = try TemporaryStore(province)
        let report = try await top.store.intake(
            rows: small.records.map { [$0] } + [[ticket(1, origin: province)]], isGuarded: false, now: noon)
        let codes = report.outcomes.map { if case .refused(let refusal) = $0 { refusal.code } else { "" } }
        #expect(codes == small.records.map { _ in "E_REFERENCE_RECORD" } + [""])
        #expect(try top.store.reference(of: province) == nil)
    }

    @Test func `decide which codes an intake takes`() async throws {
        let folder = try TemporaryStore(jinan)
        let channel = CodeList(name: "channel", title: "受理渠道", entries: [.init(code: "20", title: "机器人")])
        let store = try NodeStore(at: folder.path)
        defer { try? store.close() }
        let reference = ReferenceData(
            version: 1, title: "", additions: [channel], notices: [], limits: LimitRules([]))
        try store.publish(Standing(node: jinan, reference: reference))
        var record = ticket(1)
        record.fields["channel"] = .text("20")
        #expect(try await store.intake([record], now: noon).outcomes == [.accepted(.new)])
        await #expect(throws: FederationError.self) { try await folder.store.intake([record], now: noon) }
        #expect(try await store.count("service_request", where: "channel = '20'") == 1)
    }
}

@Suite struct `Local fields` {
    /// Clause 4.3: what nodes on the way do not know survives them.
    @Test func `of a county reach the province as they were, through the city`() async throws {
        let (county, city, above) = (
            try TemporaryStore(lixia), try TemporaryStore(jinan), try TemporaryStore(province)
        )
        let ext = #"{"is_night_noise":true,"decibel":61.50,"网格":"A-07","nested":{"a":[1,null,"\u00e9"]}}"#
        var record = ticket(1, origin: lixia)
        record.fields["ext"] = .text(ext)
        _ = try await county.store.intake([record], now: noon)
        try await carry(county.store, city.store, policy: policy(from: lixia, to: jinan))
        try await carry(city.store, above.store, policy: policy(from: jinan, to: province))
        for store in [county.store, city.store, above.store] {
            #expect(try await store.rows(sql: "SELECT ext FROM service_request", arguments: []) == [[.text(ext)]])
        }
    }
}
