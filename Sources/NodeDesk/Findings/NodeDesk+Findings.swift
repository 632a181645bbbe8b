import Detection
import FederationModel
import LocalStore
import Reporting

/// A finding that is kept, with what is done about it.
package struct FindingReport: Sendable {
    package struct Measure: Sendable {
        package let step: String
        /// A code of the list `measure_kind`.
        package let kind: String
        package let owner: String?
        package let due: UnixMilliseconds?
        /// The key of an article of the knowledge base.
        package let article: String?
        package let note: String?
        package let at: UnixMilliseconds
        package let by: NodeID
    }

    package let id: String
    package let by: NodeID
    package let code: String
    /// A ticket, a unit or a category, by the code.
    package let subject: String
    package let unit: String?
    package let extent: String
    package let tickets: Int
    package let foundAt: UnixMilliseconds
    package let state: FindingState
    /// In the order of time.
    package let measures: [Measure]
    /// Whether a measure should have been completed by now.
    package let isOverdue: Bool
}

/// What somebody does about a finding.
package struct MeasureDraft: Sendable {
    package enum Step: Sendable {
        case propose(owner: String, due: UnixMilliseconds)
        case complete
        /// What it has changed: the finding is looked for again in this period.
        case evaluate(period: String)
    }

    package let step: Step
    /// Nil for what usually helps.
    package let kind: MeasureKind?
    /// The key of the article that it is, or that came of it.
    package let article: String?
    package let note: String?

    package init(_ step: Step, kind: MeasureKind? = nil, article: String? = nil, note: String? = nil) {
        self.step = step
        self.kind = kind
        self.article = article
        self.note = note
    }
}

extension NodeDesk {
    /// Looks through the tickets that are here and were requested in a period for what went wrong (7.1.1 b), and keeps what it finds. Whatever
    /// is found again is the same record. The node whose ticket it is sees it too.
    ///
    /// - Throws: `E_REPORT_PERIOD`.
    package func detectFindings(period text: String) async throws -> [Finding] {
        try await perform(.detectFindings) { now in
            let period = try ReportKind.special.period(text)
            let (findings, origins) = try await findings(in: period, now: now)
            try await keep(findings, in: period, origins: origins, now: now)
            return findings
        }
    }

    /// Findings that are here, the newest first.
    ///
    /// - Parameter code: only these, `LATE_DISPATCH`.
    package func findings(code: String? = nil, state: FindingState.Status? = nil) async throws -> [FindingReport] {
        try await perform(.listFindings) { now in
            try await catchUp(now: now)
            let states = try await store.records(of: CaseResources.measure, newestBy: "occurred_at")
            let measures = Dictionary(grouping: states.reversed(), by: { $0.text("finding_id") ?? "" })
            let found = try await store.records(
                of: CaseResources.finding, where: code.map { ["code": $0] } ?? [:], newestBy: "occurred_at")
            return found.compactMap { report($0, measures, now: now) }
                .filter { report in state.map { $0 == report.state.status } ?? true }
        }
    }

    /// Takes a step of a measure that answers a finding (7.1.1 c).
    ///
    /// - Throws: `E_FINDING_UNKNOWN`, `E_FINDING_STATE` for a step that the state does not allow, `E_KNOWLEDGE_UNKNOWN`, `E_REPORT_PERIOD`.
    package func measure(finding id: String, _ draft: MeasureDraft) async throws -> FindingReport {
        try await perform(.takeMeasure) { now in
            guard let report = try await finding(id, now: now), let code = Finding.Code(rawValue: report.code) else {
                throw FederationError(
                    "E_FINDING_UNKNOWN", "there is no such finding here", hint: "see `federation-node finding list`")
            }
            if let article = draft.article { _ = try await held(article: article) }
            let former = report.measures.last { $0.step == "propose" }
            var fields: [String: FieldValue] = [
                "finding_id": .text(id), "occurred_at": .integer(now),
                "kind": .text(draft.kind?.rawValue ?? former?.kind ?? code.measure.rawValue),
            ]
            var note = draft.note
            switch (draft.step, report.state.status) {
            case (.propose(let owner, let due), .open), (.propose(let owner, let due), .measured):
                fields["step"] = .text("propose")
                fields["owner"] = .text(owner)
                fields["due_datetime"] = .integer(due)
            case (.complete, .measured): fields["step"] = .text("complete")
            case (.evaluate(let text), .done), (.evaluate(let text), .evaluated):
                fields["step"] = .text("evaluate")
                let effect = try await effect(on: report, code, in: ReportKind.special.period(text), now: now)
                note = note.map { "\(effect) \($0)" } ?? effect
            default:
                throw FederationError(
                    "E_FINDING_STATE", "the finding is \(report.state.word), which does not allow that step",
                    hint: "a measure is proposed, then completed, then its effect is evaluated")
            }
            if let article = draft.article { fields["reference"] = .text(article) }
            if let note { fields["note"] = .text(note) }
            let record = IntakeRecord(
                resource: CaseResources.measure.name, key: "\(self.id)-\(identity(now: now))", fields: fields)
            _ = try await commit(\.head) { try await store.intake([record], now: now) }
            return try await finding(id, now: now) ?? report
        }
    }

