import Foundation
import TestSupport
import Testing

extension `Real processes` {
    @Suite struct `The service and its commands` {
        @Test(.timeLimit(.minutes(15)))
        func `SIGTERM ends a service with open links at once, with exit code 0, and a restart goes on`() async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            try await federation.serve("370000")
            try await federation.serve("370100")
            try await federation.waitUntilLevel("370000")
            #expect(try await federation.stop("370000", seconds: 5) == 0)
            #expect(try await federation.stop("370100", seconds: 5) == 0)

            try await federation.succeed(["generate", "--tickets", "50", "--requests-only"], at: "370100")
            try await federation.serve("370100")
            try await federation.serve("370000")
            try await federation.waitUntil("what was written meanwhile is at the province", seconds: 20) {
                try await federation.count("service_request", at: "370000") == 50
            }
        }

        /// A new machine, a new directory, the old certificate: the province may have the only copy.
        @Test(.timeLimit(.minutes(15)))
        func `a node that is set up afresh gets its records back from its parent, and nothing is deleted`() async throws
        {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            try await federation.serve("370000")
            try await federation.serve("370100")
            try await federation.succeed(["generate", "--tickets", "50"], at: "370100")
            try await federation.waitUntilLevel("370000")
            let total = try await federation.countRecords(at: "370100")
            try await federation.stop("370100", signal: SIGKILL)
            try await federation.replaceDatabase("370100")
            try await federation.serve("370100")
            for code in ["370100", "370000"] {
                try await federation.waitUntil("\(code) has all", seconds: 40) {
                    try await federation.countRecords(at: code) == total
                }
            }
            #expect(try federation.logCount("E_HISTORY_DIFFERS", of: "370100") == 1)
            #expect(try federation.logCount("E_ROWS_LOST", of: "370000") == 1)
            // What is new goes on.
            try await federation.succeed(
                ["generate", "--tickets", "3", "--requests-only", "--seed", "7"], at: "370100")
            try await federation.waitUntil("new tickets arrive", seconds: 20) {
                try await federation.countRecords(at: "370000") == total + 3
            }
            for code in ["370100", "370000"] { try await federation.waitUntilLevel(code) }
            #expect(try await federation.query(at: "370000").result.status == 0)
        }

