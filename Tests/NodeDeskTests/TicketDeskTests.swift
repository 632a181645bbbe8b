import FederationModel
import LogicalQuery
import NodeDesk
import Testing

@Suite struct `A ticket at the desk` {
    @Test func `gets an id, the next number of the day and what nobody said, and the bell rings after it is stored`()
        async throws
    {
        let node = try TestNode()
        let first = try await node.addTicket()
        let second = try await node.addTicket(["service_request_id": "本地 7"])
        let third = try await node.addTicket()
        #expect(first.number.hasPrefix("3701002025093001000001") && second.number == "本地 7")
        #expect(third.number.hasPrefix("3701002025093001000002"), "a ticket with a number of its own draws none")
        #expect(first.id.hasPrefix("370100-") && first.id != third.id)
        let head = try await node.desk.figures().head
        #expect(node.bell.rung.count == 3 && node.bell.rung.last == head)
        let report = try await node.desk.ticket(first.number)
        #expect(report.thread.globalID == first.id)
        let fields = try #require(report.thread.request?.fields)
        #expect(fields["channel"] == .text("01") && fields["urgency"] == .text("normal"))
        #expect(fields["accepted_datetime"] == .integer(node.clock.now))
    }

    @Test func `is refused whole where a field is missing or wrong, and no value is repeated`() async throws {
        let node = try TestNode()
        #expect(await code { try await node.desk.add(ticket: node.desk.newTicket()) } == "E_FIELD_MISSING")
        var form = node.desk.newTicket()
        for (text, name, rule) in [
            ("鸽子", "channel", RowRejection.Rule.notInCodeList), ("x", "titel", .unknown),
            ("x", "global_id", .unknown),
            ("昨天", "accepted_datetime", .badTime),
        ] {
            let violation = #expect(throws: RowRejection.self) { try form.take(text, for: name) }
            #expect(violation?.code == rule.rawValue && violation?.description.contains(text) != true, "\(name)")
        }
        let unknown = #expect(throws: RowRejection.self) { try form.take("x", for: "titel") }
        #expect(unknown?.reason.contains("`title`") == true)
        #expect(try await node.desk.tickets(TicketFilter(), origin: nil, limit: 10).isEmpty)
        #expect(node.bell.rung.isEmpty)
    }

    @Test func `is overdue after the end of a due day that was given without a time, and never when it was merged`()
        async throws
    {
        let node = try TestNode()
        let (ticket, merged) = (try await node.addTicket(), try await node.addTicket())
        for id in [ticket.id, merged.id] {
            try await node.record("dispatch", of: id, ["assignee_unit": "市住建局", "due_datetime": "2025-10-14"])
        }
        try await node.record("merge", of: merged.id, ["target": ticket.id])
        #expect(
            try await node.desk.ticket(ticket.id).thread.state?.dueAt
                == ShanghaiTime.parse("2025-10-14T23:59:59.999+08:00"))
        var overdue = TicketFilter()
        overdue.isOverdue = true
        try node.clock.set("2025-10-14T23:00:00+08:00")
        #expect(try await node.desk.tickets(overdue, origin: nil, limit: 10).isEmpty)
        try node.clock.set("2025-10-15T09:00:00+08:00")
        #expect(try await node.desk.tickets(overdue, origin: nil, limit: 10).map(\.globalID) == [ticket.id])
        var question = AnalysisQuestion()
        (question.measures, question.filters) = (["overdue", "count"], ["渠道=电话,网站,短信", "status=待签收"])
        let answer = try await node.desk.ask(question, deadlineMS: 60_000)
        #expect(answer.table.rows.map(\.cells) == [[.integer(1), .integer(1)]])
    }

    @Test func `is listed by the beginning of its origin's name, and by what is overdue now`() async throws {
        let node = try TestNode()
        let ticket = try await node.addTicket()
        try await node.record("dispatch", of: ticket.id, ["assignee_unit": "市住建局", "due_datetime": "2025-10-14 18:00"])
        var overdue = TicketFilter()
        overdue.isOverdue = true
        #expect(try await node.desk.tickets(overdue, origin: nil, limit: 10).isEmpty)
        try node.clock.set("2025-10-15T09:00:00+08:00")
        #expect(try await node.desk.tickets(overdue, origin: "济", limit: 10).map(\.globalID) == [ticket.id])
        #expect(try await node.desk.tickets(overdue, origin: "青岛", limit: 10).isEmpty)
        #expect(await code { try await node.desk.tickets(overdue, origin: "火星", limit: 10) } == "E_NODE_UNKNOWN")
    }
}

