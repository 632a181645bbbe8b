import Foundation
import TestSupport
import Testing

extension `Real processes` {
    /// What the domain model says of external data (5.1-2) and of figures of one's own, by real processes.
    @Suite struct Declarations {
        private let outages = """
            计划编号,停供类型,开始时间,恢复时间,地区,供应单位,影响范围,影响户数
            T-1,停水,2025-09-30 08:00,2025-09-30 18:00,370102,供水集团,解放东路,1200
            T-2,停电,2025-09-30 09:00,2025-09-30 12:00,370103,供电公司,经七路,300
            T-3,停水,2025-10-01 08:00,2025-10-01 18:00,370199,供水集团,不明,10

            """

        @Test(.timeLimit(.minutes(15)))
        func `an external data set is registered, imported, copied and asked like the node's own (5_1-2)`() async throws
        {
            let federation = try await Federation([Federation.qilu[0], Federation.qilu[1], Federation.qilu[3]])
            try federation.write(outages, to: "outages.csv")
            for code in ["370100", "370300"] {
                let file = repositoryRoot.appending(path: "datasets/planned_outage.yaml").path
                try await federation.succeed(["dataset", "register", file], at: code)
                let report = try await federation.run(
                    ["import", "--resource", "planned_outage", federation.path("outages.csv"), "--json"], at: code
                ).json()
                #expect(report["accepted"] as? Int == 2 && report["rejected"] as? Int == 1, "\(report)")
                #expect((report["rejectedByCode"] as? [String: Int]) == ["E_FIELD_CODE": 1])
                let listed = try await federation.succeed(["dataset", "list", "--json"], at: code).jsonList()
                #expect(listed.map { $0["rows"] as? Int } == [2] && listed[0]["external"] as? Bool == true)
            }
            try federation.write(
                """
                version: 1
                title: 停水
                indicators:
                  - name: water_households
                    version: 1
                    title: 停水影响户数
                    clause: 5.1
                    unit: count
                    numerator: 停水计划影响的户数
                    terms:
                      - {fact: dataset.planned_outage, numerator: sum(households) where kind = 'water'}

                """, to: "370000/indicators.yaml")
            for code in ["370000", "370100", "370300"] { try await federation.serve(code) }
            try await federation.waitUntilLevel("370000")
            let rows = try await federation.query(
                [
                    "--measure", "planned_outage_count", "--measure", "water_households", "--by", "region:county",
                    "--by", "day",
                ],
                at: "370000")
            #expect(rows.result.status == 0, "\(rows.result.errors)")
            // One city's rows lie here, the other was asked.
            #expect(
                (rows.json["rows"] as? [[Any]])?.map { "\($0[0]) \($0[1]) \($0[2]) \($0[3])" } == [
                    "370102 2025-09-30 2 2400", "370103 2025-09-30 2 0",
                ])
            #expect(
                rows.json[object: "coverage"][list: "nodes"].compactMap { $0["mode"] as? String } == [
                    "physical", "logical",
                ])
            // A child counts by a column that only the asker's registration explains.
            let kinds = try await federation.query(
                ["--measure", "planned_outage_count", "--by", "停供类型", "--where", "planned_outage.kind=停水"], at: "370000"
            )
            #expect((kinds.json["rows"] as? [[Any]])?.map { "\($0[0]) \($0[1])" } == ["water 2"])
            #expect(kinds.json["columns"] as? [String] == ["planned_outage.kind", "planned_outage_count"])
            let known = try await federation.succeed(["dataset", "list", "--json"], at: "370000").jsonList()
            #expect(known.map { $0["registeredBy"] as? String } == ["370100"])
            let unknown = try await federation.run(
                ["import", "--resource", "weather", federation.path("outages.csv")], at: "370100")
            #expect(unknown.errors.hasPrefix("E_MAPPING"))
        }

        @Test(.timeLimit(.minutes(15)))
        func `figures that the top node publishes are measured everywhere, and a node's own only there`() async throws {
            let federation = try await Federation([Federation.qilu[0], Federation.qilu[1], Federation.qilu[3]])
            func file(_ name: String, _ title: String) -> String {
                """
                version: 1
                title: t
                indicators:
                  - name: \(name)
                    version: 1
                    title: \(title)
                    clause: 省热线办
                    unit: percent
                    numerator: 突发的
                    denominator: 受理的
                    terms:
                      - {fact: ticket, base: not merged, numerator: count where urgency = 'urgent', denominator: count}

                """
            }
            try federation.write(file("urgent_share", "突发占比"), to: "published.yaml")
            for (code, tickets) in [("370100", "120"), ("370300", "80")] {
                try await federation.succeed(["generate", "--tickets", tickets], at: code)
            }
            for code in ["370000", "370100", "370300"] { try await federation.serve(code) }
            let refused = try await federation.run(
                ["indicator", "publish", federation.path("published.yaml")], at: "370100")
            #expect(refused.errors.hasPrefix("E_INDICATORS_NOT_OWNER"))
            try await federation.succeed(["indicator", "publish", federation.path("published.yaml")], at: "370000")
            try await federation.waitUntil("the city has it", seconds: 30) {
                try await federation.run(["indicator", "show", "urgent_share"], at: "370100").status == 0
            }
            try await federation.waitUntilLevel("370000")
            let share = ["--measure", "urgent_share"]
            let whole = try await federation.query(share, at: "370000").json["parts"] as? [[[Int]]]
            let cities = try await [
                federation.query(share + ["--where", "origin=370100"], at: "370100"),
                federation.query(share + ["--where", "origin=370300"], at: "370300"),
            ].compactMap { ($0.json["parts"] as? [[[Int]]])?[0][0] }
            #expect(cities.count == 2 && whole?[0][0] == zip(cities[0], cities[1]).map { $0 + $1 })

            try federation.write(file("own_share", "本市突发占比"), to: "370100/indicators.yaml")
            let shown = try await federation.succeed(["indicator", "show", "own_share", "--json"], at: "370100").json()
            #expect(shown["source"] as? String == "own")
            #expect(
                try await federation.run(["indicator", "show", "own_share"], at: "370000").errors.hasPrefix(
                    "E_ANALYSIS_UNKNOWN"))
            try federation.write(file("urgent_share", "别的"), to: "370100/indicators.yaml")
            #expect(try await federation.run(["query"], at: "370100").errors.hasPrefix("E_INDICATORS_TAKEN"))
            try federation.write(
                file("own_share", "本市突发占比").replacing("urgent'", with: "urgent"), to: "370100/indicators.yaml")
            let broken = try await federation.run(["query"], at: "370100").errors
            #expect(broken.hasPrefix("E_INDICATORS_INVALID") && broken.contains(":12:"), "\(broken)")
        }

        @Test(.timeLimit(.minutes(15)))
        func `nobody counts by a field that the link hides, and persons only by what it gives`() async throws {
            let hiding =
                "policy: { assignment: { fields: { assignee_unit: token } }, service_request: { fields: { reporter_phone: drop } } }"
            let federation = try await Federation([
                Federation.qilu[0],
                Federation.Node(code: "370300", name: "淄博市", parent: "370000", extra: ["mode: logical", hiding]),
            ])
            let key = String(repeating: "0f", count: 32) + "\n"
            for code in ["370000", "370300"] { try federation.write(key, to: "\(code)/credentials/token.key") }
            try await federation.succeed(["generate", "--tickets", "50"], at: "370300")
            for code in ["370000", "370300"] { try await federation.serve(code) }
            try await federation.waitUntilLevel("370000")
            let hidden = try await federation.query(["--by", "unit"], at: "370000")
            #expect(hidden.result.status == 3)
            let node = hidden.json[object: "coverage"][list: "nodes"][0]
            #expect(
                node["state"] as? String == "denied" && node["code"] as? String == "E_ANALYSIS_NOT_GRANTED", "\(node)")
            let given = try await federation.query(["--by", "channel", "--measure", "person_count"], at: "370000")
            #expect(given.result.status == 0, "\(given.result.errors)")
            let own = try await federation.query(["--by", "unit"], at: "370300")
            #expect(own.result.status == 0)
        }
    }
}
