import Foundation
import TestSupport
import Testing

extension `Real processes` {
    /// Changes of the topology under real processes: no process restarts, and nobody copies a file.
    @Suite struct `A topology that is applied` {
        /// 1 x 3, and two counties.
        private static let nodes = [
            Federation.Node(code: "370000", name: "山东省"),
            Federation.Node(code: "370100", name: "济南市", parent: "370000"),
            Federation.Node(code: "370200", name: "青岛市", parent: "370000"),
            Federation.Node(code: "370300", name: "淄博市", parent: "370000"),
            Federation.Node(code: "370102", name: "历下区", parent: "370100"),
            Federation.Node(code: "370202", name: "市南区", parent: "370200"),
        ]
        private static let each = 40

        private func running(_ nodes: [Federation.Node] = nodes) async throws -> Federation {
            let federation = try await Federation(nodes)
            for node in nodes { try await federation.serve(node.code) }
            for node in nodes where node.parent != nil {
                try await federation.succeed(
                    ["generate", "--tickets", "\(Self.each)", "--requests-only"], at: node.code)
            }
            try await federation.waitUntil("the province has all", seconds: 60) {
                try await self.total(at: federation) == (nodes.count - 1) * Self.each
            }
            return federation
        }

        /// nil while the answer is not complete.
        private func total(at federation: Federation) async throws -> Int? {
            (try await federation.tickets(at: "370000").json["rows"] as? [[Int]])?.first?.first
        }

        @Test(.timeLimit(.minutes(15)))
        func `brings a city in, and nothing of another travels again`() async throws {
            let federation = try await running()
            let cities = ["370100", "370200", "370300"]
            var sweeps: [String: Int] = [:]
            for city in cities { sweeps[city] = try federation.logCount("sweep is complete", of: city) }
            let newest = "SELECT max(seq) FROM service_request WHERE origin <> '370400'"
            let seq = try await federation.sql(newest, at: "370000")

            try await federation.join(
                Federation.Node(code: "370400", name: "枣庄市", parent: "370000"), version: 2)
            try await federation.succeed(["generate", "--tickets", "7", "--requests-only"], at: "370400")
            try await federation.waitUntil("the new city is in the answer", seconds: 60) {
                try await self.total(at: federation) == Self.nodes.dropFirst().count * Self.each + 7
            }
            #expect(try await federation.sql(newest, at: "370000") == seq)
            for city in cities {
                #expect(try federation.logCount("sweep is complete", of: city) == sweeps[city], "\(city) swept again")
            }
            let status = try await federation.succeed(["topology", "status", "--json"], at: "370000").json()
            #expect(status["published"] as? Int == 2)
            try await federation.waitUntil("every node stands on the release", seconds: 30) {
                let nodes = try await federation.succeed(["topology", "status", "--json"], at: "370000").json()[
                    list: "nodes"]
                return nodes.count == 7
                    && nodes.allSatisfy { $0["version"] as? Int == 2 && $0["level"] as? Bool == true }
            }
        }

        @Test(.timeLimit(.minutes(15)))
        func `moves a county, narrows a filter, and turns a city to queries and back`() async throws {
            let federation = try await running()
            let all = Self.nodes.dropFirst().count * Self.each
            try await federation.apply(version: 2) {
                $0.replacing("name: 历下区", with: "name: 历下区\n    region: \"370102\"")
                    .replacing(/(name: 历下区[\s\S]*?parent: )"370100"/, with: { "\($0.1)\"370200\"" })
                    .replacing("name: 青岛市", with: "name: 青岛市\n    region: \"370000\"")
            }
            try await federation.waitUntil("the county comes by its new city", seconds: 60) {
                try await self.total(at: federation) == all
            }
            #expect(
                try await federation.count("service_request", at: "370100", where: "deleted = 0 AND origin = '370102'")
                    == 0)
            #expect(
                try await federation.count("service_request", at: "370200", where: "deleted = 0 AND origin = '370102'")
                    == Self.each)

