import FederationModel

/// What people write for codes in a filter on one dimension.
struct FilterWords {
    private let list: CodeList
    private let dimension: Analysis.Dimension
    private let codes: [ExactText: String]

    init(_ list: CodeList, _ dimension: Analysis.Dimension) {
        self.list = list
        self.dimension = dimension
        codes = list.codesByName(within: nil)
    }

    /// - Throws: `E_FILTER_VALUE` for a word that is not known, with those that are.
    func filter(_ comparison: FilterOperator, _ words: [String]) throws(FederationError) -> Analysis.Filter {
        var values: [String] = []
        var cuts: Set<Analysis.Dimension> = []
        for word in words {
            let (code, cut) = try value(of: word, isPrefix: comparison == .hasPrefix)
            values.append(code)
            cuts.insert(cut)
        }
        guard cuts.count == 1, let cut = cuts.first else {
            throw FederationError(
                "E_FILTER_VALUE", "the filter on \(dimension) names several levels at once",
                hint: "write one filter for each level, such as region:city and region:county")
        }
        return try Analysis.Filter(cut, comparison, values)
    }

    /// The code that a word stands for, and the dimension that has it as a value.
    private func value(
        of word: String, isPrefix: Bool
    ) throws(FederationError) -> (code: String, of: Analysis.Dimension) {
        if isKnown(word, isPrefix: isPrefix) { return (word, dimension) }
        // As tables print it, with its code in front.
        if let (code, title) = word.codeAndTitle, list.title(of: code) == title { return (code, dimension) }
        guard let code = codes[ExactText(CodeList.joinedLevels(word))] else { throw unknown }
        return (code, isPrefix ? dimension : dimension.level(of: code))
    }

    /// Whether it is a code, or may be one: of regions and categories more are stored than are listed.
    private func isKnown(_ word: String, isPrefix: Bool) -> Bool {
        if list.contains(word) { return true }
        if isPrefix, list.entries.contains(where: { $0.code.utf8.starts(with: word.utf8) }) { return true }
        switch dimension.codes {
        case .regions: return word.utf8.allSatisfy { (0x30...0x39).contains($0) }
        case .services:
            return list.entries.isEmpty || word.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2e }
        case .none, .numbers, .nodes, .units, .list, .own: return false
        }
    }

    private static let listedMax = 40

    private var unknown: FederationError {
        let titles = list.entries.map(\.title)
        let known =
            titles.count <= Self.listedMax
            ? list.entries.map { "\($0.code) \($0.title)" }.joined(separator: ", ")
            : "\(titles.count) of \(list.title); `reference show` prints them"
        return FederationError(
            "E_FILTER_VALUE", "the filter on \(dimension) has a value that is not known, or stands for several",
            hint: "known: \(known)")
    }
}

extension String {
    /// `370102 历下区` in two.
    fileprivate var codeAndTitle: (code: String, title: String)? {
        guard let blank = utf8.firstIndex(of: UInt8(ascii: " ")) else { return nil }
        return (String(self[..<blank]), String(self[utf8.index(after: blank)...]))
    }
}

extension Analysis.Dimension {
    /// What everything has as its value that lies in a region or category, in place of the code as it is stored.
    fileprivate func level(of code: String) -> Analysis.Dimension {
        switch self {
        case .region(nil):
            switch code.utf8.count {
            case 6: .region(code.hasSuffix("0000") ? .province : code.hasSuffix("00") ? .city : .county)
            case 9: .region(.town)
            default: self
            }
        case .service(levels: nil):
            Self.cut(toLevels: code.utf8.count { $0 == UInt8(ascii: ".") } + 1) ?? self
        default: self
        }
    }

    private static func cut(toLevels levels: Int) -> Analysis.Dimension? {
        levels <= serviceLevelsMax ? .service(levels: levels) : nil
    }
}

extension Analysis.Dimension.TimeCut {
    /// How its values are written, `0` for a digit; nil where a list says it.
    var shape: String? {
        switch self {
        case .day: "2025-09-30"
        case .week: "2025-W40"
        case .month: "2025-09"
        case .quarter: "2025-Q3"
        case .year: "2025"
        case .hour: "09"
        case .weekday: nil
        case .hourOfWeek: "1-09"
        }
    }

    /// Whether a time can have a value that begins so.
    func hasAny(beginning prefix: String) -> Bool {
        guard let shape, prefix.unicodeScalars.allSatisfy(\.isASCII), prefix.utf8.count <= shape.utf8.count else {
            return false
        }
        return Self.endings.contains { has(prefix + $0[self, default: ""].dropFirst(prefix.utf8.count)) }
    }

    /// Values that end in every way, of any year.
    private static let endings: [[Self: String]] = (0..<372).map { number in
        func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let (month, day) = (number / 31 + 1, number % 31 + 1)
        // Leap years and years with a 53rd week among them.
        let year = 2_000 + number % 100
        return [
            .day: "\(year)-\(padded(month))-\(padded(day))", .week: "\(year)-W\(padded(number % 53 + 1))",
            .month: "\(year)-\(padded(month))", .quarter: "\(year)-Q\(number % 4 + 1)", .year: "\(year)",
            .hour: padded(number % 24), .hourOfWeek: "\(number % 7 + 1)-\(padded(number % 24))",
        ]
    }

    /// Whether a time can have that value.
    func has(_ value: String) -> Bool {
        func number(_ digits: Substring, _ range: ClosedRange<Int>) -> Bool {
            digits.utf8.allSatisfy { (0x30...0x39).contains($0) } && Int(digits).map(range.contains) == true
        }
        guard let shape, value.utf8.count == shape.utf8.count, value.unicodeScalars.allSatisfy(\.isASCII) else {
            return false
        }
        if let calendarUnit { return CalendarPeriod(calendarUnit, value) != nil }
        switch self {
        case .hour: return number(value.prefix(2), 0...23)
        case .hourOfWeek:
            return number(value.prefix(1), 1...7) && value.dropFirst(1).hasPrefix("-")
                && number(value.suffix(2), 0...23)
        default: return true
        }
    }

    /// Nil for what comes again each day or week.
    package var calendarUnit: CalendarPeriod.Unit? { CalendarPeriod.Unit(rawValue: rawValue) }
}
