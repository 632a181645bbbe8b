import FederationModel

// The model's values as they stand in JSON messages. A message that decodes holds valid values, so nothing behind the
// border checks them again.

/// A value whose JSON is its text: 64-bit numbers do not survive JSON readers that know doubles only.
package protocol TextCodable: Codable, LosslessStringConvertible {}

extension TextCodable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let value = Self(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "no text of \(Self.self)"))
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension Epoch: TextCodable {}
extension HistoryMark: TextCodable {}

extension Cursor: Codable {
    private enum CodingKeys: String, CodingKey {
        case epoch, seq, topology, policy
        /// The resource that a sweep stands in; absent when it is complete.
        case sweep
        /// Origin and key after which it goes on; both absent before the first row.
        case origin, key
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let seq = try container.decode(Seq.self, forKey: .seq)
        guard seq >= 0 else {
            throw DecodingError.dataCorruptedError(
                forKey: .seq, in: container, debugDescription: "a seq is not negative")
        }
        var sweep = SweepPosition.complete
        if let resource = try container.decodeIfPresent(ResourceName.self, forKey: .sweep) {
            var after: RowKey?
            if let origin = try container.decodeIfPresent(String.self, forKey: .origin) {
                after = RowKey(origin: origin, key: try container.decode(String.self, forKey: .key))
            }
            sweep = .at(resource: resource, after: after)
        }
        self.init(
            epoch: try container.decode(Epoch.self, forKey: .epoch), seq: seq,
            revision: LinkRevision(
                topology: try container.decode(Int64.self, forKey: .topology),
                policy: try container.decode(Int64.self, forKey: .policy)),
            sweep: sweep)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(epoch, forKey: .epoch)
        try container.encode(seq, forKey: .seq)
        try container.encode(revision.topology, forKey: .topology)
        try container.encode(revision.policy, forKey: .policy)
        if case .at(let resource, let after) = sweep {
            try container.encode(resource, forKey: .sweep)
            try container.encodeIfPresent(after?.origin, forKey: .origin)
            try container.encodeIfPresent(after?.key, forKey: .key)
        }
    }
}

/// Lets a dictionary by node be a JSON object; without it the standard library writes an array of keys and values.
extension NodeID: CodingKeyRepresentable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    package var codingKey: any CodingKey { Key(stringValue: code) }

    package init?<T: CodingKey>(codingKey: T) { self.init(codingKey.stringValue) }
}
