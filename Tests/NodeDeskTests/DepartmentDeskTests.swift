import FederationModel
import NodeDesk
import TestSupport
import Testing

@Suite struct `A department at the desk` {
    /// A ticket that went through all stages at a unit, in one round after the other, each with an evaluation.
    private func handled(
        _ node: TestNode, by unit: String, _ scores: [String], _ fields: [String: String] = [:]
    ) async throws -> String {
        let ticket = try await node.addTicket(fields)
        for score in scores { try await handle(node, ticket.id, by: unit, score) }
        return ticket.id
    }

    private func handle(_ node: TestNode, _ ticket: String, by unit: String, _ score: String?) async throws {
        let isRework = try await node.desk.ticket(ticket).thread.state?.evaluatedAt != nil
        var steps: [(String, [String: String])] = [
            (isRework ? "rework" : "dispatch", ["assignee_unit": unit, "due_datetime": "2025-10-14"]),
            ("acknowledge", ["unit": unit]), ("handle", ["unit": unit, "contacted": "1"]), ("reply", [:]),
        ]
        if let score {
            steps += [
                ("close", [:]), ("call-back", ["reached": "answered"]),
                ("evaluate", ["object": "handling", "score5": score, "counted": "1"]),
            ]
        }
        for (word, fields) in steps {
            node.clock.pass(60_000)
            try await node.record(word, of: ticket, fields)
        }
    }

    @Test func `sees its own tickets with callback and evaluation, masked, and goes on behind a cursor (7.2.2-1)`()
        async throws
    {
        let node = try TestNode()
        let own = try await handled(
            node, by: "住建", ["1"], ["reporter_name": "王小明", "reporter_phone": "13812345678"])
        _ = try await handled(node, by: "城管", ["5"])
        let page = try await node.desk.departmentFeed(.unit("住建"), after: 0, limit: 10)
        #expect(page.items.map(\.ticket) == [own])
        let item = try #require(page.items.first)
        #expect(item.stages["回访"] == 1 && item.stages["评价"] == 1 && item.status == "evaluated")
        let evaluation = try #require(item.records.first { $0.resource == "evaluation" })
        #expect(evaluation.fields["score5"] == .text("1"))
        let request = try #require(item.records.first { $0.resource == "service_request" })
        #expect(
            request.fields["reporter_phone"] == .text("138****5678") && request.fields["reporter_name"] == .text("王**"))
        #expect(try await node.desk.departmentFeed(.unit("住建"), after: page.next, limit: 10).items.isEmpty)
        try await node.record("archive", of: own)
        let next = try await node.desk.departmentFeed(.unit("住建"), after: page.next, limit: 10)
        #expect(next.items.map(\.ticket) == [own] && next.next > page.next, "any further record brings it again")
        #expect(await code { try await node.desk.departmentFeed(.unit("住建"), after: 0, limit: 501) } == "E_INBOX_LIMIT")
    }

    @Test func `of a category sees the tickets of all units, and of everything below it (7.2.2-2)`() async throws {
        let node = try TestNode()
        let inside = try await node.addTicket(["service_code": "03.03.01"])
        _ = try await node.addTicket(["service_code": "04.02.01"])
        let page = try await node.desk.departmentFeed(.category("03"), after: 0, limit: 10)
        #expect(page.items.map(\.ticket) == [inside.id])
    }

    @Test func `does not see who reported in confidence`() async throws {
        let node = try TestNode()
        let hidden = try await handled(
            node, by: "住建", ["5"], ["confidential": "name_hidden", "reporter_phone": "13812345678"])
        let page = try await node.desk.departmentFeed(.unit("住建"), after: 0, limit: 10)
        #expect(page.items.map(\.ticket) == [hidden])
        #expect(page.items[0].records.allSatisfy { $0.fields["reporter_phone"] == nil })
    }

    @Test func `lists what was unsatisfied until a later round is better; both rounds remain (7.2.2-3)`() async throws {
        let node = try TestNode()
        let ticket = try await handled(node, by: "住建", ["1"])
        _ = try await handled(node, by: "住建", ["4"])
        let list = try await node.desk.unsatisfied(.unit("住建"))
        #expect(list.map(\.ticket) == [ticket] && list[0].round == 1 && list[0].due == nil)
        try await handle(node, ticket, by: "住建", nil)
        let reworked = try await node.desk.unsatisfied(.unit("住建"))
        #expect(reworked.first?.round == 2 && reworked.first?.evaluatedRound == 1 && reworked.first?.due != nil)
        for (word, fields) in [
            ("close", [:]), ("call-back", ["reached": "answered"]),
            ("evaluate", ["object": "handling", "score5": "4", "counted": "1"]),
        ] as [(String, [String: String])] {
            node.clock.pass(60_000)
            try await node.record(word, of: ticket, fields)
        }
        #expect(try await node.desk.unsatisfied(.unit("住建")).isEmpty)
        let feed = try await node.desk.departmentFeed(.unit("住建"), after: 0, limit: 10)
        let rounds = feed.items.first { $0.ticket == ticket }?.records.filter { $0.resource == "evaluation" }.map(
            \.round)
        #expect(rounds == [1, 2])
    }

    @Test func `has a token that reads its tickets and nothing else`() async throws {
        let node = try TestNode()
        var secret = ""
        try await node.desk.createToken(
            named: "housing", resources: nil, department: .unit("住建"), expiresAt: nil
        ) { secret = $1 }
        let (_, department) = try await node.desk.authenticateDepartment(token: secret)
        #expect(department == .unit("住建"))
        #expect(await code { try await node.desk.authenticate(token: secret) } == "E_TOKEN_RESOURCE")
        try await node.desk.createToken(named: "crm", resources: nil, expiresAt: nil) { secret = $1 }
        #expect(await code { try await node.desk.authenticateDepartment(token: secret) } == "E_TOKEN_RESOURCE")
    }
}
