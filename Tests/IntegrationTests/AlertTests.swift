import FederationModel
import Foundation
import TestSupport
import Testing

extension `Real processes` {
    /// Clause 7.2.1.2: what a province and its cities notice while tickets come in.
    @Suite struct `Alerts` {
        @Test(.timeLimit(.minutes(15)))
        func `a group of five persons at one place is known at the city and the province within seconds`() async throws
        {
            let federation = try await Federation(Array(Federation.qilu.prefix(3)))
            for code in ["370000", "370100", "370200"] { try await federation.serve(code) }
            try await federation.waitUntilLevel("370000")
            let city = try await TicketSystem(at: "370100", of: federation)
            // Six tickets of four persons are none (7.2.1.2-4).
            for (index, person) in [1, 1, 2, 3, 3, 4].enumerated() {
                try await city.push(
                    "w\(index)", person: person, "03.03.01", "小区停水第\(index)次", address: "解放路花园小区\(index)号楼")
            }
            try await federation.waitUntil("the province has judged them", seconds: 10) {
                try await federation.judged(at: "370000") >= 6
            }
            #expect(try await alerts(federation, at: "370000", rule: "GROUP").isEmpty)

            try await city.push("w6", person: 5, "03.03.01", "小区还是没有水", address: "解放路花园小区7号楼")
            try await federation.waitUntil("the alert is at the province", seconds: 30) {
                try await !alerts(federation, at: "370000", rule: "GROUP").isEmpty
            }
            let alert = try #require(try await alerts(federation, at: "370000", rule: "GROUP").first)
            #expect(alert["tickets"] as? Int == 7)
            #expect(alert["persons"] as? Int == 5)
            #expect(alert["level"] as? String == "yellow")
            #expect(alert["state"] as? String == "raised")
            #expect(alert["place"] as? String == "370102")
            #expect(alert["version"] as? Int == 1)
            let id = try #require(alert["id"] as? String)

            // City and province find the same and raise one alert together; who has nothing to do with it hears nothing.
            try await federation.waitUntil("the alert is at the city", seconds: 10) {
                try await alerts(federation, at: "370100", rule: "GROUP").contains {
                    $0["id"] as? String == id && ($0["raisedBy"] as? [String])?.count == 2
                }
            }
            #expect(try await alerts(federation, at: "370000", rule: "GROUP").count == 1)
            #expect(try await alerts(federation, at: "370200").isEmpty)

            // What the city does is seen above.
            try await federation.succeed(["alert", "acknowledge", id, "--by", "值班长"], at: "370100")
            try await federation.waitUntil("the province sees that it is acknowledged", seconds: 10) {
                try await alerts(federation, at: "370000", rule: "GROUP").first?["state"] as? String == "acknowledged"
            }
            let again = try await federation.run(["alert", "acknowledge", id], at: "370000")
            #expect(again.status == 1)
            #expect(again.errors.hasPrefix("E_ALERT_STATE"))
            try await federation.succeed(["alert", "dismiss", id, "--reason", "计划检修,已公告"], at: "370000")
            try await federation.waitUntil("the city sees that it is dismissed", seconds: 10) {
                try await alerts(federation, at: "370100", rule: "GROUP").first?["state"] as? String == "dismissed"
            }
        }

        @Test(.timeLimit(.minutes(15)))
        func `one ticket with a gas leak is red at once, and a price to jump at is nothing`() async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            for code in ["370000", "370100"] { try await federation.serve(code) }
            let city = try await TicketSystem(at: "370100", of: federation)
            try await city.push("g1", person: 1, "03.05.01", "燃气泄漏 有人晕倒", address: "和平路3号")
            try await city.push("s1", person: 2, "06.02.01", "商场跳楼价促销虚假", address: "泉城路1号")
            try await city.push("s2", person: 3, "01.02.01", "工地拖欠,讨薪不成要跳楼", address: "经十路9号")
            try await federation.waitUntil("all are judged at the province", seconds: 10) {
                try await federation.judged(at: "370000") >= 3
            }
            let emergencies = try await alerts(federation, at: "370000", rule: "EMERGENCY")
            #expect(emergencies.map { $0["level"] as? String } == ["red"])
            let id = try #require(emergencies.first?["id"] as? String)
            let detail = try await federation.succeed(["alert", "show", id, "--json"], at: "370000").json()
            #expect(Set(detail["receivers"] as? [String] ?? []).isSuperset(of: ["119", "120", "燃气"]))
            let sensitive = try await alerts(federation, at: "370000", rule: "SENSITIVE")
            #expect(sensitive.count == 1)
            #expect(sensitive.first?["level"] as? String == "red")
            let sensitiveID = try #require(sensitive.first?["id"] as? String)
            let classes = try await federation.succeed(["alert", "show", sensitiveID, "--json"], at: "370000").json()
            #expect(Set(classes[object: "evidence"]["classes"] as? [String] ?? []) == ["极端行为", "讨薪"])
        }

