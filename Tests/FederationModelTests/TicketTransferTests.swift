import FederationModel
import Testing

private let minute: Int64 = 60_000
private let day: Int64 = 1_440
/// 2025-09-30 10:00 in Shanghai, a Tuesday.
private let start: UnixMilliseconds = 1_759_197_600_000
private let (province, jinan, taian, lixia) = ("370000", "370100", "370900", "370102")

private let topology = Topology(
    name: "test", version: 1,
    nodes: [(province, "山东省", nil), (jinan, "济南市", province), (taian, "泰安市", province), (lixia, "历下区", jinan)]
        .compactMap { code, name, parent in
            NodeID(code).map {
                TopologyNode(
                    id: $0, name: name, parent: parent.flatMap { NodeID($0) }, region: code, endpoint: nil)
            }
        })

private func request(by origin: String = jinan, _ texts: [String: String] = [:]) -> TicketEvent {
    TicketEvent(
        form("service_request"), origin: origin, key: "\(origin)-1", version: 1,
        fields: ["requested_datetime": .integer(start), "acceptance": .text("accepted")].merging(
            texts.mapValues { .text($0) }
        ) { $1 })
}

private func step(
    _ step: String, _ minutes: Int64, _ id: String = "t1", to node: String, by origin: String, due: Int64? = nil,
    ordinal: Int64 = 1
) -> TicketEvent {
    var fields: [String: FieldValue] = [
        "occurred_at": .integer(start + minutes * minute), "ticket_origin": .text(jinan), "transfer_id": .text(id),
        "step": .text(step), "to_node": .text(node), "ordinal": .integer(ordinal),
    ]
    fields["due_datetime"] = due.map { .integer($0) }
    return TicketEvent(
        form("transfer"), origin: origin, key: "\(id).\(step).\(origin)", version: minutes, fields: fields)
}

private func dispatch(_ minutes: Int64, by origin: String, due: Int64) -> TicketEvent {
    TicketEvent(
        form("assignment"), origin: origin, key: "d\(minutes)", version: minutes,
        fields: [
            "occurred_at": .integer(start + minutes * minute), "ticket_origin": .text(jinan), "role": .text("main"),
            "assignee_unit": .text("城管局"), "due_datetime": .integer(due), "round": .integer(1),
        ])
}

@Suite struct `A transfer` {
    private let fold = TicketFold(LifecycleRules())
    private let ticketGuard = TicketGuard(
        LifecycleRules(hierarchy: NodeHierarchy(topology)), topology: topology)
    private let offer = step("offer", 10, to: taian, by: jinan)

    private func standings(_ events: [TicketEvent]) -> [TicketTransfer.Standing] {
        fold.transfers(in: events).map(\.standing)
    }

