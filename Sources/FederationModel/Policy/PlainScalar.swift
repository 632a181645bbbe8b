/// One scalar of a text as a person reads it, whatever its width, style or alphabet.
struct PlainScalar {
    enum Kind: UInt8 {
        case digit
        /// A letter of the Latin alphabet.
        case letter
        /// What people put between the parts of one number: blanks, dashes, dots, brackets.
        case separator
        /// What more often stands between the members of a list.
        case comma
        case at
        case star
        case ideograph
        case other
        /// Nothing that is seen: zero-width characters, marks that only change how the scalar before them looks.
        case invisible
        /// Behind the last, before the first.
        case end
    }

    /// The plain form, its kind and its flags in one word: see `table`.
    private var entry: UInt32
    /// Its place in the text.
    let index: Int

    init(_ scalar: Unicode.Scalar, at index: Int, table: [UInt32] = PlainScalar.table) {
        entry = Self.entry(scalar, table)
        self.index = index
    }

    static func entry(_ scalar: Unicode.Scalar, _ table: [UInt32]) -> UInt32 {
        scalar.value < 0x10000 ? table[Int(scalar.value)] : makeEntry(scalar)
    }

    static func kind(_ entry: UInt32) -> Kind { Kind(rawValue: UInt8(entry >> 21 & 0xf)) ?? .other }

    var kind: Kind { Self.kind(entry) }
    /// `0` to `9` for a digit, upper case for a letter, else as it is.
    var scalar: Unicode.Scalar { Unicode.Scalar(entry & 0x1f_ffff) ?? " " }
    /// Whether a cue begins with it.
    var beginsCue: Bool { entry & Self.cueFlag != 0 }
    /// Whether an `at` can begin with it that is written out.
    var beginsAt: Bool { entry & Self.atFlag != 0 }
    /// Whether the text has a Chinese character here, which may be a digit.
    var isIdeographic: Bool { entry & Self.ideographFlag != 0 }
    var isSeen: Bool { entry & Self.unseenFlag == 0 }

    /// O, I or L.
    var looksLikeDigit: Bool { entry & Self.lookAlikeFlag != 0 }

    /// The letter as the digit that it looks like: O is 0, I and L are 1.
    mutating func readAsDigit() {
        entry = (scalar == "O" ? 0x30 : 0x31) | UInt32(Kind.digit.rawValue) << 21
    }

    static let cueFlag: UInt32 = 1 << 25
    static let atFlag: UInt32 = 1 << 26
    static let ideographFlag: UInt32 = 1 << 27
    static let lookAlikeFlag: UInt32 = 1 << 28
    private static let unseenFlag: UInt32 = 1 << 29

    /// The entries of the basic plane: a link asks for hundreds of millions of them.
    static let table: [UInt32] = (0..<0x10000).map { Unicode.Scalar(UInt32($0)).map(makeEntry) ?? 0x20 }

    private static func makeEntry(_ scalar: Unicode.Scalar) -> UInt32 {
        let (kind, form) = plain(scalar)
        return form.value | UInt32(kind.rawValue) << 21 | (Cue.all[form] != nil ? cueFlag : 0)
            | ("#＃([（【［{".unicodeScalars.contains(scalar) ? atFlag : 0)
            | (scalar.properties.isIdeographic ? ideographFlag : 0)
            | (kind == .invisible || scalar.properties.isWhitespace ? unseenFlag : 0)
            | (kind == .letter && "OIL".unicodeScalars.contains(form) ? lookAlikeFlag : 0)
    }

    static func plain(_ scalar: Unicode.Scalar) -> (Kind, Unicode.Scalar) {
        if let digit = digit(scalar) { return (.digit, Unicode.Scalar(UInt8(0x30) + digit)) }
        let value = scalar.value
        switch value {
        case 0x41...0x5a: return (.letter, scalar)
        case 0x61...0x7a: return (.letter, Unicode.Scalar(UInt8(value - 0x20)))
        case 0xff21...0xff3a: return (.letter, Unicode.Scalar(UInt8(value - 0xff21 + 0x41)))
        case 0xff41...0xff5a: return (.letter, Unicode.Scalar(UInt8(value - 0xff41 + 0x41)))
        case 0x4e00...0x9fff: return (.ideograph, scalar)
        case 0x2a, 0xff0a: return (.star, "*")
        case 0x40, 0xfe6b, 0xff20: return (.at, "@")
        // × and the letters of other alphabets that look like an X.
        case 0xd7, 0x3a7, 0x3c7, 0x425, 0x445: return (.letter, "X")
        default: break
        }
        if commas.contains(scalar) { return (.comma, ",") }
        if separators.contains(scalar) || scalar.properties.isWhitespace { return (.separator, scalar) }
        if value < 0x80 { return (value < 0x20 || value == 0x7f ? .invisible : .other, scalar) }
        if scalar.properties.isIdeographic { return (.ideograph, scalar) }
        switch scalar.properties.generalCategory {
        case .format, .control, .nonspacingMark, .enclosingMark: return (.invisible, scalar)
        case .dashPunctuation, .connectorPunctuation: return (.separator, scalar)
        default: return (scalar.properties.isDefaultIgnorableCodePoint ? .invisible : .other, scalar)
        }
    }

    private static let separators = Set("-−.·•・‧．。:：/／\\＼|｜~～_＿+＋()（）[]［］【】〔〕<>《》…\"'“”‘’".unicodeScalars)
    private static let commas = Set(",，、;；".unicodeScalars)

    /// The value of a digit, also of a full-width, raised or circled one, of another script's, and of a Chinese one.
    static func digit(_ scalar: Unicode.Scalar) -> UInt8? {
        switch scalar.value {
        case 0x30...0x39: return UInt8(scalar.value - 0x30)
        case ..<0xa0: return nil
        case 0xff10...0xff19: return UInt8(scalar.value - 0xff10)
        case 0x4e00...0x9fff: return chineseDigits[scalar]
        case 0x3007, 0x25cb, 0x25ef: return 0
        default:
            guard let type = scalar.properties.numericType, type != .numeric,
                let value = scalar.properties.numericValue
            else { return nil }
            return UInt8(value)
        }
    }

    private static let chineseDigits: [Unicode.Scalar: UInt8] = {
        let rows = ["零一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖", "零幺貳叄肆伍陸柒捌玖", "洞壱弐参肆伍陆拐捌勾"]
        var digits: [Unicode.Scalar: UInt8] = [:]
        for row in rows { for (value, scalar) in row.unicodeScalars.enumerated() { digits[scalar] = UInt8(value) } }
        return digits
    }()
}
