/// Times as people in China read them: UTC+8 the whole year; summer time ended in 1991.
package enum ShanghaiTime {
    package static let offset: Int64 = 8 * 3_600_000
    /// Milliseconds of a day.
    package static let day: Int64 = 86_400_000

    /// The day (days since 1970-01-01) that `time` lies in.
    package static func dayNumber(_ time: UnixMilliseconds) -> Int64 {
        // A time in a neighbour's row may be any number; the last eight hours before Int64's end are all the same.
        (min(time, .max - offset) + offset).flooredQuotient(by: day)
    }

    /// 00:00 of a day. Days further than 10⁹ from 1970 are taken as 10⁹.
    package static func midnight(ofDay number: Int64) -> UnixMilliseconds {
        min(max(number, -1_000_000_000), 1_000_000_000) * day - offset
    }

    /// The end (24:00) of a day, written as its last millisecond, 23:59:59.999. So a due date reads as the day it falls on,
    /// `time <= due` means "in time", and what is counted from a due date is counted from its own day.
    package static func end(ofDay number: Int64) -> UnixMilliseconds { midnight(ofDay: number) + day - 1 }

    /// RFC 3339 with offset and milliseconds, `2025-09-30T10:02:00.000+08:00`.
    package static func rfc3339(_ time: UnixMilliseconds) -> String {
        let parts = Parts(time)
        return "\(parts.date)T\(parts.clock).\(padded(parts.millisecond, 3))+08:00"
    }

    /// To the minute, `2025-09-30 10:02`.
    package static func minute(_ time: UnixMilliseconds) -> String {
        let parts = Parts(time)
        return "\(parts.date) \(parts.clock.prefix(5))"
    }

    /// To the second, `2025-09-30 10:02:00`.
    package static func second(_ time: UnixMilliseconds) -> String {
        let parts = Parts(time)
        return "\(parts.date) \(parts.clock)"
    }

    /// Reads `2025-09-30` (its first instant) or RFC 3339 with an offset.
    package static func parse(_ text: String) -> UnixMilliseconds? {
        let scalars = Array(text.utf8)
        guard scalars.count >= 10, scalars[4] == 0x2d, scalars[7] == 0x2d, let year = number(scalars[0..<4]),
            let month = number(scalars[5..<7]), (1...12).contains(month), let day = number(scalars[8..<10]),
            (1...CivilDate.daysInMonth(Int(month), year: Int(year))).contains(Int(day))
        else { return nil }
        let midnight = CivilDate.dayNumber(year: Int(year), month: Int(month), day: Int(day)) * 86_400_000
        if scalars.count == 10 { return midnight - offset }
        guard scalars.count >= 20, scalars[10] == 0x54 || scalars[10] == 0x20, scalars[13] == 0x3a, scalars[16] == 0x3a,
            let hour = number(scalars[11..<13]), hour < 24, let minute = number(scalars[14..<16]), minute < 60,
            let second = number(scalars[17..<19]), second < 60
        else { return nil }
        var rest = scalars[19...]
        var milliseconds: Int64 = 0
        if rest.first == 0x2e {
            let digits = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
            guard !digits.isEmpty,
                let value = number(Array(digits.prefix(3)) + [UInt8](repeating: 0x30, count: max(0, 3 - digits.count)))
            else { return nil }
            milliseconds = value
            rest = rest.dropFirst(1 + digits.count)
        }
        guard let zone = zoneOffset(Array(rest)) else { return nil }
        return midnight + ((hour * 60 + minute) * 60 + second) * 1_000 + milliseconds - zone
    }

    private static func zoneOffset(_ zone: [UInt8]) -> Int64? {
        if zone == [0x5a] || zone == [0x7a] { return 0 }
        guard zone.count == 6, zone[0] == 0x2b || zone[0] == 0x2d, zone[3] == 0x3a, let hours = number(zone[1..<3]),
            hours < 24, let minutes = number(zone[4..<6]), minutes < 60
        else { return nil }
        return (zone[0] == 0x2b ? 1 : -1) * (hours * 60 + minutes) * 60_000
    }

    private static func number(_ digits: some Collection<UInt8>) -> Int64? {
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int64(digit - 0x30)
        }
        return value
    }

    private struct Parts {
        let date: String
        let clock: String
        let millisecond: Int64

        init(_ time: UnixMilliseconds) {
            let number = ShanghaiTime.dayNumber(time)
            let rest = min(time, .max - ShanghaiTime.offset) + ShanghaiTime.offset - number * ShanghaiTime.day
            let (year, month, dayOfMonth) = CivilDate.date(dayNumber: number)
            date = "\(padded(Int64(year), 4))-\(padded(Int64(month), 2))-\(padded(Int64(dayOfMonth), 2))"
            clock =
                "\(padded(rest / 3_600_000, 2)):\(padded(rest / 60_000 % 60, 2)):\(padded(rest / 1_000 % 60, 2))"
            millisecond = rest % 1_000
        }
    }
}

private func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
