import FederationModel

/// Office time in China: +08:00 all year since 1992, 08:30 to 17:30 on working days.
struct OfficeHours: Sendable {
    static let minute: Int64 = 60_000
    static let hour: Int64 = 3_600_000
    static let day: Int64 = 86_400_000

    let calendar: WorkCalendar

    /// 0 for Monday. Day 0, 1970-01-01, was a Thursday.
    static func weekday(_ dayNumber: Int64) -> Int { Int(((dayNumber + 3) % 7 + 7) % 7) }

    /// `time` itself when offices are open, else the next opening.
    func officeTime(_ time: UnixMilliseconds) -> (time: UnixMilliseconds, wasOpen: Bool) {
        var number = ShanghaiTime.dayNumber(time)
        let timeOfDay = time - ShanghaiTime.midnight(ofDay: number)
        if calendar.isWorkingDay(number) {
            if (Self.opening...Self.closing).contains(timeOfDay) { return (time, true) }
            if timeOfDay < Self.opening { return (ShanghaiTime.midnight(ofDay: number) + Self.opening, false) }
        }
        repeat { number += 1 } while !calendar.isWorkingDay(number)
        return (ShanghaiTime.midnight(ofDay: number) + Self.opening, false)
    }

    private static let opening = 8 * hour + 30 * minute
    private static let closing = 17 * hour + 30 * minute

    // MARK: - How many calls come when

    /// Hundredths of an ordinary day: Mondays bring 15 % more, days off 40 % less (domain model 7).
    func weight(ofDay number: Int64) -> Int {
        guard calendar.isWorkingDay(number) else { return 60 }
        return Self.weekday(number) == 0 ? 115 : 100
    }

    /// The time of day by which `share` (below 1) of the day's calls have come, in whole seconds.
    static func timeOfDay(_ share: Double) -> Int64 {
        let position = min(share, 0.999_999_9) * Double(hourSums[24])
        let hour = (hourSums.firstIndex { Double($0) > position } ?? 24) - 1
        let within = (position - Double(hourSums[hour])) / Double(hourWeights[hour])
        return Int64((Double(hour) + within) * 3_600) * 1_000
    }
}

/// Shares of the hours of a day in thousandths: peaks from 9 to 11 and from 14 to 17, 5 % from 22 to 7 at night.
private let hourWeights = [
    6, 4, 3, 2, 2, 4, 12, 33, 84, 112, 106, 68, 42, 46, 86, 98, 94, 66, 40, 34, 25, 18, 10, 5,
]

private let hourSums: [Int] = hourWeights.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
