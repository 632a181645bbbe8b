import Detection
import FederationModel
import NodeDesk
import TestSupport
import Testing

@Suite struct `An evaluation at the desk` {
    private static let scheme = """
        scheme: units
        version: 1
        title: 承办单位评价
        evaluated: unit
        criteria:
          - {id: resolution_rate, weight: 0.5}
          - {id: satisfaction_rate, weight: 0.3}
          - {id: survey, title: 满意度调查, weight: 0.2, source: survey}
        exclusions:
          隐名: "confidential = 'name_hidden'"

        """

    /// Tickets of October 2025, each called back and rated; what counts of them is for 市住建局.
    private func node(_ outcomes: [(resolved: String, score: String, confidential: String)]) async throws -> (
        TestNode, [String]
    ) {
        let node = try TestNode("370200")
        try node.write(Self.scheme, to: "scheme.yaml")
        _ = try await node.desk.publishScheme(path: node.path("scheme.yaml"))
        try node.clock.set("2025-10-13T09:00:00+08:00")
        var tickets: [String] = []
        for outcome in outcomes {
            let ticket = try await node.addTicket(["confidential": outcome.confidential])
            for (word, fields) in [
                ("dispatch", ["assignee_unit": "市住建局", "due_datetime": "2025-10-24"]),
                ("acknowledge", ["unit": "市住建局"]), ("handle", ["unit": "市住建局", "contacted": "1"]),
                ("reply", [:]), ("close", [:]),
                ("call-back", ["reached": "answered", "resolved": outcome.resolved]),
                ("evaluate", ["score5": outcome.score]),
            ] as [(String, [String: String])] {
                node.clock.pass(60_000)
                try await node.record(word, of: ticket.id, fields)
            }
            tickets.append(ticket.id)
        }
        try node.clock.set("2025-11-05T09:00:00+08:00")
        return (node, tickets)
    }

    @Test
    func `weighs what the scheme says; a source that is missing gives its weight to the others, marked (7.2.4-1)`()
        async throws
    {
        let (node, _) = try await node([
            ("resolved", "5", "none"), ("resolved", "4", "none"), ("unresolved", "1", "none"),
        ])
        let result = try #require(try await node.desk.evaluate(scheme: "units", period: "2025-10").first)
        #expect(result.evaluatee == "市住建局" && result.detail.missing == ["survey"])
        #expect(result.detail.parts.map(\.weight) == [0.625, 0.375, 0])
        #expect(result.detail.parts.map(\.hits) == [2, 2, 0] && result.detail.parts.map(\.tries) == [3, 3, 0])
        #expect(result.score == 66.67 && result.grade == "C")
        let (lower, upper) = (try #require(result.lower), try #require(result.upper))
        #expect(lower < 50 && upper > 75, "three tickets say little")
    }

    @Test func `takes what others say of whoever they name, and nobody else's criteria`() async throws {
        let (node, _) = try await node([("resolved", "5", "none")])
        let survey = EvaluationScore(evaluatee: "市住建局", criterion: "survey", hits: 60, tries: 100)
        let result = try #require(
            try await node.desk.evaluate(scheme: "units", period: "2025-10", external: [survey]).first)
        #expect(result.score == 92 && result.grade == "A" && result.detail.missing.isEmpty)
        var wrong = survey
        wrong.criterion = "resolution_rate"
        let refused = await code {
            try await node.desk.evaluate(scheme: "units", period: "2025-10", external: [wrong])
        }
        #expect(refused == "E_EVALUATION_SOURCE")
    }

    @Test func `leaves out what the scheme excludes, and says how much that was (7.2.4-2)`() async throws {
        let (node, _) = try await node([("resolved", "5", "none"), ("unresolved", "1", "name_hidden")])
        let result = try #require(try await node.desk.evaluate(scheme: "units", period: "2025-10").first)
        #expect(result.score == 100 && result.detail.excluded == ["隐名": 1])
    }

