import Foundation
import Testing

extension `Real processes` {
    /// Clause 5 of the standard, as the domain model's acceptance examples have it, by real processes.
    @Suite struct Aggregation {
        @Test(.timeLimit(.minutes(15)))
        func `reference data are published by the top node, not imported`() async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            try federation.write("id,day\n1,2026-10-08\n", to: "days.csv")
            try federation.write(
                """
                key: id
                zone: Asia/Shanghai
                time_formats: ["yyyy-MM-dd"]
                records:
                  - resource: work_calendar
                    fields: {release: {value: "9"}, year: {value: "2026"}, day: day, kind: {value: holiday}}

                """, to: "days.yaml")
            for code in ["370000", "370100"] {
                let refused = try await federation.run(
                    [
                        "import", "--resource", "work_calendar", "--mapping", federation.path("days.yaml"),
                        federation.path("days.csv"),
                    ], at: code)
                #expect(refused.status == 1 && refused.errors.hasPrefix("E_REFERENCE_RECORD"), "\(refused.errors)")
                #expect(try await federation.count("work_calendar", at: code) == 0)
            }
        }

        /// 150,000 records take some seconds to fold, here and at whoever asks first after a bulk load.
        @Test(.timeLimit(.minutes(15)))
        func `an answer comes by its deadline though states are derived later, and says how far that is`() async throws
        {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            _ = try await federation.succeed(["generate", "--tickets", "20000"], at: "370100")
            let began = ContinuousClock.now
            let early = try await federation.query(["--deadline", "1000"], at: "370100")
            #expect(
                ContinuousClock.now - began < .seconds(15),
                "far more than it may take, less than folding on a busy machine")
            let coverage = try #require(early.json["coverage"] as? [String: Any])
            #expect(early.result.status == 0 && (coverage["lagRows"] as? Int ?? 0) > 0, "\(coverage)")
            let whole = try await federation.tickets(["--deadline", "120000"], at: "370100")
            #expect((whole.json["coverage"] as? [String: Any])?["lagRows"] as? Int == nil)
            #expect((whole.json["rows"] as? [[Int]])?.first == [20_000])
        }

        @Test(.timeLimit(.minutes(15)))
        func `all eight stages of a ticket arrive at the province (5.1-1)`() async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            try await federation.serve("370000")
            try await federation.serve("370100")
            try await TicketG1.importRecords(into: federation, at: "370100")
            let id = "370100-G1"
            try await federation.waitUntil("the evaluation is at the province", seconds: 30) {
                try await federation.count("evaluation", at: "370000") == 1
            }
            let ticket = try await federation.succeed(["ticket", "show", id, "--json"], at: "370000").json()
            let stages = ticket["stages"] as? [String: Int]
            #expect(stages == ["受理": 1, "派单": 1, "办理": 1, "答复": 1, "督办": 0, "办结": 1, "回访": 1, "评价": 1])
            #expect(ticket["status"] as? String == "evaluated")
            #expect(ticket["conflicts"] as? [String] == [])
            let order = ticket[list: "events"].compactMap { $0["resource"] as? String }
            #expect(
                order == [
                    "service_request", "assignment", "acknowledgement", "handling", "reply", "closure", "callback",
                    "evaluation",
                ])
            let times = ticket[list: "events"].compactMap { ($0["occurredAt"] as? String)?.prefix(16) }
            #expect(
                times == [
                    "2025-09-30T09:00", "2025-09-30T09:10", "2025-09-30T09:30", "2025-09-30T14:00", "2025-09-30T15:00",
                    "2025-09-30T15:30", "2025-10-01T10:00", "2025-10-01T10:05",
                ])
            let text = try await federation.succeed(["ticket", "show", id], at: "370000").output
            #expect(text.split(separator: "\n").contains { $0.contains("督办") && $0.contains("–") })
        }

        @Test(.timeLimit(.minutes(15)))
        func `physical and logical cities give one answer with its coverage (5.2-1, 5.2-3)`() async throws {
            let federation = try await Federation(Federation.qilu)
            for node in Federation.qilu { try await federation.serve(node.code) }
            try await federation.succeed(["generate", "--tickets", "1200"], at: "370100")
            try await federation.succeed(["generate", "--tickets", "800"], at: "370200")
            try await federation.succeed(["generate", "--tickets", "500"], at: "370300")
            try await federation.waitUntilLevel("370000")

            let logical = try await federation.tickets(["--where", "origin=370300"], at: "370000")
            #expect(logical.json["rows"] as? [[Int]] == [[500]])
            // Whom they concern is found right after they have come.
            try await federation.waitUntil(
                "the logical city's rows at the province are those that it has offered to another city", seconds: 20
            ) {
                try await federation.count(
                    "service_request", at: "370000",
                    where: "origin = '370300' AND global_id NOT IN (SELECT global_id FROM ticket_audience)") == 0
            }

            let byName = try await federation.tickets(["--where", "origin=淄博"], at: "370000")
            #expect(byName.json["rows"] as? [[Int]] == [[500]])
            let nobody = try await federation.run(["query", "--where", "origin=379900"], at: "370000")
            #expect(nobody.errors.hasPrefix("E_NODE_UNKNOWN"))

            #expect(try await federation.tickets(at: "370000").json["rows"] as? [[Int]] == [[2500]])
            let whole = try await federation.tickets(["--by", "origin"], at: "370000")
            #expect(whole.result.status == 0)
            let rows = (whole.json["rows"] as? [[Any]])?.map { "\($0[0]) \($0[1])" }
            #expect(rows == ["370100 1200", "370200 800", "370300 500"])
            let coverage = whole.json[object: "coverage"]
            #expect(coverage["complete"] as? Bool == true)
            #expect(coverage["answered"] as? Int == 3 && coverage["expected"] as? Int == 3)
            #expect(
                coverage[list: "nodes"].compactMap { $0["mode"] as? String } == ["physical", "physical", "logical"])
            #expect(coverage[list: "nodes"].compactMap { $0["rows"] as? Int } == [1200, 800, 500])

            try await federation.stop("370300")
            let strict = try await federation.tickets(at: "370000")
            #expect(strict.result.status == 3)
            #expect((strict.json["rows"] as? [Any])?.isEmpty == true)
            let missing = strict.json[object: "coverage"][list: "nodes"].first { $0["state"] as? String != "ok" }
            #expect(missing?["node"] as? String == "370300")
            #expect(missing?["state"] as? String == "unreachable")
            #expect(missing?["asOf"] is String, "when it was last heard")
            let best = try await federation.tickets(["--best-effort"], at: "370000")
            #expect(best.result.status == 3)
            #expect(best.json["rows"] as? [[Int]] == [[2000]])
            #expect(try await federation.run(["query"], at: "370000").output.contains("缺失 淄博市(370300)"))
        }

        @Test(.timeLimit(.minutes(15)))
        func `every indicator says of a city at the province what it says at the city, copied or asked`() async throws {
            let federation = try await Federation(Federation.qilu)
            for node in Federation.qilu {
                // Persons are counted by keyed digests.
                try federation.write(String(repeating: "0f", count: 32), to: "\(node.code)/credentials/token.key")
                try await federation.serve(node.code)
            }
            let cities = ["370100": "300", "370200": "200", "370300": "150"]
            for (code, tickets) in cities {
                try await federation.succeed(["generate", "--tickets", tickets], at: code)
            }
            try await federation.waitUntilLevel("370000")
            let list = try await federation.succeed(["indicator", "list", "--json"], at: "370000").output
            let indicators = try #require(try JSONSerialization.jsonObject(with: Data(list.utf8)) as? [[String: Any]])
            #expect(indicators.count > 40)
            for (fact, some) in Dictionary(grouping: indicators, by: { $0["fact"] as? String ?? "" }) {
                // A question takes 16.
                for part in stride(from: 0, to: some.count, by: 16) {
                    let names = some[part..<min(part + 16, some.count)].compactMap { $0["name"] as? String }
                    let measures = names.flatMap { ["--measure", $0] }
                    let whole = try await federation.query(measures + ["--by", "origin"], at: "370000").json
                    let definitions = whole[list: "definitions"]
                    #expect(definitions.compactMap { $0["name"] as? String } == names)
                    let rows = try #require(whole["rows"] as? [[Any]])
                    let parts = try #require(whole["parts"] as? [[[Int]]])
                    for city in cities.keys {
                        let own = try await federation.query(measures + ["--where", "origin=\(city)"], at: city).json
                        let row = rows.firstIndex { $0.first as? String == city }
                        let empty = (own["parts"] as? [[[Int]]])?.first?.map { $0.map { _ in 0 } }
                        #expect(
                            (own["parts"] as? [[[Int]]])?.first == row.map { parts[$0] } ?? empty,
                            "\(city) \(fact) \(names)")
                    }
                }
            }
            let shown = try await federation.succeed(["indicator", "show", "满意率"], at: "370000").output
            #expect(shown.hasPrefix("满意率  satisfaction_rate v2"))
        }

        @Test(.timeLimit(.minutes(15)))
        func `a link that breaks in the middle goes on, and every change is there once (5.2-2)`() async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            try await federation.serve("370000")
            try await federation.serve("370100")
            try await federation.waitUntilLevel("370000")
            var (days, cuts) = (0, 0)
            // A fast machine may send all of a day before the kill comes; then it is the next day's turn.
            while cuts < 2 && days < 8 {
                days += 1
                let before = try await federation.countRecords(at: "370000")
                let changes = ["--tickets", "5000", "--from", "2025-07-0\(days)", "--days", "1", "--requests-only"]
                try await federation.succeed(["generate"] + changes, at: "370100")
                try await federation.waitUntil("some changes are there", seconds: 30) {
                    try await federation.countRecords(at: "370000") > before
                }
                try await federation.stop("370100", signal: SIGKILL)
                if try await federation.countRecords(at: "370000") < days * 5000 { cuts += 1 }
                try await federation.serve("370100")
                try await federation.waitUntil("the rest is there", seconds: 30) {
                    try await federation.countRecords(at: "370000") == days * 5000
                }
            }
            #expect(cuts == 2, "the kills came after the changes")
            try await federation.waitUntilLevel("370000")
            #expect(try await federation.count("service_request", at: "370000") == days * 5000)
            #expect(
                try await federation.sql("SELECT count(DISTINCT \"key\") FROM service_request", at: "370000")
                    == "\(days * 5000)")
            let head = try await federation.sql("SELECT value FROM node WHERE name = 'seq'", at: "370000")
            // The same records again: nothing to store, nothing to send.
            let again = ["--tickets", "5000", "--from", "2025-07-01", "--days", "1", "--requests-only", "--json"]
            let report = try await federation.succeed(["generate"] + again, at: "370100").json()
            #expect(report["changed"] as? Int == 0)
            try await federation.waitUntilLevel("370000")
            #expect(try await federation.sql("SELECT value FROM node WHERE name = 'seq'", at: "370000") == head)
        }

        @Test(.timeLimit(.minutes(15)))
        func `a county's rows are relayed by its city, and a peer's are counted once`() async throws {
            let nodes =
                Array(Federation.qilu.prefix(2)) + [
                    Federation.Node(code: "370102", name: "历下区", parent: "370100"),
                    Federation.Node(
                        code: "370900", name: "泰安市", parent: "370000",
                        extra: ["peers: [\"370100\"]", "shared-with-peers: [service_request]"]),
                ]
            let federation = try await Federation(nodes)
            for node in nodes { try await federation.serve(node.code) }
            try await federation.succeed(["generate", "--tickets", "100"], at: "370100")
            try await federation.succeed(["generate", "--tickets", "70", "--showcase"], at: "370102")
            try await federation.succeed(["generate", "--tickets", "30"], at: "370900")
            for node in nodes { try await federation.waitUntilLevel(node.code) }
            try await federation.waitUntil("the county's rows are at the province", seconds: 30) {
                try await federation.count("service_request", at: "370000") == 200
            }
            #expect(try await federation.count("service_request", at: "370100", where: "origin = '370900'") == 30)
            try await federation.waitUntil("the province knows that its copy of the county is whole", seconds: 4) {
                try await federation.tickets(at: "370000").result.status == 0
            }
            #expect(try await federation.tickets(at: "370000").json["rows"] as? [[Int]] == [[200]])
            #expect(
                try await federation.tickets(at: "370100").json["rows"] as? [[Int]] == [[170]],
                "the peer is not below it"
            )
            #expect(try await federation.count("assignment", at: "370100", where: "origin = '370900'") == 0)
        }
    }
}

