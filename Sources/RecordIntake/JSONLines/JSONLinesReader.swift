import FederationModel

/// Reads JSON Lines (one object a line) row by row in constant memory.
///
/// The columns are those that the mapping names: a key that an object lacks reads as empty, and keys that nobody asked for
/// are passed over. Numbers, truth values and nested values read as their JSON text.
package final class JSONLinesReader: RowReader {
    private let input: any ByteInput
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false
    private var values: [ExactText: JSONValue] = [:]
    private var nextLine = 1

    package let header: [String]
    private let names: [ExactText]
    package private(set) var rowNumber = 0
    package private(set) var rowLine = 1
    package var bytesRead: Int64 { input.bytesRead }
    package var bytesTotal: Int64 { input.bytesTotal }

    /// - Throws: `E_IMPORT_READ`.
    package init(path: String, columns: [String]) throws {
        input = try openText(path: path)
        header = columns
        names = columns.map { ExactText($0) }
        try refill()
        if buffer.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// Whether a file is JSON Lines: its first character is the opening brace of an object.
    package static func accepts(path: String) throws -> Bool {
        let input = try openText(path: path)
        var start = [UInt8](repeating: 0, count: 4_096)
        let count = try start.withUnsafeMutableBytes { try input.read(into: $0) }
        let text = start[..<count].starts(with: [0xEF, 0xBB, 0xBF]) ? start[3..<count] : start[..<count]
        return text.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "{")
    }

    package func next() throws -> RowStep? {
        while let line = try nextLineBytes() {
            let blank = line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
            if blank { continue }
            rowNumber += 1
            return step(line)
        }
        return nil
    }

    package func text(_ column: Int) -> String {
        switch values[names[column]] {
        case .string(var text): text.withUTF8 { String(decoding: trimmingBlanks($0), as: UTF8.self) }
        case .null, nil: ""
        case let value?: value.text
        }
    }

    private func step(_ line: ArraySlice<UInt8>) -> RowStep {
        values = [:]
        if line.count > CSVLimits.rowBytes { return .malformed(.tooLong) }
        do throws(JSONFault) {
            guard case .object(let members) = try JSONParser.parse(line) else { return .malformed(.notJSON) }
            for member in members { values[ExactText(member.name)] = member.value }
            return .row
        } catch {
            return .malformed(error == .encoding ? .encoding : .notJSON)
        }
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

    private func refill() throws {
        buffer.removeFirst(position)
        position = 0
        var piece = [UInt8](repeating: 0, count: 256 << 10)
        let count = try piece.withUnsafeMutableBytes { try input.read(into: $0) }
        isAtEnd = count == 0
        buffer += piece[..<count]
    }
}

extension JSONLinesReader {
    /// The keys of the objects of a file, in the order of their names: JSON says that the order in an object means nothing.
    ///
    /// - Parameter rowsMax: how many objects are looked at.
    /// - Throws: `E_IMPORT_READ`.
    package static func columns(path: String, rowsMax: Int) throws -> [String] {
        let reader = try JSONLinesReader(path: path, columns: [])
        var keys: Set<ExactText> = []
        while reader.rowNumber < rowsMax, try reader.next() != nil, keys.count <= CSVLimits.columns {
            keys.formUnion(reader.keys)
        }
        return keys.sorted().map(\.text)
    }

    /// The keys of the row that `next()` found.
    private var keys: Dictionary<ExactText, JSONValue>.Keys { values.keys }
}
