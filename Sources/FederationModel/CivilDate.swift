/// The Gregorian calendar as arithmetic on day numbers (days since 1970-01-01), by eras of 400 years.
package enum CivilDate {
    package static func daysInMonth(_ month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Counts years from March, so that the leap day is the last day of its year.
    ///
    /// - Parameter year: 0 or later.
    package static func dayNumber(year: Int, month: Int, day: Int) -> Int64 {
        let marchYear = month > 2 ? year : year - 1
        let era = Int(Int64(marchYear).flooredQuotient(by: 400))
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return Int64(era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468)
    }

    /// Reads `2025-09-30`.
    package static func dayNumber(_ text: String) -> Int64? {
        guard text.utf8.count == 10 else { return nil }
        return ShanghaiTime.parse(text).map { ShanghaiTime.dayNumber($0) }
    }

    /// `2025-09-30`.
    package static func text(dayNumber: Int64) -> String {
        String(ShanghaiTime.second(ShanghaiTime.midnight(ofDay: dayNumber)).prefix(10))
    }

    /// 52 or 53: a year has a 53rd ISO week when it begins or ends on a Thursday.
    package static func isoWeeks(ofYear year: Int) -> Int {
        let first = dayNumber(year: year, month: 1, day: 1)
        let last = dayNumber(year: year, month: 12, day: 31)
        // 1970-01-01 was a Thursday.
        return [first, last].contains { $0 - $0.flooredQuotient(by: 7) * 7 == 0 } ? 53 : 52
    }

    package static func date(dayNumber: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = dayNumber + 719_468
        let era = shifted.flooredQuotient(by: 146_097)
        let dayOfEra = Int(shifted - era * 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (Int(era) * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}

extension Int64 {
    /// Division that rounds down, also below zero.
    package func flooredQuotient(by divisor: Int64) -> Int64 {
        self / divisor - (self % divisor < 0 ? 1 : 0)
    }
}
