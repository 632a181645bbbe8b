import FederationModel
import LocalStore

extension NodeDesk {
    // MARK: - Taking in

    /// The form of a ticket that is taken in here.
    package func newTicket() -> RecordForm {
        RecordForm(
            BuiltInResources.serviceRequest, reference, now: clock(), required: Self.ticketRequired,
            asked: Self.ticketAsked, suggestions: Self.ticketPresets, closed: ["global_id"])
    }

    /// Takes a ticket in. It gets the node's next number unless it brings one.
    ///
    /// - Throws: `E_FIELD_MISSING`; the code of `IntakeRefusal`; what drawing a number throws.
    package func add(ticket form: RecordForm) async throws -> AddedTicket {
        try await perform(.addTicket) { now in
            var form = form
            for (name, value) in Self.ticketPresets where form.isEmpty(name) { form.set(name, value) }
            try form.requireComplete()
            let acceptedAt = form.fields["accepted_datetime"]?.integer ?? now
            if form.isEmpty("accepted_datetime") { form.set("accepted_datetime", .integer(acceptedAt)) }
            if form.isEmpty("requested_datetime") { form.set("requested_datetime", .integer(acceptedAt)) }
            let id = "\(self.id)-\(identity(now: now))"
            form.set("global_id", .text(id))
            if form.isEmpty("service_request_id") {
                let channel = form.fields["channel"]?.text
                form.set("service_request_id", .text(try await nextNumber(at: acceptedAt, channel: channel)))
            }
            try await take(IntakeRecord(resource: form.resource.name, key: id, fields: form.fields), now: now)
            return AddedTicket(id: id, number: form.fields["service_request_id"]?.text ?? "")
        }
    }

    /// A ticket that says neither whence, what kind nor what about helps nobody.
    private static let ticketRequired = ["channel", "request_type", "title"]
    private static let ticketAsked = [
        "channel", "request_type", "title", "urgency", "description", "request_demand", "address_string", "region_code",
        "reporter_name", "reporter_phone", "confidential", "acceptance",
    ]
    private static let ticketPresets: [String: FieldValue] = [
        "urgency": .text("normal"), "acceptance": .text("accepted"),
    ]

    // MARK: - What happens to it

    /// Begins an event of a ticket, by what is here of its thread.
    ///
    /// - Parameter ticket: a global id or a number.
    /// - Throws: `E_TICKET_UNKNOWN`, `E_TICKET_AMBIGUOUS`; `E_STATE_…` when the ticket lacks what such an event comes after.
    package func draft(_ kind: TicketEventKind, of ticket: String) async throws -> TicketEventDraft {
        try await perform(.draftEvent) { now in
            try await catchUp(now: now)
            return try TicketEventDraft(
                kind, of: try await store.ticket(ticket), at: id, reference, now: now)
        }
    }

    /// Records an event.
    ///
    /// - Throws: `E_FIELD_MISSING`; the code of `IntakeRefusal`; `E_TICKET_UNKNOWN` for another ticket that it names.
    package func record(_ draft: TicketEventDraft) async throws -> RecordedEvent {
        try await perform(.recordEvent) { now in
            var draft = draft
            draft.fill()
            try draft.form.requireComplete()
            for name in draft.kind.tickets {
                guard let other = draft.form.fields[name]?.text else { continue }
                draft.form.set(name, .text(try await store.ticket(other).globalID))
            }
            try await number(&draft)
            let resource = draft.kind.resource.name
            // No ordinal: two that write at the same time must not get one key.
            let key = draft.open?.key ?? "\(draft.thread.globalID).\(resource).\(identity(now: now))"
            try await take(IntakeRecord(resource: resource, key: key, fields: draft.form.fields), now: now)
            return RecordedEvent(ticket: draft.thread.globalID, resource: resource, key: key)
        }
    }

    /// Gives a draft the numbers that its kind takes from this node.
    func number(_ draft: inout TicketEventDraft) async throws {
        for name in draft.numbered {
            let channel = draft.thread.request?.fields["channel"]?.text
            draft.form.set(name, .text(try await nextNumber(at: draft.time, channel: channel)))
        }
    }

    // MARK: - Looking at it

    /// - Parameter ticket: a global id or a number.
    /// - Throws: `E_TICKET_UNKNOWN`, `E_TICKET_AMBIGUOUS`.
    package func ticket(_ ticket: String) async throws -> TicketReport {
        try await perform(.showTicket) { now in
            try await catchUp(now: now)
            return TicketReport(try await store.ticket(ticket), reference, now: now)
        }
    }

    /// The tickets that this node holds, those requested last first.
    ///
    /// - Parameter origin: only those of the node with this code or beginning of a name.
    /// - Throws: `E_NODE_UNKNOWN`, `E_NODE_AMBIGUOUS`.
    package func tickets(_ filter: TicketFilter, origin: String?, limit: Int) async throws -> [TicketSummary] {
        try await perform(.listTickets) { now in
            var filter = filter
            filter.origin = try origin.map { try node(named: $0).id }
            try await catchUp(now: now)
            return try await store.tickets(filter, limit: limit, now: now)
        }
    }

    /// What is contradictory in the threads of tickets, by ticket.
    package func conflicts(code: TicketFinding.Code?, limit: Int) async throws -> [TicketConflict] {
        try await perform(.listConflicts) { now in
            try await catchUp(now: now)
            return try await store.conflicts(code: code, limit: limit)
        }
    }

    // MARK: - Numbers

    /// Gives a block of ticket numbers to a seat that will work offline.
    ///
    /// - Parameters:
    ///   - time: of the day on which they will be used; nil for today.
    ///   - hand: hands them over. When it throws, nobody has seen them, and they are given back.
    /// - Throws: `E_NUMBERS_EXHAUSTED`, `E_NUMBER_INVALID`, and what `hand` throws.
    package func drawNumbers(
        count: Int, on time: UnixMilliseconds?, channel: String, hand: ([TicketNumber]) throws -> Void
    ) async throws {
        try await perform(.drawNumbers) { now in
            let numbers = try await store.drawTicketNumbers(
                count: count, dayNumber: ShanghaiTime.dayNumber(time ?? now), channel: channel)
            try hand(numbers)
        }
    }

    /// The next own ticket number of the day of `time`.
    private func nextNumber(at time: UnixMilliseconds, channel: String?) async throws -> String {
        let numbers = try await store.drawTicketNumbers(
            count: 1, dayNumber: ShanghaiTime.dayNumber(time), channel: channel ?? "")
        return numbers[0].description
    }
}

/// A ticket that was taken in.
package struct AddedTicket: Hashable, Sendable {
    /// Its global id.
    package let id: String
    package let number: String
}

/// An event that was recorded.
package struct RecordedEvent: Hashable, Sendable {
    /// The ticket's global id.
    package let ticket: String
    package let resource: ResourceName
    package let key: String
}

/// A ticket as a person looks at it, with its time limit by the rules in force.
package struct TicketReport: Sendable {
    package let thread: TicketThread
    /// When it was looked at.
    package let at: UnixMilliseconds
    /// Of an open ticket with a time limit.
    package let card: WarningCard?
    /// Until the time limit of an open ticket.
    package let remaining: RemainingTime?

    init(_ thread: TicketThread, _ reference: ReferenceData, now: UnixMilliseconds) {
        self.thread = thread
        at = now
        card = thread.card(now: now, reference)
        remaining = thread.state.flatMap { $0.status.isOpen ? $0.dueAt : nil }.map {
            RemainingTime(due: $0, now: now, calendar: reference.calendar)
        }
    }
}
