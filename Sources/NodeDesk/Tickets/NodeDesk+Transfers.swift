import FederationModel
import LocalStore

extension NodeDesk {
    /// The form of what is given of a transfer: its ground (`basis`), time limit (`due_datetime`), the `reason` of a return.
    package func newTransfer() -> RecordForm {
        RecordForm(
            BuiltInResources.transfer, reference, now: clock(),
            closed: Set(BuiltInResources.transfer.columns.map(\.name)).subtracting(["basis", "due_datetime", "reason"]))
    }

    /// Offers a ticket to another node. The handling stays here until that node has accepted.
    ///
    /// - Parameters:
    ///   - ticket: its global id or number.
    ///   - node: the code of a node or the beginning of its name.
    /// - Throws: `E_TICKET_UNKNOWN`, `E_TICKET_AMBIGUOUS`, `E_NODE_UNKNOWN`, `E_NODE_AMBIGUOUS`; the code of `RowRejection`.
    package func offer(_ ticket: String, to node: String, terms: RecordForm) async throws -> TransferStepReport {
        try await perform(.offerTransfer) { now in
            try await step(.offer, to: self.node(named: node).id, terms, on: held(ticket, now: now), now: now)
        }
    }

    /// Takes over a ticket that was offered to this node; it gets a number of this node. Once more changes nothing.
    ///
    /// - Parameter name: the ticket's global id or number, or the transfer's id.
    /// - Throws: as `offer`, and `E_STATE_NO_OFFER`.
    package func accept(_ name: String) async throws -> TransferStepReport {
        try await perform(.acceptTransfer) { now in
            let held = try await held(name, now: now)
            let transfer = try held.received(by: id, done: [.accepted, .designated])
            return try await step(.accept, of: transfer.id, to: id, newTransfer(), on: held, now: now)
        }
    }

    /// Sends an offer back, with a reason. Once more changes nothing.
    ///
    /// - Parameter name: the ticket's global id or number, or the transfer's id.
    /// - Throws: as `offer`, and `E_FIELD_MISSING`, `E_STATE_NO_OFFER`, `E_STATE_RETURN_DESIGNATED`.
    package func `return`(_ name: String, terms: RecordForm) async throws -> TransferStepReport {
        try await perform(.returnTransfer) { now in
            let held = try await held(name, now: now)
            let transfer = try held.received(by: id, done: [.returned])
            return try await step(.return, of: transfer.id, to: id, terms, on: held, now: now)
        }
    }

    /// Decides, as the node above both, who handles a ticket. An offer that is open lapses.
    ///
    /// - Parameters:
    ///   - name: the ticket's global id or number, or the transfer's id.
    ///   - node: the code of a node or the beginning of its name.
    /// - Throws: as `offer`.
    package func designate(_ name: String, to node: String, terms: RecordForm) async throws -> TransferStepReport {
        try await perform(.designateTransfer) { now in
            let held = try await held(name, now: now)
            let open = held.transfers.last { $0.standing == .open }
            return try await step(
                .designate, of: open?.id, to: self.node(named: node).id, terms, on: held, now: now)
        }
    }

    /// Hands every open ticket that a node handles to another one, before it leaves the topology: offered by the node itself, decided
    /// by a node above both. What waits for an answer already stays as it is, so that it can be said again.
    ///
    /// - Parameters:
    ///   - from: the code of a node or the beginning of its name.
    ///   - to: likewise.
    ///   - progress: called after each ticket, with how many are done and how many there are.
    /// - Throws: `E_NODE_UNKNOWN`, `E_NODE_AMBIGUOUS`, and what the store throws.
    package func handOver(
        from: String, to: String, terms: RecordForm, progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
    ) async throws -> HandOverReport {
        let (from, to) = (try node(named: from).id, try node(named: to).id)
        let step: TransferStep = from == id ? .offer : .designate
        return try await perform(step == .offer ? .offerTransfer : .designateTransfer) { now in
            try await catchUp(now: now)
            let tickets = try await store.openTickets(handledBy: from)
            var report = HandOverReport(from: from, to: to, step: step)
            for (done, ticket) in tickets.enumerated() {
                do throws(FederationError) {
                    try await handOver(ticket, step, to: to, terms, now: now)
                    report.handedOver += 1
                } catch {
                    if error.code == TicketFinding.Code.offerOpen.rawValue {
                        report.waiting += 1
                    } else {
                        report.refused.append(HandOverReport.Refusal(ticket: ticket, error: error))
                    }
                }
                progress(done + 1, tickets.count)
            }
            return report
        }
    }

