import Foundation
import Testing

extension `Real processes` {
    /// Pages of rows of nodes whose rows stay where they are (逻辑接入), by real processes.
    @Suite struct Rows {
        /// The province, 淄博 by query with a county below it by query too, 济南 by copy.
        private static let nodes = [
            Federation.Node(code: "370000", name: "山东省"),
            Federation.Node(code: "370100", name: "济南市", parent: "370000"),
            Federation.Node(
                code: "370300", name: "淄博市", parent: "370000",
                extra: [
                    "mode: logical",
                    "policy: { service_request: { row-queries: true, filter: { request-type: [\"2\"] }, fields: { title: drop } } }",
                ]),
            Federation.Node(
                code: "370302", name: "淄川区", parent: "370300",
                extra: [
                    "mode: logical",
                    "policy: { service_request: { row-queries: true, fields: { seat_id: drop } }, handling: { row-queries: true } }",
                ]),
        ]

        private func started() async throws -> Federation {
            let federation = try await Federation(Self.nodes)
            for node in Self.nodes { try await federation.serve(node.code) }
            for code in ["370100", "370300", "370302"] { try await importTickets(into: federation, at: code) }
            try await federation.waitUntil("the answer is complete", seconds: 30) {
                let answer = try await federation.run(["query", "rows", "--json"], at: "370000")
                let rows = try answer.json()["rows"] as? [Any]
                return answer.status == 0 && rows?.count == 10
            }
            return federation
        }

        /// Tickets 1 to 4, the last of a type that 淄博 does not give. The telephone number tells the node and the ticket.
        private func importTickets(into federation: Federation, at code: String) async throws {
            var csv = "id,time,type,title,name,phone,card,seat,lat\n"
            for number in 1...4 {
                csv += "\(number),2025-09-30 09:0\(number),\(number == 4 ? 3 : 2),哨兵\(code)第\(number)件,张三丰,"
                csv += "138\(code)\(number)7,370102199001010016,2107,36.65\n"
            }
            try federation.write(csv, to: "\(code).csv")
            try federation.write(
                """
                key: id
                zone: Asia/Shanghai
                time_formats: ["yyyy-MM-dd HH:mm"]
                records:
                  - resource: service_request
                    fields:
                      service_request_id: id
                      requested_datetime: time
                      channel: {value: "01"}
                      request_type: type
                      urgency: {value: normal}
                      acceptance: {value: accepted}
                      service_code: {value: "03.03.01"}
                      title: title
                      reporter_name: name
                      reporter_phone: phone
                      reporter_id_number: card
                      seat_id: seat
                      lat: lat

                """, to: "tickets.yaml")
            try await federation.succeed(
                [
                    "import", "--resource", "service_request", "--mapping", federation.path("tickets.yaml"),
                    federation.path("\(code).csv"),
                ], at: code)
        }

        private func rows(
            _ arguments: [String] = [], at code: String = "370000", of federation: Federation
        ) async throws -> (result: CommandResult, json: [String: Any], rows: [[String: String]]) {
            let result = try await federation.run(["query", "rows", "--json"] + arguments, at: code)
            let json = try result.json()
            let columns = try #require(json["columns"] as? [String])
            let table = try #require(json["rows"] as? [[Any]])
            let rows = table.map { row in
                Dictionary(uniqueKeysWithValues: zip(columns, row.map { ($0 as? NSNull) == nil ? "\($0)" : "–" }))
            }
            return (result, json, rows)
        }

        @Test(.timeLimit(.minutes(15)))
        func `come masked, by every policy on their way, and are stored nowhere but logged at both ends`()
            async throws
        {
            let federation = try await started()
            let page = try await rows(of: federation)
            #expect(page.result.status == 0, "\(page.result.errors)")
            // 济南's copies are the province's own; of 淄博 and the county below it the complaint is not given.
            #expect(
                page.rows.map { $0["key"] } == [
                    "370100-1", "370100-2", "370100-3", "370100-4", "370300-1", "370300-2", "370300-3", "370302-1",
                    "370302-2", "370302-3",
                ])
            #expect(page.json["next"] == nil)
            for row in page.rows {
                #expect(row["reporter_phone"]?.wholeMatch(of: /138\*{4}\d{4}/) != nil, "\(row)")
                #expect(row["reporter_name"] == "张**" && row["reporter_id_number"] == "–" && row["lat"] == "–")
            }
            let county = try #require(page.rows.first { $0["key"] == "370302-1" })
            // The city drops the title, the county the seat.
            #expect(county["title"] == "–" && county["seat_id"] == "–" && county["request_type"] == "2")
            #expect(page.rows.first { $0["key"] == "370300-1" }?["seat_id"] == "2107")
            #expect(page.rows[0]["title"] == "哨兵370100第1件")
            let nodes = page.json[object: "coverage"][list: "nodes"]
            #expect(nodes.map { $0["mode"] as? String } == ["physical", "logical", "logical"])
            #expect((nodes[2]["withheld"] as? [String])?.contains("seat_id") == true)
            #expect((nodes[1]["withheld"] as? [String])?.contains("seat_id") == false)

