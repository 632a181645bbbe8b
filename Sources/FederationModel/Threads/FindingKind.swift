/// Findings (问题发现, 7.1.1 b) with the measures that answer them (7.1.1 c) as a kind of thread.
package struct FindingKind: ThreadKind {
    package static let title = "finding"

    package let name = title
    package let key = CaseRecord.key(of: title)

    package var forms: [ThreadForm<CaseRecord>] { Self.forms }

    private static let forms = [CaseResources.finding, CaseResources.measure].map(CaseRecord.form)

    package init() {}

    package func basis(_ rules: LifecycleRules) -> String { "1" }

    package func fold(_ records: [CaseRecord], rules: LifecycleRules) -> FindingState {
        let found = records.of(CaseResources.finding).sorted(by: CaseRecord.isBefore)
        var state = FindingState(since: found.first?.at)
        let inside = found.reduce(into: Set(found.map(\.origin))) { $0.formUnion($1.nodes) }
        for record in records.of(CaseResources.measure).sorted(by: CaseRecord.isBefore)
        where inside.contains(record.origin) {
            state.take(record)
        }
        return state
    }

    package func audience(_ records: [CaseRecord], at here: NodeID, topology: Topology) -> Set<NodeID> {
        let found = records.of(CaseResources.finding).sorted(by: CaseRecord.isBefore)
        guard let head = found.first, let origin = NodeID(head.origin) else { return [] }
        return Set(head.nodes.compactMap { NodeID($0) }.filter(topology.contains)).union([origin])
    }
}

package struct FindingState: ThreadState, Hashable {
    package enum Status: String, CaseIterable, Sendable {
        case open
        /// Somebody has to do something until a day.
        case measured
        case done
        /// What it changed was measured.
        case evaluated

        package var title: String {
            switch self {
            case .open: "待提出措施"
            case .measured: "措施落实中"
            case .done: "措施已完成"
            case .evaluated: "效果已评估"
            }
        }
    }

    package private(set) var status = Status.open
    package private(set) var since: UnixMilliseconds?
    package private(set) var owner: String?
    package private(set) var dueAt: UnixMilliseconds?

    package var word: String { status.rawValue }

    fileprivate init(since: UnixMilliseconds?) { self.since = since }

    fileprivate mutating func take(_ record: CaseRecord) {
        switch record.text("step") {
        case "propose":
            guard let owner = record.text("owner"), let due = record.integer("due_datetime") else { return }
            (self.owner, dueAt, status) = (owner, due, .measured)
        case "complete" where status == .measured: status = .done
        case "evaluate" where status == .done: status = .evaluated
        default: return
        }
        since = record.at
    }
}
