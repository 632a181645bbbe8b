import FederationModel

/// A text as the set of its pairs of neighbouring characters: word order matters little, and Chinese needs no words for it.
package struct TextPairs: Hashable, Sendable {
    /// Two scalars each, in ascending order.
    let pairs: [UInt64]

    package init(_ text: String) {
        let scalars = ComparableText.scalars(of: text)
        var pairs: Set<UInt64> = []
        for (first, second) in zip(scalars, scalars.dropFirst())
        where first != ComparableText.clauseEnd && second != ComparableText.clauseEnd {
            pairs.insert(UInt64(first.value) << 32 | UInt64(second.value))
        }
        self.pairs = pairs.sorted()
    }

    /// Pairs that both have, of those that either has (Jaccard); 0 for texts without any.
    package func similarity(to other: TextPairs) -> Double {
        var (i, j, common) = (0, 0, 0)
        while i < pairs.count && j < other.pairs.count {
            if pairs[i] == other.pairs[j] {
                (i, j, common) = (i + 1, j + 1, common + 1)
            } else if pairs[i] < other.pairs[j] {
                i += 1
            } else {
                j += 1
            }
        }
        let all = pairs.count + other.pairs.count - common
        return all == 0 ? 0 : Double(common) / Double(all)
    }

    /// Keys of which two texts share one the more surely the more alike they are (MinHash with bands: Broder 1997; Indyk and Motwani
    /// 1998). Of texts that are alike to 0.6, 4 in 10,000 pairs share none.
    var bandKeys: [UInt64] {
        guard !pairs.isEmpty else { return [] }
        return (0..<Self.bands).map { band in
            var key = UInt64(band)
            for row in 0..<Self.rows {
                let seed = UInt64(band * Self.rows + row)
                key = Self.mixed(key ^ (pairs.lazy.map { Self.mixed($0 ^ Self.mixed(seed)) }.min() ?? 0))
            }
            return key
        }
    }

    private static let bands = 32
    private static let rows = 3

    private static func mixed(_ value: UInt64) -> UInt64 {
        var chance = SplitMix64(seed: value)
        return chance.next()
    }
}

/// Sets that grow together (union-find). The sets depend on which members were joined, not on the order.
struct DisjointSets {
    private var parents: [Int]

    init(count: Int) { parents = Array(0..<count) }

    mutating func root(of member: Int) -> Int {
        var root = member
        while parents[root] != root {
            parents[root] = parents[parents[root]]
            root = parents[root]
        }
        return root
    }

    mutating func join(_ a: Int, _ b: Int) {
        let (first, second) = (root(of: a), root(of: b))
        // The lesser index leads, whoever was named first.
        parents[max(first, second)] = min(first, second)
    }
}

/// Tickets whose texts are alike and not further apart in time than a window.
package enum TextClusters {
    /// - Returns: the tickets by cluster, each by time; those that are like no other stand alone.
    package static func of(
        _ tickets: [ObservedTicket], similarity least: Double, window: UnixMilliseconds
    ) -> [[ObservedTicket]] {
        let ordered = tickets.sorted(by: isEarlier)
        let texts = ordered.map { TextPairs($0.text) }
        var sets = DisjointSets(count: ordered.count)
        var buckets: [UInt64: [Int]] = [:]
        for (index, text) in texts.enumerated() {
            var candidates: Set<Int> = []
            for key in text.bandKeys {
                candidates.formUnion(buckets[key, default: []])
                buckets[key, default: []].append(index)
            }
            for candidate in candidates
            where ordered[index].at - ordered[candidate].at <= window && text.similarity(to: texts[candidate]) >= least
            {
                sets.join(candidate, index)
            }
        }
        var clusters: [Int: [ObservedTicket]] = [:]
        for index in ordered.indices { clusters[sets.root(of: index), default: []].append(ordered[index]) }
        return clusters.sorted { $0.key < $1.key }.map(\.value)
    }
}

/// How much a topic moves people: volume × growth × distinct persons (domain model 3.6).
package struct TopicHeat: Hashable, Sendable {
    package let volume: Int
    package let previousVolume: Int
    package let persons: Int

    package init(volume: Int, previousVolume: Int, persons: Int) {
        self.volume = volume
        self.previousVolume = previousVolume
        self.persons = persons
    }

    /// Of a topic that had nothing before, the growth is its volume.
    package var growth: Double { Double(volume) / Double(max(1, previousVolume)) }
    package var value: Double { Double(volume) * growth * Double(persons) }
}
