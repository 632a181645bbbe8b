/// The state of a ticket (domain model 2.4). The raw values are what the store, the queries and the console say.
package enum TicketStatus: String, Sendable, CaseIterable {
    case received
    case notAccepted = "not_accepted"
    case transferredOut = "transferred_out"
    case pendingDispatch = "pending_dispatch"
    case dispatched
    case inProgress = "in_progress"
    case returnRequested = "return_requested"
    case replied
    case pendingReview = "pending_review"
    case closed
    case callbackPending = "callback_pending"
    case calledBack = "called_back"
    case evaluated
    case archived
    case terminated
    case withdrawn

    package var title: String {
        switch self {
        case .received: "已受理"
        case .notAccepted: "不予受理"
        case .transferredOut: "已转接"
        case .pendingDispatch: "待派单"
        case .dispatched: "待签收"
        case .inProgress: "办理中"
        case .returnRequested: "退单申请中"
        case .replied: "已答复"
        case .pendingReview: "待审核"
        case .closed: "已办结"
        case .callbackPending: "待回访"
        case .calledBack: "已回访"
        case .evaluated: "已评价"
        case .archived: "已归档"
        case .terminated: "终止办理"
        case .withdrawn: "撤诉"
        }
    }

    /// Open in the sense of Open311: every state from which handling still goes on (domain model 2.5).
    package var isOpen: Bool {
        switch self {
        case .received, .pendingDispatch, .dispatched, .inProgress, .returnRequested, .replied, .pendingReview,
            .callbackPending:
            true
        case .notAccepted, .transferredOut, .closed, .calledBack, .evaluated, .archived, .terminated, .withdrawn:
            false
        }
    }
}

extension TicketStatus {
    /// Whether a unit still works on it, or would have to: open, but for 待回访, of which the handling is over. What is not is closed to
    /// the figures (已办结), and can't become overdue.
    package var isBeingHandled: Bool { isOpen && self != .callbackPending }
}

/// What the records of a ticket's thread add up to. Derived by `TicketFold`, never written by hand, never sent: every node
/// folds what it holds.
package struct TicketState: Hashable, Sendable {
    package var status: TicketStatus = .received
    /// 办理轮次; 重办 raises it.
    package var round: Int64 = 1
    /// The unit that handles it: the assignee of the latest main assignment.
    package var unit: String?
    package var dispatchedAt: UnixMilliseconds?
    /// The time limit in force, after approved extensions.
    package var dueAt: UnixMilliseconds?
    package var acknowledgedAt: UnixMilliseconds?
    package var repliedAt: UnixMilliseconds?
    package var closedAt: UnixMilliseconds?
    package var calledBackAt: UnixMilliseconds?
    package var evaluatedAt: UnixMilliseconds?
    /// 5 (非常满意) to 1 (非常不满意), of the latest evaluation of the handling that counts.
    package var score: Int64?
    package var resolved: String?
    package var returns: Int64 = 0
    package var extensions: Int64 = 0
    package var supervision: Supervision = .none
    /// 承办归属节点: the one node that owns the handling.
    package var owner: String?
    /// The code of the category, as the owner corrected it last.
    package var category: String?
    package var confidential: Confidentiality = .none
    /// 挂账: closing it is put off.
    package var isHeld = false
    /// 暂停计时: waiting for what the citizen adds.
    package var isSuspended = false
    /// The ticket into which this one was merged, as its thread says.
    package var mergedInto: String?
    /// Taken over from another system's history, which may lack steps.
    package var isMigrated = false
    /// What is contradictory in the thread, in the order in which it came up. For people: it is shown and sent back, and it
    /// never keeps a record out.
    package var findings: [TicketFinding] = []

    /// Each code of the findings once (冲突).
    package var conflicts: [String] {
        findings.map(\.code.rawValue).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    package enum Supervision: String, Sendable {
        case none
        case open
        case closed
    }

    package init() {}
}

/// 保密标记, the more protected the greater.
package enum Confidentiality: String, Sendable, Comparable {
    case none
    case nameHidden = "name_hidden"
    case reporterProtected = "reporter_protected"

    init(_ code: String?) { self = code.flatMap(Confidentiality.init(rawValue:)) ?? .none }

    private var rank: Int {
        switch self {
        case .none: 0
        case .nameHidden: 1
        case .reporterProtected: 2
        }
    }

    package static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }
}
