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

    /// Days with one title each.
    package init(_ titles: [Int64: String]) { self.titles = titles.mapValues { [$0] } }

    package static let none = SpecialDates([:])

    /// What a day is called most particularly (除夕 rather than 春节); nil for a day like others.
    package func name(of day: Int64) -> String? { titles[day]?.last }

    /// The days before that are like a special one, the latest first: those of its name at the same place in their holiday, so that
    /// the first day of one is held against first days.
    package func earlier(_ name: String, before day: Int64) -> [Int64] {
        let place = place(of: day, in: name)
        return titles.keys.filter {
            $0 < day && self.name(of: $0)?.isSame(as: name) == true && self.place(of: $0, in: name) == place
        }.sorted(by: >)
    }

    /// How many days of that name lie directly before.
    private func place(of day: Int64, in name: String) -> Int64 {
        var first = day
        while self.name(of: first - 1)?.isSame(as: name) == true { first -= 1 }
        return day - first
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
