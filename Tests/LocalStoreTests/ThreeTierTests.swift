import FederationModel
import LocalStore
import Testing

/// Walks the state machine at random, by the guard itself: every history that comes out is legal.
private struct Walk {
    var random: SplitMix64
    let origin: NodeID
    private let ticketGuard = TicketGuard(LifecycleRules())

    init(seed: UInt64, origin: NodeID) {
        random = SplitMix64(seed: seed)
        self.origin = origin
    }

    mutating func history(_ number: Int) -> [IntakeRecord] {
        var records = [ticket(number, origin: origin)]
        var minutes: Int64 = 0
        for _ in 0..<40 {
            minutes += Int64.random(in: 1...400, using: &random)
            let (resource, fields) = proposal(after: minutes)
            let record = stage(
                resource, of: number, origin: origin, after: minutes,
                fields.merging(["round": .integer(round(of: records))]) { a, _ in a })
            guard !records.contains(where: { $0.resource == resource && $0.key == record.key }),
                ticketGuard.refusal(of: [event(record)], in: records.map(event)) == nil
            else { continue }
            records.append(record)
        }
        return records
    }

    private func round(of records: [IntakeRecord]) -> Int64 {
        records.compactMap { $0.fields["round"]?.integer }.max() ?? 1
    }

    private mutating func proposal(after minutes: Int64) -> (ResourceName, [String: FieldValue]) {
        func words(_ texts: [String: String], _ integers: [String: Int64] = [:]) -> [String: FieldValue] {
            texts.mapValues { .text($0) }.merging(integers.mapValues { .integer($0) }) { $1 }
        }
        let unit = Bool.random(using: &random) ? "城管局" : "水务局"
        let due = noon + (minutes + Int64.random(in: 100...9_000, using: &random)) * 60_000
        let choices: [(ResourceName, [String: FieldValue])] = [
            ("assignment", words(["assignee_unit": unit, "role": "main"], ["due_datetime": due])),
            ("assignment", words(["assignee_unit": unit, "role": "main"], ["due_datetime": due, "round": 2])),
            ("assignment", words(["assignee_unit": "交警", "role": "joint"])),
            ("acknowledgement", words(["unit": unit])), ("return_request", words(["unit": unit, "reason": "other"])),
            ("return_decision", words(["decision": "approved"])),
            ("return_decision", words(["decision": "designated"])),
            ("extension_request", words([:], ["requested_until": due])),
            ("extension_decision", words(["decision": "approved"], ["due_datetime": due])),
            ("handling", words([:], ["contacted": 1])), ("handling", words([:], ["contacted": 0])),
            ("reply", words(["reply_kind": "final"])), ("reply", words(["reply_kind": "interim"])),
            ("supervision", words(["level": "red_card", "trigger": "overdue"])),
            ("supervision", words(["level": "written"], ["closed_datetime": due])),
            ("closure", words(["closure_kind": "closed", "review": "passed"])),
            ("closure", words(["closure_kind": "closed", "review": "sent_back"])),
            ("closure", words(["closure_kind": "held"])), ("closure", words(["closure_kind": "withdrawn"])),
            ("callback", words(["method": "telephone", "reached": "answered", "resolved": "unresolved"])),
            ("callback", words(["method": "telephone", "reached": "no_answer"])),
            ("evaluation", words(["object": "handling", "score5": "2"])),
            ("ticket_action", words(["action": "queue"])), ("ticket_action", words(["action": "apply_closure"])),
            ("ticket_action", words(["action": "suspend"])), ("ticket_action", words(["action": "resume"])),
            ("ticket_action", words(["action": "archive"])),
        ]
        return choices.randomElement(using: &random) ?? choices[0]
    }

    private func event(_ record: IntakeRecord) -> TicketEvent {
        TicketEvent(
            .init(record.resource, columns: TicketGuard.columns[record.resource] ?? []), origin: origin.code,
            key: record.key, version: 0, fields: record.fields)
    }
}

@Suite struct `Three tiers` {
    private static let state = "SELECT * FROM ticket_state ORDER BY global_id"
    private static let conflicts = "SELECT * FROM ticket_conflict ORDER BY global_id, ordinal"

    /// Records come in any order, some of them twice, and travel on at any moment; at the end every node says what one node
    /// says that got them in order.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func `agree with one node on every ticket, whatever the order in which its records arrive`(seed: UInt64)
        async throws
    {
        var walk = Walk(seed: seed, origin: lixia)
        let histories = (1...25).map { walk.history($0) }
        let reference = try TemporaryStore(lixia)
        for history in histories {
            let report = try await reference.store.intake(rows: history.map { [$0] }, isGuarded: true, now: noon)
            #expect(report.outcomes.allSatisfy { $0.isAccepted })
        }
        try await reference.store.catchUpConsumers(now: noon)

        let tiers = try [lixia, jinan, province].map { try TemporaryStore($0) }
        var random = SplitMix64(seed: seed ^ 0xabcdef)
        var delivery = histories.flatMap { $0 }
        delivery += delivery.filter { _ in Int.random(in: 0..<5, using: &random) == 0 }
        delivery.shuffle(using: &random)
        while !delivery.isEmpty {
            let count = min(delivery.count, Int.random(in: 1...40, using: &random))
            _ = try await tiers[0].store.intake(Array(delivery.suffix(count)), now: noon)
            delivery.removeLast(count)
            for (lower, upper) in zip(tiers, tiers.dropFirst()) where Bool.random(using: &random) {
                try await carry(
                    lower.store, upper.store, policy: policy(from: lower.store.node, to: upper.store.node),
                    rowsMax: Int.random(in: 1...30, using: &random))
                try await upper.store.catchUpConsumers(now: noon)
            }
        }
        for (lower, upper) in zip(tiers, tiers.dropFirst()) {
            try await carry(
                lower.store, upper.store, policy: policy(from: lower.store.node, to: upper.store.node))
        }
        let expected = try await reference.store.rows(sql: Self.state, arguments: [])
        #expect(Set(expected.map { $0[1] }).count > 3)
        #expect(try await reference.store.conflicts(code: nil, limit: 100).allSatisfy { !$0.finding.code.isRefused })
        for tier in tiers {
            try await tier.store.catchUpConsumers(now: noon)
            #expect(try await tier.store.rows(sql: Self.state, arguments: []) == expected)
            #expect(
                try await tier.store.rows(sql: Self.conflicts, arguments: [])
                    == reference.store.rows(sql: Self.conflicts, arguments: []))
        }
    }
}
