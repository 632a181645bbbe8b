import ArgumentParser
import ConfigurationFiles
import Detection
import FederationModel
import NodeDesk
import RecordIntake

struct EvaluationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluation", abstract: "Evaluate hotlines and units by a published scheme (评价, 7.2.4).",
        discussion: """
            A scheme is published before the period that it is for, and goes down to everybody. Its results go to whom they are about, and to \
            nobody else. docs/evaluation.md describes the file.

            EXAMPLE
              federation-node evaluation publish scheme.yaml
              federation-node evaluation run --scheme city-hotlines --period 2025-Q3 --source survey.csv
              federation-node evaluation show
            """,
        subcommands: [Publish.self, Run.self, Show.self, Object.self])

    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publish a scheme; every problem of the file is named with its line.",
            discussion: """
                EXAMPLE
                  federation-node evaluation publish scheme.yaml --config /srv/370000/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "The file (docs/evaluation.md).", completion: .file())
        var file: String

        @Flag(help: "Check it only.")
        var dryRun = false

        @Flag(help: "Print JSON.")
        var json = false

        private struct Report: Encodable {
            let scheme: String
            let version: Int
            let criteria: [String]
            let publishedAt: String?
        }

        func run() async throws {
            let desk = try node.desk()
            let published = dryRun ? nil : try await desk.publishScheme(path: file)
            let scheme = try published?.scheme ?? desk.readScheme(path: file).file.scheme
            if json {
                return try Output.json(
                    Report(
                        scheme: scheme.id, version: scheme.version, criteria: scheme.criteria.map(\.id),
                        publishedAt: published.map { ShanghaiTime.rfc3339($0.publishedAt) }))
            }
            let state = published.map { "已发布 \(ShanghaiTime.minute($0.publishedAt)),适用于其后开始的周期" } ?? "无误,未发布"
            try Output.line("\(scheme.id) v\(scheme.version) \(scheme.title):\(scheme.criteria.count) 项指标,\(state)")
        }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Evaluate everybody by a scheme for a period that is over, and give each his own result.",
            discussion: """
                Sources outside of the hotline are tables (CSV or a workbook) with the columns evaluatee, criterion, hits, tries \
                (对象, 指标, 达标, 样本).

                EXAMPLE
                  federation-node evaluation run --scheme city-hotlines --period 2025-Q3 --source survey.csv
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "The scheme's name.")
        var scheme: String

        @Option(help: "2025-Q3, 2025-08, 2025, 2025-W35 or 2025-08-31.")
        var period: String

        @Option(
            name: .customLong("source"), help: "A table of an external source; may be repeated.", completion: .file())
        var sources: [String] = []

        @Flag(help: "Show how it looks so far, also before the period is over; nothing is kept or given to anybody.")
        var draft = false

        @Option(help: "How long the answers may take, in milliseconds.")
        var deadline = 60_000

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try node.desk()
            let external = try sources.flatMap { path in
                try ScoreFile.scores(path: path) { (try? desk.node(named: $0).id.code) ?? $0 }
            }
            let reports = try await desk.evaluate(
                scheme: scheme, period: period, external: external, isDraft: draft, deadlineMS: Int64(deadline))
            if json { return try Output.json(reports.map { EvaluationLine($0) }) }
            try Output.line(EvaluationLine.table(reports.map { EvaluationLine($0) }, desk))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the results that are here, or show one with its parts, revisions and objections.",
            discussion: """
                EXAMPLE
                  federation-node evaluation show
                  federation-node evaluation show 370000-city-hotlines-1-2025-Q3-370100
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "A result, as the list names it; without it the list.")
        var id: String?

        @Flag(help: "Print JSON.")
        var json = false

        private struct Document: Encodable {
            struct Objection: Encodable {
                let at: String
                let node: String
                let ticket: String
                let step: String
                let reason: String
                let scoreBefore: Double?
                let scoreAfter: Double?
            }

            let state: String
            let results: [EvaluationLine]
            let objections: [Objection]
        }

        func run() async throws {
            let desk = try node.desk()
            guard let id else {
                let reports = try await desk.evaluations()
                if json { return try Output.json(reports.map { EvaluationLine($0) }) }
                return try Output.line(EvaluationLine.table(reports.map { EvaluationLine($0) }, desk))
            }
            let (results, objections, state) = try await desk.evaluation(id)
            if json {
                return try Output.json(
                    Document(
                        state: state.word, results: results.map { EvaluationLine($0) },
                        objections: objections.map {
                            .init(
                                at: ShanghaiTime.rfc3339($0.at), node: $0.by.code, ticket: $0.ticket, step: $0.step,
                                reason: $0.reason, scoreBefore: $0.before, scoreAfter: $0.after)
                        }))
            }
            var lines = [EvaluationLine.table(results.map { EvaluationLine($0) }, desk)]
            if let detail = results.first?.detail {
                var table = TextTable(header: ["指标", "来源", "达标", "样本", "得分%", "权重", "说明"])
                for part in detail.parts {
                    table.append([
                        part.title, part.source, "\(part.hits)", "\(part.tries)", part.percent.map { "\($0)" } ?? "–",
                        "\(part.weight)", detail.missing.contains(part.criterion) ? "样本不足,权重由其余指标分担" : "",
                    ])
                }
                lines.append(table.text)
                if !detail.excluded.isEmpty {
                    let reasons = detail.excluded.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value) 件" }
                    lines.append("不计入 \(reasons.joined(separator: "、"))")
                }
                if let others = detail.quartiles {
                    lines.append(
                        "同组其他 \(others.others) 个对象:下四分位 \(others.lower),中位 \(others.median),上四分位 \(others.upper)")
                }
            }
            for objection in objections {
                let scores = objection.before.flatMap { before in objection.after.map { " \(before) → \($0)" } } ?? ""
                let step = desk.reference.lists.named("objection_step")?.title(of: objection.step) ?? objection.step
                lines.append(
                    "\(ShanghaiTime.minute(objection.at)) \(step) \(objection.ticket)\(scores) \(objection.reason)")
            }
            try Output.line(lines.joined(separator: "\n"))
        }
    }

    struct Object: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Object to a ticket that was counted; or, at the author, decide about an objection.",
            discussion: """
                EXAMPLE
                  federation-node evaluation object 370000-city-hotlines-1-2025-Q3-370100 --ticket 370100-G8 --reason 非本单位职责
                  federation-node evaluation object 370000-city-hotlines-1-2025-Q3-370100 --ticket 370100-G8 --uphold
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "The result.")
        var id: String

        @Option(help: "The ticket's global id.")
        var ticket: String

        @Option(help: "Why.")
        var reason = ""

        @Flag(
            help: "The objection is right: a further result is computed without the ticket, and the former one stays.")
        var uphold = false

        @Flag(help: "The objection is not right.")
        var reject = false

        @Flag(help: "Print JSON.")
        var json = false

        private struct Report: Encodable {
            let ticket: String
            let state: String
            let scoreBefore: Double?
            let scoreAfter: Double?
        }

        func validate() throws {
            if uphold && reject { throw ValidationError("--uphold and --reject exclude each other") }
            if !uphold && !reject && reason.isEmpty { throw ValidationError("an objection needs a --reason") }
        }

        func run() async throws {
            let desk = try node.desk()
            let report: Report
            if uphold || reject {
                let (before, after) = try await desk.decide(on: id, ticket: ticket, upholds: uphold, reason: reason)
                report = Report(
                    ticket: ticket, state: uphold ? "uphold" : "reject", scoreBefore: before.score,
                    scoreAfter: after.score)
            } else {
                let state = try await desk.object(to: id, ticket: ticket, reason: reason)
                report = Report(ticket: ticket, state: state.word, scoreBefore: nil, scoreAfter: nil)
            }
            if json { return try Output.json(report) }
            let scores =
                report.scoreBefore.flatMap { before in report.scoreAfter.map { " 得分 \(before) → \($0)" } } ?? ""
            try Output.line("\(ticket) \(report.state)\(scores)")
        }
    }
}

