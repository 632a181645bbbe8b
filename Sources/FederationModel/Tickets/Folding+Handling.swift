/// 受理, 派单, 签收, 退单, 延期, 办理, 答复.
extension Folding {
    mutating func accept(_ event: TicketEvent) {
        state.owner = event.origin
        state.isMigrated = event.integer(.migrated) == 1
        state.category = event.text(.serviceCode)
        state.confidential = Confidentiality(event.text(.confidential))
        needsContact = event.integer(.replyRequired) != 0 && event.text(.reporterKind) != "anonymous"
        excludesCallback = event.integer(.callbackRequired) == 0
        switch event.text(.acceptance) {
        case "not_accepted": state.status = .notAccepted
        case "transferred_out": state.status = .transferredOut
        case "answered":
            state.status = .closed
            state.closedAt = event.occurredAt
        default: state.status = .received
        }
    }

    mutating func dispatch(_ event: TicketEvent) {
        let unit = event.text(.assigneeUnit)
        guard event.text(.role) == "main" else {
            if event.text(.role) == "joint", let unit { assigned.insert(unit) }
            return
        }
        let round = event.integer(.round) ?? state.round
        if round > state.round {
            go(
                to: .dispatched, from: [.calledBack, .evaluated, .closed, .callbackPending], orElse: .reworkOpen, event)
            beginRound(round)
        } else {
            go(to: .dispatched, from: [.received, .pendingDispatch], orElse: .twoMain, event)
            assigned = []
        }
        if let unit { assigned.insert(unit) }
        designated = event.integer(.designated) == 1
        lastDispatch = event.occurredAt
        state.unit = unit
        state.dispatchedAt = state.dispatchedAt ?? event.occurredAt
        state.dueAt = event.integer(.dueDatetime)
        if state.dueAt == nil { note(.noDue, event) }
    }

    private mutating func beginRound(_ round: Int64) {
        state.round = round
        state.closedAt = nil
        assigned = []
        wasContacted = nil
        unreached = 0
        isEvaluated = false
        isPersonsVerdict = false
    }

    mutating func acknowledge(_ event: TicketEvent) {
        // A joint unit may sign after the main one.
        if state.status != .inProgress {
            go(to: .inProgress, from: [.dispatched], orElse: .notDispatched, event)
        }
        if let unit = event.text(.unit), !assigned.isEmpty, !assigned.contains(unit) { note(.ackForeign, event) }
        state.acknowledgedAt = state.acknowledgedAt ?? event.occurredAt
    }

    mutating func requestReturn(_ event: TicketEvent) {
        if designated { note(.returnDesignated, event) }
        if let dispatched = lastDispatch,
            event.occurredAt > rules.calendar.end(ofWorkingDay: rules.returnWorkingDays, after: dispatched)
        {
            note(.returnLate, event)
        }
        go(to: .returnRequested, from: [.dispatched, .inProgress], orElse: .notDispatched, event)
        state.returns += 1
    }

    mutating func decideReturn(_ event: TicketEvent) {
        let isApproved = event.text(.decision) == "approved"
        go(to: isApproved ? .pendingDispatch : .inProgress, from: [.returnRequested], orElse: .noRequest, event)
        if event.text(.decision) == "designated" { designated = true }
    }

    mutating func requestExtension(_ event: TicketEvent) {
        if let due = state.dueAt, event.occurredAt > due { note(.extendAfterDue, event) }
        if state.extensions >= rules.extensionsMax { note(.extendLimit, event) }
        extensionAskedAt = event.occurredAt
    }

    mutating func decideExtension(_ event: TicketEvent) {
        defer { extensionAskedAt = nil }
        guard event.text(.decision) == "approved" else { return }
        if extensionAskedAt == nil { note(.noRequest, event) }
        if state.extensions >= rules.extensionsMax { note(.extendLimit, event) }
        let old = state.dueAt
        state.dueAt = event.integer(.dueDatetime) ?? old
        state.extensions += 1
        if let old, let due = state.dueAt, let asked = extensionAskedAt, asked <= old {
            voidCards(after: old, upTo: due)
        }
    }

    mutating func handle(_ event: TicketEvent) {
        // Work is done under a pending return or closing review too.
        if ![.replied, .pendingReview, .returnRequested].contains(state.status) {
            go(to: .inProgress, from: [.dispatched, .inProgress], orElse: .notDispatched, event)
        }
        // Not said is not denied: many systems record no contact.
        if let contacted = event.integer(.contacted) { wasContacted = wasContacted == true || contacted == 1 }
    }

    mutating func reply(_ event: TicketEvent) {
        let kind = event.text(.replyKind)
        guard kind != "interim" else { return }
        state.repliedAt = event.occurredAt
        if kind == "direct" && [.received, .closed].contains(state.status) { return }
        if needsContact && wasContacted == false { note(.noContact, event) }
        go(to: .replied, from: [.dispatched, .inProgress, .replied], orElse: .notDispatched, event)
    }
}
