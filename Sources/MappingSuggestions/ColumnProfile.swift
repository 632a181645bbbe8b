import ConfigurationFiles
import FederationModel

/// What the values of one column of a sample look like. It keeps counts, a few dates and short words that recur, and no
/// text, so its size does not depend on the file.
struct ColumnProfile {
    /// How the values of a column are written as times.
    struct Times: Hashable {
        /// Tried in order; together they read nearly all values.
        var formats: [String]
        /// Whether year, day and month could as well be in another order.
        var isOrderUnsure = false
        var namesHour = true
        var hasOffset = false
    }

    /// What a value can look like besides a time.
    enum Shape: Hashable, CaseIterable {
        case latitude, longitude, coordinatePair, phone, identityNumber, creditCode, number, whole, timeOfDay, long
    }

    let name: String
    /// Its position in the file.
    let position: Int
    private(set) var rows = 0
    private(set) var filled = 0
    private var hashes: Set<Int> = []
    /// Short values and how often each occurs, as long as they are few.
    private(set) var words: [String: Int]? = [:]
    private var shapes: [Shape: Int] = [:]
    /// By the outline of a value (its digits as 9, its letters as a): how many there are, and some of them.
    private var outlines: [String: (count: Int, examples: [String])] = [:]
    /// The first coordinate pair or, in a column of numbers, the mean; for guessing a time zone.
    private(set) var firstPair: (lat: Double, long: Double)?
    private var sum = 0.0
    /// How the column writes zero, which in coordinates means that there are none.
    private(set) var zeros: Set<String> = []
    /// Words for nothing that were seen, such as NULL; their cells count as empty.
    private(set) var placeholders: Set<String> = []
    /// Bytes of the longest value.
    private(set) var bytesMax = 0
    /// By row, for the first of them: equal numbers are equal values.
    private(set) var rowHashes: [Int] = []
    private var withDigits = 0
    /// Whole numbers, each one more than the one before.
    private var steps = 0
    private var firstNumber: Int?
    private var lastNumber: Int?
    /// Values that are frequent, with at least how often each occurs (Misra and Gries, 1982).
    private var frequent: [String: Int] = [:]

    init(name: String, position: Int) {
        self.name = name
        self.position = position
    }

    private static let wordsMax = 200
    private static let outlinesMax = 40
    private static let examplesMax = 200
    private static let rowHashesMax = 5_000
    private static let frequentMax = 40
    /// What systems write where they know nothing.
    private static let wordsForNothing: Set<String> = [
        "NULL", "null", "Null", "(null)", "<null>", "nil", "\\N", "N/A", "n/a", "NA", "<NA>", "NaN", "nan", "NaT",
        "None", "none",
        "NONE", "#N/A", "#VALUE!", "#REF!", "#NULL!", "-", "--", "---", "/", "无", "暂无", "空", "(空)", "（空）", "未填", "未填写",
        "不详",
    ]

    mutating func add(_ text: String) {
        let isNothing = Self.wordsForNothing.contains(text)
        if isNothing { placeholders.insert(text) }
        let value = isNothing ? "" : text
        rows += 1
        if rowHashes.count < Self.rowHashesMax { rowHashes.append(value.hashValue) }
        guard !value.isEmpty else { return }
        filled += 1
        hashes.insert(value.hashValue)
        bytesMax = max(bytesMax, value.utf8.count)
        if value.utf8.contains(where: { (0x30...0x39).contains($0) }) { withDigits += 1 }
        addNumber(value)
        addFrequent(value)
        if value.utf8.count <= 60, words != nil {
            words?[value, default: 0] += 1
            if let count = words?.count, count > Self.wordsMax { words = nil }
        } else {
            words = nil
        }
        for shape in Self.shapes(of: value) { shapes[shape, default: 0] += 1 }
        if let number = Double(value) {
            sum += number
            if number == 0, zeros.count < 4 { zeros.insert(value) }
        }
        if firstPair == nil, let pair = coordinatePair(value), pair.lat != 0 { firstPair = pair }
        // A time begins with a digit, which may be a full-width one, or with its day of the week.
        if value.utf8.count <= 60, value.unicodeScalars.first.map(Self.beginsTime) ?? false { addOutline(value) }
    }

