/// Alerts (预警) as a kind of thread: raised → acknowledged → situation opened, or dismissed with a reason → closed (domain model 3.6).
///
/// Nodes that find the same raise one alert together: each writes a record of its own, under an id that follows from rule, subject and period.
package struct AlertKind: ThreadKind {
    package static let title = "alert"

    package let name = title
    package let key = CaseRecord.key(of: title)

    package var forms: [ThreadForm<CaseRecord>] { Self.forms }

    private static let forms = [CaseResources.alert, CaseResources.alertAction].map(CaseRecord.form)

    package init() {}

    package func basis(_ rules: LifecycleRules) -> String { "1" }

    /// Who raised it and whom they named may act on it; what anybody else writes has no effect, nor has a step that the state does not allow.
    package func fold(_ records: [CaseRecord], rules: LifecycleRules) -> AlertState {
        let raised = records.of(CaseResources.alert).sorted(by: CaseRecord.isBefore)
        let standing = raised.filter { $0.integer("withdrawn_at") == nil }
        var state = AlertState(
            level: standing.compactMap { $0.text("level").flatMap { AlertLevel(rawValue: $0) } }.max() ?? .blue,
            raisers: Set(standing.map(\.origin)), since: raised.first?.at)
        let actors = raised.reduce(into: Set(raised.map(\.origin))) { $0.formUnion($1.nodes) }
        for record in records.of(CaseResources.alertAction).sorted(by: CaseRecord.isBefore)
        where actors.contains(record.origin) {
            state.take(record)
        }
        if standing.isEmpty && [.raised, .acknowledged].contains(state.status) {
            state.status = .withdrawn
            state.since = raised.compactMap { $0.integer("withdrawn_at") }.max()
        }
        return state
    }

    /// The node that raised it highest up, and whom that one names. A node does not come in by raising it too.
    package func audience(_ records: [CaseRecord], at here: NodeID, topology: Topology) -> Set<NodeID> {
        let raised = records.of(CaseResources.alert).compactMap { record in
            NodeID(record.origin).map { (record: record, node: $0, depth: topology.chain(from: $0).count) }
        }
        guard let head = raised.min(by: { ($0.depth, $0.node) < ($1.depth, $1.node) }) else { return [] }
        return Set(head.record.nodes.compactMap { NodeID($0) }.filter(topology.contains)).union([head.node])
    }
}

extension AlertKind {
    /// Whom an alert concerns: who serves the place, whose tickets it rests on, everybody above these, and, if it is urgent, the
    /// neighbours with whom the place's node has a border (its peers in the topology).
    ///
    /// - Parameters:
    ///   - place: a region code; nil where it is of no one place.
    ///   - origins: of the tickets.
    package static func concerned(
        place: String?, origins: Set<NodeID>, isUrgent: Bool, topology: Topology
    ) -> Set<NodeID> {
        let serving = topology.nodes.filter { node in place.map { RegionRange(node.region).contains($0) } ?? false }
        let nearest = serving.map { RegionRange($0.region).prefixLength }.max()
        let there = Set(serving.filter { RegionRange($0.region).prefixLength == nearest }.map(\.id))
        let concerned = there.union(origins.filter(topology.contains)).flatMap { topology.chain(from: $0) }
        return Set(concerned).union(isUrgent ? there.flatMap { topology.peers(of: $0) } : [])
    }
}

package struct AlertState: ThreadState, Hashable {
    package enum Status: String, CaseIterable, Sendable {
        case raised
        case acknowledged
        /// A situation was opened.
        case situation
        case dismissed
        case closed
        /// Nobody finds it any more, because the data were corrected.
        case withdrawn
    }

    package fileprivate(set) var status = Status.raised
    /// The highest that a node finds.
    package let level: AlertLevel
    package let raisers: Set<String>
    package fileprivate(set) var since: UnixMilliseconds?
    /// The node that acknowledged it.
    package private(set) var acknowledgedBy: String?
    package private(set) var situation: String?
    /// Why it was dismissed.
    package private(set) var reason: String?

    package var word: String { status.rawValue }

    fileprivate init(level: AlertLevel, raisers: Set<String>, since: UnixMilliseconds?) {
        self.level = level
        self.raisers = raisers
        self.since = since
    }

    /// Whether an action may follow.
    package func allows(_ action: AlertAction) -> Bool {
        switch action {
        case .acknowledge: status == .raised
        case .openSituation, .dismiss: [.raised, .acknowledged].contains(status)
        case .close: [.acknowledged, .situation].contains(status)
        }
    }

    fileprivate mutating func take(_ record: CaseRecord) {
        guard let action = record.text("action").flatMap({ AlertAction(rawValue: $0) }), allows(action) else { return }
        switch action {
        case .acknowledge:
            status = .acknowledged
            acknowledgedBy = record.origin
        case .openSituation:
            guard let opened = record.text("situation") else { return }
            status = .situation
            situation = opened
        case .dismiss:
            guard let given = record.text("reason") else { return }
            status = .dismissed
            reason = given
        case .close: status = .closed
        }
        since = record.at
    }
}

/// What is done about an alert.
package enum AlertAction: String, CaseIterable, Sendable {
    case acknowledge
    case openSituation = "open_situation"
    case dismiss
    case close
}
