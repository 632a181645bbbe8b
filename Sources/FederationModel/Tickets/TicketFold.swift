/// One record of a ticket's thread, as the fold sees it.
package struct TicketEvent: Sendable {
    package let resource: ResourceName
    package let origin: String
    package let key: String
    package let version: Int64
    /// The columns that `TicketFold.columns` names for the resource.
    package let fields: [String: FieldValue]

    package init(
        resource: ResourceName, origin: String, key: String, version: Int64, fields: [String: FieldValue]
    ) {
        self.resource = resource
        self.origin = origin
        self.key = key
        self.version = version
        self.fields = fields
    }

    func text(_ name: String) -> String? { fields[name]?.text }
    func integer(_ name: String) -> Int64? { fields[name]?.integer }

    var occurredAt: UnixMilliseconds { integer(TicketFold.timeColumn(of: resource)) ?? 0 }
}

/// Folds the records of one ticket into its state: domain model 2.4 as a pure function.
///
/// The result depends on the set of records only, not on the order in which they arrived, so every node that holds the
/// same records says the same. A record that is illegal at its place is folded all the same and leaves the code of what
/// is wrong among the conflicts: events that arrive by sync are never refused for reasons of order.
package enum TicketFold {
    /// The columns that the fold reads, by resource.
    package static let columns: [ResourceName: [String]] = [
        "service_request": ["requested_datetime", "acceptance"],
        "assignment": ["occurred_at", "round", "assignee_unit", "role", "due_datetime", "designated"],
        "acknowledgement": ["occurred_at", "unit"],
        "return_request": ["occurred_at", "unit"],
        "return_decision": ["occurred_at", "decision"],
        "extension_request": ["occurred_at"],
        "extension_decision": ["occurred_at", "decision", "due_datetime"],
        "handling": ["occurred_at"],
        "reply": ["occurred_at", "reply_kind"],
        "supervision": ["occurred_at", "closed_datetime"],
        "closure": ["occurred_at", "closure_kind", "review"],
        "callback": ["occurred_at", "resolved", "reached"],
        "evaluation": ["occurred_at", "object", "score5", "counted"],
    ]

    static func timeColumn(of resource: ResourceName) -> String {
        resource == "service_request" ? "requested_datetime" : "occurred_at"
    }

    /// Records of one instant are taken in the order in which a ticket goes through its stages; the rest of a row's
    /// identity makes the order total.
    private static let rank: [ResourceName: Int] = Dictionary(
        uniqueKeysWithValues: BuiltInResources.ticketResources.enumerated().map { ($1.name, $0) })

    package static func fold(_ events: [TicketEvent]) -> TicketState {
        var fold = Folding()
        let ordered = events.sorted { a, b in
            (a.occurredAt, rank[a.resource] ?? .max, a.version, a.origin, a.key)
                < (b.occurredAt, rank[b.resource] ?? .max, b.version, b.origin, b.key)
        }
        for event in ordered { fold.take(event) }
        return fold.state
    }
}

/// The fold half-way through a thread.
private struct Folding {
    var state = TicketState()
    private var designated = false

    mutating func take(_ event: TicketEvent) {
        switch event.resource {
        case "service_request": accept(event)
        case "assignment": dispatch(event)
        case "acknowledgement": acknowledge(event)
        case "return_request": requestReturn(event)
        case "return_decision": decideReturn(event)
        case "extension_decision": decideExtension(event)
        case "handling": expect([.dispatched, .inProgress], orElse: "E_STATE_NOT_DISPATCHED", then: .inProgress)
        case "reply": reply(event)
        case "supervision": supervise(event)
        case "closure": close(event)
        case "callback": callBack(event)
        case "evaluation": evaluate(event)
        default: break
        }
    }

    /// Goes to `next`, and notes the conflict when the ticket was in none of the states from which that is legal.
    private mutating func expect(_ legal: Set<TicketStatus>, orElse conflict: String, then next: TicketStatus?) {
        if !legal.contains(state.status) && !state.conflicts.contains(conflict) { state.conflicts.append(conflict) }
        if let next { state.status = next }
    }

