import Detection
import FederationModel
import LocalStore
import LogicalQuery
import Reporting

extension NodeDesk {
    /// As many of each are looked at, those that changed last.
    private static let casesMax = 10_000
    /// Of more alerts a report names the most urgent; it counts all.
    private static let alertsNamedMax = 20

    /// What was urgent in a period (domain model 3.7): the alerts that were decided in it, and the situations that were opened in it, which
    /// are closed if they were by its end. So what is done later changes no report.
    func urgentChapter(of period: CalendarPeriod, now: UnixMilliseconds) async throws -> ReportDocument.Chapter {
        var alerts: [AlertReport] = []
        for summary in try await store.threads(of: AlertKind(), limit: Self.casesMax) {
            // In the order of their last change, which is no earlier than the deciding ticket.
            if let since = summary.since, since < period.time.lowerBound { break }
            guard let alert = try await alert(read: summary.id), period.time.contains(alert.decidedAt),
                alert.state.status != .withdrawn
            else { continue }
            alerts.append(alert)
        }
        var situations: [SituationReport] = []
        for summary in try await store.threads(of: SituationKind(), limit: Self.casesMax) {
            guard let situation = try await situation(read: summary.id, now: now),
                period.time.contains(situation.openedAt)
            else { continue }
            situations.append(situation)
        }
        alerts.sort { ($1.state.level, $0.decidedAt, $0.id) < ($0.state.level, $1.decidedAt, $1.id) }
        situations.sort { ($0.openedAt, $0.id) < ($1.openedAt, $1.id) }
        var tables = [try counts(of: alerts, endOf: period)]
        if !alerts.isEmpty { tables.append(list(of: alerts.prefix(Self.alertsNamedMax))) }
        if !situations.isEmpty { tables.append(list(of: situations, endOf: period)) }
        return ReportDocument.Chapter(
            ReportDocument.urgentChapter, "预警与应急情形",
            paragraphs: ["本期发出预警 \(alerts.count) 起，启动应急情形 \(situations.count) 起。"], tables: tables)
    }

    /// A row for each rule in force, also where it found nothing; with how many somebody took up by the end of the period and did not dismiss.
    private func counts(of alerts: [AlertReport], endOf period: CalendarPeriod) throws -> ReportDocument.Table {
        var rules = try rulesInForce().rules.map { (id: $0.id, title: $0.title) }
        for alert in alerts where !rules.contains(where: { $0.id.isSame(as: alert.rule) }) {
            rules.append((alert.rule, alert.rule))
        }
        let levels = AlertLevel.allCases
        func row(_ key: String, _ title: String, _ alerts: [AlertReport]) -> ReportDocument.Row {
            let byLevel = levels.map { level in alerts.count { $0.state.level == level } }
            let confirmed = alerts.count { $0.isConfirmed(by: period.time.upperBound) }
            let counts = (byLevel + [alerts.count, confirmed]).map { FieldValue.integer(Int64($0)) }
            let precision = ReportDocument.Cell(
                FieldValue.integer(Int64(confirmed)).percent(of: .integer(Int64(alerts.count))),
                parts: [Int64(confirmed), Int64(alerts.count)])
            return ReportDocument.Row(key, [.text(title)] + counts.map { ReportDocument.Cell($0) } + [precision])
        }
        return ReportDocument.Table(
            "alerts", "预警",
            columns: [ReportDocument.Column("rule", "规则", .text)]
                + levels.map { ReportDocument.Column($0.rawValue, $0.title, .whole) }
                + [
                    ReportDocument.Column("total", "合计", .whole), ReportDocument.Column("confirmed", "属实", .whole),
                    ReportDocument.Column("precision", "属实率", .percent),
                ],
            rows: rules.map { rule in row(rule.id, rule.title, alerts.filter { $0.rule.isSame(as: rule.id) }) }
                + [row("total", "合计", alerts)], hasTotal: true)
    }

    private func list(of alerts: some Sequence<AlertReport>) -> ReportDocument.Table {
        ReportDocument.Table(
            "alert_list", "重点预警",
            columns: [
                ReportDocument.Column("level", "级别", .text), ReportDocument.Column("subject", "内容", .text),
                ReportDocument.Column("decided_at", "时间", .text), ReportDocument.Column("tickets", "工单", .whole),
                ReportDocument.Column("persons", "人数", .whole),
            ],
            rows: alerts.map { alert in
                ReportDocument.Row(
                    alert.id,
                    [
                        .text(alert.state.level.title), .text(alert.subject),
                        .text(ShanghaiTime.minute(alert.decidedAt)),
                        ReportDocument.Cell(.integer(Int64(alert.tickets))),
                        ReportDocument.Cell(.integer(Int64(alert.persons))),
                    ])
            })
    }

    private func list(of situations: [SituationReport], endOf period: CalendarPeriod) -> ReportDocument.Table {
        ReportDocument.Table(
            "situations", "应急情形",
            columns: [
                ReportDocument.Column("title", "标题", .text), ReportDocument.Column("kind", "情形", .text),
                ReportDocument.Column("level", "级别", .text), ReportDocument.Column("opened_at", "启动", .text),
                ReportDocument.Column("state", "期末状态", .text), ReportDocument.Column("tickets", "工单", .whole),
            ],
            rows: situations.map { situation in
                let state = situation.state
                let isClosed = state.status == .closed && state.since.map { $0 < period.time.upperBound } == true
                return ReportDocument.Row(
                    situation.id,
                    [
                        .text(state.title),
                        .text(reference.lists.named("situation_kind")?.title(of: state.kind) ?? state.kind),
                        .text(state.level.title), .text(ShanghaiTime.minute(situation.openedAt)),
                        .text(isClosed ? "已关闭" : "处置中"), ReportDocument.Cell(.integer(Int64(state.members.count))),
                    ])
            })
    }
}

extension AlertReport {
    /// Whether somebody took it up before a time, and nobody dismissed it before.
    fileprivate func isConfirmed(by end: UnixMilliseconds) -> Bool {
        let actions = records.filter {
            $0.resource.name == CaseResources.alertAction.name && $0.occurredAt < end
        }.compactMap { $0.fields["action"]?.text }
        return !actions.isEmpty && !actions.contains(AlertAction.dismiss.rawValue)
    }
}
