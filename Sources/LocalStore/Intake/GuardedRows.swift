import FederationModel

/// What the guard (`LifecycleCheck`) looks at in the rows of an intake, made ready before the writer's turn.
struct GuardedRows: Sendable {
    /// What will be an event of a ticket's thread once the writer has given it its version.
    struct Record: Sendable {
        let form: TicketEvent.Form
        let ticket: ExactText
        let key: String
        let values: [FieldValue]

        func event(origin: NodeID, version: Int64) -> TicketEvent {
            TicketEvent(form, origin: origin.code, key: key, version: version, values: values)
        }
    }

    /// By the place of their row.
    let records: [[Record]]
    /// Tickets of which the rows have a record besides the request, each once, in their order. A request alone is legal at any time.
    let tickets: [ExactText]
    /// Tickets whose request is among the rows.
    let requested: [ExactText]

    init(_ rows: [SourceRow]) {
        // Few, so that going through them costs less than a hash.
        let forms = Array(TicketGuard.forms.values)
        let request = BuiltInResources.serviceRequest.name
        var tickets: [ExactText] = []
        var requested: [ExactText] = []
        records = rows.map { row in
            var records: [Record] = []
            records.reserveCapacity(row.records.count)
            for record in row.records {
                guard let form = forms.first(where: { $0.resource == record.resource }),
                    let ticket = record.fields["global_id"]?.text.map({ ExactText($0) })
                else { continue }
                if form.resource == request {
                    requested.append(ticket)
                } else if tickets.last != ticket {
                    // A row is about one ticket nearly always.
                    tickets.append(ticket)
                }
                records.append(
                    Record(form: form, ticket: ticket, key: record.key, values: form.values(of: record.fields)))
            }
            return records
        }
        tickets.sort()
        self.tickets = tickets.enumerated().filter { $0 == 0 || tickets[$0 - 1] != $1 }.map(\.element)
        self.requested = requested
    }
}
