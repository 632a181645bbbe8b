/// What a node checks before it writes records of a ticket's thread itself: the guards of domain model 2.4.
///
/// A record is legal when folding the thread together with it finds nothing against it, so guards and conflicts are one
/// rule. Three more need what the fold must not read (personal fields, the order of writing).
package struct TicketGuard: Sendable {
    package let rules: LifecycleRules
    private let topology: Topology

    /// - Parameter topology: by which the targets of transfers are checked. A node that it does not name is not held to it.
    package init(_ rules: LifecycleRules, topology: Topology = Topology(name: "", version: 0, nodes: [])) {
        self.rules = rules
        self.topology = topology
    }

    /// The columns that the guard reads, by resource.
    package static let columns: [ResourceName: [TicketColumn]] = TicketFold.columns.merging([
        "service_request": [.requestType, .respondentName, .respondentUscc], "closure": [.result],
    ]) { $0 + $1 }

    package static let forms = Dictionary(
        uniqueKeysWithValues: columns.map { ($0, TicketEvent.Form($0, columns: $1)) })

    /// The guard of records that come after all of a thread (`GuardedThread.isFollowed`).
    ///
    /// - Returns: the thread with them.
    /// - Throws: what is wrong with the first record that must not be written.
    package func thread(
        _ thread: GuardedThread, followedBy new: [TicketEvent]
    ) throws(RowRejection) -> GuardedThread {
        var next = thread
        next.take(new)
        if let refusal = refusal(of: new, from: thread, to: next) { throw refusal }
        return next
    }

    /// The guard of any records.
    ///
    /// - Parameters:
    ///   - new: records about to be written, in order.
    ///   - thread: what is stored of the ticket, without earlier versions of `new`.
    ///   - replaced: the earlier versions of those among `new` that are stored already.
    /// - Returns: what is wrong with the first record that must not be written; nil when all may be.
    package func refusal(
        of new: [TicketEvent], in thread: [TicketEvent], replacing replaced: [TicketEvent] = []
    ) -> RowRejection? {
        // What is stored already in this version was legal when it was written.
        let suspects = new.filter { event in
            !replaced.contains { $0.id == event.id && Self.isAlike($0, event) }
        }
        guard let own = suspects.first?.origin else { return nil }
        return refusal(
            of: suspects, isAdded: { event in !replaced.contains { $0.id == event.id } },
            from: GuardedThread(thread, own: own, rules: rules), to: GuardedThread(thread + new, own: own, rules: rules)
        )
    }

    private func refusal(
        of suspects: [TicketEvent], isAdded: (TicketEvent) -> Bool = { _ in true }, from before: GuardedThread,
        to after: GuardedThread
    ) -> RowRejection? {
        if let late = suspects.first(where: { isAdded($0) && isLate($0, in: before) }) { return timeOrder(late) }
        let found = after.state.findings.first { finding in
            finding.code.isRefused && suspects.contains { $0.id == finding.event }
        }
        if let finding = found {
            return RowRejection(
                code: finding.code.rawValue, reason: "\(finding.event.resource): \(finding.code.title)",
                hint: finding.code.hint)
        }
        return toAccused(suspects, in: after) ?? directWithoutReply(suspects, in: after)
            ?? suspects.lazy.compactMap { wrongTarget($0, in: after) }.first
    }

    /// Whether two versions of a record are the same to the guard.
    private static func isAlike(_ old: TicketEvent, _ new: TicketEvent) -> Bool {
        new.columns.allSatisfy { old.value($0) == new.value($0) }
    }

    /// A record comes after what this node wrote before it.
    private func isLate(_ event: TicketEvent, in thread: GuardedThread) -> Bool {
        guard event.kind != .request, let latest = thread.latest else { return false }
        return event.occurredAt < latest - rules.clockTolerance
    }

    private func timeOrder(_ event: TicketEvent) -> RowRejection {
        RowRejection(
            code: RowRejection.Rule.timeOrder.rawValue, field: "occurred_at",
            reason: "\(event.resource): lies more than \(rules.clockTolerance / 60_000) minutes before the record "
                + "that precedes it",
            hint: "give the time at which it happened")
    }

    /// A report must never reach the unit that it accuses (`Accusation`).
    private func toAccused(_ new: [TicketEvent], in thread: GuardedThread) -> RowRejection? {
        let reaches = new.contains { event in
            event.kind == .assignment && event.text(.assigneeUnit).map(thread.accused.contains) == true
        }
        guard reaches else { return nil }
        return RowRejection(
            code: "E_REPORT_TO_ACCUSED", field: "assignee_unit",
            reason: "assignment: 举报不得派给被举报的单位", hint: "dispatch it to the unit's supervising authority")
    }

    /// 直接答复 closes a ticket at once, with the answer on record.
    private func directWithoutReply(_ new: [TicketEvent], in thread: GuardedThread) -> RowRejection? {
        guard !thread.state.isMigrated, !thread.hasReply else { return nil }
        let isBare = new.contains {
            $0.kind == .closure && ["direct", "explained"].contains($0.text(.closureKind) ?? "")
                && ($0.text(.result) ?? "").isEmpty
        }
        guard isBare else { return nil }
        let code = TicketFinding.Code.closeWithoutReply
        return RowRejection(code: code.rawValue, reason: "closure: \(code.title)", hint: code.hint)
    }

    // MARK: - Transfers

    /// Where a ticket may be offered or designated to.
    private func wrongTarget(
        _ event: TicketEvent, in after: GuardedThread
    ) -> RowRejection? {
        guard let step = event.text(.step), ["offer", "designate"].contains(step), let author = NodeID(event.origin),
            topology.contains(author)
        else { return nil }
        let target = event.text(.toNode).flatMap { NodeID($0) }
        guard let target, topology.contains(target), step == "designate" || target != author else {
            return RowRejection(
                code: "E_TRANSFER_TARGET", field: "to_node",
                reason: "transfer: not another node of the topology", hint: "see `federation-node topology show`")
        }
        let way = topology.path(from: author, to: target)
        let accused = Set(after.accused)
        if way.contains(where: { topology.node($0)?.respondentNames.isDisjoint(with: accused) == false }) {
            return RowRejection(
                code: "E_REPORT_TO_ACCUSED", field: "to_node",
                reason: "transfer: 举报不得移交给被举报的节点，也不得经其转送",
                hint: "offer it to the node's supervising authority, on a way that does not lead through it")
        }
        return nil
    }
}
