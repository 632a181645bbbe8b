import FederationModel

/// Office time in China: +08:00 all year since 1992, Monday to Friday. Public holidays are left out: invented tickets need a
/// weekly shape, not the State Council's list.
enum WorkCalendar {
    static let minute: Int64 = 60_000
    static let hour: Int64 = 3_600_000
    static let day: Int64 = 86_400_000
    private static let shanghai = 8 * hour

    static func dayNumber(_ time: UnixMilliseconds) -> Int64 {
        let face = time + shanghai
        return (face >= 0 ? face : face - day + 1) / day
    }

    static func midnight(ofDay number: Int64) -> UnixMilliseconds { number * day - shanghai }

    /// 0 for Monday. Day 0, 1970-01-01, was a Thursday.
    static func weekday(_ dayNumber: Int64) -> Int { Int(((dayNumber + 3) % 7 + 7) % 7) }

    static func isWorkday(_ dayNumber: Int64) -> Bool { weekday(dayNumber) < 5 }

    /// `time` itself when offices are open (08:30 to 17:30), else the next opening.
    static func officeTime(_ time: UnixMilliseconds) -> (time: UnixMilliseconds, wasOpen: Bool) {
        var number = dayNumber(time)
        let timeOfDay = time - midnight(ofDay: number)
        if isWorkday(number) {
            if (8 * hour + 30 * minute...17 * hour + 30 * minute).contains(timeOfDay) { return (time, true) }
            if timeOfDay < 9 * hour { return (midnight(ofDay: number) + 8 * hour + 30 * minute, false) }
        }
        repeat { number += 1 } while !isWorkday(number)
        return (midnight(ofDay: number) + 8 * hour + 30 * minute, false)
    }

    /// The end (24:00) of the `count`-th working day after the day of `start` (domain model 3.4: 次日起).
    static func end(ofWorkday count: Int, after start: UnixMilliseconds) -> UnixMilliseconds {
        var number = dayNumber(start)
        var left = count
        while left > 0 {
            number += 1
            if isWorkday(number) { left -= 1 }
        }
        return midnight(ofDay: number + 1)
    }
}
