import FederationModel

/// Appends the primitives of the wire format to a growing buffer.
package struct ByteWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func append(_ byte: UInt8) { bytes.append(byte) }

    package mutating func append(contentsOf other: [UInt8]) { bytes.append(contentsOf: other) }

    /// LEB128: seven bits a byte, low bits first.
    package mutating func appendVarint(_ value: UInt64) { bytes.appendVarint(value) }

    /// Zigzag LEB128, so that small negative numbers stay small.
    package mutating func appendSigned(_ value: Int64) { bytes.appendSigned(value) }

    package mutating func append(fixed value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// A varint length and the UTF-8 bytes.
    package mutating func append(text: String) {
        var text = text
        text.withUTF8 {
            appendVarint(UInt64($0.count))
            bytes.append(contentsOf: $0)
        }
    }
}

extension [UInt8] {
    mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func appendSigned(_ value: Int64) {
        appendVarint(UInt64(bitPattern: value << 1 ^ value >> 63))
    }
}

/// Reads the primitives of the wire format from untrusted bytes; every read is checked against the end.
package struct ByteReader {
    package let bytes: UnsafeRawBufferPointer
    package private(set) var offset: Int
    package let end: Int

    package init(_ bytes: UnsafeRawBufferPointer, from offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
        end = bytes.count
    }

    private init(_ bytes: UnsafeRawBufferPointer, offset: Int, end: Int) {
        self.bytes = bytes
        self.offset = offset
        self.end = end
    }

    package var remaining: Int { end - offset }

    package mutating func byte() throws(FederationError) -> UInt8 {
        guard offset < end else { throw .truncatedChangeSet }
        defer { offset += 1 }
        return bytes[offset]
    }

    package mutating func varint() throws(FederationError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try byte()
            guard shift < 63 || byte <= 1 else { throw .malformedChangeSet("a number is longer than 64 bits") }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    package mutating func signed() throws(FederationError) -> Int64 {
        let raw = try varint()
        return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
    }

    /// A varint that counts something.
    ///
    /// - Throws: `code` when it is above `max`; counts that lie are refused before anything is reserved for them.
    package mutating func count(max: Int, code: String, what: String) throws(FederationError) -> Int {
        let value = try varint()
        guard value <= UInt64(max) else {
            throw FederationError(code, "a change-set names \(value) \(what), at most \(max) are accepted")
        }
        return Int(value)
    }

    package mutating func fixed() throws(FederationError) -> UInt64 {
        let range = try skip(8)
        return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: UInt64.self))
    }

    package mutating func text(max: Int) throws(FederationError) -> String {
        let length = try count(max: max, code: FederationError.malformed, what: "bytes of a name")
        let range = try skip(length)
        guard let text = String(validating: bytes[range], as: UTF8.self), !text.utf8.contains(0) else {
            throw .malformedChangeSet("a name is not UTF-8")
        }
        return text
    }

    /// Steps over `count` bytes and returns where they are.
    package mutating func skip(_ count: Int) throws(FederationError) -> Range<Int> {
        guard count <= remaining else { throw .truncatedChangeSet }
        defer { offset += count }
        return offset..<offset + count
    }

    /// A reader of the next `count` bytes only; this one goes on behind them.
    package mutating func slice(_ count: Int) throws(FederationError) -> ByteReader {
        let range = try skip(count)
        return ByteReader(bytes, offset: range.lowerBound, end: range.upperBound)
    }
}

extension FederationError {
    static let malformed = "E_CHANGE_SET_MALFORMED"

    static var truncatedChangeSet: FederationError {
        FederationError("E_CHANGE_SET_TRUNCATED", "a change-set ends before what its counts announce")
    }

    static func malformedChangeSet(_ what: String) -> FederationError {
        FederationError(malformed, "a change-set can't be read: \(what)")
    }
}
