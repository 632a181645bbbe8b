/// Ticket actions.
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
        if confidential >= state.confidential || event.origin == ticketOrigin ?? event.text(.ticketOrigin) {
            state.confidential = confidential
        } else {
            note(.confidentialityDowngrade, event)
        }
    }
}
