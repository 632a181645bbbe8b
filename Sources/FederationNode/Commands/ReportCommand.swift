import ArgumentParser
import FederationModel
import LogicalQuery
import NodeDesk
import Reporting

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Daily, weekly, monthly and special reports (日报, 周报, 月报, 专报).",
        discussion: """
            A report is made over everything below this node, numbered and archived. When data come late it gets a further revision that \
            says what has changed. docs/reports.md describes chapters, editions and templates.

            EXAMPLE
              federation-node report make --kind monthly --period 2025-08 --format html --out M-2025-08.html
              federation-node report list
            """,
        subcommands: [Make.self, List.self, Show.self, Diff.self, Publish.self, Subscribe.self])

    struct Make: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a report, archive it and print it.",
            discussion: """
                The same data make the same report: nothing is archived a second time. When a node is missing nothing is archived either, \
                and the exit code is 3; with --best-effort the report names the missing nodes.

                EXAMPLE
                  federation-node report make --kind monthly --period 2025-08 --format html --out M-2025-08.html
                  federation-node report make --kind special --topic 停水 --where service^=03 --period 2025-W35
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "daily, weekly, monthly or special.")
        var kind: ReportKind

        @Option(help: "2025-08-31, 2025-W35 or 2025-08; of a special report any of these, 2025-Q3 or 2025.")
        var period: String

        @Option(help: "What a special report is about; its number ends with it.")
        var topic: String?

        @Option(
            name: .customLong("where"), help: "FIELD=VALUE[,VALUE], FIELD!=VALUE or FIELD^=PREFIX; may be repeated.")
        var filters: [String] = []

        @Flag(help: "Archive it also when a node is missing.")
        var bestEffort = false

        @Flag(help: "Show it without archiving it; also of a period that is not over.")
        var draft = false

        @Flag(
            name: .customLong("public"),
            help: "Print the edition for the public: without small figures and personal data.")
        var isPublic = false

        @Option(help: "How long the answers may take, in milliseconds.")
        var deadline = 60_000

        @OptionGroup var output: ReportOutput

        func validate() throws {
            if kind != .special, !filters.isEmpty {
                throw ValidationError("--where belongs to a special report: the others are of everything")
            }
        }

        func run() async throws {
            let desk = try node.desk()
            var order = ReportOrder(kind, period)
            (order.topic, order.filters) = (topic, filters)
            (order.isBestEffort, order.isDraft, order.deadlineMS) = (bestEffort, draft, Int64(deadline))
            let made = try await desk.make(order)
            if made.outcome != .incomplete {
                var report = made.report
                if isPublic { report = Self.publicEdition(of: report) }
                try output.print(report, desk)
            }
            Output.note(Self.words(made))
            if !made.missing.isEmpty { throw ExitStatus.incomplete }
        }

        private static func publicEdition(of report: ArchivedReport) -> ArchivedReport {
            let (document, suppressed, masked) = report.document.publicEdition()
            Output.note("向社会公开版:\(suppressed) 行数字不公布,\(masked) 处文字脱敏")
            return ArchivedReport(document, revision: report.revision, madeAt: report.madeAt, changes: [])
        }

        private static func words(_ made: MadeReport) -> String {
            let number = made.report.document.number
            var text =
                switch made.outcome {
                case .archived where made.report.revision == 1: "\(number) 第 1 版已归档"
                case .archived: "\(number) 第 \(made.report.revision) 版已归档,与上一版相比 \(made.report.changes.count) 处变化"
                case .unchanged: "\(number) 第 \(made.report.revision) 版无变化"
                case .draft: "\(number) 草稿,未归档"
                case .incomplete: "\(number) 未归档"
                }
            if !made.missing.isEmpty {
                let names = made.missing.map { "\($0.name)(\($0.node)) \($0.code ?? $0.state.rawValue)" }
                text += "\n缺失 \(names.joined(separator: "、"))"
            }
            return text
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the archive: this node's reports, and those that other nodes have sent.",
            discussion: """
                EXAMPLE
                  federation-node report list --config /srv/370000/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Flag(help: "Print JSON.")
        var json = false

        private struct Line: Encodable {
            let number: String
            let revision: Int
            let kind: String
            let edition: String
            let period: String
            let title: String
            let node: String
            let madeAt: String
        }

        func run() async throws {
            let desk = try node.desk()
            let reports = try await desk.reports()
            if json {
                return try Output.json(
                    reports.map {
                        Line(
                            number: $0.number, revision: $0.revision, kind: $0.kind, edition: $0.edition,
                            period: $0.period, title: $0.title, node: $0.origin.code,
                            madeAt: ShanghaiTime.rfc3339($0.madeAt))
                    })
            }
            var table = TextTable(header: ["编制时间", "编号", "版", "版本", "编制节点", "标题"])
            for report in reports {
                table.append([
                    ShanghaiTime.minute(report.madeAt), report.number, "\(report.revision)",
                    ReportEdition(rawValue: report.edition)?.title ?? report.edition,
                    desk.topology.name(of: report.origin) ?? report.origin.code, report.title,
                ])
            }
            try Output.line(table.text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print an archived report, the newest revision or another.",
            discussion: """
                EXAMPLE
                  federation-node report show M-2025-08 --revision 1 --format md
                  federation-node report show M-2025-08 --of 370000 --format html --out province.html
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "Its number, as `list` shows it.")
        var number: String

        @Option(help: "The node that made it, by code or name.")
        var of: String?

        @Option(help: "Which revision; else the newest.")
        var revision: Int?

        @Flag(name: .customLong("public"), help: "The edition for the public.")
        var isPublic = false

        @OptionGroup var output: ReportOutput

        func run() async throws {
            let desk = try node.desk()
            let report = try await desk.report(
                number, of: of.map { try desk.node(named: $0).id }, edition: isPublic ? .public : .internal,
                revision: revision)
            try output.print(report, desk)
        }
    }

    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What differs between two revisions of a report.",
            discussion: """
                EXAMPLE
                  federation-node report diff M-2025-08 --from 1 --to 2
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "Its number.")
        var number: String

        @Option(help: "The node that made it, by code or name.")
        var of: String?

        @Option(help: "The earlier revision; else the one before the other.")
        var from: Int?

        @Option(help: "The later revision; else the newest.")
        var to: Int?

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try node.desk()
            let changes = try await desk.reportChanges(
                number, of: of.map { try desk.node(named: $0).id }, from: from, to: to)
            if json { return try Output.json(changes) }
            var table = TextTable(header: ["章节", "表", "行", "列", "原", "现", "变化"])
            for change in changes {
                table.append([
                    change.chapter, change.table, change.row ?? "", change.column ?? "", change.before ?? "无",
                    change.after ?? "无", change.delta ?? "",
                ])
            }
            try Output.line(table.text)
        }
    }

    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publish the edition for the public of a report of this node. It goes to every node below.",
            discussion: """
                Rows in which fewer than 5 are counted have no figures, nor have those from which they could be found. Every text is \
                searched for telephone and identity numbers and whatever else tells who somebody is.

                EXAMPLE
                  federation-node report publish M-2025-08 --format html --out public.html
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "Its number.")
        var number: String

        @OptionGroup var output: ReportOutput

        func run() async throws {
            let desk = try node.desk()
            let (report, suppressed, masked) = try await desk.publish(report: number)
            try output.print(report, desk)
            Output.note("\(number) 已公开,\(suppressed) 行数字不公布,\(masked) 处文字脱敏")
        }
    }

    struct Subscribe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let another node have all reports of a kind that this one makes; without --node list who does.",
            discussion: """
                EXAMPLE
                  federation-node report subscribe --node 济南 --kind weekly --config /srv/370000/node.yaml
                  federation-node report subscribe --node 济南 --kind weekly --end
                """)

        @OptionGroup var options: NodeOptions

        @Option(help: "The subscriber, above or below, by code or name.")
        var node: String?

        @Option(help: "daily, weekly, monthly or special.")
        var kind: ReportKind?

        @Flag(help: "End the subscription.")
        var end = false

        @Flag(help: "Print JSON.")
        var json = false

        private struct Line: Encodable {
            let series: String
            let node: String
            let since: String
            let endedAt: String?
        }

        func validate() throws {
            if (node == nil) != (kind == nil) { throw ValidationError("--node and --kind belong together") }
        }

        func run() async throws {
            let desk = try options.desk()
            let subscriptions =
                if let node, let kind {
                    try await desk.subscribe(try desk.node(named: node).id, to: kind, ends: end)
                } else {
                    try await desk.reportSubscriptions()
                }
            if json {
                return try Output.json(
                    subscriptions.map {
                        Line(
                            series: $0.series, node: $0.node.code, since: ShanghaiTime.rfc3339($0.since),
                            endedAt: $0.endedAt.map { ShanghaiTime.rfc3339($0) })
                    })
            }
            var table = TextTable(header: ["系列", "订阅节点", "自", "终止"])
            for subscription in subscriptions {
                table.append([
                    subscription.series, desk.topology.name(of: subscription.node) ?? subscription.node.code,
                    ShanghaiTime.minute(subscription.since), subscription.endedAt.map(ShanghaiTime.minute) ?? "",
                ])
            }
            try Output.line(table.text)
        }
    }
}

extension ReportKind: ExpressibleByArgument {}
