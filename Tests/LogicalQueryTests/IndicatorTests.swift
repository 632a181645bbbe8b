import FederationModel
import LogicalQuery
import TestSupport
import Testing

/// What figures say of histories whose answer is known, by SQLite as by looking at each row.
struct `An indicator` {
    private static let start: UnixMilliseconds = 1_759_197_720_000  // 2025-09-30 10:02
    private static let hour: Int64 = 3_600_000

    /// Rows as they are told, with what every row has.
    private struct History {
        var tables = Tables()

        mutating func ticket(_ id: String, _ fields: Tables.Row = [:], _ state: Tables.Row? = nil) {
            add(
                "service_request", id, ["requested_datetime": .integer(start), "acceptance": .text("accepted")], fields)
            if let state { tables.states[id] = ["status": .text("in_progress")].merging(state) { $1 } }
        }

        mutating func record(_ resource: ResourceName, of ticket: String, _ fields: Tables.Row) {
            add(resource, ticket, ["occurred_at": .integer(start), "round": .integer(1)], fields)
        }

        mutating func call(_ fields: Tables.Row, origin: String = "370100") {
            add(
                "call_record", "",
                ["arrival": .integer(start), "direction": .text("inbound"), "origin": .text(origin)], fields)
        }

        private mutating func add(_ resource: ResourceName, _ ticket: String, _ usual: Tables.Row, _ fields: Tables.Row)
        {
            let envelope: Tables.Row = [
                "origin": .text("370100"), "key": .text("k\(tables.rows[resource]?.count ?? 0)"),
                "deleted": .integer(0),
                "global_id": .text(ticket), "ticket_origin": .text("370100"),
            ]
            tables.rows[resource, default: []].append(envelope.merging(usual) { $1 }.merging(fields) { $1 })
        }

        /// The rows of the table: without dimensions the figures alone.
        func figures(
            _ names: [String], by dimensions: [Dimension] = [], _ filters: [Filter] = [], asOf: UnixMilliseconds = start
        ) throws -> [[FieldValue]] {
            let analysis = try Analysis(
                measures: names.map { try .named($0) }, dimensions: dimensions, filters: filters, asOf: asOf)
            let table = try SQLiteEngine.run([analysis], on: tables, origins: ["370100", "370200"])[0].table(
                for: analysis)
            let expected = try BruteForce(analysis, tables, origins: ["370100", "370200"]).answer()
            #expect(try table == expected.table(for: analysis))
            return table.rows.map(\.cells)
        }
    }

