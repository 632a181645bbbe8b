import FederationModel
import Testing

private let city = "370100"
private let county = "370102"
private let province = "370000"
private let minute: Int64 = 60_000
/// 2025-09-30 10:00 in Shanghai, a Tuesday before the national holidays.
private let start: UnixMilliseconds = 1_759_197_600_000

/// One record, so many minutes after the request.
private func record(
    _ resource: ResourceName, _ minutes: Int64, _ texts: [String: String] = [:], _ integers: [String: Int64] = [:],
    by origin: String = city
) -> TicketEvent {
    var fields = texts.mapValues { FieldValue.text($0) }.merging(integers.mapValues { .integer($0) }) { $1 }
    let time = start + minutes * minute
    if resource == "service_request" {
        fields["requested_datetime"] = .integer(time)
        fields["acceptance"] = fields["acceptance"] ?? .text("accepted")
    } else {
        fields["occurred_at"] = .integer(time)
        fields["ticket_origin"] = .text(city)
    }
    return TicketEvent(
        form(resource), origin: origin, key: "370100-1.\(resource).\(origin).\(minutes)", version: time << 16,
        fields: fields)
}

private func dispatch(
    _ minutes: Int64, to unit: String = "城管局", due: Int64? = 3_000, _ more: [String: Int64] = [:],
    role: String = "main", by origin: String = city
) -> TicketEvent {
    var integers = more
    if let due { integers["due_datetime"] = start + due * minute }
    return record("assignment", minutes, ["assignee_unit": unit, "role": role], integers, by: origin)
}

private func action(
    _ name: String, _ minutes: Int64, target: String? = nil, by origin: String = city
) -> TicketEvent {
    record(
        "ticket_action", minutes, ["action": name].merging(target.map { ["target": $0] } ?? [:]) { $1 }, by: origin)
}

private func transfer(
    _ step: String, _ minutes: Int64, to node: String, id: String = "t1", ordinal: Int64 = 1, by origin: String
) -> TicketEvent {
    record(
        "transfer", minutes, ["transfer_id": id, "step": step, "to_node": node], ["ordinal": ordinal], by: origin)
}

private let request = record("service_request", 0)
private let dispatched = [request, dispatch(10)]
private let signed = dispatched + [record("acknowledgement", 20, ["unit": "城管局"])]
private let handled = signed + [record("handling", 30, [:], ["contacted": 1])]
private let replied = handled + [record("reply", 40, ["reply_kind": "final"])]
private let closed = replied + [record("closure", 50, ["closure_kind": "closed", "review": "passed"])]
private let calledBack = closed + [record("callback", 60, ["reached": "answered", "resolved": "unresolved"])]
private let evaluated = calledBack + [record("evaluation", 70, ["object": "handling", "score5": "2"])]

