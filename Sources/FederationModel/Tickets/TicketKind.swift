/// Tickets (工单) as a kind of thread.
package struct TicketKind: ThreadKind {
    package static let title = "ticket"

    package let name = title
    package let key = "global_id"

    package var forms: [ThreadForm<TicketEvent>] { Self.forms }

    /// How the records are read for fold and audience alike.
    private static let forms = BuiltInResources.ticketResources.map { resource in
        let folded = TicketFold.columns[resource.name] ?? []
        let others = TicketAudience.columns.filter {
            !folded.contains($0) && resource.column(named: $0.rawValue) != nil
        }
        return ThreadForm(TicketEvent.Form(resource.name, columns: folded + others))
    }

    package init() {}

    package func basis(_ rules: LifecycleRules) -> String { rules.fingerprint }

    package func fold(_ records: [TicketEvent], rules: LifecycleRules) -> TicketState {
        TicketFold(rules).fold(records)
    }

    package func audience(_ records: [TicketEvent], at here: NodeID, topology: Topology) -> Set<NodeID> {
        TicketAudience.nodes(of: records, at: here, topology: topology)
    }
}

extension ThreadForm<TicketEvent> {
    package init(_ form: TicketEvent.Form) {
        self.init(form.resource, columns: form.columns.map(\.rawValue)) { origin, key, version, values in
            TicketEvent(form, origin: origin, key: key, version: version, values: values)
        }
    }
}

extension TicketState: ThreadState {
    package var word: String { status.rawValue }
    package var since: UnixMilliseconds? { closedAt ?? repliedAt ?? acknowledgedAt ?? dispatchedAt }
}
