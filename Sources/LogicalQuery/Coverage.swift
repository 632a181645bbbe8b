import FederationModel

/// How a node took part in an answer.
package enum CoverageState: String, Hashable, Sendable, Codable, CaseIterable {
    case ok
    /// Answered from a copy that is behind its origin.
    case late
    case unreachable
    /// Answered from a copy whose origin has not been heard for longer than its update cycle allows.
    case stale
    /// Refused by policy.
    case denied
    /// The copy, or the node itself, is still being filled.
    case bootstrapping

    /// Whether the node's tickets are in the answer as they are, or were at a stated time shortly before.
    package var isAnswered: Bool { self == .ok || self == .late }

    /// Whether an answer may hold rows of the node: also of a copy that is old, or still being filled.
    package var hasRows: Bool { isAnswered || self == .stale || self == .bootstrapping }
}

/// What is said of one node in an answer, by whoever holds its rows. It travels up unchanged.
package struct NodeReport: Hashable, Sendable, Codable {
    package let node: NodeID
    package let state: CoverageState
    /// The data is complete up to this time; nil when that is not known.
    package let asOf: UnixMilliseconds?
    /// Its live tickets, whatever the filters, or calls where calls are counted; nil when that is not known.
    package let rows: Int64?
    /// Changes that whoever holds its rows had not derived tickets' states from yet; nil when there were none.
    package let lagRows: Int64?
    /// Its rows that whoever holds them has put aside, and that are in no answer therefore; nil when there are none.
    package let quarantined: Int64?
    /// The code of what went wrong, when it gave no answer; nil when that is not known.
    package let code: String?
    /// When it gave the answer that stands for the one that it does not give now; nil when it gives one.
    package let answeredAt: UnixMilliseconds?
    /// Its groups of fewer rows than so many are not in the answer (`LinkGrant.minCell`), nor are some others that would tell them;
    /// nil when none was left out.
    package let minCell: Int64?

    package init(
        node: NodeID, state: CoverageState, asOf: UnixMilliseconds? = nil, rows: Int64? = nil, lagRows: Int64? = nil,
        quarantined: Int64? = nil, code: String? = nil, answeredAt: UnixMilliseconds? = nil, minCell: Int64? = nil
    ) {
        self.answeredAt = answeredAt
        self.minCell = minCell
        self.quarantined = quarantined
        self.code = code
        self.node = node
        self.state = state
        self.asOf = asOf
        self.rows = rows
        self.lagRows = lagRows
    }

    /// What is said of the node when an answer of before stands for the one that it does not give.
    func remembered(since time: UnixMilliseconds, because code: String) -> NodeReport {
        NodeReport(
            node: node, state: .stale, asOf: asOf, rows: rows, lagRows: lagRows, quarantined: quarantined, code: code,
            answeredAt: time, minCell: minCell)
    }

    /// The same where small groups were left out.
    func suppressing(_ minCell: Int64) -> NodeReport {
        NodeReport(
            node: node, state: state, asOf: asOf, rows: rows, lagRows: lagRows, quarantined: quarantined, code: code,
            answeredAt: answeredAt, minCell: max(minCell, self.minCell ?? 0))
    }

    static func isCode(_ text: String) -> Bool { text.wholeMatch(of: /E_[A-Z_]{1,60}/) != nil }

    /// Whether a child reports on each origin that it was asked for, once, and on no other.
    ///
    /// - Throws: `E_ANALYSIS_ANSWER`.
    static func check(_ reports: [NodeReport], areOf origins: [NodeID]) throws(FederationError) {
        guard reports.count == origins.count, Set(reports.map(\.node)) == Set(origins) else {
            throw .badAnswer("it must report on each of the \(origins.count) origins asked for, once")
        }
        if reports.contains(where: { ($0.rows ?? 0) < 0 || ($0.lagRows ?? 0) < 0 || ($0.quarantined ?? 0) < 0 }) {
            throw .badAnswer("a number of rows below 0")
        }
        if reports.contains(where: { $0.code.map { !isCode($0) } ?? false }) {
            throw .badAnswer("a code that is none")
        }
    }
}

