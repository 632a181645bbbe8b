import FederationModel
import Foundation

/// A pattern that says how a source writes times, such as `yyyy/M/d H:mm:ss`.
///
/// `yyyy` year · `yy` year of this century · `M` `MM` month · `d` `dd` day · `H` `HH` hour 0–23 · `h` `hh` hour 1–12 · `m` `mm` minute · `s` `ss` second ·
/// `S`… fraction (that many digits) · `a` AM or PM · `Z` offset (`Z`, `+08:00`, `+0800`) · text in '…' and everything that
/// is no letter stands for itself. One letter takes one or two digits, two letters exactly two. Without a day it is the first
/// of the month.
package struct TimeFormat: Hashable, Sendable {
    private enum Element: Hashable {
        case number(Part, digits: ClosedRange<Int>)
        case half
        case offset
        case literal(UInt8)
    }

    private enum Part: Int, Hashable {
        case year, yearOfCentury, month, day, hour, hourOfHalf, minute, second, fraction
    }

    /// A time as written: local, or UTC when the text names its offset.
    package struct Reading: Hashable, Sendable {
        /// Milliseconds since 1970 of the clock face, as if it stood in Greenwich.
        package let faceMilliseconds: Int64
        /// Offset from UTC in milliseconds, when the text names it.
        package let offset: Int64?
    }

    private let elements: [Element]
    /// Whether it names a time of day, and not only the day.
    package let namesHour: Bool

    /// - Returns: nil when the pattern holds an unknown letter or lacks year or month.
    package init?(_ pattern: String) {
        var elements: [Element] = []
        var rest = Array(pattern.utf8)[...]
        while let letter = rest.first {
            let run = rest.prefix { $0 == letter }.count
            if letter == UInt8(ascii: "'") {
                guard let close = rest.dropFirst().firstIndex(of: letter) else { return nil }
                elements += rest[(rest.startIndex + 1)..<close].map { .literal($0) }
                rest = rest[(close + 1)...]
                continue
            }
            let digits = run == 1 ? 1...2 : run...run
            switch (letter, run) {
            case (UInt8(ascii: "y"), 4): elements.append(.number(.year, digits: digits))
            case (UInt8(ascii: "y"), 2): elements.append(.number(.yearOfCentury, digits: digits))
            case (UInt8(ascii: "M"), 1...2): elements.append(.number(.month, digits: digits))
            case (UInt8(ascii: "d"), 1...2): elements.append(.number(.day, digits: digits))
            case (UInt8(ascii: "H"), 1...2): elements.append(.number(.hour, digits: digits))
            case (UInt8(ascii: "h"), 1...2): elements.append(.number(.hourOfHalf, digits: digits))
            case (UInt8(ascii: "m"), 1...2): elements.append(.number(.minute, digits: digits))
            case (UInt8(ascii: "s"), 1...2): elements.append(.number(.second, digits: digits))
            case (UInt8(ascii: "S"), 1...9): elements.append(.number(.fraction, digits: run...run))
            case (UInt8(ascii: "a"), 1): elements.append(.half)
            case (UInt8(ascii: "Z"), 1): elements.append(.offset)
            case (UInt8(ascii: "A")...UInt8(ascii: "Z"), _), (UInt8(ascii: "a")...UInt8(ascii: "z"), _): return nil
            default: elements += repeatElement(.literal(letter), count: run)
            }
            rest = rest.dropFirst(run)
        }
        let parts = elements.compactMap { if case .number(let part, _) = $0 { part } else { nil } }
        guard parts.contains(.year) != parts.contains(.yearOfCentury), parts.contains(.month),
            Set(parts).count == parts.count
        else { return nil }
        self.elements = elements
        namesHour = parts.contains(.hour) || parts.contains(.hourOfHalf)
    }

    /// - Returns: nil when `text` is not written this way from its first to its last character, or names no real time.
    package func read(_ text: String) -> Reading? {
        var copy = text
        return copy.withUTF8 { read($0) }
    }

    private func read(_ bytes: UnsafeBufferPointer<UInt8>) -> Reading? {
        var year = 0, month = 0, day = 1, hour = 0, hourOfHalf = 0, minute = 0, second = 0, milliseconds = 0
        var isAfternoon: Bool?
        var offset: Int64?
        var scanner = ByteScanner(bytes: bytes)
        for element in elements {
            switch element {
            case .literal(let byte):
                guard scanner.take(byte) else { return nil }
            case .half:
                guard let half = scanner.half() else { return nil }
                isAfternoon = half
            case .offset:
                guard let found = scanner.offset() else { return nil }
                offset = found
            case .number(let part, let digits):
                guard let number = scanner.number(digits) else { return nil }
                switch part {
                case .year: year = number
                case .yearOfCentury: year = 2_000 + number
                case .month: month = number
                case .day: day = number
                case .hour: hour = number
                case .hourOfHalf:
                    guard (1...12).contains(number) else { return nil }
                    hourOfHalf = number % 12
                case .minute: minute = number
                case .second: second = number
                case .fraction:
                    milliseconds = (0..<9 - digits.lowerBound).reduce(number) { scaled, _ in scaled * 10 } / 1_000_000
                }
            }
        }
        hour += hourOfHalf + (isAfternoon == true ? 12 : 0)
        guard scanner.isAtEnd, year > 0, (1...12).contains(month), hour < 24, minute < 60, second < 60,
            (1...CivilDate.daysInMonth(month, year: year)).contains(day)
        else { return nil }
        let days = CivilDate.dayNumber(year: year, month: month, day: day)
        return Reading(
            faceMilliseconds: days * 86_400_000 + Int64(((hour * 60 + minute) * 60 + second) * 1_000 + milliseconds),
            offset: offset)
    }
}

private struct ByteScanner {
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0

    var isAtEnd: Bool { position == bytes.count }

    mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    mutating func number(_ digits: ClosedRange<Int>) -> Int? {
        var value = 0
        var count = 0
        while count < digits.upperBound, position < bytes.count, case let digit = bytes[position] &- 0x30, digit < 10 {
            value = value * 10 + Int(digit)
            count += 1
            position += 1
        }
        return count >= digits.lowerBound ? value : nil
    }

    /// AM or PM in either case; true for PM.
    mutating func half() -> Bool? {
        guard position + 1 < bytes.count, bytes[position + 1] | 0x20 == UInt8(ascii: "m") else { return nil }
        let letter = bytes[position] | 0x20
        guard letter == UInt8(ascii: "a") || letter == UInt8(ascii: "p") else { return nil }
        position += 2
        return letter == UInt8(ascii: "p")
    }

    mutating func offset() -> Int64? {
        if take(UInt8(ascii: "Z")) { return 0 }
        let isEast = take(UInt8(ascii: "+"))
        guard isEast || take(UInt8(ascii: "-")), let hours = number(2...2) else { return nil }
        _ = take(UInt8(ascii: ":"))
        guard let minutes = number(2...2), hours <= 14, minutes < 60 else { return nil }
        return Int64(hours * 60 + minutes) * 60_000 * (isEast ? 1 : -1)
    }
}

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