        /// The head of the copy that writes on soon passes what the province has seen.
        @Test(.timeLimit(.minutes(15)), arguments: ["370100", "370000"])
        func `an older database that is put back gets back what it lost, however far it has written on`(
            restored: String
        ) async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            try await federation.serve("370000")
            try await federation.serve("370100")
            try await federation.succeed(["generate", "--tickets", "20"], at: "370100")
            try await federation.succeed(["generate", "--tickets", "5", "--seed", "3"], at: "370000")
            try await federation.waitUntilLevel("370000")
            try await federation.stop(restored)
            try federation.keepDatabase(restored)
            try await federation.serve(restored)
            try await federation.succeed(["generate", "--tickets", "30", "--seed", "2"], at: "370100")
            try await federation.succeed(["generate", "--tickets", "5", "--seed", "4"], at: "370000")
            for code in ["370100", "370000"] { try await federation.waitUntilLevel(code) }
            let total = try await federation.countRecords(at: "370000")
            let ofCity = try await federation.countRecords(at: "370100")
            try await federation.stop(restored, signal: SIGKILL)
            try federation.putBackDatabase(restored)
            try await federation.succeed(
                ["generate", "--tickets", "300", "--requests-only", "--from", "2026-01-01"], at: restored)
            try await federation.serve(restored)
            let more = restored == "370100" ? 300 : 0
            try await federation.waitUntil("the city has all", seconds: 40) {
                try await federation.countRecords(at: "370100") == ofCity + more
            }
            let known = restored == "370100" ? total : ofCity
            try await federation.waitUntil("the province has what was ever known of", seconds: 40) {
                try await federation.countRecords(at: "370000") >= known + more
            }
            for code in ["370100", "370000"] { try await federation.waitUntilLevel(code) }
        }

        @Test(.timeLimit(.minutes(15)))
        func `a row that was put aside is shown at both ends and tried again when the service starts`() async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            try await federation.succeed(["generate", "--tickets", "5", "--requests-only"], at: "370100")
            func change(_ statement: String, at code: String) async throws {
                let result = try await Federation.tool(["sqlite3", federation.path("\(code)/node.db"), statement])
                try #require(result.status == 0, "\(result.errors)")
            }
            try await change("UPDATE service_request SET channel = '' WHERE id = 3", at: "370100")
            for code in ["370000", "370100"] { try await federation.serve(code) }
            for code in ["370000", "370100"] { try await federation.waitUntilLevel(code) }
            func aside(_ code: String) async throws -> Int {
                try await federation.succeed(["status", "--json"], at: code).json()[list: "links"]
                    .reduce(0) { $0 + ($1["quarantined"] as? Int ?? 0) }
            }
            #expect(try await aside("370000") == 1)
            try await federation.waitUntil("its origin knows", seconds: 20) { try await aside("370100") == 1 }
            try await federation.stop("370000")
            // As if this release had a rule that the row keeps.
            try await change("UPDATE quarantine SET row = json_set(row, '$.channel', '01')", at: "370000")
            try await federation.serve("370000")
            try await federation.waitUntil("it is taken", seconds: 20) {
                try await federation.count("service_request", at: "370000") == 5
            }
            #expect(try await aside("370000") == 0)
            try await federation.waitUntil("its origin knows that too", seconds: 30) { try await aside("370100") == 0 }
        }

        @Test(.timeLimit(.minutes(15)))
        func `a row that was put aside beyond a neighbour is named at its origin`() async throws {
            let federation = try await Federation([
                Federation.Node(code: "370000", name: "山东省"),
                Federation.Node(code: "370100", name: "济南市", parent: "370000"),
                Federation.Node(code: "370102", name: "历下区", parent: "370100"),
            ])
            try await federation.succeed(["generate", "--tickets", "5", "--requests-only"], at: "370102")
            for code in ["370102", "370100"] { try await federation.serve(code) }
            try await federation.waitUntilLevel("370102")
            // As if the province had a rule that the city's release does not have.
            let broken = try await Federation.tool([
                "sqlite3", federation.path("370100/node.db"), "UPDATE service_request SET channel = '' WHERE id = 3",
            ])
            try #require(broken.status == 0, "\(broken.errors)")
            try await federation.serve("370000")
            func elsewhere(_ code: String) async throws -> [[String: Any]] {
                try await federation.succeed(["quarantine", "list", "--elsewhere", "--json"], at: code).jsonList()
            }
            try await federation.waitUntil("the city knows", seconds: 30) { try await elsewhere("370100").count == 1 }
            // It is told with the next answer on the link.
            try await federation.succeed(
                ["generate", "--tickets", "1", "--requests-only", "--seed", "7"], at: "370102")
            try await federation.waitUntil("its origin knows", seconds: 30) { try await elsewhere("370102").count == 1 }
            let row = try #require(try await elsewhere("370102").first)
            #expect(row["node"] as? String == "370000" && row["field"] as? String == "channel")
            let inbox = try await federation.succeed(["inbox", "--json"], at: "370102").json()[list: "items"]
            let told = inbox.filter {
                $0["kind"] as? String == "quarantine" && $0["key"] as? String == row["key"] as? String
            }
            #expect(told.count == 1 && told.first?["node"] as? String == "370000")
            #expect(told.first?["ticket"] as? String == row["key"] as? String)
        }

        @Test(.timeLimit(.minutes(15)), arguments: ["370100", "370000"])
        func `SIGTERM in the middle of a load ends a service with exit code 0, and a restart brings the rest`(
            stopped: String
        ) async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            try await federation.succeed(["generate", "--tickets", "10000"], at: "370100")
            let total = try await federation.countRecords(at: "370100")
            try await federation.serve("370000")
            try await federation.serve("370100")
            try await federation.waitUntil("some records are there", seconds: 30) {
                try await federation.countRecords(at: "370000") > 0
            }
            #expect(try await federation.stop(stopped, seconds: 10) == 0)
            #expect(try await federation.countRecords(at: "370000") < total, "the signal came after the load")
            try await federation.serve(stopped)
            try await federation.waitUntilLevel("370000")
            #expect(try await federation.countRecords(at: "370000") == total)
        }

        @Test(.timeLimit(.minutes(15)))
        func `status says why a link is down, from local state alone`() async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            try await federation.serve("370100")
            try await federation.waitUntil("the city has tried", seconds: 20) {
                let link = try await federation.succeed(["status", "--json"], at: "370100").json()[list: "links"][0]
                return link["state"] as? String == "unreachable"
            }
            let report = try await federation.succeed(["status", "--json"], at: "370100").json()
            let error = report[list: "links"][0][object: "lastError"]
            #expect(error["code"] as? String == "E_PEER_UNREACHABLE")
            #expect(error["hint"] is String)
            #expect(report["serving"] as? Bool == true)
            try await federation.stop("370100")
            #expect(
                try await federation.succeed(["status", "--json"], at: "370100").json()["serving"] as? Bool == false)
        }

        @Test(.timeLimit(.minutes(15)))
        func `what a command writes is on the parent at once, and health and metrics answer`() async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            try await federation.serve("370000")
            try await federation.serve("370100")
            try await federation.waitUntilLevel("370000")
            try await federation.succeed(["generate", "--tickets", "1"], at: "370100")
            // Far below any heartbeat: nothing polls.
            try await federation.waitUntil("the ticket is at the province", seconds: 2) {
                try await federation.count("service_request", at: "370000") == 1
            }
            #expect(try await federation.get("/healthz", from: "370000").hasPrefix("HTTP/1.1 200"))
            #expect(try await federation.get("/readyz", from: "370000").hasPrefix("HTTP/1.1 200"))
            let page = try await federation.get("/metrics", from: "370000")
            let metrics = page[(page.firstRange(of: "\r\n\r\n")?.upperBound ?? page.startIndex)...]
            #expect(page.hasPrefix("HTTP/1.1 200"))
            let text = try PrometheusText(metrics)
            let link = "{peer=\"370100\",role=\"child\",direction=\"receiving\"}"
            #expect(text.samples["federation_link_lag_rows\(link)"] == 0)
            #expect(text.samples["federation_link_level\(link)"] == 1)
            #expect(text.types["federation_link_level"] == "gauge")
            #expect(text.types["federation_change_set_rows_total"] == "counter")
        }

        @Test func `a second service on the same data directory is refused`() async throws {
            let federation = try await Federation([Federation.Node(code: "370000")])
            try await federation.serve("370000")
            let second = try await federation.run(["serve"], at: "370000")
            #expect(second.status == 1)
            #expect(second.errors.contains("E_ALREADY_RUNNING"))
        }

        @Test func `an answer as CSV has the rows on stdout and its coverage on stderr`() async throws {
            let federation = try await Federation([Federation.Node(code: "370000", name: "山东省")])
            try await federation.succeed(["generate", "--tickets", "7", "--requests-only"], at: "370000")
            let answer = try await federation.succeed(["query", "--by", "origin", "--format", "csv"], at: "370000")
            #expect(answer.output == "origin,count\n370000,7\n")
            #expect(answer.errors.hasPrefix("口径 诉求量 count v2\n覆盖 1/1\n"))
        }

        @Test func `wrong usage is 64, an error begins with its code, and a bad topology names file and line`()
            async throws
        {
            let federation = try await Federation([Federation.Node(code: "370000")])
            #expect(try await federation.run(["query", "--no-such-flag"], at: "370000").status == 64)
            let unknown = try await federation.run(["query", "--measure", "happiness"], at: "370000")
            #expect(unknown.status == 1)
            #expect(unknown.errors.hasPrefix("E_ANALYSIS_UNKNOWN"))
            let invalid = repositoryRoot.appending(path: "topology/examples/invalid")
            for file in try FileManager.default.contentsOfDirectory(at: invalid, includingPropertiesForKeys: nil)
            where file.pathExtension == "yaml" {
                let result = try await federation.run(["topology", "validate", file.path])
                #expect(result.status == 1)
                #expect(result.errors.contains("\(file.lastPathComponent):"), "\(result.errors)")
                #expect(result.errors.contains("E_TOPOLOGY_"))
            }
        }
    }
}
