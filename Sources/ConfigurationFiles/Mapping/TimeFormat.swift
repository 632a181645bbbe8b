import FederationModel

/// A pattern that says how a source writes times, such as `yyyy/M/d H:mm:ss`.
///
/// `yyyy` year · `yy` year from 1970 to 2069 · `M` `MM` month · `MMM` month as an English word of three letters · `d` `dd` day ·
/// `H` `HH` hour 0–23 · `h` `hh` hour 1–12, with `a` AM or PM, 上午, 下午, 晚上 and their like · `m` `mm` minute · `s` `ss` second · `S`… fraction (that
/// many digits) · `E` day of the week, passed over · `Z` offset (`Z`, `UTC`, `+08:00`, `+0800`, `+08`) · text in '…' and
/// everything that is no letter stands for itself. One letter takes one or two digits, two letters exactly two. Without a day
/// it is the first of the month. Full-width digits and signs count as what they look like.
///
/// Three patterns are words: `serial`, a spreadsheet's days since the end of 1899; `epoch_seconds` and `epoch_milliseconds`
/// since 1970 UTC.
package struct TimeFormat: Hashable, Sendable {
    private enum Element: Hashable {
        case number(Part, digits: ClosedRange<Int>)
        case monthName
        case half
        case weekday
        case offset
        case literal(UInt8)
    }

    private enum Part: Int, Hashable {
        case year, yearOfCentury, month, day, hour, hourOfHalf, minute, second, fraction
    }

    private enum Kind: String, Hashable {
        case serial
        case epochSeconds = "epoch_seconds"
        case epochMilliseconds = "epoch_milliseconds"
    }

    /// A time as written: local, or UTC when the text names its offset.
    package struct Reading: Hashable, Sendable {
        /// Milliseconds since 1970 of the clock face, as if it stood in Greenwich.
        package let faceMilliseconds: Int64
        /// Offset from UTC in milliseconds, when the text names it.
        package let offset: Int64?
    }

    /// Why a pattern is none.
    package struct Fault: Error, Hashable, Sendable {
        package let reason: String
    }

    private let kind: Kind?
    private let elements: [Element]
    /// Whether it names a time of day, and not only the day.
    package let namesHour: Bool

    /// - Returns: nil when the pattern is not understood, or can't mean what it says.
    package init?(_ pattern: String) {
        do throws(Fault) {
            try self.init(checking: pattern)
        } catch {
            return nil
        }
    }

    /// - Throws: `Fault` when the pattern is not understood, or can't mean what it says.
    package init(checking pattern: String) throws(Fault) {
        kind = Kind(rawValue: pattern)
        if kind != nil {
            elements = []
            namesHour = true
            return
        }
        let (elements, literals) = try Self.elements(of: pattern)
        var parts: [Part] = []
        for element in elements {
            switch element {
            case .number(let part, _): parts.append(part)
            case .monthName: parts.append(.month)
            default: continue
            }
        }
        try Self.check(parts, halves: elements.count { $0 == .half }, literals: literals)
        self.elements = elements
        namesHour = parts.contains(.hour) || parts.contains(.hourOfHalf)
    }

    private static func elements(of pattern: String) throws(Fault) -> (elements: [Element], literals: String) {
        var elements: [Element] = []
        var literals: [UInt8] = []
        var rest = Array(pattern.utf8)[...]
        while let letter = rest.first {
            let run = rest.prefix { $0 == letter }.count
            if letter == UInt8(ascii: "'") {
                guard let close = rest.dropFirst().firstIndex(of: letter) else {
                    throw Fault(reason: "a quote ' is never closed")
                }
                let text = rest[(rest.startIndex + 1)..<close]
                elements += text.map { .literal($0) }
                literals += text
                rest = rest[(close + 1)...]
                continue
            }
            let digits = run == 1 ? 1...2 : run...run
            switch (letter, run) {
            case (UInt8(ascii: "y"), 4): elements.append(.number(.year, digits: digits))
            case (UInt8(ascii: "y"), 2): elements.append(.number(.yearOfCentury, digits: digits))
            case (UInt8(ascii: "M"), 1...2): elements.append(.number(.month, digits: digits))
            case (UInt8(ascii: "M"), 3): elements.append(.monthName)
            case (UInt8(ascii: "d"), 1...2): elements.append(.number(.day, digits: digits))
            case (UInt8(ascii: "H"), 1...2): elements.append(.number(.hour, digits: digits))
            case (UInt8(ascii: "h"), 1...2): elements.append(.number(.hourOfHalf, digits: digits))
            case (UInt8(ascii: "m"), 1...2): elements.append(.number(.minute, digits: digits))
            case (UInt8(ascii: "s"), 1...2): elements.append(.number(.second, digits: digits))
            case (UInt8(ascii: "S"), 1...9): elements.append(.number(.fraction, digits: run...run))
            case (UInt8(ascii: "a"), 1): elements.append(.half)
            case (UInt8(ascii: "E"), 1...4): elements.append(.weekday)
            case (UInt8(ascii: "Z"), 1): elements.append(.offset)
            case (UInt8(ascii: "A")...UInt8(ascii: "Z"), _), (UInt8(ascii: "a")...UInt8(ascii: "z"), _):
                throw Fault(
                    reason:
                        "'\(String(repeating: Character(UnicodeScalar(letter)), count: run))' has no meaning; letters that stand for themselves go in quotes"
                )
            default:
                elements += repeatElement(.literal(letter), count: run)
                literals += repeatElement(letter, count: run)
            }
            rest = rest.dropFirst(run)
        }
        return (elements, String(decoding: literals, as: UTF8.self))
    }

    /// Refuses what would read a time as another one.
    private static func check(_ parts: [Part], halves: Int, literals: String) throws(Fault) {
        let known = Set(parts)
        guard known.count == parts.count, halves < 2, !known.isSuperset(of: [.year, .yearOfCentury]) else {
            throw Fault(reason: "it names a part of the time twice")
        }
        guard known.contains(.year) || known.contains(.yearOfCentury), known.contains(.month) else {
            throw Fault(reason: "it names no year or no month (M, not m)")
        }
        if known.contains(.hourOfHalf), halves == 0 {
            throw Fault(
                reason: "h is an hour from 1 to 12 and needs a for AM and PM, 上午, 下午 and 晚上; hours from 0 to 23 are H")
        }
        if halves > 0, !known.contains(.hourOfHalf) || known.contains(.hour) {
            throw Fault(reason: "a goes with h, the hour from 1 to 12")
        }
        let order: [Part] = known.contains(.hourOfHalf) ? [.hourOfHalf, .minute, .second] : [.hour, .minute, .second]
        for (large, small) in zip([.day] + order, order + [.fraction])
        where known.contains(small) && !known.contains(large) {
            throw Fault(reason: "it names a part of the time without the larger one before it")
        }
        if halfWords.contains(where: literals.contains) {
            throw Fault(reason: "AM and PM, 上午, 下午 and 晚上 are the letter a; as plain text they would not count")
        }
        let namesOffset = literals.contains("UTC") || literals.contains("GMT") || literals.hasSuffix("Z")
        if namesOffset || literals.contains(/[+-]\d\d:?\d\d/) {
            throw Fault(reason: "an offset from UTC is the letter Z; as plain text it would not count")
        }
    }

    /// What says which half of the day an hour is in.
    private static let halfWords =
        TimeScanner.dayParts.map { "\($0.word)" } + ["午夜", "AM", "PM", "am", "pm", "A.M", "P.M", "a.m", "p.m"]

    /// - Returns: nil when `text` is not written this way from its first to its last character, or names no real time.
    package func read(_ text: String) -> Reading? {
        var copy = text
        if kind != nil { return number(text) }
        return copy.withUTF8 { bytes in
            // The first byte of every full-width letter, digit and sign, and of the ideographic blank.
            guard bytes.contains(where: { $0 == 0xEF || $0 == 0xE3 }) else { return read(bytes) }
            return Array(String(decoding: bytes, as: UTF8.self).halfWidth.utf8).withUnsafeBufferPointer { read($0) }
        }
    }

    /// 1973 to 9999: a count of seconds that is read as one of milliseconds lies before, the other way round behind.
    private static let seconds: Range<Double> = 100_000_000..<253_402_300_800

    /// Reads a count of days, seconds or milliseconds.
    private func number(_ text: String) -> Reading? {
        guard let kind, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E }), let number = Double(text)
        else {
            return nil
        }
        switch kind {
        case .serial:
            // Up to 9999-12-31. Whole seconds are all that a spreadsheet's decimals hold.
            guard (1..<2_958_466).contains(number) else { return nil }
            let day = Int64(number)
            let seconds = Int64((number * 86_400).rounded()) - 25_569 * 86_400 + (day < 60 ? 86_400 : 0)
            return Reading(faceMilliseconds: seconds * 1_000, offset: nil)
        case .epochSeconds:
            guard Self.seconds.contains(number) else { return nil }
            return Reading(faceMilliseconds: Int64((number * 1_000).rounded()), offset: 0)
        case .epochMilliseconds:
            guard Self.seconds.contains(number / 1_000) else { return nil }
            return Reading(faceMilliseconds: Int64(number), offset: 0)
        }
    }

    private func read(_ bytes: UnsafeBufferPointer<UInt8>) -> Reading? {
        var year = 0, month = 0, day = 1, hour = 0, hourOfHalf = 0, minute = 0, second = 0, milliseconds = 0
        var dayPart: DayPart?
        var offset: Int64?
        var scanner = TimeScanner(bytes: bytes)
        for element in elements {
            switch element {
            case .literal(let byte):
                guard scanner.take(byte) else { return nil }
            case .half:
                guard let part = scanner.dayPart() else { return nil }
                dayPart = part
            case .weekday:
                guard scanner.weekday() else { return nil }
            case .monthName:
                guard let name = scanner.monthName() else { return nil }
                month = name
            case .offset:
                guard let found = scanner.offset() else { return nil }
                offset = found
            case .number(let part, let digits):
                guard let number = scanner.number(digits) else { return nil }
                switch part {
                case .year: year = number
                // As POSIX has it, but that 1969 is 2069: nobody's records are older than 1970.
                case .yearOfCentury: year = number + (number < 70 ? 2_000 : 1_900)
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
        if let dayPart {
            guard let isAfternoon = dayPart.isAfternoon(hourOfHalf) else { return nil }
            hour = hourOfHalf + (isAfternoon ? 12 : 0)
        }
        guard scanner.isAtEnd, year > 0, (1...12).contains(month), hour < 24, minute < 60, second < 60,
            (1...CivilDate.daysInMonth(month, year: year)).contains(day)
        else { return nil }
        let days = CivilDate.dayNumber(year: year, month: month, day: day)
        return Reading(
            faceMilliseconds: days * 86_400_000 + Int64(((hour * 60 + minute) * 60 + second) * 1_000 + milliseconds),
            offset: offset)
    }
}

extension String {
    /// The same with full-width forms of ASCII as ASCII.
    fileprivate var halfWidth: String {
        var text = ""
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0xFF01...0xFF5E: text.unicodeScalars.append(Unicode.Scalar(UInt8(scalar.value - 0xFEE0)))
            case 0x3000: text += " "
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
