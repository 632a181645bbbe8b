/// Urgent situations (应急情形, 7.1.2) as a kind of thread. The node that opened one leads it; whom it names, and whom it notifies, see it and
/// write in its timeline.
package struct SituationKind: ThreadKind {
    package static let title = "situation"

    package let name = title
    package let key = CaseRecord.key(of: title)

    package var forms: [ThreadForm<CaseRecord>] { Self.forms }

    private static let forms = [CaseResources.situation, CaseResources.situationStep].map(CaseRecord.form)

    package init() {}

    package func basis(_ rules: LifecycleRules) -> String { "1" }

    package func fold(_ records: [CaseRecord], rules: LifecycleRules) -> SituationState {
        guard let head = Self.head(records) else { return SituationState() }
        var state = SituationState(head)
        var inside = head.nodes.union([head.origin])
        for record in records.of(CaseResources.situationStep).sorted(by: CaseRecord.isBefore)
        where inside.contains(record.origin) {
            if state.take(record, leader: head.origin), let node = record.text("node") { inside.insert(node) }
        }
        return state
    }

    package func audience(_ records: [CaseRecord], at here: NodeID, topology: Topology) -> Set<NodeID> {
        guard let head = Self.head(records) else { return [] }
        var inside = head.nodes.union([head.origin])
        for record in records.of(CaseResources.situationStep).sorted(by: CaseRecord.isBefore)
        where inside.contains(record.origin) {
            if let node = record.text("node") { inside.insert(node) }
        }
        return Set(inside.compactMap { NodeID($0) }.filter(topology.contains))
    }

    /// The record of the node whose code begins the id. Another node's record under the same id opens nothing.
    private static func head(_ records: [CaseRecord]) -> CaseRecord? {
        records.of(CaseResources.situation).first { ($0.text("situation_id") ?? "").hasPrefix("\($0.origin)-") }
    }
}

package struct SituationState: ThreadState, Hashable {
    package enum Status: String, CaseIterable, Sendable {
        case open
        case closed
    }

    /// A unit that was told, in one of the three forms of 7.1.2 b.
    package struct Notification: Hashable, Sendable {
        /// The key of its record.
        package let id: String
        package let form: String
        package let unit: String?
        package let node: String?
        package let at: UnixMilliseconds
        package fileprivate(set) var acknowledgedAt: UnixMilliseconds?
        package fileprivate(set) var escalatedAt: UnixMilliseconds?

        /// Whether nobody has answered in time, and nobody above was told yet.
        package func isToEscalate(at now: UnixMilliseconds, after limit: UnixMilliseconds) -> Bool {
            acknowledgedAt == nil && escalatedAt == nil && now - at > limit
        }
    }

    package fileprivate(set) var status = Status.open
    package fileprivate(set) var since: UnixMilliseconds?
    package let title: String
    package let kind: String
    package fileprivate(set) var level: AlertLevel
    package let alert: String?
    package fileprivate(set) var members: Set<String> = []
    package fileprivate(set) var notifications: [Notification] = []
    /// Announcements and articles that answer it.
    package fileprivate(set) var answers: Set<String> = []
    /// Tickets whose reporters were told.
    package fileprivate(set) var informed: Set<String> = []

    package var word: String { status.rawValue }

    init() {
        (title, kind, level, alert) = ("", "", .blue, nil)
    }

    init(_ head: CaseRecord) {
        title = head.text("title") ?? ""
        kind = head.text("kind") ?? ""
        level = head.text("level").flatMap { AlertLevel(rawValue: $0) } ?? .blue
        alert = head.text("alert")
        since = head.at
    }

    /// Members that are overdue or not to their reporters' satisfaction and of whom nobody was told yet.
    package func toInform(_ failed: Set<String>) -> Set<String> { members.intersection(failed).subtracting(informed) }

    /// Whether it must stay open: it has such members, and neither announcement nor article answers it.
    package func lacksAnswer(_ failed: Set<String>) -> Bool {
        !members.isDisjoint(with: failed) && answers.isEmpty
    }

    /// - Returns: whether the step has an effect.
    fileprivate mutating func take(_ record: CaseRecord, leader: String) -> Bool {
        guard status == .open, let step = record.text("step").flatMap({ SituationStep(rawValue: $0) }) else {
            return false
        }
        let isLeader = record.origin.isSame(as: leader)
        switch step {
        case .note: return true
        case .addTicket: record.text("ticket").map { _ = members.insert($0) }
        case .removeTicket:
            guard isLeader else { return false }
            record.text("ticket").map { _ = members.remove($0) }
        case .notify:
            notifications.append(
                Notification(
                    id: record.key, form: record.text("form") ?? "", unit: record.text("unit"),
                    node: record.text("node"), at: record.at))
        case .acknowledge, .escalate:
            guard let index = notifications.firstIndex(where: { $0.id.isSame(as: record.text("reference") ?? "") })
            else { return false }
            if step == .escalate {
                notifications[index].escalatedAt = notifications[index].escalatedAt ?? record.at
            } else {
                notifications[index].acknowledgedAt = notifications[index].acknowledgedAt ?? record.at
            }
        case .answer: record.text("reference").map { _ = answers.insert($0) }
        case .inform: record.text("ticket").map { _ = informed.insert($0) }
        case .setLevel:
            guard isLeader, let new = record.text("level").flatMap({ AlertLevel(rawValue: $0) }) else { return false }
            level = new
        case .close:
            guard isLeader else { return false }
            status = .closed
            since = record.at
        }
        return true
    }
}

/// A line of a situation's timeline.
package enum SituationStep: String, CaseIterable, Sendable {
    case note
    case addTicket = "add_ticket"
    case removeTicket = "remove_ticket"
    /// A unit is told: 工单, 连线外呼 or 一键转接.
    case notify
    /// The unit, or its node, has heard.
    case acknowledge
    /// It has not, and the node above is told.
    case escalate
    /// An announcement or an article answers it.
    case answer
    /// A reporter was told.
    case inform
    case setLevel = "set_level"
    case close
}
