/// Why a node does not write a record of its own.
package struct IntakeRefusal: Error, Hashable, Sendable {
    /// Stable: `E_STATE_…`, `E_TIME_ORDER`, `E_CONF_DOWNGRADE`, `E_REPORT_TO_ACCUSED`, `E_FIELD_…`.
    package let code: String
    /// The field that is wrong; nil when it is the record as a whole.
    package let field: String?
    /// Never a value.
    package let reason: String
    package let hint: String

    package init(code: String, field: String? = nil, reason: String, hint: String = "") {
        self.code = code
        self.field = field
        self.reason = reason
        self.hint = hint
    }

    package init(_ violation: FieldViolation) {
        self.init(code: violation.rule.rawValue, field: violation.field, reason: violation.detail)
    }
}

/// What a node checks before it writes records of a ticket's thread itself: the guards of domain model 2.4.
///
/// A record is legal when folding the thread together with it finds nothing against it, so guards and conflicts are one
/// rule. Three more need what the fold must not read (personal fields, the order of writing).
package struct TicketGuard: Sendable {
    package let rules: LifecycleRules

    package init(_ rules: LifecycleRules) { self.rules = rules }

    /// The columns that the guard reads, by resource.
    package static let columns: [ResourceName: [String]] = TicketFold.columns.merging([
        "service_request": ["request_type", "respondent_name", "respondent_uscc"], "closure": ["result"],
    ]) { $0 + $1 }

    /// - Parameters:
    ///   - new: records about to be written, in order.
    ///   - thread: what is stored of the ticket, without earlier looks of `new`.
    ///   - replaced: the earlier looks of those among `new` that are stored already.
    /// - Returns: what is wrong with the first record that must not be written; nil when all may be.
    package func refusal(
        of new: [TicketEvent], in thread: [TicketEvent], replacing replaced: [TicketEvent] = []
    ) -> IntakeRefusal? {
        func stored(_ event: TicketEvent) -> TicketEvent? { replaced.first { $0.id == event.id } }
        // What is stored already in this look was legal when it was written.
        let suspects = replaced.isEmpty ? new : new.filter { stored($0)?.fields != $0.fields }
        guard !suspects.isEmpty else { return nil }
        let all = thread + new
        let added = replaced.isEmpty ? suspects : suspects.filter { stored($0) == nil }
        if let refusal = timeOrder(of: added, in: thread) { return refusal }
        let state = TicketFold(rules).fold(all)
        let found = state.findings.first { finding in
            finding.code.isRefused && suspects.contains { $0.id == finding.event }
        }
        if let finding = found {
            return IntakeRefusal(
                code: finding.code.rawValue, reason: "\(finding.event.resource): \(finding.code.title)",
                hint: finding.code.hint)
        }
        return toAccused(suspects, in: all) ?? directWithoutReply(suspects, in: all, migrated: state.isMigrated)
    }

    /// A record comes after what this node wrote before it.
    private func timeOrder(of new: [TicketEvent], in thread: [TicketEvent]) -> IntakeRefusal? {
        for event in new where event.kind != .request {
            let isLate = thread.contains {
                event.occurredAt < $0.occurredAt - rules.clockTolerance
                    && ($0.origin == event.origin || $0.kind == .request) && $0.kind != .supervision
            }
            guard isLate else { continue }
            return IntakeRefusal(
                code: FieldViolation.Rule.timeOrder.rawValue, field: "occurred_at",
                reason: "\(event.resource): lies more than \(rules.clockTolerance / 60_000) minutes before the record "
                    + "that precedes it",
                hint: "give the time at which it happened")
        }
        return nil
    }

    /// 举报 must never reach the unit that it accuses (ground rule 7, 济南条例 Art. 32).
    private func toAccused(_ new: [TicketEvent], in thread: [TicketEvent]) -> IntakeRefusal? {
        guard
            let request = thread.first(where: { $0.kind == .request && $0.text("request_type") == "4" })
        else { return nil }
        let accused = Set(["respondent_name", "respondent_uscc"].compactMap { request.text($0) })
        guard
            new.contains(where: {
                $0.kind == .assignment && $0.text("assignee_unit").map(accused.contains) == true
            })
        else { return nil }
        return IntakeRefusal(
            code: "E_REPORT_TO_ACCUSED", field: "assignee_unit",
            reason: "assignment: 举报不得派给被举报的单位", hint: "dispatch it to the unit's supervising authority")
    }

    /// 直接答复 closes a ticket at once, with the answer on record.
    private func directWithoutReply(
        _ new: [TicketEvent], in thread: [TicketEvent], migrated: Bool
    ) -> IntakeRefusal? {
        guard !migrated, new.contains(where: { $0.kind == .closure }), !thread.contains(where: { $0.kind == .reply })
        else { return nil }
        let code = TicketFinding.Code.closeWithoutReply
        return new.contains {
            $0.kind == .closure && ["direct", "explained"].contains($0.text("closure_kind"))
                && ($0.text("result") ?? "").isEmpty
        } ? IntakeRefusal(code: code.rawValue, reason: "closure: \(code.title)", hint: code.hint) : nil
    }
}
