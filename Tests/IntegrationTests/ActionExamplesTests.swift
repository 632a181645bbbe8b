import Foundation
import TestSupport
import Testing

extension `Real processes` {
    /// The acceptance examples of 7.1.1 b and c, 7.2.2 and 7.2.3, with their numbers, in one federation.
    @Suite struct `Examples of action` {
        /// A city, and who shows what can be said of the tickets that a node holds: the province, where they are copied, and the city itself,
        /// where they stay (逻辑接入).
        private struct City {
            let code: String
            let shownAt: String
            /// Two of its counties, and the name of the first.
            let counties: [String]
            let county: String
        }

        private static let cities = [
            City(code: "370100", shownAt: "370000", counties: ["370102", "370103"], county: "历下区"),
            City(code: "370300", shownAt: "370300", counties: ["370302", "370303"], county: "淄川区"),
        ]

        private func started() async throws -> Federation {
            var nodes = [Federation.qilu[0], Federation.qilu[1], Federation.qilu[3]]
            nodes[2].extra.append("policy: { assignment: { row-queries: true } }")
            let federation = try await Federation(nodes)
            for node in nodes { try await federation.serve(node.code) }
            let file = repositoryRoot.appending(path: "datasets/planned_outage.yaml").path
            try await federation.succeed(["dataset", "register", file], at: "370000")
            for city in Self.cities {
                try await federation.waitUntil("\(city.code) knows of planned outages", seconds: 30) {
                    try await federation.count("external_dataset", at: city.code) == 1
                }
            }
            return federation
        }

        @Test(.timeLimit(.minutes(15)))
        func `are found, put right and governed together over a city that is copied and one that is asked`()
            async throws
        {
            let federation = try await started()
            for city in Self.cities {
                try await importFiles(into: federation, at: city)
                let system = try await TicketSystem(at: city.code, of: federation)
                try await passAround("\(city.code)-G9", system)
                try await waitUntilShown(city, federation)
                try await expectRework("\(city.code)-G5", system, federation, over: city)
                try await expectMeasure(of: try await expectFindings(federation, over: city), federation, over: city)
                try await expectOutagesExplain(federation, over: city)
                try await expectJointTask(federation, over: city)
            }
            try await expectFourLists(federation)
            // A unit above has of the city that keeps its rows what it asks for: the dispatches, of both rounds (7.2.2-2).
            let asked = try await federation.succeed(
                ["unit", "feed", "--unit", "住建", "--logical", "--json"], at: "370000"
            ).json()
            let dispatched = asked[list: "items"].compactMap { $0["ticket"] as? String }
            #expect(dispatched.sorted() == ["G5", "G5", "G7", "G9"].map { "370300-\($0)" })
        }

        private func importFiles(into federation: Federation, at city: City) async throws {
            let tickets = Self.found + Self.topics + Self.water(city) + Self.parking(city)
            try federation.write(ImportedTicket.csv(tickets), to: "tickets.csv")
            try federation.write(ImportedTicket.mapping, to: "tickets.yaml")
            let report = try await federation.succeed(
                [
                    "import", "--resource", "service_request", "--mapping", federation.path("tickets.yaml"), "--json",
                    federation.path("tickets.csv"),
                ], at: city.code
            ).json()
            #expect(report["accepted"] as? Int == tickets.count, "\(report)")
            try federation.write(Self.outages(city), to: "outages.csv")
            try await federation.succeed(
                ["import", "--resource", "planned_outage", federation.path("outages.csv")], at: city.code)
        }

        /// Waits until the records of a city are where they are looked at.
        private func waitUntilShown(_ city: City, _ federation: Federation) async throws {
            let records = try await federation.countRecords(at: city.code)
            try await federation.waitUntil("the records of \(city.code) are at \(city.shownAt)", seconds: 60) {
                let outages = try await federation.count("external_record", at: city.shownAt)
                return try await federation.countRecords(at: city.shownAt) == records && outages == 2
            }
        }