        @Test(.timeLimit(.minutes(15)))
        func `a person who reports one matter to two cities and the province is seen as one by the province alone`()
            async throws
        {
            let federation = try await Federation(Array(Federation.qilu.prefix(3)))
            for code in ["370000", "370100", "370200"] { try await federation.serve(code) }
            let (city, province) = (
                try await TicketSystem(at: "370100", of: federation),
                try await TicketSystem(at: "370000", of: federation)
            )
            try await city.push("r1", person: 1, "08.01.01", "夜间施工", address: "山大路12号")
            try await city.push("r2", person: 1, "08.01.01", "夜间施工又来", address: "山大路12号")
            try await federation.waitUntil("the city has judged its own", seconds: 10) {
                try await federation.judged(at: "370100") >= 2
            }
            #expect(try await alerts(federation, at: "370100", rule: "REPEAT").isEmpty)
            try await province.push("r3", person: 1, "08.01.01", "夜间施工没有人管", address: "山大路12号")
            // Only the province can see three (7.2.1.2-5); the alert goes down to the city.
            try await federation.waitUntil("the alert is at the city", seconds: 10) {
                try await alerts(federation, at: "370100", rule: "REPEAT").first?["tickets"] as? Int == 3
            }
            #expect(
                try await alerts(federation, at: "370100", rule: "REPEAT").first?["raisedBy"] as? [String] == ["370000"]
            )
        }

        @Test(.timeLimit(.minutes(15)))
        func `a situation goes to the unit's node, is acknowledged there, and closes after an announcement`()
            async throws
        {
            var nodes = Array(Federation.qilu.prefix(2))
            nodes.append(Federation.Node(code: "370102", name: "历下区", parent: "370100"))
            let federation = try await Federation(nodes)
            for code in ["370000", "370100", "370102"] { try await federation.serve(code) }
            let city = try await TicketSystem(at: "370100", of: federation)
            for person in 1...2 {
                try await city.push("w\(person)", person: person, "03.03.01", "停水", address: "解放路花园小区3号楼")
                try await city.push(
                    "assignment",
                    [
                        "key": "d\(person)", "global_id": "370100-w\(person)", "assignee_unit": "供水集团", "role": "main",
                        "occurred_at": Date().formatted(.iso8601),
                        "due_datetime": Date(timeIntervalSinceNow: -3_600).formatted(.iso8601),
                    ])
            }
            func situation(_ arguments: [String], at code: String) async throws -> [String: Any] {
                try await federation.succeed(["situation"] + arguments + ["--json"], at: code).json()
            }
            let opened = try await situation(
                ["open", "--kind", "集中反映", "--title", "停水", "--ticket", "370100-w1", "--ticket", "370100-w2"],
                at: "370100")
            let id = try #require(opened["id"] as? String)
            #expect(opened["followUp"] as? Int == 2)
            _ = try await situation(["notify", id, "--form", "一键转接", "--to", "供水集团", "--at", "历下区"], at: "370100")
            try await federation.waitUntil("the county has it", seconds: 10) {
                try await federation.succeed(["situation", "list", "--json"], at: "370102").output.contains(id)
            }
            _ = try await situation(["acknowledge", id, "--by", "供水集团"], at: "370102")
            try await federation.waitUntil("the city hears that it is acknowledged", seconds: 10) {
                try await situation(["show", id], at: "370100")["unacknowledged"] as? Int == 0
            }
            let refused = try await federation.run(["situation", "close", id], at: "370100")
            #expect(refused.status == 1)
            #expect(refused.errors.hasPrefix("E_OPEN_FOLLOWUP"))
            let elsewhere = try await federation.run(["situation", "close", id], at: "370102")
            #expect(elsewhere.errors.hasPrefix("E_SITUATION_NOT_LEADER"))
            let notice = try await federation.succeed(
                ["announcement", "publish", "--title", "停水通告", "--content", "今晚恢复", "--json"], at: "370100"
            ).json()
            _ = try await situation(["answer", id, try #require(notice["key"] as? String)], at: "370100")
            let closed = try await situation(["close", id], at: "370100")
            #expect(Set(closed["ticketsToInform"] as? [String] ?? []) == ["370100-w1", "370100-w2"])
            for code in ["370000", "370102"] {
                try await federation.waitUntil("\(code) sees that it is closed", seconds: 10) {
                    try await situation(["show", id], at: code)["state"] as? String == "closed"
                }
                try await federation.waitUntil("\(code) has the announcement", seconds: 10) {
                    try await federation.succeed(["announcement", "list"], at: code).output.contains("停水通告")
                }
            }
        }

        @Test(.timeLimit(.minutes(15)))
        func `a city in logical mode judges its own tickets, and the province knows`() async throws {
            let federation = try await Federation([Federation.qilu[0], Federation.qilu[3]])
            for code in ["370000", "370300"] { try await federation.serve(code) }
            let city = try await TicketSystem(at: "370300", of: federation)
            for person in 1...5 {
                try await city.push(
                    "w\(person)", person: person, "03.03.01", "停水", address: "人民西路花园小区", region: "370303")
            }
            try await federation.waitUntil("the alert is at the province", seconds: 10) {
                try await alerts(federation, at: "370000", rule: "GROUP").count == 1
            }
            #expect(
                try await alerts(federation, at: "370000", rule: "GROUP").first?["raisedBy"] as? [String] == ["370300"])
            #expect(try await federation.count("service_request", at: "370000") == 0, "no ticket has left the city")
        }

        @Test(.timeLimit(.minutes(15)))
        func `the rules that ship find what was planted in invented tickets, and little else`() async throws {
            let federation = try await Federation([Federation.Node(code: "370100")])
            try await federation.succeed(
                [
                    "generate", "--tickets", "15000", "--from", "2025-01-01", "--days", "160", "--requests-only",
                    "--plant", "20", "--planted", federation.path("planted.json"),
                ], at: "370100")
            let report = try await federation.succeed(
                [
                    "rule", "backtest", "--from", "2025-03-01", "--days", "101", "--planted",
                    federation.path("planted.json"), "--json",
                ], at: "370100"
            ).json()
            for rule in ["SURGE_HOUR", "GROUP", "REPEAT", "EMERGENCY"] {
                let score = try #require(report[list: "rules"].first { $0["rule"] as? String == rule })
                #expect(score["planted"] as? Int == 20)
                #expect(try #require(score["recall"] as? Double) >= 0.95, "\(rule)")
                #expect(try #require(score["precision"] as? Double) >= 0.8, "\(rule)")
            }
            #expect(try await federation.count("alert", at: "370100") == 0, "a backtest raises nothing")
        }

        private func alerts(
            _ federation: Federation, at code: String, rule: String? = nil
        ) async throws -> [[String: Any]] {
            try await federation.succeed(
                ["alert", "list", "--json"] + (rule.map { ["--rule", $0] } ?? []), at: code
            ).jsonList()
        }
    }
}

