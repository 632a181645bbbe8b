import Foundation
import Testing

extension `Real processes` {
    /// Recall and deletion over three tiers (8.1-5, 8.2-3).
    @Suite struct Removals {
        private static let tiers =
            Array(Federation.qilu.prefix(2)) + [Federation.Node(code: "370102", name: "历下区", parent: "370100")]

        private func list(_ federation: Federation, at code: String, _ flags: [String] = []) async throws -> (
            status: Int32, lines: [[String: Any]]
        ) {
            let result = try await federation.run(["removal", "list", "--json"] + flags, at: code)
            let lines = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]]
            return (result.status, try #require(lines, "\(result.output) \(result.errors)"))
        }

        @Test(.timeLimit(.minutes(15)))
        func `a recall is confirmed from above, and names who has not confirmed (8.1-5)`() async throws {
            let federation = try await Federation(Self.tiers)
            for node in Self.tiers { try await federation.serve(node.code) }
            try await TicketG1.importRecords(into: federation, at: "370100")
            try await federation.succeed(["generate", "--tickets", "3"], at: "370102")
            let isG1 = "deleted = 0 AND global_id = '370100-G1'"
            try await federation.waitUntil("G1 and the county's tickets are at the province", seconds: 30) {
                let ofCounty = "deleted = 0 AND origin = '370102'"
                let tickets = try await federation.count("service_request", at: "370000", where: ofCounty)
                return try await federation.count("evaluation", at: "370000", where: isG1) == 1 && tickets == 3
            }

            try await federation.succeed(
                ["ticket", "recall", "370100-G1", "--reason", "shared_by_mistake"], at: "370100")
            try await federation.waitUntil("the province has confirmed", seconds: 30) {
                try await list(federation, at: "370100").lines.first?["missing"] as? [String] == []
            }
            for resource in ["service_request", "handling", "evaluation"] {
                #expect(try await federation.count(resource, at: "370000", where: isG1) == 0)
                #expect(try await federation.count(resource, at: "370100", where: isG1) == 1, "it stays at home")
            }
            let received = try await list(federation, at: "370000", ["--received"]).lines
            #expect(received.count == 1 && received.first?["origin"] as? String == "370100")
            #expect(received.first?["confirmedAt"] is String)

            // The province is away: what the county deletes is unconfirmed there, and only there.
            try await federation.stop("370000")
            let id = try await federation.sql(
                "SELECT min(global_id) FROM service_request WHERE origin = '370102'", at: "370102")
            try await federation.succeed(
                ["ticket", "delete", id, "--reason", "subject_request", "--yes"], at: "370102")
            try await federation.waitUntil("the city has confirmed", seconds: 30) {
                (try await list(federation, at: "370102").lines.first?["confirmed"] as? [String: String])?["370100"]
                    != nil
            }
            #expect(
                try await federation.count(
                    "service_request", at: "370100", where: "deleted = 0 AND global_id = '\(id)'") == 0)
            let waiting = try await list(federation, at: "370102", ["--unconfirmed"])
            #expect(waiting.status == 0, "a day has not passed")
            #expect(waiting.lines.first?["missing"] as? [String] == ["370000"])
            let late = try await list(
                federation, at: "370102", ["--unconfirmed", "--set", "removal-confirmation-hours=0"])
            #expect(late.status == 4)
            #expect(late.lines.first?["overdue"] as? Bool == true)
            let status = try await federation.succeed(["status", "--json"], at: "370102").json()
            #expect(status[object: "removals"]["unconfirmed"] as? Int == 1)
            #expect(
                try await federation.get("/metrics", from: "370102").contains("federation_removals_unconfirmed 1\n"))

            try await federation.serve("370000")
            try await federation.waitUntil("the province has confirmed the county's deletion", seconds: 40) {
                try await list(federation, at: "370102", ["--unconfirmed"]).lines.isEmpty
            }
            #expect(
                try await federation.count(
                    "service_request", at: "370000", where: "deleted = 0 AND global_id = '\(id)'") == 0)
        }
    }
}
