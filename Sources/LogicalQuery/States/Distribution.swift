import FederationModel

/// The lengths of time (or other whole numbers from 0 on) of a group, as far as quantiles need them.
///
/// Up to `exactMax` values are kept as they are. Beyond that they are counted by buckets: a value below 128 has its own, from there on they
/// are 2 wide, from 256 on 4, and so on, so that the middle of a bucket is less than 1 percent (1/128) from each of its values.
/// Which of the two it is depends on the number of values alone, so merging is associative and commutative.
package struct Distribution: Hashable, Sendable {
    package static let exactMax = 1_000
    static let bucketsMax = bucket(of: .max) + 1

    /// In order; empty beyond `exactMax`.
    private var values: [Int64] = []
    /// How many values each bucket has, up to the last that has one; empty up to `exactMax`.
    private var counts: [Int64] = []

    package private(set) var count: Int64 = 0

    package init() {}

    package init(_ values: some Sequence<Int64>) {
        for value in values { add(value) }
    }

    /// Nothing for a value below 0, which is no length.
    package mutating func add(_ value: Int64) {
        guard value >= 0 else { return }
        count += 1
        guard counts.isEmpty else { return tally(value, 1) }
        values.insert(value, at: values.position(of: value))
        leaveValuesIfMany()
    }

    /// - Throws: `E_ANALYSIS_ANSWER` when there are more values than can be counted.
    package mutating func merge(_ other: Distribution) throws(FederationError) {
        let (sum, overflow) = count.addingReportingOverflow(other.count)
        guard !overflow else { throw .badAnswer("more values than can be counted") }
        count = sum
        if counts.isEmpty, other.counts.isEmpty {
            values += other.values
            values.sort()
            return leaveValuesIfMany()
        }
        leaveValues()
        for value in other.values { tally(value, 1) }
        if counts.count < other.counts.count {
            counts += Array(repeating: 0, count: other.counts.count - counts.count)
        }
        for (bucket, more) in other.counts.enumerated() { counts[bucket] += more }
    }

    /// The value below which so many percent lie, between two values in proportion; nil of nothing.
    package func quantile(percent: Int) -> Double? {
        guard count > 0 else { return nil }
        let rank = Double(percent) / 100 * Double(count - 1)
        let below = rank.rounded(.down)
        let (low, high) = (value(at: Int64(below)), value(at: min(Int64(below) + 1, count - 1)))
        return low + (rank - below) * (high - low)
    }

    /// How many words of memory it takes.
    var size: Int { values.count + counts.count }

    private func value(at rank: Int64) -> Double {
        guard counts.isEmpty else {
            var seen: Int64 = 0
            for (bucket, count) in counts.enumerated() {
                seen += count
                if seen > rank { return Self.middle(of: bucket) }
            }
            return Self.middle(of: counts.count - 1)
        }
        return Double(values[Int(rank)])
    }

    // MARK: - Buckets

    private mutating func leaveValuesIfMany() {
        if values.count > Self.exactMax { leaveValues() }
    }

    private mutating func leaveValues() {
        for value in values { tally(value, 1) }
        values = []
    }

    private mutating func tally(_ value: Int64, _ times: Int64) {
        let bucket = Self.bucket(of: value)
        if bucket >= counts.count { counts += Array(repeating: 0, count: bucket + 1 - counts.count) }
        counts[bucket] += times
    }

    /// Values below 128 have buckets of their own; a larger one has that of its first seven binary digits.
    private static func bucket(of value: Int64) -> Int {
        let shift = max(0, 57 - value.leadingZeroBitCount)
        return shift * 64 + Int(value >> shift)
    }

    private static func middle(of bucket: Int) -> Double {
        guard bucket >= 128 else { return Double(bucket) }
        let shift = bucket / 64 - 1
        let first = Int64(bucket - shift * 64) << shift
        return Double(first) + Double((Int64(1) << shift) - 1) / 2
    }

    // MARK: - Out of an engine

    /// - Parameters:
    ///   - values: all of them, or, where there are more than `exactMax`, any.
    ///   - buckets: those of all values, with the number of each.
    /// - Throws: `E_ANALYSIS_ANSWER` where the two do not go together.
    init(values: [Int64], buckets: [(bucket: Int, count: Int64)]) throws(FederationError) {
        count = buckets.reduce(0) { $0 &+ $1.count }
        guard count > Self.exactMax else {
            guard values.count == count, values.allSatisfy({ $0 >= 0 }) else { throw .badState }
            self.values = values.sorted()
            return
        }
        for (bucket, times) in buckets {
            guard (0..<Self.bucketsMax).contains(bucket), times > 0 else { throw .badState }
            if bucket >= counts.count { counts += Array(repeating: 0, count: bucket + 1 - counts.count) }
            counts[bucket] += times
        }
    }

    // MARK: - Between nodes

    /// The values in order, each by how much it is more than the one before it; or each bucket that has values, by how many it is behind
    /// the one before it, with their number.
    var text: String {
        guard counts.isEmpty else {
            var last = 0
            let parts = counts.enumerated().filter { $0.element > 0 }.map { bucket, count in
                defer { last = bucket }
                return "\(StateText.word(Int64(bucket - last))).\(StateText.word(count))"
            }
            return "b" + parts.joined(separator: " ")
        }
        return "v" + StateText.list(of: values)
    }

    /// - Throws: `E_ANALYSIS_ANSWER` for anything that `text` does not write.
    init(text: Substring) throws(FederationError) {
        guard text.first == "b" else {
            guard text.first == "v" else { throw .badState }
            values = try StateText.values(in: text.dropFirst(), max: Self.exactMax)
            count = Int64(values.count)
            return
        }
        var bucket: Int64 = 0
        for part in StateText.words(of: text.dropFirst().utf8, by: " ") {
            let words = StateText.words(of: part, by: ".")
            guard words.count == 2, let gap: Int64 = StateText.number(words[0]),
                let times: Int64 = StateText.number(words[1]),
                times > 0, gap > 0 || counts.isEmpty, gap < Int64(Self.bucketsMax),
                case let (sum, overflow) = count.addingReportingOverflow(times), !overflow
            else { throw .badState }
            bucket += gap
            guard bucket < Self.bucketsMax else { throw .badState }
            counts += Array(repeating: 0, count: Int(bucket) + 1 - counts.count)
            counts[Int(bucket)] = times
            count = sum
        }
        guard count > Self.exactMax else { throw .badState }
    }
}
