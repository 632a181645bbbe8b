import ConfigurationFiles
import Detection
import FederationModel
import LocalStore

/// A situation as people look at it.
package struct SituationReport: Sendable {
    package let id: String
    package let leader: String
    package let state: SituationState
    package let region: String?
    package let category: String?
    package let openedAt: UnixMilliseconds
    /// Of the members, as far as they are here.
    package let tickets: [String: TicketState]
    /// Members that are overdue, or not to their reporters' satisfaction (7.1.2 c).
    package let failed: Set<String>
    /// Whom it concerns.
    package let audience: Set<NodeID>
    /// The timeline.
    package let records: [TicketThread.Record]

    /// Members whose reporters are to be told.
    package var toInform: [String] { state.toInform(failed).sorted() }

    /// Whether it must stay open (`E_OPEN_FOLLOWUP`).
    package var lacksAnswer: Bool { state.lacksAnswer(failed) }

    /// What was done about it, for whoever has a similar one: what was told to whom, answered and noted.
    package var measures: [String] {
        records.compactMap { record in
            let fields = record.fields
            switch fields["step"]?.text.flatMap({ SituationStep(rawValue: $0) }) {
            case .notify:
                let form = fields["form"]?.text ?? ""
                return "\(CodeList.named("delivery_form")?.title(of: form) ?? form) \(fields["unit"]?.text ?? "")"
            case .answer: return fields["note"]?.text
            case .note, .close: return fields["note"]?.text
            default: return nil
            }
        }
    }
}

/// A situation before it is opened.
package struct SituationDraft: Sendable {
    package var title: String?
    package var kind: SituationType?
    package var level: AlertLevel?
    /// The alert that it answers: what is not given comes from there, its tickets too.
    package var alert: String?
    package var region: String?
    package var category: String?
    /// Global ids or numbers.
    package var tickets: [String] = []
    /// Codes or beginnings of names of nodes that are to see it, besides those that alert and tickets concern.
    package var nodes: [String] = []
    package var person: String?

    package init() {}
}

extension NodeDesk {
    /// Opens a situation (7.1.2), which this node leads.
    ///
    /// - Throws: `E_SITUATION_INCOMPLETE`, `E_ALERT_UNKNOWN`, `E_ALERT_STATE`, `E_TICKET_UNKNOWN`, `E_NODE_UNKNOWN`.
    package func open(_ draft: SituationDraft) async throws -> SituationReport {
        try await perform(.openSituation) { now in
            try await catchUp(now: now)
            let alert = if let id = draft.alert { try await known(alert: id) } else { AlertReport?.none }
            if let alert, !alert.state.allows(.openSituation) {
                throw FederationError(
                    "E_ALERT_STATE", "the alert is \(alert.state.word), no situation is opened from it",
                    hint: "see `federation-node alert show \(alert.id)`")
            }
            guard let kind = draft.kind ?? alert.flatMap({ SituationType(rawValue: $0.kind) }),
                let title = draft.title ?? alert?.subject
            else {
                throw FederationError(
                    "E_SITUATION_INCOMPLETE", "a situation needs a kind and a title",
                    hint: "give --kind and --title, or the alert that it answers")
            }
            let members = Set(try await globalIDs(of: draft.tickets)).union(alert?.evidence.tickets ?? [])
            let region = draft.region ?? alert?.place
            let origins = Set(members.compactMap { NodeID(String($0.prefix { $0 != "-" })) })
            let named = try draft.nodes.map { try node(named: $0).id }
            let nodes = AlertKind.concerned(place: region, origins: origins, isUrgent: false, topology: topology)
                .union(alert?.audience ?? []).union(named).union([id])
            let situation = "\(id)-\(identity(now: now))"
            var fields: [String: FieldValue] = [
                "situation_id": .text(situation), "occurred_at": .integer(now), "title": .text(title),
                "kind": .text(kind.rawValue), "level": .text((draft.level ?? alert?.state.level ?? .blue).rawValue),
                "nodes": .text(CaseResources.list(nodes)),
            ]
            fields["alert"] = alert.map { .text($0.id) }
            fields["region_code"] = region.map { .text($0) }
            fields["category"] = (draft.category ?? alert?.category).map { .text($0) }
            var records = [IntakeRecord(resource: CaseResources.situation.name, key: situation, fields: fields)]
            for ticket in members.sorted() {
                records.append(step(.addTicket, in: situation, by: draft.person, ["ticket": .text(ticket)], now: now))
            }
            _ = try await commit(\.head) { try await store.intake(records, now: now) }
            if let alert {
                _ = try await act(
                    .openSituation, on: alert.id, by: draft.person, ["situation": .text(situation)], now: now)
            }
            return try await known(situation: situation, now: now)
        }
    }

