import FederationModel
import LogicalQuery

/// A revision of a report, ready to be printed.
package struct ArchivedReport: Hashable, Sendable {
    package let document: ReportDocument
    /// Counted from 1.
    package let revision: Int
    package let madeAt: UnixMilliseconds
    /// What differs from the revision before; empty of the first.
    package let changes: [ReportChange]

    package init(_ document: ReportDocument, revision: Int, madeAt: UnixMilliseconds, changes: [ReportChange]) {
        self.document = document
        self.revision = revision
        self.madeAt = madeAt
        self.changes = changes
    }
}

/// What a template can name; `docs/reports.md` lists it. Everything is a text already.
struct ReportPage {
    let title: String
    let number: String
    let revision: String
    let edition: String
    let kind: String
    let node: String
    let period: String
    let made: String
    let isRevised: Bool
    let chapters: [Chapter]
    let changes: [Change]

    struct Chapter {
        let number: String
        let title: String
        let paragraphs: [String]
        let tables: [Table]
    }

    struct Table {
        let title: String
        let columns: [Cell]
        /// Markdown's line below the header.
        let rule: String
        let rows: [Row]
        let chart: String
        let hasChart: Bool
    }

    struct Row {
        let cells: [Cell]
        let isTotal: Bool
    }

    struct Cell {
        let text: String
        let isNumber: Bool
    }

    struct Change {
        let place: String
        let before: String
        let after: String
        let delta: String
    }

    /// - Parameter plain: what makes a text one of the format.
    init(_ report: ArchivedReport, plain: (String) -> String) {
        let document = report.document
        title = plain(document.title)
        number = plain(document.number)
        revision = "\(report.revision)"
        edition = document.edition.title
        kind = document.kind.title
        node = plain("\(document.nodeName)(\(document.node))")
        period =
            (CalendarPeriod.Unit.allCases.lazy.compactMap { CalendarPeriod($0, document.period) }.first?.title)
            ?? document.period
        made = ShanghaiTime.minute(report.madeAt)
        isRevised = report.revision > 1
        chapters = document.chapters.enumerated().map { index, chapter in
            Chapter(
                number: "\(index + 1)", title: plain(chapter.title), paragraphs: chapter.paragraphs.map(plain),
                tables: chapter.tables.map { Table($0, plain) })
        }
        changes = report.changes.map { change in
            Change(
                place: plain(
                    [change.chapter, change.table, change.row, change.column].compactMap(\.self)
                        .filter { !$0.isEmpty }.reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
                        .joined(separator: " / ")),
                before: plain(change.before ?? "无"), after: plain(change.after ?? "无"), delta: change.delta ?? "")
        }
    }
}

extension ReportPage.Table {
    fileprivate init(_ table: ReportDocument.Table, _ plain: (String) -> String) {
        title = plain(table.title)
        columns = table.columns.map { .init(text: plain($0.title), isNumber: $0.format != .text) }
        rule = "|" + table.columns.map { $0.format == .text ? " --- |" : " ---: |" }.joined()
        rows = table.rows.enumerated().map { index, row in
            .init(
                cells: zip(table.columns, row.cells).map { column, cell in
                    .init(text: plain(cell.text(column)), isNumber: column.format != .text)
                }, isTotal: table.hasTotal && index == table.rows.count - 1)
        }
        chart = Self.drawing(of: table) ?? ""
        hasChart = !chart.isEmpty
    }

    private static func drawing(of table: ReportDocument.Table) -> String? {
        guard let chart = table.chart, let place = table.columns.firstIndex(where: { $0.id == chart.column }) else {
            return nil
        }
        let points = (table.hasTotal ? table.rows.dropLast() : table.rows[...]).compactMap { row in
            row.cells[place].value.number.map { (title: row.cells.first?.value.text ?? "", value: $0) }
        }
        return Drawing(points).svg(chart.shape)
    }
}