/// Every transition of domain model 2.4 and what follows it.
private let legal: [(String, [TicketEvent], TicketEvent, TicketStatus)] = [
    (
        "直接答复", [request, record("reply", 1, ["reply_kind": "direct"])],
        record("closure", 2, ["closure_kind": "direct"]), .closed
    ),
    ("不予受理", [], record("service_request", 0, ["acceptance": "not_accepted"]), .notAccepted),
    ("一键转接", [], record("service_request", 0, ["acceptance": "transferred_out"]), .transferredOut),
    ("转入派单", [request], action("queue", 5), .pendingDispatch),
    ("派单", [request, action("queue", 5)], dispatch(10), .dispatched),
    ("签收", dispatched, record("acknowledgement", 20, ["unit": "城管局"]), .inProgress),
    (
        "协办签收", dispatched + [dispatch(11, to: "交警", role: "joint")],
        record("acknowledgement", 20, ["unit": "交警"]), .inProgress
    ),
    ("退单申请", signed, record("return_request", 30, ["unit": "城管局"]), .returnRequested),
    (
        "退单同意", signed + [record("return_request", 30)],
        record("return_decision", 40, ["decision": "approved"]), .pendingDispatch
    ),
    (
        "退单驳回", signed + [record("return_request", 30)],
        record("return_decision", 40, ["decision": "rejected"]), .inProgress
    ),
    (
        "延期同意", signed + [record("extension_request", 30)],
        record("extension_decision", 40, ["decision": "approved"], ["due_datetime": start]), .inProgress
    ),
    ("答复", handled, record("reply", 40, ["reply_kind": "final"]), .replied),
    (
        "匿名答复", [record("service_request", 0, ["reporter_kind": "anonymous"])] + signed.dropFirst(),
        record("reply", 40, ["reply_kind": "final"]), .replied
    ),
    ("申请办结", replied, action("apply_closure", 45), .pendingReview),
    (
        "审核通过", replied + [action("apply_closure", 45)],
        record("closure", 50, ["closure_kind": "closed", "review": "passed"]), .closed
    ),
    (
        "审核退回", replied + [action("apply_closure", 45)],
        record("closure", 50, ["closure_kind": "closed", "review": "sent_back"]), .inProgress
    ),
    ("进入回访", closed, action("enter_callback", 55), .callbackPending),
    ("回访", closed, record("callback", 60, ["reached": "answered"]), .calledBack),
    ("回访未接", closed, record("callback", 60, ["reached": "no_answer"]), .callbackPending),
    (
        "回访两次未接", closed + [record("callback", 60, ["reached": "no_answer"])],
        record("callback", 65, ["reached": "no_answer"]), .calledBack
    ),
    ("评价", calledBack, record("evaluation", 70, ["object": "handling", "score5": "2"]), .evaluated),
    (
        "自助评价", closed,
        record("evaluation", 70, ["object": "handling", "score5": "5", "verdict_source": "self_service"]), .evaluated
    ),
    ("重办", evaluated, dispatch(80, ["round": 2]), .dispatched),
    ("上级重办", calledBack, dispatch(80, ["round": 2], by: province), .dispatched),
    ("撤诉", handled, record("closure", 50, ["closure_kind": "withdrawn"]), .withdrawn),
    ("终止办理", handled, record("closure", 50, ["closure_kind": "terminated", "review": "passed"]), .terminated),
    ("挂账", replied, record("closure", 50, ["closure_kind": "held"]), .replied),
    ("移交", signed, transfer("offer", 30, to: county, by: city), .inProgress),
    (
        "移交接收", signed + [transfer("offer", 30, to: county, by: city)],
        transfer("accept", 40, to: county, by: county), .pendingDispatch
    ),
    (
        "指定", signed + [transfer("offer", 30, to: county, by: city)],
        transfer("designate", 40, to: county, by: province), .pendingDispatch
    ),
    ("归档", evaluated, action("archive", 90), .archived),
]

