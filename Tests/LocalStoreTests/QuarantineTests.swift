import ChangeSetFormat
import FederationModel
import LocalStore
import TestSupport
import Testing

@Suite struct `A row that was put aside` {
    private let city: TemporaryStore
    private let above: TemporaryStore
    private let link = policy(from: jinan, to: province)

    /// The city's release takes longer titles than the province's.
    init() async throws {
        city = try TemporaryStore(jinan, resources: longTitles)
        above = try TemporaryStore(province)
        _ = try await city.store.intake(
            [ticket(1), ticket(2, title: String(repeating: "长", count: 20_000))], now: noon)
        try await carry(city.store, above.store, policy: link)
    }

    private func held() async throws -> [QuarantinedRow] { try await above.store.quarantinedRows(limit: 10) }

    @Test func `stays when it breaks the rule still, and is shown with its fields`() async throws {
        let row = try #require(try await held().first)
        #expect(row.key == "370100-2" && row.rule == "E_FIELD_TOO_LONG" && row.field == "title")
        #expect(
            try await above.store.retryQuarantined([row.id], policies: [jinan: link], now: noon).kept == 1)
        #expect(try await held().map(\.id) == [row.id])
        let shown = try #require(try await above.store.quarantinedRow(row.id))
        #expect(shown.fields["lat"] == .real(36.65) && shown.fields["service_request_id"] == .text("2"))
        #expect(try await above.store.quarantinedRow(row.id + 1) == nil)
    }

    @Test func `is taken by a release whose rules it keeps, and sent on`() async throws {
        let longer = try NodeStore(at: above.path, resources: city.store.resources)
        defer { try? longer.close() }
        let head = try await longer.head()
        let retry = try await longer.retryQuarantined(nil, policies: [jinan: link], now: noon)
        #expect(retry.taken == 1 && retry.kept == 0 && retry.head == head + 1)
        #expect(try await held().isEmpty)
        #expect(try await longer.count("service_request") == 2)
        let row = try await longer.rows(
            sql: "SELECT lat, supplier, length(title) FROM service_request WHERE \"key\" = '370100-2'", arguments: [])
        #expect(row == [[.real(36.65), .integer(370_100), .integer(20_000)]])
    }

    @Test func `is not taken from whom the topology lets send nothing`() async throws {
        let longer = try NodeStore(at: above.path, resources: city.store.resources)
        defer { try? longer.close() }
        #expect(try await longer.retryQuarantined(nil, policies: [:], now: noon).kept == 1)
        #expect(try await longer.count("service_request") == 1)
    }

    @Test func `gives way to a later good version of its key`() async throws {
        _ = try await city.store.intake([ticket(2, title: "短")], now: noon + 1)
        try await carry(city.store, above.store, policy: link)
        #expect(try await held().isEmpty)
        #expect(try await above.store.count("service_request") == 2)
    }

    @Test func `is gone when a person gives it up, and only that`() async throws {
        let row = try #require(try await held().first)
        #expect(try await above.store.dropQuarantined([row.id + 1]) == 0)
        #expect(try await above.store.dropQuarantined([row.id]) == 1)
        #expect(try await held().isEmpty)
    }
}

@Suite struct `Rows that are put aside` {
    private let link = policy(from: jinan, to: province)

    /// A city whose titles are too long for the province.
    private func city(_ tickets: Range<Int>) async throws -> TemporaryStore {
        let city = try TemporaryStore(jinan, resources: longTitles)
        let title = String(repeating: "长", count: 700)
        _ = try await city.store.intake(tickets.map { ticket($0, title: title) }, now: noon)
        return city
    }

    @Test func `are counted altogether, and one too many changes nothing and names both nodes`() async throws {
        let limit = SyncLimits.quarantineRowsMax
        let city = try await city(1..<limit + 2)
        let above = try TemporaryStore(province)
        await #expect(throws: FederationError.self) {
            try await carry(city.store, above.store, policy: link, rowsMax: limit / 2)
        }
        let cursor = try await above.store.cursor(of: jinan)
        #expect(try await above.store.quarantineCounts() == [jinan: limit])
        do {
            try await carry(city.store, above.store, policy: link)
            Issue.record("one too many was taken")
        } catch let error as FederationError {
            #expect(error.code == "E_QUARANTINE_FULL" && error.isRetryable)
            #expect(error.message.contains("370100") && error.message.contains("370000"))
        }
        #expect(try await above.store.cursor(of: jinan) == cursor)

        // Somebody has given one up: the link goes on.
        let id = try #require(try await above.store.quarantinedRows(limit: 1).first?.id)
        #expect(try await above.store.dropQuarantined([id]) == 1)
        let reports = try await carry(city.store, above.store, policy: link)
        #expect(reports.map(\.quarantined) == [1] && reports.map(\.quarantinedTotal) == [limit])
    }
}
