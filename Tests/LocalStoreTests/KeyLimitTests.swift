import FederationModel
import LocalStore
import Testing

@Suite struct `The key of a record` {
    private func ticket(key bytes: Int) -> IntakeRecord {
        let key = "\(jinan)-" + String(repeating: "k", count: bytes - 7)
        var record = LocalStoreTests.ticket(1)
        record.fields["global_id"] = .text("\(jinan)-\(bytes)")
        return IntakeRecord(resource: record.resource, key: key, fields: record.fields)
    }

    @Test func `is refused at intake when no link could carry it, and at the limit it arrives`() async throws {
        let (city, above) = (try TemporaryStore(jinan), try TemporaryStore(province))
        let limit = RowKey.bytesMax
        let rows = [[ticket(key: limit)], [ticket(key: limit + 1)], [ticket(key: 300)]]
        let report = try await city.store.intake(rows: rows, isGuarded: true, now: noon)
        let codes = report.outcomes.map { outcome -> String? in
            if case .refused(let refusal) = outcome { return "\(refusal.code) \(refusal.field ?? "")" }
            return nil
        }
        #expect(codes == [nil, "E_FIELD_TOO_LONG key", "E_FIELD_TOO_LONG key"])
        #expect(try await city.store.count("service_request") == 1)
        let link = policy(from: jinan, to: province)
        // One row a change-set: a bucket of the sweep ends on the longest key.
        let reports = try await carry(city.store, above.store, policy: link, rowsMax: 1)
        #expect(reports.reduce(0) { $0 + $1.applied } == 1 && reports.allSatisfy { $0.quarantined == 0 })
        #expect(try await above.store.count("service_request") == 1)
    }

    @Test(arguments: ["", "\(jinan)-1\0"]) func `is text and not empty`(_ key: String) async throws {
        let temporary = try TemporaryStore(jinan)
        let record = IntakeRecord(resource: "service_request", key: key, fields: LocalStoreTests.ticket(1).fields)
        let report = try await temporary.store.intake(rows: [[record]], isGuarded: false, now: noon)
        guard case .refused(let refusal) = report.outcomes[0] else {
            Issue.record("it was stored")
            return
        }
        #expect(refusal.field == "key")
    }
}
