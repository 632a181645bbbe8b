/// Reads the parts of a time from the left.
struct TimeScanner {
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

    /// A word for a part of the day, or AM and PM in either case and with full stops.
    mutating func dayPart() -> DayPart? {
        for (word, part) in Self.dayParts where take(word) { return part }
        guard let letter = letter, letter == UInt8(ascii: "a") || letter == UInt8(ascii: "p") else { return nil }
        position += 1
        let isStopped = take(UInt8(ascii: "."))
        guard self.letter == UInt8(ascii: "m") else { return nil }
        position += 1
        if isStopped { guard take(UInt8(ascii: ".")) else { return nil } }
        return letter == UInt8(ascii: "p") ? .afternoon : .beforeNoon
    }

    static let dayParts: [(word: StaticString, part: DayPart)] = [
        ("上午", .beforeNoon), ("下午", .afternoon), ("凌晨", .beforeNoon), ("清晨", .morning), ("早上", .morning),
        ("早晨", .morning), ("中午", .noon), ("午后", .afternoon), ("傍晚", .evening), ("晚上", .evening), ("夜间", .evening),
    ]

    /// A month as an English word of three letters, in any case.
    mutating func monthName() -> Int? {
        let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        guard let word = word(3), let month = names.firstIndex(of: word) else { return nil }
        return month + 1
    }

    /// A day of the week: 星期五, 周五, Fri or Friday.
    mutating func weekday() -> Bool {
        if take("星期") || take("礼拜") || take("周") {
            return ["一", "二", "三", "四", "五", "六", "日", "天"].contains { take($0) }
        }
        let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        guard let start = word(3), let name = names.first(where: { $0.hasPrefix(start) }) else { return false }
        let rest = position
        if word(name.utf8.count - 3) != String(name.dropFirst(3)) { position = rest }
        return true
    }

    mutating func offset() -> Int64? {
        if take(UInt8(ascii: "Z")) || take("UTC") || take("GMT") { return 0 }
        let isEast = take(UInt8(ascii: "+"))
        guard isEast || take(UInt8(ascii: "-")), let hours = number(2...2) else { return nil }
        var minutes = 0
        if take(UInt8(ascii: ":")) || !isAtEnd {
            guard let number = number(2...2) else { return nil }
            minutes = number
        }
        guard hours <= 14, minutes < 60 else { return nil }
        return Int64(hours * 60 + minutes) * 60_000 * (isEast ? 1 : -1)
    }

    private var letter: UInt8? { position < bytes.count ? bytes[position] | 0x20 : nil }

    private mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count, (0..<count).allSatisfy({ bytes[position + $0] == text.utf8Start[$0] })
        else {
            return false
        }
        position += count
        return true
    }

    /// So many letters, in lower case.
    private mutating func word(_ count: Int) -> String? {
        guard position + count <= bytes.count else { return nil }
        let letters = bytes[position..<position + count].map { $0 | 0x20 }
        guard letters.allSatisfy({ (0x61...0x7A).contains($0) }) else { return nil }
        position += count
        return String(decoding: letters, as: UTF8.self)
    }
}

/// What a word says of an hour from 1 to 12.
enum DayPart {
    case beforeNoon
    case morning
    case noon
    case afternoon
    case evening

    /// Whether it is in the second half of the day; nil where people mean either.
    ///
    /// - Parameter hour: 0 for 12.
    func isAfternoon(_ hour: Int) -> Bool? {
        switch self {
        case .beforeNoon: false
        case .afternoon: true
        // 早上12点 is no hour of a morning.
        case .morning: hour == 0 ? nil : false
        case .noon: hour == 11 ? false : hour <= 2 ? true : nil
        // 晚上12点 and 晚上1点 belong to the night before or to the one that begins.
        case .evening: hour >= 5 ? true : nil
        }
    }
}
