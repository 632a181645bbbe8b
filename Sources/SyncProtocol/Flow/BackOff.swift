import ChangeSetFormat
import FederationModel

/// The pauses between tries to reach a neighbour: doubling, jittered so that a hundred counties do not come back in one
/// moment after their city was away.
package struct BackOff: Hashable, Sendable {
    private var ceiling = SyncLimits.backOffInitial
    private var random: SplitMix64

    package init(seed: UInt64) { random = SplitMix64(seed: seed) }

    /// Between half of the present ceiling and all of it; the ceiling doubles up to `SyncLimits.backOffMax`.
    package mutating func next() -> UnixMilliseconds {
        defer { ceiling = min(ceiling * 2, SyncLimits.backOffMax) }
        return UnixMilliseconds.random(in: ceiling / 2...ceiling, using: &random)
    }

    package mutating func reset() { ceiling = SyncLimits.backOffInitial }
}