            for code in ["370000", "370300"] {
                for file in ["node.db", "node.db-wal"] {
                    let bytes = try Data(contentsOf: URL(filePath: federation.path("\(code)/\(file)")))
                    #expect(bytes.range(of: Data("370302-1".utf8)) == nil, "\(code)/\(file)")
                    #expect(bytes.range(of: Data("哨兵370302".utf8)) == nil, "\(code)/\(file)")
                }
            }
            #expect(try await log(at: "370000", of: federation).prefix(1) == ["asked 370300 rows ok 6"])
            #expect(
                try await log(at: "370300", of: federation).prefix(2) == [
                    "answered 370000 rows ok 6", "asked 370302 rows ok 4",
                ])
            #expect(try await log(at: "370302", of: federation).prefix(1) == ["answered 370300 rows ok 4"])
        }

        @Test(.timeLimit(.minutes(15)))
        func `come page by page, each once, under conditions, and are refused where they are not granted`() async throws
        {
            let federation = try await started()
            var keys: [String] = []
            var after: [String] = []
            for _ in 1...20 {
                let page = try await rows(["--limit", "3", "--columns", "title"] + after, of: federation)
                #expect(page.rows.count <= 3)
                keys += page.rows.compactMap { $0["key"] }
                guard let next = page.json["next"] as? String else { break }
                after = ["--after", next]
            }
            let all = try await rows(of: federation).rows.compactMap { $0["key"] }
            #expect(keys == all && all.count == 10)

            let zibo = try await rows(["--where", "origin=淄博", "--where", "service_request_id=2,3"], of: federation)
            #expect(zibo.rows.map { $0["key"] } == ["370300-2", "370300-3"])
            #expect(zibo.json[object: "coverage"]["expected"] as? Int == 1)
            let early = try await rows(["--to", "2025-09-30T09:02:00+08:00"], of: federation)
            #expect(early.rows.map { $0["key"] } == ["370100-1", "370300-1", "370302-1"])
            for condition in ["reporter_phone=13837030017", "title^=哨兵", "ext=1"] {
                let refused = try await federation.run(["query", "rows", "--where", condition], at: "370000")
                #expect(refused.status == 1 && refused.errors.hasPrefix("E_FILTER_FIELD"), "\(refused.errors)")
                #expect(!refused.errors.contains("13837030017") && !refused.errors.contains("哨兵"))
            }
            // What one of the nodes does not give in clear can't be searched there either.
            let seats = try await rows(["--where", "seat_id=2107", "--best-effort"], of: federation)
            #expect(seats.result.status == 3 && seats.rows.map { $0["key"] }.count == 7)
            #expect(
                seats.json[object: "coverage"][list: "nodes"].map { $0["state"] as? String } == ["ok", "ok", "denied"])

            // The city does not give handling records, whatever the county gives to it.
            let denied = try await rows(["--resource", "handling"], of: federation)
            #expect(denied.result.status == 3 && denied.rows.isEmpty)
            let states = denied.json[object: "coverage"][list: "nodes"].map { $0["state"] as? String }
            #expect(states == ["ok", "denied", "denied"])
            #expect(try await rows(["--resource", "handling"], at: "370300", of: federation).result.status == 0)
            #expect(try await log(at: "370300", of: federation).contains("answered 370000 rows E_ROWS_NOT_GRANTED 0"))

            // What is counted is what the policies give: the city's holds for the county below it too.
            let counted = try await federation.query(["--by", "origin"], at: "370000")
            let counts = (counted.json["rows"] as? [[Any]] ?? []).map { row in row.map { "\($0)" } }
            #expect(Set(counts) == [["370100", "4"], ["370300", "3"], ["370302", "3"]])
            try await federation.succeed(["query", "--where", "origin=370302"], at: "370000")
            #expect(try await log(at: "370302", of: federation).first == "answered 370300 analysis ok 1")

            // A department's page has what the links give, and says of whom it has nothing (7.2.2-2).
            let feed = try await federation.succeed(["unit", "feed", "--category", "03", "--json"], at: "370000").json()
            #expect(feed["logical"] as? [String] == ["370300", "370302"])
            #expect(feed[list: "items"].compactMap { $0["origin"] as? String } == Array(repeating: "370100", count: 4))
            let asked = ["unit", "feed", "--category", "03", "--logical", "--json"]
            let page = try await federation.succeed(asked + ["--limit", "4"], at: "370000").json()
            let next = try #require(page["next"] as? String)
            let rest = try await federation.succeed(asked + ["--after", next], at: "370000").json()
            #expect(
                (page[list: "items"] + rest[list: "items"]).map { $0["ticket"] as? String } == [
                    "370300-1", "370300-2", "370300-3", "370302-1", "370302-2", "370302-3",
                ])
            #expect((page[list: "items"].first?["fields"] as? [String: Any])?["reporter_name"] as? String == "张**")
            let refused = try await federation.run(
                ["unit", "feed", "--unit", "住建局", "--logical", "--json"], at: "370000")
            #expect(refused.status == 3)
            #expect(try refused.json()[list: "nodes"].map { $0["state"] as? String } == ["denied", "denied"])

            try await federation.stop("370302")
            let without = try await federation.run(asked, at: "370000")
            #expect(without.status == 3)
            #expect(try without.json()[list: "nodes"].map { $0["state"] as? String } == ["ok", "unreachable"])
            let strict = try await rows(["--limit", "1"], of: federation)
            #expect(strict.result.status == 3 && strict.rows.isEmpty && strict.json["next"] == nil)
            let best = try await rows(["--best-effort"], of: federation)
            #expect(best.result.status == 3 && best.rows.count == 7)
            let table = try await federation.run(["query", "rows", "--best-effort"], at: "370000").output
            #expect(table.contains("缺失 淄川区(370302)") && table.contains("138****"))
        }

        private func log(at code: String, of federation: Federation) async throws -> [String] {
            let result = try await federation.succeed(["query", "log", "--json"], at: code)
            let entries = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]] ?? []
            // The whole number or its mask: three digits alone are also a duration.
            #expect(!result.output.contains(/138[*\d]{8}/))
            return entries.map { entry in
                ["direction", "peer", "kind", "outcome", "rows"].map { "\(entry[$0] ?? "")" }.joined(separator: " ")
            }
        }
    }
}
