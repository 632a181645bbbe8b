import FederationModel
import Testing

private let city: NodeID = "370100"
private let province: NodeID = "370000"
private let noon: UnixMilliseconds = 1_790_000_000_000

private let topology = Topology(
    name: "test", version: 5,
    nodes: [
        TopologyNode(id: province, name: "山东省", parent: nil, region: "370000", endpoint: nil),
        TopologyNode(id: city, name: "济南市", parent: province, region: "370100", endpoint: nil),
    ])

/// The built-in catalog of 济南市 with some entries changed or, by nil, taken out.
private func catalog(_ change: (inout CatalogEntry) -> Bool = { _ in true }) throws -> Catalog {
    Catalog(
        Catalog.builtIn(of: try #require(topology.node(city))).entries.compactMap { entry in
            var entry = entry
            return change(&entry) ? entry : nil
        })
}

private func release(_ version: Int64, _ catalog: Catalog, at time: UnixMilliseconds = noon) -> CatalogRelease {
    CatalogRelease(version: version, publishedAt: time, catalog: catalog)
}

private func approved(_ entry: inout CatalogEntry, until day: Int64) {
    entry.sharing = .conditional
    entry.condition = "按用途审批"
    entry.approvals = [CatalogApproval(consumer: province, purpose: "全省分析", approvedBy: "市大数据局", until: day)]
}

@Suite struct `The catalog of a node` {
    @Test func `has every resource with a code of its own, and grants all of them, when nothing is said`() throws {
        let catalog = try catalog()
        let names = BuiltInResources.all.map(\.name).filter { !Catalog.exempt.contains($0) }
        #expect(catalog.entries.map(\.resource) == names)
        #expect(Set(Catalog.numbered) == Set(names), "a new resource joins at the end of `Catalog.numbered`")
        #expect(Set(catalog.entries.map(\.code)).count == names.count)
        #expect(catalog.entries.allSatisfy { CatalogEntry.isCode($0.code) })
        #expect(catalog.entry("service_request")?.code == "307001/000001")
        #expect(names.allSatisfy { catalog.refusal(of: $0, to: province) == nil })
    }

    @Test(arguments: ["307001/000001", "10700199/1234567", "207001/000001"])
    func `knows codes`(code: String) { #expect(CatalogEntry.isCode(code)) }

    @Test(arguments: [
        "", "307001", "30700/000001", "307001/00001", "407001/000001", "307001/000001/1", "30700a/000001",
    ])
    func `knows what is no code`(code: String) { #expect(!CatalogEntry.isCode(code)) }

    @Test func `says why a receiver gets nothing`() throws {
        let catalog = try catalog { entry in
            if entry.resource == "call_record" { entry.sharing = .none }
            if entry.resource == "reply" { approved(&entry, until: 20_000) }
            return entry.resource != "recording"
        }
        #expect(catalog.refusal(of: "recording", to: province) == .notCatalogued)
        #expect(catalog.refusal(of: "call_record", to: province) == .notShared)
        #expect(catalog.refusal(of: "reply", to: province) == nil)
        #expect(catalog.refusal(of: "reply", to: "370200") == .approvalRequired)
        #expect(catalog.valid(on: 20_000).refusal(of: "reply", to: province) == nil)
        #expect(catalog.valid(on: 20_001).refusal(of: "reply", to: province) == .approvalRequired)
        #expect(catalog.refusal(of: "service_request", to: province) == nil)
    }

    @Test func `comes back from its rows as it was, each version by itself`() throws {
        let changed = try catalog { entry in
            if entry.resource == "service_request" {
                entry.items.append(
                    CatalogItem(name: "ext.is_night_noise", title: "夜间噪声", type: .boolean, level: .open))
                entry.related = ["307001/000002", "307001/000003"]
                entry.published = 20_000
                entry.purpose = "办理"
                entry.retention = "五年"
                entry.qualityTarget = "完整率 99 %"
                entry.way = .disk
                entry.openness = .conditional
            }
            if entry.resource == "reply" { approved(&entry, until: 20_000) }
            if entry.resource == "recording" { entry.isExternal = true }
            return true
        }
        let releases = [release(7, try catalog()), release(8, changed, at: noon + 1)]
        let records = releases.flatMap(\.records)
        for record in records {
            let definition = try #require(BuiltInResources.named(record.resource))
            #expect(record.violation(in: definition) == nil)
        }
        #expect(Set(records.map { "\($0.resource) \($0.key)" }).count == records.count)
        #expect(CatalogRelease.all(in: records.reversed()) == releases)
    }

    @Test func `waits for a release that is not here whole`() throws {
        let rows = release(7, try catalog()).records + release(8, try catalog()).records
        for missing in [0, 40] {
            var part = rows
            part.remove(at: missing)
            #expect(CatalogRelease.all(in: part).map(\.version) == [8])
        }
    }

    @Test func `differs from another by entries, items and terms`() throws {
        let before = try catalog { entry in
            if entry.resource == "reply" { entry.items.removeLast() }
            return entry.resource != "call_record"
        }
        let after = try catalog { entry in
            if entry.resource == "service_request" {
                entry.items.append(
                    CatalogItem(name: "ext.is_night_noise", title: "夜间噪声", type: .boolean, level: .open))
                entry.cycle = .daily
            }
            return entry.resource != "recording"
        }
        let entries = CatalogDifference(from: before, to: after).entries
        #expect(entries.map(\.resource) == ["service_request", "reply", "call_record", "recording"])
        #expect(entries.map(\.isAdded) == [nil, nil, true, false])
        #expect(
            entries[0].changes == [
                .added(name: "ext.is_night_noise", type: "BOOLEAN"), .changed(name: "更新周期", from: "实时", to: "每日"),
            ])
        #expect(entries[1].changes == [.added(name: "ext", type: "JSON")])
        #expect(CatalogDifference(from: after, to: after).entries.isEmpty)
    }
}

@Suite struct `A link under a catalog` {
    private func policy(_ releases: [CatalogRelease]) throws -> LinkPolicy {
        try #require(
            LinkPolicy(from: city, to: province, topology: topology, resources: BuiltInResources.all)
        ).under(releases)
    }