/// Every illegal event of domain model 2.4, with its code.
private let illegal: [(String, [TicketEvent], TicketEvent)] = [
    ("E_STATE_NO_DUE", [request], dispatch(10, due: nil)),
    ("E_STATE_TWO_MAIN", dispatched, dispatch(15, to: "水务局")),
    ("E_STATE_NOT_DISPATCHED", [request], record("acknowledgement", 20, ["unit": "城管局"])),
    ("E_STATE_RETURN_DESIGNATED", [request, dispatch(10, ["designated": 1])], record("return_request", 20)),
    (
        "E_STATE_RETURN_DESIGNATED",
        signed + [record("return_request", 30), record("return_decision", 40, ["decision": "designated"])],
        record("return_request", 50)
    ),
    // Two working days after Tuesday 09-30 are over at the end of Thursday 10-02 where no holiday is known.
    ("E_STATE_RETURN_LATE", signed, record("return_request", 3 * 1_440)),
    ("E_STATE_ACK_FOREIGN", dispatched, record("acknowledgement", 20, ["unit": "水务局"])),
    ("E_STATE_NO_REQUEST", signed, record("return_decision", 40, ["decision": "approved"])),
    ("E_STATE_EXTEND_AFTER_DUE", signed, record("extension_request", 3_001)),
    (
        "E_STATE_EXTEND_LIMIT",
        signed
            + [30, 40].flatMap {
                [
                    record("extension_request", $0),
                    record("extension_decision", $0 + 5, ["decision": "approved"], ["due_datetime": .max]),
                ]
            }, record("extension_request", 60)
    ),
    (
        "E_STATE_NO_CONTACT", signed + [record("handling", 30, [:], ["contacted": 0])],
        record("reply", 40, ["reply_kind": "final"])
    ),
    ("E_STATE_CLOSE_WITHOUT_REPLY", handled, record("closure", 50, ["closure_kind": "closed"])),
    ("E_STATE_CLOSE_WITHOUT_REPLY", [request], record("closure", 50, ["closure_kind": "direct"])),
    ("E_STATE_CLOSE_WITHOUT_REPLY", handled, action("apply_closure", 50)),
    ("E_STATE_TERMINATE_UNAPPROVED", handled, record("closure", 50, ["closure_kind": "terminated"])),
    ("E_STATE_NOT_OPEN", closed, record("closure", 55, ["closure_kind": "withdrawn"])),
    ("E_STATE_NOT_OPEN", dispatched, action("queue", 20)),
    ("E_STATE_CALLBACK_BEFORE_CLOSE", replied, record("callback", 60, ["reached": "answered"])),
    ("E_STATE_CALLBACK_BEFORE_CLOSE", replied, action("archive", 60)),
    (
        "E_STATE_CALLBACK_EXCLUDED",
        [record("service_request", 0, [:], ["callback_required": 0])] + closed.dropFirst(),
        action("enter_callback", 60)
    ),
    (
        "E_STATE_CALLBACK_EXCLUDED",
        [record("service_request", 0, ["confidential": "reporter_protected"])] + closed.dropFirst(),
        action("enter_callback", 60)
    ),
    ("E_STATE_EVAL_BEFORE_CALLBACK", closed, record("evaluation", 70, ["object": "handling", "score5": "5"])),
    ("E_STATE_REWORK_OPEN", handled, dispatch(80, ["round": 2])),
    ("E_STATE_NOT_OWNER", signed, record("handling", 30, by: county)),
    ("E_STATE_NOT_OWNER", signed, transfer("offer", 30, to: province, by: county)),
    (
        "E_STATE_NOT_OWNER",
        signed + [
            transfer("offer", 30, to: county, by: city), transfer("accept", 40, to: county, by: county),
        ], dispatch(50)
    ),
    ("E_STATE_NO_OFFER", signed, transfer("accept", 40, to: county, by: county)),
    (
        "E_STATE_NO_OFFER",
        signed + [transfer("offer", 30, to: county, by: city)],
        transfer("return", 40, to: county, by: province)
    ),
    (
        "E_STATE_OFFER_OPEN", signed + [transfer("offer", 30, to: county, by: city)],
        transfer("offer", 40, to: "370200", id: "t2", ordinal: 2, by: city)
    ),
    ("E_STATE_NOT_OPEN", closed, transfer("offer", 60, to: county, by: city)),
    (
        "E_STATE_NO_OFFER",
        signed + [transfer("offer", 30, to: county, by: city), transfer("return", 35, to: county, by: county)],
        transfer("accept", 40, to: county, by: county)
    ),
    (
        "E_STATE_NO_OFFER",
        signed + [transfer("offer", 30, to: county, by: city), transfer("accept", 35, to: county, by: county)],
        transfer("return", 40, to: county, by: county)
    ),
    (
        "E_STATE_RETURN_DESIGNATED",
        signed + [transfer("offer", 30, to: county, by: city), transfer("designate", 35, to: county, by: province)],
        transfer("return", 40, to: county, by: county)
    ),
    (
        "E_STATE_RETURN_LATE", signed + [transfer("offer", 30, to: county, by: city)],
        transfer("return", 3 * 1_440, to: county, by: county)
    ),
    (
        "E_STATE_NOT_OWNER",
        signed + [
            transfer("offer", 30, to: county, by: city),
            transfer("designate", 35, to: "370200", id: "t2", by: province),
        ], transfer("accept", 40, to: county, by: county)
    ),
    ("E_STATE_MERGED", signed + [action("merge", 30, target: "370100-2")], record("handling", 40)),
    ("E_STATE_ARCHIVED", evaluated + [action("archive", 90)], record("callback", 95, ["reached": "answered"])),
    ("E_STATE_SUPERVISION_OPEN", evaluated + [record("supervision", 75, ["level": "written"])], action("archive", 90)),
    ("E_TIME_ORDER", replied, record("closure", 34, ["closure_kind": "withdrawn"])),
    (
        "E_CONF_DOWNGRADE",
        [record("service_request", 0, ["confidential": "reporter_protected"])],
        action("set_confidential", 5, target: "none", by: county)
    ),
    (
        "E_REPORT_TO_ACCUSED",
        [record("service_request", 0, ["request_type": "4", "respondent_name": "城管局"])], dispatch(10)
    ),
    (
        "E_REPORT_TO_ACCUSED",
        [record("service_request", 0, ["request_type": "4", "respondent_uscc": "91370100MA3C4D5E7U"])],
        dispatch(10, to: "91370100MA3C4D5E7U", role: "notice")
    ),
]

