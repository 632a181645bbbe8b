import Foundation
import Testing

extension `Real processes` {
    /// Domain model 5.3-1 to 5.3-4, as an administrator meets them.
    @Suite struct `The catalog` {
        private static let nodes = [
            Federation.Node(code: "370000", name: "山东省"),
            Federation.Node(code: "370100", name: "济南市", parent: "370000"),
            Federation.Node(code: "370102", name: "历下区", parent: "370100"),
        ]

        @Test(.timeLimit(.minutes(15)))
        func `decides what a city hands on`() async throws {
            let federation = try await Federation(Self.nodes)
            for node in Self.nodes { try await federation.serve(node.code) }
            try await federation.waitUntil("the county's catalog is at the province", seconds: 40) {
                try await federation.run(["catalog", "list", "--node", "历下", "--json"], at: "370000").status == 0
            }
            try await federation.waitUntil("the province's catalog is at the county", seconds: 40) {
                try await federation.run(["catalog", "list", "--node", "山东省", "--json"], at: "370102").status == 0
            }
            let list = try await federation.succeed(["catalog", "list", "--node", "370100", "--json"], at: "370000")
                .json()
            #expect(list["version"] as? Int == 1)
            #expect(list[list: "entries"].first?["code"] as? String == "307001/000001")

            // 5.3-2: recordings leave the catalog, and the running service hands on by it at once.
            try await Self.generate(1, at: "370100", in: federation)
            try await federation.waitUntil("calls and recordings are at the province", seconds: 40) {
                for resource in ["call_record", "recording"] {
                    let sent = try await federation.count(resource, at: "370100")
                    guard sent > 0, try await federation.count(resource, at: "370000") == sent else { return false }
                }
                return true
            }
            try federation.write("entries: [{resource: recording, catalogued: false}]\n", to: "370100/catalog.yaml")
            let published = try await federation.succeed(["catalog", "publish", "--json"], at: "370100").json()
            #expect(published["version"] as? Int == 2 && published["published"] as? Bool == true)
            try await Self.generate(2, at: "370100", in: federation)
            try await federation.waitUntil("the other resources have gone on", seconds: 40) {
                try await federation.count("service_request", at: "370000")
                    == federation.count("service_request", at: "370100")
            }
            try await federation.waitUntilLevel("370100")
            try await federation.waitUntil("the province has let go of what it had", seconds: 40) {
                try await federation.count("recording", at: "370000") == 0
            }
            #expect(try await federation.count("recording", at: "370100") > 0)
            #expect(try await federation.sql("SELECT count(*) FROM quarantine", at: "370000") == "0")
            let check = try await federation.run(["catalog", "check"], at: "370000")
            #expect(check.status == 4)
            #expect(check.output.contains("E_RESOURCE_NOT_CATALOGED recording 370100->370000"))
            // No silent gap: what needs recordings only is not asked for, what needs requests is complete.
            #expect(try await federation.query(at: "370000").result.status == 0)
            try federation.write("entries: [{resource: evaluation, catalogued: false}]\n", to: "370100/catalog.yaml")
            try await federation.succeed(["catalog", "publish"], at: "370100")
            try await federation.waitUntil("the province knows what is withheld", seconds: 40) {
                let (result, json) = try await federation.query(
                    ["--measure", "satisfaction_rate", "--best-effort"], at: "370000")
                let nodes = json[object: "coverage"][list: "nodes"]
                return result.status == 3
                    && nodes.first { $0["node"] as? String == "370100" }?["state"] as? String == "denied"
            }

            // And back again.
            try federation.write("entries: []\n", to: "370100/catalog.yaml")
            try await federation.succeed(["catalog", "publish"], at: "370100")
            try await federation.waitUntil("the recordings are back", seconds: 40) {
                try await federation.count("recording", at: "370000")
                    == federation.count("recording", at: "370100")
            }
        }

