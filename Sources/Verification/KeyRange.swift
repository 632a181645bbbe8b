import FederationModel

/// A part of the rows of one resource and origin, by their keys.
package struct KeyRange: Hashable, Sendable, Codable {
    package let resource: ResourceName
    package let origin: NodeID
    /// The key behind which it begins; nil at the first.
    package let after: String?
    /// Its last key; nil to the end.
    package let through: String?

    package init(_ resource: ResourceName, _ origin: NodeID, after: String? = nil, through: String? = nil) {
        self.resource = resource
        self.origin = origin
        self.after = after
        self.through = through
    }

    package static func == (a: KeyRange, b: KeyRange) -> Bool {
        a.resource == b.resource && a.origin == b.origin
            && a.after.map { ExactText($0) } == b.after.map { ExactText($0) }
            && a.through.map { ExactText($0) } == b.through.map { ExactText($0) }
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(resource)
        hasher.combine(origin)
        hasher.combine(through.map { ExactText($0) })
    }

    /// The same from another key on.
    package func rest(after key: String) -> KeyRange { KeyRange(resource, origin, after: key, through: through) }
}

/// A range with what its rows come to.
package struct RangeTotal: Hashable, Sendable, Codable {
    package let range: KeyRange
    package let fingerprint: Fingerprint

    package init(range: KeyRange, fingerprint: Fingerprint) {
        self.range = range
        self.fingerprint = fingerprint
    }
}

/// A range that is parted into others, which together are the whole of it.
package struct PartedRange: Hashable, Sendable, Codable {
    package struct Part: Hashable, Sendable, Codable {
        /// Its last key; nil to the end of the range, as the last part goes.
        package let through: String?
        package let fingerprint: Fingerprint

        package init(through: String?, fingerprint: Fingerprint) {
            self.through = through
            self.fingerprint = fingerprint
        }
    }

    package let range: KeyRange
    /// In the order of their keys.
    package let parts: [Part]

    package init(range: KeyRange, parts: [Part]) {
        self.range = range
        self.parts = parts
    }

    package var ranges: [KeyRange] {
        var after = range.after
        return parts.enumerated().map { index, part in
            defer { after = part.through }
            let through = index == parts.count - 1 ? range.through : part.through
            return KeyRange(range.resource, range.origin, after: after, through: through)
        }
    }

    package var total: RangeTotal {
        RangeTotal(range: range, fingerprint: parts.reduce(into: Fingerprint()) { $0.add($1.fingerprint) })
    }
}

/// One row with what it comes to.
package struct RowStatement: Hashable, Sendable, Codable {
    package let key: String
    package let digest: RowDigest

    package init(key: String, digest: RowDigest) {
        self.key = key
        self.digest = digest
    }
}

/// Parts rows that arrive in the order of their keys, and whose number is not known before, into ranges of about equal size.
///
/// When there are more than `partsMax` of them, each two neighbours become one.
package struct RangeSplitter: Sendable {
    /// A million rows are 128 ranges of 7,800, each of those 128 of 61: so 30 kB find one changed row.
    package static let partsMax = 128

    private let range: KeyRange
    private var rowsPerPart: Int
    private var done: [PartedRange.Part] = []
    private var open = Fingerprint()
    private var lastKey: String?

    /// - Parameter rowsPerPart: least rows of a part.
    package init(_ range: KeyRange, rowsPerPart: Int = 16) {
        self.range = range
        self.rowsPerPart = rowsPerPart
    }

    package mutating func add(key: String, _ digest: RowDigest) {
        if open.rows == rowsPerPart, let lastKey { close(at: lastKey) }
        open.add(digest)
        lastKey = key
    }

    private mutating func close(at key: String) {
        done.append(PartedRange.Part(through: key, fingerprint: open))
        open = Fingerprint()
        guard done.count == Self.partsMax else { return }
        done = stride(from: 0, to: done.count, by: 2).map { first in
            var both = done[first].fingerprint
            both.add(done[first + 1].fingerprint)
            return PartedRange.Part(through: done[first + 1].through, fingerprint: both)
        }
        rowsPerPart *= 2
    }

    package var parted: PartedRange {
        PartedRange(range: range, parts: done + [PartedRange.Part(through: range.through, fingerprint: open)])
    }
}
