import FederationModel

/// The hotline's own ticket number (domain model 2.6): region (6), day (8), channel (2), sequence of the day (at least 6
/// digits), check digit.
enum TicketNumber {
    static func make(region: String, dayNumber: Int64, channel: String, sequence: Int) -> String {
        let date = CivilDate.date(dayNumber: dayNumber)
        var digits: [UInt8] = []
        digits.reserveCapacity(24)
        digits += region.utf8.map { $0 - 0x30 }
        appendDigits(date.year * 10_000 + date.month * 100 + date.day, width: 8, to: &digits)
        digits += channel.utf8.map { $0 - 0x30 }
        appendDigits(sequence, width: 6, to: &digits)
        digits.append(checkDigit(digits))
        return String(decoding: digits.map { $0 + 0x30 }, as: UTF8.self)
    }

    /// ISO 7064 MOD 11,10.
    static func checkDigit(_ digits: [UInt8]) -> UInt8 {
        var product = 10
        for digit in digits {
            let sum = (product + Int(digit)) % 10
            product = (sum == 0 ? 10 : sum) * 2 % 11
        }
        return UInt8((11 - product) % 10)
    }

    private static func appendDigits(_ value: Int, width: Int, to digits: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            digits.append(UInt8(value / divisor % 10))
            divisor /= 10
        }
    }
}
