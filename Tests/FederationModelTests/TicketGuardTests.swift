import FederationModel
import TestSupport
import Testing

private let city = "370100"
private let county = "370102"
private let province = "370000"
private let stranger = "370300"
private let minute: Int64 = 60_000
/// Without the county: it is held to nothing, and does what any other node may.
private let rules = LifecycleRules(
    hierarchy: NodeHierarchy(
        Topology(
            name: "test", version: 1,
            nodes: [(province, nil), (city, province), (stranger, province)].map { code, parent in
                TopologyNode(
                    id: node(code), name: code, parent: parent.map { node($0) }, region: code, endpoint: nil)
            })))
private func dispatch(
    _ minutes: Int64, to unit: String = "城管局", due: Int64? = 3_000, _ more: [String: Int64] = [:],
    role: String = "main", by origin: String = city
) -> TicketEvent {
    var integers = more
    if let due { integers["due_datetime"] = threadStart + due * minute }
    return happened("assignment", minutes, ["assignee_unit": unit, "role": role], integers, by: origin)
}

private func action(
    _ name: String, _ minutes: Int64, target: String? = nil, by origin: String = city
) -> TicketEvent {
    happened(
        "ticket_action", minutes, ["action": name].merging(target.map { ["target": $0] } ?? [:]) { $1 }, by: origin)
}

private func transfer(
    _ step: String, _ minutes: Int64, to node: String, id: String = "t1", ordinal: Int64 = 1, by origin: String
) -> TicketEvent {
    happened(
        "transfer", minutes, ["transfer_id": id, "step": step, "to_node": node], ["ordinal": ordinal], by: origin)
}

private let request = happened("service_request", 0)
private let dispatched = [request, dispatch(10)]
private let signed = dispatched + [happened("acknowledgement", 20, ["unit": "城管局"])]
private let handled = signed + [happened("handling", 30, [:], ["contacted": 1])]
private let replied = handled + [happened("reply", 40, ["reply_kind": "final"])]
private let closed = replied + [happened("closure", 50, ["closure_kind": "closed", "review": "passed"])]
private let calledBack = closed + [happened("callback", 60, ["reached": "answered", "resolved": "unresolved"])]
private let evaluated = calledBack + [happened("evaluation", 70, ["object": "handling", "score5": "2"])]

