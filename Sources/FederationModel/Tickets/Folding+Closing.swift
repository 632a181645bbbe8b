/// 督办, 办结, 回访, 评价.
extension Folding {
    mutating func supervise(_ event: TicketEvent) {
        if event.integer(.closedDatetime) == nil { openSupervisions.append(event) }
        state.supervision = openSupervisions.isEmpty ? .closed : .open
    }

    /// A card that was shown because the time limit had passed does not stand when the limit turns out to be later.
    mutating func voidCards(after old: UnixMilliseconds, upTo due: UnixMilliseconds) {
        let cards = openSupervisions.filter {
            ["yellow_card", "red_card"].contains($0.text(.level)) && $0.text(.trigger) == "overdue"
                && $0.occurredAt > old && $0.occurredAt <= due
        }
        for card in cards { note(.cardVoided, card) }
        openSupervisions.removeAll { card in cards.contains { $0 === card } }
        if !cards.isEmpty && openSupervisions.isEmpty { state.supervision = .closed }
    }

    mutating func close(_ event: TicketEvent) {
        guard !isOfEarlierRound(event) else {
            note(.reworkWins, event)
            return
        }
        if event.text(.review) == "sent_back" {
            go(to: .inProgress, from: [.replied, .pendingReview], orElse: .closeWithoutReply, event)
            return
        }
        switch event.text(.closureKind) {
        case "held":
            state.isHeld = true
            return
        case "terminated":
            if event.text(.review) != "passed" { note(.terminateUnapproved, event) }
            end(.terminated, event)
        case "withdrawn": end(.withdrawn, event)
        case "merged": end(.closed, event)
        case "direct", "explained":
            go(to: .closed, from: [.received, .replied, .pendingReview], orElse: .closeWithoutReply, event)
        default: go(to: .closed, from: [.replied, .pendingReview], orElse: .closeWithoutReply, event)
        }
        state.closedAt = event.occurredAt
        state.isHeld = false
        if openSupervisions.contains(where: { $0.origin != event.origin }) { note(.closedUnderSupervision, event) }
    }

    /// Ends a ticket on purpose, from any open state.
    private mutating func end(_ status: TicketStatus, _ event: TicketEvent) {
        if !state.status.isOpen { note(.notOpen, event) }
        state.status = status
    }

    mutating func callBack(_ event: TicketEvent) {
        guard !isOfEarlierRound(event) else { return }
        let isDue = rules.allowsCallbackWhenDue && state.dueAt.map { event.occurredAt >= $0 } == true
        if ![.closed, .callbackPending, .calledBack, .evaluated].contains(state.status) && !isDue {
            note(.callbackBeforeClose, event)
        }
        state.calledBackAt = event.occurredAt
        state.resolved = event.text(.resolved) ?? state.resolved
        guard ![.calledBack, .evaluated].contains(state.status) else { return }
        if ["no_answer", "invalid_number"].contains(event.text(.reached)) {
            unreached += 1
            state.status = unreached >= rules.callbackAttempts ? .calledBack : .callbackPending
        } else {
            state.status = .calledBack
        }
    }

    mutating func evaluate(_ event: TicketEvent) {
        guard event.text(.object) != "call", !isOfEarlierRound(event) else { return }
        let source = event.text(.verdictSource)
        var legal: [TicketStatus] = [.calledBack, .evaluated]
        if source == "self_service" { legal += [.closed, .callbackPending] }
        go(to: .evaluated, from: legal, orElse: .evaluationBeforeCallback, event)
        if isEvaluated { note(.evaluatedTwice, event) }
        isEvaluated = true
        // 以本人最后一次评价为准 (domain model 6.4).
        let isPersons = source != "proxy" && source != "default"
        guard isPersons || !isPersonsVerdict else { return }
        isPersonsVerdict = isPersons
        state.evaluatedAt = event.occurredAt
        if event.integer(.counted) != 0, let score = event.text(.score5).flatMap({ Int64($0) }) {
            state.score = score
        }
    }
}
