/// A hotline's own ticket number (工单编号): region, Shanghai's day, channel, sequence of the day and a check digit, 23 digits in
/// all (domain model 2.6).
///
/// It is a label for people, never a key: two tickets may carry one number, and numbers of other forms are as good.
package struct TicketNumber: Hashable, Sendable, CustomStringConvertible {
    /// GB/T 2260, 6 digits.
    package let region: String
    /// The day in Shanghai; see `ShanghaiTime.dayNumber`.
    package let dayNumber: Int64
    /// A code of the list of channels, 2 digits.
    package let channel: String
    /// One of `sequences`; starts again with each day.
    package let sequence: Int

    /// What six digits can say.
    package static let sequences = 1...999_999

    /// - Returns: nil when a part does not fit its digits.
    package init?(region: String, dayNumber: Int64, channel: String, sequence: Int) {
        guard Self.digits(region, count: 6) != nil, Self.digits(channel, count: 2) != nil,
            Self.sequences.contains(sequence), Self.days.contains(dayNumber)
        else { return nil }
        self.region = region
        self.dayNumber = dayNumber
        self.channel = channel
        self.sequence = sequence
    }

    /// Reads a number.
    ///
    /// - Returns: nil unless it is 23 ASCII digits with a date that exists and the right check digit.
    package init?(_ text: String) {
        guard let digits = Self.digits(text, count: 23), Self.checkDigit(of: digits[..<22]) == digits[22] else {
            return nil
        }
        func number(_ range: Range<Int>) -> Int { digits[range].reduce(0) { $0 * 10 + Int($1) } }
        func string(_ range: Range<Int>) -> String {
            String(decoding: text.utf8.dropFirst(range.lowerBound).prefix(range.count), as: UTF8.self)
        }
        let (year, month, day) = (number(6..<10), number(10..<12), number(12..<14))
        guard (1...12).contains(month), (1...CivilDate.daysInMonth(month, year: year)).contains(day) else { return nil }
        self.init(
            region: string(0..<6), dayNumber: CivilDate.dayNumber(year: year, month: month, day: day),
            channel: string(14..<16), sequence: number(16..<22))
    }

    package var description: String {
        let date = CivilDate.date(dayNumber: dayNumber)
        var digits: [UInt8] = []
        digits.reserveCapacity(23)
        digits += region.utf8.map { $0 - 0x30 }
        Self.append(date.year * 10_000 + date.month * 100 + date.day, width: 8, to: &digits)
        digits += channel.utf8.map { $0 - 0x30 }
        Self.append(sequence, width: 6, to: &digits)
        digits.append(Self.checkDigit(of: digits[...]))
        return String(decoding: digits.map { $0 + 0x30 }, as: UTF8.self)
    }

    /// The days that four digits of a year can say.
    private static let days =
        CivilDate.dayNumber(year: 1, month: 1, day: 1)...CivilDate.dayNumber(year: 9_999, month: 12, day: 31)

    private static func digits(_ text: String, count: Int) -> [UInt8]? {
        guard text.utf8.count == count, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return text.utf8.map { $0 - 0x30 }
    }

    /// ISO 7064 MOD 11,10.
    private static func checkDigit(of digits: ArraySlice<UInt8>) -> UInt8 {
        var product = 10
        for digit in digits {
            let sum = (product + Int(digit)) % 10
            product = (sum == 0 ? 10 : sum) * 2 % 11
        }
        return UInt8((11 - product) % 10)
    }

    private static func append(_ value: Int, width: Int, to digits: inout [UInt8]) {
        var divisor = (1..<width).reduce(1) { power, _ in power * 10 }
        while divisor > 0 {
            digits.append(UInt8(value / divisor % 10))
            divisor /= 10
        }
    }
}
