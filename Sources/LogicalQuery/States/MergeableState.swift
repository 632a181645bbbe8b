import FederationModel

/// What a group has beside its sums, for figures that no sum gives. It merges in any order and any grouping.
package enum MergeableState: Hashable, Sendable {
    /// Nil of nothing.
    case least(Int64?)
    case greatest(Int64?)
    case distribution(Distribution)
    case distinct(DistinctCount)

    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case least, greatest, distribution, distinct

        /// The state of no row.
        package var empty: MergeableState {
            switch self {
            case .least: .least(nil)
            case .greatest: .greatest(nil)
            case .distribution: .distribution(Distribution())
            case .distinct: .distinct(DistinctCount())
            }
        }
    }

    package var kind: Kind {
        switch self {
        case .least: .least
        case .greatest: .greatest
        case .distribution: .distribution
        case .distinct: .distinct
        }
    }

    /// - Throws: `E_ANALYSIS_ANSWER` for one of another kind, and where there are more values than can be counted.
    package mutating func merge(_ other: MergeableState) throws(FederationError) {
        switch (self, other) {
        case (.least(let a), .least(let b)): self = .least(a.map { min($0, b ?? $0) } ?? b)
        case (.greatest(let a), .greatest(let b)): self = .greatest(a.map { max($0, b ?? $0) } ?? b)
        case (.distribution(var merged), .distribution(let b)):
            try merged.merge(b)
            self = .distribution(merged)
        case (.distinct(var merged), .distinct(let b)):
            merged.merge(b)
            self = .distinct(merged)
        default: throw .badAnswer("a state of another kind")
        }
    }

    /// Adds the value of one row: a length, or the hash of a person (``PersonDigest``).
    package mutating func add(_ value: Int64) {
        switch self {
        case .least(let least): self = .least(least.map { min($0, value) } ?? value)
        case .greatest(let greatest): self = .greatest(greatest.map { max($0, value) } ?? value)
        case .distribution(var distribution):
            // Not held twice while it grows, or each value would copy all.
            self = .least(nil)
            distribution.add(value)
            self = .distribution(distribution)
        case .distinct(var distinct):
            self = .least(nil)
            distinct.add(UInt64(bitPattern: value))
            self = .distinct(distinct)
        }
    }

    /// How many words of memory it takes.
    var size: Int {
        switch self {
        case .least, .greatest: 1
        case .distribution(let distribution): distribution.size
        case .distinct(let distinct): distinct.size
        }
    }

    // MARK: - Between nodes, and out of an engine

    package var text: String {
        switch self {
        case .least(let value), .greatest(let value): value.map { "\($0)" } ?? ""
        case .distribution(let distribution): distribution.text
        case .distinct(let distinct): distinct.text
        }
    }

    /// - Throws: `E_ANALYSIS_ANSWER` for anything that `text` does not write.
    package init(_ kind: Kind, text: String) throws(FederationError) {
        func value() throws(FederationError) -> Int64? {
            guard !text.isEmpty else { return nil }
            guard let value = Int64(text) else { throw .badState }
            return value
        }
        switch kind {
        case .least: self = .least(try value())
        case .greatest: self = .greatest(try value())
        case .distribution: self = .distribution(try Distribution(text: text[...]))
        case .distinct: self = .distinct(try DistinctCount(text: text[...]))
        }
    }
}
