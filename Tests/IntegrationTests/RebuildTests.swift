import Foundation
import TestSupport
import Testing

extension `Real processes` {
    /// A machine is lost with its database.
    @Suite struct `A node that is rebuilt` {
        /// Nothing of the city's data directory is left; it is enrolled anew.
        private func lose(_ node: Federation.Node, of federation: Federation) async throws {
            try await federation.stop(node.code, signal: SIGKILL)
            try FileManager.default.removeItem(atPath: federation.path(node.code))
            try await federation.setUp(node)
        }

        private func rebuild(_ federation: Federation) async throws -> CommandResult {
            try await federation.run(["node", "rebuild", "--from", "370000", "--wait", "100", "--json"], at: "370100")
        }

        @Test(.timeLimit(.minutes(15)))
        func `gets back what its province holds, and says which fields it has not got`() async throws {
            var nodes = Array(Federation.qilu.prefix(2))
            nodes[1].extra = [
                "policy:", "  service_request:", "    fields: { reporter_phone: mask, reporter_name: drop }",
            ]
            let federation = try await Federation(nodes)
            for code in ["370000", "370100"] { try await federation.serve(code) }
            try await federation.succeed(["generate", "--tickets", "60"], at: "370100")
            try await federation.waitUntilLevel("370000")
            let records = try await federation.countRecords(at: "370100")
            try await lose(nodes[1], of: federation)
            let silent = try await rebuild(federation)
            #expect(silent.status == 1 && silent.errors.hasPrefix("E_RECOVERY_NO_SERVICE"))
            try await federation.serve("370100")
            let result = try await rebuild(federation)
            let report = try result.json()
            #expect(result.status == 3 && report["complete"] as? Bool == false, "\(result.output) \(result.errors)")
            #expect(report["rows"] as? Int ?? 0 >= records)
            let source = try #require(report[list: "sources"].first)
            #expect(source["proved"] as? Bool == true && source["outstanding"] as? Int == 0)
            let requests = try #require(
                report[list: "resources"].first { $0["resource"] as? String == "service_request" })
            #expect(requests["rows"] as? Int == 60)
            let fields = requests[list: "fields"].map {
                "\($0["column"] ?? "") \($0["treatment"] ?? "") \($0["rows"] ?? "")"
            }
            #expect(fields == ["reporter_name drop 60", "reporter_phone mask 60"])
            #expect((report["notCopied"] as? [String])?.isEmpty == true)
            #expect(try await federation.countRecords(at: "370100") == records)
            #expect(try await federation.countRecords(at: "370000") == records)
            let text = try await federation.run(["node", "rebuild"], at: "370100")
            #expect(text.status == 3 && text.output.contains("service_request.reporter_name  60 行为对端所存的值（不提供）"))
        }

        @Test(.timeLimit(.minutes(15)))
        func `has everything again where all was copied, also what a script deleted in its database`() async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            for code in ["370000", "370100"] { try await federation.serve(code) }
            try await federation.succeed(["generate", "--tickets", "40"], at: "370100")
            try await federation.waitUntilLevel("370000")
            let records = try await federation.countRecords(at: "370100")
            let emptied = try await Federation.tool([
                "sqlite3", "-cmd", ".timeout 10000", federation.path("370100/node.db"), "DELETE FROM service_request",
            ])
            try #require(emptied.status == 0)
            let restored = try await rebuild(federation)
            #expect(restored.status == 0, "\(restored.output) \(restored.errors)")
            #expect(try restored.json()["rows"] as? Int == 40)
            #expect(try await federation.countRecords(at: "370100") == records)

            try await lose(Federation.qilu[1], of: federation)
            try await federation.serve("370100")
            let rebuilt = try await rebuild(federation)
            #expect(try rebuilt.status == 0 && rebuilt.json()["complete"] as? Bool == true, "\(rebuilt.output)")
            for code in ["370000", "370100"] { #expect(try await federation.countRecords(at: code) == records) }
        }

        /// The province has gone on to another release of the topology, under which the city sends less.
        @Test(.timeLimit(.minutes(15)))
        func `from a backup in the middle of a roll-out fetches the release before anything is swept`() async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            for code in ["370000", "370100"] { try await federation.serve(code) }
            try await federation.succeed(["generate", "--tickets", "60", "--requests-only"], at: "370100")
            try await federation.waitUntilLevel("370000")
            let backup = federation.path("city.backup")
            try await federation.succeed(["backup", "create", "--out", backup], at: "370100")
            try await federation.succeed(
                ["generate", "--tickets", "90", "--requests-only", "--seed", "2"], at: "370100")
            try await federation.waitUntilLevel("370000")
            let total = try await federation.count("service_request", at: "370100")
            #expect(total > 60)
            try await federation.apply(version: 2) {
                $0.replacing(
                    "name: 济南市", with: "name: 济南市\n    policy: { service_request: { fields: { title: drop } } }")
            }
            try await federation.waitUntilLevel("370000")
            try await federation.stop("370100")
            try await federation.succeed(["backup", "restore", backup], at: "370100")
            // Without its province it stands where it stood then, and sends nothing.
            try await federation.stop("370000")
            try await federation.serve("370100")
            func version() async throws -> Int? {
                try await federation.succeed(["topology", "show", "--json"], at: "370100").json()["version"] as? Int
            }
            #expect(try await version() == 1)
            try await federation.serve("370000")
            try await federation.waitUntil("the city has what it lost", seconds: 60) {
                try await federation.count("service_request", at: "370100") == total
            }
            try await federation.waitUntilLevel("370100")
            #expect(try await version() == 2)
            #expect(try await federation.count("service_request", at: "370000") == total)
            #expect(
                try await federation.count("service_request", at: "370000", where: "title IS NOT NULL") == 0,
                "nothing was swept under the release from before")
        }
    }
}
