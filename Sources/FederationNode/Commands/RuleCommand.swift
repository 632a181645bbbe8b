import ArgumentParser
import Detection
import FederationModel
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
        subcommands: [List.self, Show.self, Check.self, Publish.self])

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

private struct RuleDocument: Encodable {
    let rule: DetectionRule
    /// The node that published it; nil for the program's.
    let publisher: String?

    init(_ report: RuleReport) {
        rule = report.rule
        publisher = report.publisher?.code
    }
}