    /// How many tickets showed it, and how many do in another period: `22 → 3 (2025-10)`.
    private func effect(
        on report: FindingReport, _ code: Finding.Code, in period: CalendarPeriod, now: UnixMilliseconds
    ) async throws -> String {
        func count(in period: CalendarPeriod) async throws -> Int {
            if code == .jointTopic {
                guard let pack = TopicPack.all.first(where: { $0.name.isSame(as: report.subject) }) else { return 0 }
                return try await jointTopic(pack, period, roads: [], now: now).report.tickets.count
            }
            try await catchUp(now: now)
            let tickets = try await handledTickets(requestedIn: period.time).tickets
            return FindingDetectors(now: min(now, period.time.upperBound)).extent(
                of: code, report.subject, unit: report.unit, in: tickets)
        }
        var former = report.tickets
        // A finding of one ticket is measured by all of its kind.
        if code.isOfTicket, let period = formerPeriod(of: report) { former = try await count(in: period) }
        return "\(former) → \(try await count(in: period)) (\(period.label))"
    }

    /// The period in which it was found, as its id says.
    private func formerPeriod(of report: FindingReport) -> CalendarPeriod? {
        let (head, tail) = ("\(report.by)-\(report.code)-", "-\(Self.word(of: report.subject))")
        guard report.id.hasPrefix(head), report.id.hasSuffix(tail) else { return nil }
        return try? ReportKind.special.period(String(report.id.dropFirst(head.count).dropLast(tail.count)))
    }

    // MARK: - Detecting

    /// What is wrong with the tickets of a period that are here, and whose tickets they are.
    private func findings(
        in period: CalendarPeriod, now: UnixMilliseconds
    ) async throws -> (findings: [Finding], origins: [String: String]) {
        try await catchUp(now: now)
        let (tickets, origins) = try await handledTickets(requestedIn: period.time)
        // Judged as of the end of the period at the latest, so that judging twice says the same.
        let detectors = FindingDetectors(now: min(now, period.time.upperBound))
        return (detectors.findings(in: tickets), origins)
    }

    /// - Parameter ids: only these tickets; nil for all.
    func handledTickets(
        requestedIn time: Range<UnixMilliseconds>, only ids: Set<String>? = nil
    ) async throws -> (tickets: [HandledTicket], origins: [String: String]) {
        func rows(
            _ resource: ResourceDefinition, _ columns: [String], _ states: [String] = []
        ) async throws -> [(ticket: String, origin: String, values: [FieldValue])] {
            try await store.rowsOfTickets(
                requestedIn: time, of: resource, columns: columns, stateColumns: states, only: ids)
        }
        var tickets: [String: HandledTicket] = [:]
        var origins: [String: String] = [:]
        let requests = try await rows(
            BuiltInResources.serviceRequest,
            [
                "request_type", "urgency", "accepted_datetime", "requested_datetime", "reporter_kind",
                "callback_required", "service_code",
            ],
            ["category", "due_at", "closed_at", "called_back_at"])
        for (id, origin, values) in requests {
            var ticket = HandledTicket(
                id: id, requestType: values[0].text ?? "", urgency: values[1].text ?? "normal",
                category: values[7].text ?? values[6].text, acceptedAt: values[2].integer ?? values[3].integer ?? 0)
            ticket.isAnonymous = values[4].text == "anonymous"
            ticket.isCallbackRequired = values[5].integer != 0
            ticket.dueAt = values[8].integer
            ticket.closedAt = values[9].integer
            ticket.callbackAt = values[10].integer
            tickets[id] = ticket
            origins[id] = origin
        }
        for (id, _, values) in try await rows(
            BuiltInResources.assignment, ["assignee_unit", "occurred_at", "role", "round"])
        {
            guard let unit = values[0].text, let at = values[1].integer else { continue }
            let round = Int(values[3].integer ?? 1)
            tickets[id]?.dispatches.append(.init(unit, at: at, isMain: values[2].text == "main", round: round))
        }
        for (id, _, values) in try await rows(BuiltInResources.returnRequest, ["unit", "occurred_at"]) {
            guard let unit = values[0].text, let at = values[1].integer else { continue }
            tickets[id]?.returns.append(.init(unit, at: at))
        }
        for (id, _, values) in try await rows(BuiltInResources.returnDecision, ["decision", "occurred_at"]) {
            guard let decision = values[0].text.flatMap({ HandledTicket.Return.Decision(rawValue: $0) }),
                let at = values[1].integer, let returns = tickets[id]?.returns
            else { continue }
            // The one that was asked for last before it.
            let place = returns.indices.filter { returns[$0].at <= at }.max { returns[$0].at < returns[$1].at }
            if let place { tickets[id]?.returns[place].decision = decision }
        }
        for (id, _, values) in try await rows(
            BuiltInResources.handling, ["contacted", "contact_datetime", "occurred_at"])
        where values[0].integer == 1 {
            guard let at = values[1].integer ?? values[2].integer else { continue }
            let first = tickets[id]?.contactedAt ?? at
            tickets[id]?.contactedAt = min(first, at)
        }
        let evaluations = try await rows(
            BuiltInResources.evaluation,
            ["object", "score5", "reason_codes", "comment", "counted", "verdict_source", "occurred_at"])
        for (id, _, values) in evaluations.sorted(by: { ($0.values[6].integer ?? 0) < ($1.values[6].integer ?? 0) })
        where values[0].text == "handling" && values[5].text != "default" {
            tickets[id]?.score = values[1].text.flatMap { Int($0) }
            tickets[id]?.reasons = (values[2].text ?? "").split { " ,;、".contains($0) }.map(String.init)
            tickets[id]?.comment = values[3].text ?? ""
            tickets[id]?.isCounted = values[4].integer != 0
        }
        return (requests.compactMap { tickets[$0.ticket] }, origins)
    }

