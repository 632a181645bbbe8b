import ArgumentParser
import ConfigurationFiles
import FederationModel
import LogicalQuery
import NodeDesk

struct IndicatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "indicator", abstract: "What this node can measure, and how each figure is defined.",
        discussion: """
            EXAMPLE
              federation-node indicator list
              federation-node indicator show on_time_rate --json
            """,
        subcommands: [IndicatorList.self, IndicatorShow.self, IndicatorValidate.self, IndicatorPublish.self])
}

struct IndicatorList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "All indicators, by fact.",
        discussion: """
            EXAMPLE
              federation-node indicator list
            """)

    @OptionGroup var node: NodeOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print the manual's page: language, facts, dimensions, indicators.")
    var markdown = false

    func run() async throws {
        let library = try await node.desk().indicators()
        guard !markdown else { return try Output.line(library.page) }
        let indicators = library.all
        guard !json else { return try Output.json(indicators.map(IndicatorDocument.init)) }
        var text = TextTable(header: ["指标", "名称", "版本", "事实", "期间", "条款", "定义"])
        for indicator in indicators {
            let document = IndicatorDocument(indicator)
            text.append([
                indicator.name, indicator.title, "v\(document.version)", document.fact, document.period,
                indicator.clause, indicator.source.title,
            ])
        }
        try Output.line(text.text)
    }
}

struct IndicatorShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "The definition of an indicator.",
        discussion: """
            EXAMPLE
              federation-node indicator show 满意率
            """)

    @OptionGroup var node: NodeOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(help: "Its name, or its Chinese title.")
    var name: String

    func run() async throws {
        let indicator = try await node.desk().indicators().named(name)
        let document = IndicatorDocument(indicator)
        guard !json else { return try Output.json(document) }
        var lines = [
            "\(indicator.title)  \(indicator.name) v\(document.version)  \(indicator.english)",
            "  条款 \(indicator.clause)  单位 \(document.unit)",
            "  \(indicator.denominator == nil ? "计数" : "分子") \(indicator.numerator)",
        ]
        if let denominator = indicator.denominator { lines.append("  分母 \(denominator)") }
        if let exclusions = indicator.exclusions { lines.append("  不含 \(exclusions)") }
        for term in indicator.measure.terms {
            lines.append("  事实 \(term.fact.title)(\(term.fact.name))  期间 \(term.period)  权重 \(term.weight)")
            if !term.base.text.isEmpty { lines.append("    base \(term.base.text)") }
            lines.append("    numerator \(term.numerator.text)")
            if let denominator = term.denominator { lines.append("    denominator \(denominator.text)") }
        }
        try Output.line(lines.joined(separator: "\n"))
    }
}

struct IndicatorValidate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check a file of indicators and name everything that is wrong, with its line.",
        discussion: """
            EXAMPLE
              federation-node indicator validate indicators.yaml
            """)

    @Argument(help: "The file (docs/indicators.md).", completion: .file())
    var file: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        var problems: [FileProblem] = []
        var read: IndicatorFile?
        do throws(FileProblems) {
            read = try IndicatorFile.read(path: file).0
        } catch {
            problems = error.problems
        }
        if json {
            try Output.json(
                Report(valid: problems.isEmpty, indicators: read?.indicators.map(\.name), problems: problems))
        } else if let read {
            try Output.line("\(file): version \(read.version), \(read.indicators.count) indicators")
        } else {
            Output.note(problems.map(\.description).joined(separator: "\n"))
        }
        if !problems.isEmpty { throw ExitCode(1) }
    }

    private struct Report: Encodable {
        let valid: Bool
        let indicators: [String]?
        let problems: [FileProblem]
    }
}

struct IndicatorPublish: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Publish a file of indicators to every node below; this node must be the top one.",
        discussion: """
            Every node has them from the moment they arrive. One of the program may be defined anew, with a higher version.

            EXAMPLE
              federation-node indicator publish indicators.yaml --config /srv/370000/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Argument(help: "The file (docs/indicators.md).", completion: .file())
    var file: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let published = try await node.desk().publishIndicators(path: file)
        if json {
            try Output.json(Report(version: published.version, indicators: published.indicators.map(\.name)))
        } else {
            try Output.line("version \(published.version): \(published.indicators.count) indicators")
        }
    }

    private struct Report: Encodable {
        let version: Int
        let indicators: [String]
    }
}

extension Indicator.Source {
    fileprivate var title: String {
        switch self {
        case .program: "程序"
        case .dataset: "外部数据"
        case .published: "上级发布"
        case .own: "本节点"
        }
    }
}

/// An indicator in JSON.
private struct IndicatorDocument: Encodable {
    struct Term: Encodable {
        let fact: String
        let period: String
        let base: String
        let numerator: String
        let denominator: String?
        let weight: Double
    }

    let name: String
    let version: Int
    let title: String
    let english: String
    let clause: String
    /// Of the first term, as the period.
    let fact: String
    let period: String
    let numerator: String
    let denominator: String?
    let exclusions: String?
    let unit: String
    /// `program`, `dataset`, `published` or `own`.
    let source: String
    let terms: [Term]

    init(_ indicator: Indicator) {
        name = indicator.name
        version = indicator.measure.version
        title = indicator.title
        english = indicator.english
        clause = indicator.clause
        fact = indicator.measure.terms[0].fact.name
        period = indicator.measure.terms[0].period
        numerator = indicator.numerator
        denominator = indicator.denominator
        exclusions = indicator.exclusions
        unit = indicator.measure.unit.rawValue
        source = indicator.source.rawValue
        terms = indicator.measure.terms.map { term in
            Term(
                fact: term.fact.name, period: term.period, base: term.base.text, numerator: term.numerator.text,
                denominator: term.denominator?.text, weight: term.weight)
        }
    }
}
