import ConfigurationFiles
import FederationModel

/// Reads the objects of a JSON file row by row in constant memory: one a line (JSON Lines), or those of an array.
///
/// A key that an object lacks reads as empty, and keys that nobody asked for are passed over. Numbers, truth values and nested
/// values read as their JSON text. A malformed line of JSON Lines is refused alone; in an array an object is, as long as its
/// brackets match.
final class JSONRowReader: RowReader {
    private let input: TextInput
    private let shape: JSONShape
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false
    private var isDone = false
    private var values: [ExactText: JSONValue] = [:]
    private var nextLine = 1

    let header: [String]
    private let names: [ExactText]
    private(set) var rowNumber = 0
    private(set) var rowLine = 1
    var bytesRead: Int64 { input.bytesRead }
    var bytesTotal: Int64 { input.bytesTotal }

    /// - Throws: `E_IMPORT_READ`.
    init(_ input: TextInput, columns: [String]) throws {
        self.input = input
        header = columns
        names = columns.map { ExactText($0) }
        shape = JSONShape(input.head, isWhole: input.isWhole, names: Set(names))
        try refill()
        if case .elements(let start, _) = shape {
            nextLine += buffer[..<start].count { $0 == 0x0A }
            position = start
        }
    }

    var form: SourceForm { SourceForm(kind: shape == .lines ? .jsonLines : .json, encoding: input.encoding) }

    func next() throws -> RowStep? {
        guard let text = try shape == .lines ? nextFilledLine() : nextElement() else { return nil }
        rowNumber += 1
        values = [:]
        if text.count > CSVLimits.rowBytes { return .malformed(.tooLong) }
        do throws(JSONFault) {
            guard case .object(let members) = try JSONParser.parse(text) else { return .malformed(.notJSON) }
            for member in members { values[ExactText(member.name)] = member.value }
            return .row
        } catch {
            return .malformed(error == .encoding ? .encoding : .notJSON)
        }
    }

    func text(_ column: Int) -> String {
        switch values[names[column]] {
        case .string(var text): text.withUTF8 { String(decoding: trimmingBlanks($0), as: UTF8.self) }
        case .null, nil: ""
        case let value?: value.text
        }
    }

    /// The keys of the objects at the beginning of the file, in the order of their names: JSON says that the order in an
    /// object means nothing.
    func keys(rowsMax: Int) throws -> [String] {
        var keys: Set<ExactText> = []
        while rowNumber < rowsMax, try next() != nil, keys.count <= CSVLimits.columns { keys.formUnion(values.keys) }
        return keys.sorted().map(\.text)
    }

    // MARK: - Lines

    private func nextFilledLine() throws -> ArraySlice<UInt8>? {
        while let line = try nextLineBytes() {
            if !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return line }
        }
        return nil
    }

    /// The next line without its end; of one that is too long only as much as shows that it is.
    private func nextLineBytes() throws -> ArraySlice<UInt8>? {
        rowLine = nextLine
        var kept: ArraySlice<UInt8>?
        while true {
            if let end = buffer[position...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = kept ?? buffer[position..<end]
                position = end + 1
                nextLine += 1
                return line
            }
            if buffer.count - position > CSVLimits.rowBytes {
                kept = kept ?? buffer[position...]
                position = buffer.count
            }
            if isAtEnd {
                defer { position = buffer.count }
                return kept ?? (position < buffer.count ? buffer[position...] : nil)
            }
            try refill()
        }
    }

    // MARK: - Elements

    /// The next object of an array.
    ///
    /// - Throws: `E_IMPORT_READ` when the array ends in the middle, or its brackets don't match.
    private func nextElement() throws -> ArraySlice<UInt8>? {
        guard !isDone, case .elements(_, let isArray) = shape else { return nil }
        while true {
            let found = buffer.withUnsafeBufferPointer { bytes -> Range<Int>? in
                var scanner = JSONScanner(bytes)
                scanner.position = position
                scanner.skipBlanks()
                while scanner.peek == UInt8(ascii: ",") {
                    scanner.position += 1
                    scanner.skipBlanks()
                }
                let start = scanner.position
                if scanner.peek == UInt8(ascii: "]") { return start..<start }
                let isWhole = scanner.skipValue()
                if scanner.position == start, isWhole { return nil }
                return isWhole || isAtEnd && !isArray && start < bytes.count ? start..<scanner.position : nil
            }
            if let found, found.isEmpty {
                isDone = true
                return nil
            }
            if let found {
                nextLine += buffer[position..<found.lowerBound].count { $0 == 0x0A }
                rowLine = nextLine
                nextLine += buffer[found].count { $0 == 0x0A }
                position = found.upperBound
                return buffer[found]
            }
            if isAtEnd || buffer.count - position > CSVLimits.rowBytes {
                let rest = buffer[position...].contains { ![0x20, 0x09, 0x0A, 0x0D, 0x2C].contains($0) }
                isDone = true
                guard isArray || rest else { return nil }
                throw FederationError.damagedFile(
                    isAtEnd
                        ? "\(input.name) ends in the middle of its JSON array"
                        : "the brackets of \(input.name) don't match, or an object is longer than \(CSVLimits.rowBytes >> 20) MiB"
                )
            }
            try refill()
        }
    }

    private func refill() throws {
        buffer.removeFirst(position)
        position = 0
        var piece = [UInt8](repeating: 0, count: buffer.isEmpty ? 1 << 20 : 256 << 10)
        let count = try piece.withUnsafeMutableBytes { try input.read(into: $0) }
        isAtEnd = count == 0
        buffer += piece[..<count]
    }
}