    @Test func `leaves the owner with whoever offered until it is accepted, and after it was returned`() {
        let open = [request(), offer]
        #expect(fold.fold(open).owner == jinan)
        #expect(standings(open) == [.open])
        let returned = open + [step("return", 20, to: taian, by: taian)]
        #expect(fold.fold(returned).owner == jinan)
        #expect(standings(returned) == [.returned])
        // Then it may be offered to another.
        #expect(
            ticketGuard.refusal(of: [step("offer", 30, "t2", to: lixia, by: jinan, ordinal: 2)], in: returned) == nil)
        let accepted = open + [step("accept", 20, to: taian, by: taian)]
        #expect(fold.fold(accepted).owner == taian)
        #expect(standings(accepted) == [.accepted])
    }

    @Test func `is accepted once, however often that is said, also after the ticket went on`() {
        let accept = step("accept", 20, to: taian, by: taian)
        let again = TicketEvent(
            form("transfer"), origin: taian, key: "again", version: 50,
            fields: [
                "occurred_at": .integer(start + 50 * minute), "transfer_id": .text("t1"), "step": .text("accept"),
                "to_node": .text(taian), "ticket_origin": .text(jinan),
            ])
        let on = [
            step("offer", 30, "t2", to: province, by: taian, ordinal: 2),
            step("accept", 40, "t2", to: province, by: province),
        ]
        for thread in [[request(), offer, accept, again], [request(), offer, accept] + on + [again]] {
            let state = fold.fold(thread)
            #expect(state.findings == [])
            #expect(state.owner == (thread.count == 4 ? taian : province))
        }
    }

    @Test func `leaves the ticket with no unit until the new owner dispatches it`() {
        let accepted = step("accept", 20, to: taian, by: taian)
        let thread = [request(), dispatch(5, by: jinan, due: start + day * minute), offer]
        #expect(fold.fold(thread).unit == "城管局")
        #expect(fold.fold(thread + [accepted]).unit == nil)
        let again = dispatch(30, by: taian, due: start + day * minute)
        #expect(fold.fold(thread + [accepted, again]).unit == "城管局")
    }

    @Test func `goes on with the time limit, unless the offer carries one`() {
        let due = start + 9_000 * minute
        let own = start + 20_000 * minute
        let thread = [request(), dispatch(5, by: jinan, due: due)]
        let accept = step("accept", 20, to: taian, by: taian)
        #expect(fold.fold(thread + [offer, accept]).dueAt == due)
        let carrying = step("offer", 10, to: taian, by: jinan, due: own)
        #expect(fold.fold(thread + [carrying]).dueAt == due, "only the acceptance moves it")
        #expect(fold.fold(thread + [carrying, accept]).dueAt == own)
        #expect(fold.fold(thread + [step("designate", 20, to: taian, by: province, due: own)]).dueAt == own)
        // Whoever takes over can't give himself another.
        #expect(fold.fold(thread + [offer, step("accept", 20, to: taian, by: taian, due: own)]).dueAt == due)
    }

    @Test func `forth and back has one owner after each step`() {
        let thread = [
            request(), offer, step("accept", 20, to: taian, by: taian),
            step("offer", 30, "t2", to: jinan, by: taian, ordinal: 2), step("accept", 40, "t2", to: jinan, by: jinan),
        ]
        #expect((1...5).map { fold.fold(Array(thread.prefix($0))).owner } == [jinan, jinan, taian, taian, jinan])
        #expect(fold.fold(thread).findings == [])
        // What is over stays over, also for whoever owns the ticket again.
        #expect(fold.fold(thread + [step("accept", 50, to: taian, by: taian)]).owner == jinan)
        #expect(
            ticketGuard.refusal(of: [step("return", 50, to: taian, by: taian)], in: thread)?.code == "E_STATE_NO_OFFER")
    }

    @Test func `that is designated stands, whoever accepts before or after`() {
        let designate = step("designate", 20, "t2", to: lixia, by: province)
        for minutes: Int64 in [15, 25] {
            let state = fold.fold([request(), offer, designate, step("accept", minutes, to: taian, by: taian)])
            #expect(state.owner == lixia)
            #expect(state.conflicts == (minutes == 25 ? ["E_STATE_NOT_OWNER"] : []))
        }
        // Also against a lower ordinal.
        let late = [
            step("offer", 11, "t0", to: province, by: jinan, ordinal: 0),
            step("accept", 30, "t0", to: province, by: province),
        ]
        let accept = step("accept", 15, to: taian, by: taian)
        #expect(fold.fold([request(), offer, accept, designate] + late).owner == lixia)
        #expect(standings([request(), offer, designate]) == [.lapsed, .designated])
    }

    @Test func `is designated only by a node above both`() {
        func refusal(_ event: TicketEvent, in thread: [TicketEvent] = [request()]) -> String? {
            ticketGuard.refusal(of: [event], in: thread)?.code
        }
        #expect(refusal(step("designate", 20, to: taian, by: province)) == nil)
        #expect(refusal(step("designate", 20, to: lixia, by: jinan)) == nil, "its own ticket, to a node below")
        #expect(refusal(step("designate", 20, to: jinan, by: province), in: [request(), offer]) == nil, "back")
        #expect(refusal(step("designate", 20, to: province, by: province)) == nil, "it takes it up itself")
        for (author, target) in [(jinan, taian), (taian, taian), (lixia, lixia), (taian, jinan)] {
            #expect(refusal(step("designate", 20, to: target, by: author)) == "E_STATE_NOT_ABOVE")
        }
        let gone = [request(), offer, step("accept", 15, to: taian, by: taian)]
        #expect(
            refusal(step("designate", 20, to: lixia, by: jinan), in: gone) == "E_STATE_NOT_ABOVE", "no longer its own")
    }

    @Test(arguments: ["379999", "370100", "山东", ""]) func `to no other node of the topology is refused`(target: String)
    {
        let event = step("offer", 10, to: target, by: jinan)
        #expect(ticketGuard.refusal(of: [event], in: [request()])?.code == "E_TRANSFER_TARGET")
    }

    @Test(arguments: ["offer", "designate"]) func `of a report goes neither to whom it accuses nor through it`(
        word: String
    ) {
        func code(_ accused: String, to target: String, type: String = "4") -> String? {
            let thread = [request(by: province, ["request_type": type, "respondent_name": accused])]
            return ticketGuard.refusal(of: [step(word, 10, to: target, by: province)], in: thread)?.code
        }
        #expect(code("济南市", to: jinan) == "E_REPORT_TO_ACCUSED")
        #expect(code("济南市", to: lixia) == "E_REPORT_TO_ACCUSED")
        #expect(code("济南市", to: taian) == nil)
        #expect(code("历下区", to: jinan) == nil)
        #expect(code("济南市", to: jinan, type: "3") == nil, "a complaint is handled where it belongs")
    }

    /// Histories that nodes write while they do not see each other: the fold is one for every order of arrival, and what a
    /// node may write by its own thread leaves exactly one owner.
    @Test(arguments: 0..<300 as Range<UInt64>)
    func `leaves one owner whatever nodes do while they are apart, the same in any order`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let nodes = [province, jinan, taian, lixia]
        var held = Dictionary(uniqueKeysWithValues: nodes.map { ($0, [request()]) })
        for turn in 1...40 {
            guard let node = nodes.randomElement(using: &random), let other = nodes.randomElement(using: &random) else {
                return
            }
            let thread = held[node] ?? []
            if Int.random(in: 0..<4, using: &random) == 0 {
                // The line between two comes up for a moment.
                let both = Self.union(thread, held[other] ?? [])
                (held[node], held[other]) = (both, both)
                continue
            }
            let word = ["offer", "accept", "return", "designate"].randomElement(using: &random) ?? "offer"
            let mine = fold.transfers(in: thread).last { $0.to == node }
            let isNew = word == "offer" || word == "designate"
            let event = step(
                word, Int64(turn), isNew ? "\(node)-\(turn)" : mine?.id ?? "t", to: isNew ? other : node, by: node,
                ordinal: Int64(thread.count))
            guard ticketGuard.refusal(of: [event], in: thread) == nil else { continue }
            held[node] = thread + [event]
        }
        let all = nodes.reduce([]) { Self.union($0, held[$1] ?? []) }
        let state = fold.fold(all)
        #expect(state.owner.map(nodes.contains) == true)
        for _ in 0..<5 { #expect(fold.fold(all.shuffled(using: &random)) == state) }
        #expect(fold.transfers(in: all).count { $0.standing == .open } <= 1)
    }

    private static func union(_ a: [TicketEvent], _ b: [TicketEvent]) -> [TicketEvent] {
        a + b.filter { event in !a.contains { $0.id == event.id } }
    }
}
