import FederationModel
import LogicalQuery
import NodeDesk
import Reporting
import TestSupport
import Testing

@Suite struct `A report at the desk` {
    /// A ticket of a day of September 2025, which was taken in then or, if `late`, comes now.
    private func ticket(_ node: TestNode, on day: String, _ fields: [String: String] = [:]) async throws {
        let time = ["requested_datetime": "\(day)T10:00:00+08:00", "accepted_datetime": "\(day)T10:00:00+08:00"]
        _ = try await node.addTicket(time.merging(fields) { $1 })
    }

    private func count(_ report: ArchivedReport) -> FieldValue? {
        report.document.chapters.first { $0.id == "overview" }?.tables[0].rows.first { $0.key == "count" }?.cells[1]
            .value
    }

    @Test func `is archived once, and late data make a second revision that tells what has changed (7.2.1.1-2)`()
        async throws
    {
        let node = try TestNode("370200")
        for day in 1...3 { try await ticket(node, on: "2025-09-0\(day)") }
        #expect(await code { try await node.desk.make(ReportOrder(.monthly, "2025-09")) } == "E_REPORT_OPEN")
        try node.clock.set("2025-10-08T08:00:00+08:00")
        let first = try await node.desk.make(ReportOrder(.monthly, "2025-09"))
        #expect(first.outcome == .archived && first.report.revision == 1 && count(first.report) == .integer(3))
        node.clock.pass(3_600_000)
        let again = try await node.desk.make(ReportOrder(.monthly, "2025-09"))
        #expect(again.outcome == .unchanged && again.report == first.report, "the same data, the same report")

        for day in 10...21 { try await ticket(node, on: "2025-09-\(day)") }
        let second = try await node.desk.make(ReportOrder(.monthly, "2025-09"))
        #expect(second.outcome == .archived && second.report.revision == 2 && count(second.report) == .integer(15))
        #expect(second.report.document.number == "M-2025-09")
        #expect(second.report.changes.contains { $0.row == "诉求量" && $0.column == "本期" && $0.delta == "+12" })
        let lines = try await node.desk.reports()
        #expect(lines.map(\.revision) == [2, 1])
        #expect(try await count(node.desk.report("M-2025-09", revision: 1)) == .integer(3), "the first is kept")
        #expect(try await node.desk.reportChanges("M-2025-09", from: 1, to: 2) == second.report.changes)
        #expect(try await node.desk.report("M-2025-09") == second.report)
        #expect(await code { try await node.desk.report("M-2025-08") } == "E_REPORT_UNKNOWN")
    }

