/// Times as clocks in China showed them: UTC+8, and an hour more in the summers of 1919, 1940 to 1949 and 1986 to 1991 (the IANA
/// zone Asia/Shanghai). Before 1901 every place went by its own sun; +08:00 stands for that.
package enum ShanghaiTime {
    /// The standard offset.
    package static let offset: Int64 = 8 * 3_600_000
    /// Milliseconds of a day.
    package static let day: Int64 = 86_400_000
    private static let hour: Int64 = 3_600_000

    /// The summers in which clocks went an hour ahead, in order.
    package static let summers: [Range<UnixMilliseconds>] = [
        (-1_600_675_200, -1_585_904_400), (-933_667_200, -922_093_200), (-908_870_400, -888_829_200),
        (-881_049_600, -767_869_200), (-745_833_600, -733_827_600), (-716_889_600, -699_613_200),
        (-683_884_800, -670_669_200), (-652_348_800, -650_019_600), (515_527_200, 527_014_800),
        (545_162_400, 558_464_400), (577_216_800, 589_914_000), (608_666_400, 621_968_400),
        (640_116_000, 653_418_000), (671_565_600, 684_867_600),
    ].map { $0.0 * 1_000..<$0.1 * 1_000 }

    /// The end of the last of them. From then on the offset is the standard one.
    package static let lastSummerEnd: UnixMilliseconds = 684_867_600_000

    /// How far clocks in China were ahead of UTC.
    package static func offset(at time: UnixMilliseconds) -> Int64 {
        guard time < lastSummerEnd else { return offset }
        return summers.contains { $0.contains(time) } ? offset + hour : offset
    }

    /// When clocks showed what `face` says, written as if it were UTC. Of two times the earlier one; where clocks passed over it, as
    /// long after midnight of that day.
    package static func time(ofFace face: Int64) -> UnixMilliseconds {
        let summer = face - offset - hour
        return offset(at: summer) > offset ? summer : face - offset
    }

    /// The day (days since 1970-01-01) that `time` lies in.
    package static func dayNumber(_ time: UnixMilliseconds) -> Int64 { face(time).flooredQuotient(by: day) }

    /// What clocks showed, as if it were UTC.
    private static func face(_ time: UnixMilliseconds) -> Int64 {
        // A time in a neighbour's row may be any number; the last hours before Int64's end are all the same.
        min(time, .max - offset) + offset(at: time)
    }

    /// The first instant of a day. Days further than 10⁹ from 1970 are taken as 10⁹.
    package static func midnight(ofDay number: Int64) -> UnixMilliseconds {
        time(ofFace: min(max(number, -1_000_000_000), 1_000_000_000) * day)
    }

    /// The end (24:00) of a day, written as its last millisecond, 23:59:59.999. So a due date reads as the day it falls on,
    /// `time <= due` means "in time", and what is counted from a due date is counted from its own day.
    package static func end(ofDay number: Int64) -> UnixMilliseconds {
        midnight(ofDay: min(number, 999_999_999) + 1) - 1
    }

    /// RFC 3339 with the offset of that time and milliseconds, `2025-09-30T10:02:00.000+08:00`.
    package static func rfc3339(_ time: UnixMilliseconds) -> String {
        let parts = Parts(time)
        return "\(parts.date)T\(parts.clock).\(padded(parts.millisecond, 3))+0\(offset(at: time) / hour):00"
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
    package static func parse(_ text: String) -> UnixMilliseconds? { read(text, isLocal: false) }

    /// Reads a time as clocks in China show it, `2025-09-30 10:02:00`.
    package static func parseLocal(_ text: String) -> UnixMilliseconds? { read(text, isLocal: true) }

    private static func read(_ text: String, isLocal: Bool) -> UnixMilliseconds? {
        let scalars = Array(text.utf8)
        guard scalars.count >= 10, scalars[4] == 0x2d, scalars[7] == 0x2d, let year = number(scalars[0..<4]),
            let month = number(scalars[5..<7]), (1...12).contains(month), let day = number(scalars[8..<10]),
            (1...CivilDate.daysInMonth(Int(month), year: Int(year))).contains(Int(day))
        else { return nil }
        let midnight = CivilDate.dayNumber(year: Int(year), month: Int(month), day: Int(day)) * 86_400_000
        if scalars.count == 10 { return time(ofFace: midnight) }
        guard scalars.count >= 19, scalars[10] == 0x54 || scalars[10] == 0x20, scalars[13] == 0x3a, scalars[16] == 0x3a,
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
        let face = midnight + ((hour * 60 + minute) * 60 + second) * 1_000 + milliseconds
        if isLocal { return rest.isEmpty ? time(ofFace: face) : nil }
        return zoneOffset(Array(rest)).map { face - $0 }
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
            let face = ShanghaiTime.face(time)
            let number = face.flooredQuotient(by: ShanghaiTime.day)
            let rest = face - number * ShanghaiTime.day
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
