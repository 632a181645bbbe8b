import Foundation
import Testing

extension `Real processes` {
    /// Clauses 7.2.1.1, 7.2.2 and 7.1.1, over physical and logical children.
    @Suite struct Reporting {
        private func report(
            _ federation: Federation, at code: String, _ arguments: [String] = []
        ) async throws -> (status: Int32, document: [String: Any], bytes: String) {
            let result = try await federation.run(
                ["report", "make", "--kind", "monthly", "--period", "2025-08", "--json"] + arguments, at: code)
            let json = result.output.isEmpty ? [:] : try result.json()
            return (result.status, json[object: "document"], result.output)
        }

        /// The counts of the first column of a table, by the keys of its rows.
        private func counts(_ document: [String: Any], _ chapter: String) -> [String: Int] {
            let table = document[list: "chapters"].first { $0["id"] as? String == chapter }?[list: "tables"].first
            let rows = (table?[list: "rows"] ?? []).compactMap { row -> (String, Int)? in
                guard let key = row["key"] as? String,
                    let count = row[list: "cells"].dropFirst().first?["value"] as? Int
                else { return nil }
                return (key, count)
            }
            return Dictionary(rows) { first, _ in first }
        }

        @Test(.timeLimit(.minutes(15)))
        func `a province's report adds its cities up, copied or asked, and each says the same of itself (7.2.1.1-3)`()
            async throws
        {
            let federation = try await Federation(Federation.qilu)
            for node in Federation.qilu { try await federation.serve(node.code) }
            let cities = ["370100": "1200", "370200": "800", "370300": "500"]
            for (code, tickets) in cities {
                try await federation.succeed(["generate", "--tickets", tickets], at: code)
            }
            try await federation.waitUntilLevel("370000")
            let province = try await report(federation, at: "370000")
            #expect(province.status == 0)
            let origins = counts(province.document, "origin")
            let total = try #require(origins["total"])
            #expect(total > 700 && cities.keys.reduce(0) { $0 + (origins[$1] ?? 0) } == total)
            #expect(counts(province.document, "overview")["count"] == total)
            for code in cities.keys {
                let own = try await report(federation, at: code)
                #expect(counts(own.document, "overview")["count"] == origins[code], "\(code)")
            }
            #expect(try await report(federation, at: "370000").bytes == province.bytes, "the same data, the same bytes")

            // Its subscriber below has it; the edition for the public has everybody.
            try await federation.succeed(["report", "subscribe", "--node", "济南", "--kind", "monthly"], at: "370000")
            try await federation.succeed(["report", "publish", "M-2025-08"], at: "370000")
            try await federation.waitUntil("the report is at its subscriber", seconds: 30) {
                try await federation.count("report", at: "370100", where: "origin = '370000' AND deleted = 0") == 2
            }
            let shown = try await federation.succeed(
                ["report", "show", "M-2025-08", "--of", "370000", "--json"], at: "370100"
            ).json()
            #expect(counts(shown[object: "document"], "overview")["count"] == total)
            try await federation.waitUntil("the public edition is at the others", seconds: 30) {
                try await federation.count("report", at: "370200", where: "origin = '370000' AND deleted = 0") == 1
            }
            let others = try await federation.succeed(["report", "list", "--json"], at: "370200").jsonList()
            #expect(others.compactMap { $0["edition"] as? String }.sorted() == ["internal", "public"])

            // Late data make a second revision, and the first is kept.
            try await federation.succeed(["generate", "--tickets", "36"], at: "370000")
            try await federation.waitUntilLevel("370000")
            let later = try await report(federation, at: "370000")
            let late = try #require(counts(later.document, "overview")["count"]) - total
            #expect(late > 0)
            let changes = try await federation.succeed(["report", "diff", "M-2025-08", "--json"], at: "370000")
                .jsonList()
            #expect(changes.contains { $0["row"] as? String == "诉求量" && $0["delta"] as? String == "+\(late)" })
            let first = try await federation.succeed(
                ["report", "show", "M-2025-08", "--revision", "1", "--json"], at: "370000")
            #expect(first.output == province.bytes)

            // A missing node is named, and nothing is archived.
            try await federation.stop("370300")
            let missing = try await federation.run(
                ["report", "make", "--kind", "monthly", "--period", "2025-07"], at: "370000")
            #expect(missing.status == 3 && missing.errors.contains("缺失 淄博市(370300)") && missing.output.isEmpty)
            #expect(try await federation.count("report", at: "370000", where: "number = 'M-2025-07'") == 0)
        }

