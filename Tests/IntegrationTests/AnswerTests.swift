import ConfigurationFiles
import FederationModel
import Foundation
import RecordIntake
import TestSupport
import Testing

extension `Real processes` {
    /// What `query` tells beside the figures, over copies and over a city that is asked.
    @Suite struct Answers {
        /// Two months of three cities: 淄博 keeps its rows.
        private func cities(_ nodes: [Federation.Node] = Federation.qilu) async throws -> Federation {
            let federation = try await Federation(nodes)
            for node in nodes { try await federation.serve(node.code) }
            for (code, tickets) in [("370100", "240"), ("370200", "160"), ("370300", "120")] {
                try await federation.succeed(
                    ["generate", "--tickets", tickets, "--from", "2025-08-01", "--days", "61"], at: code)
            }
            try await federation.waitUntilLevel("370000")
            return federation
        }

        private static let september = ["--from", "2025-09-01", "--to", "2025-10-01"]

        private func rows(_ json: [String: Any]) throws -> [[Any]] { try #require(json["rows"] as? [[Any]]) }

        /// A row as text, numbers as they are written.
        private func text(_ row: [Any]) -> String { row.map { "\($0)" }.joined(separator: " ") }

        @Test(.timeLimit(.minutes(15)))
        func `periods are compared at the province as in each city, and the total is merged`() async throws {
            let federation = try await cities()
            let measures = ["--measure", "count", "--measure", "on_time_rate", "--measure", "satisfaction_rate"]
            let question = measures + Self.september + ["--compare", "previous", "--total"]
            let (result, whole) = try await federation.query(question + ["--by", "origin"], at: "370000")
            #expect(result.status == 0)
            let columns = try #require(whole["columns"] as? [String])
            #expect(
                columns.prefix(8) == [
                    "origin", "count", "count:former", "count:difference", "count:growth", "on_time_rate",
                    "on_time_rate:former", "on_time_rate:difference",
                ])
            var sums = [0, 0]
            for row in try rows(whole) {
                let city = try #require(row[0] as? String)
                let own = try await federation.query(question, at: city).json
                #expect(text(Array(row.dropFirst())) == text(try rows(own)[0]), "\(city)")
                sums = try [sums[0] + #require(row[1] as? Int), sums[1] + #require(row[2] as? Int)]
            }
            let total = whole[object: "total"]
            let totals = try #require(total["row"] as? [Any])
            #expect(totals[1] as? Int == sums[0] && totals[2] as? Int == sums[1])
            // Additivity: what the rate is made of adds up, and the rate itself does not.
            let parts = try #require(whole["parts"] as? [[[Int]]])
            let onTime = (0..<2).map { index in parts.reduce(0) { $0 + $1[1][index] } }
            #expect((total["parts"] as? [[Int]])?[1] == onTime)
            let rate = (Double(onTime[0]) * 10_000 / Double(onTime[1])).rounded() / 100
            #expect(totals[5] as? Double == rate)
            let comparison = whole[object: "comparison"]
            #expect(comparison["kind"] as? String == "previous")
            #expect((comparison["from"] as? String)?.hasPrefix("2025-08-01T00:00:00") == true)
            #expect(comparison["running"] as? Bool == false)

            // Each row against its own, also before the first day that was asked for.
            let months = try await federation.query(
                Self.september + ["--by", "month", "--compare", "previous"], at: "370000"
            ).json
            #expect(try rows(months).map { text(Array($0.prefix(3))) } == ["2025-09 \(sums[0]) \(sums[1])"])
            let year = try await federation.query(Self.september + ["--compare", "year"], at: "370000").json
            #expect(try rows(year)[0][1] as? Int == 0)
            #expect(
                year[object: "comparison"]["withoutFormer"] as? [String] == ["370100", "370200", "370300"],
                "nobody had anything a year before")
            let refused = try await federation.run(["query", "--compare", "year"], at: "370000")
            #expect(refused.status == 1 && refused.errors.hasPrefix("E_ANALYSIS_COMPARE"))
        }

        @Test(.timeLimit(.minutes(15)))
        func `an answer can be followed, quality and plans stand beside it, and a workbook holds it`() async throws {
            let federation = try await cities()
            let question = ["--by", "origin", "--measure", "count", "--measure", "on_time_rate"] + Self.september
            try federation.write("指标,期间,来源,计划值\n诉求量,2025-09,济南,100\n按期办结率,2025,,95\n", to: "plan.csv")
            let (_, json) = try await federation.query(
                question + ["--explain", "--quality", "--plan", federation.path("plan.csv"), "--share", "--rank"],
                at: "370000")
            let steps = json[list: "explain"].map {
                "\($0["node"] ?? "") \($0["from"] ?? "") \(($0["origins"] as? [String] ?? []).joined(separator: ","))"
            }
            #expect(
                Set(steps) == [
                    "370000 copy 370100,370200", "370000 rows 370000", "370000 child 370300", "370300 rows 370300",
                ])
            #expect(json[list: "explain"].allSatisfy { ($0["milliseconds"] as? Int ?? -1) >= 0 })
            #expect(json[list: "quality"].compactMap { $0["measure"] as? String } == ["count", "on_time_rate"])
            #expect(json[list: "quality"].allSatisfy { $0["excluded"] is Int && $0["undated"] is Int })
            let columns = try #require(json["columns"] as? [String])
            let plan = try #require(columns.firstIndex(of: "count:plan"))
            let ratePlan = try #require(columns.firstIndex(of: "on_time_rate:plan"))
            for row in try rows(json) {
                #expect((row[plan] as? Int) == (row[0] as? String == "370100" ? 100 : nil))
                #expect(row[ratePlan] as? Double == 95)
            }

