/// What a person says of how a file is written, in a mapping or on the command line. What is left out is found from the
/// file itself.
package struct SourceFormat: Hashable, Sendable {
    package var encoding: TextEncoding?
    /// What separates the fields of a text file.
    package var delimiter: UInt8?
    /// The line, of a sheet the row, on which the names of the columns are; 1 for the first.
    package var headerRow: Int?
    /// Name of the sheet of a workbook.
    package var sheet: String?
    /// Whether a row with fewer columns than the header has nothing in the others. Otherwise it is refused, because it may
    /// as well have been broken in two.
    package var fillsShortRows = false
    /// Words that stand for nothing, such as `NULL`.
    package var emptyWords: Set<String> = []

    package init() {}

    /// The same, but for what `other` says.
    package func overridden(by other: SourceFormat) -> SourceFormat {
        var format = self
        format.encoding = other.encoding ?? encoding
        format.delimiter = other.delimiter ?? delimiter
        format.headerRow = other.headerRow ?? headerRow
        format.sheet = other.sheet ?? sheet
        format.fillsShortRows = fillsShortRows || other.fillsShortRows
        format.emptyWords = emptyWords.union(other.emptyWords)
        return format
    }
}

extension SourceFormat {
    package static let delimiterHint = "such as ; or tab"

    /// Reads a delimiter as a person writes it; nil unless it is one ASCII character that is no letter, digit, quote or line
    /// end.
    package static func delimiter(_ text: String) -> UInt8? {
        let names: [String: UInt8] = ["tab": 0x09, "\\t": 0x09, "comma": 0x2C, "semicolon": 0x3B, "pipe": 0x7C]
        if let byte = names[text] { return byte }
        guard text.utf8.count == 1, let byte = text.utf8.first, byte == 0x09 || (0x20..<0x7F).contains(byte),
            !Character(UnicodeScalar(byte)).isLetter, !Character(UnicodeScalar(byte)).isNumber, byte != 0x22
        else { return nil }
        return byte
    }
}
