import ArgumentParser
import FederationModel
import LogicalQuery
import NodeDesk

struct QueryRows: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rows", abstract: "Show a page of rows of a resource over everything below this node.",
        discussion: """
            Rows that were copied here are read here. A node whose rows stay where they are is asked, and answers if its \
            policy says `row-queries: true` for the resource; else it is named as denied. Its rows are shown, not stored, \
            and both nodes log the question (`query log`).

            Personal fields are masked, and sensitive ones left out; nobody can select by them. Rows are in the order of \
            origin and key. A page that is not the last one names where the next begins: --after.

            Columns are those of `resource show`. --where takes `origin` and every column that is neither personal nor a \
            time; --from and --to select by the time of the event.

            EXAMPLE
              federation-node query rows --resource service_request --where origin=370300 --where channel=01 \\
                --columns service_request_id,requested_datetime,title --limit 20
            """)

    @OptionGroup var node: NodeOptions

    @Option(help: "The resource whose rows are wanted.")
    var resource = BuiltInResources.serviceRequest.name.text

    @Option(help: "Names of columns, with commas; else all of them.")
    var columns: String?

    @Option(name: .customLong("where"), help: "FIELD=VALUE[,VALUE], FIELD!=VALUE or FIELD^=PREFIX; may be repeated.")
    var filters: [String] = []

    @Option(help: "Rows of then or later: 2025-09-30, or RFC 3339.")
    var from: String?

    @Option(help: "Rows of before then.")
    var to: String?

    @Option(help: "Rows of a page, 1 to 1000.")
    var limit = 50

    @Option(help: "Go on behind this row: ORIGIN/KEY, as the page before names it.")
    var after: String?

    @OptionGroup var answering: AnswerOptions

    func run() async throws {
        let desk = try node.desk()
        let answer = try await desk.ask(
            try question(), allowsStale: answering.allowStale, deadlineMS: Int64(answering.deadline))
        let (query, coverage, language) = (answer.query, answer.coverage, answering.lang)
        let shows = coverage.complete || answering.bestEffort
        // Without rows there is nothing to go on behind: the same page must be asked for again.
        let page = Page(query: query, rows: shows ? answer.rows : [], next: shows ? answer.next : nil)
        switch answering.output {
        case .json:
            try Output.json(
                Report(
                    resource: query.resource.name.text, columns: page.header, rows: page.rows.map(page.cells),
                    next: page.nextText, coverage: CoverageReport(coverage, withheld: answer.withheld)))
        case .csv:
            let header = page.header.map { FieldValue.text($0) }
            try Output.csv([header] + page.rows.map(page.cells), isSafe: answering.spreadsheetSafe)
            Output.note(coverage.text(in: language))
            if let next = page.nextText { Output.note("--after \(next)") }
        case .xlsx:
            if shows {
                let rows = page.rows.map { page.cells($0).map { Workbook.Cell($0) } }
                try answering.write([
                    .init(name: language("明细", "rows"), rows: [page.header.map { .heading($0) }] + rows),
                    coverage.sheet([], language),
                ])
            }
            Output.note(coverage.text(in: language))
            if let next = page.nextText { Output.note("--after \(next)") }
        case .table:
            if shows { try Output.line(page.text(language, desk)) }
            try Output.line(coverage.text(in: language))
            if let next = page.nextText { try Output.line("\(language("下一页", "next page")) --after \(next.printable)") }
        }
        if !coverage.complete { throw ExitStatus.incomplete }
    }

    private func question() throws -> RowQuestion {
        var question = RowQuestion(resource: resource)
        question.columns = columns?.split(separator: ",").map(String.init)
        question.filters = filters
        question.from = try from.map { try parseTime($0) }
        question.to = try to.map { try parseTime($0) }
        question.limit = limit
        question.after = try after.map { text in
            let parts = text.unicodeScalars.split(separator: "/", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw ValidationError("--after \(text) is not ORIGIN/KEY") }
            return RowKey(origin: parts[0], key: parts[1])
        }
        return question
    }

    private struct Report: Encodable {
        let resource: String
        let columns: [String]
        let rows: [[FieldValue]]
        /// What `after` of the next page is.
        let next: String?
        let coverage: CoverageReport
    }
}

/// A page as it is printed: origin and key, then the columns.
private struct Page {
    let query: RowQuery
    let rows: [RowAnswer.Row]
    let next: RowKey?

    /// Longest cell of a table, in columns of the terminal.
    private static let widthMax = 32

    var header: [String] { ["origin", "key"] + query.columns.map(\.name) }

    var nextText: String? { next.map { "\($0.origin)/\($0.key)" } }

    /// Times as in all JSON of this program.
    func cells(_ row: RowAnswer.Row) -> [FieldValue] {
        [.text(row.id.origin), .text(row.id.key)]
            + zip(query.columns, row.cells).map { column, cell in
                if column.type == .timestamp, case .integer(let time) = cell {
                    return .text(ShanghaiTime.rfc3339(time))
                }
                return cell
            }
    }

    /// Without the columns that no row has a value in, and with long texts cut.
    func text(_ language: Language, _ desk: NodeDesk) -> String {
        let shown = query.columns.indices.filter { index in rows.contains { $0.cells[index] != .null } }
        var table = TextTable(
            header: [language("来源", "origin"), language("键", "key")]
                + shown.map { language(query.columns[$0].title, query.columns[$0].name.replacing("_", with: " ")) })
        for row in rows {
            let origin = NodeID(row.id.origin).flatMap { desk.topology.node($0)?.name } ?? ""
            table.append(
                ["\(row.id.origin) \(origin)", row.id.key.printable]
                    + shown.map { Self.cut(text(row.cells[$0], of: query.columns[$0], language, desk).printable) })
        }
        return table.text
    }

    private func text(_ cell: FieldValue, of column: ColumnDefinition, _ language: Language, _ desk: NodeDesk) -> String
    {
        switch (cell, column.type) {
        case (.integer(let time), .timestamp): ShanghaiTime.second(time)
        case (.integer(let flag), .boolean): flag == 1 ? language("是", "yes") : language("否", "no")
        case (.text(let code), _):
            column.codeList.flatMap { desk.reference.lists.named($0)?.title(of: code, in: language) } ?? code
        default: cell.shown
        }
    }

    private static func cut(_ text: String) -> String {
        if TextTable.width(text) <= widthMax { return text }
        var width = 0
        return String(
            text.prefix { character in
                width += TextTable.width(String(character))
                return width < widthMax
            }) + "…"
    }
}
