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
        let header = HeaderSearch.index(of: rows.map { (fields: $0.fields, filled: $0.filled) })
        headerLine = format.headerRow ?? header.map { rows[$0].line } ?? first
    }

    /// What the first line `sep=;` of a spreadsheet program says.
    private static func declaredDelimiter(_ head: [UInt8]) -> UInt8? {
        let line = head.prefix { $0 != 0x0A && $0 != 0x0D }
        let bare = line.first == 0x22 && line.last == 0x22 ? line.dropFirst().dropLast() : line
        guard bare.count == 5, bare.dropLast().elementsEqual("sep=".utf8) || bare.dropLast().elementsEqual("SEP=".utf8)
        else { return nil }
        return bare.last
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
enum HeaderSearch {
    /// How many rows above a header are looked at.
    static let rowsMax = 30

    /// The first row of which three of five columns are filled; the first row of all when there is none.
    static func index(of rows: [(fields: Int, filled: Int)]) -> Int? {
        var counts: [Int: Int] = [:]
        for row in rows where row.filled > 0 { counts[row.fields, default: 0] += 1 }
        guard let width = counts.max(by: { ($0.value, $0.key) < ($1.value, $1.key) })?.key else { return nil }
        return rows.prefix(rowsMax).firstIndex { $0.filled > 0 && $0.filled * 5 >= width * 3 }
            ?? rows.firstIndex { $0.filled > 0 }
    }
}
