/// Which days offices work: Monday to Friday, changed by the State Council's yearly notice (国务院办公厅节假日安排), which
/// gives days off and the weekend days that are worked for them (调休), and their hours. Days are counted in Asia/Shanghai.
package struct WorkCalendar: Hashable, Sendable {
    /// The years whose notice is known. Other years have weekends only.
    package let years: Set<Int>
    // Sorted; only weekdays in the one, only weekend days in the other, so that counting needs no third case.
    private let daysOff: [Int64]
    private let workingWeekendDays: [Int64]
    package let hours: WorkHours

    /// - Parameters:
    ///   - years: those whose notice the days come from.
    ///   - holidays: day numbers of all days off; weekend days among them change nothing.
    ///   - workingWeekendDays: day numbers of the weekend days that are worked.
    package init(
        years: some Sequence<Int>, holidays: some Sequence<Int64>, workingWeekendDays: some Sequence<Int64>,
        hours: WorkHours = .standard
    ) {
        self.hours = hours
        self.years = Set(years)
        daysOff = Set(holidays.filter { !Self.isWeekend($0) }).sorted()
        self.workingWeekendDays = Set(workingWeekendDays.filter(Self.isWeekend)).sorted()
    }

    /// Tells the days of one calendar from those of another. No due date depends on the hours.
    package var fingerprint: String {
        "\(years.sorted()) off \(daysOff) worked \(workingWeekendDays)"
    }

    /// No year's notice is known.
    package static let weekendsOnly = WorkCalendar(years: [], holidays: [], workingWeekendDays: [])

    /// - Parameter dayNumber: days since 1970-01-01.
    package func isWorkingDay(_ dayNumber: Int64) -> Bool {
        Self.isWeekend(dayNumber)
            ? Self.count(workingWeekendDays, from: dayNumber, through: dayNumber) == 1
            : Self.count(daysOff, from: dayNumber, through: dayNumber) == 0
    }

    /// The end of the `n`-th working day after the day of `start`, which itself does not count (次日起). It is the day's last
    /// millisecond, see ``ShanghaiTime/end(ofDay:)``. For 0 or less it is the end of the day of `start`.
    ///
    /// - Parameter n: 3,660 (ten years) at most; what is above counts as 3,660, because it may come from a hostile row.
    package func end(ofWorkingDay n: Int, after start: UnixMilliseconds) -> UnixMilliseconds {
        ShanghaiTime.end(ofDay: workingDay(n, after: ShanghaiTime.dayNumber(start)))
    }

    /// The day number of the `n`-th working day after day `start`; `start` itself for 0 or less.
    func workingDay(_ n: Int, after start: Int64) -> Int64 {
        var number = start
        var left = min(n, Self.longestCount)
        while left > 0 {
            number += 1
            if isWorkingDay(number) { left -= 1 }
        }
        return number
    }

    /// How many working days lie after the day of `start`, up to and with the day of `end`; negative when `end` is earlier.
    /// So the result for `end(ofWorkingDay: n, after: start)` is n.
    package func workingDays(from start: UnixMilliseconds, to end: UnixMilliseconds) -> Int {
        let (first, last) = (ShanghaiTime.dayNumber(start), ShanghaiTime.dayNumber(end))
        return first <= last ? workingDays(after: first, through: last) : -workingDays(after: last, through: first)
    }

    /// The years from `start` to `end` whose notice is not known, so that holidays in them were taken for working days. At
    /// most the first ten.
    package func yearsWithoutNotice(from start: UnixMilliseconds, to end: UnixMilliseconds) -> [Int] {
        let first = CivilDate.date(dayNumber: ShanghaiTime.dayNumber(start)).year
        let last = CivilDate.date(dayNumber: ShanghaiTime.dayNumber(end)).year
        return first <= last ? Array((first...last).lazy.filter { !years.contains($0) }.prefix(10)) : []
    }

    private static let longestCount = 3_660

    func workingDays(after first: Int64, through last: Int64) -> Int {
        guard first < last else { return 0 }
        return Int(Self.weekdays(through: last) - Self.weekdays(through: first))
            + Self.count(workingWeekendDays, from: first + 1, through: last)
            - Self.count(daysOff, from: first + 1, through: last)
    }

    /// Whether a day (days since 1970-01-01, a Thursday) is a Saturday or Sunday, worked or not.
    package static func isWeekend(_ dayNumber: Int64) -> Bool { weekday(dayNumber) >= 5 }

    /// 0 for Monday.
    private static func weekday(_ dayNumber: Int64) -> Int64 {
        dayNumber + 3 - (dayNumber + 3).flooredQuotient(by: 7) * 7
    }

    /// Mondays to Fridays up to and with a day, counted from an arbitrary Monday.
    private static func weekdays(through dayNumber: Int64) -> Int64 {
        (dayNumber + 3).flooredQuotient(by: 7) * 5 + min(weekday(dayNumber) + 1, 5)
    }

    /// How many of the sorted `days` lie in a range.
    private static func count(_ days: [Int64], from first: Int64, through last: Int64) -> Int {
        position(of: last + 1, in: days) - position(of: first, in: days)
    }

    /// The index of the first day that is `day` or later.
    private static func position(of day: Int64, in days: [Int64]) -> Int {
        var (low, high) = (0, days.count)
        while low < high {
            let middle = (low + high) / 2
            if days[middle] < day { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
