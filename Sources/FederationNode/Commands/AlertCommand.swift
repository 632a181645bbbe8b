import ArgumentParser
import Detection
import FederationModel
import NodeDesk

struct AlertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alert",
        abstract: "What the rules found in tickets and counts: surges, groups, repeats, sensitive words, emergencies.",
        discussion: """
            An alert goes to the nodes of the place, above it and, if it is urgent, beside it. It is raised, acknowledged, then a \
            situation is opened or it is dismissed with a reason; one that nobody finds any more is withdrawn.

            EXAMPLE
              federation-node alert list --state raised
            """,
        subcommands: [List.self, Show.self, Acknowledge.self, Dismiss.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the alerts that concern this node, those that changed last first.",
            discussion: """
                EXAMPLE
                  federation-node alert list --state raised --level orange --place 370100 --config /srv/370000/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "raised, acknowledged, situation, dismissed, closed or withdrawn.")
        var state: AlertState.Status?

        @Option(help: "Only this level and above: blue, yellow, orange or red.")
        var level: AlertLevel?

        @Option(help: "Only this rule.")
        var rule: String?

        @Option(help: "Only places within this region code.")
        var place: String?

        @Option(help: "Look at so many at most.")
        var limit = 100

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try node.desk()
            var filter = NodeDesk.AlertFilter()
            (filter.state, filter.level, filter.rule, filter.place) = (state, level, rule, place)
            let alerts = try await desk.alerts(filter, limit: limit)
            if json { return try Output.json(alerts.map { AlertDocument($0) }) }
            var table = TextTable(header: ["级别", "状态", "预警", "工单", "人数", "触发时间", "编号"])
            for alert in alerts {
                table.append([
                    alert.state.level.title, alert.state.status.title, alert.subject.printable, "\(alert.tickets)",
                    "\(alert.persons)", ShanghaiTime.minute(alert.decidedAt), alert.id,
                ])
            }
            try Output.line(table.text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show an alert: on what it rests, where from, whom to tell, what was done before.",
            discussion: """
                EXAMPLE
                  federation-node alert show GROUP-20261130-0f3a9c51d2e47b86 --json
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "Its id, as `list` shows it.")
        var id: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try node.desk()
            let alert = try await desk.alert(id)
            let precedents = try await desk.precedents(of: alert)
            var forecast: ForecastReport?
            if let place = alert.place { forecast = try await desk.forecast(region: place, category: alert.category) }
            if json { return try Output.json(AlertDetail(alert, precedents, forecast)) }
            try alert.show(desk)
            for precedent in precedents {
                try Output.line(
                    "类似情形 \(precedent.state.title.printable):\(precedent.measures.joined(separator: ";").printable)")
            }
            if let forecast { try forecast.show() }
        }
    }

    struct Acknowledge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say that somebody deals with an alert.",
            discussion: """
                EXAMPLE
                  federation-node alert acknowledge GROUP-20261130-0f3a9c51d2e47b86 --by 值班长
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "Its id, as `list` shows it.")
        var id: String

        @Option(help: "Who does it.")
        var by: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let alert = try await node.desk().acknowledge(alert: id, by: by)
            if json { return try Output.json(AlertDocument(alert)) }
            try Output.line("\(alert.state.status.title) \(alert.id)")
        }
    }

    struct Dismiss: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End an alert as no matter to act on, with the reason.",
            discussion: """
                EXAMPLE
                  federation-node alert dismiss GROUP-20261130-0f3a9c51d2e47b86 --reason 同一家庭多部电话
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "Its id, as `list` shows it.")
        var id: String

        @Option(help: "Why; it stays with the alert.")
        var reason: String

        @Option(help: "Who does it.")
        var by: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let alert = try await node.desk().dismiss(alert: id, reason: reason, by: by)
            if json { return try Output.json(AlertDocument(alert)) }
            try Output.line("\(alert.state.status.title) \(alert.id)")
        }
    }
}

extension AlertState.Status: ExpressibleByArgument {}
extension AlertLevel: ExpressibleByArgument {}

extension AlertState.Status {
    var title: String {
        switch self {
        case .raised: "待确认"
        case .acknowledged: "已确认"
        case .situation: "已启动情形"
        case .dismissed: "已解除"
        case .closed: "已关闭"
        case .withdrawn: "已撤销"
        }
    }
}

extension AlertReport {
    fileprivate func show(_ desk: NodeDesk) throws {
        func names(_ nodes: some Sequence<String>) -> String {
            nodes.sorted().map { NodeID($0).flatMap { desk.topology.node($0)?.name } ?? $0 }.joined(separator: "、")
        }
        try Output.line("\(state.level.title) \(subject.printable)  \(state.status.title)")
        try Output.line(
            "\(tickets) 件工单,\(persons) 人,触发于 \(ShanghaiTime.minute(decidedAt)),规则 \(rule) 第 \(ruleVersion) 版")
        try Output.line("发出:\(names(state.raisers));送达:\(names(audience.map(\.code)))")
        if let reason = state.reason { try Output.line("解除原因:\(reason.printable)") }
        if let situation = state.situation { try Output.line("应急情形:\(situation)") }
        if !evidence.classes.isEmpty { try Output.line("词类:\(evidence.classes.joined(separator: "、"))") }
        if !receivers.isEmpty { try Output.line("建议通知:\(receivers.joined(separator: "、").printable)") }
        for (name, value) in evidence.figures.sorted(by: { $0.key < $1.key }) {
            try Output.line("\(name) = \(Float(value))")
        }
        var table = TextTable(header: ["原因", "值", "工单"])
        for cause in evidence.causes { table.append([cause.dimension.title, cause.value, "\(cause.tickets)"]) }
        try Output.line(table.text)
        for ticket in evidence.tickets { try Output.line(ticket.printable) }
    }
}

