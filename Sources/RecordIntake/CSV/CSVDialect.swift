import ConfigurationFiles

/// How the fields of a text file are separated, and where its header is: found from its first rows.
struct CSVDialect: Hashable {
    var delimiter: UInt8
    /// The physical line on which the header begins, 1 for the first.
    var headerLine: Int

    /// Comma, tab, semicolon, pipe.
    static let delimiters: [UInt8] = [0x2C, 0x09, 0x3B, 0x7C]

    /// How many rows are looked at: titles, the header and some rows.
    private static let rowsMax = 60

    /// - Parameters:
    ///   - head: the beginning of the text.
    ///   - isWhole: whether it is all of it.
    ///   - format: what a person said of the file; it is not found out then.
    init(_ head: [UInt8], isWhole: Bool, format: SourceFormat) {
        var first = 1
        var given = format.delimiter
        if let declared = Self.declaredDelimiter(head) {
            first = 2
            given = given ?? declared
        }
        let lines = Self.text(head, from: first)
        var best: (delimiter: UInt8, agreeing: Int, width: Int, rows: [Row])?
        for delimiter in given.map({ [$0] }) ?? Self.delimiters {
            let rows = Self.rows(lines, delimiter: delimiter, firstLine: first, isWhole: isWhole)
            let (width, agreeing) = Self.width(of: rows)
            // A single column has no delimiter; the comma, which is asked first, stands for that.
            let weight = width > 1 ? agreeing : 0
            if best == nil || (weight, width) > (best?.agreeing ?? 0, best?.width ?? 0) && weight > 0 {
                best = (delimiter, weight, width, rows)
            }
        }
        delimiter = best?.delimiter ?? 0x2C
        let rows = best?.rows ?? []
        let header = HeaderSearch.index(of: rows.map { ($0.fields, $0.filled, $0.hasValue) })
        headerLine = format.headerRow ?? header.map { rows[$0].line } ?? first
    }

    /// What the first line `sep=;` of a spreadsheet program says.
    private static func declaredDelimiter(_ head: [UInt8]) -> UInt8? {
        let line = head.prefix { $0 != 0x0A && $0 != 0x0D }
        let bare = line.first == 0x22 && line.last == 0x22 ? line.dropFirst().dropLast() : line
        let word = bare.prefix(4)
        guard word.count == 4, word.last == UInt8(ascii: "="),
            word.dropLast().map({ $0 | 0x20 }).elementsEqual("sep".utf8)
        else { return nil }
        let sign = bare.dropFirst(4)
        // Some programs write the tab as its name.
        if sign.elementsEqual("\\t".utf8) || sign.elementsEqual("tab".utf8) { return 0x09 }
        return sign.count == 1 ? sign.first : nil
    }

    private static func text(_ head: [UInt8], from line: Int) -> ArraySlice<UInt8> {
        guard line == 2 else { return head[...] }
        guard let end = head.firstIndex(of: 0x0A) else { return [] }
        return head[(end + 1)...]
    }

    private struct Row {
        let line: Int
        var fields = 0
        var filled = 0
        /// Whether one of its fields is no name (`HeaderSearch.isValue`).
        var hasValue = false
    }

    /// The rows of a text, as far as they are whole.
    private static func rows(_ text: ArraySlice<UInt8>, delimiter: UInt8, firstLine: Int, isWhole: Bool) -> [Row] {
        text.withUnsafeBufferPointer { text in
            var rows: [Row] = []
            var line = firstLine
            var row = Row(line: line)
            var position = 0
            while position < text.count, rows.count < rowsMax {
                var isFilled = false
                let start = position
                if text[position] == 0x22 {
                    position += 1
                    while position < text.count {
                        if text[position] == 0x22 {
                            guard position + 1 < text.count, text[position + 1] == 0x22 else { break }
                            position += 1
                        } else if text[position] == 0x0A {
                            line += 1
                        }
                        isFilled = isFilled || text[position] > 0x20
                        position += 1
                    }
                    // A quote that is never closed makes the rest one field, which says nothing.
                    if position >= text.count { return rows }
                    position += 1
                }
                while position < text.count, text[position] != delimiter, text[position] != 0x0A {
                    isFilled = isFilled || text[position] > 0x20
                    position += 1
                }
                row.fields += 1
                row.filled += isFilled ? 1 : 0
                row.hasValue = row.hasValue || HeaderSearch.isValue(text[start..<position])
                let isAtEnd = position == text.count
                if isAtEnd && !isWhole { return rows }
                if isAtEnd || text[position] == 0x0A {
                    if row.fields > 1 || row.filled > 0 { rows.append(row) }
                    line += 1
                    row = Row(line: line)
                }
                position += 1
            }
            return rows
        }
    }

    /// The number of columns that most rows have, the larger of two that are as frequent, and how many rows have it.
    private static func width(of rows: [Row]) -> (width: Int, rows: Int) {
        var counts: [Int: Int] = [:]
        for row in rows { counts[row.fields, default: 0] += 1 }
        let most = counts.max { ($0.value, $0.key) < ($1.value, $1.key) }
        return (most?.key ?? 0, most?.value ?? 0)
    }
}

/// Where the header is, below what people write above a table: a title, a date of printing, groups of columns.
package enum HeaderSearch {
    /// How many rows above a header are looked at.
    static let rowsMax = 30

    /// Digits that no name of a column has, but a time, a telephone number or the number of a ticket.
    private static let digitsMin = 8

    /// Whether a text is no name of a column.
    package static func isValue(_ text: some Sequence<UInt8>) -> Bool {
        text.count { (0x30...0x39).contains($0) } >= digitsMin
    }

    /// The first row of which three of five columns are filled, all of them by what may be names; where there is none, whatever they are
    /// filled by, and else the first row of all.
    static func index(of rows: [(fields: Int, filled: Int, hasValue: Bool)]) -> Int? {
        var counts: [Int: Int] = [:]
        for row in rows where row.filled > 0 { counts[row.fields, default: 0] += 1 }
        guard let width = counts.max(by: { ($0.value, $0.key) < ($1.value, $1.key) })?.key else { return nil }
        let wide = rows.prefix(rowsMax).indices.filter { rows[$0].filled > 0 && rows[$0].filled * 5 >= width * 3 }
        return wide.first { !rows[$0].hasValue } ?? wide.first ?? rows.firstIndex { $0.filled > 0 }
    }
}
