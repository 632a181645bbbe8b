import FederationModel
import LocalStore
import LogicalQuery
import Reporting

/// Which report is wanted, as people say it.
package struct ReportOrder: Sendable {
    package var kind: ReportKind
    /// `2025-08`, `2025-W35`, `2025-08-31`.
    package var period: String
    /// What a special report is about, as its number ends.
    package var topic: String?
    /// As in `AnalysisQuestion`.
    package var filters: [String] = []
    /// Whether it is archived also where a node is missing, which the report names then.
    package var isBestEffort = false
    /// Whether it is only shown. A period that is not over can't be had in another way.
    package var isDraft = false
    package var deadlineMS: Int64 = 60_000

    package init(_ kind: ReportKind, _ period: String) {
        self.kind = kind
        self.period = period
    }
}

/// What making a report came to.
package struct MadeReport: Sendable {
    package enum Outcome: String, Sendable {
        /// A new revision is in the archive.
        case archived
        /// The newest revision says the same.
        case unchanged
        case draft
        /// Nodes are missing, so nothing was archived.
        case incomplete
    }

    package let report: ArchivedReport
    package let outcome: Outcome
    /// Nodes that are not in it.
    package let missing: [NodeCoverage]
}

extension NodeDesk {
    /// Makes a report over everything below this node and archives it; one that is archived already gets a further revision if anything
    /// has changed, with a list of what.
    ///
    /// - Throws: `E_REPORT_PERIOD`, `E_REPORT_OPEN`, `E_REPORT_TOPIC`, `E_REPORT_LAG`; what asking throws.
    package func make(_ order: ReportOrder) async throws -> MadeReport {
        try await perform(.makeReport) { now in try await made(order, onlyLater: false, now: now) }
    }

    /// Makes each report that the timetable has for now and that is not archived yet.
    ///
    /// - Parameter revising: whether those that are archived get a further revision where data have come late.
    /// - Returns: what was archived, or could not be because nodes are missing.
    package func makeDueReports(by timetable: ReportTimetable, revising: Bool) async throws -> [MadeReport] {
        try await perform(.makeReport) { now in
            let archived = Set(
                try await store.reportLines()
                    .filter { $0.origin == id && $0.edition == ReportEdition.internal.rawValue }.map(\.number))
            var reports: [MadeReport] = []
            for due in timetable.due(at: now) {
                let isFirst = !archived.contains(due.kind.number(of: due.period, topic: nil))
                guard isFirst || revising else { continue }
                var order = ReportOrder(due.kind, due.period.label)
                order.isBestEffort = due.isOverdue
                let report = try await made(order, onlyLater: !isFirst, now: now)
                if report.outcome != .unchanged { reports.append(report) }
            }
            return reports
        }
    }

    /// - Parameter onlyLater: whether a further revision needs late data, not only tickets that were closed meanwhile.
    private func made(_ order: ReportOrder, onlyLater: Bool, now: UnixMilliseconds) async throws -> MadeReport {
        let period = try order.kind.period(order.period)
        guard order.isDraft || period.time.upperBound <= now else {
            throw FederationError(
                "E_REPORT_OPEN", "\(period.label) is not over",
                hint: "`--draft` shows how it stands, without archiving it")
        }
        guard (order.kind == .special) == (order.topic != nil) else {
            throw FederationError(
                "E_REPORT_TOPIC", "a special report, and no other, has a topic",
                hint: "`report make --kind special --topic 停水 --where service^=03.01 --period 2025-08`")
        }
        let (document, missing) = try await document(order, period, now: now)
        let number = document.number
        let former = try await archived(number, .internal)
        guard !order.isDraft else {
            let report = ArchivedReport(document, revision: 0, madeAt: now, changes: [])
            return MadeReport(report: report, outcome: .draft, missing: missing)
        }
        guard missing.isEmpty || order.isBestEffort else {
            let report = former ?? ArchivedReport(document, revision: 0, madeAt: now, changes: [])
            return MadeReport(report: report, outcome: .incomplete, missing: missing)
        }
        if let former {
            if document == former.document || onlyLater && !document.isLater(than: former.document) {
                return MadeReport(report: former, outcome: .unchanged, missing: missing)
            }
        }
        let report = ArchivedReport(
            document, revision: (former?.revision ?? 0) + 1, madeAt: now,
            changes: former.map { document.changes(since: $0.document) } ?? [])
        try await archive(report, in: order.kind.rawValue, now: now)
        return MadeReport(report: report, outcome: .archived, missing: missing)
    }

    /// Asks everything at once, so that all figures are of one time as nearly as can be.
    private func document(
        _ order: ReportOrder, _ period: CalendarPeriod, now: UnixMilliseconds
    ) async throws -> (document: ReportDocument, missing: [NodeCoverage]) {
        let questions = try ReportQuestions(
            order.kind, of: period, filters: order.filters.map { try filter($0) }, library: indicatorLibrary(), now: now
        )
        let names = ReportNames(
            node: id, topology: topology, reference: reference, day: period.days.upperBound - 1)
        let answers = try await withView { view in
            try await view.answers(
                to: questions.analyses, allowsStale: false, deadlineMS: order.deadlineMS, now: now)
        }
        var tables: [Analysis: ResultTable] = [:]
        var coverages: [Coverage] = []
        var extras = TableExtras()
        extras.showsTotal = true
        extras.residents = Residents(reference.population, region: topology.node(id)?.region ?? id.code)
        for (analysis, (plan, answer)) in zip(questions.analyses, answers) {
            tables[analysis] = try answer.partial.rolledUp(for: analysis, under: names)
                .rolledUp(for: analysis, reference).table(for: analysis, extras)
            coverages.append(Coverage(plan: plan, topology: topology, reports: answer.nodes))
        }
        if let lag = coverages.flatMap({ [$0.lagRows] + $0.nodes.map(\.lagRows) }).compactMap(\.self).max() {
            throw FederationError(
                "E_REPORT_LAG", "tickets' states are not derived from \(lag) changes yet, so a report would be wrong",
                hint: "`federation-node status` shows how far it is; try again, or give it more time with `--deadline`",
                isRetryable: true)
        }
        // What is urgent is told of everything, and a special report is about one topic.
        var cases =
            order.kind == .special
            ? try await topicChapters(of: questions, now: now) : [try await urgentChapter(of: period, now: now)]
        if order.kind == .weekly, let hot = questions.hot {
            let categories = tables[hot]?.rows.compactMap { $0.cells.first?.text } ?? []
            cases.append(try await hotCasesChapter(categories, in: period))
        }
        let built = ReportBuilder(questions, tables, names).document(
            of: id, named: topology.name(of: id) ?? id.code, topic: order.topic, coverages: coverages, cases: cases)
        // JSON does not tell 83.0 from 83: a report is from the beginning what it will be when it comes out of the archive.
        let document = try WireJSON.decode(ReportDocument.self, WireJSON.encodeSorted(built))
        var missing: [NodeCoverage] = []
        for node in coverages.flatMap(\.missing) where !missing.contains(where: { $0.node == node.node }) {
            missing.append(node)
        }
        return (document, missing)
    }
}
