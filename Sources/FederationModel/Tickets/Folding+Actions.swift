/// Ticket actions and transfers between nodes.
extension Folding {
    mutating func act(_ event: TicketEvent) {
        let target = event.text(.target)
        switch event.text(.action) {
        case "queue": go(to: .pendingDispatch, from: [.received], orElse: .notOpen, event)
        case "apply_closure": go(to: .pendingReview, from: [.replied], orElse: .closeWithoutReply, event)
        case "enter_callback":
            if excludesCallback || state.confidential == .reporterProtected { note(.callbackExcluded, event) }
            go(to: .callbackPending, from: [.closed], orElse: .callbackBeforeClose, event)
        case "archive": archive(event)
        case "suspend": suspendedAt = suspendedAt ?? event.occurredAt
        case "resume": resume(event)
        case "merge": state.mergedInto = target
        case "unmerge": state.mergedInto = nil
        case "set_confidential": set(Confidentiality(target), event)
        case "set_category":
            if event.origin == state.owner { state.category = target } else { note(.categoryProposal, event) }
        case "set_phone":
            if let phoneNode, phoneNode != event.origin { note(.phoneDiffers, event) }
            phoneNode = event.origin
        default: break
        }
        state.isSuspended = suspendedAt != nil
    }

    private mutating func archive(_ event: TicketEvent) {
        if state.status.isOpen {
            note(.callbackBeforeClose, event)
        } else if state.supervision == .open {
            note(.supervisionOpen, event)
        } else {
            state.status = .archived
        }
    }

    /// The limit moves by the length of the suspension, only where the rules say so.
    private mutating func resume(_ event: TicketEvent) {
        guard let began = suspendedAt else {
            note(.noRequest, event)
            return
        }
        suspendedAt = nil
        if rules.suspensionStopsClock, let due = state.dueAt { state.dueAt = due + max(0, event.occurredAt - began) }
    }

    /// Raising wins everywhere; only the ticket's origin may lower it.
    private mutating func set(_ confidential: Confidentiality, _ event: TicketEvent) {
        if confidential >= state.confidential || event.origin == event.text(.ticketOrigin) {
            state.confidential = confidential
        } else {
            note(.confidentialityDowngrade, event)
        }
    }

    // MARK: - 跨节点流转

    /// offer, then accept or return by the node that it was offered to, or designate by a node above (domain model 6.3). The
    /// owner stays until somebody has accepted.
    mutating func transfer(_ event: TicketEvent) {
        guard let id = event.text(.transferId), let target = event.text(.toNode) else { return }
        switch event.text(.step) {
        case "offer":
            if event.origin != state.owner { note(.notOwner, event) }
            offers[id] = event
        case "accept":
            guard let offer = offers[id], offer.text(.toNode) == event.origin else {
                note(.noOffer, event)
                return
            }
            takeOver(event, offer: offer)
        case "return":
            guard offers[id]?.text(.toNode) == event.origin else {
                note(.noOffer, event)
                return
            }
            offers[id] = nil
        case "designate": own(target, event)
        default: break
        }
    }

    /// When the network split and two nodes accepted what one owner had offered to both, the lowest ordinal wins.
    private mutating func takeOver(_ event: TicketEvent, offer: TicketEvent) {
        let ordinal = offer.integer(.ordinal) ?? 1
        if offer.origin == state.owner {
            acceptance = (ordinal, offer.origin, event)
            own(event.origin, event)
        } else if let winner = acceptance, winner.from == offer.origin {
            // The same acceptance twice is idempotent.
            guard winner.event.text(.transferId) != event.text(.transferId) else { return }
            if ordinal < winner.ordinal {
                note(.ownerSplit, winner.event)
                acceptance = (ordinal, offer.origin, event)
                own(event.origin, event)
            } else {
                note(.ownerSplit, event)
            }
        } else {
            note(.notOwner, event)
        }
    }

    private mutating func own(_ node: String, _ event: TicketEvent) {
        state.owner = node
        if state.status.isOpen && state.status != .callbackPending { state.status = .pendingDispatch }
        state.dueAt = event.integer(.dueDatetime) ?? state.dueAt
        assigned = []
        designated = event.text(.step) == "designate"
    }
}
