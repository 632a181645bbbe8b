import FederationModel
import LogicalQuery
import Reporting
import TestSupport
import Testing

@Suite struct `A report` {
    @Test func `of a week is held against the ISO week of the same number a year before (7.2.1.1-1)`() throws {
        let period = try ReportKind.weekly.period("2026-W01")
        let questions = try questions(.weekly, period)
        let overview = questions.analyses.filter { $0.dimensions.isEmpty && $0.measures.first?.name == "count" }
        let days = overview.compactMap(\.from).map { CivilDate.text(dayNumber: ShanghaiTime.dayNumber($0)) }
        #expect(
            days.sorted() == ["2024-12-30", "2025-12-22", "2025-12-29"], "the weeks 2025-W01, 2025-W52 and 2026-W01")
    }

    @Test func `prints each dimension, 0 where there is nothing (7.2.1.1-1)`() throws {
        let document = try document(.weekly, "2025-W35") { _ in [] }
        for chapter in ["request_type", "acceptance", "channel", "urgency", "status"] {
            let table = try #require(document.chapters.first { $0.id == chapter }?.tables.first)
            #expect(table.rows.count > 3 && table.rows.allSatisfy { $0.cells[1].value == .integer(0) }, "\(chapter)")
        }
        let urgency = try #require(document.chapters.first { $0.id == "urgency" }?.tables.first)
        #expect(urgency.rows.map(\.key) == ["urgent", "livelihood", "normal", "complex", "total"])
    }

    @Test func `has the chapters that reports of its kind have (domain 3.7)`() throws {
        let daily = try document(.daily, "2025-08-31") { _ in [] }
        let overview = try #require(daily.chapters.first { $0.id == "overview" }?.tables.first)
        #expect(overview.rows.map(\.key).suffix(4) == ["open", "due_soon", "overdue", "callback_count"])
        let weekly = try document(.weekly, "2025-W35") { analysis in
            guard analysis.measures.map(\.name) == ["count", "on_time_rate", "satisfaction_rate"] else { return [] }
            return (1...7).map { (["0\($0)"], [Int64($0)]) }
        }
        let industry = try #require(weekly.chapters.first { $0.id == "industry" }?.tables.first)
        #expect(industry.rows.map(\.key) == ["07", "06", "05", "04", "03", "others", "total"])
        #expect(industry.rows.last?.cells[1].value == .integer(28))
        let share = weekly.chapters.first { $0.id == "overview" }?.tables.first?.rows.map(\.key) ?? []
        #expect(share.contains("first_contact_rate") && share.contains("dispatch_rate"))
        let monthly = try august
        let units = try #require(monthly.chapters.first { $0.id == "unit" }?.tables.first).columns.map(\.id)
        #expect(Set(["closed_rate", "on_time_rate", "timely_reply_rate", "dissatisfaction_rate"]).isSubset(of: units))
        let assessed = try #require(monthly.chapters.first { $0.id == "assessment" }?.tables.first).columns.map(\.id)
        #expect(assessed.contains("timely_reply_rate"))
    }

    @Test func `is the same bytes for the same data, in every format (7.2.1.1-1)`() throws {
        let templates = try ReportTemplates()
        let reports = try (0..<2).map { _ in try archived(august) }
        #expect(reports[0] == reports[1])
        for print in [templates.html, templates.markdown] { #expect(print(reports[0]) == print(reports[1])) }
        #expect(templates.csv(reports[0], isSafe: true) == templates.csv(reports[1], isSafe: true))
    }

    @Test func `computes shares, growth and totals from the figures as they are printed`() throws {
        let table = try #require(try august.chapters.first { $0.id == "request_type" }?.tables.first)
        let complaints = try #require(table.rows.first { $0.key == "3" })
        let printed = Dictionary(
            uniqueKeysWithValues: zip(table.columns, complaints.cells).map { ($0.id, $1.text($0)) })
        #expect(
            printed == [
                "request_type": "投诉", "count": "1200", "share": "48.00%", "previous": "1000",
                "previous_growth": "20.00%", "year": "1500", "year_growth": "-20.00%",
            ])
        #expect(table.rows.last?.cells[1].value == .integer(2500))
    }

    @Test func `counts a county under the city that it lies in, so the cities add up to the total (7.2.1.1-3)`() throws
    {
        let table = try #require(try august.chapters.first { $0.id == "origin" }?.tables.first)
        let counts = table.rows.map { "\($0.key) \($0.cells[1].text(table.columns[1]))" }
        #expect(counts == ["370000 0", "370100 1200", "370200 800", "370300 500", "total 2500"])
    }

    @Test func `is drawn, and shows every text of others as a text`() throws {
        let html = try ReportTemplates().html(archived(august))
        #expect(html.contains("<svg") && html.contains("@page") && html.contains("投诉"))
        var document = try august
        document.chapters[0].paragraphs = ["<script>alert(1)</script> | a_b*c"]
        let report = ArchivedReport(document, revision: 1, madeAt: 0, changes: [])
        #expect(try !ReportTemplates().html(report).contains("<script>"))
        #expect(try ReportTemplates().markdown(report).contains("\\<script>alert(1)\\</script> \\| a\\_b\\*c"))
    }

    /// WeasyPrint applies no style of the page to what is within a drawing: bars were black, and a line was an area.
    @Test func `has its colours within its drawings`() throws {
        var document = try august
        let trend = try #require(document.chapters.firstIndex { $0.id == "trend" })
        document.chapters[trend].tables[0].rows[0].cells[1].value = .integer(2_000)
        let html = try ReportTemplates().html(archived(document))
        #expect(html.contains(/<rect [^>]*fill="#2f6db5"/))
        #expect(html.contains(/<polyline [^>]*fill="none" stroke="#2f6db5"/))
        #expect(html.contains(/<svg [^>]*font-family="Noto Sans CJK SC,/))
    }

    @Test func `looks as a template of the node's own says, which is named when it can't be read`() throws {
        let templates = try ReportTemplates(markdown: "{{title}}:{{#chapters}}{{number}}{{/chapters}}")
        #expect(try templates.markdown(archived(august)).hasPrefix("山东省12345热线月报:1234"))
        let error = #expect(throws: FederationError.self) { try ReportTemplates(html: "{{#chapters}}") }
        #expect(error?.code == "E_REPORT_TEMPLATE" && error?.message.contains("report.html.mustache") == true)
    }

    @Test func `says what has changed since the revision before`() throws {
        var later = try august
        let changed = try #require(later.chapters.firstIndex { $0.id == "origin" })
        later.chapters[changed].tables[0].rows[1].cells[1].value = .integer(1212)
        let changes = later.changes(since: try august)
        #expect(changes.count == 1)
        #expect(changes.first?.row == "济南市" && changes.first?.before == "1200" && changes.first?.delta == "+12")
        #expect(later.isLater(than: try august))
        var closed = try august
        closed.chapters[changed].tables[0].rows[1].cells.indices.last.map {
            closed.chapters[changed].tables[0].rows[1].cells[$0].value = .real(99)
        }
        #expect(try !closed.isLater(than: august), "a rate has changed and nothing has arrived")
    }

    @Test func `has no period that the calendar does not have`() throws {
        #expect(
            #expect(throws: FederationError.self) { try ReportKind.monthly.period("2025-13") }?.code
                == "E_REPORT_PERIOD")
        #expect(
            #expect(throws: FederationError.self) { try ReportKind.weekly.period("2025-08") }?.code == "E_REPORT_PERIOD"
        )
        #expect(try ReportKind.special.period("2025-Q3").label == "2025-Q3")
        #expect(ReportKind.monthly.number(of: try ReportKind.monthly.period("2025-08"), topic: nil) == "M-2025-08")
    }
}

