import FederationModel
import LocalStore
import Testing

@Suite struct `The intake of events as they happen` {
    private let dispatch = stage(
        "assignment", of: 1, after: 10,
        ["assignee_unit": .text("市住建局"), "role": .text("main"), "due_datetime": .integer(noon + 86_400_000)])
    private let reply = stage("reply", of: 1, after: 60, ["reply_kind": .text("final")])
    private let closure = stage(
        "closure", of: 1, after: 90, ["closure_kind": .text("closed"), "review": .text("passed")])

    private func codes(_ report: IntakeReport) -> [String] {
        report.outcomes.map {
            switch $0 {
            case .accepted: "accepted"
            case .unchanged: "unchanged"
            case .refused(let refusal): refusal.code
            }
        }
    }

    @Test func `refuses what is illegal at its place, by what is stored and by the rows before it`() async throws {
        let store = try TemporaryStore(jinan)
        let rows = [[ticket(1)], [closure], [dispatch], [reply], [closure]]
        let report = try await store.store.intake(rows: rows, isGuarded: true, now: noon)
        #expect(
            codes(report) == ["accepted", "E_STATE_CLOSE_WITHOUT_REPLY", "accepted", "accepted", "accepted"])
        let later = try await store.store.intake(
            rows: [
                [stage("handling", of: 1, after: 40, [:])],
                [stage("callback", of: 1, after: 100, ["method": .text("telephone"), "reached": .text("answered")])],
            ], isGuarded: true, now: noon)
        #expect(codes(later) == ["E_TIME_ORDER", "accepted"])
    }

    @Test func `takes a repeated batch as unchanged, also when its events would be illegal now`() async throws {
        let store = try TemporaryStore(jinan)
        let rows = [[ticket(1)], [dispatch], [reply], [closure]]
        _ = try await store.store.intake(rows: rows, isGuarded: true, now: noon)
        let head = try await store.store.head()
        let again = try await store.store.intake(rows: rows, isGuarded: true, now: noon + 1)
        #expect(codes(again) == Array(repeating: "unchanged", count: 4))
        #expect(try await store.store.head() == head)
    }

    /// What a store remembers of a ticket in work holds only as long as nobody else wrote of it.
    @Test func `goes by what another process or a link has written in between`() async throws {
        let store = try TemporaryStore(jinan)
        _ = try await store.store.intake(rows: [[ticket(1)], [ticket(2)]], isGuarded: true, now: noon)
        _ = try await store.store.intake(
            rows: [[dispatch], [reply], [closure]], isGuarded: true, now: noon)
        let command = try NodeStore(at: store.path)
        let archive = stage("ticket_action", of: 1, after: 95, ["action": .text("archive")])
        _ = try await command.intake(rows: [[archive]], isGuarded: true, now: noon)
        let callback = stage(
            "callback", of: 1, after: 100, ["method": .text("telephone"), "reached": .text("answered")])
        #expect(
            codes(try await store.store.intake(rows: [[callback]], isGuarded: true, now: noon)) == ["E_STATE_ARCHIVED"])
        // And the other store by what this one has written.
        let other = stage("supervision", of: 2, after: 5, ["level": .text("written")])
        _ = try await store.store.intake(rows: [[other]], isGuarded: true, now: noon)
        let second = stage(
            "ticket_action", of: 2, after: 10, ["action": .text("merge"), "target": .text("370100-1")])
        #expect(codes(try await command.intake(rows: [[second]], isGuarded: true, now: noon)) == ["accepted"])
        let third = stage("supervision", of: 2, after: 15, ["level": .text("written")])
        #expect(codes(try await store.store.intake(rows: [[third]], isGuarded: true, now: noon)) == ["E_STATE_MERGED"])
        try command.close()
    }

    @Test func `goes by a request that was written anew alone`() async throws {
        let store = try TemporaryStore(jinan)
        let queue = stage("ticket_action", of: 1, after: 5, ["action": .text("queue")])
        // Each by itself: a ticket that comes whole is not remembered.
        _ = try await store.store.intake(rows: [[ticket(1)]], isGuarded: true, now: noon)
        _ = try await store.store.intake(rows: [[queue]], isGuarded: true, now: noon)
        var report = ticket(1)
        report.fields["request_type"] = .text("4")
        report.fields["respondent_name"] = .text("市住建局")
        _ = try await store.store.intake(rows: [[report]], isGuarded: true, now: noon)
        let dispatched = try await store.store.intake(rows: [[dispatch]], isGuarded: true, now: noon)
        #expect(codes(dispatched) == ["E_REPORT_TO_ACCUSED"])
    }

    /// More tickets than are remembered, each with a second batch that depends on the first.
    @Test func `remembers no more than it may and refuses the same`() async throws {
        let store = try TemporaryStore(jinan)
        let count = 50_000
        for part in stride(from: 0, to: count, by: 10_000) {
            let tickets = part..<part + 10_000
            _ = try await store.store.intake(rows: tickets.map { [ticket($0)] }, isGuarded: true, now: noon)
            let acknowledged = try await store.store.intake(
                rows: tickets.map { [stage("ticket_action", of: $0, after: 1, ["action": .text("queue")])] },
                isGuarded: true, now: noon)
            #expect(codes(acknowledged).allSatisfy { $0 == "accepted" })
        }
        for part in stride(from: 0, to: count, by: 10_000) {
            let again = try await store.store.intake(
                rows: (part..<part + 10_000).map {
                    [stage("ticket_action", of: $0, after: 2, ["action": .text("queue")])]
                }, isGuarded: true, now: noon)
            #expect(codes(again).allSatisfy { $0 == "E_STATE_NOT_OPEN" })
        }
    }

    @Test func `stores a row whole or not at all`() async throws {
        let store = try TemporaryStore(jinan)
        let report = try await store.store.intake(
            rows: [[ticket(1), dispatch, closure], [ticket(2)]], isGuarded: true, now: noon)
        #expect(codes(report) == ["E_STATE_CLOSE_WITHOUT_REPLY", "accepted"])
        #expect(try await store.store.rowCounts(of: "service_request") == ["370100": 1])
        #expect(try await store.store.rowCounts(of: "assignment") == [:])
    }

    @Test func `names the field of a bad record, and an unknown resource`() async throws {
        let store = try TemporaryStore(jinan)
        var bad = ticket(2)
        bad.fields["channel"] = .text("77")
        let unknown = IntakeRecord(resource: "nothing", key: "1", fields: [:])
        let report = try await store.store.intake(rows: [[bad], [unknown], [ticket(3)]], isGuarded: true, now: noon)
        #expect(codes(report) == ["E_FIELD_CODE", "E_RESOURCE_UNKNOWN", "accepted"])
        guard case .refused(let refusal) = report.outcomes[0] else { return }
        #expect(refusal.field == "channel")
    }

    @Test func `lets the history of another system in and makes conflict records of what is illegal in it`()
        async throws
    {
        let store = try TemporaryStore(jinan)
        let report = try await store.store.intake(rows: [[ticket(1), dispatch, closure]], isGuarded: false, now: noon)
        #expect(codes(report) == ["accepted"])
        try await store.store.catchUpConsumers(now: noon)
        let conflicts = try await store.store.conflicts(code: nil, limit: 10)
        #expect(conflicts.map(\.finding.code) == [.closeWithoutReply])
        #expect(conflicts.first?.finding.event.key == closure.key)
        #expect(conflicts.first?.occurredAt == noon + 90 * 60_000)
        #expect(try await store.store.conflicts(code: .twoMain, limit: 10).isEmpty)
        // The reply turns up: the conflict is gone.
        _ = try await store.store.intake(rows: [[reply]], isGuarded: false, now: noon)
        try await store.store.catchUpConsumers(now: noon)
        #expect(try await store.store.conflicts(code: nil, limit: 10).isEmpty)
    }

    @Test func `finds the head of merged tickets, of a cycle too, and forgets it when a merge is undone`() async throws
    {
        let store = try TemporaryStore(jinan)
        func merge(_ number: Int, into target: Int?, after minutes: Int64) -> IntakeRecord {
            stage(
                "ticket_action", of: number, after: minutes,
                ["action": .text(target == nil ? "unmerge" : "merge")].merging(
                    target.map { ["target": .text("370100-\($0)")] } ?? [:]
                ) { $1 })
        }
        func merged() async throws -> [String: String] {
            try await store.store.catchUpConsumers(now: noon)
            let rows = try await store.store.rows(
                sql: "SELECT global_id, merged_into FROM ticket_state WHERE merged_into IS NOT NULL", arguments: [])
            return Dictionary(uniqueKeysWithValues: rows.map { ($0[0].text ?? "", $0[1].text ?? "") })
        }
        _ = try await store.store.intake((1...4).map { ticket($0) }, now: noon)
        _ = try await store.store.intake([merge(3, into: 2, after: 10), merge(4, into: 3, after: 11)], now: noon)
        #expect(try await merged() == ["370100-3": "370100-2", "370100-4": "370100-2"])
        _ = try await store.store.intake([merge(2, into: 1, after: 12)], now: noon)
        #expect(Set(try await merged().values) == ["370100-1"])
        _ = try await store.store.intake([merge(1, into: 4, after: 13)], now: noon)
        #expect(try await merged() == Dictionary(uniqueKeysWithValues: (2...4).map { ("370100-\($0)", "370100-1") }))
        #expect(try await store.store.conflicts(code: .mergeCycle, limit: 10).map(\.globalID) == ["370100-1"])
        _ = try await store.store.intake([merge(3, into: nil, after: 14)], now: noon)
        let expected = ["370100-4": "370100-3", "370100-1": "370100-3", "370100-2": "370100-3"]
        #expect(try await merged() == expected)
        #expect(try await store.store.conflicts(code: .mergeCycle, limit: 10).isEmpty)
        try await store.store.rebuildConsumers(now: noon)
        #expect(try await merged() == expected)
    }

    @Test func `folds again when the rules have changed`() async throws {
        let temporary = try TemporaryStore(jinan)
        let early = stage(
            "callback", of: 1, after: 3_000, ["method": .text("telephone"), "reached": .text("answered")])
        _ = try await temporary.store.intake([ticket(1), dispatch, early], now: noon)
        try await temporary.store.catchUpConsumers(now: noon)
        #expect(try await temporary.store.conflicts(code: nil, limit: 9).map(\.finding.code) == [.callbackBeforeClose])
        let other = temporary.store
        try other.publish(Standing(node: jinan, rules: LifecycleRules(allowsCallbackWhenDue: true)))
        try await other.catchUpConsumers(now: noon)
        #expect(try await other.conflicts(code: nil, limit: 9).isEmpty)
    }
}
