import FederationModel
import Foundation

/// Turns the clock face of one time zone into UTC, summer time included.
///
/// The zone's offset is looked up once per day of the data, not once per value. A face that the clock skipped or showed
/// twice is read with the offset that was in force before the change: 02:30 on the day of the jump becomes 03:30, and of two
/// 01:30 the first is meant. Nothing in a source that writes local times can tell better.
package final class ZoneClock {
    private struct Day {
        let before: Int64
        let after: Int64
    }

    private let zone: TimeZone
    private var days: [Int64: Day] = [:]
    private var lastNumber = Int64.min
    private var lastDay = Day(before: 0, after: 0)

    /// - Returns: nil unless `identifier` is an IANA zone name.
    package init?(_ identifier: String) {
        guard let zone = TimeZone(identifier: identifier) else { return nil }
        self.zone = zone
    }

    package func utc(face: Int64) -> UnixMilliseconds {
        let number = (face >= 0 ? face : face - 86_399_999) / 86_400_000
        let day = number == lastNumber ? lastDay : self.day(number)
        if day.before == day.after || offset(at: face - day.before) == day.before { return face - day.before }
        return offset(at: face - day.after) == day.after ? face - day.after : face - day.before
    }

    /// The offsets before and after everything that this day's faces can mean; offsets lie between -12 and +14 hours.
    private func day(_ number: Int64) -> Day {
        let midnight = number * 86_400_000
        let day =
            days[number] ?? Day(before: offset(at: midnight - 54_000_000), after: offset(at: midnight + 133_200_000))
        if days.count > 50_000 { days.removeAll() }
        days[number] = day
        lastNumber = number
        lastDay = day
        return day
    }

    private func offset(at utc: UnixMilliseconds) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(utc) / 1_000))) * 1_000
    }
}
