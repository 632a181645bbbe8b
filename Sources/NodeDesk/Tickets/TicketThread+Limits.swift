import FederationModel

/// The time limits of a ticket by the reference data.
extension TicketThread {
    /// - Parameter node: the one that dispatches.
    func limits(dispatchedBy node: NodeID, _ reference: ReferenceData) -> TicketLimits {
        reference.limits.limits(
            for: LimitQuestion(
                requestType: request?.fields["request_type"]?.text, urgency: request?.fields["urgency"]?.text,
                category: state?.category ?? request?.fields["service_code"]?.text, node: node))
    }

    /// The card of an open ticket with a time limit, by the rules of the node that dispatched it last.
    func card(now: UnixMilliseconds, _ reference: ReferenceData) -> WarningCard? {
        guard let state, state.status.isOpen, let due = state.dueAt else { return nil }
        let dispatch = records.last { $0.resource.name == "assignment" && $0.fields["role"]?.text == "main" }
        let node = (dispatch ?? request).flatMap { NodeID($0.origin) }
        let yellowDays = node.map { limits(dispatchedBy: $0, reference).yellowDays }
        return WarningCard(due: due, now: now, calendar: reference.calendar, yellowDays: yellowDays ?? 1)
    }

    /// What the rules say of a dispatch at `time`, by field: the due date with the limit that it comes from, and until
    /// when the unit must sign. A field that is given beforehand keeps its value; a limit that is given (`limit_days` with
    /// `limit_kind`) takes the place of the rules'.
    func dispatchFields(
        at time: UnixMilliseconds, by node: NodeID, given: [String: FieldValue], _ reference: ReferenceData
    ) -> [String: FieldValue] {
        let limits = limits(dispatchedBy: node, reference)
        func due(_ limit: TimeLimit) -> FieldValue {
            .integer(limit.due(start: time, counting: limits.counting, calendar: reference.calendar))
        }
        var fields: [String: FieldValue] = [:]
        fields["accept_deadline"] = limits.accept.map(due)
        var handling = limits.handling
        if let count = given["limit_days"]?.integer.flatMap({ Int(exactly: $0) }),
            let kind = given["limit_kind"]?.text.flatMap(LimitKind.init)
        {
            handling = TimeLimit(count, kind)
        }
        if let handling, given["due_datetime"] == nil {
            fields["due_datetime"] = due(handling)
            fields["limit_days"] = .integer(Int64(handling.count))
            fields["limit_kind"] = .text(handling.kind.rawValue)
        }
        return fields.merging(given) { $1 }
    }

    /// The due date in force, made later by an extension: it counts from that date, not from the day on which it was
    /// asked for or granted.
    ///
    /// - Returns: nil when the ticket has no due date.
    func due(extendedBy limit: TimeLimit, by node: NodeID, _ reference: ReferenceData) -> UnixMilliseconds? {
        state?.dueAt.map {
            limit.extending(
                due: $0, counting: limits(dispatchedBy: node, reference).counting, calendar: reference.calendar)
        }
    }
}