    private mutating func accept(_ event: TicketEvent) {
        switch event.text("acceptance") {
        case "not_accepted": state.status = .notAccepted
        case "transferred_out": state.status = .transferredOut
        case "answered":
            state.status = .closed
            state.closedAt = event.occurredAt
        default: state.status = .received
        }
    }

    private mutating func dispatch(_ event: TicketEvent) {
        guard event.text("role") == "main" else { return }
        let round = event.integer("round") ?? state.round
        if round > state.round {
            expect(
                [.calledBack, .evaluated, .closed, .pendingReview], orElse: "E_STATE_REWORK_OPEN", then: .dispatched)
            state.round = round
            state.closedAt = nil
        } else {
            expect([.received, .pendingDispatch], orElse: "E_STATE_TWO_MAIN", then: .dispatched)
        }
        designated = event.integer("designated") == 1
        state.unit = event.text("assignee_unit")
        state.dispatchedAt = state.dispatchedAt ?? event.occurredAt
        state.dueAt = event.integer("due_datetime")
    }

    private mutating func acknowledge(_ event: TicketEvent) {
        expect([.dispatched], orElse: "E_STATE_NOT_DISPATCHED", then: .inProgress)
        if let unit = event.text("unit"), let assigned = state.unit, unit != assigned {
            expect([], orElse: "E_STATE_ACK_FOREIGN", then: nil)
        }
        state.acknowledgedAt = state.acknowledgedAt ?? event.occurredAt
    }

    private mutating func requestReturn(_ event: TicketEvent) {
        if designated { expect([], orElse: "E_STATE_RETURN_DESIGNATED", then: nil) }
        expect([.dispatched, .inProgress], orElse: "E_STATE_NOT_DISPATCHED", then: .returnRequested)
        state.returns += 1
    }

    private mutating func decideReturn(_ event: TicketEvent) {
        let approved = event.text("decision") == "approved"
        expect([.returnRequested], orElse: "E_STATE_NO_REQUEST", then: approved ? .pendingDispatch : .inProgress)
        if event.text("decision") == "designated" { designated = true }
    }

    private mutating func decideExtension(_ event: TicketEvent) {
        guard event.text("decision") == "approved" else { return }
        if let due = state.dueAt, event.occurredAt > due {
            expect([], orElse: "E_STATE_EXTEND_AFTER_DUE", then: nil)
        }
        state.dueAt = event.integer("due_datetime") ?? state.dueAt
        state.extensions += 1
    }

    private mutating func reply(_ event: TicketEvent) {
        guard event.text("reply_kind") != "interim" else { return }
        state.repliedAt = event.occurredAt
        if event.text("reply_kind") == "direct" && [.received, .closed].contains(state.status) { return }
        expect([.dispatched, .inProgress], orElse: "E_STATE_NOT_DISPATCHED", then: .replied)
    }

    private mutating func supervise(_ event: TicketEvent) {
        let closed = event.integer("closed_datetime") != nil
        state.supervision = closed ? .closed : .open
    }

    private mutating func close(_ event: TicketEvent) {
        if event.text("review") == "sent_back" {
            expect([.replied, .pendingReview], orElse: "E_STATE_CLOSE_WITHOUT_REPLY", then: .inProgress)
            return
        }
        switch event.text("closure_kind") {
        case "terminated": state.status = .terminated
        case "withdrawn": state.status = .withdrawn
        case "held": return
        default: expect([.received, .replied, .pendingReview], orElse: "E_STATE_CLOSE_WITHOUT_REPLY", then: .closed)
        }
        state.closedAt = event.occurredAt
    }

    private mutating func callBack(_ event: TicketEvent) {
        expect([.closed, .callbackPending, .calledBack], orElse: "E_STATE_CALLBACK_BEFORE_CLOSE", then: .calledBack)
        state.calledBackAt = event.occurredAt
        state.resolved = event.text("resolved") ?? state.resolved
    }

    private mutating func evaluate(_ event: TicketEvent) {
        guard event.text("object") != "call" else { return }
        expect([.calledBack, .evaluated], orElse: "E_STATE_EVAL_BEFORE_CALLBACK", then: .evaluated)
        state.evaluatedAt = event.occurredAt
        if event.integer("counted") != 0, let score = event.text("score5").flatMap({ Int64($0) }) {
            state.score = score
        }
    }
}
