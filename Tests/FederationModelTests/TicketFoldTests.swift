import FederationModel
import Testing

func form(_ resource: ResourceName) -> TicketEvent.Form {
    TicketEvent.Form(resource, columns: TicketGuard.columns[resource] ?? [])
}

/// One record, so many minutes after the request.
private func record(
    _ resource: ResourceName, _ minute: Int64, _ texts: [String: String] = [:], _ integers: [String: Int64] = [:],
    origin: String = "370100"
) -> TicketEvent {
    var fields = texts.mapValues { FieldValue.text($0) }.merging(integers.mapValues { .integer($0) }) { $1 }
    fields[resource == "service_request" ? "requested_datetime" : "occurred_at"] = .integer(minute * 60_000)
    return TicketEvent(
        form(resource), origin: origin, key: "370100-1.\(resource).\(minute)", version: (minute * 60_000) << 16,
        fields: fields)
}

private func request(_ acceptance: String = "accepted") -> TicketEvent {
    record("service_request", 0, ["acceptance": acceptance])
}

private func assignment(
    _ minute: Int64, to unit: String = "城管局", round: Int64 = 1, designated: Int64 = 0, role: String = "main",
    origin: String = "370100"
) -> TicketEvent {
    record(
        "assignment", minute, ["assignee_unit": unit, "role": role],
        ["round": round, "designated": designated, "due_datetime": (minute + 1_000) * 60_000], origin: origin)
}

private func acknowledgement(_ minute: Int64, by unit: String = "城管局") -> TicketEvent {
    record("acknowledgement", minute, ["unit": unit])
}

private func closure(_ minute: Int64, _ kind: String = "closed", review: String = "passed") -> TicketEvent {
    record("closure", minute, ["closure_kind": kind, "review": review])
}

private func evaluation(_ minute: Int64, _ score: String, counted: Int64 = 1, of object: String = "handling")
    -> TicketEvent
{
    record("evaluation", minute, ["object": object, "score5": score], ["counted": counted])
}

/// 受理 to 评价, without a fault.
private let wholeThread = [
    request(), assignment(10), acknowledgement(20), record("handling", 30, [:], ["contacted": 1]),
    record("reply", 40, ["reply_kind": "final"]),
    closure(50), record("callback", 60, ["resolved": "resolved", "reached": "answered"]), evaluation(70, "5"),
]

@Suite struct `The fold of a ticket` {
    private func fold(_ events: [TicketEvent]) -> TicketState { TicketFold(LifecycleRules()).fold(events) }

    private func status(_ events: [TicketEvent]) -> TicketStatus { fold(events).status }

    // MARK: - 受理

    @Test func `an attachment has no effect, wherever it stands and whoever wrote it`() {
        let thread = [request(), assignment(10), acknowledgement(20), closure(100)]
        let late = [record("attachment", 5_000), record("attachment", 1, origin: "370200"), record("attachment", -9)]
        #expect(fold(thread + late) == fold(thread))
    }

    @Test(arguments: [
        ("accepted", TicketStatus.received), ("not_accepted", .notAccepted), ("transferred_out", .transferredOut),
        ("answered", .closed), ("a code of a newer list", .received),
    ])
    func `begins with how it was accepted`(acceptance: String, status: TicketStatus) {
        let state = fold([request(acceptance)])
        #expect(state.status == status)
        #expect(state.conflicts.isEmpty)
        #expect(state.closedAt == (status == .closed ? 0 : nil))
    }

    @Test func `of nothing, or of records whose request has not come yet, is a state too`() {
        #expect(fold([]) == TicketState())
        #expect(status([record("handling", 30)]) == .inProgress)
    }

    // MARK: - 派单, 签收

    @Test func `of a dispatched ticket has unit, time and limit`() {
        let state = fold([request(), assignment(10, to: "水务局")])
        #expect(state.status == .dispatched)
        #expect(state.unit == "水务局")
        #expect(state.dispatchedAt == 600_000)
        #expect(state.dueAt == 60_600_000)
        #expect(state.conflicts.isEmpty)
    }

    @Test(arguments: ["joint", "forward", "notice"])
    func `takes only the main assignment`(role: String) {
        let state = fold([request(), assignment(10), assignment(11, to: "另一单位", role: role)])
        #expect(state.unit == "城管局")
        #expect(state.conflicts.isEmpty)
        #expect(status([request(), assignment(10, role: role)]) == .received)
    }

