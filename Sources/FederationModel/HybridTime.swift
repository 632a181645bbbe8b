/// A hybrid logical clock reading: milliseconds since 1970 UTC in the upper 47 bits, a counter in the lower 16.
///
/// It is the `version` of a row, set by the row's origin alone (design rule 2). Versions of one origin never repeat and
/// never go back, even when the machine's clock does.
package struct HybridTime: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: Int64

    package init(rawValue: Int64) { self.rawValue = rawValue }

    package init(milliseconds: UnixMilliseconds, counter: UInt16) {
        rawValue = milliseconds << 16 | Int64(counter)
    }

    package var milliseconds: UnixMilliseconds { rawValue >> 16 }

    package var description: String { "\(milliseconds).\(rawValue & 0xffff)" }

    package static func < (a: HybridTime, b: HybridTime) -> Bool { a.rawValue < b.rawValue }

    /// The next reading after `self`, given the wall clock: the clock itself when it has moved on, else one more on the
    /// counter (which carries into the milliseconds when 65,536 changes fall into one).
    package func next(now: UnixMilliseconds) -> HybridTime {
        HybridTime(rawValue: max(rawValue + 1, now << 16))
    }
}