@Suite struct `The guard of a ticket` {
    private let ticketGuard = TicketGuard(LifecycleRules())

    @Test(arguments: legal.indices)
    func `lets every transition of the state machine pass`(index: Int) {
        let (name, thread, event, status) = legal[index]
        #expect(ticketGuard.refusal(of: [event], in: thread) == nil, "\(name)")
        let state = TicketFold(LifecycleRules()).fold(thread + [event])
        #expect(state.status == status, "\(name)")
        #expect(state.conflicts.isEmpty, "\(name)")
    }

    @Test(arguments: illegal.indices)
    func `refuses every illegal event with its code`(index: Int) {
        let (code, thread, event) = illegal[index]
        #expect(ticketGuard.refusal(of: [event], in: thread)?.code == code)
        // The same record is no reason to refuse others, and none when it is stored already.
        #expect(ticketGuard.refusal(of: [event], in: thread, replacing: [event]) == nil)
    }

    @Test func `has each refused code among its tests`() {
        let tested = Set(illegal.map(\.0))
        for code in TicketFinding.Code.allCases where code.isRefused { #expect(tested.contains(code.rawValue)) }
    }

    @Test func `holds a migrated ticket to no step that its system never kept`() {
        let old = record("service_request", 0, [:], ["migrated": 1])
        let state = TicketFold(LifecycleRules()).fold([old, dispatch(10, due: nil), closed[5]])
        #expect(state.status == .closed)
        #expect(state.conflicts.isEmpty)
        #expect(
            TicketFold(LifecycleRules()).fold([old, dispatch(10), dispatch(11, to: "水务局")]).conflicts == [
                "E_STATE_TWO_MAIN"
            ])
    }

    @Test func `takes the rules of the place`() {
        let early = record("callback", 3_100, ["reached": "answered"])
        #expect(ticketGuard.refusal(of: [early], in: handled)?.code == "E_STATE_CALLBACK_BEFORE_CLOSE")
        let whenDue = TicketGuard(LifecycleRules(allowsCallbackWhenDue: true))
        #expect(whenDue.refusal(of: [early], in: handled) == nil)
        #expect(whenDue.refusal(of: [record("callback", 2_999, ["reached": "answered"])], in: handled) != nil)
        let patient = TicketGuard(LifecycleRules(returnWorkingDays: 10))
        #expect(patient.refusal(of: [record("return_request", 3 * 1_440)], in: signed) == nil)
        let stopped = TicketFold(LifecycleRules(suspensionStopsClock: true)).fold(
            signed + [action("suspend", 100), action("resume", 400)])
        #expect(stopped.dueAt == start + 3_300 * minute)
        #expect(TicketFold(LifecycleRules()).fold(signed + [action("suspend", 100)]).isSuspended)
    }
}

@Suite struct `What nodes did at the same time` {
    private func fold(_ events: [TicketEvent]) -> TicketState { TicketFold(LifecycleRules()).fold(events) }

