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

    /// Whether a day (of a series of days) has too few tickets in the four weeks before to speak of a distribution: fewer than ten a day.
    package func isSparse(before day: Int64) -> Bool {
        let days = known(day - 28..<day)
        return Sample.mean(days.map { Double(self[$0]) }) < 10
    }

    func known(_ steps: some Sequence<Int64>) -> [Int64] { steps.filter { $0 >= start } }
}

/// Mean, deviation and middle of what was counted.
enum Sample {
    /// Standard deviations of a normal distribution in its median absolute deviation.
    static let normalDeviations = 1.4826

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
