import Foundation
import Testing

extension `Real processes` {
    /// Completeness that is proved (5.1-4).
    @Suite struct Verification {
        private func level(tickets: String = "300") async throws -> Federation {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            _ = try await federation.succeed(
                ["generate", "--tickets", tickets, "--from", "2025-09-30", "--days", "2"], at: "370100")
            for code in ["370000", "370100"] { try await federation.serve(code) }
            try await federation.waitUntilLevel("370000")
            return federation
        }

        private func tamper(_ federation: Federation, _ statement: String) async throws {
            let result = try await Federation.tool([
                "sqlite3", "-cmd", ".timeout 10000", federation.path("370000/node.db"), statement,
            ])
            try #require(result.status == 0, "\(result.errors)")
        }

        @Test(.timeLimit(.minutes(15)), arguments: [("370000", "370100"), ("370100", "370000")])
        func `a link is proved equal, or the rows that differ are found and brought together, from either end`(
            asker: String, peer: String
        ) async throws {
            let federation = try await level()
            let equal = try await federation.succeed(["sync", "verify", "--json"], at: asker).json()
            #expect(equal["equal"] as? Bool == true && (equal["differences"] as? [Any])?.isEmpty == true)
            for code in ["370000", "370100"] {
                let links = try await federation.succeed(["status", "--json"], at: code).json()[list: "links"]
                let proved = links.filter { link in
                    link["verifiedEqualAt"] is String && link["verifiedEqualCursor"] is Int
                        && link["differences"] as? Int == 0
                }
                #expect(proved.count == 2, "\(code): \(links)")
            }

            try await tamper(
                federation,
                """
                UPDATE service_request SET title = title || 'x' WHERE id = (SELECT min(id) FROM service_request);
                DELETE FROM service_request WHERE id = (SELECT max(id) FROM service_request);
                UPDATE handling SET key = key || 'x' WHERE id = (SELECT min(id) FROM handling);
                """)
            let arguments = ["sync", "verify", "--peer", peer, "--json"]
            let found = try await federation.run(arguments, at: asker)
            #expect(found.status == 4)
            let report = try found.json()
            #expect(report["equal"] as? Bool == false && (report["bytesExchanged"] as? Int ?? 0) > 0)
            var counts: [String: [Int?]] = [:]
            for difference in report[list: "differences"] {
                let numbers = ["missing", "extra", "different"].map { difference[$0] as? Int }
                counts[difference["resource"] as? String ?? ""] = numbers
                let keys = difference["keys"] as? [String]
                #expect(difference["peer"] as? String == peer && keys?.count == numbers.compactMap(\.self).reduce(0, +))
            }
            #expect(counts == ["service_request": [1, 0, 1], "handling": [1, 1, 0]])

            let repaired = try await federation.run(arguments + ["--repair"], at: asker)
            #expect(try repaired.status == 4 && repaired.json()["repaired"] as? Int == 4, "\(repaired.output)")
            let differing = try await federation.succeed(["status", "--json"], at: asker).json()[list: "links"]
                .compactMap { $0["differences"] as? Int }
            #expect(differing.sorted() == [0, 1], "what is equal again is known without another call")
            // The row that nobody ever wrote is, to the province, one that its origin has lost: a person decides.
            try await federation.waitUntil("the lost row is named", seconds: 30) {
                try await federation.succeed(["link", "list"], at: "370000").output.contains("发送方已失 1 行")
            }
            try await federation.succeed(["link", "accept-loss", "--peer", "370100", "--rows", "1"], at: "370000")
            try await federation.waitUntil("both are equal", seconds: 30) {
                try await federation.run(arguments, at: asker).status == 0
            }
        }

        @Test(.timeLimit(.minutes(15)))
        func `the service compares by itself in the night, and a difference shows at both ends`() async throws {
            let federation = try await level(tickets: "20")
            try await tamper(federation, "DELETE FROM service_request WHERE id = (SELECT max(id) FROM service_request)")
            try await federation.stop("370100")
            // Three hours ago in Shanghai: whatever the city's own beginning is, it is over and its night is not.
            let hour = (Int(Date().timeIntervalSince1970) / 3_600 + 8 - 3) % 24
            try await federation.serve("370100", verifyAt: hour < 10 ? "0\(hour):00" : "\(hour):00")
            for (code, direction) in [("370100", "sending"), ("370000", "receiving")] {
                try await federation.waitUntil("\(code) knows", seconds: 30) {
                    let links = try await federation.succeed(["link", "list", "--json"], at: code).jsonList()
                    return links.first { $0["direction"] as? String == direction }?["differences"] as? Int == 1
                }
            }
            #expect(try federation.logCount("both ends of a link differ", of: "370100") == 1)
            #expect(try federation.logCount("both ends of a link are equal", of: "370100") == 1)
            #expect(try await federation.run(["status"], at: "370000").output.contains("核对发现 1 行不一致"))
        }

        @Test(.timeLimit(.minutes(15)))
        func `a day of a node is reconciled: what is missing is named, fetched and there`() async throws {
            let federation = try await level()
            let day = "2025-09-30"
            let reconcile = ["node", "reconcile", "济南", day]
            let equal = try await federation.succeed(reconcile, at: "370000").output
            #expect(equal.contains("service_request=") && equal.contains("missing 0, digest equal"))
            let keys = try await federation.sql(
                """
                SELECT group_concat(key, ', ') FROM (SELECT key FROM service_request
                WHERE requested_datetime < 1759248000000 ORDER BY key LIMIT 2)
                """, at: "370000")
            try await tamper(
                federation,
                "DELETE FROM service_request WHERE key IN ('\(keys.replacing(", ", with: "','"))')")
            let found = try await federation.run(reconcile, at: "370000")
            #expect(found.status == 4 && found.output.contains("missing 2: \(keys)"), "\(found.output)")
            let again = try await federation.run(reconcile, at: "370000")
            #expect(again.status == 0 && again.output.contains("missing 0, digest equal"), "\(again.output)")
        }

        @Test(.timeLimit(.minutes(15)))
        func `what can't be compared is said, and is no proof`() async throws {
            let federation = try await level(tickets: "10")
            _ = try await federation.stop("370100")
            let silent = try await federation.run(["sync", "verify", "--json"], at: "370000")
            let links = try silent.json()[list: "links"]
            #expect(silent.status == 3)
            #expect(links.count == 2 && links.allSatisfy { $0["equal"] as? Bool == false })
            let stranger = try await federation.run(["sync", "verify", "--peer", "370000"], at: "370000")
            #expect(stranger.status == 1 && stranger.errors.hasPrefix("E_NOT_A_NEIGHBOUR"))
            let nothing = try await federation.run(["sync", "verify", "--resource", "tickets"], at: "370000")
            #expect(nothing.status == 1 && nothing.errors.hasPrefix("E_RESOURCE_UNKNOWN"))
            let day = try await federation.run(["node", "reconcile", "370100", "2025-13-01"], at: "370000")
            #expect(day.status == 64)
        }
    }
}
