/// Results of evaluations (评价结果, 7.2.4) with objections to them as a kind of thread. A result goes to whom it is about, and to nobody
/// else.
package struct EvaluationKind: ThreadKind {
    package static let title = "evaluation"

    package let name = title
    package let key = CaseRecord.key(of: title)

    package var forms: [ThreadForm<CaseRecord>] { Self.forms }

    private static let forms = [CaseResources.evaluationResult, CaseResources.evaluationObjection]
        .map(CaseRecord.form)

    package init() {}

    package func basis(_ rules: LifecycleRules) -> String { "1" }

    package func fold(_ records: [CaseRecord], rules: LifecycleRules) -> EvaluationState {
        guard let result = Self.head(records) else { return EvaluationState(since: nil) }
        var state = EvaluationState(since: result.at)
        for record in records.of(CaseResources.evaluationObjection).sorted(by: CaseRecord.isBefore) {
            state.take(record, evaluated: result.text("node") ?? "", evaluator: result.origin)
        }
        return state
    }

    package func audience(_ records: [CaseRecord], at here: NodeID, topology: Topology) -> Set<NodeID> {
        guard let result = Self.head(records), let origin = NodeID(result.origin) else { return [] }
        return Set([result.text("node").flatMap { NodeID($0) }].compactMap { $0 }.filter(topology.contains))
            .union([origin])
    }

    /// The record of the node whose code begins the id.
    private static func head(_ records: [CaseRecord]) -> CaseRecord? {
        records.of(CaseResources.evaluationResult).first { ($0.text("evaluation_id") ?? "").hasPrefix("\($0.origin)-") }
    }
}

package struct EvaluationState: ThreadState, Hashable {
    package enum Status: String, CaseIterable, Sendable {
        case published
        case objected
        case decided
    }

    package private(set) var status = Status.published
    package private(set) var since: UnixMilliseconds?
    /// Tickets to which an objection waits for a decision.
    package private(set) var pending: Set<String> = []
    /// Those that do not count any more.
    package private(set) var upheld: Set<String> = []

    package var word: String { status.rawValue }

    fileprivate init(since: UnixMilliseconds?) { self.since = since }

    fileprivate mutating func take(_ record: CaseRecord, evaluated: String, evaluator: String) {
        guard let ticket = record.text("ticket") else { return }
        switch record.text("step") {
        case "object":
            guard record.origin.isSame(as: evaluated) || record.origin.isSame(as: evaluator), !upheld.contains(ticket)
            else { return }
            pending.insert(ticket)
        case "uphold", "reject":
            guard record.origin.isSame(as: evaluator), pending.remove(ticket) != nil else { return }
            if record.text("step") == "uphold" { upheld.insert(ticket) }
        default: return
        }
        status = pending.isEmpty ? .decided : .objected
        since = record.at
    }
}
