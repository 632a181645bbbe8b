/// A day, ISO 8601 week, month, quarter or year of Asia/Shanghai.
package struct CalendarPeriod: Hashable, Comparable, Sendable {
    package enum Unit: String, CaseIterable, Sendable {
        case day, week, month, quarter, year
    }

    package let unit: Unit
    /// Counted from some period of its unit, which one is nobody's business.
    private let ordinal: Int64

    private init(_ unit: Unit, _ ordinal: Int64) {
        self.unit = unit
        self.ordinal = ordinal
    }

    /// - Parameter day: days since 1970-01-01.
    package init(_ unit: Unit, containing day: Int64) {
        let (year, month, _) = CivilDate.date(dayNumber: day)
        let months = Int64(year) * 12 + Int64(month) - 1
        switch unit {
        case .day: self.init(unit, day)
        // 1970-01-01 was a Thursday.
        case .week: self.init(unit, (day + 3).flooredQuotient(by: 7))
        case .month: self.init(unit, months)
        case .quarter: self.init(unit, months.flooredQuotient(by: 3))
        case .year: self.init(unit, Int64(year))
        }
    }

    /// Reads it as `label` writes it; nil for what the calendar does not have.
    package init?(_ unit: Unit, _ label: String) {
        func number(_ digits: Substring) -> Int? {
            digits.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(digits) : nil
        }
        switch unit {
        case .day:
            guard let day = CivilDate.dayNumber(label) else { return nil }
            self.init(unit, containing: day)
        case .week:
            guard label.utf8.count == 8, label.dropFirst(4).hasPrefix("-W"), let year = number(label.prefix(4)),
                let week = number(label.suffix(2)), (1...CivilDate.isoWeeks(ofYear: year)).contains(week)
            else { return nil }
            self.init(unit, Self.firstWeek(ofYear: year) + Int64(week) - 1)
        case .month, .quarter, .year:
            let (date, quarter): (String, Int?) =
                switch unit {
                case .month: (label, nil)
                case .quarter where label.utf8.count == 7 && label.dropFirst(4).hasPrefix("-Q"):
                    ("\(label.prefix(4))-01", number(label.suffix(1)))
                default: ("\(label)-01", nil)
                }
            guard let day = CivilDate.dayNumber("\(date)-01"), unit != .quarter || (1...4).contains(quarter ?? 0) else {
                return nil
            }
            let first = CalendarPeriod(unit, containing: day)
            self = quarter.map { first.advanced(by: $0 - 1) } ?? first
        }
    }

    /// The week of January 4th (ISO 8601).
    private static func firstWeek(ofYear year: Int) -> Int64 {
        (CivilDate.dayNumber(year: year, month: 1, day: 4) + 3).flooredQuotient(by: 7)
    }

    // MARK: - What it is

    /// `2025-09-30`, `2025-W40`, `2025-09`, `2025-Q3`, `2025`.
    package var label: String {
        let (year, month, _) = CivilDate.date(dayNumber: firstDay)
        func padded(_ value: Int, _ width: Int) -> String {
            String(repeating: "0", count: max(0, width - String(value).count)) + String(value)
        }
        switch unit {
        case .day: return CivilDate.text(dayNumber: ordinal)
        case .week:
            let (isoYear, week) = isoWeek
            return "\(padded(isoYear, 4))-W\(padded(week, 2))"
        case .month: return "\(padded(year, 4))-\(padded(month, 2))"
        case .quarter: return "\(padded(year, 4))-Q\((month + 2) / 3)"
        case .year: return padded(year, 4)
        }
    }

    /// Days since 1970-01-01.
    package var firstDay: Int64 {
        switch unit {
        case .day: ordinal
        case .week: ordinal * 7 - 3
        case .month: Self.firstDay(ofMonth: ordinal)
        case .quarter: Self.firstDay(ofMonth: ordinal * 3)
        case .year: Self.firstDay(ofMonth: ordinal * 12)
        }
    }

    private static func firstDay(ofMonth months: Int64) -> Int64 {
        let year = months.flooredQuotient(by: 12)
        return CivilDate.dayNumber(year: Int(year), month: Int(months - year * 12) + 1, day: 1)
    }

    /// Its days, as days since 1970-01-01.
    package var days: Range<Int64> { firstDay..<advanced(by: 1).firstDay }

    package var time: Range<UnixMilliseconds> {
        ShanghaiTime.midnight(ofDay: days.lowerBound)..<ShanghaiTime.midnight(ofDay: days.upperBound)
    }

    /// The year and the number of a week: those of its Thursday.
    private var isoWeek: (year: Int, week: Int) {
        let year = CivilDate.date(dayNumber: ordinal * 7).year
        return (year, Int(ordinal - Self.firstWeek(ofYear: year)) + 1)
    }

    package static func < (a: CalendarPeriod, b: CalendarPeriod) -> Bool { a.ordinal < b.ordinal }

    // MARK: - Others of its unit

    package func advanced(by count: Int) -> CalendarPeriod { CalendarPeriod(unit, ordinal + Int64(count)) }

    /// The same one so many years later: of a day the nearest of the same weekday, which is 52 weeks away; of a week the one of the
    /// same ISO number, nil for a 53rd where that year has none.
    package func years(later count: Int) -> CalendarPeriod? {
        switch unit {
        case .day: return advanced(by: 364 * count)
        case .week:
            let (year, week) = isoWeek
            guard week <= CivilDate.isoWeeks(ofYear: year + count) else { return nil }
            return CalendarPeriod(unit, Self.firstWeek(ofYear: year + count) + Int64(week) - 1)
        case .month: return advanced(by: 12 * count)
        case .quarter: return advanced(by: 4 * count)
        case .year: return advanced(by: count)
        }
    }
}

