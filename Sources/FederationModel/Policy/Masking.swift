/// Masking of personal data (脱敏) in the formats of domain model 5.2. Pure; masking what is masked changes nothing, so every
/// hop of a link may do it again. What is masked fits into the column that the text came from.
package enum Masking: String, Sendable, CaseIterable {
    /// `张*`, `张**`.
    case name
    /// `138****8000`, `0531-****3456`.
    case phone
    /// `370***********0016`.
    case identity
    /// Down to the township: `济南市历下区解放路街道***`.
    case address
    /// Telephone and identity numbers, e-mail addresses and names after 姓名, 我叫 and 名叫 within a text.
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
        if self == .phone, text.utf8.count == 11, text.utf8.first != 0x30, text.utf8.allSatisfy({ $0 < 0x80 }) {
            return "\(text.prefix(3))****\(text.suffix(4))"
        }
        return switch self {
        case .name: Self.name(text)
        case .phone: Self.phone(Array(text.unicodeScalars))
        case .identity: Self.identity(Array(text.unicodeScalars))
        case .address: Self.address(text)
        case .freeText: FreeText(Array(text.unicodeScalars)).masked ?? text
        }
    }

    // MARK: - One value

    private static func name(_ text: String) -> String {
        // How long a name is helps to guess it, so there are two stars at most; 张 alone has nothing to hide behind.
        var scalars = text.unicodeScalars.makeIterator()
        guard let first = scalars.next(), scalars.next() != nil else { return "*" }
        return String(Character(first)) + (scalars.next() == nil ? "*" : "**")
    }

    private static func phone(_ text: [Unicode.Scalar]) -> String {
        if let dash = text.firstIndex(of: "-"), (3...4).contains(dash), text[0] == "0",
            text[..<dash].allSatisfy({ digit($0) != nil })
        {
            return string(text[...dash]) + local(text[(dash + 1)...])
        }
        return text.count < 11 ? local(text[...]) : string(text.prefix(3)) + stars(4) + string(text.suffix(4))
    }

    private static func local(_ text: ArraySlice<Unicode.Scalar>) -> String {
        text.count < 7 ? stars(4) : stars(4) + string(text.suffix(4))
    }

    fileprivate static func identity(_ text: [Unicode.Scalar]) -> String {
        text.count < 8
            ? stars(text.count) : string(text.prefix(3)) + stars(text.count - 7) + string(text.suffix(4))
    }

    private static func address(_ text: String) -> String {
        var (last, length): (Unicode.Scalar, Int) = (" ", 0)
        var (county, city): (String.Index?, String.Index?)
        var index = text.startIndex
        while index < text.endIndex, length < keptMax {
            let scalar = text.unicodeScalars[index]
            text.unicodeScalars.formIndex(after: &index)
            if isTownship(last, scalar) { return "\(text[..<index])***" }
            // 小区, 社区 and 园区 are no counties.
            if county == nil, length > 0, isCountyWord(scalar), !isCompoundWord(last) { county = index }
            if city == nil, scalar == "市" { city = index }
            (last, length) = (scalar, length + 1)
        }
        // The county, else the city.
        return "\(text[..<(county ?? city ?? text.startIndex)])***"
    }

    /// Characters in front of the stars; the column of the longest address has room for them.
    private static let keptMax = 200

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

    fileprivate static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var string = String.UnicodeScalarView()
        string.append(contentsOf: scalars)
        return String(string)
    }

    fileprivate static func stars(_ count: Int) -> String { String(repeating: "*", count: count) }

    /// The value of a digit, also of a full-width one, as input methods write it.
    fileprivate static func digit(_ scalar: Unicode.Scalar) -> UInt32? {
        switch scalar.value {
        case 0x30...0x39: scalar.value - 0x30
        case 0xff10...0xff19: scalar.value - 0xff10
        default: nil
        }
    }
}

/// Searches a text for what tells who somebody is.
private struct FreeText {
    private var text: [Unicode.Scalar]
    /// How many pieces have been hidden.
    private var hidden = 0

    init(_ text: [Unicode.Scalar]) { self.text = text }

    /// nil when there is nothing to hide.
    var masked: String? {
        var copy = self
        // What is left of one number may make another with its neighbour.
        var before: Int
        repeat {
            before = copy.hidden
            copy.maskNumbers()
        } while copy.hidden > before
        copy.maskAddresses()
        copy.maskNames()
        return copy.hidden > 0 ? Masking.string(copy.text) : nil
    }

    /// Digits in a row, also with one blank or dash between them. Eleven and more are never a date, a sum or a house.
    private mutating func maskNumbers() {
        var index = 0
        while index < text.count {
            guard Masking.digit(text[index]) != nil else {
                index += 1
                continue
            }
            let plain = endOfDigits(from: index, separated: false)
            let separated = endOfDigits(from: index, separated: true)
            let digits = text[index..<separated].compactMap(Masking.digit)
            let isMobile = digits.count == 11 && digits[0] == 1 && digits[1] >= 3
            let isLandline = digits[0] == 0 && (10...12).contains(digits.count)
            if isMobile || isLandline {
                hide(index..<separated)
                index = separated
            } else {
                let end =
                    plain < text.count && plain - index == 17 && (text[plain] == "X" || text[plain] == "x")
                    ? plain + 1 : plain
                if end - index >= 11 { hide(index..<end) }
                index = end
            }
        }
    }

    private func endOfDigits(from start: Int, separated: Bool) -> Int {
        var end = start
        while end < text.count {
            if Masking.digit(text[end]) != nil {
                end += 1
            } else if separated, "- ".unicodeScalars.contains(text[end]), end + 1 < text.count,
                Masking.digit(text[end + 1]) != nil
            {
                end += 1
            } else {
                break
            }
        }
        return end
    }

    /// Leaves the first three and the last four.
    private mutating func hide(_ range: Range<Int>) {
        for index in range.dropFirst(3).dropLast(4) { text[index] = "*" }
        hidden += 1
    }

    private mutating func maskAddresses() {
        for at in text.indices where text[at] == "@" {
            var start = at
            while start > 0, isMailbox(text[start - 1]) { start -= 1 }
            guard at - start > 0 else { continue }
            for index in (at - start > 3 ? start + 1 : start)..<at { text[index] = "*" }
            hidden += 1
        }
    }

    private func isMailbox(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII
            && (scalar.properties.isAlphabetic || Masking.digit(scalar) != nil
                || "._+-".unicodeScalars.contains(scalar))
    }

    /// The two characters after the first of a name.
    private mutating func maskNames() {
        for index in text.indices.dropFirst() {
            let isCue =
                text[index] == "叫" && "我名".unicodeScalars.contains(text[index - 1])
                || text[index] == "名" && text[index - 1] == "姓"
            guard isCue else { continue }
            var start = index + 1
            while start < text.count, ":: 是叫".unicodeScalars.contains(text[start]) { start += 1 }
            guard start < text.count, text[start].properties.isIdeographic else { continue }
            for index in (start + 1)..<min(start + 3, text.count) {
                guard text[index].properties.isIdeographic else { break }
                text[index] = "*"
                hidden += 1
            }
        }
    }
}
