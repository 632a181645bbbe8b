/// Why a row of a file could not be taken apart.
package enum SourceFault: String, Sendable {
    case columnCount = "E_CSV_COLUMNS"
    case unclosedQuote = "E_CSV_QUOTE"
    case encoding = "E_CSV_ENCODING"
    case nulByte = "E_CSV_NUL"
    case tooLong = "E_CSV_TOO_LONG"
    case notJSON = "E_JSON_LINE"
    case noResult = "E_SHEET_FORMULA"

    package var reason: String {
        switch self {
        case .columnCount:
            "the row does not have the header's columns: `short_rows: fill` takes rows that lack some at the end"
        case .unclosedQuote: "a quote is never closed, or text follows a closing quote"
        case .encoding: "the row is not in the encoding of the file"
        case .nulByte: "the row holds a NUL byte"
        case .tooLong: "a field or the row is longer than the limit; perhaps a quote is never closed"
        case .notJSON: "it is not one JSON object"
        case .noResult: "a cell is a formula without its result; open the file in a spreadsheet program and save it"
        }
    }
}

/// What a reader came upon.
package enum RowStep: Hashable, Sendable {
    case row
    case malformed(SourceFault)
}

/// Goes through the rows of a file in constant memory. A malformed row is reported, and the reader goes on.
package protocol RowReader: AnyObject {
    /// What the file turned out to be.
    var form: SourceForm { get }
    /// Names of the columns.
    var header: [String] { get }
    /// 1 for the first row.
    var rowNumber: Int { get }
    /// The physical line on which the row begins, 1 for the first line of the file.
    var rowLine: Int { get }
    var bytesRead: Int64 { get }
    var bytesTotal: Int64 { get }

    /// Rows so far that lack columns at their end and were taken all the same (`SourceFormat.fillsShortRows`).
    var shortRows: Int { get }

    /// Goes to the next row; nil at the end of the file.
    ///
    /// - Throws: `E_IMPORT_READ` when the file is damaged from here on.
    func next() throws -> RowStep?

    /// The text of one column of the row that `next()` found, without blanks around it; empty for a column that a short row
    /// lacks.
    func text(_ column: Int) -> String
}

extension RowReader {
    package var shortRows: Int { 0 }
}
