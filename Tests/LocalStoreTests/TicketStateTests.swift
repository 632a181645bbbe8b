import FederationModel
import LocalStore
import Testing

@Suite struct TicketStateTests {
    private static let thread: [IntakeRecord] = [
        ticket(1),
        stage(
            "assignment", of: 1, after: 10,
            [
                "assignee_unit": .text("市住建局"), "role": .text("main"), "due_datetime": .integer(noon + 86_400_000),
            ]),
        stage("acknowledgement", of: 1, after: 30, ["unit": .text("市住建局")]),
        stage("handling", of: 1, after: 60, ["unit": .text("市住建局"), "contacted": .integer(1)]),
        stage("reply", of: 1, after: 360, ["reply_kind": .text("final")]),
        stage("closure", of: 1, after: 390, ["closure_kind": .text("closed"), "review": .text("passed")]),
        stage("callback", of: 1, after: 1_440, ["method": .text("telephone"), "reached": .text("answered")]),
        stage("evaluation", of: 1, after: 1_441, ["object": .text("handling"), "score5": .text("4")]),
    ]

    @Test func `a whole thread folds to an evaluated ticket without conflicts`() async throws {
        let store = try TemporaryStore(jinan)
        try await _ = store.store.intake(Self.thread, now: noon)
        try await store.store.catchUpConsumers(now: noon)
        let ticket = try await store.store.ticket("370100-1")
        let state = try #require(ticket.state)
        #expect(state.status == .evaluated)
        #expect(state.conflicts.isEmpty)
        #expect(state.unit == "市住建局")
        #expect(state.score == 4)
        #expect(state.closedAt == noon + 390 * 60_000)
        #expect(Stage.allCases.map { ticket.count(of: $0) } == [1, 1, 1, 1, 0, 1, 1, 1])
    }

    @Test func `a list of tickets holds those of one origin in one state, requested last first`() async throws {
        let store = try TemporaryStore(jinan)
        try await _ = store.store.intake(
            Self.thread + [ticket(2, at: noon + 60_000), ticket(3, at: noon - 60_000)], now: noon)
        try await store.store.catchUpConsumers(now: noon)
        func numbers(
            limit: Int = 20, now: UnixMilliseconds = noon, _ set: (inout TicketFilter) -> Void = { _ in }
        ) async throws -> [String?] {
            var filter = TicketFilter()
            set(&filter)
            return try await store.store.tickets(filter, limit: limit, now: now).map(\.number)
        }
        #expect(try await numbers() == ["2", "1", "3"])
        #expect(try await numbers(limit: 1) == ["2"])
        #expect(
            try await numbers {
                $0.origin = jinan
                $0.status = .evaluated
            } == ["1"])
        #expect(try await numbers { $0.status = .closed } == [])
        #expect(try await numbers { $0.origin = qingdao } == [])
        #expect(try await numbers { $0.since = noon } == ["2", "1"])
        #expect(try await numbers { $0.number = "3" } == ["3"])
        #expect(try await numbers { $0.unit = "市住建局" } == ["1"])
        #expect(try await numbers(now: .max) { $0.isOverdue = true } == [], "the one with a time limit is closed")
    }

    @Test(arguments: 0..<6)
    func `records that arrive in any order, one by one, give the state of the undisturbed thread`(seed: Int)
        async throws
    {
        let reference = try TemporaryStore(jinan)
        try await _ = reference.store.intake(Self.thread, now: noon)
        try await reference.store.catchUpConsumers(now: noon)
        let disturbed = try TemporaryStore(jinan)
        var generator = SplitMix64(seed: UInt64(seed))
        for record in Self.thread.shuffled(using: &generator) {
            try await _ = disturbed.store.intake([record], now: noon)
            try await disturbed.store.catchUpConsumers(now: noon)
        }
        let expected = try await reference.store.ticket("370100-1").state
        #expect(try await disturbed.store.ticket("370100-1").state == expected)
    }

    @Test func `a rebuild from the first row gives the same states as the incremental fold`() async throws {
        let store = try TemporaryStore(jinan).self
        for number in 1...40 {
            try await _ = store.store.intake([ticket(number)], now: noon)
            try await store.store.catchUpConsumers(now: noon)
        }
        try await _ = store.store.intake(Self.thread, now: noon)
        try await store.store.catchUpConsumers(now: noon)
        let before = try await store.store.rows(sql: "SELECT * FROM ticket_state ORDER BY 1", arguments: [])
        try await store.store.rebuildConsumers(now: noon)
        let after = try await store.store.rows(sql: "SELECT * FROM ticket_state ORDER BY 1", arguments: [])
        #expect(before == after)
        #expect(before.count == 40)
    }

    @Test func `a closure without a reply is folded and noted as a conflict`() async throws {
        let store = try TemporaryStore(jinan)
        try await _ = store.store.intake([Self.thread[0], Self.thread[1], Self.thread[5]], now: noon)
        try await store.store.catchUpConsumers(now: noon)
        let state = try #require(try await store.store.ticket("370100-1").state)
        #expect(state.status == .closed)
        #expect(state.conflicts == ["E_STATE_CLOSE_WITHOUT_REPLY"])
    }
}
