import ConfigurationFiles
import Detection
import FederationModel
import LocalStore
import LogicalQuery
import Reporting

extension NodeDesk {
    /// Evaluates everybody of whom there is anything by a scheme that was published before the period, and gives each his own result.
    ///
    /// - Parameters:
    ///   - external: what sources outside of the hotline say (社会监督, 满意度调查, 第三方评估).
    ///   - isDraft: how it looks so far: the period need not be over, nor the scheme older than it, and nothing is kept or given to anybody.
    ///   - deadlineMS: how long the answers may take.
    /// - Throws: `E_SCHEME_UNKNOWN`, `E_SCHEME_LATE`, `E_REPORT_PERIOD`, `E_REPORT_OPEN`, `E_EVALUATION_SOURCE`, `E_EVALUATION_INCOMPLETE` when a
    ///   node is missing; what asking throws.
    package func evaluate(
        scheme name: String, period text: String, external: [EvaluationScore] = [], isDraft: Bool = false,
        deadlineMS: Int64 = 60_000
    ) async throws -> [EvaluationReport] {
        try await perform(.evaluate) { now in
            let period = try ReportKind.special.period(text)
            guard isDraft || period.time.upperBound <= now else {
                throw FederationError(
                    "E_REPORT_OPEN", "\(period.label) is not over",
                    hint: "evaluate it when it is; --draft shows how it looks so far")
            }
            let published = try await schemes(named: name)
            guard let newest = published.first else {
                throw FederationError(
                    "E_SCHEME_UNKNOWN", "there is no scheme of that name here",
                    hint: "`evaluation publish FILE` publishes one")
            }
            // The newest that was known before the period, else the error of the newest.
            let chosen = published.first { $0.publishedAt < period.time.lowerBound } ?? newest
            if !isDraft {
                try chosen.scheme.check(publishedAt: chosen.publishedAt, periodStart: period.time.lowerBound)
            }
            for score in external {
                guard let criterion = chosen.scheme.criteria.first(where: { $0.id.isSame(as: score.criterion) }),
                    criterion.source != .hotline
                else {
                    throw FederationError(
                        "E_EVALUATION_SOURCE",
                        "a score from outside is for a criterion that scheme \(name) does not have from there",
                        hint: "its criteria are \(chosen.scheme.criteria.map(\.id).joined(separator: ", "))")
                }
            }
            let own = try await hotlineScores(chosen.file, period, without: [], deadlineMS: deadlineMS, now: now)
            let results = chosen.scheme.results(own.scores + external)
            var reports: [EvaluationReport] = []
            for result in results where result.score != nil {
                let quartiles = EvaluationScheme.quartiles(besides: result.evaluatee, in: results)
                let detail = EvaluationDetail(
                    result, of: chosen.scheme, excluded: own.excluded[result.evaluatee] ?? [:], upheld: [],
                    quartiles: quartiles.map { .init($0) }, revision: 1)
                reports.append(self.report(result, detail, by: chosen.scheme, period, now: now))
            }
            if isDraft { return reports }
            let known = Set(try await self.results(with: [:]).map(\.id))
            // Judged once; what changes it is an objection.
            let new = reports.filter { !known.contains($0.id) }
            try await keep(new, now: now)
            return reports
        }
    }

    /// Results that are here: those that this node gave, and those that it was given. Revisions of one are several.
    package func evaluations() async throws -> [EvaluationReport] {
        try await perform(.showEvaluations) { _ in try await results(with: [:]) }
    }

    /// A result with all its revisions, the newest first, and the objections to it.
    ///
    /// - Throws: `E_EVALUATION_UNKNOWN`.
    package func evaluation(
        _ id: String
    ) async throws -> (results: [EvaluationReport], objections: [EvaluationObjectionReport], state: EvaluationState) {
        try await perform(.showEvaluations) { _ in
            let results = try await results(with: ["evaluation_id": id])
            guard !results.isEmpty, let thread = try await store.thread(id, of: EvaluationKind()) else {
                throw unknownEvaluation
            }
            let objections = try await store.records(
                of: CaseResources.evaluationObjection, where: ["evaluation_id": id], newestBy: "occurred_at"
            ).map(EvaluationObjectionReport.init)
            return (results, objections, thread.state)
        }
    }