            let printed = try await federation.succeed(
                ["query"] + question + ["--explain", "--quality", "--total"], at: "370000"
            ).output
            for word in ["合计", "执行 370000 山东省  询问下级 370300 淄博市", "数据质量 按期办结率", "口径 诉求量 count v2", "覆盖 3/3"] {
                #expect(printed.contains(word), "\(word)")
            }

            // A node's name as tables print it is a word too.
            let english = try await federation.succeed(
                ["query"] + question
                    + ["--where", "origin=370100 济南市", "--explain", "--quality", "--total", "--lang", "en"],
                at: "370000"
            ).output
            for word in [
                "origin", "total", "on-time closure rate, %", "step 370000 山东省  copies", "quality on-time closure rate",
                "definitions tickets count v2", "coverage 1/1", "physical  ok",
            ] { #expect(english.contains(word), "\(word)") }
            for word in ["合计", "执行", "口径", "覆盖"] { #expect(!english.contains(word), "\(word)") }

            let file = federation.path("answer.xlsx")
            try await federation.succeed(
                ["query"] + question + ["--total", "--format", "xlsx", "--out", file], at: "370000")
            let again = try await federation.run(
                ["query"] + question + ["--format", "xlsx", "--out", file], at: "370000")
            #expect(again.status == 1 && again.errors.hasPrefix("E_FILE_EXISTS"))
            let usage = try await federation.run(["query", "--format", "xlsx"], at: "370000")
            #expect(usage.status == 64)
            let reader = try SourceFile(path: file).rows()
            #expect(reader.header == ["来源", "诉求量", "按期办结率%"])
            var lines: [[String]] = []
            while case .row? = try reader.next() { lines.append((0..<3).map { reader.text($0) }) }
            let expected = try await federation.query(question + ["--total"], at: "370000").json
            let values = try rows(expected) + [#require(expected[object: "total"]["row"] as? [Any])]
            #expect(lines.count == values.count)
            for (line, value) in zip(lines, values) {
                #expect(line[1] == "\(value[1])")
                let rate = try #require(value[2] as? Double)
                #expect(abs((Double(line[2]) ?? .nan) - rate / 100) < 1e-9, "a number, shown as a percentage")
            }
            #expect(lines.map { $0[0] } == ["370100 济南市", "370200 青岛市", "370300 淄博市", "合计"])
            var second = SourceFormat()
            second.sheet = "口径与覆盖"
            // It has several tables, one below the other, each with a header of its own.
            var words: [String] = []
            for header in 1...12 {
                second.headerRow = header
                guard let about = try? SourceFile(path: file).rows(format: second) else { continue }
                words += about.header
                while let step = try? about.next() {
                    if case .row = step { words += about.header.indices.map { about.text($0) } }
                }
            }
            #expect(words.contains("on_time_rate v2") && words.contains("淄博市"))
        }

        @Test(.timeLimit(.minutes(15)))
        func `what a city said before stands for it while it is away, if the asker takes it, and never as all`()
            async throws
        {
            let federation = try await cities()
            let question = ["--by", "origin"] + Self.september
            let before = try await federation.query(question, at: "370000").json
            try await federation.stop("370300")
            let strict = try await federation.query(question, at: "370000")
            #expect(strict.result.status == 3)
            #expect(try rows(strict.json).isEmpty)
            let (result, stale) = try await federation.query(question + ["--allow-stale", "--explain"], at: "370000")
            #expect(result.status == 3)
            #expect(try rows(stale).map(text) == rows(before).map(text))
            let coverage = stale[object: "coverage"]
            #expect(coverage["complete"] as? Bool == false && coverage["answered"] as? Int == 2)
            let zibo = try #require(coverage[list: "nodes"].first { $0["node"] as? String == "370300" })
            #expect(zibo["state"] as? String == "stale" && zibo["answeredAt"] is String)
            #expect((zibo["ageSeconds"] as? Int).map { $0 >= 0 } == true && zibo["code"] is String)
            #expect(stale[list: "explain"].contains { $0["from"] as? String == "remembered" })
            let other = try await federation.query(question + ["--where", "channel=01", "--allow-stale"], at: "370000")
            #expect(other.result.status == 3)
            #expect(try rows(other.json).isEmpty, "nobody asked that before")
        }

        @Test(.timeLimit(.minutes(15)))
        func `a city keeps small groups back, and no total tells them`() async throws {
            var nodes = Federation.qilu
            nodes[3].extra += ["policy: { service_request: { min-cell: 5 } }"]
            let federation = try await cities(nodes)
            let question = ["--by", "channel"] + Self.september
            let own = try await federation.query(question, at: "370300").json
            let counts = try rows(own).map { try #require($0[1] as? Int) }
            try #require(counts.contains { $0 < 5 }, "the case is there")
            let (result, told) = try await federation.query(
                question + ["--where", "origin=370300", "--total"], at: "370000")
            #expect(result.status == 0)
            let shown = try rows(told).map { try #require($0[1] as? Int) }
            #expect(!shown.isEmpty && shown.allSatisfy { $0 >= 5 })
            #expect(told[object: "coverage"][list: "nodes"][0]["minCell"] as? Int == 5)
            #expect((told[object: "total"]["row"] as? [Any])?[1] as? Int == shown.reduce(0, +))
            let all = try await federation.query(Self.september + ["--where", "origin=370300"], at: "370000").json
            let hidden = try #require(rows(all)[0][0] as? Int) - shown.reduce(0, +)
            #expect(hidden >= 5 && counts.count - shown.count >= 2)
            let printed = try await federation.run(["query"] + question, at: "370000").output
            #expect(printed.contains("小于 5 的分组未提供"))
        }
    }
}