/// One node of the scope, as the asking node sees it.
package struct NodeCoverage: Hashable, Sendable, Codable {
    package let node: NodeID
    package let name: String
    /// Physical when the asking node answered from its own copy, logical when the question went down.
    package let mode: AggregationMode
    package let state: CoverageState
    package let asOf: UnixMilliseconds?
    package let rows: Int64?
    /// As in its report.
    package let lagRows: Int64?
    package let quarantined: Int64?
    package let code: String?
    package let answeredAt: UnixMilliseconds?
    package let minCell: Int64?
    /// Whether a policy holds some of its tickets back from the answer: complete then means all that are granted.
    package let isFiltered: Bool
    /// Whether it was detached, and this is what it left (封存).
    package let isFrozen: Bool
}

/// Which nodes of the scope are in an answer. Every answer has one, so a missing node is named and never silently left
/// out (domain rule 3).
package struct Coverage: Hashable, Sendable, Codable {
    /// The nodes of the scope below the asking node, by code. The asking node itself is counted only where nothing is asked for but
    /// its own rows.
    package let nodes: [NodeCoverage]
    /// Changes that the asking node itself had not derived tickets' states from yet; nil when there were none.
    package let lagRows: Int64?
    /// Whether whoever asks takes a stale copy for an answer.
    package let allowsStale: Bool

    /// Names and modes come from the asking node's topology, the rest from the reports; a node that nobody reports on is
    /// unreachable.
    package init(
        plan: QueryPlan, topology: Topology, reports: [NodeReport], allowsStale: Bool = false
    ) {
        self.allowsStale = allowsStale
        let reports = Dictionary(reports.map { ($0.node, $0) }, uniquingKeysWith: { first, _ in first })
        let local = Set(plan.local)
        lagRows = reports[plan.node]?.lagRows
        let below = plan.origins.filter { $0 != plan.node }
        // The asking node is one of them only where there is no other, or where it lacks rows itself.
        let lacksOwn = plan.origins.contains(plan.node) && reports[plan.node]?.state.isAnswered == false
        nodes = (below.isEmpty || lacksOwn ? plan.origins : below).sorted().map { node in
            let report = reports[node] ?? NodeReport(node: node, state: .unreachable)
            return NodeCoverage(
                node: node, name: topology.name(of: node) ?? "", mode: local.contains(node) ? .physical : .logical,
                state: report.state, asOf: report.asOf, rows: report.rows, lagRows: report.lagRows,
                quarantined: report.quarantined, code: report.code, answeredAt: report.answeredAt,
                minCell: report.minCell,
                isFiltered: Self.isFiltered(node, plan, topology),
                isFrozen: topology.detached.contains { $0.id == node })
        }
    }

    /// A filter holds for every way out of a node: for what is copied, and for what is asked of it.
    private static func isFiltered(_ origin: NodeID, _ plan: QueryPlan, _ topology: Topology) -> Bool {
        var sender = topology.detached.first { $0.id == origin }?.parent ?? origin
        while sender != plan.node, let receiver = topology.node(sender)?.parent {
            if !topology.grant(from: sender, to: receiver).tickets.isEmpty { return true }
            sender = receiver
        }
        return false
    }

    package var expected: Int { nodes.count }

    package var answered: Int { nodes.count(where: counts) }

    /// True as well when there is nobody to ask.
    package var complete: Bool { answered == expected }

    /// Whether its rows may be shown: all are there, or an earlier answer stands for each that is not, and the asker takes it.
    package var isShown: Bool {
        missing.allSatisfy { allowsStale && $0.state == .stale && $0.quarantined == nil }
    }

    /// The nodes that keep it from being complete.
    package var missing: [NodeCoverage] { nodes.filter { !counts($0) } }

    /// Whether the same nodes took part in another answer, and in the same way.
    package func isLike(_ other: Coverage) -> Bool {
        nodes.map(\.node) == other.nodes.map(\.node) && nodes.map(\.state) == other.nodes.map(\.state)
    }

    private func counts(_ node: NodeCoverage) -> Bool {
        // What a node said before is never all of what there is.
        (node.state.isAnswered || allowsStale && node.state == .stale && node.answeredAt == nil)
            && node.quarantined == nil
    }
}