extension AlertCause.Dimension {
    fileprivate var title: String {
        switch self {
        case .place: "地点"
        case .category: "分类"
        case .unit: "单位"
        case .hour: "时段"
        }
    }
}

extension ForecastReport {
    fileprivate func show() throws {
        var table = TextTable(header: ["预测日", "周期均值", "95% 区间", "EWMA", "95% 区间"])
        for (index, day) in days.enumerated() {
            let cells = [forecast.seasonal.points[index], forecast.smoothed.points[index]].flatMap { point in
                [whole(point.value), "\(whole(point.lower))–\(whole(point.upper))"]
            }
            table.append([CivilDate.text(dayNumber: day)] + cells)
        }
        try Output.line(table.text)
        let errors = [forecast.seasonal, forecast.smoothed].map { method in
            method.backtestMAPE.map { "\(whole($0))%" } ?? "–"
        }
        try Output.line("回测平均误差(MAPE):周期均值 \(errors[0]),EWMA \(errors[1])")
    }

    private func whole(_ value: Double) -> String { "\(Int(value.rounded()))" }
}

/// A forecast in JSON.
private struct ForecastDocument: Encodable {
    struct Point: Encodable {
        let day: String
        let value: Double
        let lower: Double
        let upper: Double
    }

    struct Method: Encodable {
        let name: String
        let points: [Point]
        /// In percent; of the last quarter of the eight weeks, each week from what came before it.
        let backtestMAPE: Double?
    }

    let region: String
    let category: String?
    let methods: [Method]

    init(_ report: ForecastReport) {
        region = report.region
        category = report.category
        methods = [("seasonal", report.forecast.seasonal), ("smoothed", report.forecast.smoothed)].map { name, method in
            Method(
                name: name,
                points: zip(report.days, method.points).map { day, point in
                    Point(
                        day: CivilDate.text(dayNumber: day), value: point.value, lower: point.lower,
                        upper: point.upper)
                }, backtestMAPE: method.backtestMAPE)
        }
    }
}

private struct AlertDetail: Encodable {
    private enum CodingKeys: String, CodingKey {
        case decidedAt, period, evidence, receivers, audience, situation, reason, steps, suggestions, forecast
    }

    struct Step: Encodable {
        let at: String
        let node: String
        let action: String
        let actor: String?
        let reason: String?
    }

    /// A situation of the past that is near, with what was done.
    struct Suggestion: Encodable {
        let situation: String
        let title: String
        let closedAt: String?
        let measures: [String]
    }

    let alert: AlertDocument
    let suggestions: [Suggestion]
    let forecast: ForecastDocument?
    let decidedAt: String
    let period: String
    let evidence: AlertEvidence
    let receivers: [String]
    let audience: [String]
    let situation: String?
    let reason: String?
    let steps: [Step]

    init(_ report: AlertReport, _ precedents: [SituationReport], _ forecast: ForecastReport?) {
        alert = AlertDocument(report)
        suggestions = precedents.map { precedent in
            Suggestion(
                situation: precedent.id, title: precedent.state.title,
                closedAt: precedent.state.since.map { ShanghaiTime.rfc3339($0) }, measures: precedent.measures)
        }
        self.forecast = forecast.map { ForecastDocument($0) }
        decidedAt = ShanghaiTime.rfc3339(report.decidedAt)
        period = report.period
        evidence = report.evidence
        receivers = report.receivers
        audience = report.audience.map(\.code).sorted()
        situation = report.state.situation
        reason = report.state.reason
        steps = report.records.map { record in
            Step(
                at: ShanghaiTime.rfc3339(record.occurredAt), node: record.origin,
                action: record.fields["action"]?.text ?? "raise", actor: record.fields["actor"]?.text,
                reason: record.fields["reason"]?.text)
        }
    }

    /// What lists have, and more beside it.
    func encode(to encoder: any Encoder) throws {
        try alert.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(decidedAt, forKey: .decidedAt)
        try container.encode(period, forKey: .period)
        try container.encode(evidence, forKey: .evidence)
        try container.encode(receivers, forKey: .receivers)
        try container.encode(audience, forKey: .audience)
        try container.encodeIfPresent(situation, forKey: .situation)
        try container.encodeIfPresent(reason, forKey: .reason)
        try container.encode(steps, forKey: .steps)
        try container.encode(suggestions, forKey: .suggestions)
        try container.encodeIfPresent(forecast, forKey: .forecast)
    }
}
