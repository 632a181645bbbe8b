import FederationModel

/// What one node, or several merged, found for an analysis: sums by group, still to be added up, and the states of figures that no sum
/// gives.
///
/// Merging is associative and commutative, so it does not matter which node adds up which answers, or in which order.
package struct PartialResult: Hashable, Sendable, Codable {
    /// Bounds the memory of an answer. More groups than people can read, fewer than hurt a node.
    package static let groupsMax = 200_000
    /// All states together, in words of 8 bytes.
    package static let stateWordsMax = 4_000_000

    /// What the rows of one group come to.
    package struct Group: Hashable, Sendable {
        package fileprivate(set) var sums: [Int64]
        package fileprivate(set) var states: [MergeableState]

        package init(sums: [Int64], states: [MergeableState] = []) {
            self.sums = sums
            self.states = states
        }

        /// - Throws: `E_ANALYSIS_ANSWER` when a sum overflows, or states are of another kind.
        /// - Precondition: both are of one analysis.
        package mutating func merge(_ other: Group) throws(FederationError) {
            for index in sums.indices {
                let (sum, overflow) = sums[index].addingReportingOverflow(other.sums[index])
                if overflow { throw .badAnswer("a sum that is too large") }
                sums[index] = sum
            }
            for index in states.indices { try states[index].merge(other.states[index]) }
        }

        var stateWords: Int { states.reduce(0) { $0 + $1.size } }
    }

    package let keyCount: Int
    package let sumCount: Int
    package let stateKinds: [MergeableState.Kind]
    /// By the values of the dimensions, in their order; nil where tickets have none.
    package private(set) var groups: [[ExactText?]: Group] = [:]
    private var stateWords = 0

    package init(for analysis: Analysis) {
        let layout = PartialLayout(analysis.measures)
        keyCount = analysis.dimensions.count
        sumCount = layout.sumCount
        stateKinds = layout.states.map(\.kind)
    }

    /// Makes room for so many groups.
    mutating func reserveCapacity(_ count: Int) { groups.reserveCapacity(count) }

    /// The group of no row.
    package var emptyGroup: Group {
        Group(sums: Array(repeating: 0, count: sumCount), states: stateKinds.map(\.empty))
    }

    /// Some of its groups, or all, as one.
    ///
    /// - Throws: as `add`.
    func merged(_ keys: some Sequence<[ExactText?]>) throws(FederationError) -> Group {
        var one = emptyGroup
        for key in keys { if let group = groups[key] { try one.merge(group) } }
        return one
    }

    /// Takes groups away.
    mutating func remove(_ keys: some Sequence<[ExactText?]>) {
        for key in keys {
            if let group = groups.removeValue(forKey: key) { stateWords -= group.stateWords }
        }
    }

    /// Adds the sums of one group of an analysis without states.
    ///
    /// - Throws: as the other `add`.
    package mutating func add(key: [ExactText?], sums: [Int64]) throws(FederationError) {
        try add(key: key, Group(sums: sums))
    }

    /// Adds what rows of one group come to; a key that is there already is merged with it.
    ///
    /// - Throws: `E_ANALYSIS_ANSWER` when key, sums or states have another width, or can't be merged,
    ///   `E_ANALYSIS_TOO_MANY_GROUPS`. What was added before stays.
    package mutating func add(key: [ExactText?], _ group: Group) throws(FederationError) {
        guard key.count == keyCount, group.sums.count == sumCount, group.states.count == stateKinds.count else {
            throw .badAnswer(
                "a group of \(key.count) values and \(group.sums.count) sums, not \(keyCount) and \(sumCount)")
        }
        guard let known = groups[key] else {
            let words = stateWords + group.stateWords
            guard groups.count < Self.groupsMax, words <= Self.stateWordsMax else { throw Self.tooManyGroups }
            stateWords = words
            groups[key] = group
            return
        }
        var merged = known
        try merged.merge(group)
        let words = stateWords - known.stateWords + merged.stateWords
        guard words <= Self.stateWordsMax else { throw Self.tooManyGroups }
        stateWords = words
        groups[key] = merged
    }

    private static var tooManyGroups: FederationError {
        FederationError(
            "E_ANALYSIS_TOO_MANY_GROUPS",
            "the analysis has more than \(groupsMax) groups, or its quantiles and persons take more than \(stateWordsMax / 131_072) MB",
            hint: "use fewer dimensions, a coarser level (month, region:city) or a filter")
    }

    /// - Throws: as `add`.
    package mutating func merge(_ other: PartialResult) throws(FederationError) {
        for (key, group) in other.groups { try add(key: key, group) }
    }

    // MARK: - Between nodes

    private enum CodingKeys: String, CodingKey {
        case keyCount, sumCount, keys, sums
        // Only where there are any.
        case stateKinds, states
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(keyCount, forKey: .keyCount)
        try container.encode(sumCount, forKey: .sumCount)
        try container.encode(groups.keys.map { $0.map { $0?.text } }, forKey: .keys)
        try container.encode(groups.values.map(\.sums), forKey: .sums)
        guard !stateKinds.isEmpty else { return }
        try container.encode(stateKinds, forKey: .stateKinds)
        try container.encode(groups.values.map { $0.states.map(\.text) }, forKey: .states)
    }

    /// - Throws: as `add`.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        keyCount = try container.decode(Int.self, forKey: .keyCount)
        sumCount = try container.decode(Int.self, forKey: .sumCount)
        let kinds = try container.decodeIfPresent([MergeableState.Kind].self, forKey: .stateKinds) ?? []
        stateKinds = kinds
        let keys = try container.decode([[String?]].self, forKey: .keys)
        let sums = try container.decode([[Int64]].self, forKey: .sums)
        let states =
            kinds.isEmpty
            ? Array(repeating: [], count: keys.count)
            : try container.decode([[String]].self, forKey: .states)
        guard keys.count == sums.count, keys.count == states.count else {
            throw FederationError.badAnswer("\(keys.count) groups with \(sums.count) rows of sums")
        }
        for (index, key) in keys.enumerated() {
            guard states[index].count == kinds.count else { throw FederationError.badState }
            let group = Group(
                sums: sums[index], states: try zip(kinds, states[index]).map { try MergeableState($0, text: $1) })
            try add(key: key.map { $0.map { ExactText($0) } }, group)
        }
    }
}

extension FederationError {
    /// A peer's answer that does not fit its question. The whole answer is dropped and its nodes are missing.
    static func badAnswer(_ what: String) -> FederationError {
        FederationError("E_ANALYSIS_ANSWER", "the answer does not fit the question: \(what)")
    }
}
