import FederationModel
import Foundation
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

        mutating func add(_ resource: ResourceName, _ ticket: String, _ usual: Tables.Row, _ fields: Tables.Row) {
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
                "strict_three_rates", "partial_resolution_rate", "dissatisfaction_rate",
            ]) == [
                [.real(90), .real(75), .real(75), .real(76.5), .real(62.5), .real(70.88), .real(81.25), .real(25)]
            ])
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
        let patient = Indicator.humanCalls(HumanCallRule(version: 2, shortAbandonSeconds: 17)).map(\.measure)
        let asked = try Analysis(measures: Array(patient.prefix(2)), asOf: Self.start)
        let found = try SQLiteEngine.run([asked], on: history.tables)[0]
        #expect(try found == BruteForce(asked, history.tables, origins: ["370100"]).answer())
        #expect(
            try found.table(for: asked).rows.map(\.cells) == [[.integer(955), .real(100)]],
            "who gave up within 17 seconds asked for nobody")
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

    @Test func `tells what falls due within a day, what was passed on, and what was answered in time`() throws {
        var history = History()
        let day = 24 * Self.hour
        let due: [(id: String, due: Int64, state: Tables.Row)] = [
            ("late", -1, [:]), ("now", 0, [:]), ("tomorrow", day, [:]), ("later", day + 1, [:]),
            ("suspended", 1, ["suspended": .integer(1)]), ("closed", 1, ["status": .text("closed")]),
            ("answered", -1, ["replied_at": .integer(Self.start - 1)]),
            ("answered late", -2, ["replied_at": .integer(Self.start - 1)]),
        ]
        for (id, due, state) in due {
            let times: Tables.Row = [
                "dispatched_at": .integer(Self.start - day), "due_at": .integer(Self.start + due),
            ]
            history.ticket(id, [:], times.merging(state) { $1 })
        }
        history.ticket("direct", [:], ["status": .text("closed")])
        // Four are due by now, and one of them was answered before.
        #expect(
            try history.figures(["due_soon", "overdue", "dispatch_rate", "first_contact_rate", "timely_reply_rate"])
                == [
                    [.integer(2), .integer(3), .real(88.89), .real(11.11), .real(25)]
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

    /// 7.1.1a-1: four tickets that were acknowledged after 10, 20, 30 and 240 minutes.
    @Test func `of a hop has number, median, 90th percentile and longest, in the worked example of 7_1_1a_1`() throws {
        var history = History()
        for (number, minutes) in [Int64(10), 20, 30, 240].enumerated() {
            let dispatched = Self.start + Int64(number) * Self.hour
            history.ticket(
                "g\(number)", [:],
                ["dispatched_at": .integer(dispatched), "acknowledged_at": .integer(dispatched + minutes * 60_000)])
        }
        history.ticket("waiting", [:], ["dispatched_at": .integer(Self.start)])
        #expect(
            try history.figures([
                "sign_hop_count", "p50_sign_minutes", "p90_sign_minutes", "max_sign_minutes", "dispatched_count",
                "acknowledged_count", "replied_count",
            ]) == [[.integer(4), .real(25), .real(177), .real(240), .integer(5), .integer(4), .integer(0)]])
    }

    /// 7.1.1a-2: 955 of 1,000 asked calls answered, 900 within 15 seconds; merged with 480 of 600 they are 1,435 of 1,600.
    @Test func `of service levels is by the hour, and 89_69 percent where two cities are merged, as 7_1_1a_2 has it`()
        throws
    {
        var history = History()
        func calls(_ count: Int, after hours: Int64, origin: String = "370100", _ fields: Tables.Row) {
            for _ in 0..<count {
                history.call(
                    fields.merging(["arrival": .integer(Self.start + hours * Self.hour), "queue_seconds": .integer(20)])
                    { own, _ in own },
                    origin: origin)
            }
        }
        calls(900, after: 0, ["disposition": .text("connected"), "queue_seconds": .integer(15)])
        calls(55, after: 0, ["disposition": .text("connected")])
        calls(45, after: 0, ["disposition": .text("abandoned")])
        calls(480, after: 1, origin: "370200", ["disposition": .text("connected")])
        calls(120, after: 1, origin: "370200", ["disposition": .text("abandoned")])
        #expect(
            try history.figures(["connect_rate", "service_level_15", "human_call_count"], by: [Dimension("hour")]) == [
                [.text("10"), .real(95.5), .real(90), .integer(1_000)],
                [.text("11"), .real(80), .real(0), .integer(600)],
            ])
        #expect(try history.figures(["connect_rate"]) == [[.real(89.69)]])
    }

    @Test func `of persons counts each once, by number of the document, else by telephone, and nobody who is masked`()
        throws
    {
        var history = History()
        for (number, fields) in [
            ["reporter_phone": FieldValue.text("138")], ["reporter_phone": .text("138")],
            ["reporter_phone": .text("139"), "reporter_id_number": .text("X")], ["reporter_id_number": .text("X")],
            ["reporter_phone": .text("13****9")], [:],
        ].enumerated() { history.ticket("g\(number)", fields) }
        #expect(try history.figures(["person_count", "count"]) == [[.integer(2), .integer(6)]])
    }

    @Test func `of repeated tickets goes by the last mark`() throws {
        var history = History()
        for (ticket, actions) in [
            ("a", ["mark_repeat"]), ("b", ["mark_repeat", "unmark_repeat"]), ("c", ["merge"]), ("d", []),
        ] {
            history.ticket(ticket)
            for (minute, action) in actions.enumerated() {
                history.record(
                    "ticket_action", of: ticket,
                    ["action": .text(action), "occurred_at": .integer(Self.start + Int64(minute) * 60_000)])
            }
        }
        #expect(try history.figures(["repeat_rate"]) == [[.real(25)]])
    }

    @Test func `of what was resolved at first leaves out who came again within 30 days of the closure`() throws {
        var history = History()
        for ticket in ["a", "b", "c", "d"] {
            history.ticket(ticket, [:], ["closed_at": .integer(Self.start)])
            history.record("callback", of: ticket, ["reached": .text("answered"), "resolved": .text("resolved")])
        }
        let repetitions: [(ticket: String, of: String, days: Int64, actions: [String])] = [
            ("e", "a", 30, ["mark_repeat"]), ("f", "b", 31, ["mark_repeat"]),
            ("g", "c", 1, ["mark_repeat", "unmark_repeat"]),
        ]
        for (ticket, former, days, actions) in repetitions {
            history.ticket(ticket, ["requested_datetime": .integer(Self.start + days * 24 * Self.hour)])
            for (minute, action) in actions.enumerated() {
                history.record(
                    "ticket_action", of: ticket,
                    [
                        "action": .text(action), "target": .text(former),
                        "occurred_at": .integer(Self.start + Int64(minute) * 60_000),
                    ])
            }
        }
        #expect(try history.figures(["first_time_resolution_rate", "resolution_rate"]) == [[.real(75), .real(100)]])
    }

    @Test func `of tickets is split by how they were closed, and of returns by the reason`() throws {
        var history = History()
        for (ticket, kinds) in [("a", ["direct"]), ("b", ["closed", "explained"])] {
            history.ticket(ticket)
            for (minute, kind) in kinds.enumerated() {
                history.record(
                    "closure", of: ticket,
                    ["closure_kind": .text(kind), "occurred_at": .integer(Self.start + Int64(minute) * 60_000)])
            }
        }
        history.record(
            "closure", of: "b",
            [
                "closure_kind": .text("held"), "review": .text("sent_back"),
                "occurred_at": .integer(Self.start + Self.hour),
            ])
        #expect(
            try history.figures(["count"], by: [Dimension("办结方式")]) == [
                [.text("direct"), .integer(1)], [.text("explained"), .integer(1)],
            ])
        history.record("assignment", of: "a", ["assignee_unit": .text("甲局"), "role": .text("main")])
        history.record("return_request", of: "a", ["unit": .text("甲局"), "reason": .text("duplicate")])
        history.record("return_decision", of: "a", ["decision": .text("approved")])
        #expect(
            try history.figures(["return_count", "approved_return_rate"], by: [Dimension("return_reason")]) == [
                [.text("duplicate"), .integer(1), .real(100)]
            ])
    }

    @Test func `in working hours leaves out nights and weekends`() throws {
        var history = History()
        // From Tuesday 10:02 to Thursday 10:02.
        history.ticket(
            "a", [:], ["dispatched_at": .integer(Self.start), "closed_at": .integer(Self.start + 48 * Self.hour)])
        #expect(try history.figures(["mean_handling_hours", "mean_handling_work_hours"]) == [[.real(48), .real(18)]])
    }

    @Test func `of an external data set counts by its own columns, and by what it has in common with tickets`() throws {
        let dataset = ExternalDataset(
            name: "outage", version: 1, title: "停水计划", provider: "供水集团",
            columns: [
                ColumnDefinition("kind", "类型", level: .open, codeList: "outage_kind"),
                ColumnDefinition("begins", "开始", .timestamp, level: .open),
                ColumnDefinition("households", "户数", .integer, level: .open),
                ColumnDefinition("area", "地区", level: .open),
                ColumnDefinition("urgent", "是否紧急", .boolean, level: .open),
            ],
            lists: [
                CodeList(
                    name: "outage_kind", title: "类型",
                    entries: [.init(code: "water", title: "停水"), .init(code: "power", title: "停电")])
            ], headings: [:], key: "kind", time: "begins", roles: ["region_code": "area"])
        var history = History()
        for (kind, area, households) in [
            ("water", "370102", Int64(10)), ("power", "370102", 20), ("water", "370103", 5),
        ] {
            let row = dataset.stored(
                IntakeRecord(
                    resource: "outage", key: "370100-\(kind)-\(area)",
                    fields: [
                        "kind": .text(kind), "area": .text(area), "households": .integer(households),
                        "begins": .integer(Self.start), "urgent": .integer(area == "370102" ? 1 : 0),
                    ]), origin: node("370100"))
            #expect(row.violation(in: ExternalResources.record) == nil)
            history.add("external_record", "", [:], row.fields)
        }
        history.add(
            "external_record", "", [:],
            ["dataset": .text("other"), "occurred_at": .integer(Self.start), "fields": .text("{}")])
        let fact = Fact(dataset)
        #expect(try overTheWire(fact) == fact)
        let measures = try [("all", "count"), ("water", "count where kind = 'water'"), ("homes", "sum(households)")].map
        {
            try Measure($0.0, version: 1, unit: .count, terms: [Measure.Term(fact, base: "", numerator: $0.1)])
        }
        let analysis = try Analysis(measures: measures, dimensions: [.region(.county), .day], asOf: Self.start)
        let found = try SQLiteEngine.run([overTheWire(analysis)], on: history.tables)[0]
        #expect(try found == BruteForce(analysis, history.tables, origins: ["370100"]).answer())
        #expect(
            try found.table(for: analysis).rows.map(\.cells) == [
                [.text("370102"), .text("2025-09-30"), .integer(2), .integer(1), .integer(30)],
                [.text("370103"), .text("2025-09-30"), .integer(1), .integer(1), .integer(5)],
            ])
        let fields = Dimension.fields(of: dataset)
        #expect(fields.map(\.name) == ["outage.kind", "outage.households", "outage.urgent"], "not places and times")
        func filter(_ text: String) throws -> Filter { try Filter.parse(text, among: fields + Dimension.allCases) }
        let split = try Analysis(
            measures: measures, dimensions: [Dimension("kind", among: fields), Dimension("是否紧急", among: fields)],
            filters: [filter("类型=停水,power"), filter("outage.households!=5")], asOf: Self.start)
        #expect(try overTheWire(split) == split)
        let parts = try SQLiteEngine.run([overTheWire(split)], on: history.tables)[0]
        #expect(try parts == BruteForce(split, history.tables, origins: ["370100"]).answer())
        #expect(
            try parts.table(for: split).rows.map(\.cells) == [
                [.text("power"), .text("1"), .integer(1), .integer(0), .integer(20)],
                [.text("water"), .text("1"), .integer(1), .integer(1), .integer(10)],
            ])
        #expect(errorCode { _ = try filter("kind=停气") } == "E_FILTER_VALUE")
        #expect(errorCode { _ = try filter("households=多") } == "E_FILTER_VALUE")
        #expect(
            errorCode { _ = try Analysis(dimensions: [fields[0]], asOf: 0) } == "E_ANALYSIS_DIMENSION",
            "tickets don't have them")
        #expect(analysis.resourcesNeeded == ["external_record"] && analysis.resourceCovered == "external_record")
        for json in [
            #"{"dataset":"x' OR 1","numbers":[],"texts":[],"roles":[]}"#,
            #"{"dataset":"x","numbers":["a.b"],"texts":[],"roles":[]}"#,
            #"{"dataset":"x","numbers":[],"texts":[],"roles":["fields"]}"#,
            #"{"dataset":"x","numbers":["a"],"texts":["a"],"roles":[]}"#,
        ] {
            #expect(
                errorCode { _ = try JSONDecoder().decode(Fact.self, from: Data(json.utf8)) } == "E_ANALYSIS_INVALID")
        }
    }

    /// Domain 3.2: 1,200 tickets of 85,000 residents are 141.18 for each 10,000.
    @Test func `for each 10,000 residents is 141_18 in the worked example, by the year and the region of the group`()
        throws
    {
        let question = try Analysis(
            measures: [.named("per_10000_residents")], dimensions: [.region(.county), Dimension("year")],
            asOf: Self.start)
        var partial = PartialResult(for: question)
        for (region, year) in [("370102", "2024"), ("370102", "2025"), ("370102", "2023"), ("370103", "2024")] {
            try partial.add(key: [ExactText(region), ExactText(year)], sums: [1_200])
        }
        try partial.add(key: [nil, "2024"], sums: [7])
        let population = Population(
            Population.list([
                .init(region: "370102", year: 2024, persons: 85_000),
                .init(region: "370102", year: 2025, persons: 120_000),
                .init(region: "370100", year: 2020, persons: 9_000_000),
            ]))
        let residents = Residents(population, region: "370100")
        var extras = TableExtras()
        extras.residents = residents
        let rows = try partial.table(for: question, extras).rows.map(\.cells)
        #expect(rows.map(\.last) == [.null, .real(141.18), .real(100), .null, .null])
        #expect(try partial.table(for: question).rows.allSatisfy { $0.cells.last == .null })
        func whole(_ filters: [Filter]) throws -> FieldValue? {
            let question = try Analysis(measures: [.named("per_10000_residents")], filters: filters, asOf: Self.start)
            var partial = PartialResult(for: question)
            try partial.add(key: [], sums: [1_200])
            return try partial.table(for: question, extras).rows[0].cells.last
        }
        #expect(try whole([]) == .real(1.33), "without a region it is the asker's")
        #expect(try whole([Filter(.region(.county), .equals, ["370102"])]) == .real(100))
        #expect(try whole([Filter(.region(.county), .equals, ["370102", "370103"])]) == .null)
        #expect(try whole([Filter(.region(.county), .hasPrefix, ["3701"])]) == .null)
    }
}