    @Test func `of the three rates is 76.5 in the worked example, and 70.88 when it is strict`() throws {
        var history = History()
        for number in 0..<10 {
            let ticket = "g\(number)"
            history.ticket(ticket, ["urgency": .text("normal")], ["dispatched_at": .integer(Self.start)])
            let contact = Self.start + (number == 9 ? 25 : 24) * Self.hour
            history.record("handling", of: ticket, ["contacted": .integer(1), "contact_datetime": .integer(contact)])
        }
        for number in 0..<8 {
            history.record(
                "callback", of: "g\(number)",
                [
                    "reached": .text("answered"),
                    "resolved": .text(number < 6 ? "resolved" : number == 6 ? "partly" : "unresolved"),
                ])
            history.record(
                "evaluation", of: "g\(number)",
                ["object": .text("handling"), "score5": .text(["5", "5", "4", "4", "4", "3", "2", "1"][number])])
        }
        history.record("callback", of: "g8", ["reached": .text("no_answer")])
        #expect(
            try history.figures([
                "response_rate", "resolution_rate", "satisfaction_rate", "three_rates", "strict_satisfaction_rate",
                "strict_three_rates", "partial_resolution_rate",
            ]) == [[.real(90), .real(75), .real(75), .real(76.5), .real(62.5), .real(70.88), .real(81.25)]])
    }

    @Test func `of calls is merged from numerators and denominators: 955 of 1,000 and 480 of 600 are 89.69 percent`()
        throws
    {
        var history = History()
        for number in 0..<1_000 {
            history.call([
                "queue_seconds": .integer(number < 900 ? 15 : 16), "talk_seconds": .integer(100),
                "disposition": .text(number < 955 ? "connected" : "abandoned"),
            ])
        }
        // Left in the menu, and called out: nobody asked for a human.
        history.call(["disposition": .text("abandoned")])
        history.call(["direction": .text("outbound"), "disposition": .text("connected"), "queue_seconds": .integer(1)])
        let names = ["human_call_count", "connect_rate", "service_level_15", "mean_wait_seconds", "call_count"]
        #expect(
            try history.figures(names) == [[.integer(1_000), .real(95.5), .real(90), .real(15.1), .integer(1_001)]])
        for number in 0..<600 {
            history.call(
                ["queue_seconds": .integer(20), "disposition": .text(number < 480 ? "connected" : "abandoned")],
                origin: "370200")
        }
        #expect(try history.figures(["connect_rate"]) == [[.real(89.69)]])
    }

    @Test func `counts a merged ticket once, and what was not accepted apart`() throws {
        var history = History()
        let late: Tables.Row = ["dispatched_at": .integer(0), "due_at": .integer(1)]
        history.ticket("head", [:], late.merging(["status": .text("closed"), "closed_at": .integer(1)]) { $1 })
        history.ticket(
            "merged", [:], late.merging(["merged_into": .text("head"), "merge_target": .text("head")]) { $1 })
        history.ticket("refused", ["acceptance": .text("not_accepted")], ["status": .text("not_accepted")])
        history.ticket(
            "invalid", ["acceptance": .text("not_accepted"), "non_acceptance_reason": .text("无效")],
            ["status": .text("not_accepted")])
        #expect(
            try history.figures([
                "count", "closed", "open", "overdue", "on_time_rate", "merged_count", "not_accepted_count",
                "invalid_count",
            ]) == [
                [.integer(1), .integer(1), .integer(0), .integer(0), .real(100), .integer(1), .integer(2), .integer(1)]
            ])
    }

    @Test func `takes what waits for its callback as closed, and what is suspended as not overdue`() throws {
        var history = History()
        let late: Tables.Row = ["dispatched_at": .integer(0), "due_at": .integer(1)]
        history.ticket("a", [:], late.merging(["status": .text("callback_pending")]) { $1 })
        history.ticket("b", [:], late.merging(["suspended": .integer(1)]) { $1 })
        history.ticket("c", [:], late.merging(["held": .integer(1), "suspended": .integer(0)]) { $1 })
        history.ticket("d", [:], late.merging(["held": .integer(0), "suspended": .integer(0)]) { $1 })
        #expect(
            try history.figures(["closed", "open", "overdue", "held"]) == [
                [.integer(1), .integer(3), .integer(2), .integer(1)]
            ])
        #expect(
            try history.figures(["overdue"], by: [.held]).prefix(2) == [
                [.text("0"), .integer(1)], [.text("1"), .integer(1)],
            ])
    }

    @Test func `of closing in time belongs to the month of the due time`() throws {
        var history = History()
        let (september, october) = (Self.start, Self.start + 10 * 86_400_000)
        history.ticket(
            "a", ["requested_datetime": .integer(september)],
            ["dispatched_at": .integer(september), "due_at": .integer(october), "closed_at": .integer(october + 1)])
        history.ticket(
            "b", ["requested_datetime": .integer(september)],
            ["dispatched_at": .integer(september), "due_at": .integer(september), "closed_at": .integer(september)])
        #expect(
            try history.figures(["on_time_rate", "count"], by: [.month], asOf: october) == [
                [.text("2025-09"), .real(100), .integer(2)], [.text("2025-10"), .real(0), .integer(0)],
            ])
    }

    @Test func `of satisfaction is over the verdicts that count, the last one of each round`() throws {
        var history = History()
        history.ticket("a")
        func verdict(_ score: String, at minute: Int64, round: Int64 = 1, _ source: String = "person") {
            history.record(
                "evaluation", of: "a",
                [
                    "object": .text("handling"), "score5": .text(score), "round": .integer(round),
                    "verdict_source": .text(source), "occurred_at": .integer(Self.start + minute * 60_000),
                ])
        }
        verdict("1", at: 0)
        verdict("5", at: 5, round: 2)
        // Nobody answered.
        verdict("5", at: 6, round: 3, "default")
        #expect(try history.figures(["satisfaction_rate", "evaluation_count"]) == [[.real(50), .integer(2)]])
        #expect(
            try history.figures(["satisfaction_rate"], by: [Dimension("round")]) == [
                [.text("1"), .real(0)], [.text("2"), .real(100)],
            ])
        // Somebody else does not speak for the person; the person may think again.
        verdict("1", at: 9, round: 2, "proxy")
        verdict("4", at: 10)
        #expect(try history.figures(["satisfaction_rate", "evaluation_count"]) == [[.real(100), .integer(2)]])
        history.record(
            "evaluation", of: "a",
            ["object": .text("handling"), "score5": .text("1"), "round": .integer(4), "counted": .integer(0)])
        history.record("evaluation", of: "a", ["object": .text("call"), "score5": .text("1"), "round": .integer(4)])
        #expect(try history.figures(["evaluation_count"]) == [[.integer(2)]])
    }

    @Test func `is split by the category as it was corrected`() throws {
        var history = History()
        history.ticket("a", ["service_code": .text("01.02")], ["category": .text("02.01")])
        history.ticket("b", ["service_code": .text("01.02")])
        #expect(
            try history.figures(["count"], by: [.service(levels: 1)]) == [
                [.text("01"), .integer(1)], [.text("02"), .integer(1)],
            ])
        #expect(try history.figures(["count"], by: [.acceptedService]) == [[.text("01.02"), .integer(2)]])
        #expect(try history.figures(["count"], [Filter(.service(levels: nil), .hasPrefix, ["02"])]) == [[.integer(1)]])
    }

    @Test func `of returns and signatures goes by the unit that had the assignment`() throws {
        var history = History()
        history.ticket("a")
        for (unit, minute) in [("甲局", Int64(0)), ("乙局", 60)] {
            history.record(
                "assignment", of: "a",
                [
                    "assignee_unit": .text(unit), "role": .text("main"), "occurred_at": .integer(minute * 60_000),
                    "accept_deadline": .integer((minute + 30) * 60_000),
                ])
        }
        history.record("return_request", of: "a", ["unit": .text("甲局"), "occurred_at": .integer(50 * 60_000)])
        history.record("acknowledgement", of: "a", ["unit": .text("甲局"), "occurred_at": .integer(10 * 60_000)])
        history.record("acknowledgement", of: "a", ["unit": .text("乙局"), "occurred_at": .integer(95 * 60_000)])
        #expect(
            try history.figures(["return_rate", "timely_sign_rate", "dispatch_count"], by: [.unit]) == [
                [.text("乙局"), .real(0), .real(0), .integer(1)], [.text("甲局"), .real(100), .real(100), .integer(1)],
            ])
    }
}