    // MARK: - Records

    /// - Parameter origins: by ticket, the node whose it is, which sees the finding too.
    func keep(
        _ findings: [Finding], in period: CalendarPeriod, origins: [String: String], now: UnixMilliseconds
    ) async throws {
        let records = findings.map { finding in
            let nodes = Set(finding.tickets.compactMap { origins[$0].flatMap { NodeID($0) } }.filter(topology.contains))
            var fields: [String: FieldValue] = [
                "finding_id": .text(id(of: finding, in: period)), "occurred_at": .integer(period.time.upperBound),
                "code": .text(finding.code.rawValue), "subject": .text(finding.subject),
                "extent": .text(finding.extent), "tickets": .integer(Int64(finding.tickets.count)),
                "nodes": .text(CaseResources.list(nodes)),
            ]
            if let unit = finding.unit { fields["unit"] = .text(unit) }
            return IntakeRecord(
                resource: CaseResources.finding.name, key: id(of: finding, in: period), fields: fields)
        }
        for batch in stride(from: 0, to: records.count, by: Self.batch) {
            let some = Array(records[batch..<min(batch + Self.batch, records.count)])
            _ = try await commit(\.head) { try await store.intake(some, now: now) }
        }
    }

    /// Records in a transaction.
    private static let batch = 1_000

    /// Made of rule, subject and period: what is found again has the same.
    func id(of finding: Finding, in period: CalendarPeriod) -> String {
        "\(id)-\(finding.code.rawValue)-\(period.label)-\(Self.word(of: finding.subject))"
    }

    private static func word(of subject: String) -> String {
        let isCode = subject.utf8.count <= 32 && subject.utf8.allSatisfy(ColumnRule.isCodeByte)
        return isCode ? subject : String(fnv1a64(subject.utf8), radix: 16)
    }

    private func finding(_ id: String, now: UnixMilliseconds) async throws -> FindingReport? {
        let found = try await store.records(
            of: CaseResources.finding, where: ["finding_id": id], newestBy: "occurred_at")
        let measures = try await store.records(
            of: CaseResources.measure, where: ["finding_id": id], newestBy: "occurred_at")
        return found.last.flatMap { report($0, [id: measures.reversed()], now: now) }
    }

    private func report(
        _ record: HeldRecord, _ measures: [String: [HeldRecord]], now: UnixMilliseconds
    ) -> FindingReport? {
        guard let id = record.text("finding_id") else { return nil }
        let records = measures[id] ?? []
        func caseRecord(_ record: HeldRecord, _ resource: ResourceDefinition) -> CaseRecord {
            CaseRecord(
                resource.name, origin: record.origin.code, key: record.key, version: HybridTime(rawValue: 0),
                values: record.fields)
        }
        let state = FindingKind().fold(
            [caseRecord(record, CaseResources.finding)] + records.map { caseRecord($0, CaseResources.measure) },
            rules: rules)
        return FindingReport(
            id: id, by: record.origin, code: record.text("code") ?? "", subject: record.text("subject") ?? "",
            unit: record.text("unit"), extent: record.text("extent") ?? "",
            tickets: Int(record.integer("tickets") ?? 0), foundAt: record.integer("occurred_at") ?? 0, state: state,
            measures: records.map {
                .init(
                    step: $0.text("step") ?? "", kind: $0.text("kind") ?? "", owner: $0.text("owner"),
                    due: $0.integer("due_datetime"), article: $0.text("reference"), note: $0.text("note"),
                    at: $0.integer("occurred_at") ?? 0,
                    by: $0.origin)
            }, isOverdue: state.status == .measured && (state.dueAt ?? .max) < now)
    }
}
