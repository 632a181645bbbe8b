/// Folds the records of one ticket into its state: domain model 2.4 as a pure function.
///
/// The result depends on the set of records only, not on the order in which they arrived, so every node that holds the
/// same records says the same. A record that is illegal at its place is never dropped: it leaves a finding, and the state
/// goes on by the table of domain model 6.4.
///
/// It reads no personal field: those are masked on some links, and a node would fold something else.
package struct TicketFold: Sendable {
    package let rules: LifecycleRules

    package init(_ rules: LifecycleRules) { self.rules = rules }

    /// The columns that the fold reads, by resource.
    package static let columns: [ResourceName: [TicketColumn]] = [
        "service_request": [
            .globalID, .requestedDatetime, .acceptance, .serviceCode, .confidential, .reporterKind, .replyRequired,
            .callbackRequired, .migrated,
        ],
        "assignment": thread + [.assigneeUnit, .role, .dueDatetime, .designated],
        "acknowledgement": thread + [.unit],
        "return_request": thread + [.unit],
        "return_decision": thread + [.decision],
        "extension_request": thread,
        "extension_decision": thread + [.decision, .dueDatetime],
        "handling": thread + [.contacted],
        "reply": thread + [.replyKind],
        "supervision": thread + [.closedDatetime, .level, .trigger],
        "closure": thread + [.closureKind, .review],
        "callback": thread + [.resolved, .reached],
        "evaluation": thread + [.object, .score5, .counted, .verdictSource],
        "ticket_action": thread + [.action, .target],
        "transfer": thread + [.transferId, .step, .toNode, .ordinal, .dueDatetime],
    ]

    private static let thread: [TicketColumn] = [.occurredAt, .round, .ticketOrigin]

    package static let forms = columns.map { TicketEvent.Form($0, columns: $1) }

    package func fold(_ events: [TicketEvent]) -> TicketState { folding(of: events).state }

    func folding(of events: [TicketEvent]) -> Folding {
        let request = TicketEvent.request(of: events)
        var folding = Folding(rules: rules, request: request)
        for event in TicketEvent.inOrder(events, of: request) { folding.take(event) }
        return folding
    }
}

/// The fold half-way through a thread. What a record does is in the extensions, by the part of a ticket's life.
struct Folding {
    let rules: LifecycleRules
    /// The request to which the thread belongs; nil while it is not here.
    private var request: TicketEvent?
    var state = TicketState()
    /// Units that may sign: the main one and the joint ones of this round.
    var assigned: Set<String> = []
    var designated = false
    var lastDispatch: UnixMilliseconds?
    var extensionAskedAt: UnixMilliseconds?
    /// Nil as long as no record says whether the unit contacted the citizen.
    var wasContacted: Bool?
    /// Contact before the reply and a callback after the closure are not asked of every ticket.
    var needsContact = true
    var excludesCallback = false
    var suspendedAt: UnixMilliseconds?
    var openSupervisions: [TicketEvent] = []
    private var isRequestLate = false
    var unreached: Int64 = 0
    var isPersonsVerdict = false
    var isEvaluated = false
    var transfers: [TicketTransfer] = []
    /// By which the owner took over, unless it was designated: its place in `transfers`, and the record.
    var acceptance: (transfer: Int, event: TicketEvent)?
    var phoneNode: String?
    /// Nodes to which an owner or a node above has handed the ticket, or would.
    var involved: Set<String> = []

    init(rules: LifecycleRules, request: TicketEvent?) {
        self.rules = rules
        self.request = request
        state.owner = request?.origin
    }

    /// Whose ticket it is; while the request is not here, as the records say.
    var ticketOrigin: String? { request?.origin }

