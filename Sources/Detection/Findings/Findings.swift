import FederationModel

/// Looks through tickets for what went wrong. What it finds depends on the tickets and on `now` alone.
package struct FindingDetectors: Sendable {
    private let limits: FindingLimits
    private let time: UnixMilliseconds
    private let manners: WordScanner

    package init(_ limits: FindingLimits = FindingLimits(), now: UnixMilliseconds) {
        self.limits = limits
        time = now
        manners = WordScanner([WordClass("attitude", .yellow, words: limits.attitudeWords)])
    }

    /// All findings, by code and subject.
    package func findings(in tickets: [HandledTicket]) -> [Finding] {
        let single = tickets.flatMap { ticket in
            [
                lateDispatch(ticket), wrongDispatch(ticket), missingCallback(ticket), duplicateDispatch(ticket),
                attitude(ticket), shirking(ticket), skippedStep(ticket), overdue(ticket),
            ].compactMap { $0 }
        }
        return (single + lowSatisfaction(tickets) + knowledgeGaps(tickets)).sorted {
            ($0.code.rawValue, $0.subject) < ($1.code.rawValue, $1.subject)
        }
    }

    /// How many of the tickets show what a finding is about, also where they are too few to be found: by this what a measure has changed is
    /// told. Of what is found at single tickets, those of the same unit count, or of the hotline.
    ///
    /// - Parameters:
    ///   - subject: of the finding.
    ///   - unit: of the finding.
    package func extent(
        of code: Finding.Code, _ subject: String, unit: String?, in tickets: [HandledTicket]
    ) -> Int {
        switch code {
        case .knowledgeGap: tickets.count { isPassedOn($0) && $0.category.map(subject.isSame(as:)) ?? false }
        case .lowSatisfaction: tickets.count { isDissatisfied($0) && $0.unit.map(subject.isSame(as:)) ?? false }
        default:
            findings(in: tickets).count { found in
                found.code == code && (unit.map { found.unit?.isSame(as: $0) ?? false } ?? (found.unit == nil))
            }
        }
    }

    private func isDissatisfied(_ ticket: HandledTicket) -> Bool {
        ticket.isCounted && ticket.score.map { $0 < limits.satisfiedScore } ?? false
    }

    /// A question that the hotline did not answer itself.
    private func isPassedOn(_ ticket: HandledTicket) -> Bool {
        ticket.requestType.isSame(as: limits.questionType) && !ticket.dispatches.isEmpty
    }

    private func lateDispatch(_ ticket: HandledTicket) -> Finding? {
        guard let limit = limits.dispatch[ticket.urgency], ticket.closedAt == nil || !ticket.dispatches.isEmpty else {
            return nil
        }
        let dispatched = ticket.dispatches.map(\.at).min() ?? time
        let late = dispatched - ticket.acceptedAt - limit
        return late > 0
            ? Finding(.lateDispatch, ticket.id, extent: "\(late / 60_000)min", tickets: [ticket.id]) : nil
    }

    /// A unit gave it back rightly, and it went to another one.
    private func wrongDispatch(_ ticket: HandledTicket) -> Finding? {
        let wrong = ticket.returns.filter { back in
            back.decision == .approved
                && ticket.dispatches.contains { $0.isMain && $0.at >= back.at && !$0.unit.isSame(as: back.unit) }
        }
        return wrong.isEmpty
            ? nil : Finding(.wrongDispatch, ticket.id, extent: "\(wrong.count) redispatched", tickets: [ticket.id])
    }

    private func missingCallback(_ ticket: HandledTicket) -> Finding? {
        guard let closed = ticket.closedAt, ticket.isCallbackRequired, ticket.callbackAt == nil else { return nil }
        let late = time - closed - limits.callback
        return late > 0
            ? Finding(
                .missingCallback, ticket.id, extent: "\(late / ShanghaiTime.day + 1)d", tickets: [ticket.id]) : nil
    }

    /// The same unit was given it again though it had not given it back.
    private func duplicateDispatch(_ ticket: HandledTicket) -> Finding? {
        let main = ticket.dispatches.filter(\.isMain).sorted { $0.at < $1.at }
        let doubled = zip(main, main.dropFirst()).filter { first, second in
            let cameBack = ticket.returns.contains { (first.at...second.at).contains($0.at) }
            // Not every system counts rounds, and of closures only the last is known.
            let isRework =
                first.round < second.round || ticket.closedAt.map { (first.at...second.at).contains($0) } ?? false
            return first.unit.isSame(as: second.unit) && !cameBack && !isRework
        }
        guard let last = doubled.last else { return nil }
        return Finding(
            .duplicateDispatch, ticket.id, unit: last.1.unit, extent: "\(doubled.count + 1) dispatches",
            tickets: [ticket.id])
    }

    private func attitude(_ ticket: HandledTicket) -> Finding? {
        let isNamed = !limits.attitudeReasons.isDisjoint(with: ticket.reasons)
        guard isNamed || !manners.hits(in: ticket.comment).isEmpty else { return nil }
        return Finding(
            .attitude, ticket.id, unit: ticket.unit, extent: isNamed ? "by reason" : "by words", tickets: [ticket.id])
    }

    private func shirking(_ ticket: HandledTicket) -> Finding? {
        let rejected = ticket.returns.contains { $0.decision == .rejected }
        guard ticket.returns.count >= limits.returns || rejected else { return nil }
        let units = Set(ticket.returns.map(\.unit)).count
        let count = ticket.returns.count
        return Finding(
            .shirking, ticket.id, unit: ticket.returns.max { $0.at < $1.at }?.unit,
            extent: "\(count) return\(count == 1 ? "" : "s"), \(units) unit\(units == 1 ? "" : "s")",
            tickets: [ticket.id])
    }

    /// Closed, by a unit, without a word with whoever reported it.
    private func skippedStep(_ ticket: HandledTicket) -> Finding? {
        guard ticket.closedAt != nil, !ticket.dispatches.isEmpty, ticket.contactedAt == nil, !ticket.isAnonymous else {
            return nil
        }
        return Finding(.skippedStep, ticket.id, unit: ticket.unit, extent: "no contact", tickets: [ticket.id])
    }

    private func overdue(_ ticket: HandledTicket) -> Finding? {
        guard let due = ticket.dueAt else { return nil }
        let late = (ticket.closedAt ?? time) - due
        return late > 0
            ? Finding(
                .overdue, ticket.id, unit: ticket.unit,
                extent: "\(late / 3_600_000)h\(ticket.closedAt == nil ? ", open" : "")", tickets: [ticket.id]) : nil
    }

    /// Units that are below the target beyond doubt: the upper end of the interval is.
    private func lowSatisfaction(_ tickets: [HandledTicket]) -> [Finding] {
        var byUnit: [ExactText: [HandledTicket]] = [:]
        for ticket in tickets where ticket.isCounted && ticket.score != nil {
            if let unit = ticket.unit { byUnit[ExactText(unit), default: []].append(ticket) }
        }
        return byUnit.compactMap { unit, rated in
            let dissatisfied = rated.filter(isDissatisfied)
            let satisfied = rated.count - dissatisfied.count
            guard rated.count >= limits.satisfactionMin, let interval = WilsonInterval(satisfied, of: rated.count),
                interval.upper < limits.satisfactionTarget
            else { return nil }
            return Finding(
                .lowSatisfaction, unit.text, unit: unit.text,
                extent: "\(satisfied)/\(rated.count), at most \(percent(interval.upper))",
                tickets: dissatisfied.map(\.id).sorted())
        }
    }

    /// Questions that the hotline passed on though it is asked them all the time.
    private func knowledgeGaps(_ tickets: [HandledTicket]) -> [Finding] {
        var byCategory: [ExactText: [String]] = [:]
        for ticket in tickets where isPassedOn(ticket) {
            if let category = ticket.category { byCategory[ExactText(category), default: []].append(ticket.id) }
        }
        return byCategory.compactMap { category, ids in
            guard ids.count >= limits.knowledgeMin else { return nil }
            return Finding(
                .knowledgeGap, category.text, extent: "\(ids.count) questions dispatched", tickets: ids.sorted())
        }
    }
}

/// `72.8 %`.
func percent(_ share: Double) -> String {
    let tenths = Int((share * 1_000).rounded())
    return "\(tenths / 10).\(tenths % 10) %"
}
