import Foundation
import TestSupport
import Testing

extension `Real processes` {
    /// What flows from a parent to its children, over connections that the children open.
    @Suite struct `Down-flow` {
        private static let three =
            Array(Federation.qilu.prefix(2)) + [Federation.Node(code: "370102", name: "历下区", parent: "370100")]

        @Test(.timeLimit(.minutes(15)))
        func `reference data of the province are used in city and county, also by a node that was away`() async throws {
            let federation = try await Federation(Self.three)
            try await federation.serve("370000")
            try await federation.serve("370100")
            let file = repositoryRoot.appending(path: "reference/shandong.yaml").path
            try await federation.succeed(["reference", "load", file], at: "370000")
            let rows = try await federation.count("code_list_entry", at: "370000")
            try await federation.waitUntil("they are in the city", seconds: 20) {
                try await federation.count("code_list_entry", at: "370100") == rows
            }
            try await federation.serve("370102")
            try await federation.waitUntilLevel("370102")
            for table in ["code_list_entry", "work_calendar", "limit_rule", "reference_release"] {
                let wanted = try await federation.count(table, at: "370000")
                #expect(try await federation.count(table, at: "370102") == wanted && wanted > 0)
            }
            // Its own file gone, the county works by what its province has published.
            try FileManager.default.removeItem(atPath: federation.path("370102/reference.yaml"))
            let (above, below) = (
                try await federation.succeed(["reference", "show", "--json"], at: "370000").output,
                try await federation.succeed(["reference", "show", "--json"], at: "370102").output
            )
            #expect(above == below)
            #expect(
                try await federation.run(["reference", "load", file], at: "370102").errors.contains(
                    "E_REFERENCE_NOT_OWNER"))
            let status = try await federation.succeed(["status", "--json"], at: "370102").json()
            let down = try #require(status[list: "links"].first { $0["direction"] as? String == "receiving" })
            #expect(down["role"] as? String == "parent" && down["state"] as? String == "level")
            #expect(down[object: "mode"]["limit_rule"] as? String == "physical")
        }

        /// 7.1.2 c of the domain model: published at a city, seen by its county and by the province.
        @Test(.timeLimit(.minutes(15)))
        func `an announcement is seen below and above, and so is that it was withdrawn`() async throws {
            let federation = try await Federation(Self.three)
            for node in Self.three { try await federation.serve(node.code) }
            let until = "2099-01-01T00:00:00+08:00"
            let published = try await federation.succeed(
                [
                    "announcement", "publish", "--title", "停水通知", "--content", "今晚停水", "--until", until, "--region",
                    "370102", "--json",
                ], at: "370100"
            ).json()
            let key = try #require(published["key"] as? String)
            func seen(_ options: [String] = [], at node: String) async throws -> [[String: Any]] {
                try await federation.succeed(["announcement", "list", "--json"] + options, at: node).jsonList()
            }
            for node in ["370000", "370102"] {
                try await federation.waitUntil("it is at \(node)", seconds: 30) {
                    try await seen(at: node).contains {
                        $0["key"] as? String == key
                            && ($0["validUntil"] as? String)?.hasPrefix("2099-01-01T00:00:00") == true
                            && $0["node"] as? String == "370100"
                    }
                }
            }
            let foreign = try await federation.run(["announcement", "withdraw", key], at: "370102")
            #expect(foreign.status == 1 && foreign.errors.contains("E_ANNOUNCEMENT_UNKNOWN"))
            try await federation.succeed(["announcement", "withdraw", key], at: "370100")
            for node in ["370000", "370102"] {
                try await federation.waitUntil("\(node) knows that it was withdrawn", seconds: 30) {
                    try await seen(at: node).isEmpty
                }
                #expect(try await seen(["--all"], at: node).map { $0["valid"] as? Bool } == [false])
            }
        }