    @Test func `notes a second main assignment of one round`() {
        let state = fold([request(), assignment(10), assignment(11, to: "水务局")])
        #expect(state.conflicts == ["E_STATE_TWO_MAIN"])
        #expect(state.unit == "水务局")
        #expect(state.dispatchedAt == 600_000)
    }

    @Test func `goes on when the unit signs, and notes a foreign unit`() {
        let signed = fold([request(), assignment(10), acknowledgement(20)])
        #expect(signed.status == .inProgress)
        #expect(signed.acknowledgedAt == 1_200_000)
        #expect(signed.conflicts.isEmpty)
        let foreign = fold([request(), assignment(10), acknowledgement(20, by: "水务局")])
        #expect(foreign.status == .inProgress)
        #expect(foreign.conflicts == ["E_STATE_ACK_FOREIGN"])
    }

    // MARK: - 退单, 延期

    @Test(arguments: [
        ("approved", TicketStatus.pendingDispatch), ("rejected", .inProgress), ("designated", .inProgress),
    ])
    func `follows the decision on a return`(decision: String, after: TicketStatus) {
        let asked = [request(), assignment(10), record("return_request", 20, ["unit": "城管局"])]
        #expect(status(asked) == .returnRequested)
        let decided = fold(asked + [record("return_decision", 30, ["decision": decision])])
        #expect(decided.status == after)
        #expect(decided.returns == 1)
        #expect(decided.conflicts.isEmpty)
    }

    @Test func `is dispatched anew after a return without a conflict`() {
        let state = fold([
            request(), assignment(10), record("return_request", 20),
            record("return_decision", 30, ["decision": "approved"]),
            assignment(40, to: "水务局"), acknowledgement(50, by: "水务局"),
        ])
        #expect(state.status == .inProgress)
        #expect(state.unit == "水务局")
        #expect(state.dispatchedAt == 600_000)
        #expect(state.conflicts.isEmpty)
    }

    @Test func `notes the return of a designated ticket, by assignment and by decision`() {
        let assigned = fold([request(), assignment(10, designated: 1), record("return_request", 20)])
        #expect(assigned.conflicts == ["E_STATE_RETURN_DESIGNATED"])
        #expect(assigned.status == .returnRequested)
        let decided = fold([
            request(), assignment(10), record("return_request", 20),
            record("return_decision", 30, ["decision": "designated"]), record("return_request", 40),
        ])
        #expect(decided.conflicts == ["E_STATE_RETURN_DESIGNATED"])
        #expect(decided.returns == 2)
    }

    @Test func `notes a decision that nobody asked for`() {
        let state = fold([request(), assignment(10), record("return_decision", 20, ["decision": "approved"])])
        #expect(state.conflicts == ["E_STATE_NO_REQUEST"])
        #expect(state.status == .pendingDispatch)
    }

    @Test func `moves the limit when an extension is approved, and notes one that came too late`() {
        let later = record("extension_decision", 500, ["decision": "approved"], ["due_datetime": 99_000_000])
        let extended = fold([request(), assignment(10), record("extension_request", 400), later])
        #expect(extended.dueAt == 99_000_000)
        #expect(extended.extensions == 1)
        #expect(extended.conflicts.isEmpty)
        #expect(fold([request(), assignment(10), later]).conflicts == ["E_STATE_NO_REQUEST"])
        let refused = record("extension_decision", 500, ["decision": "rejected"], ["due_datetime": 99_000_000])
        #expect(fold([request(), assignment(10), refused]).dueAt == 60_600_000)
        #expect(fold([request(), assignment(10), refused]).extensions == 0)
        let late = fold([
            request(), assignment(10), record("extension_request", 1_011),
            record("extension_decision", 1_012, ["decision": "approved"], ["due_datetime": 99_000_000]),
        ])
        #expect(late.conflicts == ["E_STATE_EXTEND_AFTER_DUE"])
        #expect(late.dueAt == 99_000_000)
    }

    // MARK: - 办理, 答复, 督办, 办结

