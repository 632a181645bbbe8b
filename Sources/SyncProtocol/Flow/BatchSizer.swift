import ChangeSetFormat
import FederationModel

/// How many rows the next change-set may have: small on a bad link, up to the limit on a good one.
package struct BatchSizer: Hashable, Sendable {
    /// Rows for the next change-set.
    package private(set) var rows = SyncLimits.rowsInitial

    package init() {}

    /// Doubles after a change-set that was full and came back in time, halves after one that took long: a live change may wait behind
    /// it. One that was not full says nothing about more, and one that was sent under another size nothing about the present one: by
    /// the acknowledgements of what was in flight it would double, or halve, three times for one reason.
    ///
    /// - Parameter limit: the rows that the change-set was allowed.
    package mutating func onAcknowledged(limit: Int, isFull: Bool, roundTrip: UnixMilliseconds) {
        guard limit == rows else { return }
        if isFull && roundTrip < SyncLimits.roundTripTarget { rows = min(rows * 2, SyncLimits.rowsMax) }
        if roundTrip > SyncLimits.roundTripMax { _ = shrink() }
    }

    /// After a connection that ended before a change-set was acknowledged.
    package mutating func quarter() { rows = max(1, rows / 4) }

    /// Halves.
    ///
    /// - Returns: false when a change-set of one row was too much already.
    package mutating func shrink() -> Bool {
        guard rows > 1 else { return false }
        rows /= 2
        return true
    }
}
