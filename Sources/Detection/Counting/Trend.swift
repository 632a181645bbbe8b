import FederationModel

/// A series taken apart into trend, week and rest by medians, which a few wild days do not move.
package struct RobustDecomposition: Hashable, Sendable {
    package let trend: [Double]
    package let seasonal: [Double]
    package let residual: [Double]

    /// - Parameters:
    ///   - values: at least three periods.
    ///   - period: steps after which it repeats.
    package init(_ values: [Double], period: Int) {
        var seasonal = [Double](repeating: 0, count: values.count)
        var trend = seasonal
        // The second pass finds the trend without the season that the first one found.
        for _ in 0..<2 {
            let adjusted = zip(values, seasonal).map { $0 - $1 }
            trend = values.indices.map { index in
                Sample.median(Array(adjusted[max(0, index - period)...min(values.count - 1, index + period)]))
            }
            let phases = (0..<period).map { phase in
                Sample.median(stride(from: phase, to: values.count, by: period).map { values[$0] - trend[$0] })
            }
            let middle = Sample.median(phases)
            seasonal = values.indices.map { phases[$0 % period] - middle }
        }
        self.trend = trend
        self.seasonal = seasonal
        residual = values.indices.map { values[$0] - trend[$0] - seasonal[$0] }
    }

    /// The median absolute deviation of the residuals before the last one.
    package var deviation: Double {
        let earlier = Array(residual.dropLast())
        let middle = Sample.median(earlier)
        return Sample.median(earlier.map { abs($0 - middle) })
    }
}

extension DetectionRule {
    /// Judges a day (days since 1970) by how far it lies from trend and week.
    package func judge(trendDay day: Int64, of series: CountSeries) -> Alert? {
        let days = series.known(day - Int64(parameter(.weeks)) * 7...day)
        guard days.count > 21, series[day] >= Int(parameter(.countMin)) else { return nil }
        let parts = RobustDecomposition(days.map { Double(series[$0]) }, period: 7)
        // A series without any noise has no deviation; one ticket then stands for it.
        let deviation = max(parts.deviation, 1)
        guard let residual = parts.residual.last, let level = level(of: residual / deviation) else { return nil }
        return Alert(
            self, level: level, subject: series.subject, period: CivilDate.text(dayNumber: day),
            decidedAt: ShanghaiTime.midnight(ofDay: day),
            evidence: AlertEvidence(figures: [
                "observed": Double(series[day]), "expected": Double(series[day]) - residual,
                "deviation": deviation,
            ]))
    }
}
