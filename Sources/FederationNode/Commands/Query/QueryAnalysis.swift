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
            Dimensions of tickets: origin, handling_owner, region[:province|city|county|town], service[:LEVEL], function, domain, \
            request_type, channel, urgency, unit[:LEVEL|node], status, held, round, resolution and more; of all, hour, weekday, \
            hour_of_week, day, week, month, quarter, year; of an external data set its own columns. All times are Asia/Shanghai. Filters take codes, and the words that tables print: 渠道=电话, region=历下区.

            --compare holds each row against the former one of its own period where rows have one (--by day, week, month, quarter or year), \
            else the period from --from to --to against its own: previous, the period before (环比), or year, the same of the year before \
            (同比): an ISO week with that of its number, a day with that of its weekday. --plan FILE holds figures against plan values: a \
            table (CSV, .xlsx) with the columns indicator, period (2025, 2025-Q3, 2025-09, 2025-W40, 2025-09-30), value, and dimensions.

            --quality tells how many rows of the base a figure leaves out: by its definition, and because they have no time in the column \
            that decides the period. --explain tells which node answered from its own rows, from copies, or was asked, and how long it took.

            EXAMPLE
              federation-node query --measure count --by origin --by month --where request_type=3 --top 10
              federation-node query --measure satisfaction_rate --by origin --from 2025-09-01 --to 2025-10-01 --compare year --total
              federation-node query --by service:1 --share --rank --top 5 --format xlsx --out august.xlsx
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

    @Option(help: "Only so many rows, those with the most of the first measure; the others are one row (其他).")
    var top: Int?

    @Option(help: "Against what each period is held: previous or year.")
    var compare: PeriodComparison?

    @Option(help: "A table of plan values to hold figures against.")
    var plan: String?

    @Flag(help: "The share of counts in that of all rows, in percent.")
    var share = false

    @Flag(help: "The place of each row by the first measure, the most first; equal ones share a place.")
    var rank = false

    @Flag(
        help:
            "Each figure of all rows so far as one; with a period among the dimensions, for each of the other dimensions."
    )
    var running = false

    @Flag(help: "A line of all rows as one (合计).")
    var total = false

    @Flag(help: "How many rows of the base of each measure were left out, and why.")
    var quality = false

    @Flag(help: "Which node answered from what, and how long each took.")
    var explain = false

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
        question.comparison = compare
        question.plan = try plan.map { try PlanFile.rows(path: $0) }
        (question.showsShare, question.showsRank) = (share, rank)
        (question.showsRunning, question.showsTotal) = (running, total)
        question.showsLeftOut = quality
        let answer = try await desk.ask(
            question, allowsStale: answering.allowStale, deadlineMS: Int64(answering.deadline))
        let shows = answer.isShown || answering.bestEffort
        let result = AnalysisOutput(answer, shows: shows, explains: explain, answering.lang, desk)
        switch answering.output {
        case .json: try Output.json(result.report)
        case .csv:
            try Output.csv(result.csv, isSafe: answering.spreadsheetSafe)
            Output.note(result.notes)
        case .xlsx:
            if shows { try answering.write(result.sheets) }
            Output.note(result.notes)
        case .table:
            try Output.line(
                shows ? "\(result.text)\n\(result.notes)" : answer.coverage.text(in: answering.lang))
        }
        if !answer.isComplete { throw ExitStatus.incomplete }
    }
}

extension PeriodComparison: ExpressibleByArgument {}

/// Reads a time as people type it.
func parseTime(_ text: String) throws -> UnixMilliseconds {
    guard let time = ShanghaiTime.parse(text) else {
        throw ValidationError("\(text) is neither a date (2025-09-30) nor a time (2025-09-30T10:00:00+08:00)")
    }
    return time
}
