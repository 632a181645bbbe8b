/// The digest of one row: its identity, its version, and its fields as a link treats them.
///
/// It tells accidents apart, not forgeries: whoever computes it may say what he likes.
package struct RowDigest: Hashable, Sendable, Codable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard text.utf8.count == 32, text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let high = UInt64(text.prefix(16), radix: 16),
            let low = UInt64(text.suffix(16), radix: 16)
        else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a digest has 32 hexadecimal digits")
        }
        self.init(high: high, low: low)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    /// 32 hexadecimal digits.
    package var text: String {
        [high, low].map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

/// What a set of rows comes to, in whatever order they are read: how many they are, and the sum of their digests.
package struct Fingerprint: Hashable, Sendable, Codable {
    package private(set) var rows = 0
    package private(set) var digest = RowDigest(high: 0, low: 0)

    /// That of no rows.
    package init() {}

    package mutating func add(_ row: RowDigest) { add(row, rows: 1) }

    package mutating func add(_ other: Fingerprint) { add(other.digest, rows: other.rows) }

    private mutating func add(_ other: RowDigest, rows: Int) {
        self.rows &+= rows
        digest = RowDigest(high: digest.high &+ other.high, low: digest.low &+ other.low)
    }
}
