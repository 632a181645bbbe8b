import Detection
import FederationModel
import NodeDesk
import Reporting
import Testing

@Suite struct `Judging at a desk` {
    private let node: TestNode

    init() throws { node = try TestNode("370100") }

    /// A ticket of a person about water at one place.
    private func add(
        _ person: Int, title: String = "停水", address: String = "解放路花园小区3号楼", _ other: [String: String] = [:]
    ) async throws -> AddedTicket {
        var fields = [
            "title": title, "address_string": address, "region_code": "370102", "service_code": "03.03.01",
            "reporter_phone": "139000000\(person + 10)",
        ]
        fields.merge(other) { $1 }
        return try await node.addTicket(fields)
    }

    private func judge() async throws -> [AlertReport] {
        _ = try await node.desk.alerts(limit: 1)
        while try await !node.desk.judgeChanges().isEnd {}
        return try await node.desk.alerts(limit: 100)
    }

    @Test func `a group needs five persons, however many tickets there are`() async throws {
        for person in [1, 1, 2, 3, 3, 4] { _ = try await add(person) }
        #expect(try await judge().isEmpty)
        _ = try await add(5)
        let alerts = try await judge()
        #expect(alerts.map(\.rule) == ["GROUP"])
        #expect(alerts.first?.tickets == 7)
        #expect(alerts.first?.persons == 5)
        #expect(alerts.first?.audience.map(\.code).sorted() == ["370000", "370100", "370102"])
        #expect(alerts.first?.evidence.causes.contains { $0.dimension == .place && $0.value == "370102" } == true)
        // Whoever judges again finds the same.
        let head = node.bell.rung.last
        _ = try await judge()
        #expect(node.bell.rung.last == head)
    }

    @Test func `old records raise nothing`() async throws {
        for person in 1...5 {
            _ = try await add(
                person, ["requested_datetime": "2025-09-01 10:00", "accepted_datetime": "2025-09-01 10:00"])
        }
        #expect(try await judge().isEmpty)
    }

    @Test func `a rule that is published judges from then on, by its version`() async throws {
        func publish(_ version: Int, yellow: Int) async throws -> [DetectionRule] {
            try node.write(
                """
                rules:
                  - {id: GROUP, version: \(version), title: 群体诉求, method: group, kind: concentrated, levels: {yellow: \(yellow)}}
                """, to: "rules.yaml")
            return try await node.desk.publishRules(path: node.path("rules.yaml"))
        }
        #expect(await code { try await publish(1, yellow: 3) } == "E_RULE_VERSION")
        #expect(try await publish(2, yellow: 3).map(\.version) == [2])
        #expect(try await publish(2, yellow: 3).isEmpty)
        for person in 1...3 { _ = try await add(person) }
        let alerts = try await judge()
        #expect(alerts.map(\.ruleVersion) == [2])
        let reports = try await node.desk.rules()
        #expect(reports.first { $0.rule.id == "GROUP" }?.publisher?.code == "370100")
        #expect(reports.first { $0.rule.id == "REPEAT" }?.publisher == nil)
        #expect(await code { try await node.desk.rule("NONE") } == "E_RULE_UNKNOWN")
    }

    @Test func `an alert whose tickets were corrected is withdrawn`() async throws {
        let ticket = try await add(1, title: "燃气泄漏")
        #expect(try await judge().map(\.state.status) == [.raised])
        try await node.record("set-category", of: ticket.id, ["target": "05.01.01"])
        // The words still stand: the alert is raised under the corrected category, and the former one goes.
        let alerts = try await judge()
        #expect(Set(alerts.map(\.state.status)) == [.raised, .withdrawn])
        #expect(alerts.first { $0.state.status == .raised }?.category == "05.01.01")
    }

    // MARK: - Situations

