/// Rules that the simulation can break on purpose, to show that its checkers notice.
enum Mutant: CaseIterable {
    /// The shell reports an apply before its commit.
    case acknowledgedBeforeApply
    /// The cursor is stored, the rows are not.
    case cursorWithoutRows
    /// What is out of step is applied all the same.
    case staleApplied
    /// The sender goes on from where it stopped sending, not from the receiver's cursor.
    case cursorFromMemory
    /// A new epoch begins without a sweep.
    case noSweepAtNewEpoch
    /// A local commit does not reach the sender.
    case commitUnheard
}

/// Which half of a stream something between the nodes holds back until it has ended.
enum HeldHalf: CaseIterable {
    case request
    case response
}

/// Chance with a seed: the same history for the same number.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x2545_f491_4f6c_dd1d | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_f491_4f6c_dd1d
    }

    mutating func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }
}