            try await federation.apply(version: 3) {
                $0.replacing("name: 淄博市", with: "name: 淄博市\n    mode: logical")
            }
            #expect(
                try await federation.count("service_request", at: "370000", where: "deleted = 0 AND origin = '370300'")
                    == 0)
            #expect(try await total(at: federation) == all, "淄博 is asked")
            let deletions = try await federation.succeed(["topology", "deletions", "--json"], at: "370000").jsonList()
            #expect(deletions.contains { $0["origin"] as? String == "370300" && $0["rows"] as? Int == Self.each })
            try await federation.succeed(["topology", "rollback", "2", "--wait", "60"], at: "370000")
            try await federation.waitUntil("the copies are back", seconds: 60) {
                try await federation.count("service_request", at: "370000", where: "deleted = 0 AND origin = '370300'")
                    == Self.each
            }
            #expect(try await total(at: federation) == all)
        }

        @Test(.timeLimit(.minutes(15)))
        func `moves a county that is off, and takes nothing of it away above before its new city has it`() async throws
        {
            let federation = try await running()
            let all = Self.nodes.dropFirst().count * Self.each
            try await federation.stop("370102")
            try await federation.apply(version: 2, []) {
                $0.replacing("name: 历下区", with: "name: 历下区\n    region: \"370102\"")
                    .replacing(/(name: 历下区[\s\S]*?parent: )"370100"/, with: { "\($0.1)\"370200\"" })
                    .replacing("name: 青岛市", with: "name: 青岛市\n    region: \"370000\"")
            }
            func held(by supplier: String) async throws -> Int {
                try await federation.count(
                    "service_request", at: "370000",
                    where: "deleted = 0 AND origin = '370102' AND supplier = \(supplier)")
            }
            try await federation.waitUntil("the new city has listed what it has", seconds: 60) {
                try await federation.count(
                    "link_cursor", at: "370000",
                    where: "sender = '370200' AND topology = 2 AND sweep_resource IS NULL") == 1
            }
            try await federation.waitUntil("both cities are heard", seconds: 60) {
                let coverage = try await federation.tickets(at: "370000").json["coverage"] as? [String: Any] ?? [:]
                let states = coverage[list: "nodes"].map { "\($0["node"] ?? "") \($0["state"] ?? "")" }
                return coverage["complete"] as? Bool == false
                    && ["370100 ok", "370200 ok", "370102 bootstrapping"].allSatisfy(states.contains)
            }
            #expect(try await held(by: "370100") == Self.each, "the province may have the only copy")

            try await federation.serve("370102")
            try await federation.waitUntil("the county comes by its new city, and the answer is whole", seconds: 60) {
                try await self.total(at: federation) == all
            }
            #expect(try await held(by: "370200") == Self.each)
            #expect(try await federation.count("lost_row", at: "370000", where: "1") == 0)
        }

        @Test(.timeLimit(.minutes(15)))
        func `purges what a removed node left only when that is confirmed, or keeps it frozen and named`() async throws
        {
            let federation = try await running()
            let county = /\ \ - code: "370202"[\s\S]*$/
            let text = try String(contentsOfFile: federation.path("topology.yaml"), encoding: .utf8)
            try federation.write(
                text.replacing(county, with: "").replacing("version: 1", with: "version: 2"), to: "removed.yaml")
            let plan = try await federation.run(
                ["topology", "plan", federation.path("removed.yaml"), "--json", "--detailed-exitcode"], at: "370000")
            #expect(plan.status == 4)
            let lost = try plan.json()[list: "irreversible"]
            #expect(lost.first?["node"] as? String == "370202" && (lost.first?["rows"] as? Int ?? 0) >= Self.each)
            let refused = try await federation.run(
                ["topology", "apply", federation.path("removed.yaml")], at: "370000")
            #expect(refused.status == 1 && refused.errors.hasPrefix("E_CONFIRMATION_NEEDED"), "\(refused.errors)")

            try await federation.apply(version: 2) {
                $0.replacing(county, with: "")
                    + "detached:\n  - { code: \"370202\", name: 市南区, parent: \"370200\" }\n"
            }
            let answer = try await federation.tickets(["--by", "origin"], at: "370000")
            #expect((answer.json["rows"] as? [[Any]])?.contains { "\($0[0])" == "370202" } == true)
            let frozen = answer.json[object: "coverage"][list: "nodes"].first { $0["node"] as? String == "370202" }
            #expect(frozen?["frozen"] as? Bool == true && frozen?["name"] as? String == "市南区")

            try await federation.apply(version: 3, ["--wait", "60", "--confirm"]) {
                $0.replacing(/detached:[\s\S]*$/, with: "")
            }
            for code in ["370000", "370200"] {
                #expect(
                    try await federation.count("service_request", at: code, where: "deleted = 0 AND origin = '370202'")
                        == 0)
            }
            // The node itself has heard that it is out, and keeps its own.
            try await federation.waitUntil("the removed node knows", seconds: 30) {
                let shown = try await federation.succeed(["topology", "show", "--json"], at: "370202").json()
                return (shown["version"] as? Int ?? 0) >= 2
            }
            #expect(try await federation.count("service_request", at: "370202") == Self.each)
        }

        @Test(.timeLimit(.minutes(15)))
        func `and reference data, a certificate and a filter are renewed under load, and no link is cut`() async throws
        {
            let federation = try await running(Array(Self.nodes.prefix(3)))
            let config = federation.path("370200/node.yaml")
            async let load = Federation.tool([
                Federation.executable.path, "generate", "--live", "--rate", "20", "--speed", "100000", "--for", "20",
                "--seed", "9", "--json", "--config", config,
            ])
            let connections = try federation.logCount("link is up", of: "370100")

            try await federation.succeed(
                ["reference", "load", repositoryRoot.appending(path: "reference/shandong.yaml").path], at: "370000")
            let rows = try await federation.count("code_list_entry", at: "370000")
            for city in ["370100", "370200"] {
                try await federation.waitUntil("\(city) goes by the new reference data", seconds: 30) {
                    try await federation.count("code_list_entry", at: city) == rows
                }
            }
            try await federation.succeed([
                "ca", "issue", "--ca", federation.path("ca"), "--node", "370200", "--out",
                federation.path("370200/credentials"), "--force",
            ])
            try federation.signal("370200", SIGHUP)
            try await federation.waitUntil("the renewed certificate is in use", seconds: 20) {
                let status = try await federation.run(["cert", "status", "--json"], at: "370200").json()
                return (status[list: "served"].first?["serial"] as? String) == (status["serial"] as? String)
            }
            try await federation.apply(version: 2) {
                $0.replacing(
                    "name: 青岛市",
                    with: "name: 青岛市\n    policy: { service_request: { filter: { request-type: [\"2\"] } } }")
            }
            let generated = try await load
            #expect(generated.status == 0, "\(generated.errors)")
            try await federation.waitUntilLevel("370200")
            // What the filter grants, whenever it came in, what was handed to the province itself, and nothing else.
            let granted = try await federation.count(
                "service_request", at: "370200",
                where: """
                    deleted = 0 AND (request_type = '2'
                      OR global_id IN (SELECT global_id FROM ticket_audience WHERE node = '370000'))
                    """)
            try await federation.waitUntil("the province has what is granted", seconds: 30) {
                try await federation.count(
                    "service_request", at: "370000", where: "deleted = 0 AND origin = '370200'") == granted
            }
            #expect(
                try await federation.count(
                    "service_request", at: "370000", where: "deleted = 0 AND origin = '370100'") == Self.each)
            #expect(try federation.logCount("link is up", of: "370100") == connections, "its link was not concerned")
        }

        @Test(.timeLimit(.minutes(15)))
        func `takes no new ticket at a node that drains, and goes on with those that are open`() async throws {
            let federation = try await running(Array(Self.nodes.prefix(3)))
            let ticket = try await federation.sql(
                "SELECT global_id FROM service_request WHERE origin = '370200' LIMIT 1", at: "370200")
            try await federation.apply(version: 2) {
                $0.replacing("name: 青岛市", with: "name: 青岛市\n    draining: true")
            }
            let refused = try await federation.run(
                ["ticket", "add", "--channel", "01", "--type", "2", "--title", "路灯"], at: "370200")
            #expect(refused.status == 1 && refused.errors.hasPrefix("E_NODE_DRAINING"), "\(refused.errors)")
            try await federation.succeed(["ticket", "event", ticket, "dispatch", "--unit", "市住建局"], at: "370200")
            try await federation.waitUntil("the province sees it", seconds: 30) {
                try await federation.count("assignment", at: "370000") == 1
            }
            try await federation.apply(version: 3) { $0.replacing("\n    draining: true", with: "") }
            try await federation.succeed(
                ["ticket", "add", "--channel", "01", "--type", "2", "--title", "路灯"], at: "370200")
        }

        @Test(.timeLimit(.minutes(15)))
        func `is not followed when a neighbour says something else under the same number`() async throws {
            let federation = try await running(Array(Self.nodes.prefix(3)))
            for code in ["370000", "370200"] { try await federation.stop(code) }
            // Two hands have each edited a file.
            for (code, name) in [("370000", "甲"), ("370200", "乙")] {
                let text = try String(contentsOfFile: federation.path("\(code)/topology.yaml"), encoding: .utf8)
                try federation.write(
                    text.replacing("version: 1", with: "version: 2").replacing(
                        "name: 青岛市", with: "name: 青岛市\(name)\n    mode: \(name == "甲" ? "physical" : "logical")"),
                    to: "\(code)/topology.yaml")
                try await federation.serve(code)
            }
            try await federation.waitUntil("both sides name it", seconds: 40) {
                for code in ["370000", "370200"] {
                    let status = try await federation.run(["status", "--json"], at: code).json()
                    guard status[list: "links"].contains(where: { "\($0)".contains("E_TOPOLOGY_DIFFERS") }) else {
                        return false
                    }
                }
                return true
            }
            // A release of the top node ends it.
            try federation.write(
                try String(contentsOfFile: federation.path("370000/topology.yaml"), encoding: .utf8),
                to: "topology.yaml")
            try await federation.apply(version: 3) { $0 }
            try await federation.waitUntilLevel("370200")
        }

        @Test(.timeLimit(.minutes(15)))
        func `reaches a node that was away, is refused from anybody but the top node, and goes on after kills`()
            async throws
        {
            let federation = try await running(Array(Self.nodes.prefix(2)) + [Self.nodes[4]])
            let refused = try await federation.run(
                ["topology", "apply", federation.path("topology.yaml")], at: "370100")
            #expect(refused.status == 1 && refused.errors.hasPrefix("E_TOPOLOGY_NOT_TOP"))
            try await federation.stop("370102")
            // The city is killed in the middle of what it adopts, wherever that is.
            try await federation.apply(version: 2, []) {
                $0.replacing("name: 历下区", with: "name: 历下区\n    mode: logical")
            }
            try await federation.stop("370100", signal: SIGKILL)
            try await federation.apply(version: 3, []) { $0.replacing("name: test", with: "name: 山东联邦") }
            try await federation.stop("370000", signal: SIGKILL)
            for code in ["370000", "370100", "370102"] { try await federation.serve(code) }
            try await federation.waitUntil("every node stands on the release", seconds: 60) {
                let nodes = try await federation.succeed(["topology", "status", "--json"], at: "370000").json()[
                    list: "nodes"]
                return nodes.count == 3
                    && nodes.allSatisfy { $0["version"] as? Int == 3 && $0["level"] as? Bool == true }
            }
            let history = try await federation.succeed(["topology", "history", "--json"], at: "370102").jsonList()
            #expect(history.compactMap { $0["version"] as? Int } == [1, 2, 3])
            #expect(history.compactMap { $0["signed"] as? Bool } == [false, true, true])
            #expect(
                try await federation.count("service_request", at: "370100", where: "deleted = 0 AND origin = '370102'")
                    == 0)
            #expect(try await total(at: federation) == 2 * Self.each)
        }
    }
}
