import Detection
import FederationModel
import LocalStore
import LogicalQuery
import Reporting

extension NodeDesk {
    /// As many of each are told.
    private static let categoriesMax = 5
    private static let adviceMax = 20
    private static let articlesMax = 10
    /// Tickets of a category that are looked at for one that may be told.
    private static let candidatesMax = 50
    /// Tickets of a category of a week among which one that may be told is looked for: a report must not hold all of them.
    private static let hotTicketsMax = 1_000
    /// Characters of a text that a case is told with.
    private static let textMax = 200

    /// 典型案例 and 对策建议 of a special report (domain model 3.7), from the tickets of its topic that are here: what logical children hold
    /// is counted in it and not told.
    func topicChapters(of questions: ReportQuestions, now: UnixMilliseconds) async throws -> [ReportDocument.Chapter] {
        let period = questions.period
        let tickets = try await heldTickets(questions.filters, in: period, limit: nil)
        let byCategory = Dictionary(grouping: tickets, by: { ExactText($0.category ?? "") })
        let categories = byCategory.filter { !$0.key.text.isEmpty }
            .sorted { $0.value.count == $1.value.count ? $0.key < $1.key : $0.value.count > $1.value.count }
            .prefix(Self.categoriesMax)
        return [
            try await casesChapter(categories.map(\.value)),
            try await adviceChapter(
                on: tickets, categories: categories.map(\.key.text), before: min(now, period.time.upperBound)),
        ]
    }

    /// 典型案例 of a weekly report, of the categories that people complained of most.
    func hotCasesChapter(
        _ categories: [String], in period: CalendarPeriod
    ) async throws -> ReportDocument.Chapter {
        var tickets: [[HandledTicket]] = []
        for category in categories.prefix(Self.categoriesMax) {
            tickets.append(
                try await heldTickets([try filter("service=\(category)")], in: period, limit: Self.hotTicketsMax))
        }
        return try await casesChapter(tickets)
    }

    /// Tickets of a period that are here.
    private func heldTickets(
        _ filters: [Analysis.Filter], in period: CalendarPeriod, limit: Int?
    ) async throws -> [HandledTicket] {
        let plan = try QueryPlan(
            topology: topology, node: id, resources: BuiltInResources.ticketResources.map(\.name),
            wanted: topology.origins(under: id))
        let query = try SQLiteDialect.tickets(
            filters, requestedIn: period.time, origins: plan.local, regions: reference.regions)
        let ids = try await store.rows(of: query, within: GrantFilter(), readers: []).compactMap { $0.first?.text }
        let some = limit.map { Array(ids.sorted().prefix($0)) } ?? ids
        return Array(try await handledTickets(requestedIn: period.time, only: Set(some)).tickets)
    }

    // MARK: - 典型案例

    /// One ticket of each category: that which was dispatched the most often, then the one with the lowest score, then the earliest.
    private func casesChapter(_ categories: [[HandledTicket]]) async throws -> ReportDocument.Chapter {
        var rows: [ReportDocument.Row] = []
        for tickets in categories {
            let typical = tickets.sorted {
                ($1.dispatches.count, $0.score ?? .max, $0.acceptedAt, $0.id)
                    < ($0.dispatches.count, $1.score ?? .max, $1.acceptedAt, $1.id)
            }
            for ticket in typical.prefix(Self.candidatesMax) {
                guard let row = caseRow(try await store.ticket(ticket.id)) else { continue }
                rows.append(row)
                break
            }
        }
        let columns = [
            ("number", "工单"), ("at", "时间"), ("region", "事发地"), ("service", "问题分类"), ("text", "诉求"), ("unit", "承办单位"),
            ("reply", "答复"), ("status", "办理情况"),
        ]
        return ReportDocument.Chapter(
            ReportDocument.casesChapter, "典型案例",
            paragraphs: ["取自本节点持有的工单，个人信息已脱敏；举报和保密的工单不选。"],
            tables: [
                ReportDocument.Table(
                    "cases", "典型案例", columns: columns.map { ReportDocument.Column($0.0, $0.1, .text) }, rows: rows)
            ])
    }

