import Foundation
import Testing

extension `Real processes` {
    /// Clause 7.2.4: a province evaluates the hotlines of its cities, copied or asked.
    @Suite struct Evaluation {
        private static let nodes =
            Federation.qilu + [Federation.Node(code: "370400", name: "枣庄市", parent: "370000")]

        private static func scheme(_ version: Int) -> String {
            """
            scheme: hotlines
            version: \(version)
            title: 热线办理评价
            evaluated: hotline
            criteria:
              - {id: satisfaction_rate, weight: 0.8}
              - {id: survey, title: 满意度调查, weight: 0.2, source: survey, sample_min: 30}

            """
        }

        private static let unitScheme = """
            scheme: units
            version: 1
            title: 承办单位评价
            evaluated: unit
            criteria:
              - {id: satisfaction_rate, weight: 1}

            """

        private func results(_ federation: Federation, at code: String) async throws -> [[String: Any]] {
            try await federation.succeed(["evaluation", "show", "--json"], at: code).jsonList()
        }

        private func part(_ result: [String: Any]) -> [String: Any] {
            result[object: "detail"][list: "parts"].first { $0["criterion"] as? String == "satisfaction_rate" } ?? [:]
        }

        @Test(.timeLimit(.minutes(15)))
        func `goes by a scheme known before, back to each for itself, and is computed again for an objection (7.2.4)`()
            async throws
        {
            let federation = try await Federation(Self.nodes)
            for node in Self.nodes { try await federation.serve(node.code) }
            for node in Self.nodes { try await federation.succeed(["generate", "--tickets", "400"], at: node.code) }
            try await federation.waitUntilLevel("370000")

            // A scheme goes down to everybody, and does not hold for what lies behind it.
            try federation.write(Self.scheme(2), to: "scheme.yaml")
            try await federation.succeed(["evaluation", "publish", federation.path("scheme.yaml")], at: "370000")
            try await federation.waitUntil("the scheme is at the logical child", seconds: 30) {
                try await federation.count("evaluation_scheme", at: "370300") == 1
            }
            let run = ["evaluation", "run", "--scheme", "hotlines", "--period", "2025-08", "--json"]
            let late = try await federation.run(run, at: "370000")
            #expect(late.status == 1 && late.errors.hasPrefix("E_SCHEME_LATE"))

            try await federation.importScheme("hotlines", Self.scheme(1), at: "370000")
            try federation.write("对象,指标,达标,样本\n济南,survey,90,100\n", to: "survey.csv")
            let evaluated = try await federation.succeed(
                run + ["--source", federation.path("survey.csv")], at: "370000"
            ).jsonList()
            let byName = Dictionary(uniqueKeysWithValues: evaluated.map { ($0["evaluatee"] as? String ?? "", $0) })
            #expect(Set(byName.keys) == Set(Self.nodes.map(\.code)))
            #expect(evaluated.allSatisfy { $0["version"] as? Int == 1 && $0["grade"] as? String != nil })
            for code in ["370100", "370300"] {
                let own = try await federation.query(
                    ["--measure", "satisfaction_rate", "--from", "2025-08-01", "--to", "2025-09-01"], at: code)
                let parts = (own.json["parts"] as? [[[Int]]])?.first?.first
                let counted = part(try #require(byName[code]))
                #expect(parts == ["hits", "tries"].compactMap { counted[$0] as? Int }, "\(code): \(own.json)")
            }
            let (jinan, zibo) = (try #require(byName["370100"]), try #require(byName["370300"]))
            #expect(jinan[object: "detail"]["missing"] as? [String] == [])
            #expect(zibo[object: "detail"]["missing"] as? [String] == ["survey"], "its weight went to the other")

            // Each has its own, and of the others quartiles without a name.
            for code in ["370100", "370300"] {
                try await federation.waitUntil("the result is at \(code)", seconds: 30) {
                    try await results(federation, at: code).count == 1
                }
                let own = try #require(try await results(federation, at: code).first)
                #expect(own["evaluatee"] as? String == code)
                #expect(own[object: "detail"][object: "quartiles"]["others"] as? Int == 4)
            }

            // The logical child objects to a ticket that the province has never seen.
            let id = try #require(zibo["id"] as? String)
            let ticket = try await federation.sql(
                """
                SELECT global_id FROM evaluation WHERE deleted = 0 AND object = 'handling'
                  AND occurred_at >= \(august) AND occurred_at < \(august + 31 * 86_400_000)
                GROUP BY global_id HAVING count(*) = 1 AND max(score5) IN ('1', '2') AND max(coalesce(counted, 1)) = 1
                  AND max(coalesce(verdict_source, '')) <> 'default' LIMIT 1
                """, at: "370300")
            try #require(!ticket.isEmpty)
            try await federation.succeed(
                ["evaluation", "object", id, "--ticket", ticket, "--reason", "非本单位职责"], at: "370300")
            try await federation.waitUntil("the objection is at the province", seconds: 30) {
                try await federation.succeed(["evaluation", "show", id, "--json"], at: "370000").json()["state"]
                    as? String == "objected"
            }
            let decision = try await federation.succeed(
                ["evaluation", "object", id, "--ticket", ticket, "--uphold", "--json"], at: "370000"
            ).json()
            let (before, after) = (
                try #require(decision["scoreBefore"] as? Double), try #require(decision["scoreAfter"] as? Double)
            )
            #expect(before < after && before == zibo["score"] as? Double)
            try await federation.waitUntil("both results are at the child", seconds: 30) {
                try await results(federation, at: "370300").count == 2
            }
            let shown = try await federation.succeed(["evaluation", "show", id, "--json"], at: "370300").json()
            #expect(shown["state"] as? String == "decided")
            #expect(Set(shown[list: "results"].compactMap { $0["score"] as? Double }) == [before, after])
            let tries = shown[list: "results"].compactMap { part($0)["tries"] as? Int }.sorted()
            #expect(tries.count == 2 && tries[0] + 1 == tries[1])
            #expect(try await results(federation, at: "370100").count == 1, "nobody else hears of it")

            // A unit has its own by the feed of the city that evaluates it.
            try await federation.importScheme("units", Self.unitScheme, at: "370100")
            let units = try await federation.succeed(
                ["evaluation", "run", "--scheme", "units", "--period", "2025-08", "--json"], at: "370100"
            ).jsonList()
            for unit in units.prefix(2) {
                let name = try #require(unit["evaluatee"] as? String)
                let feed = try await federation.succeed(
                    ["unit", "feed", "--unit", name, "--limit", "500", "--json"], at: "370100"
                ).json()
                #expect(feed[list: "evaluations"].map { $0["id"] as? String } == [unit["id"] as? String])
                #expect(feed[list: "evaluations"].first?["score"] as? Double == unit["score"] as? Double)
            }
            #expect(units.count >= 2)
        }

        /// The first millisecond of August 2025 in Shanghai.
        private let august: Int64 = 1_753_977_600_000
    }
}

extension Federation {
    /// A scheme as it was published before the tickets' period, which real clocks have left behind.
    func importScheme(_ name: String, _ content: String, at code: String) async throws {
        try write(
            "id,version,at,content\n\(name).1,1,2025-06-30 09:00,\"\(content)\"\n", to: "scheme.csv")
        try write(
            """
            key: id
            zone: Asia/Shanghai
            time_formats: ["yyyy-MM-dd HH:mm"]
            records:
              - resource: evaluation_scheme
                fields:
                  scheme: {value: \(name)}
                  scheme_version: version
                  title: {value: 热线办理评价}
                  published_at: at
                  content: content

            """, to: "scheme-mapping.yaml")
        try await succeed(
            [
                "import", "--resource", "evaluation_scheme", "--mapping", path("scheme-mapping.yaml"),
                path("scheme.csv"),
            ], at: code)
    }
}
