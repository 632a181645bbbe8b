import Foundation
import TestSupport
import Testing

extension `Real processes` {
    /// A parent that can't reach its children asks them over the connections that they hold open to it.
    @Suite struct `The reverse channel` {
        /// Two cities that nobody can dial: 济南 by copy, and 淄博 by query with a county below it that has no endpoint either.
        private static func nodes(_ reach: Federation.Reach) -> [Federation.Node] {
            let byQuery = ["mode: logical", "policy: { service_request: { row-queries: true } }"]
            return [
                Federation.Node(code: "370000", name: "山东省"),
                Federation.Node(code: "370100", name: "济南市", parent: "370000", reach: reach),
                Federation.Node(code: "370300", name: "淄博市", parent: "370000", extra: byQuery, reach: reach),
            ]
        }

        private func started(_ reach: Federation.Reach) async throws -> Federation {
            let federation = try await Federation(Self.nodes(reach))
            for node in Self.nodes(reach) { try await federation.serve(node.code) }
            try await federation.succeed(["generate", "--tickets", "200"], at: "370100")
            try await federation.succeed(["generate", "--tickets", "100"], at: "370300")
            try await federation.waitUntil("the answer is complete", seconds: 60) {
                try await federation.tickets(at: "370000").json["rows"] as? [[Int]] == [[300]]
            }
            return federation
        }

        private func missing(_ federation: Federation, _ arguments: [String] = []) async throws -> [String: Any] {
            let answer = try await federation.tickets(arguments, at: "370000")
            #expect(answer.result.status == 3)
            let coverage = answer.json[object: "coverage"][list: "nodes"]
            return try #require(coverage.first { $0["node"] as? String == "370300" })
        }

        @Test(.timeLimit(.minutes(15)), arguments: [Federation.Reach.closedPort, .noEndpoint])
        func `brings analyses, rows and comparisons to children that can't be dialled`(
            reach: Federation.Reach
        ) async throws {
            let federation = try await started(reach)
            let analysis = try await federation.tickets(["--by", "origin"], at: "370000")
            #expect(analysis.result.status == 0)
            let rows = try await federation.run(["query", "rows", "--limit", "20", "--json"], at: "370000")
            #expect(try rows.status == 0 && (rows.json()["rows"] as? [Any])?.count == 20)
            try await federation.waitUntilLevel("370000")
            let verified = try await federation.run(["sync", "verify", "--json"], at: "370000")
            #expect(verified.status == 0, "\(verified.output)")
            #expect(try verified.json()[list: "links"].count == 4)
            // Ten at a time: none takes the place of another.
            try await withThrowingTaskGroup(of: Int32.self) { group in
                for _ in 0..<10 { group.addTask { try await federation.tickets(at: "370000").result.status } }
                for try await status in group { #expect(status == 0) }
            }

            // Without the service of its node, a command has nothing but the endpoint.
            try await federation.stop("370000")
            let cause = try await missing(federation)
            let expected = reach == .noEndpoint ? "E_PEER_NOT_CONNECTED" : "E_PEER_UNREACHABLE"
            #expect(cause["state"] as? String == "unreachable" && cause["code"] as? String == expected, "\(cause)")
            try await federation.serve("370000")
            try await federation.waitUntil("it is asked again", seconds: 30) {
                try await federation.tickets(at: "370000").result.status == 0
            }
        }

        @Test(.timeLimit(.minutes(15)))
        func `names a child that dies while it has a question to answer, and goes on when it is back`() async throws {
            let federation = try await started(.noEndpoint)
            // It takes the question up and does not work on it.
            try federation.signal("370300", SIGSTOP)
            async let answer = missing(federation, ["--deadline", "60000"])
            try await federation.waitUntil("the question is on its way", seconds: 20) {
                try await federation.get("/metrics", from: "370000")
                    .contains(#"federation_reverse_channel_questions{peer="370300"} 1"#)
            }
            let began = ContinuousClock.now
            try await federation.stop("370300", signal: SIGKILL)
            let cause = try await answer
            #expect(cause["code"] as? String == "E_PEER_BROKEN", "\(cause)")
            #expect(ContinuousClock.now - began < .seconds(20), "long before its deadline")
            #expect(try await missing(federation)["code"] as? String == "E_PEER_NOT_CONNECTED")
            try await federation.serve("370300")
            try await federation.waitUntil("it is asked again", seconds: 30) {
                try await federation.tickets(at: "370000").result.status == 0
            }
        }

        @Test(.timeLimit(.minutes(15)))
        func `gives a question up when its time is over, and the next one is answered`() async throws {
            let federation = try await started(.noEndpoint)
            try federation.signal("370300", SIGSTOP)
            let cause = try await missing(federation, ["--deadline", "1500"])
            #expect(cause["code"] as? String == "E_PEER_TIMEOUT", "\(cause)")
            try federation.signal("370300", SIGCONT)
            try await federation.waitUntil("it is asked again", seconds: 30) {
                try await federation.tickets(at: "370000").result.status == 0
            }
        }
    }
}