    /// - Returns: nil for what is confidential or accuses somebody: a report goes to many.
    private func caseRow(_ thread: TicketThread) -> ReportDocument.Row? {
        guard let request = thread.request, let state = thread.state, state.confidential == .none,
            request.fields["request_type"]?.text != Accusation.reportType
        else { return nil }
        func text(_ columns: [String], of record: TicketThread.Record?) -> String {
            let texts = columns.compactMap { record?.fields[$0]?.text }
            return String(Masking.freeText.mask(texts.joined(separator: "：")).prefix(Self.textMax))
        }
        let region = request.fields["region_code"]?.text.map { String($0.prefix(6)) }
        let service = state.category ?? request.fields["service_code"]?.text
        let reply = thread.records.last { $0.resource.name == BuiltInResources.reply.name }
        let result = [state.status.title] + (state.score.map { ["评价 \($0) 分"] } ?? [])
        return ReportDocument.Row(
            thread.globalID,
            [
                request.fields["service_request_id"]?.text ?? thread.globalID, ShanghaiTime.minute(request.occurredAt),
                region.map { reference.regions.title(of: $0) ?? $0 } ?? "",
                service.map { reference.services.title(of: $0) ?? $0 } ?? "",
                text(["title", "description"], of: request),
                state.unit ?? "", text(["content_public"], of: reply), result.joined(separator: "，"),
            ].map { .text($0) })
    }

    // MARK: - 对策建议

    /// What went wrong with the tickets and what answers it, what was done in similar situations, and what the knowledge base says.
    private func adviceChapter(
        on tickets: [HandledTicket], categories: [String], before end: UnixMilliseconds
    ) async throws -> ReportDocument.Chapter {
        var groups: [Subject: Set<String>] = [:]
        for finding in FindingDetectors(now: end).findings(in: tickets) {
            let party = finding.unit ?? (finding.code == .knowledgeGap ? finding.subject : "")
            groups[Subject(code: finding.code, party: party), default: []].formUnion(finding.tickets)
        }
        let counts = groups.mapValues(\.count).sorted { a, b in
            a.value == b.value ? a.key < b.key : a.value > b.value
        }
        let answered = try await findings().filter { !$0.measures.isEmpty }
        let rows = counts.prefix(Self.adviceMax).map { adviceRow(on: $0.key, tickets: $0.value, answered) }
        var paragraphs = [rows.isEmpty ? "本期工单未发现办理问题。" : "按本期工单中发现的问题，由多到少。"]
        for situation in try await precedents(
            of: categories.first, in: topology.node(id)?.region, kind: .concentrated, now: end)
        where !situation.measures.isEmpty {
            paragraphs.append("类似情形“\(situation.state.title)”采取过：\(situation.measures.joined(separator: "；"))。")
        }
        let articles = try await heldArticles().filter { article in
            article.isValid(at: end) && article.publishedAt < end
                && categories.contains { Self.isWithin($0, article.category) || Self.isWithin(article.category, $0) }
        }
        if !articles.isEmpty {
            let questions = articles.prefix(Self.articlesMax).map { "\($0.question)（\($0.key)）" }
            paragraphs.append("知识库已有：\(questions.joined(separator: "；"))。")
        }
        return ReportDocument.Chapter(
            ReportDocument.adviceChapter, "对策建议", paragraphs: paragraphs,
            tables: [
                ReportDocument.Table(
                    "advice", "对策建议",
                    columns: [
                        ReportDocument.Column("finding", "问题", .text), ReportDocument.Column("subject", "对象", .text),
                        ReportDocument.Column("tickets", "工单", .whole), ReportDocument.Column("measure", "建议", .text),
                        ReportDocument.Column("owner", "责任单位", .text), ReportDocument.Column("state", "进展", .text),
                    ], rows: rows)
            ])
    }

    /// - Parameter answered: findings that are kept with measures, the newest first.
    private func adviceRow(on subject: Subject, tickets: Int, _ answered: [FindingReport]) -> ReportDocument.Row {
        let (code, party) = (subject.code, subject.party)
        let former = answered.first { finding in
            finding.code == code.rawValue && (finding.unit ?? (code == .knowledgeGap ? finding.subject : "")) == party
        }
        let name = code == .knowledgeGap ? reference.services.title(of: party) ?? party : party
        let kind = former?.measures.last?.kind ?? code.measure.rawValue
        var progress = (former?.state.status ?? .open).title
        if let note = former?.measures.last?.note { progress += "：\(note)" }
        return ReportDocument.Row(
            "\(code.rawValue) \(party)",
            [
                .text(code.title), .text(name), ReportDocument.Cell(.integer(Int64(tickets))),
                .text(reference.lists.named("measure_kind")?.title(of: kind) ?? kind),
                .text(former?.state.owner ?? (code.isOfHotline ? "热线" : party)), .text(progress),
            ])
    }

    /// What went wrong, and at whom.
    private struct Subject: Hashable, Comparable {
        let code: Finding.Code
        /// A unit, or the category of which knowledge is missing; empty for the hotline.
        let party: String

        static func < (a: Self, b: Self) -> Bool { (a.code.rawValue, a.party) < (b.code.rawValue, b.party) }
    }

    /// Whether a category is another one or lies below it.
    private static func isWithin(_ category: String?, _ wider: String?) -> Bool {
        guard let category, let wider else { return false }
        return category == wider || category.hasPrefix("\(wider).")
    }
}
