import FederationModel
import NodeDesk

extension SituationReport {
    /// What a command that changed it says.
    func tell(json: Bool) throws {
        if json { return try Output.json(SituationDetail(self)) }
        try Output.line("\(state.status == .open ? "处置中" : "已关闭") \(id)")
    }

    func show(_ desk: NodeDesk) throws {
        func name(_ node: String) -> String { NodeID(node).flatMap { desk.topology.node($0)?.name } ?? node }
        try Output.line("\(state.level.title) \(state.title.printable)  \(state.status == .open ? "处置中" : "已关闭")")
        try Output.line(
            "牵头 \(name(leader));\(state.members.count) 件工单,待跟进 \(failed.count) 件,待告知诉求人 \(toInform.count) 件")
        if let alert = state.alert { try Output.line("来源预警 \(alert.printable)") }
        if !state.notifications.isEmpty {
            var table = TextTable(header: ["通知", "单位", "节点", "时间", "确认", "升级", "编号"])
            for item in state.notifications {
                table.append([
                    CodeList.named("delivery_form")?.title(of: item.form) ?? item.form, item.unit ?? "",
                    item.node.map(name) ?? "", ShanghaiTime.minute(item.at),
                    item.acknowledgedAt.map(ShanghaiTime.minute) ?? "未确认",
                    item.escalatedAt.map(ShanghaiTime.minute) ?? "", item.id,
                ])
            }
            try Output.line(table.text)
        }
        var table = TextTable(header: ["时间", "节点", "步骤", "内容", "经办人"])
        for record in records {
            let fields = record.fields
            let step = fields["step"]?.text.flatMap { CodeList.named("situation_step")?.title(of: $0) } ?? "启动"
            let content = ["title", "ticket", "unit", "reference", "level", "note"].compactMap { column in
                let text = fields[column]?.text
                return column == "level" ? text.flatMap { AlertLevel(rawValue: $0)?.title } ?? text : text
            }
            table.append([
                ShanghaiTime.minute(record.occurredAt), name(record.origin), step, content.joined(separator: " "),
                fields["actor"]?.text ?? "",
            ])
        }
        try Output.line(table.text)
    }
}

/// A situation in a JSON list; a contract (docs/action.md).
struct SituationDocument: Encodable {
    let id: String
    let kind: String
    let level: String
    let state: String
    let title: String
    let leader: String
    let alert: String?
    let region: String?
    let category: String?
    let tickets: Int
    let followUp: Int
    let toInform: Int
    let unacknowledged: Int
    let openedAt: String

    init(_ report: SituationReport) {
        let state = report.state
        id = report.id
        kind = state.kind
        level = state.level.rawValue
        self.state = state.word
        title = state.title
        leader = report.leader
        alert = state.alert
        region = report.region
        category = report.category
        tickets = state.members.count
        followUp = report.failed.count
        toInform = report.toInform.count
        unacknowledged = state.notifications.count { $0.acknowledgedAt == nil }
        openedAt = ShanghaiTime.rfc3339(report.openedAt)
    }
}

/// A ticket that is to be followed up.
struct FollowUpLine: Encodable {
    let ticket: String
    let status: String?
    let dueAt: String?
    let score: Int64?
    let unit: String?
    /// Whether its reporter was not told yet.
    let toInform: Bool

    init(_ ticket: String, _ report: SituationReport) {
        let state = report.tickets[ticket]
        self.ticket = ticket
        status = state?.status.rawValue
        dueAt = state?.dueAt.map { ShanghaiTime.rfc3339($0) }
        score = state?.score
        unit = state?.unit
        toInform = report.toInform.contains(ticket)
    }
}

/// A situation in JSON, whole.
struct SituationDetail: Encodable {
    private enum CodingKeys: String, CodingKey {
        case members, notifications, answers, toInform = "ticketsToInform", audience, timeline
    }

    struct Notification: Encodable {
        let id: String
        let form: String
        let unit: String?
        let node: String?
        let at: String
        let acknowledgedAt: String?
        let escalatedAt: String?
    }

    struct Step: Encodable {
        let at: String
        let node: String
        let step: String
        let actor: String?
        let ticket: String?
        let unit: String?
        let reference: String?
        let note: String?
    }

    private let report: SituationReport

    init(_ report: SituationReport) { self.report = report }

    /// What lists have, and more beside it.
    func encode(to encoder: any Encoder) throws {
        try SituationDocument(report).encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        let state = report.state
        try container.encode(state.members.sorted(), forKey: .members)
        try container.encode(
            state.notifications.map { item in
                Notification(
                    id: item.id, form: item.form, unit: item.unit, node: item.node, at: ShanghaiTime.rfc3339(item.at),
                    acknowledgedAt: item.acknowledgedAt.map { ShanghaiTime.rfc3339($0) },
                    escalatedAt: item.escalatedAt.map { ShanghaiTime.rfc3339($0) })
            }, forKey: .notifications)
        try container.encode(state.answers.sorted(), forKey: .answers)
        try container.encode(report.toInform, forKey: .toInform)
        try container.encode(report.audience.map(\.code).sorted(), forKey: .audience)
        try container.encode(
            report.records.map { record in
                let fields = record.fields
                return Step(
                    at: ShanghaiTime.rfc3339(record.occurredAt), node: record.origin,
                    step: fields["step"]?.text ?? "open", actor: fields["actor"]?.text, ticket: fields["ticket"]?.text,
                    unit: fields["unit"]?.text, reference: fields["reference"]?.text, note: fields["note"]?.text)
            }, forKey: .timeline)
    }
}
