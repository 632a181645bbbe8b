import FederationModel

/// What figures were to be: values by indicator and period, and by values of dimensions.
///
/// A plan of a count is for exactly the rows that it names, since half a year's plan is not half of the year's. One of a rate or a mean is
/// for everything within: 95 % in 2025 is for each month and each city of it.
package struct PlanValues: Sendable {
    package struct Line: Hashable, Sendable {
        package let measure: Analysis.Measure
        package let period: CalendarPeriod
        /// By dimension, the one value that the row must have.
        package let places: [Analysis.Dimension: String]
        package let value: Double

        package init(
            measure: Analysis.Measure, period: CalendarPeriod, places: [Analysis.Dimension: String], value: Double
        ) {
            self.measure = measure
            self.period = period
            self.places = places
            self.value = value
        }
    }

    private let lines: [Line]

    /// - Throws: `E_PLAN_INVALID` for two lines about the same.
    package init(_ lines: [Line]) throws(FederationError) {
        for (index, line) in lines.enumerated() {
            let same = lines[..<index].firstIndex {
                $0.measure.name == line.measure.name && $0.period == line.period && $0.places == line.places
            }
            if let same {
                throw FederationError(
                    "E_PLAN_INVALID", "rows \(same + 1) and \(index + 1) of the plan are about the same",
                    hint: "keep one of the two")
            }
        }
        self.lines = lines
    }

    /// Reads a period as people write it: `2025`, `2025-Q3`, `2025-09`, `2025-W40`, `2025-09-30`.
    package static func period(_ text: String) -> CalendarPeriod? {
        CalendarPeriod.Unit.allCases.lazy.compactMap { CalendarPeriod($0, text) }.first
    }

    /// The plan of the row of an analysis: of several that hold, that of the most dimensions, then that of the shortest period.
    func value(of measure: Analysis.Measure, _ analysis: Analysis, _ key: [ExactText?]) -> FieldValue? {
        guard let days = Self.days(analysis, key) else { return nil }
        let (places, isWhole) = Self.places(analysis, key)
        let holding = lines.filter { line in
            guard line.measure.name == measure.name, line.places.allSatisfy({ places[$0] == $1 }) else { return false }
            guard measure.unit == .count else { return Self.contains(line.period.days, days) }
            return isWhole && line.places.count == places.count && line.period.days == days
        }
        return holding.min { a, b in
            (-a.places.count, a.period.days.count) < (-b.places.count, b.period.days.count)
        }.map { line in
            measure.unit == .count && line.value == line.value.rounded() && abs(line.value) < 1e15
                ? .integer(Int64(line.value)) : .real(line.value)
        }
    }

    private static func contains(_ all: Range<Int64>, _ some: Range<Int64>) -> Bool {
        all.lowerBound <= some.lowerBound && some.upperBound <= all.upperBound
    }

    /// The days that a row is about; nil where it is about no whole days.
    private static func days(_ analysis: Analysis, _ key: [ExactText?]) -> Range<Int64>? {
        let period = zip(analysis.dimensions, key).lazy.compactMap { dimension, value in
            dimension.calendarUnit.flatMap { unit in value.flatMap { CalendarPeriod(unit, $0.text) } }
        }.first
        let asked = analysis.from.flatMap { from in analysis.to.map { from..<$0 } }
        if let period {
            // A period that is cut is not the one that the plan is about.
            let isWhole =
                analysis.from.map { $0 <= period.time.lowerBound } ?? true
                && analysis.to.map { $0 >= period.time.upperBound } ?? true
            return isWhole ? period.days : nil
        }
        guard let asked else { return nil }
        let days = ShanghaiTime.dayNumber(asked.lowerBound)..<ShanghaiTime.dayNumber(asked.upperBound)
        let isWhole = [(days.lowerBound, asked.lowerBound), (days.upperBound, asked.upperBound)].allSatisfy {
            ShanghaiTime.midnight(ofDay: $0) == $1
        }
        return isWhole ? days : nil
    }

    /// Which values a row has: by its dimensions and by filters that let one value pass.
    ///
    /// - Returns: and whether these say all that selects it.
    private static func places(
        _ analysis: Analysis, _ key: [ExactText?]
    ) -> (places: [Analysis.Dimension: String], isWhole: Bool) {
        var places: [Analysis.Dimension: String] = [:]
        var isWhole = true
        for filter in analysis.filters {
            if filter.comparison == .equals, filter.values.count == 1 {
                places[filter.field] = filter.values[0]
            } else {
                isWhole = false
            }
        }
        for (dimension, value) in zip(analysis.dimensions, key) where dimension.calendarUnit == nil {
            places[dimension] = value?.text
            if value == nil { isWhole = false }
        }
        return (places, isWhole)
    }
}
