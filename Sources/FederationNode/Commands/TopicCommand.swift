import ArgumentParser
import Detection
import FederationModel
import LogicalQuery
import NodeDesk

struct TopicCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topic",
        abstract: "What people are concerned about (热点, 痛点, 难点, 堵点), and what is behind it (7.2.3).",
        discussion: """
            EXAMPLE
              federation-node topic list --period 2025-08
              federation-node topic show water --period 2025-08
              federation-node topic show parking --period 2025-08 --road 解放东路
            """,
        subcommands: [List.self, Show.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The four lists of a period, over everything below this node.",
            discussion: """
                热点: share of all tickets × growth. 痛点: share of dissatisfied evaluations × tickets. 难点: time to closing against that of all, \
                plus the shares extended and unresolved. 堵点: the shares returned, and of several units.

                EXAMPLE
                  federation-node topic list --period 2025-08 --levels 2 --top 5
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "2025-08, 2025-W35, 2025-08-31, 2025-Q3 or 2025.")
        var period: String

        @Option(help: "How many levels of the category make a topic, 1 to 4.")
        var levels = 2

        @Option(help: "How many topics a list has.")
        var top = 10

        @Option(help: "How long the answers may take, in milliseconds.")
        var deadline = 30_000

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            if !(1...4).contains(levels) || top < 1 { throw ValidationError("--levels is 1 to 4, --top at least 1") }
        }

        private struct Document: Encodable {
            struct Line: Encodable {
                let category: String
                let title: String
                let value: Double
                let tickets: Int
                let previous: Int
            }

            let lists: [String: [Line]]
            let coverage: CoverageReport
        }

        func run() async throws {
            let desk = try node.desk()
            let report = try await desk.topics(
                period: period, levels: levels, top: top, deadlineMS: Int64(deadline))
            if json {
                let lists = report.lists.map { indicator, lines in
                    (
                        indicator.rawValue,
                        lines.map {
                            Document.Line(
                                category: $0.category, title: $0.title, value: $0.value, tickets: $0.figures.volume,
                                previous: $0.figures.previousVolume)
                        }
                    )
                }
                try Output.json(
                    Document(
                        lists: Dictionary(uniqueKeysWithValues: lists), coverage: CoverageReport(report.coverage)))
            } else {
                for (indicator, lines) in report.lists {
                    var table = TextTable(header: [indicator.title, "问题分类", "指数", "本期", "上期"])
                    for line in lines {
                        table.append([
                            line.category, line.title, "\(line.value)", "\(line.figures.volume)",
                            "\(line.figures.previousVolume)",
                        ])
                    }
                    try Output.line("\(table.text)\n")
                }
                try Output.line(report.coverage.text(in: .zh))
            }
            if !report.coverage.complete { throw ExitStatus.incomplete }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "A theme with the outages that explain its tickets, or a topic with roads, areas, effects and causes.",
            discussion: """
                Themes are water, power, gas and heat: tickets are held against the planned outages of an external data set, by place and \
                time. Topics are parking: the texts of its tickets are read for roads, areas, effects and causes, and --due opens the joint \
                task. Both look at the tickets that are here.

                EXAMPLE
                  federation-node topic show water --period 2025-08 --dataset planned_outage
                  federation-node topic show parking --period 2025-08 --road 解放东路 --due 2025-09-30
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "water, power, gas, heat or parking.")
        var topic: String

        @Option(help: "2025-08, 2025-W35, 2025-08-31, 2025-Q3 or 2025.")
        var period: String

        @Option(help: "Of a theme, the external data set of planned outages.")
        var dataset = "planned_outage"

        @Option(
            name: .customLong("road"), help: "Of a topic, a road besides those of the list `road`; may be repeated.")
        var roads: [String] = []

        @Option(help: "Of a topic, open the joint task, to be completed by that day.")
        var due: String?

        @Flag(help: "Print JSON.")
        var json = false

        private struct ThemeDocument: Encodable {
            let theme: String
            let tickets: Int
            let explained: Int
            let explainedPercent: Double?
            let byOutage: [String: Int]
            let unexplained: [String]
            let supplier: String
            let outOfSeason: Int
        }

        private struct TopicDocument: Encodable {
            struct Count: Encodable {
                let value: String
                let tickets: Int

                init(_ count: TopicTable.Count) { (value, tickets) = (count.value, count.tickets) }
            }

            let topic: String
            let tickets: Int
            let roads: [Count]
            let regions: [Count]
            let effects: [Count]
            let causes: [Count]
            let task: FindingLine?
        }

        func run() async throws {
            let desk = try node.desk()
            try Output.noteNotHeld(desk)
            if let theme = UtilityTheme.all.first(where: { $0.id == topic }) {
                return try show(try await desk.theme(theme, period: period, dataset: dataset))
            }
            guard topic == "parking" else {
                throw ValidationError("\(topic) is none of water, power, gas, heat, parking")
            }
            let report = try await desk.jointTopic(.parking, period: period, roads: roads)
            var task: FindingReport?
            if let due {
                let end = ShanghaiTime.end(ofDay: ShanghaiTime.dayNumber(try parseTime(due)))
                task = try await desk.openJointTask(.parking, period: period, due: end)
            }
            try show(report, task, desk)
        }

        private func show(_ report: ThemeReport) throws {
            let explained = report.tickets - report.unexplained.count
            if json {
                return try Output.json(
                    ThemeDocument(
                        theme: report.theme.id, tickets: report.tickets, explained: explained,
                        explainedPercent: report.explainedPercent, byOutage: report.explained,
                        unexplained: report.unexplained, supplier: report.theme.supplier,
                        outOfSeason: report.outOfSeason))
            }
            var lines = [
                "\(report.theme.title) 工单 \(report.tickets) 件  计划停供 \(report.outages) 次",
                "计划停供可解释 \(explained) 件(\(report.explainedPercent.map { "\($0)%" } ?? "–"))",
                "未能解释 \(report.unexplained.count) 件 → \(report.theme.supplier)",
            ]
            if report.outOfSeason > 0 { lines.append("非供应季 \(report.outOfSeason) 件") }
            lines += report.explained.sorted { $0.key < $1.key }.map { "  \($0.key)  \($0.value) 件" }
            try Output.line(lines.joined(separator: "\n"))
        }

        private func show(_ report: JointTopicReport, _ task: FindingReport?, _ desk: NodeDesk) throws {
            let table = report.table
            let regions = table.regions
            if json {
                return try Output.json(
                    TopicDocument(
                        topic: report.pack.name, tickets: report.tickets.count, roads: table.roads.map { .init($0) },
                        regions: regions.map { .init($0) }, effects: table.effects.map { .init($0) },
                        causes: table.causes.map { .init($0) }, task: task.map { FindingLine($0) }))
            }
            func words(_ counts: [TopicTable.Count], _ name: (String) -> String = { $0 }) -> String {
                counts.map { "\(name($0.value))(\($0.tickets))" }.joined(separator: "、")
            }
            var lines = [
                "\(report.pack.name) 工单 \(report.tickets.count) 件", "涉及道路 \(words(table.roads))",
                "影响区域 \(words(regions) { desk.reference.regions.title(of: $0) ?? $0 })",
                "影响 \(words(table.effects))", "原因 \(words(table.causes))",
            ]
            if let task { lines.append("联合任务 \(task.state.owner ?? "") \(task.id)") }
            try Output.line(lines.joined(separator: "\n"))
        }
    }
}