extension `Real processes`.Aggregation {
    @Test(.timeLimit(.minutes(15)))
    func `a county that its city asks by query is in the province's answer, through the city`() async throws {
        let nodes =
            Array(Federation.qilu.prefix(2)) + [
                Federation.Node(code: "370102", name: "历下区", parent: "370100", extra: ["mode: logical"])
            ]
        let federation = try await Federation(nodes)
        for node in nodes { try await federation.serve(node.code) }
        try await federation.succeed(["generate", "--tickets", "100"], at: "370100")
        try await federation.succeed(["generate", "--tickets", "40"], at: "370102")
        try await federation.waitUntil("the answer is complete", seconds: 30) {
            let answer = try await federation.tickets(["--by", "origin"], at: "370000")
            let rows = (answer.json["rows"] as? [[Any]])?.map { "\($0[0]) \($0[1])" }
            return answer.result.status == 0 && rows == ["370100 100", "370102 40"]
        }
        #expect(try await federation.count("service_request", at: "370000", where: "origin = '370102'") == 0)
        #expect(try await federation.count("service_request", at: "370100", where: "origin = '370102'") == 0)

        try await federation.stop("370102")
        let answer = try await federation.tickets(at: "370000")
        #expect(answer.result.status == 3)
        let states = answer.json[object: "coverage"][list: "nodes"].compactMap { $0["state"] as? String }
        #expect(states == ["ok", "unreachable"])
    }
}

