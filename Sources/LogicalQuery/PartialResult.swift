import FederationModel

/// What one node, or several merged, found for an analysis: sums by group, still to be added up.
///
/// Merging is associative and commutative, so it does not matter which node adds up which answers, or in which order.
package struct PartialResult: Hashable, Sendable, Codable {
    /// Bounds the memory of an answer. More groups than people can read, fewer than hurt a node.
    package static let groupsMax = 200_000

    package let keyCount: Int
    package let sumCount: Int
    /// Sums by the values of the dimensions, in their order; nil where tickets have none.
    package private(set) var groups: [[ExactText?]: [Int64]] = [:]

    package init(for analysis: Analysis) {
        keyCount = analysis.dimensions.count
        sumCount = analysis.measures.reduce(0) { $0 + $1.sumCount }
    }

    /// Adds the sums of one group; a key that is there already is added up.
    ///
    /// - Throws: `E_ANALYSIS_ANSWER` when key or sums have another width or a sum overflows,
    ///   `E_ANALYSIS_TOO_MANY_GROUPS`. What was added before stays.
    package mutating func add(key: [ExactText?], sums: [Int64]) throws(FederationError) {
        guard key.count == keyCount, sums.count == sumCount else {
            throw .badAnswer("a group of \(key.count) values and \(sums.count) sums, not \(keyCount) and \(sumCount)")
        }
        guard let known = groups[key] else {
            guard groups.count < Self.groupsMax else {
                throw FederationError(
                    "E_ANALYSIS_TOO_MANY_GROUPS", "the analysis has more than \(Self.groupsMax) groups",
                    hint: "use fewer dimensions, a coarser level (month, region:city) or a filter")
            }
            groups[key] = sums
            return
        }
        var added = known
        for index in added.indices {
            let (sum, overflow) = added[index].addingReportingOverflow(sums[index])
            if overflow { throw .badAnswer("a sum that is too large") }
            added[index] = sum
        }
        groups[key] = added
    }

    /// - Throws: as `add`.
    package mutating func merge(_ other: PartialResult) throws(FederationError) {
        for (key, sums) in other.groups { try add(key: key, sums: sums) }
    }

    // MARK: - Between nodes

    private enum CodingKeys: String, CodingKey {
        case keyCount, sumCount, keys, sums
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(keyCount, forKey: .keyCount)
        try container.encode(sumCount, forKey: .sumCount)
        try container.encode(groups.keys.map { $0.map { $0?.text } }, forKey: .keys)
        try container.encode(Array(groups.values), forKey: .sums)
    }

    /// - Throws: as `add`.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        keyCount = try container.decode(Int.self, forKey: .keyCount)
        sumCount = try container.decode(Int.self, forKey: .sumCount)
        let keys = try container.decode([[String?]].self, forKey: .keys)
        let sums = try container.decode([[Int64]].self, forKey: .sums)
        guard keys.count == sums.count else {
            throw FederationError.badAnswer("\(keys.count) groups with \(sums.count) rows of sums")
        }
        for (key, sums) in zip(keys, sums) { try add(key: key.map { $0.map { ExactText($0) } }, sums: sums) }
    }
}

extension FederationError {
    /// A peer's answer that does not fit its question. The whole answer is dropped and its nodes are missing.
    static func badAnswer(_ what: String) -> FederationError {
        FederationError("E_ANALYSIS_ANSWER", "the answer does not fit the question: \(what)")
    }
}