/// Every transition of domain model 2.4 and what follows it.
private let legal: [(String, [TicketEvent], TicketEvent, TicketStatus)] = [
    (
        "直接答复", [request, happened("reply", 1, ["reply_kind": "direct"])],
        happened("closure", 2, ["closure_kind": "direct"]), .closed
    ),
    ("不予受理", [], happened("service_request", 0, ["acceptance": "not_accepted"]), .notAccepted),
    ("一键转接", [], happened("service_request", 0, ["acceptance": "transferred_out"]), .transferredOut),
    ("转入派单", [request], action("queue", 5), .pendingDispatch),
    ("派单", [request, action("queue", 5)], dispatch(10), .dispatched),
    ("签收", dispatched, happened("acknowledgement", 20, ["unit": "城管局"]), .inProgress),
    (
        "协办签收", dispatched + [dispatch(11, to: "交警", role: "joint")],
        happened("acknowledgement", 20, ["unit": "交警"]), .inProgress
    ),
    ("退单申请", signed, happened("return_request", 30, ["unit": "城管局"]), .returnRequested),
    (
        "退单同意", signed + [happened("return_request", 30)],
        happened("return_decision", 40, ["decision": "approved"]), .pendingDispatch
    ),
    (
        "退单驳回", signed + [happened("return_request", 30)],
        happened("return_decision", 40, ["decision": "rejected"]), .inProgress
    ),
    (
        "延期同意", signed + [happened("extension_request", 30)],
        happened("extension_decision", 40, ["decision": "approved"], ["due_datetime": threadStart]), .inProgress
    ),
    ("答复", handled, happened("reply", 40, ["reply_kind": "final"]), .replied),
    (
        "匿名答复", [happened("service_request", 0, ["reporter_kind": "anonymous"])] + signed.dropFirst(),
        happened("reply", 40, ["reply_kind": "final"]), .replied
    ),
    ("申请办结", replied, action("apply_closure", 45), .pendingReview),
    (
        "审核通过", replied + [action("apply_closure", 45)],
        happened("closure", 50, ["closure_kind": "closed", "review": "passed"]), .closed
    ),
    (
        "审核退回", replied + [action("apply_closure", 45)],
        happened("closure", 50, ["closure_kind": "closed", "review": "sent_back"]), .inProgress
    ),
    ("进入回访", closed, action("enter_callback", 55), .callbackPending),
    ("回访", closed, happened("callback", 60, ["reached": "answered"]), .calledBack),
    ("回访未接", closed, happened("callback", 60, ["reached": "no_answer"]), .callbackPending),
    (
        "回访两次未接", closed + [happened("callback", 60, ["reached": "no_answer"])],
        happened("callback", 65, ["reached": "no_answer"]), .calledBack
    ),
    ("评价", calledBack, happened("evaluation", 70, ["object": "handling", "score5": "2"]), .evaluated),
    (
        "自助评价", closed,
        happened("evaluation", 70, ["object": "handling", "score5": "5", "verdict_source": "self_service"]), .evaluated
    ),
    ("重办", evaluated, dispatch(80, ["round": 2]), .dispatched),
    ("上级重办", calledBack, dispatch(80, ["round": 2], by: province), .dispatched),
    ("撤诉", handled, happened("closure", 50, ["closure_kind": "withdrawn"]), .withdrawn),
    ("终止办理", handled, happened("closure", 50, ["closure_kind": "terminated", "review": "passed"]), .terminated),
    ("挂账", replied, happened("closure", 50, ["closure_kind": "held"]), .replied),
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
    ("E_STATE_NOT_DISPATCHED", [request], happened("acknowledgement", 20, ["unit": "城管局"])),
    ("E_STATE_RETURN_DESIGNATED", [request, dispatch(10, ["designated": 1])], happened("return_request", 20)),
    (
        "E_STATE_RETURN_DESIGNATED",
        signed + [happened("return_request", 30), happened("return_decision", 40, ["decision": "designated"])],
        happened("return_request", 50)
    ),
    // Two working days after Tuesday 09-30 are over at the end of Thursday 10-02 where no holiday is known.
    ("E_STATE_RETURN_LATE", signed, happened("return_request", 3 * 1_440)),
    ("E_STATE_ACK_FOREIGN", dispatched, happened("acknowledgement", 20, ["unit": "水务局"])),
    ("E_STATE_NO_REQUEST", signed, happened("return_decision", 40, ["decision": "approved"])),
    ("E_STATE_EXTEND_AFTER_DUE", signed, happened("extension_request", 3_001)),
    (
        "E_STATE_EXTEND_LIMIT",
        signed
            + [30, 40].flatMap {
                [
                    happened("extension_request", $0),
                    happened("extension_decision", $0 + 5, ["decision": "approved"], ["due_datetime": .max]),
                ]
            }, happened("extension_request", 60)
    ),
    (
        "E_STATE_NO_CONTACT", signed + [happened("handling", 30, [:], ["contacted": 0])],
        happened("reply", 40, ["reply_kind": "final"])
    ),
    ("E_STATE_CLOSE_WITHOUT_REPLY", handled, happened("closure", 50, ["closure_kind": "closed"])),
    ("E_STATE_CLOSE_WITHOUT_REPLY", [request], happened("closure", 50, ["closure_kind": "direct"])),
    ("E_STATE_CLOSE_WITHOUT_REPLY", handled, action("apply_closure", 50)),
    ("E_STATE_TERMINATE_UNAPPROVED", handled, happened("closure", 50, ["closure_kind": "terminated"])),
    ("E_STATE_NOT_OPEN", closed, happened("closure", 55, ["closure_kind": "withdrawn"])),
    ("E_STATE_NOT_OPEN", dispatched, action("queue", 20)),
    ("E_STATE_CALLBACK_BEFORE_CLOSE", replied, happened("callback", 60, ["reached": "answered"])),
    ("E_STATE_CALLBACK_BEFORE_CLOSE", replied, action("archive", 60)),
    (
        "E_STATE_CALLBACK_EXCLUDED",
        [happened("service_request", 0, [:], ["callback_required": 0])] + closed.dropFirst(),
        action("enter_callback", 60)
    ),
    (
        "E_STATE_CALLBACK_EXCLUDED",
        [happened("service_request", 0, ["confidential": "reporter_protected"])] + closed.dropFirst(),
        action("enter_callback", 60)
    ),
    ("E_STATE_EVAL_BEFORE_CALLBACK", closed, happened("evaluation", 70, ["object": "handling", "score5": "5"])),
    ("E_STATE_REWORK_OPEN", handled, dispatch(80, ["round": 2])),
    ("E_STATE_NOT_OWNER", signed, happened("handling", 30, by: county)),
    ("E_STATE_NOT_OWNER", signed, transfer("offer", 30, to: province, by: county)),
    (
        "E_STATE_NOT_OWNER",
        signed + [
            transfer("offer", 30, to: county, by: city), transfer("accept", 40, to: county, by: county),
        ], dispatch(50)
    ),
    ("E_STATE_NOT_INVOLVED", signed, happened("supervision", 30, ["level": "written"], by: stranger)),
    ("E_STATE_NOT_INVOLVED", closed, happened("callback", 70, ["reached": "answered"], by: stranger)),
    ("E_STATE_NOT_ABOVE", signed, transfer("designate", 30, to: stranger, by: stranger)),
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
    ("E_STATE_MERGED", signed + [action("merge", 30, target: "370100-2")], happened("handling", 40)),
    ("E_STATE_ARCHIVED", evaluated + [action("archive", 90)], happened("callback", 95, ["reached": "answered"])),
    (
        "E_STATE_SUPERVISION_OPEN", evaluated + [happened("supervision", 75, ["level": "written"])],
        action("archive", 90)
    ),
    ("E_TIME_ORDER", replied, happened("closure", 34, ["closure_kind": "withdrawn"])),
    (
        "E_CONF_DOWNGRADE",
        [happened("service_request", 0, ["confidential": "reporter_protected"])],
        action("set_confidential", 5, target: "none", by: county)
    ),
    (
        "E_REPORT_TO_ACCUSED",
        [happened("service_request", 0, ["request_type": "4", "respondent_name": "城管局"])], dispatch(10)
    ),
    (
        "E_REPORT_TO_ACCUSED",
        [happened("service_request", 0, ["request_type": "4", "respondent_uscc": "91370100MA3C4D5E7U"])],
        dispatch(10, to: "91370100MA3C4D5E7U", role: "notice")
    ),
]

