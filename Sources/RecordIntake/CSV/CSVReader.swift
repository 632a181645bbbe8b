import ConfigurationFiles
import FederationModel
import Foundation

/// Limits on what is accepted of a CSV file, so that no file makes the reader grow.
package enum CSVLimits {
    /// Bytes of one field as written, quotes included. Ten times the longest text that a column takes.
    package static let fieldBytes = 1 << 20
    package static let columns = 1_000
    /// Bytes of one row; also the largest size of the read buffer.
    package static let rowBytes = 4 << 20
}

/// Reads a CSV file (RFC 4180) row by row in constant memory.
///
/// A row stays where it lies in the read buffer; `text(_:)` makes a String only of the columns that somebody asks for.
/// Differences from the RFC: `\n` alone ends a row too, blank lines are skipped, and a quote inside an unquoted field is an
/// ordinary character. A malformed row is reported and the reader goes on: after the row when its end is known, else on
/// the next line, so a stray quote costs one line and not the rest of the file.
package final class CSVReader: RowReader {
    private struct Field {
        var start: Int
        var end: Int
        var hasEscapes: Bool
    }

    private enum Scan {
        case row(end: Int, lineBreaks: Int)
        case incomplete
        case fault(SourceFault)
    }

    private let input: TextInput
    private let dialect: CSVDialect
    private let fillsShortRows: Bool
    private var buffer = [UInt8](repeating: 0, count: 1 << 20)
    /// The unread part of the buffer.
    private var start = 0
    private var end = 0
    private var isAtEnd = false
    private var fields: [Field] = []
    /// Columns of the row, counted on beyond the limit of `fields`.
    private var columnCount = 0
    private var nextLine = 1

    package private(set) var header: [String] = []
    /// 1 for the first row after the header.
    package private(set) var rowNumber = 0
    package private(set) var shortRows = 0
    /// The physical line on which the row begins, 1 for the first line of the file.
    package private(set) var rowLine = 1

    package var bytesRead: Int64 { input.bytesRead }
    package var bytesTotal: Int64 { input.bytesTotal }

    /// Opens a file of which it is known that it is CSV.
    ///
    /// - Throws: `E_IMPORT_READ`; `E_CSV_HEADER` when there is no usable header row.
    package convenience init(path: String, format: SourceFormat = SourceFormat()) throws {
        try self.init(TextInput(SourceBytes(path: path), encoding: format.encoding), format: format)
    }

    /// Reads the header of a text.
    ///
    /// - Throws: `E_IMPORT_READ`; `E_CSV_HEADER` when there is no usable header row.
    init(_ input: TextInput, format: SourceFormat) throws {
        self.input = input
        dialect = CSVDialect(input.head, isWhole: input.isWhole, format: format)
        fillsShortRows = format.fillsShortRows
        while nextLine < dialect.headerLine, try start < end || refill() { try skipLine() }
        let name = input.name
        switch try step(columns: nil) {
        case .row? where columnCount <= CSVLimits.columns:
            header = (0..<columnCount).map(text)
        case .row?:
            throw FederationError("E_CSV_HEADER", "\(name) has more than \(CSVLimits.columns) columns")
        case .malformed(.encoding)?, .malformed(.nulByte)?:
            throw FederationError(
                "E_CSV_HEADER", "the header of \(name), line \(rowLine), is not \(input.encoding.rawValue)",
                hint: "name the encoding (--encoding, or `encoding:` in the mapping), or convert the file to UTF-8")
        case .malformed(let fault)?:
            throw FederationError(
                "E_CSV_HEADER", "the header of \(name), line \(rowLine), is malformed: \(fault.reason)")
        case nil:
            throw FederationError(
                "E_CSV_HEADER",
                format.headerRow.map { "\(name) has no line \($0), which should name the columns" }
                    ?? "\(name) is empty",
                hint: "a row must name the columns")
        }
    }

    package var form: SourceForm {
        SourceForm(
            kind: .csv, encoding: input.encoding, delimiter: dialect.delimiter, headerRow: dialect.headerLine)
    }

    /// Goes to the next row; nil at the end of the file.
    ///
    /// - Throws: `E_IMPORT_READ` when the file is damaged from here on.
    package func next() throws -> RowStep? {
        while let step = try step(columns: header.count) {
            if step == .row, isBlank { continue }
            rowNumber += 1
            if step == .row, columnCount < header.count { shortRows += 1 }
            return step
        }
        return nil
    }

    /// Whether nothing stands in the row but what separates its columns, as spreadsheets write behind their last row.
    private var isBlank: Bool {
        buffer.withUnsafeBufferPointer { bytes in
            fields.allSatisfy { trimmingBlanks(UnsafeBufferPointer(rebasing: bytes[$0.start..<$0.end])).isEmpty }
        }
    }

    /// The text of one column of the row that `next()` found, without blanks around it.
    package func text(_ column: Int) -> String {
        guard column < fields.count else { return "" }
        let field = fields[column]
        return buffer.withUnsafeBufferPointer { bytes in
            let raw = UnsafeBufferPointer(rebasing: bytes[field.start..<field.end])
            guard field.hasEscapes else { return String(decoding: trimmingBlanks(raw), as: UTF8.self) }
            var unescaped: [UInt8] = []
            unescaped.reserveCapacity(raw.count)
            var index = 0
            while index < raw.count {
                unescaped.append(raw[index])
                index += raw[index] == quote ? 2 : 1
            }
            return unescaped.withUnsafeBufferPointer { String(decoding: trimmingBlanks($0), as: UTF8.self) }
        }
    }

    // MARK: - Rows

    private func step(columns: Int?) throws -> RowStep? {
        while true {
            try skipBlankLines()
            guard start < end else { return nil }
            rowLine = nextLine
            switch scan() {
            case .incomplete:
                if end - start < CSVLimits.rowBytes {
                    _ = try refill()
                } else {
                    try skipLine()
                    return .malformed(.tooLong)
                }
            case .fault(let fault):
                try skipLine()
                return .malformed(fault)
            case .row(let rowEnd, let lineBreaks):
                let fault = faultInBytes(start..<rowEnd)
                start = rowEnd
                nextLine += lineBreaks
                if let fault { return .malformed(fault) }
                let isWhole = columnCount == columns ?? columnCount || fillsShortRows && columnCount < (columns ?? 0)
                return isWhole ? .row : .malformed(.columnCount)
            }
        }
    }

    /// Finds the fields of the row that begins at `start`.
    private func scan() -> Scan {
        fields.removeAll(keepingCapacity: true)
        columnCount = 0
        let end = self.end
        let delimiter = dialect.delimiter
        return buffer.withUnsafeBufferPointer { bytes in
            var position = start
            var lineBreaks = 0
            while true {
                let fieldStart = position
                if position < end, bytes[position] == quote {
                    switch closingQuote(bytes, after: position) {
                    case .incomplete: return .incomplete
                    case .fault(let fault): return .fault(fault)
                    case .closed(let close, let hasEscapes):
                        lineBreaks += countLineBreaks(bytes, from: fieldStart, to: close)
                        add(Field(start: fieldStart + 1, end: close, hasEscapes: hasEscapes))
                        position = close + 1
                        if position < end, bytes[position] == carriageReturn { position += 1 }
                    }
                    if position < end, bytes[position] != delimiter, bytes[position] != newline {
                        return .fault(.unclosedQuote)
                    }
                } else {
                    while position < end, bytes[position] != delimiter, bytes[position] != newline { position += 1 }
                    let endsLine = position == end || bytes[position] == newline
                    let hasReturn = endsLine && position > fieldStart && bytes[position - 1] == carriageReturn
                    add(Field(start: fieldStart, end: hasReturn ? position - 1 : position, hasEscapes: false))
                }
                if position - fieldStart > CSVLimits.fieldBytes { return .fault(.tooLong) }
                if position == end { return isAtEnd ? .row(end: end, lineBreaks: lineBreaks + 1) : .incomplete }
                position += 1
                if bytes[position - 1] == newline { return .row(end: position, lineBreaks: lineBreaks + 1) }
            }
        }
    }

    private enum Quoted {
        case closed(at: Int, hasEscapes: Bool)
        case incomplete
        case fault(SourceFault)
    }

    private func closingQuote(_ bytes: UnsafeBufferPointer<UInt8>, after opening: Int) -> Quoted {
        var position = opening + 1
        var hasEscapes = false
        while let found = index(of: quote, in: bytes, from: position, to: end) {
            if found + 1 < end, bytes[found + 1] == quote {
                hasEscapes = true
                position = found + 2
            } else {
                return found + 1 < end || isAtEnd ? .closed(at: found, hasEscapes: hasEscapes) : .incomplete
            }
        }
        if end - opening > CSVLimits.fieldBytes { return .fault(.tooLong) }
        return isAtEnd ? .fault(.unclosedQuote) : .incomplete
    }

    private func add(_ field: Field) {
        columnCount += 1
        if columnCount <= CSVLimits.columns { fields.append(field) }
    }

    private func faultInBytes(_ range: Range<Int>) -> SourceFault? {
        buffer.withUnsafeBufferPointer { bytes in
            if index(of: 0, in: bytes, from: range.lowerBound, to: range.upperBound) != nil { return .nulByte }
            do {
                _ = try UTF8Span(validating: UnsafeBufferPointer(rebasing: bytes[range]).span)
                return nil
            } catch {
                return .encoding
            }
        }
    }

    // MARK: - Bytes

    private func index(of byte: UInt8, in bytes: UnsafeBufferPointer<UInt8>, from first: Int, to last: Int) -> Int? {
        guard first < last, let base = bytes.baseAddress, let found = memchr(base + first, Int32(byte), last - first)
        else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    private func countLineBreaks(_ bytes: UnsafeBufferPointer<UInt8>, from first: Int, to last: Int) -> Int {
        var count = 0
        var position = first
        while let found = index(of: newline, in: bytes, from: position, to: last) {
            count += 1
            position = found + 1
        }
        return count
    }

    private func skipBlankLines() throws {
        while true {
            if start == end, try !refill() { return }
            if buffer[start] == newline {
                start += 1
                nextLine += 1
            } else if buffer[start] == carriageReturn {
                if start + 1 == end { _ = try refill() }
                guard start + 1 < end, buffer[start + 1] == newline else { return }
                start += 1
            } else {
                return
            }
        }
    }

    private func skipLine() throws {
        nextLine += 1
        while true {
            if let found = buffer.withUnsafeBufferPointer({ index(of: newline, in: $0, from: start, to: end) }) {
                start = found + 1
                return
            }
            start = end
            if try !refill() { return }
        }
    }

    /// Moves the unread part to the front, makes the buffer larger if that part fills it, and reads on.
    ///
    /// - Returns: whether there was more.
    private func refill() throws -> Bool {
        if isAtEnd { return false }
        if start > 0 {
            buffer.withUnsafeMutableBufferPointer { bytes in
                guard let base = bytes.baseAddress else { return }
                memmove(base, base + start, end - start)
            }
            end -= start
            start = 0
        }
        if end == buffer.count { buffer.append(contentsOf: repeatElement(0, count: buffer.count)) }
        let unread = end
        let count = try buffer.withUnsafeMutableBytes {
            try input.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[unread...]))
        }
        end += count
        isAtEnd = count == 0
        return count > 0
    }
}

private let quote = UInt8(ascii: "\"")
private let newline = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
