import ArgumentParser
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
        subcommands: [IndicatorList.self, IndicatorShow.self])
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

    func run() async throws {
        let indicators = try node.desk().indicators.all
        guard !json else { return try Output.json(indicators.map(IndicatorDocument.init)) }
        var text = TextTable(header: ["指标", "名称", "版本", "事实", "期间", "条款"])
        for indicator in indicators {
            let document = IndicatorDocument(indicator)
            text.append([
                indicator.name, indicator.title, "v\(document.version)", document.fact, document.period,
                indicator.clause,
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
        let indicator = try node.desk().indicators.named(name)
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
        terms = indicator.measure.terms.map { term in
            Term(
                fact: term.fact.name, period: term.period, base: term.base.text, numerator: term.numerator.text,
                denominator: term.denominator?.text, weight: term.weight)
        }
    }
}
