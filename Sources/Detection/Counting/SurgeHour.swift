import FederationModel

/// An hour's count against the same hour of the week in the weeks before (7.2.1.2).
package struct HourJudgement: Hashable, Sendable {
    package let observed: Int
    package let history: [Int]
    package let tail: CountTail
    package let probability: Double
    /// The level that this hour has by itself.
    package let level: AlertLevel?
}

extension DetectionRule {
    /// Fewer hours than these say nothing of what is usual.
    private static let historyMin = 3

    /// Judges one hour (hours since 1970). Orange and red need the hour before to be remarkable too: a level is at most what that
    /// hour had by itself, or yellow.
    ///
    /// - Parameter series: hourly counts; of one category when its subject has one.
    /// - Returns: nil when the hour is not remarkable, or too little is known to tell.
    package func judge(hour: Int64, of series: CountSeries, specialDates: SpecialDates = .none) -> Alert? {
        guard let now = judgement(hour, of: series, specialDates), let own = now.level else { return nil }
        let before = judgement(hour - 1, of: series, specialDates)?.level
        let level = min(own, max(.yellow, before ?? .yellow))
        let time = hour * 3_600_000
        return Alert(
            self, level: level, subject: series.subject, period: String(ShanghaiTime.minute(time).prefix(13)),
            decidedAt: time,
            evidence: AlertEvidence(figures: [
                "observed": Double(now.observed), "expected": now.tail.mean, "p": now.probability,
                "threshold": Double(now.tail.threshold(start(of: series))),
            ]))
    }

    /// The probability from which on the series can raise anything.
    private func start(of series: CountSeries) -> Double {
        let least = leastThreshold ?? 0
        return series.subject.category == nil ? least : min(least, parameter(.categoryStart))
    }

    package func judgement(
        _ hour: Int64, of series: CountSeries, _ specialDates: SpecialDates
    ) -> HourJudgement? {
        let hours = comparable(to: hour, of: series, specialDates)
        let history = series.known(hours.all).map { series[$0] }
        guard history.count >= hours.least else { return nil }
        let tail = CountTail(history: history)
        let observed = series[hour]
        let probability = tail.probability(atLeast: observed)
        let isRemarkable = observed >= Int(parameter(.countMin)) && probability < start(of: series)
        return HourJudgement(
            observed: observed, history: history, tail: tail, probability: probability,
            level: isRemarkable ? level(of: probability) : nil)
    }

    /// All hours whose counts it takes to judge one.
    package func hours(toJudge hour: Int64, specialDates: SpecialDates = .none) -> Set<Int64> {
        Set([hour, hour - 1].flatMap { [$0] + sameDates(as: $0, specialDates) + sameWeekdays(as: $0, specialDates) })
    }

    /// A special date of which too few years are known is held against ordinary days, as long as nothing better is known.
    private func comparable(
        to hour: Int64, of series: CountSeries, _ specialDates: SpecialDates
    ) -> (all: [Int64], least: Int) {
        let dates = sameDates(as: hour, specialDates)
        return series.known(dates).count >= SpecialBaseline.historyMin
            ? (dates, SpecialBaseline.historyMin) : (sameWeekdays(as: hour, specialDates), Self.historyMin)
    }

    private func sameDates(as hour: Int64, _ specialDates: SpecialDates) -> [Int64] {
        let day = Self.day(of: hour)
        return SpecialBaseline.days(toJudge: day, specialDates).map { hour - (day - $0) * 24 }
    }

    private func sameWeekdays(as hour: Int64, _ specialDates: SpecialDates) -> [Int64] {
        (1...Int64(parameter(.weeks))).map { hour - $0 * 168 }
            .filter { specialDates.name(of: Self.day(of: $0)) == nil }
    }

    private static func day(of hour: Int64) -> Int64 { ShanghaiTime.dayNumber(hour * 3_600_000) }
}