    /// Tells a unit, by 工单, 连线外呼 or 一键转接 (7.1.2 b).
    ///
    /// - Parameters:
    ///   - unit: as people call it.
    ///   - node: where it works, by code or the beginning of a name; nil for this node.
    /// - Returns: the situation; its last notification is the new one.
    /// - Throws: `E_SITUATION_UNKNOWN`, `E_SITUATION_CLOSED`, `E_NODE_UNKNOWN`.
    package func notify(
        _ situation: String, form: DeliveryForm, unit: String, node: String?, note: String?, by person: String?
    ) async throws -> SituationReport {
        var fields: [String: FieldValue] = ["form": .text(form.rawValue), "unit": .text(unit)]
        fields["node"] = try node.map { .text(try self.node(named: $0).id.code) }
        fields["note"] = note.map { .text($0) }
        return try await perform(.changeSituation) { [fields] now in
            try await change(situation, .notify, by: person, fields, now: now)
        }
    }

    /// Says that a unit, or its node, has heard.
    ///
    /// - Parameter notification: its key; nil for the only one that waits.
    /// - Throws: `E_SITUATION_UNKNOWN`, `E_SITUATION_CLOSED`, `E_NOTIFICATION_UNKNOWN`.
    package func acknowledge(
        _ situation: String, notification: String?, by person: String?
    ) async throws -> SituationReport {
        try await perform(.changeSituation) { now in
            try await catchUp(now: now)
            let waiting = try await open(situation: situation, now: now).state.notifications.filter {
                $0.acknowledgedAt == nil && (notification == nil || $0.id.isSame(as: notification ?? ""))
            }
            guard let found = waiting.first, waiting.count == 1 else {
                throw FederationError(
                    "E_NOTIFICATION_UNKNOWN",
                    waiting.isEmpty
                        ? "no such notification waits for an answer" : "\(waiting.count) wait for an answer",
                    hint: "see `federation-node situation show \(situation)`, and name one")
            }
            return try await write(.acknowledge, in: situation, by: person, ["reference": .text(found.id)], now: now)
        }
    }

    /// Names the announcement or the article of the knowledge base that answers it (7.1.2 c).
    ///
    /// - Throws: `E_SITUATION_UNKNOWN`, `E_SITUATION_CLOSED`, `E_ANSWER_UNKNOWN`.
    package func answer(
        _ situation: String, with key: String, note: String?, by person: String?
    ) async throws -> SituationReport {
        try await perform(.changeSituation) { now in
            let announcements = try await store.keys([key], of: BuiltInResources.announcement.name)
            let articles = try await store.keys([key], of: CaseResources.knowledgeArticle.name)
            guard !announcements.isEmpty || !articles.isEmpty else {
                throw FederationError(
                    "E_ANSWER_UNKNOWN", "this node knows neither announcement nor article with that key",
                    hint: "publish one first: `federation-node announcement publish`")
            }
            var fields: [String: FieldValue] = ["reference": .text(key)]
            fields["note"] = note.map { .text($0) }
            try await catchUp(now: now)
            return try await write(.answer, in: situation, by: person, fields, now: now)
        }
    }

    /// Says that the reporters of tickets were told.
    ///
    /// - Throws: `E_SITUATION_UNKNOWN`, `E_SITUATION_CLOSED`, `E_TICKET_UNKNOWN`.
    package func inform(_ situation: String, tickets: [String], by person: String?) async throws -> SituationReport {
        try await perform(.changeSituation) { now in
            try await change(situation, .inform, tickets: tickets, by: person, now: now)
        }
    }

    /// Brings tickets in, or takes them out.
    ///
    /// - Throws: `E_SITUATION_UNKNOWN`, `E_SITUATION_CLOSED`, `E_SITUATION_NOT_LEADER`, `E_TICKET_UNKNOWN`.
    package func change(
        _ situation: String, adding: [String], removing: [String], by person: String?
    ) async throws -> SituationReport {
        try await perform(.changeSituation) { now in
            if !removing.isEmpty {
                _ = try await change(situation, .removeTicket, tickets: removing, by: person, now: now)
            }
            return try await change(situation, .addTicket, tickets: adding, by: person, now: now)
        }
    }

    /// Writes into its timeline.
    ///
    /// - Throws: `E_SITUATION_UNKNOWN`, `E_SITUATION_CLOSED`.
    package func note(_ situation: String, _ text: String, by person: String?) async throws -> SituationReport {
        try await perform(.changeSituation) { now in
            try await change(situation, .note, by: person, ["note": .text(text)], now: now)
        }
    }