        @Test(.timeLimit(.minutes(15)))
        func `a ticket that the province hands to a county is handled there and counted once`() async throws {
            let federation = try await Federation(Self.three)
            for node in Self.three { try await federation.serve(node.code) }
            let (id, other) = (try await add(to: federation), try await add(to: federation))
            try await event(id, ["transfer-offer", "--field", "to_node=370102"], at: "370000", federation)
            try await federation.waitUntil("it is in the county", seconds: 20) {
                try await federation.countRecords(at: "370102") == 2
            }
            try await event(id, ["transfer-accept"], at: "370102", federation)
            try await event(id, ["dispatch", "--unit", "街道办", "--due", "2099-10-14 18:00"], at: "370102", federation)
            try await event(id, ["acknowledge", "--unit", "街道办"], at: "370102", federation)
            try await federation.waitUntil("the province sees who handles it", seconds: 20) {
                try await federation.count("acknowledgement", at: "370000") == 1
            }
            try await event(id, ["supervise", "--field", "level=written"], at: "370000", federation)
            try await event(id, ["reply", "--field", "content_public=已修复"], at: "370102", federation)
            for (resource, node) in [("supervision", "370102"), ("reply", "370000")] {
                try await federation.waitUntil("\(resource) is at \(node)", seconds: 20) {
                    try await federation.count(resource, at: node) == 1
                }
            }
            for node in Self.three {
                let ticket = try await federation.succeed(["ticket", "show", id, "--json"], at: node.code).json()
                #expect(ticket["status"] as? String == "replied", "at \(node.code)")
                #expect(ticket["conflicts"] as? [String] == [], "at \(node.code)")
            }
            let state = "SELECT * FROM ticket_state WHERE global_id = '\(id)'"
            let above = try await federation.sql(state, at: "370000")
            #expect(try await federation.sql(state, at: "370102") == above && above.contains("|370102|"))
            #expect(try await federation.count("service_request", at: "370102") == 1, "not \(other)")
            #expect(try await federation.query(at: "370000").json["rows"] as? [[Int]] == [[2]])
            #expect(try await federation.query(at: "370100").json["rows"] as? [[Int]] == [[0]])
            for node in Self.three {
                #expect(
                    try await federation.count(
                        "service_request", at: node.code, where: "supplier <> 0 AND origin = '\(node.code)'") == 0,
                    "a row never goes back to where it comes from")
            }
        }

        @Test(.timeLimit(.minutes(15)), arguments: ["370000", "370100"])
        func `a node that is killed in the middle of what flows down loses nothing`(victim: String) async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            // Offered in one file, the way another system would write it.
            var tickets = "id,time\n"
            for number in 1...3_000 { tickets += "T\(number),2025-09-30 09:00\n" }
            try federation.write(tickets, to: "tickets.csv")
            try federation.write(Self.offers, to: "offers.yaml")
            try await federation.succeed(
                [
                    "import", "--resource", "service_request", "--mapping", federation.path("offers.yaml"),
                    federation.path("tickets.csv"),
                ], at: "370000")
            #expect(try await federation.count("transfer", at: "370000") == 3_000)
            try await federation.serve("370000")
            try await federation.serve("370100")
            for moment in [1, 1_500, 3_000] {
                try await federation.waitUntil("\(moment) records are there", seconds: 60) {
                    try await federation.countRecords(at: "370100") >= moment
                }
                try await federation.stop(victim, signal: SIGKILL)
                try await federation.serve(victim)
            }
            try await federation.waitUntil("everything is there", seconds: 60) {
                try await federation.countRecords(at: "370100") == 6_000
            }
            try await federation.waitUntilLevel("370100")
            #expect(
                try await federation.sql("SELECT count(DISTINCT \"key\") FROM service_request", at: "370100") == "3000")
            #expect(try await federation.countRecords(at: "370000") == 6_000)
        }

        private static let offers = """
            key: id
            zone: Asia/Shanghai
            time_formats: ["yyyy-MM-dd HH:mm"]
            records:
              - resource: service_request
                fields:
                  service_request_id: id
                  requested_datetime: time
                  channel: {value: "01"}
                  request_type: {value: "2"}
                  urgency: {value: normal}
                  acceptance: {value: accepted}
              - resource: transfer
                fields:
                  occurred_at: time
                  transfer_id: id
                  step: {value: offer}
                  to_node: {value: "370100"}
            """

        private func add(to federation: Federation) async throws -> String {
            let added = try await federation.succeed(
                ["ticket", "add", "--channel", "电话", "--type", "2", "--title", "路灯不亮", "--json"], at: "370000")
            return try #require(try added.json()["id"] as? String)
        }

        private func event(
            _ ticket: String, _ arguments: [String], at node: String, _ federation: Federation
        ) async throws {
            try await federation.succeed(["ticket", "event", ticket] + arguments, at: node)
        }
    }
}
