/// 跨节点流转: offer, then accept or return by the node that it was offered to, or designate by a node above (domain model
/// 6.3). Exactly one node owns the handling after every record; until an offer is accepted, that is whoever made it.
extension Folding {
    mutating func transfer(_ event: TicketEvent) {
        guard let id = event.text(.transferId), let target = event.text(.toNode) else { return }
        let known = transfers.firstIndex { $0.id == id }
        switch event.text(.step) {
        case "offer": if known == nil { offer(event, id: id, to: target) }
        case "designate": designate(event, id: id, to: target, known)
        case "accept":
            if let known, transfers[known].to == event.origin { accept(event, known) } else { note(.noOffer, event) }
        case "return":
            if let known, transfers[known].to == event.origin { sendBack(event, known) } else { note(.noOffer, event) }
        default: break
        }
    }

    private mutating func offer(_ event: TicketEvent, id: String, to target: String) {
        let isOwner = event.origin == state.owner
        if isOwner { involved.insert(target) }
        if !isOwner {
            note(.notOwner, event)
        } else if !state.status.isOpen {
            note(.notOpen, event)
        } else if transfers.contains(where: { $0.standing == .open }) {
            note(.offerOpen, event)
        }
        transfers.append(
            TicketTransfer(
                id: id, from: event.origin, to: target, ordinal: event.integer(.ordinal) ?? 1,
                offeredAt: event.occurredAt, due: event.integer(.dueDatetime), standing: isOwner ? .open : .lapsed))
    }

    /// When the network split and two nodes accepted what one owner had offered to both, the lowest ordinal wins.
    private mutating func accept(_ event: TicketEvent, _ index: Int) {
        switch transfers[index].standing {
        // Accepting once more, or confirming what was designated, changes nothing.
        case .accepted, .designated: break
        case .returned: note(.noOffer, event)
        case .open: takeOver(event, index)
        case .lapsed:
            guard let winner = acceptance, transfers[winner.transfer].from == transfers[index].from else {
                note(.notOwner, event)
                return
            }
            guard transfers[index].ordinal < transfers[winner.transfer].ordinal else {
                note(.ownerSplit, event)
                return
            }
            note(.ownerSplit, winner.event)
            transfers[winner.transfer].standing = .lapsed
            takeOver(event, index)
        }
    }

    private mutating func takeOver(_ event: TicketEvent, _ index: Int) {
        acceptance = (index, event)
        own(event.origin, due: transfers[index].due)
        transfers[index].standing = .accepted
        transfers[index].answeredAt = event.occurredAt
    }

    private mutating func sendBack(_ event: TicketEvent, _ index: Int) {
        switch transfers[index].standing {
        case .designated: note(.returnDesignated, event)
        case .accepted, .lapsed: note(.noOffer, event)
        case .returned: break
        case .open:
            if event.occurredAt > rules.answerLimit(ofOffer: transfers[index].offeredAt) { note(.returnLate, event) }
            transfers[index].standing = .returned
            transfers[index].answeredAt = event.occurredAt
        }
    }

    /// The word of a node above stands, whoever accepted before or accepts later what was open.
    private mutating func designate(_ event: TicketEvent, id: String, to target: String, _ known: Int?) {
        guard [state.owner ?? target, target].allSatisfy({ rules.hierarchy.isAbove(event.origin, $0) }) else {
            note(.notAbove, event)
            return
        }
        if !state.status.isOpen { note(.notOpen, event) }
        involved.insert(target)
        let former = known.map { transfers[$0] }
        let designation = TicketTransfer(
            id: id, from: former?.from ?? state.owner ?? event.origin, to: target,
            ordinal: event.integer(.ordinal) ?? former?.ordinal ?? 1, offeredAt: former?.offeredAt ?? event.occurredAt,
            due: event.integer(.dueDatetime) ?? former?.due, standing: .designated, answeredAt: event.occurredAt)
        own(target, due: designation.due)
        acceptance = nil
        if let known { transfers[known] = designation } else { transfers.append(designation) }
        designated = true
    }

    /// The time limit goes on, unless the transfer carries one of its own. No unit handles the ticket until the new owner
    /// dispatches it.
    private mutating func own(_ node: String, due: UnixMilliseconds?) {
        state.owner = node
        if state.status.isOpen && state.status != .callbackPending {
            state.status = .pendingDispatch
            state.unit = nil
        }
        state.dueAt = due ?? state.dueAt
        assigned = []
        designated = false
        for index in transfers.indices where transfers[index].standing == .open { transfers[index].standing = .lapsed }
    }
}
