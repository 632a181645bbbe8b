import FederationModel

/// A question held against another period: what is to be asked besides, and whose former figure is whose.
///
/// With a day, week, month, quarter or year among the dimensions each row is held against the former one of its own, else the whole
/// period against its own. What is asked besides differs in the period alone, so both figures are by one definition and as known now.
package struct Comparison: Sendable {
    package let kind: PeriodComparison
    /// What all is held against, where rows have no period of their own.
    package let former: Range<UnixMilliseconds>?
    /// The questions whose answers hold the former figures; none where the answer itself does.
    package let questions: [Analysis]
    private let analysis: Analysis
    private let calendar: (place: Int, unit: CalendarPeriod.Unit)?

    /// - Throws: `E_ANALYSIS_COMPARE` for a question that has no period, or several.
    package init(_ kind: PeriodComparison, of analysis: Analysis) throws(FederationError) {
        self.kind = kind
        self.analysis = analysis
        if analysis.filters.contains(where: { $0.field.calendarUnit != nil }) {
            throw .noComparison(
                "a filter on a day, week, month, quarter or year holds for the former period too",
                "say the period by --from and --to")
        }
        let units = analysis.dimensions.enumerated().compactMap { place, dimension in
            dimension.calendarUnit.map { (place: place, unit: $0) }
        }
        guard units.count <= 1 else {
            throw .noComparison("rows have several periods at once", "split by one of day, week, month, quarter, year")
        }
        calendar = units.first
        var ranges: [(from: UnixMilliseconds?, to: UnixMilliseconds?)] = []
        if let unit = calendar?.unit {
            former = nil
            ranges = kind.formerRanges(of: unit, from: analysis.from, to: analysis.to)
        } else {
            guard let from = analysis.from, let to = analysis.to else {
                throw .noComparison(
                    "the question has no period", "say --from and --to, or split --by day, week, month, quarter or year"
                )
            }
            former = kind.former(of: from..<to)
            ranges = former.map { [($0.lowerBound, $0.upperBound)] } ?? []
        }
        questions = try ranges.map { range throws(FederationError) in
            try analysis.with(filters: analysis.filters, from: range.from, to: range.to)
        }
    }

    /// What tells which nodes had anything in the former period at all: one that came later has nothing to be held against. Nil where
    /// that is everything there is.
    ///
    /// - Throws: as `Analysis.init`.
    package func presence() throws(FederationError) -> Analysis? {
        let (from, to) = (questions.compactMap(\.from).min(), questions.compactMap(\.to).max())
        guard let from, let to else { return nil }
        let facts = analysis.facts
        return try Analysis(
            measures: [facts == [.call] ? .callCount : .count], dimensions: [.origin],
            filters: analysis.filters.filter { $0.field == .origin }, from: from, to: to, asOf: analysis.asOf)
    }

    /// The period of a row; nil where it has none of its own, or none that the calendar has.
    package func period(of key: [ExactText?]) -> CalendarPeriod? {
        calendar.flatMap { calendar in key[calendar.place].flatMap { CalendarPeriod(calendar.unit, $0.text) } }
    }

    package func formerPeriod(of key: [ExactText?]) -> CalendarPeriod? {
        period(of: key).flatMap { kind.former(of: $0) }
    }

    /// Whether there is anything that a row is held against.
    package func hasFormer(_ key: [ExactText?]) -> Bool {
        calendar == nil ? former != nil : formerPeriod(of: key) != nil
    }

    /// The former figures, each under the key of the row that it is held against: also of rows that `answer` does not have, because
    /// there is nothing any more.
    ///
    /// - Parameter answers: to `questions`.
    /// - Throws: `E_ANALYSIS_ANSWER`, `E_ANALYSIS_TOO_MANY_GROUPS`.
    package func former(
        _ answers: [PartialResult], of answer: PartialResult
    ) throws(FederationError) -> PartialResult {
        var former = PartialResult(for: analysis)
        guard let calendar else {
            for answer in answers { try former.merge(answer) }
            return former
        }
        let present = answer.groups.keys.compactMap { period(of: $0) }
        func isAsked(_ period: CalendarPeriod) -> Bool {
            let isBefore =
                analysis.from.map { period.time.upperBound <= $0 } ?? present.min().map { period < $0 } ?? true
            let isAfter = analysis.to.map { period.time.lowerBound >= $0 } ?? present.max().map { $0 < period } ?? true
            return !isBefore && !isAfter
        }
        for part in analysis.from == nil && analysis.to == nil ? [answer] : answers {
            for (key, group) in part.groups {
                guard let latter = period(of: key).flatMap({ kind.latter(of: $0) }), isAsked(latter) else { continue }
                var moved = key
                moved[calendar.place] = ExactText(latter.label)
                try former.add(key: moved, group)
            }
        }
        return former
    }
}

extension PeriodComparison {
    /// Where the rows of the periods of a stretch of time have their former figures. A period that the stretch cuts is held against as
    /// much of its former one, in a question of its own; an end that is open stays open.
    ///
    /// - Returns: none where both ends are open: then the answer holds the former figures too.
    fileprivate func formerRanges(
        of unit: CalendarPeriod.Unit, from: UnixMilliseconds?, to: UnixMilliseconds?
    ) -> [(from: UnixMilliseconds?, to: UnixMilliseconds?)] {
        func period(at time: UnixMilliseconds) -> CalendarPeriod {
            CalendarPeriod(unit, containing: ShanghaiTime.dayNumber(time))
        }
        guard from != nil || to != nil else { return [] }
        var (first, last) = (from.map { period(at: $0) }, to.map { period(at: $0 - 1) })
        var ranges: [(from: UnixMilliseconds?, to: UnixMilliseconds?)] = []
        /// A period of which the stretch has only what lies between two times.
        func cut(_ period: CalendarPeriod, _ from: UnixMilliseconds, _ to: UnixMilliseconds) {
            guard let former = former(of: period) else { return }
            let back = period.time.lowerBound - former.time.lowerBound
            let end = min(to == period.time.upperBound ? former.time.upperBound : to - back, former.time.upperBound)
            if from - back < end { ranges.append((from - back, end)) }
        }
        if let only = first, only == last, let from, let to {
            cut(only, from, to)
            return ranges
        }
        if let start = first, let from, from > start.time.lowerBound {
            cut(start, from, start.time.upperBound)
            first = start.advanced(by: 1)
        }
        if let end = last, let to, to < end.time.upperBound {
            cut(end, end.time.lowerBound, to)
            last = end.advanced(by: -1)
        }
        if let first, let last, last < first { return ranges }
        // Of a 53rd week that has no former one the next has.
        let start = first.map { former(of: $0) ?? former(of: $0.advanced(by: 1)) ?? $0 }
        let end = last.map { former(of: $0) ?? former(of: $0.advanced(by: -1)) ?? $0 }
        if start.map({ start in end.map { start <= $0 } ?? true }) ?? true {
            ranges.append((start?.time.lowerBound, end?.time.upperBound))
        }
        return ranges
    }
}

extension Analysis.Dimension {
    /// Of one that is a period; nil for all others.
    package var calendarUnit: CalendarPeriod.Unit? {
        if case .time(let cut) = value { cut.calendarUnit } else { nil }
    }
}

extension FederationError {
    fileprivate static func noComparison(_ reason: String, _ hint: String) -> FederationError {
        FederationError("E_ANALYSIS_COMPARE", "nothing can be compared: \(reason)", hint: hint)
    }
}