    @Test func `closing under a supervision keeps both, and such a ticket can't be archived`() {
        let state = fold(replied + [record("supervision", 45, ["level": "written"], by: province), closed[5]])
        #expect(state.status == .closed)
        #expect(state.supervision == .open)
        #expect(state.conflicts == ["CLOSED_UNDER_SUPERVISION"])
        #expect(
            fold(replied + [record("supervision", 45, by: province), closed[5], action("archive", 60)]).status
                == .closed)
    }

    @Test func `a rework wins over the closure of the round before, whichever came first`() {
        let rework = dispatch(45, ["round": 2], by: province)
        let late = record("closure", 50, ["closure_kind": "closed", "review": "passed"], ["round": 1])
        let state = fold(replied + [rework, late])
        #expect(state.status == .dispatched)
        #expect(state.round == 2)
        #expect(state.conflicts == ["E_STATE_REWORK_OPEN", "REWORK_WINS"])
        #expect(fold(closed + [dispatch(55, ["round": 2], by: province)]).conflicts == [])
    }

    @Test func `of two dispatches the owner's holds`() {
        let state = fold([request, dispatch(10), dispatch(12, to: "水务局", by: county)])
        #expect(state.unit == "城管局")
        #expect(state.conflicts == ["E_STATE_NOT_OWNER"])
    }

    @Test func `of two owners after a split transfer the lowest ordinal wins`() {
        let offers = [
            transfer("offer", 30, to: county, id: "a", ordinal: 2, by: city),
            transfer("offer", 31, to: "370200", id: "b", ordinal: 1, by: city),
        ]
        let both = [
            transfer("accept", 40, to: county, id: "a", ordinal: 2, by: county),
            transfer("accept", 41, to: "370200", id: "b", ordinal: 1, by: "370200"),
        ]
        let state = fold(signed + offers + both)
        #expect(state.owner == "370200")
        #expect(
            state.findings == [
                TicketFinding(code: .offerOpen, event: offers[1].id),
                TicketFinding(code: .ownerSplit, event: both[0].id),
            ])
        let work = fold(signed + offers + both + [dispatch(60, by: county)])
        #expect(work.conflicts == ["E_STATE_OFFER_OPEN", "OWNER_SPLIT", "E_STATE_NOT_OWNER"])
        // Accepting once more changes nothing.
        let again = transfer("accept", 55, to: "370200", id: "b", ordinal: 1, by: "370200")
        #expect(fold(signed + offers + both + [again]).findings.count == 2)
    }

    @Test func `of two categories the owner's holds, and of two telephone numbers both stay`() {
        let state = fold(
            signed + [
                action("set_category", 30, target: "0201"), action("set_category", 31, target: "03", by: province),
            ])
        #expect(state.category == "0201")
        #expect(state.conflicts == ["CATEGORY_PROPOSAL"])
        #expect(fold(signed + [action("set_phone", 30), action("set_phone", 31, by: county)]).conflicts == ["K04"])
    }

    @Test func `a red card falls when an extension had been asked for in time`() {
        let events =
            signed + [
                record("extension_request", 2_990),
                record("supervision", 3_010, ["level": "red_card", "trigger": "overdue"]),
                record("extension_decision", 3_020, ["decision": "approved"], ["due_datetime": start + 6_000 * minute]),
            ]
        #expect(fold(events).conflicts == ["CARD_VOIDED"])
        #expect(fold(events).supervision == .closed)
        #expect(fold(Array(events.dropLast())).supervision == .open)
    }

    @Test func `raising the confidentiality wins, and only the origin lowers it`() {
        let raised = fold(signed + [action("set_confidential", 30, target: "reporter_protected", by: county)])
        #expect(raised.confidential == .reporterProtected)
        #expect(raised.conflicts == [])
        let lowered = fold(
            signed + [
                action("set_confidential", 30, target: "reporter_protected", by: county),
                action("set_confidential", 31, target: "none", by: city),
            ])
        #expect(lowered.confidential == .none)
        #expect(lowered.conflicts == [])
    }

    @Test func `of two evaluations of a round the person's last one counts`() {
        let person = record("evaluation", 70, ["object": "handling", "score5": "2", "verdict_source": "person"])
        let standard = record("evaluation", 75, ["object": "handling", "score5": "5", "verdict_source": "default"])
        #expect(fold(calledBack + [person, standard]).score == 2)
        #expect(fold(calledBack + [person, standard]).conflicts == ["EVALUATED_TWICE"])
    }

    @Test func `a chain of merges ends at its head, a cycle at the lowest id`() {
        let links = ["c": "b", "b": "a", "x": "y", "y": "z", "z": "x", "in": "y"]
        #expect(MergeChain.head(of: "c") { links[$0] } == ("a", false))
        #expect(MergeChain.head(of: "a") { links[$0] } == ("a", false))
        for ticket in ["x", "y", "z", "in"] { #expect(MergeChain.head(of: ticket) { links[$0] } == ("x", true)) }
    }
}