    @Test func `is made by the timetable when its period is over, and again only when data have come late`()
        async throws
    {
        let node = try TestNode("370200")
        let timetable = ReportTimetable([.daily], at: try #require(DailyTime("08:00")))
        try await ticket(node, on: "2025-09-29")
        let made = try await node.desk.makeDueReports(by: timetable, revising: true)
        #expect(made.map(\.report.document.number) == ["D-2025-09-27", "D-2025-09-28", "D-2025-09-29"])
        #expect(try await node.desk.makeDueReports(by: timetable, revising: true).isEmpty)
        try await ticket(node, on: "2025-09-29")
        #expect(
            try await node.desk.makeDueReports(by: timetable, revising: false).isEmpty, "not looked for each minute")
        let revised = try await node.desk.makeDueReports(by: timetable, revising: true)
        #expect(revised.map(\.report.document.number) == ["D-2025-09-29"] && revised.first?.report.revision == 2)

        let id = try #require(try await node.desk.tickets(TicketFilter(), origin: nil, limit: 1).first?.globalID)
        try await node.record("dispatch", of: id, ["assignee_unit": "市住建局", "due_datetime": "2025-10-14"])
        #expect(
            try await node.desk.makeDueReports(by: timetable, revising: true).isEmpty,
            "what is done with a ticket later is no late data")
        #expect(
            try await node.desk.make(ReportOrder(.daily, "2025-09-29")).report.revision == 3, "but by hand it is told")
    }

    @Test func `of a topic counts what its filters select, and needs a topic`() async throws {
        let node = try TestNode("370200")
        try await ticket(node, on: "2025-09-05", ["request_type": "3"])
        try await ticket(node, on: "2025-09-06", ["request_type": "1"])
        var order = ReportOrder(.special, "2025-09-05")
        #expect(await code { try await node.desk.make(order) } == "E_REPORT_TOPIC")
        (order.topic, order.filters) = ("投诉", ["request_type=3"])
        let report = try await node.desk.make(order).report
        #expect(report.document.number == "S-2025-09-05-投诉" && count(report) == .integer(1))
    }

    @Test func `of a topic tells typical cases, masked, and what can be done; the public gets neither (domain 3.7)`()
        async throws
    {
        let node = try TestNode("370200")
        let topic = ["service_code": "03.03.01", "title": "小区停水"]
        try await ticket(
            node, on: "2025-09-04", topic.merging(["confidential": "name_hidden", "description": "保密"]) { $1 })
        try await ticket(node, on: "2025-09-05", topic.merging(["description": "请联系13812345678"]) { $1 })
        try await ticket(node, on: "2025-09-06", ["service_code": "05.02.01"])
        _ = try await node.desk.detectFindings(period: "2025-W36")
        let late = try #require(try await node.desk.findings(code: "LATE_DISPATCH").first)
        _ = try await node.desk.measure(
            finding: late.id, MeasureDraft(.propose(owner: "派单科", due: node.clock.now), note: "增设席位"))
        var article = KnowledgeText(question: "停水怎么办", answer: "拨打供水服务电话")
        article.category = "03.03"
        let published = try await node.desk.publish(article)
        try node.clock.set("2025-10-08T08:00:00+08:00")
        var order = ReportOrder(.special, "2025-09")
        (order.topic, order.filters) = ("停水", ["service^=03.03"])
        let document = try await node.desk.make(order).report.document
        let ids = document.chapters.map(\.id)
        let place = try #require(ids.firstIndex(of: "cases"))
        #expect(ids[place + 1] == "unit" && ids.suffix(2) == ["advice", "basis"], "\(ids)")
        let cases = document.chapters[place].tables[0]
        #expect(cases.rows.count == 1, "one of the category, and not the confidential one")
        #expect(cases.rows.first?.cells[4].value == .text("小区停水：请联系138****5678"))
        let advice = try #require(document.chapters.first { $0.id == "advice" })
        let row = try #require(advice.tables[0].rows.first { $0.key == "LATE_DISPATCH " })
        #expect(row.cells.map { $0.value.text } == ["派单不及时", "", nil, "系统优化", "派单科", "措施落实中：增设席位"])
        #expect(row.cells[2].value == .integer(2))
        #expect(advice.paragraphs.contains { $0.contains("停水怎么办（\(published.key)）") })
        let edition = try await node.desk.publish(report: document.number).report.document
        #expect(!edition.chapters.contains { ["cases", "advice"].contains($0.id) })
    }

    @Test func `of a week tells a typical case of each category that people complained of most (domain 3.7)`()
        async throws
    {
        let node = try TestNode("370200")
        for day in 1...3 {
            try await ticket(node, on: "2025-09-0\(day)", ["service_code": "03.03.01", "title": "停水\(day)"])
        }
        try await ticket(node, on: "2025-09-04", ["service_code": "05.02.01", "title": "占道"])
        try await ticket(node, on: "2025-09-12", ["service_code": "03.03.01", "title": "下一周"])
        try node.clock.set("2025-09-08T08:00:00+08:00")
        let document = try await node.desk.make(ReportOrder(.weekly, "2025-W36")).report.document
        let ids = document.chapters.map(\.id)
        let place = try #require(ids.firstIndex(of: "cases"))
        #expect(ids[place + 1] == "unit" && ids.contains("urgent"), "\(ids)")
        #expect(document.chapters[place].tables[0].rows.map { $0.cells[4].value.text } == ["停水1", "占道"])
        let edition = try await node.desk.publish(report: document.number).report.document
        #expect(!edition.chapters.contains { $0.id == "cases" })
    }

    @Test func `is published without small figures, to everybody below`() async throws {
        let node = try TestNode("370200")
        for day in 1...9 { try await ticket(node, on: "2025-09-0\(day)", ["request_type": day < 3 ? "4" : "1"]) }
        try node.clock.set("2025-10-08T08:00:00+08:00")
        _ = try await node.desk.make(ReportOrder(.monthly, "2025-09"))
        let (report, suppressed, _) = try await node.desk.publish(report: "M-2025-09")
        let types = try #require(report.document.chapters.first { $0.id == "request_type" }?.tables.first)
        let reports = try #require(types.rows.first { $0.key == "4" })
        #expect(suppressed > 0 && reports.cells[1].text(types.columns[1]) == "*")
        let published = try await node.desk.reports().filter { $0.edition == "public" }
        #expect(published.count == 1)
        _ = try await node.desk.publish(report: "M-2025-09")
        #expect(try await node.desk.reports().count == 2, "publishing twice changes nothing")
    }

    @Test func `goes to whom its node lets have it`() async throws {
        let node = try TestNode("370200")
        let lixia = try #require(NodeID("370102"))
        #expect(try await node.desk.subscribe(lixia, to: .weekly, ends: true).isEmpty)
        let subscriptions = try await node.desk.subscribe(lixia, to: .weekly, ends: false)
        #expect(subscriptions.map(\.series) == ["370200-weekly"] && subscriptions.first?.endedAt == nil)
        #expect(try await node.desk.subscribe(lixia, to: .weekly, ends: true).first?.endedAt == node.clock.now)
    }

    @Test func `looks as the templates of the node's folder say`() async throws {
        let node = try TestNode("370200")
        #expect(try node.desk.reportTemplates().markdown(made(node)).hasPrefix("# 济南市12345热线日报"))
        try node.write("只有{{number}}", to: "node/report.md.mustache")
        #expect(
            try node.desk.reportTemplates().markdown(made(node)).hasPrefix("# "), "it lies in the folder, not beside it"
        )
    }

    private func made(_ node: TestNode) -> ArchivedReport {
        ArchivedReport(
            ReportDocument(
                number: "D-2025-09-29", kind: .daily, title: "济南市12345热线日报", node: "370100", nodeName: "济南市",
                period: "2025-09-29", from: "", to: "", edition: .internal, chapters: []), revision: 1, madeAt: 0,
            changes: [])
    }
}
