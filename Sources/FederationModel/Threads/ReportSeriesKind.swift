/// Reports (分析报告, 7.2.1.1) as a kind of thread: all of one kind by one node, with who gets them. A subscriber has the whole archive.
package struct ReportSeriesKind: ThreadKind {
    package static let title = "report_series"

    package let name = title
    package let key = CaseRecord.key(of: title)

    package var forms: [ThreadForm<CaseRecord>] { Self.forms }

    private static let forms = [CaseResources.report, CaseResources.reportSubscription].map(CaseRecord.form)

    package init() {}

    /// The series of a node: `370000-monthly`. The editions for the public are a series of their own, which goes to everybody below.
    package static func id(of node: NodeID, _ series: String) -> String { "\(node)-\(series)" }

    package static let publicSeries = "public"

    package func basis(_ rules: LifecycleRules) -> String { "1" }

    package func fold(_ records: [CaseRecord], rules: LifecycleRules) -> ReportSeriesState {
        let own = Self.own(records)
        let reports = own.of(CaseResources.report)
        return ReportSeriesState(
            reports: Set(reports.compactMap { $0.text("number") }).count, since: reports.map(\.at).max(),
            subscribers: Self.subscribers(own))
    }

    /// Who makes the reports, and whom that node lets have them; nobody brings himself in.
    package func audience(_ records: [CaseRecord], at here: NodeID, topology: Topology) -> Set<NodeID> {
        let own = Self.own(records)
        guard let origin = own.first.flatMap({ NodeID($0.origin) }) else { return [] }
        let isPublic = own.contains { $0.text("report_series_id") == Self.id(of: origin, Self.publicSeries) }
        return Self.subscribers(own).filter(topology.contains).union(isPublic ? topology.subtree(of: origin) : [origin])
    }

    /// The records of the node whose code begins the id.
    private static func own(_ records: [CaseRecord]) -> [CaseRecord] {
        records.filter { ($0.text("report_series_id") ?? "").hasPrefix("\($0.origin)-") }
    }

    private static func subscribers(_ records: [CaseRecord]) -> Set<NodeID> {
        Set(
            records.of(CaseResources.reportSubscription).filter { $0.integer("ended_at") == nil }
                .compactMap { $0.text("node").flatMap { NodeID($0) } })
    }
}

package struct ReportSeriesState: ThreadState, Hashable {
    /// Revisions of one report are one.
    package let reports: Int
    /// When the newest was made.
    package let since: UnixMilliseconds?
    package let subscribers: Set<NodeID>

    package var word: String { reports == 0 ? "empty" : "archived" }
}