@Suite struct `The guard of a ticket` {
    private let ticketGuard = TicketGuard(rules)

    @Test(arguments: legal.indices)
    func `lets every transition of the state machine pass`(index: Int) {
        let (name, thread, event, status) = legal[index]
        #expect(ticketGuard.refusal(of: [event], in: thread) == nil, "\(name)")
        let state = TicketFold(rules).fold(thread + [event])
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
        let old = happened("service_request", 0, [:], ["migrated": 1])
        let state = TicketFold(LifecycleRules()).fold([old, dispatch(10, due: nil), closed[5]])
        #expect(state.status == .closed)
        #expect(state.conflicts.isEmpty)
        #expect(
            TicketFold(LifecycleRules()).fold([old, dispatch(10), dispatch(11, to: "水务局")]).conflicts == [
                "E_STATE_TWO_MAIN"
            ])
    }

    @Test func `takes the rules of the place`() {
        let early = happened("callback", 3_100, ["reached": "answered"])
        #expect(ticketGuard.refusal(of: [early], in: handled)?.code == "E_STATE_CALLBACK_BEFORE_CLOSE")
        let whenDue = TicketGuard(LifecycleRules(allowsCallbackWhenDue: true))
        #expect(whenDue.refusal(of: [early], in: handled) == nil)
        #expect(whenDue.refusal(of: [happened("callback", 2_999, ["reached": "answered"])], in: handled) != nil)
        let patient = TicketGuard(LifecycleRules(returnWorkingDays: 10))
        #expect(patient.refusal(of: [happened("return_request", 3 * 1_440)], in: signed) == nil)
        let stopped = TicketFold(LifecycleRules(suspensionStopsClock: true)).fold(
            signed + [action("suspend", 100), action("resume", 400)])
        #expect(stopped.dueAt == threadStart + 3_300 * minute)
        #expect(TicketFold(LifecycleRules()).fold(signed + [action("suspend", 100)]).isSuspended)
    }
}

@Suite struct `What nodes did at the same time` {
    private func fold(_ events: [TicketEvent]) -> TicketState { TicketFold(LifecycleRules()).fold(events) }

    @Test func `closing under a supervision keeps both, and such a ticket can't be archived`() {
        let state = fold(replied + [happened("supervision", 45, ["level": "written"], by: province), closed[5]])
        #expect(state.status == .closed)
        #expect(state.supervision == .open)
        #expect(state.conflicts == ["CLOSED_UNDER_SUPERVISION"])
        #expect(
            fold(replied + [happened("supervision", 45, by: province), closed[5], action("archive", 60)]).status
                == .closed)
    }

    @Test func `a rework wins over the closure of the round before, whichever came first`() {
        let rework = dispatch(45, ["round": 2], by: province)
        let late = happened("closure", 50, ["closure_kind": "closed", "review": "passed"], ["round": 1])
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
                happened("extension_request", 2_990),
                happened("supervision", 3_010, ["level": "red_card", "trigger": "overdue"]),
                happened(
                    "extension_decision", 3_020, ["decision": "approved"],
                    ["due_datetime": threadStart + 6_000 * minute]),
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
        let person = happened("evaluation", 70, ["object": "handling", "score5": "2", "verdict_source": "person"])
        let standard = happened("evaluation", 75, ["object": "handling", "score5": "5", "verdict_source": "default"])
        #expect(fold(calledBack + [person, standard]).score == 2)
        #expect(fold(calledBack + [person, standard]).conflicts == ["EVALUATED_TWICE"])
    }

    @Test func `a chain of merges ends at its head, a cycle at the lowest id`() {
        let links: [ExactText: ExactText] = ["c": "b", "b": "a", "x": "y", "y": "z", "z": "x", "in": "y"]
        #expect(MergeChain.head(of: "c") { links[$0] } == ("a", false))
        #expect(MergeChain.head(of: "a") { links[$0] } == ("a", false))
        for ticket: ExactText in ["x", "y", "z", "in"] {
            #expect(MergeChain.head(of: ticket) { links[$0] } == ("x", true))
        }
    }
}
