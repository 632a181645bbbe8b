import ChangeSetFormat
import FederationModel

/// The pauses between tries to reach a neighbour: doubling, jittered so that a hundred counties do not come back in one
/// moment after their city was away.
struct BackOff: Hashable, Sendable {
    private var ceiling = SyncLimits.backOffInitial
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(state: seed) }

    /// Between half of the present ceiling and all of it; the ceiling doubles up to `SyncLimits.backOffMax`.
    mutating func next() -> UnixMilliseconds {
        defer { ceiling = min(ceiling * 2, SyncLimits.backOffMax) }
        return UnixMilliseconds.random(in: ceiling / 2...ceiling, using: &random)
    }

    mutating func reset() { ceiling = SyncLimits.backOffInitial }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014). Seeded, so that a history repeats.
struct SplitMix64: RandomNumberGenerator, Hashable, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}
