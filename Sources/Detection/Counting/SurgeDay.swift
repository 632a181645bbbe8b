import FederationModel

/// An exponentially weighted moving average with its upper control limit (Roberts, 1959).
package struct EWMAChart: Hashable, Sendable {
    package let mean: Double
    package let deviation: Double
    /// Weight of the latest value.
    package let lambda: Double

    package init(mean: Double, deviation: Double, lambda: Double) {
        self.mean = mean
        self.deviation = deviation
        self.lambda = lambda
    }

    /// The limit, `width` standard deviations of the average above the mean, after a long time.
    package func limit(width: Double) -> Double { mean + width * averageDeviation }

    /// The average after each value; it begins at the mean.
    package func averages(of values: [Double]) -> [Double] {
        var average = mean
        return values.map { value in
            average = lambda * value + (1 - lambda) * average
            return average
        }
    }

    /// How many of its standard deviations an average lies above the mean.
    package func width(of average: Double) -> Double { (average - mean) / averageDeviation }

    private var averageDeviation: Double { deviation * (lambda / (2 - lambda)).squareRoot() }
}

extension DetectionRule {
    /// The average runs over the days of this many days, the judged one with them.
    private static let runDays: Int64 = 7

    /// Judges a day (days since 1970), also a special one of which nothing better is known, by the EWMA of the last seven days, each divided by what its weekday usually has.
    /// What is usual comes from the weeks before those.
    ///
    /// - Returns: nil when the day is not remarkable, or too little is known to tell.
    package func judge(day: Int64, of series: CountSeries, specialDates: SpecialDates = .none) -> Alert? {
        let run = (day - Self.runDays + 1...day).filter { $0 == day || specialDates.name(of: $0) == nil }
        let weeks = Int64(parameter(.weeks))
        let history = series.known(day - Self.runDays - weeks * 7 + 1...day - Self.runDays)
            .filter { specialDates.name(of: $0) == nil }
        guard history.count >= 14, series[day] >= Int(parameter(.countMin)) else { return nil }
        let factors = WeekdayFactors(history.map { ($0, Double(series[$0])) })
        let usual = history.map { Double(series[$0]) / factors[$0] }
        // By their middle: a surge of some weeks ago must not make this one look usual.
        let mean = Sample.median(usual)
        let deviation = Sample.median(usual.map { abs($0 - mean) }) * Sample.normalDeviations
        let chart = EWMAChart(
            // Counts vary by their root at least.
            mean: mean, deviation: max(deviation, mean.squareRoot()), lambda: parameter(.lambda))
        // The average remembers a surge for some days, which are as usual by themselves.
        guard mean > 0, Double(series[day]) / factors[day] > mean + chart.deviation,
            let average = chart.averages(of: run.map { Double(series[$0]) / factors[$0] }).last,
            let level = level(of: chart.width(of: average))
        else { return nil }
        return Alert(
            self, level: level, subject: series.subject, period: CivilDate.text(dayNumber: day),
            decidedAt: ShanghaiTime.midnight(ofDay: day),
            evidence: AlertEvidence(figures: [
                "observed": Double(series[day]), "expected": mean * factors[day], "average": average,
                "threshold": chart.limit(width: leastThreshold ?? 0),
            ]))
    }
}

/// What each weekday has of an average day.
struct WeekdayFactors {
    private let factors: [Double]

    init(_ days: [(day: Int64, count: Double)]) {
        // By their middles: one surge does not make its weekday a busy one.
        let middles = (0..<7).map { weekday in
            Sample.median(days.filter { Self.weekday($0.day) == weekday }.map(\.count))
        }
        let mean = Sample.mean(middles)
        // A weekday without any tickets can't be divided by; it is like the others until it has some.
        factors = middles.map { mean > 0 && $0 > 0 ? $0 / mean : 1 }
    }

    subscript(day: Int64) -> Double { factors[Self.weekday(day)] }

    static func weekday(_ day: Int64) -> Int { Int((day % 7 + 7) % 7) }
}