extension EvaluationLine {
    /// Classes, in the order of names: no ranks (国办函〔2025〕66号).
    static func table(_ results: [EvaluationLine], _ desk: NodeDesk) -> String {
        var table = TextTable(header: ["对象", "方案", "周期", "版", "档次", "得分", "区间", "结果"])
        for result in results {
            let name = NodeID(result.evaluatee).flatMap { desk.topology.name(of: $0) } ?? result.evaluatee
            table.append([
                name, "\(result.scheme) v\(result.version)", result.period, "\(result.detail.revision)",
                result.grade ?? "–", result.score.map { "\($0)" } ?? "–",
                result.lower.flatMap { lower in result.upper.map { "\(lower)–\($0)" } } ?? "–", result.id,
            ])
        }
        return table.text
    }
}

/// A table of what an external source says, as people keep it: CSV or a workbook.
enum ScoreFile {
    private static let columns = [
        "evaluatee": ["evaluatee", "对象"], "criterion": ["criterion", "指标"], "hits": ["hits", "达标"],
        "tries": ["tries", "样本"],
    ]

    /// - Parameter name: the code of a node that was named, or the name itself.
    /// - Throws: `E_EVALUATION_SOURCE` with the row; what `PlanFile.rows` throws.
    static func scores(path: String, _ name: (String) -> String) throws -> [EvaluationScore] {
        try PlanFile.rows(path: path).enumerated().map { index, row in
            func cell(_ column: String) -> String { columns[column]?.lazy.compactMap { row[$0] }.first ?? "" }
            guard !cell("evaluatee").isEmpty, !cell("criterion").isEmpty, let hits = Int(cell("hits")),
                let tries = Int(cell("tries")), tries >= 0, (0...tries).contains(hits)
            else {
                throw FederationError(
                    "E_EVALUATION_SOURCE", "row \(index + 1) of \(path) has no evaluatee, criterion, hits and tries",
                    hint: "hits are a whole number from 0 to tries")
            }
            return EvaluationScore(
                evaluatee: name(cell("evaluatee")), criterion: cell("criterion"), hits: hits, tries: tries)
        }
    }
}
