/// Masking of personal data (脱敏) in the formats of domain model 5.2. Pure; masking what is masked changes nothing, so every
/// hop of a link may do it again. What is masked fits into the column that the text came from.
///
/// Widths, separators and invisible characters make no difference: see `PlainScalar`.
package enum Masking: String, Sendable, CaseIterable {
    /// `张*`, `张**`.
    case name
    /// `138****8000`, `0531-****3456`.
    case phone
    /// `370***********0016`.
    case identity
    /// Down to the township: `济南市历下区解放路街道***`.
    case address
    /// What tells who somebody is within a text, see `FreeText`.
    case freeText = "text"

    /// How a column of the built-in resources is masked. Whatever is not known to be something else is searched as a text.
    package static func of(column: String) -> Masking {
        switch column {
        case "reporter_name", "actor", "reviewer", "respondent_name": .name
        case "reporter_phone", "reporter_phone_alt", "caller", "value": .phone
        case "reporter_id_number", "respondent_uscc": .identity
        case "address_string": .address
        default: .freeText
        }
    }

    package func mask(_ text: String) -> String {
        if text.isEmpty { return text }
        // Most telephone numbers are mobiles, and a link masks hundreds of thousands a second.
        if self == .phone, text.utf8.count == 11, text.utf8.first == 0x31,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        {
            return "\(text.prefix(3))****\(text.suffix(4))"
        }
        return switch self {
        case .name: Self.name(text)
        case .phone: Self.phone(text)
        case .identity: Self.identity(text)
        case .address: Self.address(text)
        case .freeText: FreeText.masked(text) ?? text
        }
    }

    // MARK: - One value

    private static func name(_ text: String) -> String {
        // How long a name is helps to guess it, so there are two stars at most; 张 alone has nothing to hide behind.
        var (first, seen): (Unicode.Scalar, Int) = ("*", 0)
        for scalar in text.unicodeScalars where isCommonHan(scalar) || PlainScalar(scalar, at: 0).isSeen {
            if seen == 0 { first = scalar }
            seen += 1
            if seen == 3 { break }
        }
        return seen < 2 ? "*" : String(Character(first)) + (seen == 2 ? "*" : "**")
    }

    /// The digits alone decide what stays: a name beside the number must not.
    private static func phone(_ text: String) -> String {
        if isMaskedPhone(text) { return text }
        let digits = signs(of: text).filter(\.isNumber).map { String($0) }
        let last = digits.count < 7 ? "" : digits.suffix(4).joined()
        return first(of: digits, hasPlus: text.first.map { "+＋".contains($0) } ?? false) + "****" + last
    }

    /// The digits in front of the stars.
    private static func first(of digits: [String], hasPlus: Bool) -> String {
        if digits.count < 10 { return "" }
        // The area code: 010 and 02x have three digits.
        if digits[0] == "0", digits[1] != "0" { return digits.prefix("12".contains(digits[1]) ? 3 : 4).joined() + "-" }
        if digits.count == 10 { return "" }
        return hasPlus ? "+" + digits.prefix(2).joined() : digits.prefix(3).joined()
    }

    /// Whether `phone` has written it: at most four digits and a dash or a plus, four stars, none or four digits.
    private static func isMaskedPhone(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let star = bytes.firstIndex(of: UInt8(ascii: "*")) else { return false }
        var first = bytes[..<star]
        if first.first == UInt8(ascii: "+") {
            first.removeFirst()
        } else if first.last == UInt8(ascii: "-") {
            first.removeLast()
        }
        let last = bytes[star...].drop { $0 == UInt8(ascii: "*") }
        return first.count <= 4 && bytes.count - star - last.count == 4 && (last.isEmpty || last.count == 4)
            && first.allSatisfy(isDigit) && last.allSatisfy(isDigit)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func identity(_ text: String) -> String {
        let signs = signs(of: text)
        // A passport is so short that four digits of it say too much.
        let (first, last) = signs.count < 8 ? (0, 0) : signs.count < 15 ? (1, 2) : (3, 4)
        let hidden = max(1, signs.count - first - last)
        return String(signs.prefix(first)) + String(repeating: "*", count: hidden) + String(signs.suffix(last))
    }

    /// The plain digits, letters and stars of a number. A Chinese digit counts where it is not part of a name beside one.
    private static func signs(of text: String) -> [Character] {
        var (all, western): ([Character], [Character]) = ([], [])
        for scalar in text.unicodeScalars {
            let form = PlainScalar(scalar, at: 0)
            guard [.digit, .letter, .star].contains(form.kind) else { continue }
            all.append(Character(form.scalar))
            if !scalar.properties.isIdeographic { western.append(Character(form.scalar)) }
        }
        return western.count < 7 ? all : western
    }

    private static func address(_ text: String) -> String {
        let scalars = text.unicodeScalars
        var (last, length): (Unicode.Scalar, Int) = (" ", 0)
        var (county, city): (String.Index?, String.Index?)
        var index = scalars.startIndex
        while index < scalars.endIndex, length < keptMax {
            let scalar = scalars[index]
            let form = isCommonHan(scalar) ? nil : PlainScalar(scalar, at: 0)
            if let form, !form.isIdeographic {
                let isBetween = form.kind == .separator || form.kind == .comma
                guard form.kind == .invisible || isBetween && (length == 0 || isAreaWord(last)) else { break }
                // Between its parts there is nothing to keep.
                return address(String(text[..<index]) + String(text[scalars.index(after: index)...]))
            }
            // A street, a house or a number begins here: nothing behind it is a county.
            if isHouseWord(scalar) { break }
            scalars.formIndex(after: &index)
            if isTownship(last, scalar) { return "\(text[..<index])***" }
            // 小区, 社区 and 园区 are no counties.
            if county == nil, length > 0, isCountyWord(scalar), !isCompoundWord(last) { county = index }
            if city == nil, scalar == "市" { city = index }
            (last, length) = (scalar, length + 1)
        }
        // The county, else the city.
        return "\(text[..<(county ?? city ?? text.startIndex)])***"
    }

    private static func isCommonHan(_ scalar: Unicode.Scalar) -> Bool { (0x4e00...0x9fff).contains(scalar.value) }

    private static func isHouseWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "号", "栋", "幢", "室", "弄", "户": true
        default: false
        }
    }

    /// Characters in front of the stars; the column of the longest address has room for them.
    private static let keptMax = 200

    private static func isAreaWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "省", "市", "区", "县", "旗", "州", "盟", "镇", "乡", "道": true
        default: false
        }
    }

    private static func isTownship(_ last: Unicode.Scalar, _ scalar: Unicode.Scalar) -> Bool {
        switch (last, scalar) {
        case (_, "镇"), (_, "乡"), ("街", "道"), ("苏", "木"): true
        default: false
        }
    }

    private static func isCountyWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "区", "县", "旗": true
        default: false
        }
    }

    private static func isCompoundWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "小", "社", "园", "厂", "校", "院": true
        default: false
        }
    }
}
