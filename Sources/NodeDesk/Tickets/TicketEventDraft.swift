import FederationModel

/// An event of a ticket while its fields are filled in: what is given, and what nobody has to give because it follows from the
/// ticket, the kind and the rules.
package struct TicketEventDraft: Sendable {
    package let kind: TicketEventKind
    package let thread: TicketThread
    package var form: RecordForm
    /// The record that the event completes; nil for an event that is a record of its own.
    let open: TicketThread.Record?
    private let node: NodeID
    private let now: UnixMilliseconds
    private var reference: ReferenceData { form.reference }

    /// - Throws: the guard's code where the ticket lacks the record that such an event comes after.
    init(
        _ kind: TicketEventKind, of thread: TicketThread, at node: NodeID, _ reference: ReferenceData,
        now: UnixMilliseconds
    ) throws(FederationError) {
        self.kind = kind
        self.thread = thread
        self.node = node
        self.now = now
        let assigned = thread.records.last { $0.resource.name == "assignment" }?.fields["assignee_unit"]
        form = RecordForm(
            kind.resource, reference, now: now, required: kind.mandatory, asked: kind.mandatory + kind.optional,
            suggestions: assigned.map { ["unit": $0] } ?? [:], closed: kind.closed)
        open = try Self.open(kind, thread, node)
        try kind.requireEarlier(in: thread)
    }

    /// Counts an extension from the due date in force.
    ///
    /// - Throws: `E_FIELD_UNKNOWN` for an event that extends nothing, or whose date is given; `E_STATE_NO_DUE`.
    package mutating func extend(by limit: TimeLimit) throws {
        guard let name = kind.extensionField, form.isEmpty(name) else {
            throw RowRejection(
                field: kind.extensionField ?? "requested_until", rule: .unknown,
                reason: "only an extension has it, and only without a date")
        }
        guard let due = thread.due(extendedBy: limit, by: node, reference) else {
            throw FederationError(
                "E_STATE_NO_DUE", "the ticket has no time limit that could be extended", hint: "give the date itself")
        }
        form.set(name, .integer(due))
    }

    /// Fills in what is empty and follows from the rest. It may be called again when more is given.
    package mutating func fill() {
        if form.isEmpty(kind.timeField) { form.set(kind.timeField, .integer(kind.time(in: thread, now: now))) }
        for (name, value) in open?.fields ?? [:] where form.isEmpty(name) { form.set(name, value) }
        form.set("global_id", .text(thread.globalID))
        form.set("ticket_origin", .text(thread.request?.origin ?? ""))
        form.set("recorded_at", .integer(now))
        if form.isEmpty("round") {
            let round = thread.records.compactMap(\.round).max() ?? 1
            form.set("round", .integer(kind.beginsRound ? round + 1 : round))
        }
        let limits = thread.dispatchFields(at: time, by: node, given: form.fields, reference)
        for (name, fill) in kind.fills where form.isEmpty(name) {
            let value: FieldValue? =
                switch fill {
                case .fixed(let value), .preset(let value): value
                case .identity: identity
                case .ordinal:
                    .integer(1 + (earlier.compactMap { $0.fields[name]?.integer }.max() ?? 0))
                case .latest: earlier.last?.fields[name]
                case .limit: limits[name]
                case .extended: form.fields["decision"]?.text == "approved" ? requestedUntil : nil
                case .number: nil
                }
            if let value { form.set(name, value) }
        }
    }

    /// When it happened.
    var time: UnixMilliseconds { form.fields["occurred_at"]?.integer ?? now }

    /// The fields that get the next own ticket number of the node.
    var numbered: [String] {
        kind.fills.filter { if case .number = $0.value { true } else { false } }.keys.filter(form.isEmpty)
    }

    private var earlier: [TicketThread.Record] { thread.records.filter { $0.resource.name == kind.resource.name } }

    private var identity: FieldValue {
        var chance = SystemRandomNumberGenerator()
        return .text("\(node)-\(ULID(now: now, using: &chance))")
    }

    private var requestedUntil: FieldValue? {
        thread.records.last { $0.resource.name == "extension_request" }?.fields["requested_until"]
    }

    private static func open(
        _ kind: TicketEventKind, _ thread: TicketThread, _ node: NodeID
    ) throws(FederationError) -> TicketThread.Record? {
        guard let end = kind.ends else { return nil }
        let open = thread.records.last {
            $0.resource.name == kind.resource.name && $0.origin == node.code && $0.fields[end] == nil
        }
        guard let open else {
            throw FederationError(
                "E_STATE_NOTHING_OPEN", "node \(node) has no open \(kind.resource.name) of this ticket",
                hint: "only the node that began it ends it")
        }
        return open
    }
}