    @Test func `a situation with overdue tickets closes only when something answers it`() async throws {
        var tickets: [String] = []
        for person in 1...5 { tickets.append(try await add(person).id) }
        let alert = try #require(try await judge().first)
        for ticket in tickets.prefix(2) {
            try await node.record("dispatch", of: ticket, ["assignee_unit": "供水集团", "due_datetime": "2025-10-01"])
        }
        var draft = SituationDraft()
        draft.alert = alert.id
        draft.title = "解放路停水"
        let opened = try await node.desk.open(draft)
        #expect(opened.state.members == Set(tickets))
        #expect(opened.state.kind == "concentrated")
        #expect(opened.failed.isEmpty)
        #expect(try await node.desk.alert(alert.id).state.status == .situation)

        try node.clock.set("2025-10-03T09:00:00+08:00")
        let late = try await node.desk.situation(opened.id)
        #expect(late.toInform == tickets.prefix(2).sorted())
        let day = CivilDate.text(dayNumber: ShanghaiTime.dayNumber(alert.decidedAt))
        let report = try await node.desk.make(ReportOrder(.daily, day)).report.document
        let urgent = try #require(report.chapters.first { $0.id == ReportDocument.urgentChapter })
        #expect(urgent.tables.map(\.id) == ["alerts", "alert_list", "situations"])
        func printed(_ rule: String) -> [String] {
            let cells = urgent.tables[0].rows.first { $0.key == rule }?.cells ?? []
            return zip(urgent.tables[0].columns, cells).suffix(3).map { $1.text($0) }
        }
        #expect(printed("GROUP") == ["1", "1", "100.00%"], "one, which was taken up")
        #expect(printed("REPEAT") == ["0", "0", "–"])
        #expect(urgent.tables[1].rows.map(\.key) == [alert.id])
        #expect(urgent.tables[2].rows[0].cells.map(\.value).contains(.text("处置中")))
        #expect(!report.publicEdition().document.chapters.contains { $0.id == urgent.id })
        #expect(await code { try await node.desk.close(opened.id, note: nil, by: nil) } == "E_OPEN_FOLLOWUP")
        #expect(
            await code { try await node.desk.answer(opened.id, with: "NONE", note: nil, by: nil) } == "E_ANSWER_UNKNOWN"
        )
        let notice = try await node.desk.publish(.init(title: "停水通知", content: "今晚恢复"))
        _ = try await node.desk.answer(opened.id, with: notice.announcement.key, note: "已公告", by: nil)
        let informed = try await node.desk.inform(opened.id, tickets: [tickets[0]], by: "值班长")
        #expect(informed.toInform == [tickets[1]])
        let closed = try await node.desk.close(opened.id, note: "供水已恢复", by: nil)
        #expect(closed.state.status == .closed)
        #expect(try await node.desk.alert(alert.id).state.status == .closed)
        #expect(await code { try await node.desk.note(opened.id, "x", by: nil) } == "E_SITUATION_CLOSED")

        // Whoever has a similar matter later is shown what was done.
        let next = try await node.desk.precedents(of: alert)
        #expect(next.map(\.id) == [opened.id])
        #expect(next.first?.measures == ["已公告", "供水已恢复"])
    }

    @Test func `what no unit acknowledges within a quarter of an hour goes to the node above, once`() async throws {
        var draft = SituationDraft()
        draft.title = "停水"
        draft.kind = .concentrated
        #expect(await code { try await node.desk.open(SituationDraft()) } == "E_SITUATION_INCOMPLETE")
        let situation = try await node.desk.open(draft)
        let told = try await node.desk.notify(
            situation.id, form: .warmTransfer, unit: "供水集团", node: "历下区", note: nil, by: nil)
        #expect(told.audience.map(\.code).sorted() == ["370100", "370102"])
        _ = try await node.desk.notify(
            situation.id, form: .workOrder, unit: "街道", node: nil, note: nil, by: nil)
        #expect(
            await code { try await node.desk.acknowledge(situation.id, notification: nil, by: nil) }
                == "E_NOTIFICATION_UNKNOWN", "two wait")
        let first = try #require(told.state.notifications.first)
        _ = try await node.desk.acknowledge(situation.id, notification: first.id, by: "供水集团")
        node.clock.pass(15 * 60_000)
        #expect(try await node.desk.escalateNotifications() == 0)
        node.clock.pass(60_000)
        #expect(try await node.desk.escalateNotifications() == 1)
        #expect(try await node.desk.escalateNotifications() == 0)
        let report = try await node.desk.situation(situation.id)
        #expect(report.audience.map(\.code).sorted() == ["370000", "370100", "370102"])
        #expect(report.state.notifications.map { $0.escalatedAt != nil } == [false, true])
    }
}
