import FederationModel
import LogicalQuery

/// What differs between two revisions of a report.
package struct ReportChange: Hashable, Sendable, Codable {
    package let chapter: String
    package let table: String
    /// What the row is about, as it is printed; nil for a paragraph.
    package let row: String?
    package let column: String?
    /// nil where there was no such row.
    package let before: String?
    package let after: String?
    /// How much a number has changed: `+12`.
    package let delta: String?
}

extension ReportDocument {
    /// What of this revision differs from an earlier one, cell by cell.
    package func changes(since former: ReportDocument) -> [ReportChange] {
        let before = former.figures
        let after = figures
        let formerByPlace = Dictionary(before.map { ($0.place, $0) }, uniquingKeysWith: { first, _ in first })
        let places = Set(after.map(\.place))
        let changed = after.compactMap { figure -> ReportChange? in
            let other = formerByPlace[figure.place]
            return other?.text == figure.text ? nil : figure.change(from: other?.text, other?.number, to: figure.text)
        }
        let gone = before.filter { !places.contains($0.place) }.map { $0.change(from: $0.text, nil, to: nil) }
        return changed + gone
    }

    /// Whether more has arrived since: what was taken in, by whom, or who answered differs. That a ticket was closed meanwhile is no late data.
    package func isLater(than former: ReportDocument) -> Bool {
        func volumes(_ document: ReportDocument) -> [String] {
            document.figures.filter { figure in
                let place = figure.place
                return switch place.table {
                case "overview": ["count", "call_count"].contains(place.row) && place.column == "value"
                case "origin": place.column == "count"
                case "coverage": true
                default: false
                }
            }.map(\.text)
        }
        return volumes(self) != volumes(former)
    }

    private struct Place: Hashable {
        let chapter: String
        let table: String
        let row: String
        let column: String
    }

    private struct Figure {
        let place: Place
        let chapter: String
        let table: String
        let row: String?
        let column: String?
        let text: String
        let number: Double?

        func change(from before: String?, _ number: Double?, to after: String?) -> ReportChange {
            var delta: String?
            if let now = self.number, let number, after != nil {
                let difference = now - number
                let format: Format = difference == difference.rounded() ? .whole : .decimal
                let value: FieldValue = format == .whole ? .integer(Int64(difference)) : .real(difference)
                delta = (difference > 0 ? "+" : "") + format.text(value)
            }
            return ReportChange(
                chapter: chapter, table: table, row: row, column: column, before: before, after: after, delta: delta)
        }
    }

    private var figures: [Figure] {
        chapters.flatMap { chapter -> [Figure] in
            let paragraphs = chapter.paragraphs.enumerated().map { index, text in
                Figure(
                    place: Place(chapter: chapter.id, table: "", row: "", column: "\(index)"), chapter: chapter.title,
                    table: "", row: nil, column: nil, text: text, number: nil)
            }
            let cells = chapter.tables.flatMap { table in
                table.rows.flatMap { row in
                    zip(table.columns, row.cells).dropFirst().map { column, cell in
                        Figure(
                            place: Place(chapter: chapter.id, table: table.id, row: row.key, column: column.id),
                            chapter: chapter.title, table: table.title,
                            row: zip(table.columns, row.cells).map { $1.text($0) }.first, column: column.title,
                            text: cell.text(column), number: cell.value.number)
                    }
                }
            }
            return (chapter.id == "overview" ? [] : paragraphs) + cells
        }
    }
}