        @Test(.timeLimit(.minutes(15)))
        func `a department reads its tickets over HTTP with its own token, and nothing else (7.2.2-1)`() async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            for node in Federation.qilu.prefix(2) { try await federation.serve(node.code) }
            try await TicketG1.importRecords(into: federation, at: "370100")
            try await federation.waitUntil("the evaluation is at the province", seconds: 30) {
                try await federation.count("evaluation", at: "370000") == 1
            }
            let unit = try await federation.sql(
                "SELECT assignee_unit FROM assignment WHERE deleted = 0 LIMIT 1", at: "370100"
            ).trimmingCharacters(in: .whitespacesAndNewlines)
            for code in ["370000", "370100"] {
                let token = try await federation.succeed(
                    ["token", "create", "--name", "department", "--unit", unit], at: code
                ).output.trimmingCharacters(in: .whitespacesAndNewlines)
                let page = try await read("/v1/department/tickets?since=0&limit=10", token, federation, at: code)
                #expect(page.status == 200)
                let items = page.json[list: "items"]
                #expect(items.compactMap { $0["ticket"] as? String } == ["370100-G1"])
                #expect((items.first?["stages"] as? [String: Int])?["评价"] == 1, "also at the province, within a cycle")
                let next = try #require(page.json["next"] as? Int)
                let rest = try await read("/v1/department/tickets?since=\(next)", token, federation, at: code)
                #expect(rest.json[list: "items"].isEmpty)
                let unsatisfied = try await read("/v1/department/tickets/unsatisfied", token, federation, at: code)
                #expect(unsatisfied.status == 200 && unsatisfied.json[list: "items"].isEmpty)
                #expect(try await read("/v1/inbox", token, federation, at: code).status == 403)
            }
            // Heard once more, the citizen is not satisfied: both lists have it.
            try await federation.succeed(
                [
                    "ticket", "event", "370100-G1", "evaluate", "--field", "object=handling", "--field", "score5=1",
                    "--field", "counted=1",
                ], at: "370100")
            try await federation.waitUntil("the second evaluation is at the province", seconds: 30) {
                try await federation.count("evaluation", at: "370000") == 2
            }
            for code in ["370000", "370100"] {
                let token = try await federation.succeed(
                    ["token", "create", "--name", "unsatisfied", "--unit", unit], at: code
                ).output.trimmingCharacters(in: .whitespacesAndNewlines)
                let list = try await read("/v1/department/tickets/unsatisfied", token, federation, at: code)
                #expect(
                    list.json[list: "items"].map { "\($0["ticket"] ?? "") \($0["score"] ?? "")" } == ["370100-G1 1"])
            }
            for path in ["/v1/department/tickets", "/v1/department/tickets/unsatisfied"] {
                #expect(try await read(path, "nobody", federation, at: "370100").status == 401)
            }
        }

        @Test(.timeLimit(.minutes(15)))
        func `an article and a finding come to whom they concern (7.1.1c, 7.1.1b)`() async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            for node in Federation.qilu.prefix(2) { try await federation.serve(node.code) }
            try await federation.succeed(["generate", "--tickets", "600"], at: "370100")
            try await federation.waitUntilLevel("370000")
            try await federation.succeed(["finding", "detect", "--period", "2025-09"], at: "370000")
            let found = try await federation.succeed(["finding", "list", "--json"], at: "370000").jsonList()
            #expect(!found.isEmpty)
            try await federation.waitUntil("the city sees what is about its tickets", seconds: 30) {
                try await federation.succeed(["finding", "list", "--json"], at: "370100").jsonList().count
                    == found.count
            }
            let id = try #require(found.first?["id"] as? String)
            try await federation.succeed(
                ["finding", "measure", id, "--owner", "受理科", "--due", "2030-01-01"], at: "370100")
            try await federation.waitUntil("the measure is at the province", seconds: 30) {
                let listed = try await federation.succeed(
                    ["finding", "list", "--state", "measured", "--json"], at: "370000")
                return try listed.jsonList().first?["id"] as? String == id
            }
            try await federation.succeed(
                ["knowledge", "publish", "--question", "公积金怎么提取", "--answer", "登录网厅办理"], at: "370000")
            try await federation.waitUntil("the article is at the city", seconds: 30) {
                try await federation.succeed(["knowledge", "list", "--json"], at: "370100").jsonList().count == 1
            }
        }

        private func read(
            _ page: String, _ token: String, _ federation: Federation, at code: String
        ) async throws -> (status: Int, json: [String: Any]) {
            let url = try #require(URL(string: "http://127.0.0.1:\(try federation.localPort(code))\(page)"))
            let answer = try await Federation.tool([
                "curl", "-s", "-w", "\n%{http_code}", "-H", "Authorization: Bearer \(token)", url.absoluteString,
            ])
            let lines = answer.output.split(separator: "\n")
            let json = try JSONSerialization.jsonObject(with: Data((lines.first ?? "").utf8)) as? [String: Any]
            return (Int(lines.last ?? "") ?? 0, json ?? [:])
        }
    }
}
