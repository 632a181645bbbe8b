/// Days that are not like others, with what they are called: holidays, weekend days that are worked for them, and what the top node
/// lists besides (高考). Figures of such a day say little beside those of another one.
package struct SpecialDates: Hashable, Sendable {
    private let titles: [Int64: [String]]

    package init(_ notices: [HolidayNotice]) {
        var titles: [Int64: [String]] = [:]
        for notice in notices {
            for (day, title) in notice.holidays { titles[day, default: []].append(title) }
            for day in notice.workingDays { titles[day, default: []].append("调休上班") }
            for (day, title) in notice.specialDays { titles[day, default: []].append(title) }
        }
        self.titles = titles
    }

    /// What the days are called, each once, in their order.
    ///
    /// - Parameter days: as days since 1970-01-01; of more than 92 there is always one, and none is told.
    package func titles(in days: Range<Int64>) -> [String] {
        guard days.count <= 92 else { return [] }
        var found: [String] = []
        for title in days.flatMap({ titles[$0] ?? [] }) where !found.contains(title) { found.append(title) }
        return found
    }
}