@Suite struct `An event at the desk` {
    @Test func `takes its time limit from the rules, and an extension counts from the date in force`() async throws {
        let node = try TestNode()
        let ticket = try await node.addTicket()
        var draft = try await node.desk.draft(try #require(TicketEventKind.named("dispatch")), of: ticket.number)
        try draft.form.take("市住建局", for: "assignee_unit")
        draft.fill()
        let due = try #require(draft.form.fields["due_datetime"]?.integer)
        #expect(due > node.clock.now && draft.form.fields["limit_kind"] != nil)
        let event = try await node.desk.record(draft)
        #expect(event.ticket == ticket.id && event.resource == "assignment")
        let report = try await node.desk.ticket(ticket.id)
        #expect(report.thread.state?.dueAt == due && report.card == WarningCard.none)
        #expect((report.remaining?.milliseconds ?? 0) == due - node.clock.now)

        var extended = try await node.desk.draft(try #require(TicketEventKind.named("extend")), of: ticket.id)
        try extended.extend(by: try #require(TimeLimit("5 working_days")))
        let later = try #require(extended.form.fields["requested_until"]?.integer)
        #expect(later > due)
        try extended.form.take("等待配件", for: "reason")
        _ = try await node.desk.record(extended)
        try await node.record("decide-extension", of: ticket.id, ["decision": "approved"])
        #expect(try await node.desk.ticket(ticket.id).thread.state?.dueAt == later, "what was asked for was granted")
    }

    @Test func `that is illegal or incomplete is refused with its code, and nothing is stored`() async throws {
        let node = try TestNode()
        let ticket = try await node.addTicket()
        #expect(await code { try await node.record("close", of: ticket.id) } == "E_STATE_CLOSE_WITHOUT_REPLY")
        #expect(await code { try await node.record("dispatch", of: ticket.id) } == "E_FIELD_MISSING")
        #expect(await code { try await node.record("end-supervision", of: ticket.id) } == "E_STATE_NOTHING_OPEN")
        #expect(await code { try await node.record("transfer-accept", of: ticket.id) } == "E_STATE_NO_OFFER")
        #expect(
            await code { try await node.record("withdraw", of: ticket.id, ["closure_kind": "closed"]) }
                == "E_FIELD_UNKNOWN", "the kind says it")
        #expect(await code { try await node.record("handle", of: "370100-0", ["unit": "a"]) } == "E_TICKET_UNKNOWN")
        #expect(try await node.desk.ticket(ticket.id).thread.records.count == 1)
    }

    @Test func `that ends what this node began completes that record`() async throws {
        let node = try TestNode()
        let ticket = try await node.addTicket()
        let begun = try await node.record("supervise", of: ticket.id, ["level": "书面"])
        try node.clock.set("2025-10-09T09:00:00+08:00")
        let ended = try await node.record("end-supervision", of: ticket.id)
        #expect(ended.key == begun.key)
        let thread = try await node.desk.ticket(ticket.id).thread
        #expect(thread.count(of: .supervision) == 1 && thread.state?.supervision != .open)
    }

    @Test func `may name another ticket by its number`() async throws {
        let node = try TestNode()
        let (head, other) = (try await node.addTicket(), try await node.addTicket())
        try await node.record("merge", of: other.id, ["target": head.number])
        #expect(try await node.desk.ticket(other.id).thread.state?.mergedInto == head.id)
    }
}

@Suite struct `Numbers at the desk` {
    @Test func `are given to nobody else`() async throws {
        let node = try TestNode()
        var numbers: [TicketNumber] = []
        try await node.desk.drawNumbers(count: 3, on: nil, channel: "01") { numbers = $0 }
        #expect(numbers.count == 3)
        let ticket = try await node.addTicket()
        #expect(!numbers.map(\.description).contains(ticket.number))
        #expect(
            await code { try await node.desk.drawNumbers(count: 1, on: nil, channel: "电话") { _ in } }
                == "E_NUMBER_INVALID")
    }
}
