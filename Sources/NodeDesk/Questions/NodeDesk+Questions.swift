import FederationModel
import LocalStore
import LogicalQuery

/// What is to be counted and measured, as people write it.
package struct AnalysisQuestion: Sendable {
    /// Names of indicators; empty for the number of tickets.
    package var measures: [String] = []
    package var dimensions: [String] = []
    /// `FIELD=VALUE[,VALUE]`, `FIELD!=VALUE` or `FIELD^=PREFIX`; values by code or as tables print them, nodes by code or the
    /// beginning of a name.
    package var filters: [String] = []
    /// What happened from then on, by the period of each indicator.
    package var from: UnixMilliseconds?
    /// What happened before then.
    package var to: UnixMilliseconds?
    package var top: Int?
    /// In whose day's tree regions are counted; nil for today's.
    package var regionsAsOf: UnixMilliseconds?
    /// Against what periods are held.
    package var comparison: PeriodComparison?
    /// A table of plan values, each row by the names of its columns: `indicator`, `period`, `value` (指标, 期间, 计划值), and dimensions.
    package var plan: [[String: String]]?
    package var showsShare = false
    package var showsRank = false
    package var showsRunning = false
    package var showsTotal = false
    /// Whether it is told how many rows of the base were left out.
    package var showsLeftOut = false

    package init() {}
}

/// Which rows are wanted, as people write it.
package struct RowQuestion: Sendable {
    package var resource: String
    /// Names of columns; nil for all.
    package var columns: [String]?
    /// As in `AnalysisQuestion`.
    package var filters: [String] = []
    package var from: UnixMilliseconds?
    package var to: UnixMilliseconds?
    package var limit = 50
    /// Go on behind this row.
    package var after: RowKey?

    package init(resource: String) { self.resource = resource }
}

/// The answer to an analysis, with what it covers.
package struct AnalysisReport: Sendable {
    package let analysis: Analysis
    /// What was measured, in the order of the analysis.
    package let indicators: [Indicator]
    package let table: ResultTable
    package let coverage: Coverage
    package let comparison: ComparisonReport?
    /// By measure, what was left out of its base; nil where that was not asked for.
    package let leftOut: [LeftOutReport]?
    /// How the answer came about, and the former figures; in the order in which it ended.
    package let steps: [AnswerStep]

    /// Whether its rows may be shown without being asked for in spite of what is missing.
    package var isShown: Bool { coverage.isShown && comparison?.coverage?.isShown ?? true }

    /// Whether everything is in it that was asked for, former figures too.
    package var isComplete: Bool { coverage.complete && comparison?.coverage?.complete ?? true }
}

/// Rows that are not in a figure.
package struct LeftOutReport: Sendable {
    package let indicator: Indicator
    /// Of the period, by the definition.
    package let excluded: Int64
    /// Of all times: they have no time in the column that decides the period.
    package let undated: Int64
    /// That column; of several terms those of all.
    package let periods: [String]
}

/// What an answer is held against.
package struct ComparisonReport: Sendable {
    package let kind: PeriodComparison
    /// The former period, where all rows have the same.
    package let former: Range<UnixMilliseconds>?
    /// What days of the period, and of the former one, are called that are not like others.
    package let specialDates: [String]
    package let formerSpecialDates: [String]
    /// Whether a period is not over yet, so that it is held against more time than it has had.
    package let isRunning: Bool
    /// That of the former figures, where it is another than that of the answer.
    package let coverage: Coverage?
    /// The nodes that have rows, and had none in the former period: by them everything has grown.
    package let withoutFormer: [NodeCoverage]
}

/// A page of rows, with what it covers.
package struct RowReport: Sendable {
    package let query: RowQuery
    package let rows: [RowAnswer.Row]
    /// The row behind which the next page begins; nil when this is the last one.
    package let next: RowKey?
    /// By node, the columns that it does not give.
    package let withheld: [String: [String]]
    package let coverage: Coverage
}

