import ChangeSetFormat
import FederationModel
import LocalStore
import TestSupport
import Testing
import Zstandard

import struct FederationModel.Cursor

/// What no intake lets in, and a damaged file or another program may hold all the same.
@Suite struct `A damaged row at the sender` {
    /// With the rule by which its row is put aside; nil where the value breaks none and arrives as it is.
    private static let damages: [(set: String, rule: String?)] = [
        ("title = CAST(x'e4b8' AS TEXT)", "E_FIELD_TEXT"), ("title = CAST(x'610062' AS TEXT)", "E_FIELD_TEXT"),
        ("lat = 9e999", "E_FIELD_TYPE"), ("channel = ''", "E_FIELD_MISSING"),
        ("request_type = printf('%.*c', 5000, 'x')", "E_FIELD_TOO_LONG"),
        ("requested_datetime = 9223372036854775807", "E_FIELD_TIME"), ("migrated = 7", "E_FIELD_TYPE"),
        ("carried = '{\"later\":\"x\"}'", nil), ("title = hex(randomblob(20000000))", "E_FIELD_TEXT"),
        ("title = printf('%.*c', 70000000, 'x')", "E_FIELD_TEXT"),
        ("carried = json_object('later', printf('%.*c', 5000000, 'x'))", "E_FIELD_TEXT"),
        ("reporter_phone = char(0x202e) || '13812348000'", nil),
    ]

    @Test(arguments: damages)
    func `stops neither its link nor the rows beside it, and is known at the receiver`(
        damage: String, rule: String?
    ) async throws {
        let link = policy(from: jinan, to: province)
        let city = try TemporaryStore(jinan, topology: qilu)
        let above = try TemporaryStore(province, topology: qilu)
        _ = try await city.store.intake((1...20).map { ticket($0) }, now: noon)
        try city.tamper("UPDATE service_request SET \(damage) WHERE key = '370100-7'")
        let change = try await city.store.prepareChangeSet(
            from: Cursor(epoch: city.store.epoch, seq: 0, revision: link.revision, sweep: .complete), policy: link,
            rowsMax: 100, now: noon, compressor: ZstandardCompressor())
        guard case .changeSet(let outgoing) = change else {
            Issue.record("no change-set")
            return
        }
        #expect(outgoing.bytes.count <= SyncLimits.changeSetBytesMax)
        let reports = try await carry(city.store, above.store, policy: link)
        let aside = try await above.store.quarantinedRows(limit: 10)
        #expect(aside.map(\.rule) == (rule.map { [$0] } ?? []))
        #expect(aside.allSatisfy { $0.key == "370100-7" })
        #expect(try await above.store.count("service_request") == Int64(20 - aside.count))
        #expect(reports.last?.cursor.sweep == .complete && reports.last?.cursor.seq == 20)
        // Each start tries again what was put aside; what can't be read does not become something else by that.
        let retry = try await above.store.retryQuarantined(nil, policies: [jinan: link], now: noon)
        #expect(retry.taken == 0 && retry.kept == aside.count)
        // A good version takes its place.
        _ = try await city.store.intake([ticket(7, title: "又不亮")], now: noon)
        try await carry(city.store, above.store, policy: link)
        #expect(try await above.store.quarantinedRows(limit: 10).isEmpty)
        #expect(try await above.store.count("service_request", where: "title = '又不亮'") == 1)
    }

    @Test func `is none that an intake takes, however long its texts`() {
        for resource in BuiltInResources.all {
            let most = resource.columns.reduce(0) { $0 + $1.bytesMax + 1 }
            #expect(most < SyncLimits.rowBytesMax - RowKey.bytesMax, "\(resource.name)")
        }
        #expect(ExternalDataset.columnsMax * 10_001 < SyncLimits.rowBytesMax - RowKey.bytesMax)
    }
}