    private var unknownEvaluation: FederationError {
        FederationError(
            "E_EVALUATION_UNKNOWN", "there is no such result here", hint: "see `federation-node evaluation show`")
    }

    // MARK: - Objections

    /// Objects to a ticket that was counted. The node that was evaluated does, or the author for a unit.
    ///
    /// - Throws: `E_EVALUATION_UNKNOWN`, `E_EVALUATION_OBJECTION` when the ticket is objected to or does not count already.
    package func object(to id: String, ticket: String, reason: String) async throws -> EvaluationState {
        try await perform(.objectToEvaluation) { now in
            let (result, state) = try await newest(id)
            guard result.node == self.id.code || result.by == self.id else { throw unknownEvaluation }
            guard !state.pending.contains(ticket), !state.upheld.contains(ticket) else {
                throw FederationError(
                    "E_EVALUATION_OBJECTION", "there is an objection to this ticket already",
                    hint: "see `federation-node evaluation show \(id)`")
            }
            try await keep(objection: id, ticket, "object", reason: reason, now: now)
            return try await newest(id).state
        }
    }

    /// Decides about an objection. One that is upheld makes a further result without the ticket; the former one stays.
    ///
    /// - Throws: `E_EVALUATION_UNKNOWN`, `E_EVALUATION_OBJECTION`, `E_EVALUATION_INCOMPLETE`; what asking throws.
    package func decide(
        on id: String, ticket: String, upholds: Bool, reason: String, deadlineMS: Int64 = 60_000
    ) async throws -> (before: EvaluationReport, after: EvaluationReport) {
        try await perform(.objectToEvaluation) { now in
            let (before, state) = try await newest(id)
            guard before.by == self.id, state.pending.contains(ticket) else {
                throw FederationError(
                    "E_EVALUATION_OBJECTION",
                    "there is no objection to this ticket that \(self.id) has to decide about",
                    hint: "see `federation-node evaluation show \(id)`")
            }
            var after = before
            if upholds {
                after = try await recomputed(
                    before, without: Set(before.detail.upheld).union([ticket]), deadlineMS: deadlineMS, now: now)
                try await keep([after], now: now)
            }
            try await keep(
                objection: id, ticket, upholds ? "uphold" : "reject", reason: reason, before: before.score,
                after: after.score, now: now)
            return (before, after)
        }
    }

    /// The same by the same scheme, without some tickets. What sources outside of the hotline said stands in the result.
    private func recomputed(
        _ report: EvaluationReport, without upheld: Set<String>, deadlineMS: Int64, now: UnixMilliseconds
    ) async throws -> EvaluationReport {
        guard
            let published = try await schemes(named: report.scheme).first(where: {
                $0.scheme.version == report.version
            })
        else {
            throw FederationError(
                "E_SCHEME_UNKNOWN", "version \(report.version) of scheme \(report.scheme) is not here")
        }
        let period = try ReportKind.special.period(report.period)
        let own = try await hotlineScores(published.file, period, without: upheld, deadlineMS: deadlineMS, now: now)
        let external = report.detail.parts.filter { $0.source != EvaluationScheme.Criterion.Source.hotline.rawValue }
            .map {
                EvaluationScore(evaluatee: report.evaluatee, criterion: $0.criterion, hits: $0.hits, tries: $0.tries)
            }
        let results = published.scheme.results(
            own.scores.filter { $0.evaluatee.isSame(as: report.evaluatee) } + external)
        guard let result = results.first else { throw unknownEvaluation }
        let detail = EvaluationDetail(
            result, of: published.scheme, excluded: own.excluded[report.evaluatee] ?? [:], upheld: upheld,
            quartiles: report.detail.quartiles, revision: report.detail.revision + 1)
        return self.report(result, detail, by: published.scheme, period, now: now)
    }

    // MARK: - What the hotline's own data say