    @Test(arguments: ["acknowledgement", "handling", "return_request"] as [ResourceName])
    func `notes what comes before the dispatch`(resource: ResourceName) {
        let state = fold([request(), record(resource, 20)])
        #expect(state.conflicts == ["E_STATE_NOT_DISPATCHED"])
    }

    @Test func `is replied by a final reply, not by one on the way`() {
        let handled = Array(wholeThread.prefix(4))
        let interim = fold(handled + [record("reply", 35, ["reply_kind": "interim"])])
        #expect(interim.status == .inProgress)
        #expect(interim.repliedAt == nil)
        let final = fold(handled + [record("reply", 40, ["reply_kind": "final"])])
        #expect(final.status == .replied)
        #expect(final.repliedAt == 2_400_000)
        #expect(
            fold([request(), record("reply", 40, ["reply_kind": "final"])]).conflicts == ["E_STATE_NOT_DISPATCHED"])
    }

    @Test func `lets a seat answer directly, before the closure or after it`() {
        let answer = record("reply", 1, ["reply_kind": "direct"])
        #expect(fold([request(), answer, closure(2, "direct")]).conflicts.isEmpty)
        #expect(status([request(), answer, closure(2, "direct")]) == .closed)
        #expect(fold([request("answered"), answer]).conflicts.isEmpty)
        #expect(status([request("answered"), answer]) == .closed)
    }

    @Test func `shows a supervision beside the status`() {
        let open = fold([request(), assignment(10), record("supervision", 20, ["level": "red_card"])])
        #expect(open.supervision == .open)
        #expect(open.status == .dispatched)
        let closed = record("supervision", 30, ["level": "red_card"], ["closed_datetime": 1_900_000])
        #expect(fold([request(), assignment(10), closed]).supervision == .closed)
    }

    @Test(arguments: [
        ("closed", TicketStatus.closed), ("explained", .closed), ("merged", .closed), ("terminated", .terminated),
        ("withdrawn", .withdrawn), ("held", .replied),
    ])
    func `is closed as the closure says`(kind: String, status: TicketStatus) {
        let state = fold(Array(wholeThread.prefix(5)) + [closure(50, kind)])
        #expect(state.status == status)
        #expect(state.closedAt == (kind == "held" ? nil : 3_000_000))
        #expect(state.conflicts.isEmpty)
    }

    @Test func `is back in handling when the review sends it back`() {
        let state = fold(Array(wholeThread.prefix(5)) + [closure(50, review: "sent_back")])
        #expect(state.status == .inProgress)
        #expect(state.closedAt == nil)
        #expect(state.conflicts.isEmpty)
    }

    @Test func `notes a closure without a reply, and a second closure`() {
        #expect(fold([request(), assignment(10), closure(20)]).conflicts == ["E_STATE_CLOSE_WITHOUT_REPLY"])
        #expect(status([request(), assignment(10), closure(20)]) == .closed)
        let twice = fold(Array(wholeThread.prefix(6)) + [closure(51)])
        #expect(twice.conflicts == ["E_STATE_CLOSE_WITHOUT_REPLY"])
        // Ended on purpose at any time: no conflict.
        #expect(fold([request(), assignment(10), closure(20, "withdrawn")]).conflicts.isEmpty)
    }

    // MARK: - 回访, 评价

    @Test func `of a whole thread is evaluated without a conflict`() {
        let state = fold(wholeThread)
        #expect(state.status == .evaluated)
        #expect(state.conflicts.isEmpty)
        #expect(state.score == 5)
        #expect(state.resolved == "resolved")
        #expect(state.calledBackAt == 3_600_000)
        #expect(state.evaluatedAt == 4_200_000)
    }

    @Test func `may be called back twice, and keeps what was said`() {
        let again = record("callback", 65, ["reached": "no_answer"])
        let state = fold(wholeThread.dropLast() + [again])
        #expect(state.status == .calledBack)
        #expect(state.resolved == "resolved")
        #expect(state.conflicts.isEmpty)
    }

    @Test func `notes a callback before the closure and an evaluation before the callback`() {
        let early = fold(Array(wholeThread.prefix(5)) + [record("callback", 45)])
        #expect(early.conflicts == ["E_STATE_CALLBACK_BEFORE_CLOSE"])
        let unasked = fold(Array(wholeThread.prefix(6)) + [evaluation(55, "3")])
        #expect(unasked.conflicts == ["E_STATE_EVAL_BEFORE_CALLBACK"])
        #expect(unasked.score == 3)
    }

    @Test func `scores only what counts, and the handling only`() {
        #expect(fold(wholeThread.dropLast() + [evaluation(70, "1", counted: 0)]).score == nil)
        #expect(status(wholeThread.dropLast() + [evaluation(70, "1", counted: 0)]) == .evaluated)
        #expect(status(wholeThread.dropLast() + [evaluation(70, "1", of: "call")]) == .calledBack)
        #expect(fold(wholeThread + [evaluation(80, "2")]).score == 2)
        #expect(fold(wholeThread + [evaluation(80, "2")]).conflicts == ["EVALUATED_TWICE"])
        #expect(fold(wholeThread + [evaluation(80, "good")]).score == 5)
    }

    // MARK: - 重办

    private let rework = [
        assignment(100, to: "水务局", round: 2), acknowledgement(110, by: "水务局"),
        record("handling", 120, [:], ["contacted": 1]),
        record("reply", 130, ["reply_kind": "final"]), closure(140), record("callback", 150, ["resolved": "resolved"]),
        evaluation(160, "4"),
    ]

    @Test func `opens a second round after the callback`() {
        let again = fold(wholeThread + rework.prefix(1))
        #expect(again.status == .dispatched)
        #expect(again.round == 2)
        #expect(again.closedAt == nil)
        #expect(again.unit == "水务局")
        #expect(again.conflicts.isEmpty)
        let done = fold(wholeThread + rework)
        #expect(done.status == .evaluated)
        #expect(done.score == 4)
        #expect(done.closedAt == 8_400_000)
        #expect(done.dispatchedAt == 600_000)
        #expect(done.conflicts.isEmpty)
    }

    @Test func `notes a second round while the first goes on`() {
        let state = fold(Array(wholeThread.prefix(4)) + [assignment(35, round: 2)])
        #expect(state.conflicts == ["E_STATE_REWORK_OPEN"])
        #expect(state.round == 2)
    }

    // MARK: - Order

    @Test func `names a conflict once, however often it occurs`() {
        let events = [
            request(), record("handling", 10, [:], ["contacted": 1]), record("reply", 16, ["reply_kind": "final"]),
            record("return_request", 17),
        ]
        #expect(fold(events).conflicts == ["E_STATE_NOT_DISPATCHED"])
        #expect(fold(events).findings.count == 2)
    }

    /// Records of one instant are taken in the order of the stages.
    @Test func `of records of one instant follows the stages`() {
        let instant = wholeThread.map { event in
            TicketEvent(
                form(event.resource), origin: event.origin, key: event.key, version: event.version,
                values: event.columns.map {
                    [.requestedDatetime, .occurredAt].contains($0) ? .integer(0) : event.value($0)
                })
        }
        #expect(status(instant.reversed()) == .evaluated)
        #expect(fold(instant.reversed()).conflicts.isEmpty)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `does not depend on the order of arrival`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        // Contradictions too, some of them of another node, at one instant and under one key.
        let events =
            wholeThread + rework
            + [
                assignment(10, to: "另一单位", origin: "370000"), closure(40), record("return_request", 20),
                record("return_request", 120),
                record("return_decision", 20, ["decision": "designated"]), evaluation(45, "1"),
                record("supervision", 20, ["level": "written"]),
                record("extension_decision", 1_200, ["decision": "approved"], ["due_datetime": 1]),
            ].filter { _ in Bool.random(using: &random) }
        let expected = fold(events)
        for _ in 0..<5 { #expect(fold(events.shuffled(using: &random)) == expected) }
    }

    @Test func `of records without times or fields is harmless`() {
        for resource in BuiltInResources.all.map(\.name) + ["no_such_resource"] {
            let bare = TicketEvent(form(resource), origin: "", key: "", version: 0, fields: [:])
            _ = fold([bare, bare])
            let odd = TicketEvent(
                form(resource), origin: "370000", key: "k", version: .min,
                fields: ["occurred_at": .text("now"), "round": .integer(.max), "due_datetime": .integer(.min)])
            #expect(fold([odd, bare]) == fold([bare, odd]))
        }
    }
}
