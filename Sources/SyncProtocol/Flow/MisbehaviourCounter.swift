import ChangeSetFormat
import FederationModel

/// Counts what one neighbour does wrong and pauses its link when that is too much, so that a broken node costs its
/// neighbours little.
package struct MisbehaviourCounter: Hashable, Sendable {
    private var windowStart: UnixMilliseconds = 0
    private var count = 0
    /// The link is paused until then.
    package private(set) var pausedUntil: UnixMilliseconds = 0

    package init() {}

    /// Milliseconds that the pause still lasts; nil when there is none. One that lasts longer than any was begun before the clock was set
    /// back.
    package func pauseLeft(now: UnixMilliseconds) -> Int64? {
        let left = pausedUntil - now
        return (1...SyncLimits.misbehaviourPause).contains(left) ? left : nil
    }

    /// Counts one refused hello or change-set.
    ///
    /// - Returns: whether it was one too many within a minute; the pause begins then.
    package mutating func note(now: UnixMilliseconds) -> Bool {
        if (now - windowStart).magnitude >= SyncLimits.misbehaviourWindow.magnitude {
            windowStart = now
            count = 0
        }
        count += 1
        guard count > SyncLimits.misbehaviourMax else { return false }
        pausedUntil = now + SyncLimits.misbehaviourPause
        count = 0
        return true
    }
}
