import FederationModel
import LocalStore
import TestSupport
import Testing

/// Design rule 6: nobody is ever deleted by silence.
@Suite struct `A sender that has begun another life` {
    private let city: TemporaryStore
    private let above: TemporaryStore
    private let link = policy(from: jinan, to: province)
    /// The same node, set up afresh.
    private let afresh: TemporaryStore

    init() throws {
        city = try TemporaryStore(jinan)
        above = try TemporaryStore(province)
        afresh = try TemporaryStore(jinan, epoch: Epoch(counter: 1, nonce: 43))
    }

    private func count() async throws -> Int64? { try await above.store.count("service_request") }

    private func lost() async throws -> Int { try await above.store.lostRows()[jinan] ?? 0 }

    @Test func `deletes nothing that it no longer knows, and goes on with what it has`() async throws {
        _ = try await city.store.intake((1...50).map { ticket($0) }, now: noon)
        try await carry(city.store, above.store, policy: link)
        _ = try await afresh.store.intake([ticket(51)], now: noon + 1)
        let reports = try await carry(afresh.store, above.store, policy: link, rowsMax: 10)
        #expect(reports.last?.lost == 50 && reports.allSatisfy { $0.retracted == 0 })
        #expect(try await count() == 51)
        #expect(try await above.store.cursor(of: jinan)?.sweep == .complete)
        #expect(try await lost() == 50)
    }

    @Test func `deletes nothing either by a later sweep of that life`() async throws {
        _ = try await city.store.intake((1...5).map { ticket($0) }, now: noon)
        try await carry(city.store, above.store, policy: link)
        try await carry(afresh.store, above.store, policy: link)
        _ = try await afresh.store.intake([ticket(9)], now: noon)
        let revised = link.at(LinkRevision(topology: link.revision.topology + 1, policy: 0))
        let reports = try await carry(afresh.store, above.store, policy: revised)
        #expect(reports.last?.lost == 5)
        #expect(try await count() == 6)
    }

    @Test func `takes back what it was kept for, row by row`() async throws {
        _ = try await city.store.intake((1...5).map { ticket($0) }, now: noon)
        try await carry(city.store, above.store, policy: link)
        try await carry(afresh.store, above.store, policy: link)
        _ = try await afresh.store.intake((1...4).map { ticket($0, title: "又一次") }, now: noon + 60_000)
        #expect(try await carry(afresh.store, above.store, policy: link).last?.lost == 1)
        #expect(try await above.store.count("service_request", where: "title = '又一次'") == 4)
        #expect(try await count() == 5)
    }

    @Test func `does not bring an older version over a newer one, in the sweep or later`() async throws {
        _ = try await afresh.store.intake([ticket(1, title: "旧")], now: noon)
        _ = try await city.store.intake([ticket(1, title: "新")], now: noon + 60_000)
        try await carry(city.store, above.store, policy: link)
        #expect(try await carry(afresh.store, above.store, policy: link).last?.lost == 1)
        #expect(try await above.store.count("service_request", where: "title = '新'") == 1)
        let revised = link.at(LinkRevision(topology: link.revision.topology + 1, policy: 0))
        try await carry(afresh.store, above.store, policy: revised)
        #expect(try await above.store.count("service_request", where: "title = '新'") == 1)
        // What it says of the row from now on counts again.
        _ = try await afresh.store.intake([ticket(1, title: "再")], now: noon + 120_000)
        #expect(try await carry(afresh.store, above.store, policy: revised).last?.lost == 0)
        #expect(try await above.store.count("service_request", where: "title = '再'") == 1)
    }

    @Test func `loses its rows here when a person says so with their number, and no other way`() async throws {
        _ = try await city.store.intake((1...5).map { ticket($0) }, now: noon)
        try await carry(city.store, above.store, policy: link)
        try await carry(afresh.store, above.store, policy: link)
        #expect(
            await errorCode { _ = try await above.store.acceptLoss(of: jinan, rows: 4, now: noon) }
                == "E_LOST_ROWS_COUNT")
        #expect(try await count() == 5)
        let head = try await above.store.head()
        #expect(try await above.store.acceptLoss(of: jinan, rows: 5, now: noon) == head + 5)
        let kept = try await (count(), lost())
        #expect(kept == (0, 0))
    }

    @Test func `in which it has everything loses nothing, and deletes again what it deletes`() async throws {
        let tickets = (1...5).map { ticket($0) }
        _ = try await city.store.intake(tickets, now: noon)
        try await carry(city.store, above.store, policy: link)
        _ = try await afresh.store.intake(tickets, now: noon + 60_000)
        #expect(try await carry(afresh.store, above.store, policy: link).last?.lost == 0)
        #expect(try await lost() == 0)
    }
}
