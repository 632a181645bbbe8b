import FederationModel

/// The three tests of EARS (Hutwagner and others, "The bioterrorism preparedness and response Early Aberration Reporting System",
/// 2003), for counts too small to fit a distribution to.
package struct EARS: Hashable, Sendable {
    /// Standard deviations above the seven days before.
    package let c1: Double
    /// The same with two days between, so that a surge that builds up does not hide itself.
    package let c2: Double
    /// What C2 of this day and the two before it has above 1, summed up.
    package let c3: Double

    /// C3 is remarkable from here on.
    package static let c3Limit = 2.0

    /// - Parameters:
    ///   - counts: the last is judged; at least 12.
    ///   - deviationMin: the least deviation that a calm baseline is taken to have.
    package init(_ counts: [Int], deviationMin: Double) {
        func excess(_ last: Int, gap: Int) -> Double {
            let baseline = counts[(last - gap - 7)..<(last - gap)].map(Double.init)
            return (Double(counts[last]) - Sample.mean(baseline)) / max(Sample.deviation(baseline), deviationMin)
        }
        let last = counts.count - 1
        c1 = excess(last, gap: 0)
        c2 = excess(last, gap: 2)
        c3 = (last - 2...last).reduce(0) { $0 + max(0, excess($1, gap: 2) - 1) }
    }
}

extension DetectionRule {
    /// Judges a day (days since 1970) of a small county by C1, C2 and C3.
    package func judge(sparseDay day: Int64, of series: CountSeries) -> Alert? {
        let days = day - 11...day
        guard series.known(days).count == days.count, series[day] >= Int(parameter(.countMin)) else { return nil }
        let ears = EARS(days.map { series[$0] }, deviationMin: parameter(.deviationMin))
        let byC3 = ears.c3 > EARS.c3Limit ? leastThreshold.flatMap { self.level(of: $0) } : nil
        guard let level = [level(of: max(ears.c1, ears.c2)), byC3].compactMap({ $0 }).max() else { return nil }
        return Alert(
            self, level: level, subject: series.subject, period: CivilDate.text(dayNumber: day),
            decidedAt: ShanghaiTime.midnight(ofDay: day),
            evidence: AlertEvidence(figures: [
                "observed": Double(series[day]), "c1": ears.c1, "c2": ears.c2, "c3": ears.c3,
            ]))
    }
}