    /// - Throws: `E_SITUATION_UNKNOWN`, `E_SITUATION_CLOSED`, `E_SITUATION_NOT_LEADER`.
    package func set(
        _ level: AlertLevel, of situation: String, by person: String?
    ) async throws -> SituationReport {
        try await perform(.changeSituation) { now in
            try await change(situation, .setLevel, by: person, ["level": .text(level.rawValue)], now: now)
        }
    }

    /// Closes it. As long as tickets of it are overdue or unsatisfied, an announcement or an article must answer it (7.1.2 c).
    ///
    /// - Throws: `E_SITUATION_UNKNOWN`, `E_SITUATION_CLOSED`, `E_SITUATION_NOT_LEADER`, `E_OPEN_FOLLOWUP`.
    package func close(_ situation: String, note: String?, by person: String?) async throws -> SituationReport {
        try await perform(.closeSituation) { now in
            try await catchUp(now: now)
            let report = try await open(situation: situation, now: now)
            guard !report.lacksAnswer else {
                throw FederationError(
                    "E_OPEN_FOLLOWUP",
                    "\(report.failed.count) tickets of it are overdue or unsatisfied, and nothing answers them",
                    hint:
                        "publish an announcement or an article, then `federation-node situation answer \(situation) KEY`"
                )
            }
            var fields: [String: FieldValue] = [:]
            fields["note"] = note.map { .text($0) }
            let closed = try await write(.close, in: situation, by: person, fields, now: now)
            if let alert = closed.state.alert, let known = try? await known(alert: alert), known.state.allows(.close) {
                _ = try await act(.close, on: alert, by: person, now: now)
            }
            return closed
        }
    }

    /// Those that concern this node, those that changed last first.
    package func situations(_ status: SituationState.Status?, limit: Int) async throws -> [SituationReport] {
        try await perform(.listSituations) { now in
            try await catchUp(now: now)
            var found: [SituationReport] = []
            for summary in try await store.threads(of: SituationKind(), inState: status?.rawValue, limit: limit) {
                if let situation = try await situation(read: summary.id, now: now) { found.append(situation) }
            }
            return found
        }
    }

    /// - Throws: `E_SITUATION_UNKNOWN`.
    package func situation(_ id: String) async throws -> SituationReport {
        try await perform(.showSituation) { now in
            try await catchUp(now: now)
            return try await known(situation: id, now: now)
        }
    }

    /// Tells the node above of what nobody has acknowledged in time, in the situations that this node leads.
    ///
    /// - Returns: how many notifications.
    package func escalateNotifications() async throws -> Int {
        try await perform(.changeSituation) { now in
            let limit = UnixMilliseconds(settings.escalationMinutes * 60_000)
            var count = 0
            for summary in try await store.threads(
                of: SituationKind(), inState: SituationState.Status.open.rawValue, limit: Self.openSituationsMax)
            where summary.id.hasPrefix("\(id)-") {
                guard let thread = try await store.thread(summary.id, of: SituationKind()) else { continue }
                for notification in thread.state.notifications where notification.isToEscalate(at: now, after: limit) {
                    var fields: [String: FieldValue] = ["reference": .text(notification.id)]
                    fields["node"] = (topology.node(id)?.parent).map { .text($0.code) }
                    let record = step(.escalate, in: summary.id, by: nil, fields, now: now)
                    _ = try await commit(\.head) { try await store.intake([record], now: now) }
                    count += 1
                }
            }
            return count
        }
    }

    private static let openSituationsMax = 10_000

    // MARK: - Steps

    private func change(
        _ situation: String, _ step: SituationStep, tickets: [String], by person: String?, now: UnixMilliseconds
    ) async throws -> SituationReport {
        try await catchUp(now: now)
        var report = try await open(situation: situation, now: now)
        for ticket in try await globalIDs(of: tickets) {
            report = try await write(step, in: situation, by: person, ["ticket": .text(ticket)], now: now)
        }
        return report
    }

    private func change(
        _ situation: String, _ step: SituationStep, by person: String?, _ fields: [String: FieldValue],
        now: UnixMilliseconds
    ) async throws -> SituationReport {
        try await catchUp(now: now)
        return try await write(step, in: situation, by: person, fields, now: now)
    }

    private static let leaderSteps: Set<SituationStep> = [.removeTicket, .setLevel, .close]

    private func write(
        _ step: SituationStep, in situation: String, by person: String?, _ fields: [String: FieldValue],
        now: UnixMilliseconds
    ) async throws -> SituationReport {
        let report = try await open(situation: situation, now: now)
        if Self.leaderSteps.contains(step), !report.leader.isSame(as: id.code) {
            throw FederationError(
                "E_SITUATION_NOT_LEADER", "node \(report.leader) leads the situation",
                hint: "ask there, or write it into the timeline with `federation-node situation note`")
        }
        let record = self.step(step, in: situation, by: person, fields, now: now)
        _ = try await commit(\.head) { try await store.intake([record], now: now) }
        return try await known(situation: situation, now: now)
    }

