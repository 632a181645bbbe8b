/// The code of a node: a GB/T 2260 region code (6 digits) or a longer administrative code (up to 12 digits).
///
/// The code is the identity that certificates carry and that every row names as its `origin`. Names of nodes are for
/// people only: 28 county names of the country occur more than once.
package struct NodeID: Hashable, Sendable, Comparable, CustomStringConvertible, Codable {
    package let code: String

    /// - Returns: nil unless `code` is 6 to 12 ASCII digits.
    package init?(_ code: String) {
        guard (6...12).contains(code.utf8.count), code.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        self.code = code
    }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let node = NodeID(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "a node code is 6 to 12 digits"))
        }
        self = node
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(code)
    }

    package var description: String { code }

    package static func < (a: NodeID, b: NodeID) -> Bool { a.code < b.code }
}

/// The name of a resource of the data-resource catalog (数据资源目录), which is also the name of its table.
package struct ResourceName: Hashable, Sendable, Comparable, CustomStringConvertible, Codable,
    ExpressibleByStringLiteral
{
    package let text: String

    package init(_ text: String) { self.text = text }
    package init(stringLiteral text: String) { self.text = text }

    package init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    package var description: String { text }

    package static func < (a: ResourceName, b: ResourceName) -> Bool { a.text < b.text }
}

/// A node-local sequence number: one counter for all resources, drawn inside the write transaction.
package typealias Seq = Int64

/// Milliseconds since 1970-01-01 UTC. Every stored time has this unit.
package typealias UnixMilliseconds = Int64

/// One life of a node's database. A seq means something only within the epoch that gave it out.
///
/// A node gets a new epoch at init, restore and clone (design rule 6). The counter tells which of two epochs of one node
/// is later; the nonce keeps two copies of one backup apart.
package struct Epoch: Hashable, Sendable, LosslessStringConvertible {
    package let counter: UInt32
    package let nonce: UInt64

    package init(counter: UInt32, nonce: UInt64) {
        self.counter = counter
        self.nonce = nonce
    }

    /// Reads the form that `description` writes, `COUNTER-NONCE` with the nonce in hexadecimal.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", maxSplits: 1)
        guard parts.count == 2, let counter = UInt32(parts[0]), let nonce = UInt64(parts[1], radix: 16) else {
            return nil
        }
        self.init(counter: counter, nonce: nonce)
    }

    package var description: String { "\(counter)-\(String(nonce, radix: 16))" }
}
