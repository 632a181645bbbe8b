import FederationModel
import LocalStore
import LogicalQuery
import Testing

@Suite struct `A page of rows from the store` {
    @Test(arguments: 0..<20)
    func `has the rows that the filter gives, as the model says it, each once`(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let city = try TemporaryStore(jinan)
        var records: [IntakeRecord] = []
        for number in 1...40 {
            var record = ticket(number, at: noon + Int64.random(in: -5...5, using: &random))
            record.fields["region_code"] = ["370102", "370103", "370112", "371402001", nil].randomElement(
                using: &random)?.map {
                    .text($0)
                }
            record.fields["service_code"] = ["01.02", "01.03", "02", "中", nil].randomElement(using: &random)?.map {
                .text($0)
            }
            record.fields["request_type"] = ["2", "3"].randomElement(using: &random).map { .text($0) }
            record.fields["confidential"] = ["none", "name_hidden", nil].randomElement(using: &random)?.map {
                .text($0)
            }
            records.append(record)
            records.append(stage("handling", of: number, after: 5, ["unit": .text("市住建局")]))
        }
        _ = try await city.store.intake(records, now: noon)

        var filter = GrantFilter()
        if Bool.random(using: &random) {
            filter.regions = ["370102", "371100"].filter { _ in Bool.random(using: &random) }
        }
        if Bool.random(using: &random) { filter.serviceCodes = ["01.", "中"] }
        if Bool.random(using: &random) { filter.requestTypes = ["2"] }
        if Bool.random(using: &random) { filter.confidential = Bool.random(using: &random) }
        if Bool.random(using: &random) { filter.from = noon }
        let given = records.filter { record in
            record.resource == "service_request" && filter.gives { record.fields[$0] ?? .null }
        }
        for resource: ResourceName in ["service_request", "handling"] {
            let ids = try await pages(of: resource, within: filter, limit: Int.random(in: 1...50, using: &random), city)
            #expect(Set(ids) == Set(given.compactMap { $0.fields["global_id"]?.text }), "\(resource) \(filter)")
            #expect(ids.count == given.count)
        }
    }

    /// Ground rule 7 of the domain model.
    @Test func `has no report that accuses one of the nodes to which it goes`() async throws {
        let city = try TemporaryStore(jinan, topology: qilu)
        func report(_ number: Int, against respondent: String, type: String = "4") -> [IntakeRecord] {
            var record = ticket(number)
            record.fields["request_type"] = .text(type)
            record.fields["respondent_name"] = .text(respondent)
            return [record, stage("handling", of: number, after: 5, [:])]
        }
        _ = try await city.store.intake(
            report(1, against: "山东省") + report(2, against: "山东省", type: "3") + report(3, against: "历下区")
                + report(4, against: "济南市"), now: noon)
        for resource: ResourceName in ["service_request", "handling"] {
            func given(to readers: [NodeID]) async throws -> [String] {
                try await pages(of: resource, within: GrantFilter(), limit: 3, city, readers: readers)
                    .map { String($0.suffix(1)) }.sorted()
            }
            #expect(try await given(to: []) == ["1", "2", "3", "4"])
            #expect(try await given(to: [province]) == ["2", "3", "4"])
            #expect(try await given(to: [province, lixia]) == ["2", "4"])
        }
    }

    /// The tickets of all pages.
    private func pages(
        of resource: ResourceName, within filter: GrantFilter, limit: Int, _ city: TemporaryStore,
        readers: [NodeID] = [province]
    ) async throws -> [String] {
        var ids: [String] = []
        var last: RowKey?
        repeat {
            let query = try RowQuery(resource, columns: ["global_id"], limit: limit, after: last)
            let page = try await city.store.page(
                of: query, origins: [jinan, qingdao], within: filter, readers: readers.compactMap(qilu.node))
            #expect(page.rows.count == limit || page.next == nil)
            ids += page.rows.compactMap { $0.cells[0].text }
            last = page.next
        } while last != nil
        return ids
    }

    @Test func `keeps to origins, conditions and bytes`() async throws {
        let (city, top) = (try TemporaryStore(jinan), try TemporaryStore(province))
        var long = ticket(1)
        long.fields["description"] = .text(String(repeating: "x", count: 99_000))
        long.fields["seat_id"] = .text("2107")
        _ = try await city.store.intake(
            [long]
                + (2...60).map { number in
                    var record = ticket(number, at: noon + Int64(number))
                    record.fields["description"] = long.fields["description"]
                    record.fields["reply_required"] = .integer(number == 7 ? 1 : 0)
                    return record
                }, now: noon)
        try await carry(city.store, top.store, policy: policy(from: jinan, to: province))
        func page(_ query: RowQuery, _ origins: [NodeID] = [jinan]) async throws -> RowAnswer {
            try await top.store.page(
                of: query, origins: origins, within: GrantFilter(), readers: [province].compactMap(qilu.node))
        }
        let whole = try await page(RowQuery("service_request", columns: ["description"], limit: 1_000))
        #expect(whole.rows.count == RowQuery.bytesMax / 99_010 && whole.next == whole.rows.last?.id)
        #expect(try await page(RowQuery("service_request"), [qingdao]).rows.isEmpty)
        func keys(_ filters: [RowQuery.Filter], from: UnixMilliseconds? = nil) async throws -> [String] {
            try await page(RowQuery("service_request", columns: ["channel"], filters: filters, from: from)).rows
                .map(\.id.key)
        }
        #expect(try await keys([.init("service_request_id", .equals, ["1", "59"])]) == ["370100-1", "370100-59"])
        #expect(try await keys([.init("reply_required", .equals, ["1"])]) == ["370100-7"])
        #expect(try await keys([.init("seat_id", .hasPrefix, ["21"])]) == ["370100-1"])
        #expect(try await keys([.init("seat_id", .notEquals, ["2107"])]).count == 59)
        #expect(try await keys([], from: noon + 60) == ["370100-60"])
    }
}

@Suite struct `The query log` {
    private func entry(_ at: UnixMilliseconds, question: String = "channel=01") -> QueryLogEntry {
        QueryLogEntry(
            at: at, direction: .asked, peer: jinan, kind: .rows, resource: "service_request", question: question,
            columns: "title", origins: 1, rows: 3, bytes: 400, outcome: "ok", durationMS: 5)
    }

    @Test func `keeps what it is told, newest first, and only what is not too old`() async throws {
        let city = try TemporaryStore(jinan)
        let day: Int64 = 86_400_000
        try await city.store.log(entry(noon - 1_500 * day))
        try await city.store.log(entry(noon - 1_090 * day, question: String(repeating: "x", count: 5_000)))
        #expect(try await city.store.queryLog(since: nil, limit: 10).count == 2)
        try await city.store.log(entry(noon))
        let kept = try await city.store.queryLog(since: nil, limit: 10)
        #expect(kept.map(\.at) == [noon, noon - 1_090 * day])
        #expect(kept[0] == entry(noon) && kept[1].question.count == 2_000)
        #expect(try await city.store.queryLog(since: noon, limit: 10).count == 1)
        #expect(try await city.store.queryLog(since: nil, limit: 1).map(\.at) == [noon])
    }

    @Test func `keeps half a year whatever happens`() async throws {
        let city = try TemporaryStore(jinan)
        let day: Int64 = 86_400_000
        try await city.store.log(entry(noon - 181 * day))
        try await city.store.log(entry(noon - 179 * day))
        try await city.store.log(entry(noon), entriesMax: 1)
        #expect(try await city.store.queryLog(since: nil, limit: 10).map(\.at) == [noon, noon - 179 * day])
    }
}
