import ArgumentParser
import Detection
import FederationModel
import NodeDesk

struct FindingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finding",
        abstract: "What goes wrong with tickets (问题发现), and what is done about it (改进措施, 7.1.1).",
        discussion: """
            Late, wrong and duplicate dispatch, missing callbacks and gaps of knowledge are of the hotline; manners, shirking, skipped steps, \
            overdue tickets and low satisfaction are of the units.

            EXAMPLE
              federation-node finding detect --period 2025-08
              federation-node finding list --code SHIRK
              federation-node finding measure 370100-KB_GAP-2025-08-02.01 --owner 知识库科 --due 2025-09-30
            """,
        subcommands: [Detect.self, List.self, Measure.self])

    struct Detect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Look through the tickets of a period that are here, and keep what is found.",
            discussion: """
                Looking twice changes nothing. The node whose tickets a finding is about sees it too.

                EXAMPLE
                  federation-node finding detect --period 2025-08
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "When the tickets were requested: 2025-08, 2025-W35, 2025-08-31, 2025-Q3 or 2025.")
        var period: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try node.desk()
            let findings = try await desk.detectFindings(period: period)
            try Output.noteNotHeld(desk)
            let counts = Dictionary(grouping: findings, by: \.code.rawValue).mapValues(\.count)
            if json { return try Output.json(counts) }
            var table = TextTable(header: ["问题", "数量"])
            for (code, count) in counts.sorted(by: { $0.key < $1.key }) { table.append([code, "\(count)"]) }
            try Output.line(table.text)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List findings, of this node and of others about its tickets, with their measures.",
            discussion: """
                EXAMPLE
                  federation-node finding list --code KB_GAP --state measured
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "Only these: LATE_DISPATCH, SHIRK, LOW_SAT …")
        var code: String?

        @Option(help: "open, measured, done or evaluated.")
        var state: FindingState.Status?

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try node.desk()
            let findings = try await desk.findings(code: code, state: state)
            if json { return try Output.json(findings.map(FindingLine.init)) }
            var table = TextTable(header: ["问题", "对象", "程度", "单位", "工单", "状态", "责任单位", "时限", "标识"])
            for finding in findings {
                table.append([
                    finding.code, finding.subject, finding.extent, finding.unit ?? "", "\(finding.tickets)",
                    finding.state.word + (finding.isOverdue ? "(逾期)" : ""), finding.state.owner ?? "",
                    finding.state.dueAt.map(ShanghaiTime.minute) ?? "", finding.id,
                ])
            }
            try Output.line(table.text)
        }
    }

    struct Measure: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Propose a measure, say that it is done, or look what it has changed.",
            discussion: """
                EXAMPLE
                  federation-node finding measure 370100-KB_GAP-2025-08-02.01 --owner 知识库科 --due 2025-09-30 --kind knowledge_update
                  federation-node finding measure 370100-KB_GAP-2025-08-02.01 --done --article 370100-01K6C4XJ9ZQ4T1V8M2N7R5B3WD
                  federation-node finding measure 370100-KB_GAP-2025-08-02.01 --effect 2025-10
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "The finding, as the list names it.")
        var id: String

        @Option(help: "Who has to do it.")
        var owner: String?

        @Option(help: "Until when: a day, which is the last.")
        var due: String?

        @Option(help: "capability, system or knowledge_update; else what usually helps.")
        var kind: MeasureKind?

        @Flag(help: "It is done.")
        var done = false

        @Option(help: "Look for the finding again in this period.")
        var effect: String?

        @Option(help: "The article of the knowledge base that it is, or that came of it, by its key.")
        var article: String?

        @Option(help: "What is to be said of it.")
        var note: String?

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard [owner != nil, done, effect != nil].count(where: \.self) == 1, (owner == nil) == (due == nil) else {
                throw ValidationError("give one of --owner with --due, --done, and --effect PERIOD")
            }
        }

        func run() async throws {
            let step: MeasureDraft.Step =
                if let owner, let due {
                    .propose(owner: owner, due: ShanghaiTime.end(ofDay: ShanghaiTime.dayNumber(try parseTime(due))))
                } else if let effect {
                    .evaluate(period: effect)
                } else {
                    .complete
                }
            let report = try await node.desk().measure(
                finding: id, MeasureDraft(step, kind: kind, article: article, note: note))
            if json { return try Output.json(FindingLine(report)) }
            try Output.line("\(report.id) \(report.state.word) \(report.measures.last?.note ?? "")")
        }
    }
}

/// A finding for programs.
struct FindingLine: Encodable {
    struct Measure: Encodable {
        let step: String
        let kind: String
        let owner: String?
        let due: String?
        let article: String?
        let note: String?
        let at: String
        let node: String
    }

    let id: String
    let node: String
    let code: String
    let subject: String
    let unit: String?
    let extent: String
    let tickets: Int
    let state: String
    let overdue: Bool
    let measures: [Measure]

    init(_ report: FindingReport) {
        id = report.id
        node = report.by.code
        code = report.code
        subject = report.subject
        unit = report.unit
        extent = report.extent
        tickets = report.tickets
        state = report.state.word
        overdue = report.isOverdue
        measures = report.measures.map {
            Measure(
                step: $0.step, kind: $0.kind, owner: $0.owner, due: $0.due.map { ShanghaiTime.rfc3339($0) },
                article: $0.article, note: $0.note, at: ShanghaiTime.rfc3339($0.at), node: $0.by.code)
        }
    }
}

extension MeasureKind: ExpressibleByArgument {}
extension FindingState.Status: ExpressibleByArgument {}