    private mutating func addNumber(_ value: String) {
        let number = value.utf8.count <= 18 ? Int(value) : nil
        if filled == 1 { firstNumber = number }
        if let number, let lastNumber, number == lastNumber + 1 { steps += 1 }
        lastNumber = number
    }

    private mutating func addFrequent(_ value: String) {
        guard value.utf8.count <= 1_000 else { return }
        if frequent[value] != nil || frequent.count < Self.frequentMax {
            frequent[value, default: 0] += 1
        } else {
            frequent = frequent.compactMapValues { $0 > 1 ? $0 - 1 : nil }
        }
    }

    private mutating func addOutline(_ value: String) {
        let outline = String(
            value.unicodeScalars.map { scalar -> Character in
                switch scalar {
                case "0"..."9": "9"
                case "a"..."z", "A"..."Z": "a"
                case "０"..."９": "９"
                default: Character(scalar)
                }
            })
        guard outlines[outline] != nil || outlines.count < Self.outlinesMax else { return }
        var known = outlines[outline] ?? (0, [])
        outlines[outline] = nil
        known.count += 1
        if known.examples.count < Self.examplesMax {
            known.examples.append(value)
        } else {
            // Each value has the same chance to stay: a file is mostly in the order of time, and neither its first days
            // nor its last need have one above the 12th. The draw is the same in each run.
            var draw = SplitMix64(seed: UInt64(known.count))
            let slot = Int(draw.next() % UInt64(known.count))
            if slot < Self.examplesMax { known.examples[slot] = value }
        }
        outlines[outline] = known
    }

    private static func beginsTime(_ scalar: Unicode.Scalar) -> Bool {
        ("0"..."9").contains(scalar) || (0xFF10...0xFF19).contains(scalar.value)
            || "星周JFMASONDTW".unicodeScalars.contains(scalar)
    }

    // MARK: - What it looks like

    var isEmpty: Bool { filled == 0 }
    var distinct: Int { hashes.count }
    var isUnique: Bool { filled > 0 && hashes.count == filled }
    var mean: Double { filled == 0 ? 0 : sum / Double(filled) }

    /// Whether it counts its rows: 1, 2, 3 and so on, or from 0.
    var countsRows: Bool { rows > 1 && filled == rows && steps == rows - 1 && (0...1).contains(firstNumber ?? -1) }
    /// Whether nearly every value holds a digit, as numbers of things do and names of people do not.
    var hasDigits: Bool { filled > 0 && withDigits * 10 >= filled * 9 }

    /// Values that at least one in twenty rows has.
    var repeated: [(value: String, count: Int)] {
        frequent.filter { $0.value >= 5 && $0.value * 20 >= filled }.map { (value: $0.key, count: $0.value) }
            .sorted { ($1.count, $0.value) < ($0.count, $1.value) }
    }

    /// Whether at least nine of ten values have this shape.
    func looks(_ shape: Shape) -> Bool { filled > 0 && shapes[shape, default: 0] * 10 >= filled * 9 }

    /// Whether every value has this shape.
    func isAlways(_ shape: Shape) -> Bool { filled > 0 && shapes[shape] == filled }

    /// Whether it holds numbers that are not whole.
    var hasFractions: Bool { looks(.number) && !looks(.whole) }

    /// Short values that occur more than once, or all of a column that has few.
    var frequentWords: [String] { frequent.keys.filter { $0.utf8.count <= 60 } }

    /// How a column of times of day is written; nil when it is none.
    var timeOfDay: String? {
        guard looks(.timeOfDay), let most = outlines.values.max(by: { $0.count < $1.count }) else { return nil }
        return TimePattern.timesOfDay.first { $0.reads(most.examples) }?.text
    }

