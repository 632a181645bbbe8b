import ArgumentParser
import Detection
import FederationModel
import NodeDesk

struct SituationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "situation",
        abstract: "Urgent situations (应急情形, 7.1.2): tickets that belong together, whom was told, what answers them.",
        discussion: """
            A situation is opened by one node, which leads it, by hand or from an alert. Units are told by 工单, 连线外呼 or 一键转接 and \
            acknowledge; what nobody acknowledges goes to the node above. It can't be closed while tickets of it are overdue or \
            unsatisfied and neither an announcement nor an article answers them.

            EXAMPLE
              federation-node situation open --from-alert GROUP-20261130-0f3a9c51d2e47b86 --title 解放路片区停水
            """,
        subcommands: [
            Open.self, Notify.self, Acknowledge.self, Answer.self, Inform.self, Note.self, Tickets.self, Level.self,
            Close.self, List.self, Show.self, FollowUp.self,
        ])

    struct Open: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Open a situation, which this node leads.",
            discussion: """
                EXAMPLE
                  federation-node situation open --kind 集中反映 --title 解放路片区停水 --level orange --ticket 370100-01K6C4 --node 历下区
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "emergency, concentrated, special_date, trend or sensitive; or its Chinese name.")
        var kind: SituationType?

        @Option(help: "What it is about.")
        var title: String?

        @Option(help: "blue, yellow, orange or red.")
        var level: AlertLevel?

        @Option(help: "The alert that it answers; what is not given comes from there, its tickets too.")
        var fromAlert: String?

        @Option(help: "The region code of its place.")
        var region: String?

        @Option(help: "Its service code.")
        var category: String?

        @Option(help: "A ticket of it, by global id or number; may be repeated.")
        var ticket: [String] = []

        @Option(name: .customLong("node"), help: "A node that is to see it, by code or name; may be repeated.")
        var nodes: [String] = []

        @Option(help: "Who does it.")
        var by: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            var draft = SituationDraft()
            (draft.kind, draft.title, draft.level, draft.alert) = (kind, title, level, fromAlert)
            (draft.region, draft.category, draft.tickets, draft.nodes) = (region, category, ticket, nodes)
            draft.person = by
            try await node.desk().open(draft).tell(json: json)
        }
    }

    struct Notify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell a unit by 工单, 连线外呼 or 一键转接; it acknowledges, or the node above is told.",
            discussion: """
                EXAMPLE
                  federation-node situation notify 370100-01K6C4 --form 一键转接 --to 供水集团 --at 历下区
                """)

        @OptionGroup var step: SituationStepOptions

        @Option(help: "work_order, outbound_call or warm_transfer; or its Chinese name.")
        var form: DeliveryForm

        @Option(help: "The unit.")
        var to: String

        @Option(help: "The node where the unit works, by code or name; else this one.")
        var at: String?

        @Option(help: "What it is told.")
        var note: String?

        func run() async throws {
            try await step.node.desk().notify(step.id, form: form, unit: to, node: at, note: note, by: step.by).tell(
                json: step.json)
        }
    }

    struct Acknowledge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say that a unit has heard.",
            discussion: "EXAMPLE\n  federation-node situation acknowledge 370100-01K6C4 --by 供水集团调度")

        @OptionGroup var step: SituationStepOptions
        @Argument(help: "The notification; needed where more than one waits.") var notification: String?

        func run() async throws {
            try await step.node.desk().acknowledge(step.id, notification: notification, by: step.by).tell(
                json: step.json)
        }
    }

    struct Answer: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Name the announcement or the article of the knowledge base that answers it.",
            discussion: "EXAMPLE\n  federation-node situation answer 370100-01K6C4 370100-01K6C5 --note 停水原因与恢复时间")

        @OptionGroup var step: SituationStepOptions
        @Argument(help: "The key of the announcement or article.") var key: String

        @Option(help: "What it says, in few words.")
        var note: String?

        func run() async throws {
            try await step.node.desk().answer(step.id, with: key, note: note, by: step.by).tell(json: step.json)
        }
    }

    struct Inform: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say that the reporters of tickets were told.",
            discussion: "EXAMPLE\n  federation-node situation inform 370100-01K6C4 370100-01K6C2 370100-01K6C3")

        @OptionGroup var step: SituationStepOptions
        @Argument(help: "The tickets, by global id or number.") var tickets: [String]

        func run() async throws {
            try await step.node.desk().inform(step.id, tickets: tickets, by: step.by).tell(json: step.json)
        }
    }

    struct Note: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write into its timeline.",
            discussion: "EXAMPLE\n  federation-node situation note 370100-01K6C4 抢修队已到现场 --by 值班长")

        @OptionGroup var step: SituationStepOptions
        @Argument(help: "The text.") var text: String

        func run() async throws { try await step.node.desk().note(step.id, text, by: step.by).tell(json: step.json) }
    }

    struct Tickets: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring tickets in, or take them out.",
            discussion:
                "EXAMPLE\n  federation-node situation tickets 370100-01K6C4 --add 370100-01K6C7 --remove 370100-01K6C2")

        @OptionGroup var step: SituationStepOptions

        @Option(help: "A ticket, by global id or number; may be repeated.")
        var add: [String] = []

        @Option(help: "A ticket, by global id or number; may be repeated.")
        var remove: [String] = []

        func run() async throws {
            try await step.node.desk().change(step.id, adding: add, removing: remove, by: step.by).tell(json: step.json)
        }
    }

    struct Level: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set its level.", discussion: "EXAMPLE\n  federation-node situation level 370100-01K6C4 red")

        @OptionGroup var step: SituationStepOptions
        @Argument(help: "blue, yellow, orange or red.") var level: AlertLevel

        func run() async throws {
            try await step.node.desk().set(level, of: step.id, by: step.by).tell(json: step.json)
        }
    }

    struct Close: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Close it; refused while overdue or unsatisfied tickets of it have no answer (E_OPEN_FOLLOWUP).",
            discussion: "EXAMPLE\n  federation-node situation close 370100-01K6C4 --note 供水已恢复")

        @OptionGroup var step: SituationStepOptions

        @Option(help: "What came of it; whoever has a similar one reads it.")
        var note: String?

        func run() async throws {
            try await step.node.desk().close(step.id, note: note, by: step.by).tell(json: step.json)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the situations that concern this node.",
            discussion: "EXAMPLE\n  federation-node situation list --state open")

        @OptionGroup var node: NodeOptions

        @Option(help: "open or closed.")
        var state: SituationState.Status?

        @Option(help: "Look at so many at most.")
        var limit = 100

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try node.desk()
            let situations = try await desk.situations(state, limit: limit)
            if json { return try Output.json(situations.map { SituationDocument($0) }) }
            var table = TextTable(header: ["级别", "状态", "情形", "标题", "工单", "待跟进", "待确认通知", "牵头", "编号"])
            for report in situations {
                let state = report.state
                table.append([
                    state.level.title, state.status == .open ? "处置中" : "已关闭",
                    CodeList.named("situation_kind")?.title(of: state.kind) ?? state.kind, state.title,
                    "\(state.members.count)", "\(report.failed.count)",
                    "\(state.notifications.count { $0.acknowledgedAt == nil })",
                    NodeID(report.leader).flatMap { desk.topology.node($0)?.name } ?? report.leader, report.id,
                ])
            }
            try Output.line(table.text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a situation with its timeline, its tickets and its notifications.",
            discussion: "EXAMPLE\n  federation-node situation show 370100-01K6C4 --json")

        @OptionGroup var node: NodeOptions
        @Argument(help: "The situation's id.") var id: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try node.desk()
            let report = try await desk.situation(id)
            if json { return try Output.json(SituationDetail(report)) }
            try report.show(desk)
        }
    }

    struct FollowUp: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "follow-up",
            abstract:
                "List the tickets of a situation that are overdue or unsatisfied, and whose reporters are to be told.",
            discussion: "EXAMPLE\n  federation-node situation follow-up 370100-01K6C4 --json")

        @OptionGroup var node: NodeOptions
        @Argument(help: "The situation's id.") var id: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let report = try await node.desk().situation(id)
            let lines = report.failed.sorted().map { FollowUpLine($0, report) }
            if json { return try Output.json(lines) }
            var table = TextTable(header: ["工单", "状态", "办理时限", "评价", "承办单位", "诉求人"])
            for line in lines {
                let state = report.tickets[line.ticket]
                table.append([
                    line.ticket, state?.status.title ?? "", state?.dueAt.map(ShanghaiTime.minute) ?? "",
                    line.score.map { "\($0)" } ?? "", line.unit ?? "", line.toInform ? "待告知" : "已告知",
                ])
            }
            try Output.line(table.text)
        }
    }
}

extension SituationState.Status: ExpressibleByArgument {}

extension SituationType: ExpressibleByArgument {
    public init?(argument: String) {
        self.init(rawValue: CodeList.named("situation_kind")?.code(titled: argument) ?? argument)
    }
}

extension DeliveryForm: ExpressibleByArgument {
    public init?(argument: String) {
        self.init(rawValue: CodeList.named("delivery_form")?.code(titled: argument) ?? argument)
    }
}

extension CodeList {
    fileprivate func code(titled title: String) -> String? { entries.first { $0.title == title }?.code }
}

/// What everybody says who writes into a situation's timeline.
struct SituationStepOptions: ParsableArguments {
    @OptionGroup var node: NodeOptions

    @Argument(help: "The situation's id.")
    var id: String

    @Option(help: "Who does it.")
    var by: String?

    @Flag(help: "Print JSON.")
    var json = false
}