@Suite struct `A declaration` {
    @Test(arguments: [
        "round = 'closed", "status = 'closed", "status", "status = 1", "round = '1'", "(round = 1", "round = 1)",
        "round in ()",
        "round = 1 and", "not", "round is 1", "round = 99999999999", "round = 3x", "round ~ 1", "status + 'a' = 'b'",
        "round = 1; DROP TABLE service_request", "coalesce(round, 'a') = 1", "状态 = 'closed'",
    ])
    func `that is none is refused and says why`(text: String) {
        #expect(errorCode { _ = try Condition(text, on: .ticket) } == "E_INDICATOR_INVALID")
    }

    @Test func `reads no column that is personal, and none that the fact does not have`() {
        for column in [
            "reporter_phone", "title", "reporter_id_number", "lat", "ext", "score5", "other.round", "closed",
        ] {
            #expect(errorCode { _ = try Condition("\(column) = 1", on: .ticket) } == "E_ANALYSIS_UNKNOWN", "\(column)")
        }
    }

    @Test func `is bounded in length and depth`() throws {
        let deep = String(repeating: "(", count: 33) + "round = 1" + String(repeating: ")", count: 33)
        #expect(errorCode { _ = try Condition(deep, on: .ticket) } == "E_INDICATOR_INVALID")
        let long = Array(repeating: "round = 1", count: 200).joined(separator: " or ")
        #expect(errorCode { _ = try Condition(long, on: .ticket) } == "E_INDICATOR_INVALID")
        #expect(try Condition("", on: .ticket).criterion == .always)
        for aggregate in ["", "avg(round)", "sum(status)", "sum round", "count where", "count of"] {
            #expect(errorCode { _ = try Aggregate(aggregate, on: .ticket) } == "E_INDICATOR_INVALID", "\(aggregate)")
        }
    }
}
