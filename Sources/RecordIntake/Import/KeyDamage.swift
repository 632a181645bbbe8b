import FederationModel

/// What spreadsheets do to long numbers. A key that has gone through that names another ticket, or many tickets at once.
enum KeyDamage {
    /// Digits that a spreadsheet keeps of a number; from there on it writes zeros.
    private static let digitsKept = 15
    /// Zeros behind them, over the keys of a sample, that are no chance any more: one in a million.
    private static let zerosMin = 6

    /// `3.70102E+22`; without the sign, as Java writes it, only with a fraction, because `5E10` may be somebody's number.
    static func isScientific(_ text: String) -> Bool {
        var rest = Substring(text).utf8[...]
        func digits() -> Int {
            let count = rest.prefix { isDigit($0) }.count
            rest = rest.dropFirst(count)
            return count
        }
        guard digits() > 0 else { return false }
        let hasFraction = rest.first == UInt8(ascii: ".")
        if hasFraction {
            rest = rest.dropFirst()
            guard digits() > 0 else { return false }
        }
        guard let letter = rest.first, letter | 0x20 == UInt8(ascii: "e") else { return false }
        rest = rest.dropFirst()
        let isSigned = rest.first == UInt8(ascii: "+")
        guard isSigned || hasFraction else { return false }
        if isSigned { rest = rest.dropFirst() }
        return (1...3).contains(digits()) && rest.isEmpty
    }

    /// Whether it is a long number of which only the digits are left that a spreadsheet keeps.
    static func isCut(_ text: String) -> Bool {
        guard isLong(text) else { return false }
        return text.utf8.dropFirst(digitsKept).allSatisfy { $0 == UInt8(ascii: "0") }
    }

    /// Whether the long numbers of a sample are cut, all of them and not by chance.
    static func isCut(_ sample: some Sequence<String>) -> Bool {
        var zeros = 0
        for text in sample where isLong(text) {
            guard isCut(text) else { return false }
            zeros += text.utf8.count - digitsKept
        }
        return zeros >= zerosMin
    }

    private static func isLong(_ text: String) -> Bool {
        text.utf8.count > digitsKept && text.utf8.allSatisfy(isDigit)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// The text in `="…"`, or the digits behind `'`, by which a spreadsheet is made to keep the digits of a number; nil for any other
    /// text.
    static func unwrapped(_ text: String) -> String? {
        let bytes = text.utf8
        if bytes.count > 1, bytes.first == UInt8(ascii: "'"), bytes.dropFirst().allSatisfy(isDigit) {
            return String(Substring(bytes.dropFirst()))
        }
        guard bytes.count >= 3, bytes.first == UInt8(ascii: "="), bytes.dropFirst().first == UInt8(ascii: "\""),
            bytes.last == UInt8(ascii: "\"")
        else { return nil }
        let inner = bytes.dropFirst(2).dropLast()
        return inner.contains(UInt8(ascii: "\"")) ? nil : String(Substring(inner))
    }

    static func scientific(_ column: String) -> RowRejection {
        rejection(of: column, "is a number in scientific notation, whose last digits a spreadsheet has dropped")
    }

    static func rejection(of column: String, _ reason: String) -> RowRejection {
        RowRejection(
            code: "E_KEY_DAMAGED", field: column, reason: reason,
            hint: "format the column as text in the spreadsheet before the file is opened in it, and export again")
    }
}
