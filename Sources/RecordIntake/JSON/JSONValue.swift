import FederationModel

/// One value of a JSON text. Numbers stay as they are written, so nothing is rounded that only passes through.
package enum JSONValue: Hashable, Sendable {
    package struct Member: Hashable, Sendable {
        package let name: String
        package let value: JSONValue
    }

    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    /// In the order in which they are written; no name occurs twice.
    case object([Member])

    /// Its one compact spelling, names sorted: equal values have equal texts, so handing in a value again changes nothing.
    package var text: String {
        var json = ""
        append(to: &json)
        return json
    }

    private func append(to json: inout String) {
        switch self {
        case .null: json += "null"
        case .bool(let bool): json += bool ? "true" : "false"
        case .number(let number): json += number
        case .string(let string): appendJSONString(string, to: &json)
        case .array(let values):
            json += "["
            for (index, value) in values.enumerated() {
                if index > 0 { json += "," }
                value.append(to: &json)
            }
            json += "]"
        case .object(let members):
            json += "{"
            for (index, member) in members.sorted(by: { $0.name.precedes($1.name) }).enumerated() {
                if index > 0 { json += "," }
                appendJSONString(member.name, to: &json)
                json += ":"
                member.value.append(to: &json)
            }
            json += "}"
        }
    }
}

/// Why bytes are no JSON value that this node takes. It says which rule, never a value.
package enum JSONFault: Error, Hashable, Sendable {
    case syntax
    /// Deeper than `JSONParser.depthMax`.
    case tooDeep
    /// One object has a name twice: which value is meant nobody knows (RFC 8259, section 4).
    case duplicateName
    /// A text is not UTF-8, or escapes half of a surrogate pair.
    case encoding
    case nulCharacter
    /// More than `JSONParser.numberBytesMax` characters.
    case longNumber

    package var reason: String {
        switch self {
        case .syntax: "is not JSON"
        case .tooDeep: "is nested more than \(JSONParser.depthMax) deep"
        case .duplicateName: "has an object with one name twice"
        case .encoding: "holds a text that is not UTF-8"
        case .nulCharacter: "holds a NUL character"
        case .longNumber: "holds a number of more than \(JSONParser.numberBytesMax) characters"
        }
    }
}

/// Reads one JSON text (RFC 8259) of untrusted bytes, strictly: what other parsers take in different ways is refused.
///
/// Foundation's parser takes the last of two equal names, and decoding into an enum of all types takes ten times as long.
package struct JSONParser {
    /// Records are flat and `ext` seldom has more than two levels; the bound keeps the stack small.
    package static let depthMax = 32
    /// No number that means something has more digits.
    package static let numberBytesMax = 64

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    /// - Throws: `JSONFault`, also when something stands behind the value.
    package static func parse(_ bytes: ArraySlice<UInt8>) throws(JSONFault) -> JSONValue {
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<JSONValue, JSONFault> in
            var parser = JSONParser(bytes: buffer)
            do throws(JSONFault) {
                return .success(try parser.document())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private mutating func document() throws(JSONFault) -> JSONValue {
        let value = try value(depth: 1)
        skipBlanks()
        if position < bytes.count { throw .syntax }
        return value
    }

    private mutating func value(depth: Int) throws(JSONFault) -> JSONValue {
        skipBlanks()
        switch peek {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return .object(try members(depth: depth))
        case UInt8(ascii: "["): return .array(try elements(depth: depth))
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    // MARK: - Objects and arrays

    private mutating func members(depth: Int) throws(JSONFault) -> [JSONValue.Member] {
        if depth > Self.depthMax { throw .tooDeep }
        position += 1
        var members: [JSONValue.Member] = []
        skipBlanks()
        if take(UInt8(ascii: "}")) { return members }
        var names = NamesOfObject()
        repeat {
            skipBlanks()
            guard peek == UInt8(ascii: "\"") else { throw .syntax }
            let name = try string()
            guard names.insert(name, among: members) else { throw .duplicateName }
            skipBlanks()
            guard take(UInt8(ascii: ":")) else { throw .syntax }
            members.append(.init(name: name, value: try value(depth: depth + 1)))
            skipBlanks()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw .syntax }
        return members
    }

    private mutating func elements(depth: Int) throws(JSONFault) -> [JSONValue] {
        if depth > Self.depthMax { throw .tooDeep }
        position += 1
        var elements: [JSONValue] = []
        skipBlanks()
        if take(UInt8(ascii: "]")) { return elements }
        repeat {
            elements.append(try value(depth: depth + 1))
            skipBlanks()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw .syntax }
        return elements
    }

    // MARK: - Strings

    private mutating func string() throws(JSONFault) -> String {
        position += 1
        let start = position
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if take(UInt8(ascii: "\"")) {
            return try Self.text(UnsafeBufferPointer(rebasing: bytes[start..<position - 1]).span)
        }
        return try escapedString(from: start)
    }

    private mutating func escapedString(from start: Int) throws(JSONFault) -> String {
        var text = Array(bytes[start..<position])
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                return try Self.text(text.span)
            case UInt8(ascii: "\\"): text += try escape()
            case 0..<0x20: throw byte == 0 ? .nulCharacter : .syntax
            default: text.append(byte)
            }
        }
        throw .syntax
    }

    /// By way of a `UTF8Span`: `String(validating:as:)` is generic in the library and takes three times as long.
    private static func text(_ bytes: Span<UInt8>) throws(JSONFault) -> String {
        do {
            return String(copying: try UTF8Span(validating: bytes))
        } catch {
            throw .encoding
        }
    }

    private mutating func escape() throws(JSONFault) -> [UInt8] {
        guard let letter = peek else { throw .syntax }
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [letter]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xd800..<0xdc00).contains(code) {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw .encoding }
                let low = try hexadecimal()
                guard (0xdc00..<0xe000).contains(low) else { throw .encoding }
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            if code == 0 { throw .nulCharacter }
            guard let scalar = Unicode.Scalar(code) else { throw .encoding }
            return Array(UTF8.encode(scalar) ?? .init())
        default: throw .syntax
        }
    }

    private mutating func hexadecimal() throws(JSONFault) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = peek.flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else { throw .syntax }
            position += 1
            code = code << 4 + UInt32(digit)
        }
        return code
    }

    // MARK: - Numbers and words

    private mutating func number() throws(JSONFault) -> String {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        guard position - start <= Self.numberBytesMax else { throw .longNumber }
        return String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
    }

    private mutating func digits() throws(JSONFault) {
        let start = position
        while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
        if position == start { throw .syntax }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONFault) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount {
            guard take(word.utf8Start[index]) else { throw .syntax }
        }
        return value
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipBlanks() {
        while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }
}

/// The names of an object that were read, to notice one that comes twice.
///
/// The few of a record are held by hashes in a row: a set, which makes one from random bytes for each of them, was a fifth of reading
/// it. An object with many gets a set, or somebody could send one that takes minutes.
private struct NamesOfObject {
    private var hashes: [UInt64] = []
    private var many: Set<ExactText> = []

    private static let fewMax = 64

    /// - Parameter members: those read before.
    /// - Returns: whether none of them has the name.
    mutating func insert(_ name: String, among members: [JSONValue.Member]) -> Bool {
        guard members.count < Self.fewMax else {
            if many.isEmpty { many = Set(members.lazy.map { ExactText($0.name) }) }
            return many.insert(ExactText(name)).inserted
        }
        let hash = fnv1a64(name.utf8)
        if hashes.contains(hash), members.contains(where: { $0.name.isSame(as: name) }) { return false }
        hashes.append(hash)
        return true
    }
}