    private func handOver(
        _ ticket: String, _ step: TransferStep, to target: NodeID, _ terms: RecordForm, now: UnixMilliseconds
    ) async throws(FederationError) {
        do {
            let held = try await held(ticket, now: now)
            let open = step == .designate ? held.transfers.last { $0.standing == .open } : nil
            _ = try await self.step(step, of: open?.id, to: target, terms, on: held, now: now)
        } catch {
            throw FederationError.ofStore(error)
        }
    }

    /// The transfers of tickets that are here, by ticket, then as they were offered.
    ///
    /// - Parameters:
    ///   - isOpen: only those that wait for an answer.
    ///   - limit: at most those of so many tickets.
    package func transfers(isOpen: Bool, limit: Int) async throws -> [TransferReport] {
        try await perform(.listTransfers) { now in
            try await catchUp(now: now)
            return try await store.transfers(isOpen: isOpen, limit: limit).map { report(on: $0, now: now) }
        }
    }

    // MARK: - Steps

    private func held(_ name: String, now: UnixMilliseconds) async throws -> HeldTicket {
        try await catchUp(now: now)
        let thread = try await store.ticket(try await store.ticket(ofTransfer: name) ?? name)
        return HeldTicket(
            name: name, thread: thread, transfers: try await store.transfers(of: thread.globalID))
    }

    /// Writes a step unless it is written already.
    ///
    /// - Parameters:
    ///   - id: of the transfer that it goes on with; nil for a new one.
    ///   - terms: what is given of it.
    private func step(
        _ step: TransferStep, of id: String? = nil, to target: NodeID, _ terms: RecordForm, on held: HeldTicket,
        now: UnixMilliseconds
    ) async throws -> TransferStepReport {
        let thread = held.thread
        var draft = try TicketEventDraft(step.kind, of: thread, at: self.id, reference, now: now)
        let time = step.kind.time(in: thread, now: now)
        let id = id ?? "\(self.id)-\(identity(now: now))"
        let former = held.transfers.first { $0.id == id }
        var transfer = TicketTransfer(
            id: id, from: former?.from ?? thread.state?.owner ?? self.id.code, to: target.code,
            ordinal: former?.ordinal ?? 1 + (held.transfers.map(\.ordinal).max() ?? 0),
            offeredAt: former?.offeredAt ?? time, due: former?.due, standing: step.result)
        let isNew = former.map { $0.standing == .open || step.result == .designated } ?? true
        if isNew {
            for (name, value) in terms.fields { draft.form.set(name, value) }
            draft.form.set("occurred_at", .integer(time))
            draft.form.set("transfer_id", .text(id))
            draft.form.set("to_node", .text(target.code))
            draft.form.set("ordinal", .integer(transfer.ordinal))
            if let from = NodeID(transfer.from) {
                draft.form.set("kind", .text(transferKind(from: from, to: target)))
            }
            draft.fill()
            try await number(&draft)
            try draft.form.requireComplete()
            // By the step: two that accept at the same time write one record.
            try await take(
                IntakeRecord(
                    resource: step.kind.resource.name, key: "\(id).\(step.rawValue)", fields: draft.form.fields),
                now: now)
            transfer = try await store.transfers(of: thread.globalID).first { $0.id == id } ?? transfer
        }
        let number = thread.request?.fields["service_request_id"]?.text
        return TransferStepReport(
            transfer: report(
                on: HeldTransfer(globalID: thread.globalID, number: number, transfer: transfer), now: now),
            step: step, wasWritten: isNew)
    }