@Suite struct `The edition for the public` {
    private func table(_ counts: [Int64], total: Bool = true) -> ReportDocument.Table {
        var rows = counts.enumerated().map { ReportDocument.Row("\($0)", [.text("行\($0)"), .init(.integer($1))]) }
        if total { rows.append(.init("total", [.text("合计"), .init(.integer(counts.reduce(0, +)))])) }
        return ReportDocument.Table(
            "t", "表", columns: [.init("name", "名称", .text), .init("count", "件数", .whole)], rows: rows, hasTotal: total)
    }

    private func shown(_ table: ReportDocument.Table) -> [String] {
        var document = ReportDocument(
            number: "M-2025-08", kind: .monthly, title: "月报", node: "370000", nodeName: "山东省", period: "2025-08",
            from: "", to: "", edition: .internal, chapters: [.init("c", "章", tables: [table])])
        document = document.publicEdition().document
        return document.chapters[0].tables[0].rows.map { $0.cells[1].text(table.columns[1]) }
    }

    @Test func `shows no figure below 5, nor one from which it could be found`() {
        #expect(shown(table([100, 3, 50, 20])) == ["100", "*", "50", "*", "173"], "the smallest other goes with it")
        #expect(
            shown(table([100, 1, 1, 20])) == ["100", "*", "*", "*", "122"], "two that are few together are told too")
        #expect(shown(table([100, 3, 4, 20])) == ["100", "*", "*", "20", "127"])
        #expect(shown(table([100, 3, 50], total: false)) == ["100", "*", "50"])
        #expect(shown(table([100, 0, 50])) == ["100", "0", "50", "150"], "nobody is not few")
    }

    @Test func `shows no rate that few stand behind`() {
        var table = table([100, 90], total: false)
        table.columns.append(.init("rate", "满意率%", .percent))
        table.rows[0].cells.append(.init(.real(97), parts: [97, 100]))
        table.rows[1].cells.append(.init(.real(50), parts: [45, 90]))
        #expect(shown(table) == ["*", "90"], "3 of 100 were not satisfied")
    }

    @Test func `masks what tells who somebody is, in every text`() {
        var document = ReportDocument(
            number: "S-2025-08-x", kind: .special, title: "专报", node: "370000", nodeName: "山东省", period: "2025-08",
            from: "", to: "", edition: .internal,
            chapters: [.init("c", "章", paragraphs: ["请联系 13812345678"], tables: [table([10, 20])])])
        document.chapters[0].tables[0].rows[0].cells[0] = .text("王某 身份证 370102199001011234")
        let (edition, _, masked) = document.publicEdition()
        #expect(masked == 2 && edition.edition == .public)
        #expect(!edition.chapters[0].paragraphs[0].contains("13812345678"))
        #expect(edition.chapters[0].tables[0].rows[0].cells[0].value.text?.contains("370102199001011234") == false)
    }
}