@Suite struct `A guarded thread` {
    private static let choices: [(ResourceName, [String: String], [String: Int64])] = [
        ("assignment", ["assignee_unit": "城管局", "role": "main"], ["due_datetime": start + 3_000 * minute]),
        ("assignment", ["assignee_unit": "水务局", "role": "joint"], [:]),
        ("assignment", ["assignee_unit": "城管局", "role": "main"], ["round": 2, "due_datetime": start]),
        ("acknowledgement", ["unit": "城管局"], [:]), ("handling", [:], ["contacted": 1]),
        ("reply", ["reply_kind": "final"], [:]), ("closure", ["closure_kind": "closed", "review": "passed"], [:]),
        ("closure", ["closure_kind": "direct"], [:]), ("return_request", [:], [:]),
        ("return_decision", ["decision": "designated"], [:]), ("extension_request", [:], [:]),
        ("extension_decision", ["decision": "approved"], ["due_datetime": start + 9_000 * minute]),
        ("callback", ["reached": "answered"], [:]), ("evaluation", ["object": "handling", "score5": "3"], [:]),
        ("ticket_action", ["action": "archive"], [:]), ("ticket_action", ["action": "merge", "target": "x"], [:]),
        ("ticket_action", ["action": "set_confidential", "target": "reporter_protected"], [:]),
        ("transfer", ["transfer_id": "t", "step": "offer", "to_node": county], ["ordinal": 1]),
        ("transfer", ["transfer_id": "t", "step": "accept", "to_node": county], ["ordinal": 1]),
        ("transfer", ["transfer_id": "u", "step": "offer", "to_node": province], ["ordinal": 2]),
        ("transfer", ["transfer_id": "t", "step": "designate", "to_node": city], ["ordinal": 1]),
        ("transfer", ["transfer_id": "t", "step": "return", "to_node": city], ["ordinal": 1]),
        ("supervision", ["level": "red_card", "trigger": "overdue"], [:]),
    ]

    /// Taking a record in and folding the whole thread with it are one guard; so what is remembered can stand for what is
    /// stored.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func `refuses what the guard of the whole thread refuses`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let ticketGuard = TicketGuard(LifecycleRules())
        let report = ["request_type": "4", "respondent_name": "水务局"]
        let request = record("service_request", 0, Bool.random(using: &random) ? report : [:])
        var thread = [request]
        var guarded = GuardedThread(thread, own: city, rules: ticketGuard.rules)
        var clock: Int64 = 0
        for _ in 0..<40 {
            guard let (resource, texts, integers) = Self.choices.randomElement(using: &random) else { return }
            clock += .random(in: -2...20, using: &random)
            let isOwn = Int.random(in: 0..<6, using: &random) > 0
            let event = record(
                resource, max(0, clock), texts, integers, by: isOwn ? city : [county, province][Int(seed % 2)])
            guard isOwn else {
                // It came by a link: nobody asks the guard, and what was remembered is forgotten.
                thread.append(event)
                guarded = GuardedThread(thread, own: city, rules: ticketGuard.rules)
                continue
            }
            let others = thread.filter { $0.id != event.id }
            let replaced = thread.filter { $0.id == event.id }
            let refusal = ticketGuard.refusal(of: [event], in: others, replacing: replaced)
            if guarded.isFollowed(by: [event]) {
                #expect(replaced.isEmpty)
                #expect(ticketGuard.refusal(of: [event], after: &guarded) == refusal, "\(resource) \(texts)")
                if refusal == nil { thread.append(event) }
            } else if refusal == nil {
                thread = others + [event]
                guarded = GuardedThread(thread, own: city, rules: ticketGuard.rules)
            }
        }
    }

    @Test func `is followed neither by what lies before its end nor by a record that it has`() {
        let thread = GuardedThread(signed, own: city, rules: LifecycleRules())
        // One in some twenty shares the bit of a record that is there, and is looked at with the whole thread.
        #expect((30..<60).contains { thread.isFollowed(by: [record("handling", $0)]) })
        #expect(!thread.isFollowed(by: [record("handling", 30), record("handling", 15)]))
        #expect(!thread.isFollowed(by: [signed[2]]))
        #expect(!thread.isFollowed(by: [record("assignment", 20)]))
        #expect(GuardedThread([], own: city, rules: LifecycleRules()).isFollowed(by: [request]))
    }
}