    private func report(on held: HeldTransfer, now: UnixMilliseconds) -> TransferReport {
        let transfer = held.transfer
        let answerBy = rules.answerLimit(ofOffer: transfer.offeredAt)
        let ends = [transfer.from, transfer.to].compactMap { NodeID($0) }
        return TransferReport(
            ticket: held.globalID, number: held.number, transfer: transfer, answerBy: answerBy,
            isLate: transfer.standing == .open && now > answerBy,
            parent: ends.count == 2 ? topology.commonParent(of: ends[0], ends[1]) : nil)
    }
}

/// A transfer as this node sees it.
package struct TransferReport: Hashable, Sendable {
    /// The ticket's global id.
    package let ticket: String
    /// The ticket's number, if it is known here.
    package let number: String?
    package let transfer: TicketTransfer
    /// Until when it may be returned.
    package let answerBy: UnixMilliseconds
    /// Whether it waits for an answer although the limit is over; then `parent` decides.
    package let isLate: Bool
    /// Who may designate; nil when one of both ends has left the topology.
    package let parent: NodeID?
}

/// What a step of a transfer came to.
package struct TransferStepReport: Hashable, Sendable {
    package let transfer: TransferReport
    package let step: TransferStep
    /// False when the step was on record already.
    package let wasWritten: Bool
}

/// What became of the open tickets of a node that hands all of them over.
package struct HandOverReport: Sendable {
    package struct Refusal: Sendable {
        /// The ticket's global id.
        package let ticket: String
        package let error: FederationError
    }

    package let from: NodeID
    package let to: NodeID
    /// Offered, or decided from above.
    package let step: TransferStep
    package fileprivate(set) var handedOver = 0
    /// Tickets with an offer that nobody has answered yet.
    package fileprivate(set) var waiting = 0
    package fileprivate(set) var refused: [Refusal] = []
}

/// What a node may do to a transfer. The raw values are those of the column `step`.
package enum TransferStep: String, CaseIterable, Sendable {
    case offer, accept, `return`, designate

    /// What a transfer is after it.
    var result: TicketTransfer.Standing {
        switch self {
        case .offer: .open
        case .accept: .accepted
        case .return: .returned
        case .designate: .designated
        }
    }

    var kind: TicketEventKind { TicketEventKind.transfer(self) }
}

/// A ticket, while a step of its way between nodes is taken at this one.
private struct HeldTicket {
    /// As it was asked for: a ticket or a transfer.
    let name: String
    let thread: TicketThread
    let transfers: [TicketTransfer]

    /// The transfer to `node` that is to be answered: the one that was named, else the open one, else the latest.
    ///
    /// - Parameter done: of which standings an answer only says once more what was said.
    /// - Throws: `E_STATE_NO_OFFER`, `E_STATE_RETURN_DESIGNATED`.
    func received(by node: NodeID, done: Set<TicketTransfer.Standing>) throws -> TicketTransfer {
        let mine = transfers.filter { $0.to == node.code }
        let found = mine.last { $0.id == name } ?? mine.last { $0.standing == .open } ?? mine.last
        guard let found, found.standing == .open || done.contains(found.standing) else {
            let code: TicketFinding.Code = found?.standing == .designated ? .returnDesignated : .noOffer
            throw FederationError(code.rawValue, "transfer: \(code.title)", hint: code.hint)
        }
        return found
    }
}

extension TicketEventKind {
    /// When an event happens that happens now: a step of a transfer after the steps before it, also where the clock of this
    /// node is behind theirs.
    func time(in thread: TicketThread, now: UnixMilliseconds) -> UnixMilliseconds {
        guard resource.name == BuiltInResources.transfer.name else { return now }
        let steps = thread.records.filter { $0.resource.name == resource.name }
        return max(now, (steps.map(\.occurredAt).max() ?? 0) + 1)
    }
}
