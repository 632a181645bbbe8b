/// What a series with a weekly pattern will probably do next (7.1.2 a), by two methods that are shown side by side, each with the error
/// that it would have had.
package struct Forecast: Hashable, Sendable {
    package struct Point: Hashable, Sendable {
        package let value: Double
        /// The range in which 95 of 100 values fall.
        package let lower: Double
        package let upper: Double
    }

    package struct Method: Hashable, Sendable {
        /// One for each step ahead.
        package let points: [Point]
        /// The mean absolute error in percent of the actual value, over the last quarter of the series, each step forecast from what came
        /// before its week; nil where nothing can be tested, or all was 0.
        package let backtestMAPE: Double?
    }

    /// The mean of the same weekday of all weeks.
    package let seasonal: Method
    /// The same, moved by the smoothed deviation of the latest values from it.
    package let smoothed: Method

    private static let lambda = 0.3

    /// - Parameters:
    ///   - values: at least two periods, the latest last.
    ///   - period: steps after which it repeats; 7 for days.
    ///   - steps: how far ahead; at most one period.
    /// - Returns: nil for a series that is too short.
    package init?(_ values: [Double], period: Int = 7, steps: Int = 7) {
        guard period > 0, values.count >= 2 * period, (1...period).contains(steps) else { return nil }
        func method(_ isSmoothed: Bool) -> Method {
            Method(
                points: (0..<steps).map { Self.point(values, period: period, ahead: $0, isSmoothed: isSmoothed) },
                backtestMAPE: Self.backtest(values, period: period, isSmoothed: isSmoothed))
        }
        seasonal = method(false)
        smoothed = method(true)
    }

    private static func point(_ values: [Double], period: Int, ahead: Int, isSmoothed: Bool) -> Point {
        let phases = phases(values, period: period)
        let same = phases[(values.count + ahead) % period]
        let means = phases.map(Sample.mean)
        let residuals = values.indices.map { values[$0] - means[$0 % period] }
        let shift = isSmoothed ? residuals.reduce(0) { lambda * $1 + (1 - lambda) * $0 } : 0
        // Each weekday's mean took one degree of freedom.
        let squares = residuals.reduce(0) { $0 + $1 * $1 }
        let deviation = (squares / Double(max(1, values.count - period))).squareRoot()
        let half = WilsonInterval.z * deviation * (1 + 1 / Double(same.count)).squareRoot()
        let value = max(0, Sample.mean(same) + shift)
        return Point(value: value, lower: max(0, value - half), upper: value + half)
    }

    private static func phases(_ values: [Double], period: Int) -> [[Double]] {
        (0..<period).map { phase in stride(from: phase, to: values.count, by: period).map { values[$0] } }
    }

    private static func backtest(_ values: [Double], period: Int, isSmoothed: Bool) -> Double? {
        let tested = max(1, values.count / period / 4) * period
        var errors: [Double] = []
        var start = values.count - tested
        while start < values.count {
            let known = Array(values[..<start])
            if known.count >= 2 * period {
                for ahead in 0..<period where values[start + ahead] > 0 {
                    let forecast = point(known, period: period, ahead: ahead, isSmoothed: isSmoothed).value
                    errors.append(abs(forecast - values[start + ahead]) / values[start + ahead])
                }
            }
            start += period
        }
        return errors.isEmpty ? nil : Sample.mean(errors) * 100
    }
}
