import FederationModel
import LogicalQuery

/// A report as a value: everything that is printed of it in any format. The same data make the same value, and it the same bytes; when it
/// was made stands beside it in the archive.
package struct ReportDocument: Hashable, Sendable, Codable {
    package var number: String
    package var kind: ReportKind
    package var title: String
    /// Who makes it.
    package var node: String
    package var nodeName: String
    /// The label of the period, and its ends as RFC 3339; `to` is the first time after it.
    package var period: String
    package var from: String
    package var to: String
    package var edition: ReportEdition
    package var chapters: [Chapter]

    package init(
        number: String, kind: ReportKind, title: String, node: String, nodeName: String, period: String, from: String,
        to: String, edition: ReportEdition, chapters: [Chapter]
    ) {
        self.number = number
        self.kind = kind
        self.title = title
        self.node = node
        self.nodeName = nodeName
        self.period = period
        self.from = from
        self.to = to
        self.edition = edition
        self.chapters = chapters
    }

    package struct Chapter: Hashable, Sendable, Codable {
        package var id: String
        package var title: String
        package var paragraphs: [String]
        package var tables: [Table]

        package init(_ id: String, _ title: String, paragraphs: [String] = [], tables: [Table] = []) {
            self.id = id
            self.title = title
            self.paragraphs = paragraphs
            self.tables = tables
        }
    }

    package struct Table: Hashable, Sendable, Codable {
        package var id: String
        package var title: String
        package var columns: [Column]
        package var rows: [Row]
        /// Whether the last row is the sum of the others.
        package var hasTotal: Bool
        package var chart: Chart?

        package init(
            _ id: String, _ title: String, columns: [Column], rows: [Row], hasTotal: Bool = false, chart: Chart? = nil
        ) {
            self.id = id
            self.title = title
            self.columns = columns
            self.rows = rows
            self.hasTotal = hasTotal
            self.chart = chart
        }
    }

    package struct Column: Hashable, Sendable, Codable {
        package var id: String
        package var title: String
        package var format: Format

        package init(_ id: String, _ title: String, _ format: Format) {
            self.id = id
            self.title = title
            self.format = format
        }
    }

    /// How a number is printed.
    package enum Format: String, Hashable, Sendable, Codable {
        case text
        case whole
        case percent
        /// Percentage points.
        case points
        case decimal
    }

    package struct Row: Hashable, Sendable, Codable {
        /// What it is about, for programs: a code, the name of an indicator.
        package var key: String
        package var cells: [Cell]

        package init(_ key: String, _ cells: [Cell]) {
            self.key = key
            self.cells = cells
        }
    }

    package struct Cell: Hashable, Sendable, Codable {
        package var value: FieldValue
        /// Numerator and denominator of a rate, in pairs.
        package var parts: [Int64]?
        /// What it counts in the format of the column, where the rows of a table have formats of their own.
        package var format: Format?

        package init(_ value: FieldValue, parts: [Int64]? = nil, format: Format? = nil) {
            self.value = value
            self.parts = parts
            self.format = format
        }

        package static func text(_ text: String) -> Cell { Cell(.text(text)) }
    }

    /// What of a table is drawn: the numbers of one column, by the first.
    package struct Chart: Hashable, Sendable, Codable {
        package enum Shape: String, Hashable, Sendable, Codable {
            case bars
            case line
        }

        package var shape: Shape
        package var column: String

        package init(_ shape: Shape, column: String) {
            self.shape = shape
            self.column = column
        }
    }
}

extension ReportDocument.Format {
    /// A number as people read it; `–` for n/a.
    package func text(_ value: FieldValue) -> String {
        switch value {
        case .null: "–"
        case .text(let text): text
        case .integer(let integer) where self == .whole || self == .text: "\(integer)"
        default: decimal(value.number ?? 0) + (self == .percent ? "%" : "")
        }
    }

    /// Two decimals: no figure of a report has more.
    private func decimal(_ number: Double) -> String {
        let hundredths = (number.magnitude * 100).rounded()
        guard hundredths < 1e15 else { return "\(number)" }
        let whole = Int64(hundredths)
        let rest = whole % 100
        return "\(number < 0 && whole > 0 ? "-" : "")\(whole / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

extension ReportDocument.Cell {
    package func text(_ column: ReportDocument.Column) -> String { (format ?? column.format).text(value) }
}
