import FederationModel
import Foundation

/// Reads JSON Lines (one object a line) row by row in constant memory.
///
/// The columns are those that the mapping names: a key that an object lacks reads as empty, and keys that nobody asked for
/// are passed over. Numbers, truth values and nested values read as their JSON text.
package final class JSONLinesReader: RowReader {
    private enum Value: Codable {
        case null
        case bool(Bool)
        case integer(Int64)
        case real(Double)
        case text(String)
        case list([Value])
        case object([String: Value])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let bool = try? container.decode(Bool.self) {
                self = .bool(bool)
            } else if let integer = try? container.decode(Int64.self) {
                self = .integer(integer)
            } else if let real = try? container.decode(Double.self) {
                self = .real(real)
            } else if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if let list = try? container.decode([Value].self) {
                self = .list(list)
            } else {
                self = .object(try container.decode([String: Value].self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .null: try container.encodeNil()
            case .bool(let bool): try container.encode(bool)
            case .integer(let integer): try container.encode(integer)
            case .real(let real): try container.encode(real)
            case .text(let text): try container.encode(text)
            case .list(let list): try container.encode(list)
            case .object(let object): try container.encode(object)
            }
        }

        var text: String {
            switch self {
            case .null: return ""
            case .text(var text):
                return text.withUTF8 { String(decoding: trimmingBlanks($0), as: UTF8.self) }
            default:
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
            }
        }
    }

    private let input: any ByteInput
    private let decoder = JSONDecoder()
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false
    private var values: [String: Value] = [:]
    private var nextLine = 1

    package let header: [String]
    package private(set) var rowNumber = 0
    package private(set) var rowLine = 1
    package var bytesRead: Int64 { input.bytesRead }
    package var bytesTotal: Int64 { input.bytesTotal }

    /// - Throws: `E_IMPORT_READ`.
    package init(path: String, columns: [String]) throws {
        input = try openText(path: path)
        header = columns
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

    package func text(_ column: Int) -> String { values[header[column]]?.text ?? "" }

    private func step(_ line: ArraySlice<UInt8>) -> RowStep {
        values = [:]
        if line.count > CSVLimits.rowBytes { return .malformed(.tooLong) }
        if String(validating: line, as: UTF8.self) == nil { return .malformed(.encoding) }
        guard let object = try? decoder.decode([String: Value].self, from: Data(line)) else {
            return .malformed(.notJSON)
        }
        values = object
        return .row
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
    static func columns(path: String, rowsMax: Int) throws -> [String] {
        let reader = try JSONLinesReader(path: path, columns: [])
        var keys: Set<String> = []
        while reader.rowNumber < rowsMax, try reader.next() != nil, keys.count <= CSVLimits.columns {
            keys.formUnion(reader.keys)
        }
        return keys.sorted()
    }

    /// The keys of the row that `next()` found.
    private var keys: Dictionary<String, Value>.Keys { values.keys }
}
