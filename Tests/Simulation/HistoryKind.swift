import FederationModel
import SyncProtocol

/// What may happen in one history. Each has some of it, so that rare things meet each other in some and stand alone in others.
struct HistoryKind {
    let isLarge: Bool
    let isOpen: Bool
    let capabilities = Capability.all
    /// Some nodes know no history marks, no giving back.
    let hasOldReleases: Bool
    /// Of topologies, at each happening the chance that one falls due.
    let releases: Double
    let hasRestores: Bool
    let hasPowerLosses: Bool
    let hasClockJumps: Bool
    let hasPartitions: Bool
    let hasFullDisks: Bool
    let hasPruning: Bool
    let hasRemovals: Bool
    let hasForgers: Bool
    /// Every change-set is held against the reference, which takes time.
    let isAudited: Bool
    let happenings: Int
    /// Rows of a change-set: small ones make long sweeps, which more can happen to.
    let rowsMax: Int

    init(using random: inout SplitMix64) {
        func one(in count: Int) -> Bool { Int.random(in: 0..<count, using: &random) == 0 }
        isLarge = one(in: 100)
        isOpen = one(in: 4)
        hasOldReleases = one(in: 12)
        releases = one(in: 2) ? one(in: 3) ? 0.4 : 0.07 : 0
        // Who knows no marks is recognised by nobody.
        hasRestores = one(in: 2) && !hasOldReleases
        hasPowerLosses = one(in: 2) && !hasOldReleases
        hasClockJumps = one(in: 3)
        hasPartitions = one(in: 2)
        hasFullDisks = one(in: 3)
        hasPruning = one(in: 3)
        hasRemovals = one(in: 3)
        hasForgers = one(in: 4)
        isAudited = one(in: 4)
        // What costs most is not what finds most: many short histories, and some long ones.
        happenings = Int.random(in: one(in: 6) ? 20...50 : 6...18, using: &random)
        rowsMax = [3, 8, 25, 10_000].randomElement(using: &random) ?? 8
    }
}
