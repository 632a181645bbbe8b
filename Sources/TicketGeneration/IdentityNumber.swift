/// Invented numbers of persons and organisations whose check characters are right, and some that are wrong on purpose.
enum IdentityNumber {
    /// 居民身份证号 (GB 11643), 18 characters: region, birth date, three digits, check character (ISO 7064 MOD 11-2).
    ///
    /// - Parameter birth: `yyyyMMdd`; it may be a date that does not exist.
    static func person(region: String, birth: String, serial: Int) -> String {
        let digits = region + birth + padded(serial, 3)
        return digits + checkCharacter(of: digits)
    }

    /// The form before 1999: two digits of the year, no check character.
    static func oldForm(of number: String) -> String { "\(number.prefix(6))\(number.dropFirst(8).prefix(9))" }

    /// The same number with another check character.
    static func withWrongCheck(_ number: String) -> String {
        "\(number.dropLast())\(number.hasSuffix("7") ? 3 : 7)"
    }

    private static func checkCharacter(of digits: String) -> String {
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
        let sum = zip(digits.utf8, weights).reduce(0) { $0 + Int($1.0 - 0x30) * $1.1 }
        return String(decoding: [Array("10X98765432".utf8)[sum % 11]], as: UTF8.self)
    }

    // MARK: - 统一社会信用代码

    /// GB 32100: 登记管理部门 9, 机构类别 1 (enterprise), region, 9 characters of the organisation with its own check
    /// character (GB 11714), check character.
    static func enterprise(region: String, serial: Int) -> String {
        let organisation = "MA" + padded(serial, 6)
        let body = "91" + region + organisation + organisationCheck(organisation)
        return body + creditCheck(body)
    }

    private static func organisationCheck(_ text: String) -> String {
        let weights = [3, 7, 9, 10, 5, 8, 4, 2]
        let value = (11 - zip(values(text, of: letters36), weights).reduce(0) { $0 + $1.0 * $1.1 } % 11) % 11
        return value == 10 ? "X" : String(value)
    }

    private static func creditCheck(_ text: String) -> String {
        var weight = 1
        var sum = 0
        for value in values(text, of: letters31) {
            sum += value * weight
            weight = weight * 3 % 31
        }
        return String(decoding: [letters31[(31 - sum % 31) % 31]], as: UTF8.self)
    }

    private static let letters31 = Array("0123456789ABCDEFGHJKLMNPQRTUWXY".utf8)
    private static let letters36 = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)

    private static func values(_ text: String, of letters: [UInt8]) -> [Int] {
        text.utf8.map { letters.firstIndex(of: $0) ?? 0 }
    }

    static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