    /// Hits and tries of each indicator of the scheme, by whom they are about, and how many tickets were excluded, by reason. Over everything
    /// below this node: logical children are asked.
    private func hotlineScores(
        _ file: SchemeFile, _ period: CalendarPeriod, without upheld: Set<String>, deadlineMS: Int64,
        now: UnixMilliseconds
    ) async throws -> (scores: [EvaluationScore], excluded: [String: [String: Int]]) {
        let scheme = file.scheme
        let library = try indicatorLibrary()
        let criteria = scheme.criteria.filter { $0.source == .hotline }
        let measures = try criteria.map {
            try library.named($0.id).measure.excluding(file.exclusions.values.sorted(), upheld)
        }
        let reasons = scheme.exclusions
        let counts = try reasons.enumerated().map { index, reason in
            try Analysis.Measure(
                "excluded_\(index)", version: 1, unit: .count,
                terms: [.init(.ticket, base: "", numerator: "count where \(file.exclusions[reason] ?? "0 = 1")")])
        }
        guard !measures.isEmpty else { return ([], [:]) }
        let dimension: Analysis.Dimension = scheme.evaluated == .unit ? .unit : .origin
        let analyses = try [measures, counts].filter { !$0.isEmpty }.map {
            try Analysis(
                measures: $0, dimensions: [dimension], from: period.time.lowerBound, to: period.time.upperBound,
                asOf: min(period.time.upperBound, now))
        }
        let names = ReportNames(node: id, topology: topology, reference: reference, day: period.days.upperBound - 1)
        let answers = try await withView {
            try await $0.answers(to: analyses, allowsStale: false, deadlineMS: deadlineMS, now: now)
        }
        var tables: [ResultTable] = []
        for (analysis, (plan, answer)) in zip(analyses, answers) {
            let coverage = Coverage(plan: plan, topology: topology, reports: answer.nodes)
            guard coverage.complete else {
                throw FederationError(
                    "E_EVALUATION_INCOMPLETE",
                    "nobody is evaluated while nodes are missing: \(coverage.missing.map(\.node.code).joined(separator: ", "))",
                    hint: "`federation-node status` says since when; try again when they are back", isRetryable: true)
            }
            tables.append(
                try answer.partial.rolledUp(for: analysis, under: names).rolledUp(for: analysis, reference)
                    .table(for: analysis))
        }
        let rows = tables[0].rows.compactMap { row in row.cells[0].text.map { (name: $0, parts: row.parts) } }
        let scores = rows.flatMap { row in
            criteria.indices.map { index in
                EvaluationScore(
                    evaluatee: row.name, criterion: criteria[index].id, hits: Int(row.parts[index][0]),
                    tries: Int(row.parts[index][1]))
            }
        }
        var excluded: [String: [String: Int]] = [:]
        for row in tables.dropFirst().flatMap(\.rows) {
            guard let name = row.cells[0].text else { continue }
            for (index, reason) in reasons.enumerated() where row.parts[index][0] > 0 {
                excluded[name, default: [:]][reason] = Int(row.parts[index][0])
            }
        }
        return (scores, excluded)
    }

    // MARK: - Records

    private func report(
        _ result: EvaluationResult, _ detail: EvaluationDetail, by scheme: EvaluationScheme, _ period: CalendarPeriod,
        now: UnixMilliseconds
    ) -> EvaluationReport {
        let isHotline = scheme.evaluated == .hotline
        // Names of units are no part of a key.
        let name = isHotline ? result.evaluatee : String(fnv1a64(result.evaluatee.utf8), radix: 16)
        return EvaluationReport(
            id: "\(id)-\(scheme.id)-\(scheme.version)-\(period.label)-\(name)", by: id, scheme: scheme.id,
            version: scheme.version, period: period.label, evaluatee: result.evaluatee,
            node: isHotline ? result.evaluatee : id.code, madeAt: now, score: result.score?.toTwoPlaces,
            lower: result.lower?.toTwoPlaces, upper: result.upper?.toTwoPlaces, grade: result.grade, detail: detail)
    }

    private func keep(_ reports: [EvaluationReport], now: UnixMilliseconds) async throws {
        guard !reports.isEmpty else { return }
        let records = try reports.map { report in
            var fields: [String: FieldValue] = [
                "evaluation_id": .text(report.id), "occurred_at": .integer(now), "scheme": .text(report.scheme),
                "scheme_version": .integer(Int64(report.version)), "period": .text(report.period),
                "evaluatee": .text(report.evaluatee), "node": .text(report.node),
                "detail": .text(try Self.text(report.detail)),
            ]
            for (name, value) in [("score", report.score), ("lower", report.lower), ("upper", report.upper)] {
                if let value { fields[name] = .real(value) }
            }
            if let grade = report.grade { fields["grade"] = .text(grade) }
            return IntakeRecord(
                resource: CaseResources.evaluationResult.name, key: "\(report.id)-\(report.detail.revision)",
                fields: fields)
        }
        _ = try await commit(\.head) { try await store.intake(records, now: now) }
    }