extension NodeDesk {
    /// Counts and measures over everything below this node. A node that does not answer in time is missing, and the coverage
    /// names it.
    ///
    /// - Parameters:
    ///   - allowsStale: whether a copy counts that is older than its update cycle allows, and what a child answered before may
    ///     stand for an answer that it does not give. The latter never counts as complete.
    ///   - deadlineMS: how long the whole answer may take.
    /// - Throws: `E_ANALYSIS_…`, `E_FILTER_…`, `E_PLAN_…`, `E_NODE_UNKNOWN`, `E_NODE_AMBIGUOUS` for what can't be asked.
    package func ask(
        _ question: AnalysisQuestion, allowsStale: Bool = false, deadlineMS: Int64
    ) async throws -> AnalysisReport {
        try await perform(.askAnalysis) { now in
            let names = question.measures.isEmpty ? [Analysis.Measure.count.name] : question.measures
            let library = try indicatorLibrary()
            let indicators = try names.map { try library.named($0) }
            let known = try dimensions(of: indicators.map(\.measure))
            let analysis = try Analysis(
                measures: indicators.map(\.measure),
                dimensions: question.dimensions.map { try Analysis.Dimension($0, among: known) },
                filters: question.filters.map { try filter($0, among: known) }, from: question.from, to: question.to,
                top: question.top, asOf: now, regionsAsOf: question.regionsAsOf)
            if question.showsShare, !analysis.measures.contains(where: { $0.unit == .count }) {
                throw FederationError(
                    "E_ANALYSIS_INVALID", "a share is of counts, and nothing of them is measured",
                    hint: "add `--measure count`")
            }
            let comparison = try question.comparison.map { try Comparison($0, of: analysis) }
            let presence = try comparison?.presence()
            let leftOut = question.showsLeftOut ? try LeftOut(of: analysis) : nil
            let held = [analysis] + (comparison?.questions ?? []) + (presence.map { [$0] } ?? [])
            let asked = held + (leftOut.map { [$0.excluded, $0.undated] } ?? [])
            let all = try await withView { view in
                try await view.answers(to: asked, allowsStale: allowsStale, deadlineMS: deadlineMS, now: now)
            }
            let answers = all.prefix(held.count)
            let coverages = answers.map { plan, answer in
                Coverage(plan: plan, topology: topology, reports: answer.nodes, allowsStale: allowsStale)
            }
            var extras = TableExtras()
            let partial = answers[0].answer.partial
            if let comparison {
                let former = answers.dropFirst().prefix(comparison.questions.count).map(\.answer.partial)
                extras.comparison = (
                    comparison,
                    try comparison.former(Array(former), of: partial).rolledUp(for: analysis, reference)
                )
            }
            extras.plan = try question.plan.map { try PlanValues(planLines($0, library, known)) }
            extras.specialDates = reference.specialDates
            extras.residents = Residents(reference.population, region: topology.node(id)?.region ?? id.code)
            (extras.showsShare, extras.showsRank) = (question.showsShare, question.showsRank)
            (extras.showsRunning, extras.showsTotal) = (question.showsRunning, question.showsTotal)
            return AnalysisReport(
                analysis: analysis, indicators: indicators,
                table: try partial.rolledUp(for: analysis, reference).table(for: analysis, extras),
                coverage: coverages[0],
                comparison: comparison.map {
                    report(on: $0, of: analysis, coverages, partial, presence.map { _ in answers.last?.answer.partial })
                },
                leftOut: leftOut.map { _ in report(on: indicators, all.suffix(2).map(\.answer.partial)) },
                steps: answers.prefix(1 + (comparison?.questions.count ?? 0)).flatMap(\.answer.steps))
        }
    }

    /// - Parameter partials: the answers to the two questions of ``LeftOut``.
    private func report(on indicators: [Indicator], _ partials: [PartialResult]) -> [LeftOutReport] {
        var place = 0
        return indicators.map { indicator in
            let terms = indicator.measure.terms
            let sums = partials.map { ($0.groups[[]]?.sums ?? []).dropFirst(place).prefix(terms.count).reduce(0, &+) }
            place += terms.count
            var periods: [String] = []
            for term in terms where !periods.contains(term.period) { periods.append(term.period) }
            return LeftOutReport(indicator: indicator, excluded: sums[0], undated: sums[1], periods: periods)
        }
    }

