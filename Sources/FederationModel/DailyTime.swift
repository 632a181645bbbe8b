/// A time of the day in Shanghai (北京时间) at which something begins, once a day.
package struct DailyTime: Hashable, Sendable, CustomStringConvertible {
    private let minute: Int64

    private static let dayLength: Int64 = 86_400_000

    /// Reads `HH:MM`, 00:00 to 23:59.
    package init?(_ text: String) {
        guard let match = text.wholeMatch(of: /([01][0-9]|2[0-3]):([0-5][0-9])/), let hour = Int64(match.1),
            let minute = Int64(match.2)
        else { return nil }
        self.minute = hour * 60 + minute
    }

    package var description: String {
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(minute / 60)):\(two(minute % 60))"
    }

    /// The latest time that it was, not after `now`.
    ///
    /// - Parameter delay: milliseconds behind it at which it counts.
    package func latest(before now: UnixMilliseconds, delay: Int64 = 0) -> UnixMilliseconds {
        let today = ShanghaiTime.midnight(ofDay: ShanghaiTime.dayNumber(now - delay)) + minute * 60_000 + delay
        return today <= now ? today : today - Self.dayLength
    }
}

/// When a node compares its links by itself: once a day, from a time on that differs from node to node, so that not all cities ask their
/// province at once. What keeps a comparison from being made (a link that is not level, a neighbour that is away) is tried again until
/// the night is over.
package struct ComparisonSchedule: Hashable, Sendable {
    package let time: DailyTime

    package init(at time: DailyTime) { self.time = time }

    /// Over so long the beginnings of all nodes are spread, milliseconds.
    package static let spread: Int64 = 2 * 3_600_000
    /// For so long after its beginning a comparison is tried, milliseconds.
    package static let window: Int64 = 4 * 3_600_000

    /// - Parameter last: when the link was last compared, by whomever.
    package func isDue(at node: NodeID, last: UnixMilliseconds?, now: UnixMilliseconds) -> Bool {
        let begin = time.latest(before: now, delay: Int64(fnv1a64(node.code.utf8) % UInt64(Self.spread)))
        return now - begin < Self.window && (last ?? 0) < begin
    }
}
