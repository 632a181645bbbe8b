import FederationModel
import LocalStore

/// What an event says that nobody has to type, because it follows from the ticket, the kind and the rules.
struct TicketEventFill {
    let kind: TicketEventKind
    let thread: TicketThread
    let node: NodeID
    let reference: ReferenceData
    let now: UnixMilliseconds

    /// Fills in what is empty. It may be called again when more is known.
    func fill(_ form: inout RecordForm) {
        form.set("global_id", .text(thread.globalID))
        form.set("ticket_origin", .text(thread.request?.origin ?? ""))
        form.set("recorded_at", .integer(now))
        if form.isEmpty("round") {
            let round = thread.records.compactMap(\.round).max() ?? 1
            form.set("round", .integer(kind.beginsRound ? round + 1 : round))
        }
        let time = form.fields["occurred_at"]?.integer ?? now
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

    private var earlier: [TicketThread.Record] { thread.records.filter { $0.resource.name == kind.resource.name } }

    private var identity: FieldValue {
        var chance = SystemRandomNumberGenerator()
        return .text("\(node)-\(ULID(now: now, using: &chance))")
    }

    private var requestedUntil: FieldValue? {
        thread.records.last { $0.resource.name == "extension_request" }?.fields["requested_until"]
    }
}
