import FederationModel
import LocalStore
import TestSupport
import Testing

/// Nobody knows of such a row yet: a trigger stands for it.
@Suite struct `A row that the database refuses` {
    private let city: TemporaryStore
    private let above: TemporaryStore
    private let link = policy(from: jinan, to: province)

    init() throws {
        city = try TemporaryStore(jinan)
        above = try TemporaryStore(province)
    }

    private func refuse(_ condition: String?) throws {
        try above.tamper("DROP TRIGGER IF EXISTS refuse")
        guard let condition else { return }
        try above.tamper(
            """
            CREATE TRIGGER refuse BEFORE INSERT ON service_request WHEN \(condition)
            BEGIN SELECT RAISE(ABORT, 'no'); END
            """)
    }

    private func held() async throws -> [String] {
        try await above.store.quarantinedRows(limit: 10).map { "\($0.key) \($0.rule)" }.sorted()
    }

    @Test(arguments: [true, false])
    func `is put aside alone, wherever it stands, and taken when it is refused no more`(isSwept: Bool) async throws {
        if !isSwept {
            _ = try await city.store.intake([ticket(1_000)], now: noon)
            try await carry(city.store, above.store, policy: link)
        }
        let bad: Set = [1, 250, 251, 500]
        _ = try await city.store.intake((1...500).map { ticket($0, title: bad.contains($0) ? "坏" : "好") }, now: noon)
        _ = try await city.store.intake((1...50).map { call($0) }, now: noon)
        try refuse("NEW.title = '坏'")
        let reports = try await carry(city.store, above.store, policy: link)
        #expect(reports.reduce(0) { $0 + $1.quarantined } == 4)
        #expect(try await held() == [1, 250, 251, 500].map { "370100-\($0) E_STORE_REFUSED" })
        #expect(try await above.store.count("service_request") == (isSwept ? 496 : 497))
        #expect(try await above.store.count("call_record") == 50)
        let (cursor, head) = try await (above.store.cursor(of: jinan), city.store.head())
        #expect(cursor?.seq == head && cursor?.sweep == .complete)

        // An upgrade helps three of them.
        try refuse("NEW.\"key\" = '370100-250'")
        let retry = try await above.store.retryQuarantined(nil, policies: [jinan: link], now: noon)
        #expect(retry.taken == 3 && retry.kept == 1)
        #expect(try await held() == ["370100-250 E_STORE_REFUSED"])
        try refuse(nil)
        #expect(try await above.store.retryQuarantined(nil, policies: [jinan: link], now: noon).taken == 1)
        #expect(try await above.store.count("service_request") == (isSwept ? 500 : 501))
    }

    @Test func `leaves the link waiting when it is no single row`() async throws {
        _ = try await city.store.intake((1...3).map { ticket($0) }, now: noon)
        try refuse("(SELECT count(*) FROM service_request) >= 2")
        let error = await #expect(throws: FederationError.self) {
            try await carry(city.store, above.store, policy: link)
        }
        #expect(error?.code == "E_STORE_REFUSED" && error?.isRetryable == true)
        let after = try await (above.store.count("service_request"), above.store.cursor(of: jinan), held())
        #expect(after == (0, nil, []))
    }
}