        // MARK: - 7.1.1

        /// Tickets of September that show what the examples find; in October the same is still asked 25 times.
        private static let found: [ImportedTicket] = {
            var tickets = [
                ImportedTicket("G5", "2025-09-10 09:00", "03.06.01"),
                ImportedTicket("G9", "2025-09-20 09:00", "03.07.01"),
                ImportedTicket("G7", "2025-09-30 09:00", "03.06.01", urgency: "urgent"),
            ]
            tickets[0].give(to: "住建", "2025-09-10 10:00")
            tickets[0].close("2025-09-12 10:00", score: "2")
            tickets[2].give(to: "住建", "2025-09-30 10:35")
            for number in 1...67 {
                let day = number <= 42 ? "2025-09-10" : "2025-10-10"
                var ticket = ImportedTicket("Q\(number)", "\(day) 09:00", "03.01.01", type: "1", title: "公积金提取")
                ticket.give(to: "公积金中心", "\(day) 10:00")
                tickets.append(ticket)
            }
            for (unit, satisfied, count) in [("供热公司", 700, 1_000), ("物业公司", 9, 10)] {
                for number in 1...count {
                    var ticket = ImportedTicket("\(unit)\(number)", "2025-09-10 09:00", "03.02.01")
                    ticket.give(to: unit, "2025-09-10 10:00")
                    ticket.close("2025-09-12 10:00", score: number <= satisfied ? "4" : "2")
                    tickets.append(ticket)
                }
            }
            return tickets
        }()

        /// Three units give a ticket back, one after the other.
        private func passAround(_ ticket: String, _ system: TicketSystem) async throws {
            for (hour, unit) in ["住建", "城管", "街道"].enumerated() {
                func push(_ resource: String, _ minute: Int, _ fields: [String: Any]) async throws {
                    let time = "2025-09-20T1\(hour):\(minute):00+08:00"
                    let record = ["key": "\(ticket)-\(hour)", "global_id": ticket, "occurred_at": time]
                    try await system.push(resource, fields.merging(record) { $1 })
                }
                try await push(
                    "assignment", 10,
                    ["assignee_unit": unit, "role": "main", "due_datetime": "2025-10-14T18:00:00+08:00"])
                try await push("return_request", 20, ["unit": unit, "reason": "not_our_duty"])
                try await push("return_decision", 30, ["decision": "approved"])
            }
        }

        /// 7.1.1b-1 and b-2. The unit with 9 of 10 satisfied is not among them, and no rework is a duplicate dispatch.
        ///
        /// - Returns: the finding that knowledge is missing.
        private func expectFindings(_ federation: Federation, over city: City) async throws -> String {
            try await federation.succeed(["finding", "detect", "--period", "2025-09"], at: city.shownAt)
            let listed = try await federation.succeed(["finding", "list", "--json"], at: city.shownAt).jsonList()
            let words = listed.map { line in
                ["code", "subject", "extent"].map { line[$0] as? String ?? "" }.joined(separator: " ")
            }
            #expect(
                words.sorted() == [
                    "KB_GAP 03.01.01 42 questions dispatched", "LATE_DISPATCH \(city.code)-G7 35min",
                    "LOW_SAT 供热公司 700/1000, at most 72.8 %", "SHIRK \(city.code)-G9 3 returns, 3 units",
                    "WRONG_DISPATCH \(city.code)-G9 2 redispatched",
                ])
            return try #require(listed.first { $0["code"] as? String == "KB_GAP" }?["id"] as? String)
        }