    private func step(
        _ step: SituationStep, in situation: String, by person: String?, _ fields: [String: FieldValue],
        now: UnixMilliseconds
    ) -> IntakeRecord {
        var fields = fields
        fields["situation_id"] = .text(situation)
        fields["occurred_at"] = .integer(now)
        fields["step"] = .text(step.rawValue)
        fields["actor"] = person.map { .text($0) }
        return IntakeRecord(
            resource: CaseResources.situationStep.name, key: "\(id)-\(identity(now: now))", fields: fields)
    }

    /// What is named by a number is named by its global id from here on; a ticket of a logical node is only named.
    private func globalIDs(of tickets: [String]) async throws -> [String] {
        var ids: [String] = []
        for ticket in tickets { ids.append(try await store.ticket(ticket).globalID) }
        return ids
    }

    // MARK: - Reading

    private func open(situation id: String, now: UnixMilliseconds) async throws -> SituationReport {
        let report = try await known(situation: id, now: now)
        guard report.state.status == .open else {
            throw FederationError("E_SITUATION_CLOSED", "the situation is closed", hint: "open another one")
        }
        return report
    }

    private func known(situation id: String, now: UnixMilliseconds) async throws -> SituationReport {
        guard let report = try await situation(read: id, now: now) else {
            throw FederationError(
                "E_SITUATION_UNKNOWN", "node \(self.id) knows no situation of that id",
                hint: "see `federation-node situation list`")
        }
        return report
    }

    func situation(read id: String, now: UnixMilliseconds) async throws -> SituationReport? {
        guard let thread = try await store.thread(id, of: SituationKind()),
            let head = thread.records.first(where: {
                $0.resource.name == CaseResources.situation.name && id.hasPrefix("\($0.origin)-")
            })
        else { return nil }
        let tickets = try await store.ticketStates(of: thread.state.members)
        let failed = tickets.filter { $0.value.isOverdue(at: now) || $0.value.isUnsatisfied }
        return SituationReport(
            id: id, leader: head.origin, state: thread.state, region: head.fields["region_code"]?.text,
            category: head.fields["category"]?.text, openedAt: head.occurredAt, tickets: tickets,
            failed: Set(failed.keys), audience: thread.audience,
            records: thread.records.sorted { $0.occurredAt < $1.occurredAt })
    }

    /// The situations of the past that are nearest to an alert, with what was done (7.2.1.2).
    package func precedents(of alert: AlertReport) async throws -> [SituationReport] {
        try await perform(.listSituations) { now in
            try await precedents(
                of: alert.category, in: alert.place, kind: SituationType(rawValue: alert.kind) ?? .concentrated,
                now: now)
        }
    }

    /// - Parameter now: those that were closed later are not of the past.
    func precedents(
        of category: String?, in place: String?, kind: SituationType, now: UnixMilliseconds
    ) async throws -> [SituationReport] {
        var reports: [String: SituationReport] = [:]
        for summary in try await store.threads(
            of: SituationKind(), inState: SituationState.Status.closed.rawValue, limit: Self.precedentsMax)
        {
            reports[summary.id] = try await situation(read: summary.id, now: now)
        }
        let all = reports.values.map { report in
            Precedent(
                id: report.id, kind: SituationType(rawValue: report.state.kind), region: report.region,
                category: report.category, closedAt: report.state.since ?? report.openedAt)
        }
        return Precedent.nearest(to: category, in: place, kind: kind, among: all.filter { $0.closedAt <= now })
            .compactMap { reports[$0.id] }
    }

    /// Of more situations that are closed, the latest are compared.
    private static let precedentsMax = 1_000
}

/// In which form a unit is told (7.1.2 b).
package enum DeliveryForm: String, CaseIterable, Sendable {
    /// 工单
    case workOrder = "work_order"
    /// 连线外呼
    case outboundCall = "outbound_call"
    /// 一键转接
    case warmTransfer = "warm_transfer"
}

extension TicketState {
    /// Still handled after its time limit.
    fileprivate func isOverdue(at now: UnixMilliseconds) -> Bool {
        status.isBeingHandled && mergedInto == nil && !isSuspended && dueAt.map { $0 < now } ?? false
    }

    /// 不满意 or 非常不满意, or 未解决 by what the reporter says.
    fileprivate var isUnsatisfied: Bool { score.map { $0 <= 2 } ?? false || resolved == "unresolved" }
}