    private func without(_ resource: ResourceName) throws -> Catalog { try catalog { $0.resource != resource } }

    @Test func `withholds what is not granted, and keeps the order of the sweep`() throws {
        let whole = try policy([])
        let part = try policy([release(1, try without("recording"))])
        #expect(whole.withheld.isEmpty)
        #expect(part.withheld == ["recording"])
        #expect(part.resources == whole.resources)
    }

    @Test func `is swept anew when what is granted changes, and only then`() throws {
        func revision(_ catalogs: Catalog...) throws -> Int64 {
            try policy(catalogs.enumerated().map { release(Int64($0.offset + 1), $0.element) }).revision.policy
        }
        let renamed = try catalog { entry in
            entry.summary = "新的摘要"
            return true
        }
        #expect(try revision() == 0)
        #expect(try revision(try catalog(), renamed) == 0)
        #expect(try revision(try catalog(), try without("recording")) == 2)
        #expect(try revision(try catalog(), try without("recording"), try without("recording")) == 2)
        #expect(try revision(try catalog(), try without("recording"), renamed) == 3)
        #expect(try policy([release(9, try without("reply"))]).revision == LinkRevision(topology: 5, policy: 9))
    }

    /// The catalog itself flows whatever it says.
    @Test func `always has the catalog, and the orders to let go of what was handed on`() throws {
        let policy = try policy([release(1, Catalog([]))])
        #expect(Set(policy.resources).subtracting(policy.withheld) == Catalog.exempt)
    }
}

@Suite struct `What a catalog promises` {
    private let hour: Int64 = 3_600_000

    private func overdue(
        _ cycle: UpdateCycle, arrival: UnixMilliseconds?, asOf: UnixMilliseconds? = nil, published: UnixMilliseconds = 0
    ) throws -> [String] {
        let catalog = try catalog { entry in
            entry.cycle = cycle
            return true
        }
        return OverdueResource.all(
            of: release(1, catalog, at: published), origin: city, among: ["service_request"],
            arrivals: arrival.map { ["service_request": $0] } ?? [:], asOf: asOf, now: noon
        ).map(\.text)
    }

    @Test func `is overdue after its cycle`() throws {
        #expect(try overdue(.daily, arrival: noon - 26 * hour) == ["OVERDUE service_request 370100 26h > 24h"])
        #expect(try overdue(.daily, arrival: noon - 24 * hour) == [])
        #expect(try overdue(.daily, arrival: noon - 24 * hour - 1) == ["OVERDUE service_request 370100 24h > 24h"])
        #expect(try overdue(.weekly, arrival: noon - 26 * hour) == [])
        #expect(try overdue(.irregular, arrival: 0) == [])
    }

    @Test func `is counted from the publication when nothing has arrived`() throws {
        #expect(try overdue(.daily, arrival: nil, published: noon - 23 * hour) == [])
        #expect(
            try overdue(.daily, arrival: nil, published: noon - 30 * hour) == [
                "OVERDUE service_request 370100 30h > 24h"
            ])
    }

    @Test func `in real time is kept by a copy that is level, a daily one is not`() throws {
        #expect(try overdue(.realTime, arrival: noon - 26 * hour, asOf: noon) == [])
        #expect(try overdue(.realTime, arrival: noon - 26 * hour, asOf: noon - 2 * hour).count == 1)
        #expect(try overdue(.daily, arrival: noon - 26 * hour, asOf: noon).count == 1)
    }
}
