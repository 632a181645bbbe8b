import FederationModel

/// Numbers in the text of a state: base 36, with blanks between them.
enum StateText {
    static func word(_ number: some BinaryInteger) -> String { String(number, radix: 36) }

    /// Numbers in order, each by how much it is more than the one before it.
    static func list<Number: FixedWidthInteger>(of values: [Number]) -> String {
        var last: Number = 0
        return values.map { value in
            defer { last = value }
            return word(value - last)
        }.joined(separator: " ")
    }

    /// - Throws: `E_ANALYSIS_ANSWER`.
    static func values<Number: FixedWidthInteger>(
        in text: Substring, max: Int
    ) throws(FederationError) -> [Number] {
        guard !text.isEmpty else { return [] }
        var values: [Number] = []
        for word in words(of: text.utf8, by: " ") {
            guard values.count < max, let more: Number = number(word),
                case let (value, overflow) = (values.last ?? 0).addingReportingOverflow(more), !overflow
            else { throw .badState }
            values.append(value)
        }
        return values
    }

    static func words(of text: Substring.UTF8View, by separator: Unicode.Scalar) -> [Substring.UTF8View] {
        text.split(separator: UInt8(ascii: separator), omittingEmptySubsequences: false)
    }

    /// A number from 0 on. By its bytes: characters would take most of the time of an answer from what is kept.
    static func number<Number: FixedWidthInteger>(_ word: Substring.UTF8View) -> Number? {
        guard !word.isEmpty else { return nil }
        var number: Number = 0
        for sign in word {
            let digit: UInt8
            switch sign {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = sign - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = sign - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = sign - UInt8(ascii: "A") + 10
            default: return nil
            }
            let (shifted, isLong) = number.multipliedReportingOverflow(by: 36)
            let (sum, isLarge) = shifted.addingReportingOverflow(Number(digit))
            if isLong || isLarge { return nil }
            number = sum
        }
        return number
    }
}

extension [Int64] {
    /// Where a value stands, or would stand, among others in order.
    func position(of value: Int64) -> Int { sortedPosition { $0 < value } }
}

extension [UInt64] {
    func position(of value: UInt64) -> Int { sortedPosition { $0 < value } }
}

extension Array {
    private func sortedPosition(_ isBefore: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension FederationError {
    static var badState: FederationError { badAnswer("a state that can't be read") }
}
