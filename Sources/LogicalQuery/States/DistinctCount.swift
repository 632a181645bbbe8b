import FederationModel

/// How many different persons a group has, from hashes of keyed digests that say nothing to who has no key.
///
/// Up to `exactMax` hashes are kept as they are, and the number is exact. Beyond that it is a HyperLogLog of 4,096 registers (Flajolet
/// et al., 2007) with a standard error of 1.6 percent, read with the estimator of Ertl, "New cardinality estimation algorithms for
/// HyperLogLog sketches" (2017), which needs no table of corrections. Which of the two it is depends on the set of hashes
/// alone, so merging is associative and commutative, and counting one twice changes nothing.
package struct DistinctCount: Hashable, Sendable {
    package static let exactMax = 1_000
    private static let indexBits = 12
    private static let registerCount = 1 << indexBits
    private static let rankMax = UInt8(64 - indexBits + 1)

    /// In order; empty beyond `exactMax`.
    private var hashes: [UInt64] = []
    /// Empty up to `exactMax`.
    private var registers: [UInt8] = []

    package init() {}

    package init(_ hashes: some Sequence<UInt64>) {
        for hash in hashes { add(hash) }
    }

    package mutating func add(_ hash: UInt64) {
        guard registers.isEmpty else { return note(hash) }
        let position = hashes.position(of: hash)
        if position < hashes.count, hashes[position] == hash { return }
        hashes.insert(hash, at: position)
        guard hashes.count > Self.exactMax else { return }
        leaveHashes()
    }

    package mutating func merge(_ other: DistinctCount) {
        if !other.registers.isEmpty {
            leaveHashes()
            for (index, rank) in other.registers.enumerated() { registers[index] = max(registers[index], rank) }
        }
        for hash in other.hashes { add(hash) }
    }

    package var estimate: Int64 {
        guard !registers.isEmpty else { return Int64(hashes.count) }
        var ranks = Array(repeating: 0.0, count: Int(Self.rankMax) + 1)
        for rank in registers { ranks[Int(rank)] += 1 }
        let all = Double(Self.registerCount)
        var sum = all * Self.tau(1 - ranks[Int(Self.rankMax)] / all)
        for rank in (1..<Int(Self.rankMax)).reversed() { sum = 0.5 * (sum + ranks[rank]) }
        sum += all * Self.sigma(ranks[0] / all)
        let halfOverNaturalLogarithmOf2 = 0.721_347_520_444_481_7
        let estimate = (halfOverNaturalLogarithmOf2 * all * all / sum).rounded()
        // A neighbour may have sent registers that no number of persons gives.
        return estimate < 0x1p62 ? Int64(estimate) : .max
    }

    /// How many words of memory it takes.
    var size: Int { hashes.count + registers.count / 8 }

    private mutating func leaveHashes() {
        guard registers.isEmpty else { return }
        registers = Array(repeating: 0, count: Self.registerCount)
        for hash in hashes { note(hash) }
        hashes = []
    }

    private mutating func note(_ hash: UInt64) {
        let index = Int(hash >> UInt64(64 - Self.indexBits))
        let rest = hash << UInt64(Self.indexBits)
        registers[index] = max(registers[index], min(UInt8(rest.leadingZeroBitCount) + 1, Self.rankMax))
    }

    /// What registers that are still 0 say (Ertl, algorithm 6).
    private static func sigma(_ share: Double) -> Double {
        guard share < 1 else { return .infinity }
        var (x, y, z) = (share, 1.0, share)
        while true {
            x *= x
            let last = z
            z += x * y
            y += y
            if z == last { return z }
        }
    }

    /// What registers that are full say.
    private static func tau(_ share: Double) -> Double {
        guard share > 0, share < 1 else { return 0 }
        var (x, y, z) = (share, 1.0, 1 - share)
        while true {
            x = x.squareRoot()
            let last = z
            y *= 0.5
            z -= (1 - x) * (1 - x) * y
            if z == last { return z / 3 }
        }
    }

    // MARK: - Out of an engine

    /// - Parameters:
    ///   - hashes: all of them, or, where there are more than `exactMax`, more than so many.
    ///   - registers: of all hashes, the register in front of 6 bits with the rank.
    /// - Throws: `E_ANALYSIS_ANSWER` for a register or rank that there is not.
    init(hashes: [UInt64], registers seen: [UInt32]) throws(FederationError) {
        guard hashes.count > Self.exactMax else {
            self.hashes = hashes.sorted()
            return
        }
        registers = Array(repeating: 0, count: Self.registerCount)
        for one in seen {
            let (index, rank) = (Int(one >> 6), UInt8(one & 63))
            guard index < Self.registerCount, (1...Self.rankMax).contains(rank) else { throw .badState }
            registers[index] = max(registers[index], rank)
        }
    }

    // MARK: - Between nodes

    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    /// What each byte is as a digit; no rank for one that is none.
    private static let ranks: [UInt8] = {
        var ranks = Array(repeating: UInt8.max, count: 256)
        for (rank, digit) in digits.enumerated() { ranks[Int(digit)] = UInt8(rank) }
        return ranks
    }()

    /// The hashes in order, each by how much it is more than the one before it; or a sign for each register.
    var text: String {
        guard registers.isEmpty else {
            return "r" + String(decoding: registers.map { Self.digits[Int($0)] }, as: UTF8.self)
        }
        // By the order of signed numbers a hash would have two looks.
        return "h" + StateText.list(of: hashes)
    }

    /// - Throws: `E_ANALYSIS_ANSWER` for anything that `text` does not write.
    init(text: Substring) throws(FederationError) {
        guard text.first == "r" else {
            guard text.first == "h" else { throw .badState }
            hashes = try StateText.values(in: text.dropFirst(), max: Self.exactMax)
            guard zip(hashes, hashes.dropFirst()).allSatisfy({ $0 < $1 }) else { throw .badState }
            return
        }
        registers = text.dropFirst().utf8.map { Self.ranks[Int($0)] }
        guard registers.count == Self.registerCount, registers.allSatisfy({ $0 <= Self.rankMax }) else {
            throw .badState
        }
    }
}

/// A person among the rows of a ticket, so that the same one is found again at every node that holds the province's key for tokens.
package enum PersonDigest {
    /// What stands for the person of a row: the first of the columns that says who it is. A masked value says that of many, so it is
    /// nobody.
    package static func identity(among columns: [String?]) -> String? {
        columns.lazy.compactMap(\.self).first { !$0.isEmpty && !$0.utf8.contains(UInt8(ascii: "*")) }
    }

    /// The first 64 bits of a token (`~` and 32 hexadecimal digits); nil for what is none.
    package static func hash(ofToken token: String) -> UInt64? {
        FieldTreatment.isToken(token) ? UInt64(token.dropFirst().prefix(16), radix: 16) : nil
    }
}