extension Federation {
    /// How many changed tickets the node's rules have looked at.
    func judged(at code: String) async throws -> Double {
        let page = try await get("/metrics", from: code)
        let body = page[(page.firstRange(of: "\r\n\r\n")?.upperBound ?? page.startIndex)...]
        return try PrometheusText(body).samples["federation_tickets_judged_total"] ?? 0
    }
}

/// A ticket system that pushes one ticket after the other, as they come in.
struct TicketSystem {
    private let federation: Federation
    private let url: String
    private let token: String

    init(at code: String, of federation: Federation) async throws {
        self.federation = federation
        url = "http://127.0.0.1:\(try federation.localPort(code))/v1/resources"
        let made = try await federation.succeed(["token", "create", "--name", "tickets", "--json"], at: code).json()
        token = try #require(made["token"] as? String)
    }

    func push(
        _ key: String, person: Int, _ category: String, _ title: String, address: String, region: String = "370102",
        at time: Date = Date()
    ) async throws {
        try await push(
            "service_request",
            [
                "key": key, "service_request_id": key, "requested_datetime": time.formatted(.iso8601), "channel": "01",
                "request_type": "2", "urgency": "normal", "acceptance": "accepted", "title": title,
                "service_code": category, "address_string": address, "region_code": region,
                "reporter_phone": "139000000\(person + 10)",
            ])
    }

    func push(_ resource: String, _ record: [String: Any]) async throws {
        let body = String(decoding: try JSONSerialization.data(withJSONObject: [record]), as: UTF8.self)
        let answer = try await Federation.tool([
            "curl", "-s", "--fail-with-body", "\(url)/\(resource)/records", "-H", "Authorization: Bearer \(token)",
            "-H",
            "Content-Type: application/json", "-d", body,
        ])
        try #require(answer.status == 0, "\(answer.output)")
        try #require(answer.output.contains("\"accepted\":1"), "\(answer.output)")
    }
}