    /// How the column's times are written; nil unless four of five values are times.
    ///
    /// - Parameter isNamedTime: whether its name says that it is a time; only then can plain numbers be.
    func times(isNamedTime: Bool) -> Times? {
        let patterns = TimePattern.all + (isNamedTime ? TimePattern.counts : [])
        let counted = outlines.values.sorted { $0.count > $1.count }
        // By outline: the patterns that read it.
        let readers = counted.map { outline in Set(patterns.indices.filter { patterns[$0].reads(outline.examples) }) }
        var rest = Array(counted.indices)
        var chosen: [TimePattern] = []
        while !rest.isEmpty, chosen.count < 4 {
            let gains = patterns.indices.map { pattern in
                rest.filter { readers[$0].contains(pattern) }.reduce(0) { $0 + counted[$1].count }
            }
            guard let best = gains.max(), best > 0, let index = gains.firstIndex(of: best) else { break }
            chosen.append(patterns[index])
            rest.removeAll { readers[$0].contains(index) }
        }
        let left = rest.reduce(0) { $0 + counted[$1].count }
        let read = counted.reduce(0) { $0 + $1.count } - left
        guard !chosen.isEmpty, read * 5 >= filled * 4 else { return nil }
        let unsure = chosen.contains { pattern in
            let read = counted.filter { pattern.reads($0.examples) }
            return pattern.reordered.contains { other in read.allSatisfy { other.reads($0.examples) } }
        }
        return Times(
            formats: chosen.map(\.text), isOrderUnsure: unsure, namesHour: chosen[0].format.namesHour,
            hasOffset: chosen[0].text.hasSuffix("Z") || chosen[0].text.hasPrefix("epoch"))
    }

    private static func shapes(of value: String) -> [Shape] {
        var shapes: [Shape] = []
        let bytes = Array(value.utf8)
        if let number = Double(value), number.isFinite {
            shapes.append(.number)
            if Int64(value.hasSuffix(".0") ? value.dropLast(2) : value[...]) != nil { shapes.append(.whole) }
            if abs(number) <= 90 { shapes.append(.latitude) }
            if abs(number) <= 180 { shapes.append(.longitude) }
        } else if coordinatePair(value) != nil {
            shapes.append(.coordinatePair)
        }
        let digits = bytes.filter { (0x30...0x39).contains($0) }
        if isPhone(bytes, digits: digits) { shapes.append(.phone) }
        if bytes.count == 18, digits.count >= 17, bytes.prefix(17).allSatisfy({ (0x30...0x39).contains($0) }) {
            shapes.append(.identityNumber)
        } else if bytes.count == 18, bytes.allSatisfy(isDigitOrCapital) {
            shapes.append(.creditCode)
        }
        if TimePattern.timesOfDay.contains(where: { $0.reads([value]) }) { shapes.append(.timeOfDay) }
        if value.count > 60 { shapes.append(.long) }
        return shapes
    }
}

/// Chinese mobile and landline numbers, and what was masked of them.
private func isPhone(_ bytes: [UInt8], digits: [UInt8]) -> Bool {
    guard (7...16).contains(bytes.count), digits.count >= 7,
        bytes.allSatisfy({ (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x20, 0x28, 0x29].contains($0) })
    else { return false }
    let one = UInt8(ascii: "1")
    if digits.count == 11, digits[0] == one { return digits[1] >= 0x33 }
    return (10...12).contains(digits.count) && digits[0] == UInt8(ascii: "0")
        || digits.count == 10 && bytes.count > 10
}

private func isDigitOrCapital(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) }

/// `(42.3574, -71.0648)`, with or without parentheses.
private func coordinatePair(_ value: String) -> (lat: Double, long: Double)? {
    guard value.utf8.count <= 60, value.utf8.contains(UInt8(ascii: ",")) else { return nil }
    var text = value[...]
    if text.hasPrefix("("), text.hasSuffix(")") { text = text.dropFirst().dropLast() }
    let parts = text.split(separator: ",").map { $0.drop { $0 == " " } }
    guard parts.count == 2, let lat = Double(parts[0]), let long = Double(parts[1]), parts[0].contains("."),
        abs(lat) <= 90, abs(long) <= 180
    else { return nil }
    return (lat, long)
}
