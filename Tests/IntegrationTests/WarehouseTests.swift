import FederationModel
import Foundation
import TestSupport
import Testing

extension `Real processes` {
    /// A province whose analyses run on two real ClickHouse servers.
    @Suite(.enabled(if: ClickHouseServers.areInstalled, "clickhouse-server is not installed"))
    struct `Analyses on ClickHouse` {
        private static let city = "370100"

        /// A node on the servers, and beside its settings the same ones for SQLite.
        private func node(on servers: ClickHouseServers) async throws -> Federation {
            let federation = try await Federation([Federation.Node(code: Self.city, name: "济南市")])
            let settings = try String(contentsOfFile: federation.path("\(Self.city)/node.yaml"), encoding: .utf8)
            try federation.write(settings, to: "\(Self.city)/sqlite.yaml")
            try federation.write(
                settings + """
                    analysis-engine: clickhouse
                    clickhouse-url: "\(servers.addresses.joined(separator: ","))"
                    clickhouse-user: \(ClickHouseServers.user)

                    """, to: "\(Self.city)/node.yaml")
            let key = federation.path("\(Self.city)/credentials/clickhouse.key")
            try ClickHouseServers.password.write(toFile: key, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
            return federation
        }

        private static let questions = [
            [], ["--by", "region", "--by", "month"], ["--by", "unit", "--measure", "on_time_rate"],
            ["--by", "day", "--measure", "count", "--measure", "p50_closing_minutes"],
            ["--by", "service:1", "--where", "channel=01,02"], ["--measure", "person_count", "--by", "channel"],
            ["--by", "weekday", "--measure", "call_count"], ["--by", "score", "--measure", "evaluation_count"],
        ]

        private func rows(_ question: [String], _ federation: Federation, by settings: String) async throws -> Data {
            let result = try await federation.run(
                ["query", "--json"] + question + ["--config", federation.path("\(Self.city)/\(settings)")])
            // What both refuse in the same way is as good.
            guard result.status == 0 else { return Data(result.errors.prefix { $0 != ":" }.utf8) }
            return try JSONSerialization.data(withJSONObject: result.json()["rows"] ?? [], options: [.sortedKeys])
        }

        private func expectSameAnswers(_ federation: Federation) async throws {
            for question in Self.questions {
                let exported = try await rows(question, federation, by: "node.yaml")
                let expected = try await rows(question, federation, by: "sqlite.yaml")
                #expect(
                    exported == expected,
                    "\(question): \(String(decoding: exported, as: UTF8.self)) \(String(decoding: expected, as: UTF8.self))"
                )
            }
        }

        private func steps(_ federation: Federation) async throws -> [String] {
            let json = try await federation.query(["--explain"], at: Self.city).json
            return (json["explain"] as? [[String: Any]] ?? []).compactMap { $0["from"] as? String }
        }

        private func gaps(_ federation: Federation) async throws -> [String] {
            let json = try await federation.query(at: Self.city).json
            return (json["gaps"] as? [[String: Any]] ?? []).compactMap { $0["code"] as? String }
        }

        @Test(.timeLimit(.minutes(15)))
        func `are those of SQLite, after changes and deletions too; without servers SQLite answers and says so`()
            async throws
        {
            let servers = try await ClickHouseServers(shards: 2)
            let federation = try await node(on: servers)
            try await federation.succeed(["generate", "--tickets", "500", "--calls"], at: Self.city)
            #expect(try await gaps(federation) == ["E_WAREHOUSE_BEHIND"])
            let early = try await federation.run(["warehouse", "verify"], at: Self.city)
            #expect(early.status != 0 && early.errors.hasPrefix("E_WAREHOUSE_BEHIND"), "\(early.errors)")

            let filled = try await federation.succeed(["warehouse", "backfill", "--json"], at: Self.city).json()
            #expect(filled["usable"] as? Bool == true && filled["lagRows"] as? Int == 0, "\(filled)")
            let shards = try #require(filled["shards"] as? [[String: Any]])
            let tickets = shards.compactMap { ($0["rows"] as? [String: Int])?["ticket"] }
            #expect(tickets.count == 2 && tickets.reduce(0, +) == 500 && tickets.allSatisfy { $0 > 100 }, "\(tickets)")
            #expect(try await steps(federation) == ["warehouse"])
            try await expectSameAnswers(federation)
            try await federation.succeed(["warehouse", "verify"], at: Self.city)

            // The service exports what changes.
            try await federation.serve(Self.city)
            try await federation.succeed(["generate", "--tickets", "40", "--seed", "7"], at: Self.city)
            let ticket = try await federation.sql(
                "SELECT global_id FROM service_request WHERE deleted = 0 LIMIT 1", at: Self.city)
            try await federation.succeed(
                [
                    "ticket", "delete", ticket.trimmingCharacters(in: .whitespacesAndNewlines), "--reason", "other",
                    "--yes",
                ],
                at: Self.city)
            try await federation.waitUntil("everything is exported", seconds: 60) {
                let status = try await federation.run(["warehouse", "status", "--json"], at: Self.city).json()
                return status["usable"] as? Bool == true && status["lagRows"] as? Int == 0
            }
            #expect(try await steps(federation) == ["warehouse"])
            try await expectSameAnswers(federation)
            try await federation.succeed(["warehouse", "verify"], at: Self.city)

            // A row that is missing is found.
            try await federation.stop(Self.city)
            for shard in 0..<2 {
                let one = try await servers.ask(
                    "SELECT row_key FROM federation.ticket WHERE row_gone = 0 LIMIT 1", of: shard)
                let key = one.trimmingCharacters(in: .whitespacesAndNewlines)
                try await servers.ask(
                    """
                    INSERT INTO federation.ticket (row_origin, row_key, row_seq, row_gone) \
                    SELECT row_origin, row_key, 1000000000, 1 FROM federation.ticket WHERE row_key = '\(key)' LIMIT 1
                    """, of: shard)
            }
            let differing = try await federation.run(["warehouse", "verify", "--json"], at: Self.city)
            let isEqual = try differing.json()["equal"] as? Bool
            #expect(differing.status == 1 && isEqual == false, "\(differing)")

            try await servers.stop(1)
            #expect(try await gaps(federation) == ["E_WAREHOUSE_AWAY"])
            try await expectSameAnswers(federation)
            let status = try await federation.run(["warehouse", "status", "--json"], at: Self.city)
            #expect(status.status == 3)

            // What the service meets is told to whoever asks beside it.
            try await federation.serve(Self.city)
            try await federation.succeed(["generate", "--tickets", "40", "--seed", "9"], at: Self.city)
            try await federation.waitUntil("the export has failed", seconds: 60) {
                let json = try await federation.run(["warehouse", "status", "--json"], at: Self.city).json()
                let code = (json["lastError"] as? [String: Any])?["code"] as? String
                return code == "E_WAREHOUSE_AWAY" && json["lastErrorAt"] is String
            }
            try await federation.stop(Self.city)
        }
    }
}
