import FederationModel

/// Counts by equal steps of time, hours or days since 1970 (days of Asia/Shanghai). A step without an entry counted nothing.
package struct CountSeries: Hashable, Sendable {
    package let subject: AlertSubject
    package let counts: [Int64: Int]
    /// The first step of which anything is known: what lies before is no zero.
    package let start: Int64

    package init(_ subject: AlertSubject, counts: [Int64: Int], start: Int64) {
        self.subject = subject
        self.counts = counts
        self.start = start
    }

    package subscript(step: Int64) -> Int { counts[step] ?? 0 }

    func known(_ steps: some Sequence<Int64>) -> [Int64] { steps.filter { $0 >= start } }
}

/// Days that are not like other days (春节, 高考, 供暖季首日): they are compared with those of the same name in other years, and no
/// ordinary day is compared with them.
package struct SpecialDates: Hashable, Sendable {
    /// Day numbers with the name of the day.
    private let names: [Int64: String]

    package init(_ names: [Int64: String]) { self.names = names }

    package static let none = SpecialDates([:])

    package func name(of day: Int64) -> String? { names[day] }

    /// Days of the same name before a day, the latest first.
    func earlier(_ name: String, before day: Int64) -> [Int64] {
        names.filter { $0.key < day && $0.value.isSame(as: name) }.keys.sorted(by: >)
    }
}

/// Mean, deviation and middle of what was counted.
enum Sample {
    static func mean(_ values: [Double]) -> Double { values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count) }

    /// Of the sample (n − 1); 0 for fewer than two values.
    static func deviation(_ values: [Double]) -> Double {
        guard values.count > 1 else { return 0 }
        let mean = mean(values)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(values.count - 1)).squareRoot()
    }

    static func median(_ values: [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
