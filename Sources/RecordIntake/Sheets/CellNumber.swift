import FederationModel

/// What the format of a cell makes of its number.
enum NumberFormat: Hashable {
    case number
    /// Whole numbers of so many digits, zeros before them: `000000`.
    case padded(Int)
    case date
    case time
    case dateTime
    /// Hours beyond a day, as in `[h]:mm`.
    case duration

    /// One of Excel's own formats (ECMA-376, part 1, 18.8.30, with those of East Asia).
    init(builtIn id: Int) {
        switch id {
        case 14...17, 27...31, 36, 50...54, 57, 58: self = .date
        case 18...21, 32...35, 45, 47, 55, 56: self = .time
        case 22: self = .dateTime
        case 46: self = .duration
        default: self = .number
        }
    }

    /// A format that the workbook defines, for instance `yyyy"年"m"月"d"日" h:mm`.
    init(code: String) {
        var letters = ""
        var rest = Array(code.lowercased().prefix { $0 != ";" })[...]
        while let letter = rest.popFirst() {
            switch letter {
            case "\"": rest = rest.drop { $0 != "\"" }.dropFirst()
            case "\\", "_", "*": _ = rest.popFirst()
            case "[":
                let inside = String(rest.prefix { $0 != "]" })
                rest = rest.drop { $0 != "]" }.dropFirst()
                if ["h", "hh", "m", "mm", "s", "ss"].contains(inside) {
                    self = .duration
                    return
                }
            default: letters.append(letter)
            }
        }
        if letters.count > 1, letters.allSatisfy({ $0 == "0" }) {
            self = .padded(letters.count)
            return
        }
        guard !letters.contains("general"), !letters.contains("e+"), !letters.contains("#") else {
            self = .number
            return
        }
        let hasDay = letters.contains("y") || letters.contains("d") || letters.contains("mmm")
        let hasTime = letters.contains("h") || letters.contains("s")
        switch (hasDay, hasTime) {
        case (true, true): self = .dateTime
        case (true, false): self = .date
        case (false, true): self = .time
        case (false, false): self = letters.contains("m") ? .date : .number
        }
    }
}

/// Writes the numbers of cells as text.
struct CellNumber {
    /// Whether days count from 1904, as on old Macintoshes.
    var countsFrom1904 = false

    /// The last day that Excel knows, 9999-12-31.
    private static let lastDay = 2_958_465.0

    /// Text of a number as its format shows it: a plain number, `yyyy-MM-dd`, `yyyy-MM-dd HH:mm:ss` or `HH:mm:ss`.
    ///
    /// - Parameter written: how the file writes it.
    func text(_ number: Double, written: String? = nil, as format: NumberFormat) -> String {
        if case .padded(let width) = format {
            let digits = Self.plain(number, written)
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return digits }
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        guard format != .number, number >= 0, number <= Self.lastDay else { return Self.plain(number, written) }
        // Seconds are what formats show; a serial number that a person typed has not more than that either.
        let seconds = Int64((number * 86_400).rounded())
        let (day, second) = (seconds / 86_400, seconds % 86_400)
        let clock = "\(twoDigits(second / 3_600)):\(twoDigits(second / 60 % 60)):\(twoDigits(second % 60))"
        switch format {
        case .duration: return "\(seconds / 3_600):\(clock.dropFirst(3))"
        case .time where day == 0: return clock
        case .date where second == 0: return date(day)
        default: return "\(date(day)) \(clock)"
        }
    }

    /// - Parameter day: counted from the end of 1899; Excel's 1900 has a 29 February that there never was.
    private func date(_ day: Int64) -> String {
        let sinceEpoch = countsFrom1904 ? day - 24_107 : day - 25_569 + (day < 60 ? 1 : 0)
        let date = CivilDate.date(dayNumber: sinceEpoch)
        let year = String(date.year)
        return String(repeating: "0", count: max(0, 4 - year.count))
            + "\(year)-\(twoDigits(Int64(date.month)))-\(twoDigits(Int64(date.day)))"
    }

    private func twoDigits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// A number without the noise of binary fractions. One of more digits than a double holds stays as it is written, so that
    /// it can be told from a whole one.
    private static func plain(_ number: Double, _ written: String?) -> String {
        if let written, written.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return written }
        guard number.isFinite else { return written ?? "" }
        if number == number.rounded(), abs(number) < 1e15 { return String(Int64(number)) }
        return abs(number) >= 1e15 ? written ?? "\(number)" : "\(number)"
    }
}