        /// 7.1.1c-1: the city does something about it, and whoever found it looks again.
        private func expectMeasure(of finding: String, _ federation: Federation, over city: City) async throws {
            func measure(_ step: [String], at code: String) async throws -> [String: Any] {
                let line = try await federation.succeed(["finding", "measure", finding, "--json"] + step, at: code)
                return try line.json()
            }
            func wait(for resource: String, _ count: Int, at code: String) async throws {
                try await federation.waitUntil("\(count) of \(resource) at \(code)", seconds: 30) {
                    try await federation.count(resource, at: code, where: "finding_id = '\(finding)'") == count
                }
            }
            try await wait(for: "finding", 1, at: city.code)
            let proposed = try await measure(["--owner", "知识库科", "--due", "2025-10-08"], at: city.code)
            let proposal = try #require(proposed[list: "measures"].last)
            #expect(proposal["kind"] as? String == "knowledge_update" && proposal["owner"] as? String == "知识库科")
            #expect(proposal["due"] as? String == "2025-10-08T23:59:59.999+08:00")
            let article = try await federation.succeed(
                ["knowledge", "publish", "--question", "公积金怎么提取", "--answer", "登录网厅办理", "--json"], at: city.code
            ).json()
            _ = try await measure(["--done", "--article", try #require(article["key"] as? String)], at: city.code)
            try await wait(for: "measure", 2, at: city.shownAt)
            let evaluated = try await measure(["--effect", "2025-10"], at: city.shownAt)
            #expect(evaluated["state"] as? String == "evaluated")
            #expect(evaluated[list: "measures"].last?["note"] as? String == "42 → 25 (2025-10)")
            try await wait(for: "measure", 3, at: city.code)
        }

        // MARK: - 7.2.2

        /// 7.2.2-3: on its unit's list until a later round is better.
        private func expectRework(
            _ ticket: String, _ system: TicketSystem, _ federation: Federation, over city: City
        ) async throws {
            func unsatisfied() async throws -> [[String: Any]] {
                try await federation.succeed(["unit", "unsatisfied", "--unit", "住建", "--json"], at: city.shownAt)
                    .jsonList()
            }
            let list = try await unsatisfied()
            #expect(list.map { $0["ticket"] as? String } == [ticket])
            #expect(list.first?["round"] as? Int == 1 && list.first?["due"] == nil)

            let rework = ["rework", "--unit", "住建", "--due", "2099-12-31 18:00", "--at", "2025-09-15 09:00"]
            try await federation.succeed(["ticket", "event", ticket] + rework, at: city.code)
            try await waitUntilShown(city, federation)
            let reworked = try #require(try await unsatisfied().first)
            #expect(reworked["round"] as? Int == 2 && reworked["evaluatedRound"] as? Int == 1)
            #expect((reworked["due"] as? String)?.hasPrefix("2099-12-31T18:00") == true)

            let events: [(resource: String, fields: [String: Any])] = [
                ("acknowledgement", ["unit": "住建"]), ("handling", ["unit": "住建", "contacted": true]),
                ("reply", ["reply_kind": "final"]), ("closure", ["closure_kind": "closed"]),
                ("callback", ["method": "telephone", "reached": "answered", "resolved": "resolved"]),
                ("evaluation", ["object": "handling", "score5": "4"]),
            ]
            for (hour, event) in events.enumerated() {
                let record: [String: Any] = [
                    "key": "\(ticket)-2", "global_id": ticket, "round": 2,
                    "occurred_at": "2025-09-15T1\(hour):00:00+08:00",
                ]
                try await system.push(event.resource, event.fields.merging(record) { $1 })
            }
            try await waitUntilShown(city, federation)
            #expect(try await unsatisfied().isEmpty)
            let feed = try await federation.succeed(["unit", "feed", "--unit", "住建", "--json"], at: city.shownAt).json()
            let item = feed[list: "items"].first { $0["ticket"] as? String == ticket } ?? [:]
            let evaluations = item[list: "records"].filter { $0["resource"] as? String == "evaluation" }
            #expect(evaluations.map { $0["round"] as? Int } == [1, 2], "both rounds remain")
            #expect(evaluations.map { $0[object: "fields"]["score5"] as? String } == ["2", "4"])
        }

        // MARK: - 7.2.3

        /// In each city half of four categories: 校外培训 grows, 物业管理 dissatisfies, 公共卫生 takes long, 出租汽车 is given back.
        private static let topics = ["04.02.01", "03.06.01", "02.03.01", "05.04.01"].enumerated().flatMap {
            index, category in
            let former = (1...(index == 0 ? 2 : 10)).map {
                ImportedTicket("\(category)-former-\($0)", "2025-06-10 09:00", category)
            }
            let tickets = (1...(index == 0 ? 20 : 10)).map { number in
                var ticket = ImportedTicket("\(category)-\(number)", "2025-07-01 09:00", category)
                let isReturned = index == 3 && number > 1
                ticket.give(to: "街道", "2025-07-01 10:00", returned: isReturned ? "2025-07-01 12:00" : "")
                let isDissatisfied = index == 1 ? number > 1 : number.isMultiple(of: 10)
                ticket.close(
                    index == 2 ? "2025-07-21 10:00" : "2025-07-02 10:00", score: isDissatisfied ? "2" : "4")
                return ticket
            }
            return former + tickets
        }

        /// 7.2.3-1, over both cities at once.
        private func expectFourLists(_ federation: Federation) async throws {
            let report = try await federation.succeed(["topic", "list", "--period", "2025-07", "--json"], at: "370000")
                .json()
            let coverage = report[object: "coverage"]
            #expect(coverage["complete"] as? Bool == true)
            #expect(coverage[list: "nodes"].map { $0["mode"] as? String } == ["physical", "logical"])
            let first = ["hot", "painful", "hard", "blocked"].compactMap { name in
                report[object: "lists"][list: name].first.map { line in
                    ["category", "value", "tickets", "previous"].map { "\(line[$0] ?? "")" }.joined(separator: " ")
                }
            }
            // 40 of 100 tickets × 40 after 4; 18 of 20 dissatisfied × 20; 20 days against 4.8; 18 of 20 given back, each with consent.
            #expect(first == ["04.02 4 40 4", "03.06 18 20 20", "02.03 4.17 20 20", "05.04 1.8 20 20"])
        }

        private static func water(_ city: City) -> [ImportedTicket] {
            (1...100).map {
                let county = city.counties[$0 <= 80 ? 0 : 1]
                return ImportedTicket("W\($0)", "2025-08-20 09:00", "03.03.01", title: "停水", region: county)
            }
        }

        private static func outages(_ city: City) -> String {
            """
            计划编号,停供类型,开始时间,恢复时间,地区,供应单位,影响范围,影响户数
            P1,停水,2025-08-20 08:00,2025-08-20 12:00,\(city.counties[0]),供水集团,,1200
            P2,停水,2025-08-25 08:00,2025-08-25 12:00,\(city.counties[1]),供水集团,,300

            """
        }

        /// 7.2.3-2.
        private func expectOutagesExplain(_ federation: Federation, over city: City) async throws {
            let shown = try await federation.succeed(
                ["topic", "show", "water", "--period", "2025-08"], at: city.shownAt)
            #expect(
                shown.output == """
                    供水 工单 100 件  计划停供 2 次
                    计划停供可解释 80 件(80.0%)
                    未能解释 20 件 → 供水集团
                      \(city.code)-planned_outage-P1  80 件

                    """)
        }

        private static func parking(_ city: City) -> [ImportedTicket] {
            (1...30).map { number in
                let title =
                    "\(number <= 12 ? "解放东路" : "泉城路")违停" + (number <= 9 ? "，占用消防通道" : "")
                    + (number <= 7 ? "，小区停车位不足" : "")
                let county = city.counties[number <= 18 ? 0 : 1]
                return ImportedTicket("P\(number)", "2025-08-20 09:00", "05.02.01", title: title, region: county)
            }
        }

        /// 7.2.3-3.
        private func expectJointTask(_ federation: Federation, over city: City) async throws {
            let roads = ["--road", "解放东路", "--road", "泉城路"]
            let shown = try await federation.succeed(
                ["topic", "show", "parking", "--period", "2025-08", "--due", "2099-12-31"] + roads, at: city.shownAt)
            let lines = shown.output.split(separator: "\n")
            try #require(lines.count == 6, "\(shown.output)")
            #expect(lines[0] == "违法停车 工单 30 件" && lines[1] == "涉及道路 泉城路(18)、解放东路(12)")
            #expect(lines[2].hasPrefix("影响区域 \(city.county)(18)、") && lines[2].hasSuffix("(12)"))
            #expect(lines[3] == "影响 占用消防通道(9)" && lines[4] == "原因 停车位不足(7)")
            let owner = "交警(主办)、城管、街道(协办)"
            #expect(lines[5].hasPrefix("联合任务 \(owner) \(city.shownAt)-JOINT_TOPIC-2025-08-"))
            // The units are the city's.
            try await federation.waitUntil("the joint task is at the city", seconds: 30) {
                try await federation.count("measure", at: city.code, where: "owner = '\(owner)'") == 1
            }
            let tasks = try await federation.succeed(
                ["finding", "list", "--code", "JOINT_TOPIC", "--json"], at: city.code
            ).jsonList()
            #expect(tasks.map { $0["state"] as? String } == ["measured"] && tasks[0]["tickets"] as? Int == 30)
            #expect(lines[5].hasSuffix(tasks[0]["id"] as? String ?? "–"))
        }
    }
}