/// Against what a period is held.
package enum PeriodComparison: String, CaseIterable, Sendable {
    /// The period before (环比).
    case previous
    /// The same period of the year before (同比): an ISO week with that of the same number, a day with that of the same weekday.
    case year

    /// - Returns: nil for a 53rd week where there is none.
    package func former(of period: CalendarPeriod) -> CalendarPeriod? {
        self == .previous ? period.advanced(by: -1) : period.years(later: -1)
    }

    /// The period whose former one `period` is; nil for a 53rd week that the year after does not have.
    package func latter(of period: CalendarPeriod) -> CalendarPeriod? {
        self == .previous ? period.advanced(by: 1) : period.years(later: 1)
    }

    /// The same for any stretch of time. Whole months are held against as many months, in which they may differ by some days; whole
    /// ISO weeks, in `year`, against those that begin with the same number; everything else against as long a time, in `year` 52 weeks
    /// before.
    ///
    /// - Returns: nil where a stretch of weeks begins with a 53rd that the year before does not have.
    package func former(of time: Range<UnixMilliseconds>) -> Range<UnixMilliseconds>? {
        let (first, end) = (ShanghaiTime.dayNumber(time.lowerBound), ShanghaiTime.dayNumber(time.upperBound))
        func midnight(_ day: Int64) -> UnixMilliseconds { ShanghaiTime.midnight(ofDay: day) }
        guard midnight(first) == time.lowerBound, midnight(end) == time.upperBound else {
            let back = self == .previous ? time.upperBound - time.lowerBound : 364 * ShanghaiTime.day
            return time.lowerBound - back..<time.upperBound - back
        }
        let months = [first, end].map { CalendarPeriod(.month, containing: $0) }
        if months[0].firstDay == first, months[1].firstDay == end {
            let count = self == .previous ? months[0].distance(to: months[1]) : 12
            return midnight(
                months[0].advanced(by: -count).firstDay)..<midnight(
                    months[1].advanced(by: -count).firstDay)
        }
        let weeks = [first, end].map { CalendarPeriod(.week, containing: $0) }
        if self == .year, weeks[0].firstDay == first, weeks[1].firstDay == end {
            return former(of: weeks[0]).map { midnight($0.firstDay)..<midnight($0.firstDay + end - first) }
        }
        let back = self == .previous ? end - first : 364
        return midnight(first - back)..<midnight(end - back)
    }
}

extension CalendarPeriod {
    /// How many periods of their unit lie from this one to the other.
    fileprivate func distance(to other: CalendarPeriod) -> Int { Int(other.ordinal - ordinal) }
}