    private func keep(
        objection id: String, _ ticket: String, _ step: String, reason: String, before: Double? = nil,
        after: Double? = nil, now: UnixMilliseconds
    ) async throws {
        var fields: [String: FieldValue] = [
            "evaluation_id": .text(id), "occurred_at": .integer(now), "ticket": .text(ticket), "step": .text(step),
            "reason": .text(reason),
        ]
        if let before { fields["score_before"] = .real(before) }
        if let after { fields["score_after"] = .real(after) }
        let record = IntakeRecord(
            resource: CaseResources.evaluationObjection.name, key: "\(self.id)-\(identity(now: now))", fields: fields)
        _ = try await commit(\.head) { try await store.intake([record], now: now) }
    }

    private func newest(_ id: String) async throws -> (result: EvaluationReport, state: EvaluationState) {
        guard let thread = try await store.thread(id, of: EvaluationKind()),
            let result = try await results(with: ["evaluation_id": id])
                .max(by: { $0.detail.revision < $1.detail.revision })
        else { throw unknownEvaluation }
        return (result, thread.state)
    }

    private func results(with filters: [String: String]) async throws -> [EvaluationReport] {
        try await store.records(of: CaseResources.evaluationResult, where: filters, newestBy: "occurred_at")
            .compactMap(EvaluationReport.init)
    }

    /// What this node found of a unit, by changes.
    func results(
        ofUnits names: [String], after seq: Seq, upTo end: Seq
    ) async throws -> [(report: EvaluationReport, seq: Seq)] {
        try await store.evaluations(ofUnits: names, after: seq, upTo: end).compactMap { record, seq in
            EvaluationReport(record).map { ($0, seq) }
        }
    }
}

/// An objection, or a decision about one.
package struct EvaluationObjectionReport: Sendable {
    package let by: NodeID
    package let at: UnixMilliseconds
    package let ticket: String
    /// A code of the list `objection_step`.
    package let step: String
    package let reason: String
    package let before: Double?
    package let after: Double?

    init(_ record: HeldRecord) {
        by = record.origin
        at = record.integer("occurred_at") ?? 0
        ticket = record.text("ticket") ?? ""
        step = record.text("step") ?? ""
        reason = record.text("reason") ?? ""
        before = record.real("score_before")
        after = record.real("score_after")
    }
}

extension EvaluationReport {
    /// Nil for one that a later program has written in another way.
    fileprivate init?(_ record: HeldRecord) {
        guard let id = record.text("evaluation_id"), let detail = record.text("detail"),
            let read = try? WireJSON.decode(EvaluationDetail.self, Array(detail.utf8))
        else { return nil }
        self.init(
            id: id, by: record.origin, scheme: record.text("scheme") ?? "",
            version: Int(record.integer("scheme_version") ?? 0), period: record.text("period") ?? "",
            evaluatee: record.text("evaluatee") ?? "", node: record.text("node") ?? "",
            madeAt: record.integer("occurred_at") ?? 0, score: record.real("score"), lower: record.real("lower"),
            upper: record.real("upper"), grade: record.text("grade"), detail: read)
    }
}

extension Analysis.Measure {
    /// The same figure without tickets that do not count: by conditions on the ticket, and those that are named.
    fileprivate func excluding(_ conditions: [String], _ tickets: Set<String>) throws -> Analysis.Measure {
        let ids = tickets.sorted { $0.precedes($1) }.map { "'\($0.replacing("'", with: ""))'" }.joined(separator: ", ")
        return try Analysis.Measure(
            name, version: version, unit: unit,
            terms: terms.map { term in
                let isTicket = term.fact == .ticket
                var base = term.base.text.isEmpty ? [] : ["(\(term.base.text))"]
                base += try conditions.map { "not (\(isTicket ? $0 : try Condition($0, on: .ticket).ofTicket))" }
                if !tickets.isEmpty { base.append("not \(isTicket ? "key" : "global_id") in (\(ids))") }
                return try Term(
                    term.fact, period: term.period, base: base.joined(separator: " and "),
                    numerator: term.numerator.text, denominator: term.denominator?.text, weight: term.weight)
            })
    }
}
