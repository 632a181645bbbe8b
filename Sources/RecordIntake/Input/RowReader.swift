/// Why a row of a file could not be taken apart.
package enum SourceFault: String, Sendable {
    case columnCount = "E_CSV_COLUMNS"
    case unclosedQuote = "E_CSV_QUOTE"
    case encoding = "E_CSV_ENCODING"
    case nulByte = "E_CSV_NUL"
    case tooLong = "E_CSV_TOO_LONG"
    case notJSON = "E_JSON_LINE"

    var reason: String {
        switch self {
        case .columnCount: "the row has another number of columns than the header"
        case .unclosedQuote: "a quote is never closed, or text follows a closing quote"
        case .encoding: "the row is not UTF-8"
        case .nulByte: "the row holds a NUL byte"
        case .tooLong: "a field or the row is longer than the limit; perhaps a quote is never closed"
        case .notJSON: "the line is not one JSON object"
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
    /// Names of the columns.
    var header: [String] { get }
    /// 1 for the first row.
    var rowNumber: Int { get }
    /// The physical line on which the row begins, 1 for the first line of the file.
    var rowLine: Int { get }
    var bytesRead: Int64 { get }
    var bytesTotal: Int64 { get }

    /// Goes to the next row; nil at the end of the file.
    ///
    /// - Throws: `E_IMPORT_READ` when the file is damaged from here on.
    func next() throws -> RowStep?

    /// The text of one column of the row that `next()` found, without blanks around it.
    func text(_ column: Int) -> String
}
