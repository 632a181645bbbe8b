import FederationModel

/// How the objects of a JSON file lie in it.
enum JSONShape: Hashable {
    /// One object a line.
    case lines
    /// Objects behind each other from this place on, with commas between them or not; `isArray` when a bracket must close.
    case elements(from: Int, isArray: Bool)

    /// Looks at the beginning of a text.
    ///
    /// Of several arrays of objects inside of an object the one is meant whose objects have most of the names that are asked
    /// for, else the longest. An object that has more of them itself is a row, whatever arrays it holds.
    ///
    /// - Parameter isWhole: whether it is all of it.
    init(_ head: [UInt8], isWhole: Bool, names: Set<ExactText>) {
        self = head.withUnsafeBufferPointer { bytes in
            var scanner = JSONScanner(bytes)
            scanner.skipBlanks()
            if scanner.peek == UInt8(ascii: "[") { return .elements(from: scanner.position + 1, isArray: true) }
            let start = scanner.position
            let end = scanner.skipValue() ? scanner.position : nil
            if let end {
                let isOnOneLine = !bytes[start..<end].contains(0x0A)
                scanner.skipBlanks()
                if scanner.peek == UInt8(ascii: "{") {
                    return isOnOneLine ? .lines : .elements(from: start, isArray: false)
                }
                if scanner.peek == UInt8(ascii: ",") { return .elements(from: start, isArray: false) }
            }
            var search = JSONArraySearch(bytes, names: names)
            search.walk(from: start)
            if let found = search.rows { return .elements(from: found, isArray: true) }
            return end != nil && isWhole ? .elements(from: start, isArray: false) : .lines
        }
    }
}

/// Walks over JSON text without making values of it.
struct JSONScanner {
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipBlanks() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    /// Goes behind a text in quotes.
    ///
    /// - Returns: whether it ends here; otherwise the position is the end of the bytes.
    mutating func skipString() -> Bool {
        position += 1
        while let byte = peek {
            position += 1
            if byte == UInt8(ascii: "\"") { return true }
            if byte == UInt8(ascii: "\\") { position += 1 }
        }
        position = bytes.count
        return false
    }

    /// Goes behind a value, whose brackets and quotes are counted and whose rest is not looked at.
    ///
    /// - Returns: whether it ends here.
    mutating func skipValue() -> Bool {
        var depth = 0
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""): if !skipString() { return false }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return true }
                depth -= 1
                position += 1
            case UInt8(ascii: ",") where depth == 0: return true
            default: position += 1
            }
            if depth == 0, byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
                return true
            }
        }
        return false
    }
}

/// Finds the array of a JSON object whose elements are the rows.
private struct JSONArraySearch {
    /// `{"result": {"data": {"list": […]}}}` has three.
    private static let depthMax = 4

    private var scanner: JSONScanner
    private let names: Set<ExactText>
    private var score = (names: -1, bytes: 0)
    /// Where the first element of the best array is.
    private var best: Int?
    /// Where an array ends that has no elements.
    private var empty: Int?
    /// How many of the names the outermost object has.
    private var ownNames = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>, names: Set<ExactText>) {
        scanner = JSONScanner(bytes)
        self.names = names
    }

    mutating func walk(from start: Int) {
        scanner.position = start
        members(depth: 1)
    }

    /// Where the rows begin; nil when the object is a row itself.
    var rows: Int? {
        if ownNames > max(0, score.names) { return nil }
        return best ?? (names.isEmpty ? nil : empty)
    }

    private mutating func members(depth: Int) {
        scanner.position += 1
        while true {
            scanner.skipBlanks()
            let nameStart = scanner.position + 1
            guard scanner.peek == UInt8(ascii: "\""), scanner.skipString() else { return }
            if depth == 1 {
                let name = String(decoding: scanner.bytes[nameStart..<scanner.position - 1], as: UTF8.self)
                ownNames += names.contains(ExactText(name)) ? 1 : 0
            }
            scanner.skipBlanks()
            guard scanner.peek == UInt8(ascii: ":") else { return }
            scanner.position += 1
            scanner.skipBlanks()
            if scanner.peek == UInt8(ascii: "{"), depth < Self.depthMax {
                members(depth: depth + 1)
                guard scanner.peek == UInt8(ascii: "}") else { return }
                scanner.position += 1
            } else {
                let start = scanner.position
                _ = scanner.skipValue()
                if scanner.bytes[start...].first == UInt8(ascii: "[") { weigh(start + 1, scanner.position - start) }
            }
            scanner.skipBlanks()
            guard scanner.peek == UInt8(ascii: ",") else { return }
            scanner.position += 1
        }
    }

    /// Holds an array against the best so far, if its elements are objects.
    private mutating func weigh(_ start: Int, _ length: Int) {
        var element = JSONScanner(scanner.bytes)
        element.position = start
        element.skipBlanks()
        if element.peek == UInt8(ascii: "]") { empty = empty ?? element.position }
        guard element.peek == UInt8(ascii: "{") else { return }
        let first = element.position
        var known = 0
        if element.skipValue(), let object = try? JSONParser.parse(Array(element.bytes[first..<element.position])[...]),
            case .object(let members) = object
        {
            known = members.count { names.contains(ExactText($0.name)) }
        }
        if (known, length) > (score.names, score.bytes) {
            score = (known, length)
            best = start
        }
    }
}
