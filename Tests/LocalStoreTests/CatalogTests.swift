import ChangeSetFormat
import FederationModel
import LocalStore
import Testing
import Zstandard

/// 5.3-2, 5.3-3 and 5.3-4 at the store.
@Suite struct `A store and the catalogs` {
    private func catalog(without taken: Set<ResourceName> = [], notShared: ResourceName? = nil) throws -> Catalog {
        Catalog(
            Catalog.builtIn(of: try #require(qilu.node(jinan))).entries.compactMap { entry in
                var entry = entry
                if entry.resource == notShared { entry.sharing = .none }
                return taken.contains(entry.resource) ? nil : entry
            })
    }

    private func publish(_ version: Int64, _ catalog: Catalog, at store: NodeStore) async throws {
        let release = CatalogRelease(version: version, publishedAt: noon, catalog: catalog)
        _ = try await store.intake(release.records, now: noon)
    }

    private func recording(_ number: Int) -> IntakeRecord {
        IntakeRecord(resource: "recording", key: "\(jinan)-R\(number)", fields: ["uri": .text("https://a.example/1")])
    }

    @Test func `refuse what the sender has not catalogued, and take the rest of the change-set`() async throws {
        let (city, county) = (try TemporaryStore(jinan), try TemporaryStore(province))
        let (sender, receiver) = (city.store, county.store)
        try await publish(1, try catalog(without: ["recording"]), at: sender)
        _ = try await sender.intake([ticket(1), recording(1), recording(2)], now: noon)
        // A sender that does not go by its own catalog.
        let link = policy(from: jinan, to: province)
        // At the first contact a sweep lists recordings before the catalog, and the receiver knows nothing of them yet.
        try await carry(sender, receiver, policy: link)
        _ = try await sender.intake([ticket(2), recording(3)], now: noon)
        let report = try #require(try await carry(sender, receiver, policy: link).first)
        #expect(report.refused == ["recording": .notCatalogued])
        #expect(report.applied == 1)
        #expect(try await receiver.count("service_request") == 2)
        #expect(try await receiver.count("recording", where: "\"key\" = '\(jinan)-R3'") == 0)
        #expect(try await receiver.count("quarantine", where: "1") == 0)
        #expect(try await receiver.cursor(of: jinan)?.seq == sender.head())
        let refused = try #require(try await receiver.refusedResources().first)
        #expect(refused.sender == jinan && refused.resource == "recording" && refused.refusal == .notCatalogued)
    }

    @Test func `refuse rows that come in one change-set with the catalog that forbids them`() async throws {
        let (city, top) = (try TemporaryStore(jinan), try TemporaryStore(province))
        let link = policy(from: jinan, to: province)
        try await publish(1, try catalog(), at: city.store)
        try await carry(city.store, top.store, policy: link)
        _ = try await city.store.intake([recording(1)], now: noon)
        try await publish(2, try catalog(notShared: "recording"), at: city.store)
        let reports = try await carry(city.store, top.store, policy: link)
        #expect(reports.map(\.refused) == [["recording": .notShared]])
        #expect(try await top.store.count("recording") == 0)
        #expect(try top.store.catalogs(of: jinan).map(\.version) == [1, 2])
    }

    @Test func `let go of what was taken out of the catalog, and take it again when it is back`() async throws {
        let (city, top) = (try TemporaryStore(jinan), try TemporaryStore(province))
        let link = policy(from: jinan, to: province)
        _ = try await city.store.intake([ticket(1), recording(1), recording(2)], now: noon)
        try await publish(1, try catalog(), at: city.store)
        try await carry(city.store, top.store, policy: link.under(try city.store.catalogs(of: jinan)))
        #expect(try await top.store.count("recording") == 2)

        try await publish(2, try catalog(without: ["recording"]), at: city.store)
        let narrowed = link.under(try city.store.catalogs(of: jinan))
        #expect(narrowed.revision.policy == 2)
        let plans = try await city.store.plan(from: link, to: narrowed, now: noon, compressor: ZstandardCompressor())
        #expect(plans.first { $0.resource == "recording" }.map { [$0.added, $0.retracted, $0.again] } == [0, 2, 0])
        try await carry(city.store, top.store, policy: narrowed)
        #expect(try await top.store.count("recording") == 0)
        #expect(try await top.store.count("recording", where: "uri IS NOT NULL") == 0)
        #expect(try await top.store.count("service_request") == 1)
        #expect(try await top.store.refusedResources().isEmpty, "the sender goes by its catalog")

        try await publish(3, try catalog(), at: city.store)
        try await carry(city.store, top.store, policy: link.under(try city.store.catalogs(of: jinan)))
        #expect(try await top.store.count("recording") == 2)
    }

    /// What a change-set holds is what the link grants: nothing of a withheld resource leaves.
    @Test func `send no row and no column of what is withheld`() async throws {
        let city = try TemporaryStore(jinan)
        _ = try await city.store.intake([ticket(1), recording(1)], now: noon)
        try await publish(1, try catalog(without: ["recording"]), at: city.store)
        let link = policy(from: jinan, to: province).under(try city.store.catalogs(of: jinan))
        for seq in [Seq(0), try await city.store.head()] {
            let start = Cursor(
                epoch: city.store.epoch, seq: seq, revision: link.revision, sweep: link.sweepStart)
            let sent = try await changeSet(city.store, from: start, policy: link, rowsMax: 1_000)
            let opened = try InspectedChangeSet(bytes: sent.bytes, resources: BuiltInResources.all)
            #expect(opened.blocks.contains { $0.resource.name == "service_request" })
            #expect(!opened.blocks.contains { $0.resource.name == "recording" })
        }
    }

    @Test func `take everything from a sender that has no catalog`() async throws {
        let (city, top) = (try TemporaryStore(jinan), try TemporaryStore(province))
        _ = try await city.store.intake([recording(1)], now: noon)
        try await carry(city.store, top.store, policy: policy(from: jinan, to: province))
        #expect(try await top.store.count("recording") == 1)
    }

    @Test func `know when rows last changed here, by resource and origin`() async throws {
        let (city, top) = (try TemporaryStore(jinan), try TemporaryStore(province))
        _ = try await city.store.intake([ticket(1)], now: noon - 5)
        #expect(try await city.store.arrivals() == [jinan: ["service_request": noon - 5]])
        // The same again is no arrival.
        _ = try await city.store.intake([ticket(1)], now: noon + 5)
        #expect(try await city.store.arrivals() == [jinan: ["service_request": noon - 5]])
        try await carry(city.store, top.store, policy: policy(from: jinan, to: province))
        #expect(try await top.store.arrivals() == [jinan: ["service_request": noon]])
    }
}
