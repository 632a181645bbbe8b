import FederationModel
import Foundation
import LocalStore
import Testing
@Test(.enabled(if: ProcessInfo.processInfo.environment["PERF"] != nil)) func makePerf() async throws {
    for code in ["370100", "370200"] {
        let path = "/tmp/perf/\(code).db"
        try? FileManager.default.removeItem(atPath: path)
        try NodeStore.create(at: path, node: node(code), epoch: Epoch(counter: 1, nonce: 1))
        let s = try NodeStore(at: path)
        var t = ContinuousClock.now
        for b in 0..<20 {
            let recs = (0..<5000).map { i -> IntakeRecord in
                let n = b * 5000 + i
                let id = String(format: "%@-%08d", code, n)
                let f: [String: FieldValue] = [
                    "global_id": .text(id), "service_request_id": .text("\(code)20250930\(n)"), "requested_datetime": .integer(noon + Int64(n) * 1000),
                    "accepted_datetime": .integer(noon + Int64(n) * 1000 + 60000), "channel": .text(["01", "02", "03"][n % 3]), "request_type": .text("\(1 + n % 6)"), "urgency": .text("normal"), "title": .text("解放东路\(n % 300)号小区供热不热第\(n)次"), "description": .text("市民来电反映：历下区解放东路\(n % 300)号小区\(n % 17)号楼自昨晚开始供热温度不达标，室内只有\(10 + n % 8)度，家中有老人和孩子，希望有关部门尽快处理并答复。编号\(n &* 7919 % 99991)"),
                    "service_code": .text("03.02.0\(n % 9)"), "service_name": .text("城乡建设/供热/温度不达标"), "address_string": .text("济南市历下区解放东路\(n % 300)号"), "region_code": .text("370102"), "reporter_name": .text("张\(n % 100)"), "reporter_kind": .text("person"), "reporter_phone": .text("138\(10_000_000 + n &* 7919 % 89_999_999)"),
                    "confidential": .text("none"), "reply_required": .integer(1), "callback_required": .integer(1), "seat_id": .text("23\(n % 200)"),
                    "acceptance": .text("accepted"), "lat": .real(36.65 + Double(n % 1000) / 10000), "long": .real(117.1),
                ]
                return IntakeRecord(resource: "service_request", key: id, fields: f)
            }
            _ = try await s.intake(recs, now: noon)
        }
        print("intake \(code)", ContinuousClock.now - t)
        t = .now
        try await s.catchUpConsumers()
        print("fold", ContinuousClock.now - t)
        try s.close()
    }
}