    /// - Parameter coverages: that of the answer, those of the former figures, and that of who had any.
    private func report(
        on comparison: Comparison, of analysis: Analysis, _ coverages: [Coverage], _ partial: PartialResult,
        _ presence: PartialResult??
    ) -> ComparisonReport {
        func titles(_ time: Range<UnixMilliseconds>?) -> [String] {
            guard let time else { return [] }
            return reference.specialDates.titles(
                in: ShanghaiTime.dayNumber(time.lowerBound)..<ShanghaiTime.dayNumber(time.upperBound - 1) + 1)
        }
        let asked = comparison.former.flatMap { _ in analysis.from.flatMap { from in analysis.to.map { from..<$0 } } }
        let now = analysis.asOf
        let isRunning =
            asked?.contains(now)
            ?? partial.groups.keys.contains {
                comparison.period(of: $0)?.time.contains(now) ?? false
            }
        let present = (presence ?? nil).map { Set($0.groups.keys.map { $0.first??.text }) }
        return ComparisonReport(
            kind: comparison.kind, former: comparison.former, specialDates: titles(asked),
            formerSpecialDates: titles(comparison.former), isRunning: isRunning,
            coverage: coverages.dropFirst().first { !$0.isLike(coverages[0]) },
            withoutFormer: present.map { present in
                let heard = Set(
                    coverages.last?.nodes.filter { $0.state.isAnswered && $0.minCell == nil }.map(\.node) ?? [])
                return coverages[0].nodes.filter {
                    $0.rows ?? 0 > 0 && heard.contains($0.node) && !present.contains($0.node.code)
                }
            } ?? [])
    }

    // MARK: - Plans

    private static let planColumns = [
        "indicator": ["indicator", "指标"], "period": ["period", "期间"], "value": ["value", "计划值"],
    ]

    /// - Throws: `E_PLAN_INVALID` with the row.
    private func planLines(
        _ rows: [[String: String]], _ library: IndicatorLibrary, _ known: [Analysis.Dimension]
    ) throws -> [PlanValues.Line] {
        try rows.enumerated().map { index, row in
            func fault(_ reason: String, _ hint: String) -> FederationError {
                FederationError("E_PLAN_INVALID", "row \(index + 1) of the plan: \(reason)", hint: hint)
            }
            func cell(_ name: String) -> String { Self.planColumns[name]?.lazy.compactMap { row[$0] }.first ?? "" }
            guard let indicator = try? library.named(cell("indicator")) else {
                throw fault("no known indicator", "`indicator list` prints their names and titles")
            }
            guard let period = PlanValues.period(cell("period")) else {
                throw fault("no period", "2025, 2025-Q3, 2025-09, 2025-W40 or 2025-09-30")
            }
            guard let value = Double(cell("value")), value.isFinite else {
                throw fault("no number as the value", "digits and a point; of a percentage without its sign")
            }
            var places: [Analysis.Dimension: String] = [:]
            let own = Set(Self.planColumns.values.flatMap(\.self))
            for (column, text) in row where !own.contains(column) && !text.isEmpty {
                do {
                    let dimension = try Analysis.Dimension(column, among: known)
                    let value =
                        dimension.isNode
                        ? try node(named: text).id.code : try dimension.countedValue(of: text, reference)
                    if let value {
                        places[dimension] = value
                        continue
                    }
                    let filter = try filter("\(column)=\(text)", among: known)
                    guard filter.values.count == 1, places[filter.field] == nil else {
                        throw fault("two values of one dimension", "give each a row")
                    }
                    places[filter.field] = filter.values[0]
                } catch let error as FederationError where error.code != "E_PLAN_INVALID" {
                    throw fault(error.message, error.hint ?? "columns are dimensions, and cells their values")
                }
            }
            return PlanValues.Line(measure: indicator.measure, period: period, places: places, value: value)
        }
    }