    mutating func take(_ event: TicketEvent) {
        // What the fold does not read has no effect, wherever it stands: an attachment may come late.
        guard event.kind != nil else { return }
        if event.kind == .request && request == nil { request = event }
        noteEarly(event)
        if state.owner == nil { state.owner = event.text(.ticketOrigin) ?? event.origin }
        guard mayAct(event) else { return }
        switch event.kind {
        case .request: accept(event)
        case .assignment: dispatch(event)
        case .acknowledgement: acknowledge(event)
        case .returnRequest: requestReturn(event)
        case .returnDecision: decideReturn(event)
        case .extensionRequest: requestExtension(event)
        case .extensionDecision: decideExtension(event)
        case .handling: handle(event)
        case .reply: reply(event)
        case .supervision: supervise(event)
        case .closure: close(event)
        case .callback: callBack(event)
        case .evaluation: evaluate(event)
        case .ticketAction: act(event)
        case .transfer: transfer(event)
        case nil: break
        }
    }

    /// The request is folded first, whatever its time: with a time behind that of its thread it would set the ticket back. That its
    /// time can't be right is told once, of the record that shows it.
    private mutating func noteEarly(_ event: TicketEvent) {
        guard let request, event.kind != .request, !isRequestLate,
            event.occurredAt < request.occurredAt - rules.clockTolerance
        else { return }
        isRequestLate = true
        note(.beforeRequest, event)
    }

    mutating func note(_ code: TicketFinding.Code, _ event: TicketEvent) {
        if state.isMigrated && code.isMissingStep { return }
        state.findings.append(TicketFinding(code: code, event: event.id))
    }

    /// Goes to `next`, and notes the finding when the ticket was in none of the states from which that is legal.
    mutating func go(
        to next: TicketStatus, from legal: [TicketStatus], orElse code: TicketFinding.Code, _ event: TicketEvent
    ) {
        if !legal.contains(state.status) { note(code, event) }
        state.status = next
    }

    /// Whether the record has any effect: not on an archived or merged ticket, and what belongs to handling only from the
    /// node that owns the handling (首接负责制). The record stays in any case.
    private mutating func mayAct(_ event: TicketEvent) -> Bool {
        if event.kind == .request {
            // What an origin says twice of its own ticket is its own affair.
            if event.origin == request?.origin { return true }
            note(.foreignRequest, event)
            return false
        }
        if state.status == .archived {
            note(.archived, event)
            return false
        }
        if state.mergedInto != nil, event.text(.action) != "unmerge" {
            note(.merged, event)
            return false
        }
        guard event.origin != state.owner else { return true }
        if belongsToHandling(event) {
            note(.notOwner, event)
            return false
        }
        // Who may offer, accept and designate is looked at there.
        if event.kind == .transfer || isInvolved(event) { return true }
        note(.notInvolved, event)
        return false
    }

    /// Whether the record's author has a say though he does not own the handling: it is his ticket, it was handed to him, or he is
    /// above one of them.
    private func isInvolved(_ event: TicketEvent) -> Bool {
        let nodes = [state.owner, ticketOrigin ?? event.text(.ticketOrigin)].compactMap(\.self)
        return involved.contains(event.origin) || nodes.contains { rules.hierarchy.isAbove(event.origin, $0) }
    }

    /// A new round may be ordered from above, a return decided there, and whoever calls back evaluates.
    private func belongsToHandling(_ event: TicketEvent) -> Bool {
        switch event.kind {
        case .assignment: (event.integer(.round) ?? 1) <= state.round
        case .acknowledgement, .returnRequest, .extensionRequest, .handling, .reply: true
        case .extensionDecision: event.text(.decision) == "approved"
        case .closure: event.text(.review) != "sent_back"
        case .ticketAction:
            ["queue", "apply_closure", "archive", "suspend", "resume", "merge", "unmerge"].contains(
                event.text(.action) ?? "")
        default: false
        }
    }

    /// A record of a round that is over changes nothing any more.
    func isOfEarlierRound(_ event: TicketEvent) -> Bool { (event.integer(.round) ?? state.round) < state.round }
}