        @Test(.timeLimit(.minutes(15)))
        func `rejects subscriptions, tells differences and notices what is overdue`() async throws {
            let federation = try await Federation(Self.nodes)
            for node in Self.nodes { try await federation.serve(node.code) }

            // 5.3-3: version after version, up to 7; then an item more.
            for version in 2...7 {
                try federation.write(
                    "entries: [{resource: service_request, summary: 第\(version)版}]\n", to: "370100/catalog.yaml")
                try await federation.succeed(["catalog", "publish"], at: "370100")
            }
            let item = "{name: ext.is_night_noise, title: 夜间噪声, type: boolean, level: 1}"
            try federation.write(
                "entries: [{resource: service_request, summary: 第7版, cycle: 每日, items: [\(item)]}]\n",
                to: "370100/catalog.yaml")
            let version = try await federation.succeed(["catalog", "publish", "--json"], at: "370100").json()
            #expect(version["version"] as? Int == 8)
            try await federation.waitUntil("version 8 is at the province", seconds: 40) {
                try await federation.run(["catalog", "diff", "370100", "7", "8"], at: "370000").status == 0
            }
            let diff = try await federation.succeed(["catalog", "diff", "370100", "7", "8"], at: "370000").output
            #expect(diff.split(separator: "\n").contains("+ ext.is_night_noise BOOLEAN"))

            // The county, whose own catalog knows nothing of it, writes the field; it passes two hops unchanged.
            try federation.write(Self.ticketMapping, to: "mapping.yaml")
            try federation.write("id,time,is_night_noise\n1,2025-09-30 23:00:00,true\n", to: "tickets.csv")
            for code in ["370102", "370100"] {
                try await federation.succeed(
                    [
                        "import", "--resource", "service_request", "--mapping", federation.path("mapping.yaml"),
                        federation.path("tickets.csv"),
                    ], at: code)
            }
            try await federation.waitUntil("both tickets are at the province", seconds: 40) {
                try await federation.count("service_request", at: "370000") == 2
            }
            let fields = "SELECT ext FROM service_request ORDER BY origin"
            let county = try await federation.sql("\(fields) DESC LIMIT 1", at: "370102")
            #expect(county.contains("is_night_noise"))
            #expect(try await federation.sql(fields, at: "370000") == "\(county)\n\(county)")

            // 5.3-4: a day and two hours later, as far as the province's book of arrivals is concerned.
            #expect(try await federation.run(["catalog", "check"], at: "370000").output == "ok\n")
            let aged = try await Federation.tool([
                "sqlite3", "-cmd", ".timeout 10000", federation.path("370000/node.db"),
                "UPDATE arrival SET arrived_at = arrived_at - 26 * 3600000 WHERE resource = 'service_request'",
            ])
            try #require(aged.status == 0)
            let overdue = try await federation.run(["catalog", "check"], at: "370000")
            #expect(overdue.status == 4)
            #expect(overdue.output == "OVERDUE service_request 370100 26h > 24h\n")

            // 5.3-1: not shared, and shared with nobody who has asked.
            try federation.write(
                """
                entries:
                  - {resource: call_record, sharing: 不予共享, condition: 个人信息保护法第十三条}
                  - resource: reply
                    sharing: 有条件共享
                    condition: 按用途审批
                """, to: "370100/catalog.yaml")
            let rejected = try await federation.succeed(["catalog", "publish"], at: "370100").errors
            #expect(rejected.contains("E_CATALOG_NOT_SHARED call_record 370100->370000"))
            #expect(rejected.contains("E_CATALOG_APPROVAL_REQUIRED reply 370100->370000"))
            let check = try await federation.run(["catalog", "check", "--json"], at: "370100")
            #expect(check.status == 4)
            #expect(
                try check.json()[list: "rejected"].compactMap { $0["code"] as? String }.sorted() == [
                    "E_CATALOG_APPROVAL_REQUIRED", "E_CATALOG_NOT_SHARED",
                ])
            let approval = "{consumer: \"370000\", purpose: 全省分析, approved_by: 市大数据局, until: \"2999-12-31\"}"
            try federation.write(
                "entries: [{resource: reply, sharing: 有条件共享, condition: 按用途审批, approvals: [\(approval)]}]\n",
                to: "370100/catalog.yaml")
            #expect(try await federation.succeed(["catalog", "publish"], at: "370100").errors == "")
            #expect(try await federation.run(["catalog", "check"], at: "370100").status == 0)
        }

        private static let ticketMapping = """
            key: id
            records:
              - resource: service_request
                fields:
                  service_request_id: id
                  requested_datetime: {column: time, time_formats: ["yyyy-MM-dd HH:mm:ss"]}
                  channel: {value: "01"}
                  request_type: {value: "2"}
                  urgency: {value: normal}
                  acceptance: {value: accepted}
                ext: [is_night_noise]
            """

        /// Invented tickets with calls and recordings, another set for each seed.
        private static func generate(_ seed: Int, at code: String, in federation: Federation) async throws {
            try await federation.succeed(["generate", "--tickets", "60", "--seed", "\(seed)", "--calls"], at: code)
        }
    }
}
