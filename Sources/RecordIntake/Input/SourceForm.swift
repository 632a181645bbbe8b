import ConfigurationFiles

/// What a file turned out to be. People are told, because it was found out and can be said otherwise.
package struct SourceForm: Hashable, Sendable {
    package enum Kind: String, Sendable {
        case csv = "CSV"
        /// One object a line.
        case jsonLines = "JSON Lines"
        /// An array of objects, alone or inside of an object.
        case json = "JSON"
        /// Office Open XML.
        case xlsx
        /// Excel 97 to 2003.
        case xls
        /// A table of a web page, which many systems call `.xls`.
        case html = "HTML"
    }

    package var kind: Kind
    /// Of its text; nil for a workbook, which says it itself.
    package var encoding: TextEncoding?
    /// What separates the fields of CSV.
    package var delimiter: UInt8?
    /// The line, or row of the sheet, with the names of the columns.
    package var headerRow: Int?
    /// The sheet of a workbook.
    package var sheet: String?

    /// For instance `CSV, GB18030, separated by ;, header in line 3`.
    package var text: String {
        var parts = [kind.rawValue]
        if let encoding { parts.append(encoding.rawValue) }
        if let sheet { parts.append("sheet \(sheet)") }
        if let delimiterName { parts.append("separated by \(delimiterName)") }
        if let headerRow { parts.append("header in \(kind == .csv ? "line" : "row") \(headerRow)") }
        return parts.joined(separator: ", ")
    }

    private var delimiterName: String? {
        switch delimiter {
        case 0x2C: "comma"
        case 0x09: "tab"
        case 0x3B: "semicolon"
        case 0x7C: "pipe"
        case let other?: String(UnicodeScalar(other))
        case nil: nil
        }
    }
}