/// Ticket G1 of the domain model: 受理 09:00, 派单 09:10, 签收 09:30, 答复 15:00, 办结 15:30, 回访 and 评价 the next day.
enum TicketG1 {
    private static let records: [(resource: String, time: String, fields: String)] = [
        ("service_request", "2025-09-30 09:00", ""),
        ("assignment", "2025-09-30 09:10", "assignee_unit: {value: 市住建局}\n      role: {value: main}"),
        ("acknowledgement", "2025-09-30 09:30", "unit: {value: 市住建局}"),
        ("handling", "2025-09-30 14:00", "unit: {value: 市住建局}"),
        ("reply", "2025-09-30 15:00", "reply_kind: {value: final}"),
        ("closure", "2025-09-30 15:30", "closure_kind: {value: closed}"),
        ("callback", "2025-10-01 10:00", "method: {value: telephone}\n      reached: {value: answered}"),
        ("evaluation", "2025-10-01 10:05", "object: {value: handling}\n      score5: {value: \"4\"}"),
    ]

    /// Imports the ticket the way a ticket system would: one file, one mapping, a row that becomes all records.
    static func importRecords(into federation: Federation, at code: String) async throws {
        let columns = records.map(\.resource)
        let csv = "id,\(columns.joined(separator: ","))\nG1,\(records.map(\.time).joined(separator: ","))\n"
        var mapping = "key: id\nzone: Asia/Shanghai\ntime_formats: [\"yyyy-MM-dd HH:mm\"]\nrecords:\n"
        for record in records {
            mapping += "  - resource: \(record.resource)\n    fields:\n"
            if record.resource == "service_request" {
                mapping += """
                          service_request_id: id
                          requested_datetime: service_request
                          channel: {value: "01"}
                          request_type: {value: "2"}
                          urgency: {value: normal}
                          acceptance: {value: accepted}

                    """
            } else {
                mapping += "      occurred_at: \(record.resource)\n      \(record.fields)\n"
            }
        }
        try federation.write(csv, to: "g1.csv")
        try federation.write(mapping, to: "g1.yaml")
        let report = try await federation.succeed(
            [
                "import", "--resource", "service_request", "--mapping", federation.path("g1.yaml"), "--json",
                federation.path("g1.csv"),
            ], at: code
        ).json()
        #expect(report["accepted"] as? Int == 1)
    }
}