@Suite struct `The timetable` {
    private func due(_ now: String) throws -> [String] {
        let timetable = ReportTimetable([.daily, .weekly, .monthly], at: try #require(DailyTime("08:00")))
        return timetable.due(at: try #require(ShanghaiTime.parse(now))).map {
            "\($0.kind.number(of: $0.period, topic: nil))\($0.isOverdue ? " overdue" : "")"
        }
    }

    @Test func `has a report from eight o'clock of the day after its period on`() throws {
        #expect(
            try due("2025-09-01T07:59:00+08:00").last == "M-2025-07 overdue", "August is not due before eight")
        #expect(
            try due("2025-09-01T08:00:00+08:00") == [
                "D-2025-08-29 overdue", "D-2025-08-30 overdue", "D-2025-08-31", "W-2025-W34 overdue", "W-2025-W35",
                "M-2025-07 overdue", "M-2025-08",
            ])
    }

    @Test func `waits six hours for nodes that are missing`() throws {
        #expect(try due("2025-09-01T13:59:00+08:00").last == "M-2025-08")
        #expect(try due("2025-09-01T14:00:00+08:00").last == "M-2025-08 overdue")
    }
}

// MARK: - Made-up answers

private let topology = Topology(
    name: "齐鲁演示", version: 1,
    nodes: [
        ("370000", "山东省", nil), ("370100", "济南市", "370000"), ("370200", "青岛市", "370000"),
        ("370300", "淄博市", "370000"), ("370102", "历下区", "370100"),
    ].map { code, name, parent in
        TopologyNode(id: node(code), name: name, parent: parent.map { node($0) }, region: code, endpoint: nil)
    })

private func questions(_ kind: ReportKind, _ period: CalendarPeriod) throws -> ReportQuestions {
    try ReportQuestions(kind, of: period, library: .builtIn, now: .max)
}

/// A report of answers that `groups` makes up: sums by the values of the dimensions.
private func document(
    _ kind: ReportKind, _ period: String, _ groups: (Analysis) throws -> [(key: [String?], sums: [Int64])]
) throws -> ReportDocument {
    let period = try kind.period(period)
    let questions = try questions(kind, period)
    let names = ReportNames(
        node: node("370000"), topology: topology, reference: .builtIn, day: period.days.upperBound - 1)
    var extras = TableExtras()
    extras.showsTotal = true
    var answers: [Analysis: ResultTable] = [:]
    for analysis in questions.analyses {
        var partial = PartialResult(for: analysis)
        for (key, sums) in try groups(analysis) {
            let empty = partial.emptyGroup.sums
            try partial.add(
                key: key.map { $0.map { ExactText($0) } },
                PartialResult.Group(
                    sums: sums + Array(repeating: 0, count: empty.count - sums.count), states: partial.emptyGroup.states
                ))
        }
        answers[analysis] = try partial.rolledUp(for: analysis, under: names).table(for: analysis, extras)
    }
    return ReportBuilder(questions, answers, names).document(
        of: node("370000"), named: "山东省", topic: nil, coverages: [])
}

/// 2,500 tickets: 1,200 of 济南, of which 200 of 历下, 800 of 青岛 and 500 of 淄博.
private var august: ReportDocument {
    get throws {
        try document(.monthly, "2025-08") { analysis in
            let month = analysis.from.map { CalendarPeriod(.month, containing: ShanghaiTime.dayNumber($0)).label }
            let complaints: Int64 = month == "2025-08" ? 1_200 : month == "2025-07" ? 1_000 : 1_500
            guard analysis.measures.first?.name == "count" else { return [] }
            switch analysis.dimensions.map(\.name) {
            case ["request_type"]: return [(["3"], [complaints]), (["1"], [1_300])]
            case ["origin"]:
                return [
                    (["370100"], [1_000]), (["370102"], [200]), (["370200"], [800]), (["370300"], [500]),
                ]
            case []: return [([], [2_500])]
            default: return []
            }
        }
    }
}

private func archived(_ document: ReportDocument) throws -> ArchivedReport {
    ArchivedReport(document, revision: 1, madeAt: 0, changes: [])
}
