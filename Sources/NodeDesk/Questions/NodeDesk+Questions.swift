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
    /// What this node can measure.
    package var indicators: IndicatorLibrary { .builtIn }

    /// Counts and measures over everything below this node. A node that does not answer in time is missing, and the coverage
    /// names it.
    ///
    /// - Parameters:
    ///   - allowsStale: whether a copy counts that is older than its update cycle allows.
    ///   - deadlineMS: how long the whole answer may take.
    /// - Throws: `E_ANALYSIS_…`, `E_FILTER_…`, `E_NODE_UNKNOWN`, `E_NODE_AMBIGUOUS` for what can't be asked.
    package func ask(
        _ question: AnalysisQuestion, allowsStale: Bool = false, deadlineMS: Int64
    ) async throws -> AnalysisReport {
        try await perform(.askAnalysis) { now in
            let names = question.measures.isEmpty ? [Analysis.Measure.count.name] : question.measures
            let indicators = try names.map { try self.indicators.named($0) }
            let analysis = try Analysis(
                measures: indicators.map(\.measure),
                dimensions: question.dimensions.map { try Analysis.Dimension($0) },
                filters: question.filters.map { text in
                    let filter = try Analysis.Filter.parse(text, reference: reference)
                    guard filter.field.isNode, filter.comparison != .hasPrefix else { return filter }
                    return try Analysis.Filter(filter.field, filter.comparison, codes(of: filter.values))
                }, from: question.from, to: question.to, top: question.top, asOf: now,
                regionsAsOf: question.regionsAsOf)
            let (plan, answer) = try await withView { view in
                try await view.answer(analysis, deadlineMS: deadlineMS, now: now)
            }
            return AnalysisReport(
                analysis: analysis, indicators: indicators, table: answer.partial.table(for: analysis),
                coverage: Coverage(plan: plan, topology: topology, reports: answer.nodes, allowsStale: allowsStale))
        }
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
                        text, of: BuiltInResources.named(resource), lists: reference.lists)
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
        try await withPeers { try await ask(MergedView(store: store, peers: $0)) }
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