    @Test
    func `is computed again without a ticket to which an objection is upheld, and both results are kept (7.2.4-2)`()
        async throws
    {
        let (node, tickets) = try await node([
            ("resolved", "5", "none"), ("resolved", "5", "none"), ("unresolved", "1", "none"),
        ])
        let first = try #require(try await node.desk.evaluate(scheme: "units", period: "2025-10").first)
        let state = try await node.desk.object(to: first.id, ticket: tickets[2], reason: "非本单位职责")
        #expect(state.pending == [tickets[2]])
        #expect(
            await code { try await node.desk.object(to: first.id, ticket: tickets[2], reason: "") }
                == "E_EVALUATION_OBJECTION")
        node.clock.pass(60_000)
        let (before, after) = try await node.desk.decide(
            on: first.id, ticket: tickets[2], upholds: true, reason: "属实")
        #expect(before.score == 66.67 && after.score == 100 && after.grade == "A")
        let shown = try await node.desk.evaluation(first.id)
        #expect(shown.results.map(\.score) == [100, 66.67] && shown.state.upheld == [tickets[2]])
        #expect(shown.objections.first { $0.step == "uphold" }?.before == 66.67)
        let again = try await node.desk.evaluate(scheme: "units", period: "2025-10")
        #expect(try await node.desk.evaluation(first.id).results.count == 2, "evaluating again changes no result")
        #expect(again.first?.id == first.id)
    }

    @Test func `can be looked at before its period is over, and is given to nobody then`() async throws {
        let (node, _) = try await node([("resolved", "5", "none"), ("unresolved", "1", "none")])
        try node.clock.set("2025-10-28T09:00:00+08:00")
        #expect(await code { try await node.desk.evaluate(scheme: "units", period: "2025-10") } == "E_REPORT_OPEN")
        let draft = try #require(
            try await node.desk.evaluate(scheme: "units", period: "2025-10", isDraft: true).first)
        #expect(draft.evaluatee == "市住建局" && draft.detail.parts.map(\.tries) == [2, 2, 0])
        #expect(try await node.desk.evaluations().isEmpty)
        #expect(try await node.desk.departmentFeed(.unit("市住建局"), after: 0, limit: 10).evaluations.isEmpty)
    }

    @Test func `comes to the unit by its feed, with each of its revisions, and to no other (7.2.4-3)`() async throws {
        let (node, tickets) = try await node([("resolved", "5", "none"), ("unresolved", "1", "none")])
        let feed = { (unit: String, cursor: Int64) in
            try await node.desk.departmentFeed(.unit(unit), after: cursor, limit: 10)
        }
        let before = try await feed("市住建局", 0)
        #expect(before.items.count == 2 && before.evaluations.isEmpty)
        let result = try #require(try await node.desk.evaluate(scheme: "units", period: "2025-10").first)
        let given = try await feed("市住建局", before.next)
        #expect(given.items.isEmpty && given.evaluations.map(\.id) == [result.id])
        #expect(given.evaluations.first?.detail == result.detail && given.next > before.next)
        #expect(try await feed("市住建局", given.next).evaluations.isEmpty)
        #expect(try await feed("市城管局", 0).evaluations.isEmpty)
        #expect(try await node.desk.departmentFeed(.category("03"), after: 0, limit: 10).evaluations.isEmpty)
        // A page that is full of tickets ends with the last of them.
        let first = try await node.desk.departmentFeed(.unit("市住建局"), after: 0, limit: 1)
        #expect(first.items.count == 1 && first.evaluations.isEmpty)

        _ = try await node.desk.object(to: result.id, ticket: tickets[1], reason: "非本单位职责")
        _ = try await node.desk.decide(on: result.id, ticket: tickets[1], upholds: true, reason: "属实")
        let revised = try await feed("市住建局", given.next)
        #expect(revised.evaluations.map(\.detail.revision) == [2])
    }

    @Test func `goes by a scheme that was published before the period, with its version (7.2.4-1)`() async throws {
        let (node, _) = try await node([("resolved", "5", "none")])
        #expect(await code { try await node.desk.evaluate(scheme: "units", period: "2025-09") } == "E_SCHEME_LATE")
        #expect(await code { try await node.desk.evaluate(scheme: "units", period: "2025-11") } == "E_REPORT_OPEN")
        #expect(await code { try await node.desk.evaluate(scheme: "none", period: "2025-10") } == "E_SCHEME_UNKNOWN")
        try node.write(Self.scheme.replacing("0.5", with: "0.4").replacing("0.3", with: "0.4"), to: "scheme.yaml")
        #expect(
            await code { try await node.desk.publishScheme(path: node.path("scheme.yaml")) } == "E_SCHEME_VERSION")
        try node.write(
            Self.scheme.replacing("version: 1", with: "version: 2").replacing("0.5", with: "0.4")
                .replacing("0.3", with: "0.4"), to: "scheme.yaml")
        _ = try await node.desk.publishScheme(path: node.path("scheme.yaml"))
        let result = try #require(try await node.desk.evaluate(scheme: "units", period: "2025-10").first)
        #expect(result.version == 1, "the second one came too late")
    }
}
