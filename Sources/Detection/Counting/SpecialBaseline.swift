import FederationModel

/// What a special date usually has: the counts of the same date in the years before. Beside ordinary days it would be remarkable each
/// year, or hide what is (7.1.2 a, 特殊日期).
struct SpecialBaseline: Hashable, Sendable {
    let mean: Double
    private let deviation: Double

    /// A special date comes once a year.
    static let historyMin = 2
    static let years = 3

    /// - Returns: nil for an ordinary day, and where too few years are known to tell.
    init?(_ day: Int64, of series: CountSeries, _ specialDates: SpecialDates) {
        let history = series.known(Self.days(toJudge: day, specialDates)).map { Double(series[$0]) }
        guard history.count >= Self.historyMin else { return nil }
        mean = Sample.mean(history)
        // Counts vary by their root at least.
        deviation = max(Sample.deviation(history), mean.squareRoot(), 1)
    }

    /// The days that it comes from, the latest first.
    static func days(toJudge day: Int64, _ specialDates: SpecialDates) -> [Int64] {
        guard let name = specialDates.name(of: day) else { return [] }
        return Array(specialDates.earlier(name, before: day).prefix(years))
    }

    /// How many standard deviations a count lies above it.
    func excess(_ count: Int) -> Double { (Double(count) - mean) / deviation }
}

extension DetectionRule {
    /// All days before one whose counts it takes to judge it beside those of the last weeks.
    package static func days(toJudge day: Int64, specialDates: SpecialDates) -> [Int64] {
        SpecialBaseline.days(toJudge: day, specialDates)
    }

    /// Judges a special date by its own baseline, with the thresholds of the rule's method.
    func judge(specialDay day: Int64, of series: CountSeries, against baseline: SpecialBaseline) -> Alert? {
        let (count, excess) = (series[day], baseline.excess(series[day]))
        // Of one value an average moves by its weight.
        let lambda = method == .surgeDay ? parameter(.lambda) : 1
        let width = excess * (lambda * (2 - lambda)).squareRoot()
        guard count >= Int(parameter(.countMin)), let level = level(of: width) else { return nil }
        return Alert(
            self, level: level, subject: series.subject, period: CivilDate.text(dayNumber: day),
            decidedAt: ShanghaiTime.midnight(ofDay: day),
            evidence: AlertEvidence(figures: [
                "observed": Double(count), "expected": baseline.mean, "deviations": excess,
            ]))
    }
}
