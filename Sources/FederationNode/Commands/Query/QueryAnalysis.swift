import ArgumentParser
import FederationModel
import LogicalQuery
import NodeDesk

struct QueryAnalysis: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analysis", abstract: "Count and measure over everything below this node.",
        discussion: """
            Rows that were copied here are read here; logical nodes are asked for partial sums. The answer says which \
            nodes are in it. When one is missing it is named, the exit code is 3, and without --best-effort no rows are \
            printed.

            Measures are the indicators of `indicator list`: count, closed, open, overdue, on_time_rate, connect_rate, three_rates and \
            more. Each says by which time it falls into a period: --from, --to, day, week and month go by that.
            Dimensions of tickets: origin, handling_owner, region[:province|city|county|town], service[:LEVEL], request_type, channel, \
            urgency, unit, status, held, round, resolution and more; of all, hour, weekday, hour_of_week, day, week, month, quarter, year. \
            All times are Asia/Shanghai. Filters take codes, and the words that tables print: 渠道=电话, region=历下区.

            EXAMPLE
              federation-node query --measure count --by origin --by month --where request_type=3 --top 10
            """)

    @OptionGroup var node: NodeOptions

    @Option(name: .customLong("measure"), help: "What to measure; may be repeated.")
    var measures: [String] = []

    @Option(name: .customLong("by"), help: "Split by a dimension; may be repeated.")
    var dimensions: [String] = []

    @Option(name: .customLong("where"), help: "FIELD=VALUE[,VALUE], FIELD!=VALUE or FIELD^=PREFIX; may be repeated.")
    var filters: [String] = []

    @Option(help: "What happened from then on: 2025-09-30, or RFC 3339.")
    var from: String?

    @Option(help: "What happened before then.")
    var to: String?

    @Option(help: "Only so many rows, those with the most of the first measure.")
    var top: Int?

    @Option(help: "Count regions in the tree of that day, 2018-06-30; else in today's.")
    var regionsAsOf: String?

    @OptionGroup var answering: AnswerOptions

    func run() async throws {
        let desk = try node.desk()
        var question = AnalysisQuestion()
        (question.measures, question.dimensions, question.filters) = (measures, dimensions, filters)
        question.from = try from.map { try parseTime($0) }
        question.to = try to.map { try parseTime($0) }
        question.top = top
        question.regionsAsOf = try regionsAsOf.map { try parseTime($0) }
        let answer = try await desk.ask(
            question, allowsStale: answering.allowStale, deadlineMS: Int64(answering.deadline))
        let coverage = answer.coverage
        let shows = coverage.complete || answering.bestEffort
        let result = QueryResult(
            table: shows ? answer.table : answer.table.withoutRows, indicators: answer.indicators, coverage: coverage)
        switch answering.output {
        case .json: try Output.json(result.report)
        case .csv:
            try Output.csv(result.csv, isRaw: answering.raw)
            Output.note("\(answer.definitions)\n\(coverage.text)")
        case .table:
            let text = result.text(of: answer.analysis, desk)
            try Output.line(shows ? "\(text)\n\(answer.definitions)\n\(coverage.text)" : coverage.text)
        }
        if !coverage.complete { throw ExitStatus.incomplete }
    }
}

/// Reads a time as people type it.
func parseTime(_ text: String) throws -> UnixMilliseconds {
    guard let time = ShanghaiTime.parse(text) else {
        throw ValidationError("\(text) is neither a date (2025-09-30) nor a time (2025-09-30T10:00:00+08:00)")
    }
    return time
}

/// A finished answer, in the shapes in which it is printed.
private struct QueryResult {
    let table: ResultTable
    let indicators: [Indicator]
    let coverage: Coverage

    struct Report: Encodable {
        struct Definition: Encodable {
            let name: String
            let version: Int
        }

        let columns: [String]
        let rows: [[FieldValue]]
        /// Of each row, numerator and denominator of each measure, or its count; of one of several terms all of theirs.
        let parts: [[[Int64]]]
        let definitions: [Definition]
        let coverage: CoverageReport
    }

    var report: Report {
        Report(
            columns: table.columns, rows: table.rows, parts: table.parts,
            definitions: indicators.map { .init(name: $0.name, version: $0.measure.version) },
            coverage: CoverageReport(coverage))
    }

    func text(of analysis: Analysis, _ desk: NodeDesk) -> String {
        var text = TextTable(header: analysis.dimensions.map(\.title) + indicators.map(\.heading))
        for row in table.rows {
            let groups = zip(analysis.dimensions, row).map { dimension, cell in
                if case .text(let value) = cell { dimension.text(of: value, desk) } else { cell.shown }
            }
            text.append(groups + row.dropFirst(groups.count).map(\.shown))
        }
        return text.text
    }

    var csv: [[FieldValue]] { [table.columns.map { FieldValue.text($0) }] + table.rows }
}