/// A ticket as a row of a file: what happened to it, and when.
private struct ImportedTicket {
    private var fields: [String: String]

    private static let columns = [
        "id", "requested", "category", "type", "urgency", "title", "region", "unit", "dispatched", "returned", "closed",
        "score",
    ]

    init(
        _ id: String, _ requested: String, _ category: String, type: String = "2", urgency: String = "normal",
        title: String = "诉求", region: String = ""
    ) {
        fields = [
            "id": id, "requested": requested, "category": category, "type": type, "urgency": urgency, "title": title,
            "region": region,
        ]
    }

    /// - Parameter returned: when the unit gave it back, as was approved; empty if it did not.
    mutating func give(to unit: String, _ dispatched: String, returned: String = "") {
        fields.merge(["unit": unit, "dispatched": dispatched, "returned": returned]) { $1 }
    }

    mutating func close(_ closed: String, score: String) {
        fields.merge(["closed": closed, "score": score]) { $1 }
    }

    static func csv(_ tickets: [ImportedTicket]) -> String {
        ([columns] + tickets.map { ticket in columns.map { ticket.fields[$0] ?? "" } })
            .map { $0.joined(separator: ",") + "\n" }.joined()
    }

    static let mapping = """
        key: id
        zone: Asia/Shanghai
        time_formats: ["yyyy-MM-dd HH:mm"]
        records:
          - resource: service_request
            fields:
              service_request_id: id
              requested_datetime: requested
              channel: {value: "01"}
              request_type: type
              urgency: urgency
              acceptance: {value: accepted}
              service_code: category
              title: title
              region_code: region
          - resource: assignment
            when: dispatched
            fields: {occurred_at: dispatched, assignee_unit: unit, role: {value: main}}
          - resource: return_request
            when: returned
            fields: {occurred_at: returned, unit: unit, reason: {value: not_our_duty}}
          - resource: return_decision
            when: returned
            fields: {occurred_at: returned, decision: {value: approved}}
          - resource: handling
            when: closed
            fields: {occurred_at: closed, unit: unit, contacted: {value: "1"}}
          - resource: reply
            when: closed
            fields: {occurred_at: closed, reply_kind: {value: final}}
          - resource: closure
            when: closed
            fields: {occurred_at: closed, closure_kind: {value: closed}}
          - resource: callback
            when: closed
            fields: {occurred_at: closed, method: {value: telephone}, reached: {value: answered}, resolved: {value: resolved}}
          - resource: evaluation
            when: closed
            fields: {occurred_at: closed, object: {value: handling}, score5: score}

        """
}