    /// What rows can be split by: the columns of the data sets that are counted, and the dimensions of the program.
    private func dimensions(of measures: [Analysis.Measure]) throws -> [Analysis.Dimension] {
        let names = Set(measures.flatMap { $0.terms.compactMap(\.fact.dataset) })
        guard !names.isEmpty else { return Analysis.Dimension.allCases }
        let datasets = try registrations().map(\.dataset).filter { names.contains($0.name) }
        return datasets.flatMap { Analysis.Dimension.fields(of: $0) } + Analysis.Dimension.allCases
    }

    /// A filter as people write it.
    func filter(
        _ text: String, among known: [Analysis.Dimension] = Analysis.Dimension.allCases
    ) throws -> Analysis.Filter {
        let filter = try Analysis.Filter.parse(text, reference: reference, among: known)
        guard filter.field.isNode else { return filter }
        let named =
            filter.comparison == .hasPrefix
            ? filter : try Analysis.Filter(filter.field, filter.comparison, codes(of: filter.values))
        return filter.field == .nodeOfUnit ? try UnitRegister(reference).filter(onNodes: named) : named
    }

    /// A page of rows of a resource over everything below this node. Personal fields are masked, and nobody can select by them.
    ///
    /// - Parameters:
    ///   - allowsStale: whether a copy counts that is older than its update cycle allows.
    ///   - deadlineMS: how long the whole answer may take.
    /// - Throws: `E_ROWS_…`, `E_RESOURCE_UNKNOWN`, `E_FILTER_…`, `E_NODE_UNKNOWN`, `E_NODE_AMBIGUOUS` for what can't be asked.
    package func ask(
        _ question: RowQuestion, allowsStale: Bool = false, deadlineMS: Int64
    ) async throws -> RowReport {
        try await perform(.askRows) { now in
            let resource = ResourceName(question.resource)
            let query = try RowQuery(
                resource, columns: question.columns,
                filters: question.filters.map { text in
                    let filter = try RowQuery.Filter.parse(
                        text, of: BuiltInResources.named(resource), reference: reference)
                    guard filter.field == RowQuery.Filter.origin, filter.comparison != .hasPrefix else {
                        return filter
                    }
                    return try RowQuery.Filter(filter.field, filter.comparison, codes(of: filter.values))
                }, from: question.from, to: question.to, limit: question.limit, after: question.after)
            let (plan, answer) = try await withView { view in
                try await view.rows(query, deadlineMS: deadlineMS, now: now)
            }
            return RowReport(
                query: query, rows: answer.rows, next: answer.next, withheld: answer.withheld,
                coverage: Coverage(
                    plan: plan, topology: topology, reports: answer.nodes, allowsStale: allowsStale))
        }
    }

    /// The questions that this node asked its children or answered its parent, the newest first.
    package func queryLog(since: UnixMilliseconds?, limit: Int) async throws -> [QueryLogEntry] {
        try await perform(.showQueryLog) { _ in try await store.queryLog(since: since, limit: limit) }
    }

    /// Nodes may be named as everywhere else; one that is not in the topology is an error, not an answer of nothing.
    private func codes(of names: [String]) throws -> [String] { try names.map { try node(named: $0).id.code } }

    /// Gives the merged view over the desk's connections, or over some for this question alone.
    func withView<Answer>(_ ask: (MergedView) async throws -> Answer) async throws -> Answer {
        try await withPeers { try await ask(MergedView(store: store, peers: $0, warehouse: local.warehouse)) }
    }

    /// Gives the desk's connections, or, to a command, the running service's or some for this once.
    func withPeers<Answer>(_ ask: (PeerClients) async throws -> Answer) async throws -> Answer {
        if let peers { return try await ask(peers) }
        let credentials = { @Sendable [local] () throws(FederationError) in try local.credentials() }
        let peers = PeerClients(
            store: store, way: ServiceRelay(settings, credentials: credentials), credentials: credentials)
        do {
            let answer = try await ask(peers)
            await peers.shutdown()
            return answer
        } catch {
            await peers.shutdown()
            throw error
        }
    }
}
