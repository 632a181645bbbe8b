import ArgumentParser
import Detection
import FederationModel
import Foundation
import NodeDesk

struct RuleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rule", abstract: "The rules by which alerts are raised, as data with versions.",
        discussion: """
            Every node has the rules that ship. A node publishes rules of its own, or new versions, for itself and all nodes below; \
            the file is described in docs/action.md.

            EXAMPLE
              federation-node rule list
            """,
        subcommands: [List.self, Show.self, Check.self, Publish.self, BacktestCommand.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the rules that hold at this node.",
            discussion: "EXAMPLE\n  federation-node rule list --config /srv/370100/node.yaml")

        @OptionGroup var node: NodeOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let rules = try await node.desk().rules()
            if json { return try Output.json(rules.map { RuleDocument($0) }) }
            var table = TextTable(header: ["规则", "版本", "名称", "方法", "级别", "来源"])
            for report in rules {
                let rule = report.rule
                let levels = AlertLevel.allCases.compactMap { level in
                    rule.levels[level.rawValue].map { "\(level.title) \(Float($0))" }
                }
                table.append([
                    rule.id, "\(rule.version)", rule.title, rule.method.rawValue, levels.joined(separator: ", "),
                    report.publisher?.code ?? "程序",
                ])
            }
            try Output.line(table.text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a rule as JSON, with the words it looks for.",
            discussion: "EXAMPLE\n  federation-node rule show SENSITIVE")

        @OptionGroup var node: NodeOptions

        @Argument(help: "Its id.")
        var id: String

        @Flag(help: "Print JSON; it always does.")
        var json = false

        func run() async throws { try Output.json(RuleDocument(try await node.desk().rule(id))) }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a file of rules; every problem is told with its line.",
            discussion: "EXAMPLE\n  federation-node rule check rules.yaml")

        @Argument(help: "The file (docs/action.md).", completion: .file())
        var file: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let rules = try NodeDesk.readRules(path: file).rules
            if json { return try Output.json(rules) }
            try Output.line("\(rules.count) rules: \(rules.map(\.id).joined(separator: ", "))")
        }
    }

    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publish a file of rules: they hold here and at every node below from the moment they arrive.",
            discussion: "EXAMPLE\n  federation-node rule publish rules.yaml --config /srv/370000/node.yaml")

        @OptionGroup var node: NodeOptions

        @Argument(help: "The file (docs/action.md).", completion: .file())
        var file: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let published = try await node.desk().publishRules(path: file)
            if json { return try Output.json(published) }
            try Output.line(
                published.isEmpty
                    ? "nothing new" : published.map { "\($0.id) \($0.version)" }.joined(separator: ", "))
        }
    }
}

/// What rules would have raised.
struct BacktestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backtest",
        abstract: "What the rules, or those of a file, would have raised over the last year; nothing is raised.",
        discussion: """
            With a file of what was planted (`generate --plant N --planted FILE`) it prints recall and precision of each rule.

            EXAMPLE
              federation-node rule backtest --from 2025-01-01 --days 365 --planted planted.json --config /srv/370100/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Option(help: "First day; else a year ago.")
    var from: String?

    @Option(help: "How many days.")
    var days = 365

    @Option(help: "Rules to try in place of those in force.", completion: .file())
    var rules: String?

    @Option(help: "What is known to have happened.", completion: .file())
    var planted: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (1...3_660).contains(days) else { throw ValidationError("--days must be 1 to 3660") }
        if let from, CivilDate.dayNumber(from) == nil { throw ValidationError("--from \(from) is not a day") }
    }

    func run() async throws {
        let desk = try node.desk()
        let first = from.flatMap { CivilDate.dayNumber($0) } ?? ShanghaiTime.dayNumber(wallClock()) - Int64(days)
        let events = try planted.map { try Self.events(in: $0) } ?? []
        let report = try await desk.backtest(
            first..<first + Int64(days), rules: rules, against: events
        ) { if Output.isTerminal { Output.note("judging by \($0)") } }
        if json { return try Output.json(Document(report)) }
        var table = TextTable(header: ["规则", "预警", "蓝", "黄", "橙", "红", "植入", "发现", "正确", "召回率", "精确率"])
        for score in report.scores {
            let levels = AlertLevel.allCases.map { "\(report.levels[score.rule]?[$0] ?? 0)" }
            table.append(
                [score.rule, "\(score.raised)"] + levels
                    + [
                        "\(score.planted)", "\(score.found)", "\(score.right)", share(score.recall),
                        share(score.precision),
                    ])
        }
        try Output.line(table.text)
        try Output.line("\(report.tickets) tickets")
    }

    private func share(_ value: Double?) -> String { value.map { "\(($0 * 1_000).rounded() / 1_000)" } ?? "–" }

    private static func events(in path: String) throws -> [Backtest.Event] {
        let problem = FederationError(
            "E_PLANTED_INVALID", "\(path) is no file of planted events",
            hint: "make one with `federation-node generate --plant N --planted FILE`")
        guard let data = try? Data(contentsOf: URL(filePath: path)),
            let documents = try? JSONDecoder().decode([PlantedDocument].self, from: data)
        else { throw problem }
        return try documents.map { document in
            guard let from = ShanghaiTime.parse(document.from), let to = ShanghaiTime.parse(document.to), from <= to
            else { throw problem }
            return Backtest.Event(
                rule: document.rule, region: document.region, category: document.category, time: from...to,
                tickets: Set(document.tickets))
        }
    }

    private struct Document: Encodable {
        struct Rule: Encodable {
            let rule: String
            let raised: Int
            let levels: [String: Int]
            let planted: Int
            let found: Int
            let right: Int
            let recall: Double?
            let precision: Double?
        }

        let tickets: Int
        let rules: [Rule]

        init(_ report: BacktestReport) {
            tickets = report.tickets
            rules = report.scores.map { score in
                let levels = report.levels[score.rule] ?? [:]
                return Rule(
                    rule: score.rule, raised: score.raised,
                    levels: Dictionary(uniqueKeysWithValues: levels.map { ($0.key.rawValue, $0.value) }),
                    planted: score.planted, found: score.found, right: score.right, recall: score.recall,
                    precision: score.precision)
            }
        }
    }
}

private struct RuleDocument: Encodable {
    let rule: DetectionRule
    /// The node that published it; nil for the program's.
    let publisher: String?

    init(_ report: RuleReport) {
        rule = report.rule
        publisher = report.publisher?.code
    }
}
