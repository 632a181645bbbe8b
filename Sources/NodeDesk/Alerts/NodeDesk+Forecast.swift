import Detection
import FederationModel
import LocalStore

/// What the daily tickets of a region will probably be (7.1.2 a), by two methods side by side, each with its interval and the error that it
/// would have had.
package struct ForecastReport: Sendable {
    package let region: String
    /// The first level of a category; nil for all.
    package let category: String?
    /// Days since 1970 of the points, from today on.
    package let days: [Int64]
    package let forecast: Forecast
}

extension NodeDesk {
    /// - Parameters:
    ///   - region: of six digits.
    ///   - category: of which the first level counts; nil for all.
    /// - Returns: nil where less than two whole weeks are known.
    package func forecast(region: String, category: String?) async throws -> ForecastReport? {
        try await perform(.showAlert) { now in
            let first = category.map { String($0.prefix { $0 != "." }) }
            let today = ShanghaiTime.dayNumber(now)
            let series = try await store.dayCounts(
                of: CountSubject(region: region, category: first ?? ""), since: today - Self.forecastDays)
            let days = max(series.start, today - Self.forecastDays)..<max(series.start, today)
            guard series.start < today, let forecast = Forecast(days.map { Double(series[$0]) }) else { return nil }
            return ForecastReport(
                region: region, category: first, days: Array(today..<today + 7), forecast: forecast)
        }
    }

    /// Eight weeks, as surges look back.
    private static let forecastDays: Int64 = 56
}
