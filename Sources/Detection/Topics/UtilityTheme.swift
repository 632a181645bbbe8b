import FederationModel

/// A typical theme of everyday supply (7.2.3): which tickets are about it, which outages explain them, and when it has its season.
package struct UtilityTheme: Hashable, Sendable {
    /// `water`; also what planned outages of it are called.
    package let id: String
    package let title: String
    /// Beginnings of categories.
    package let categories: [String]
    /// Who has to look into what no outage explains.
    package let supplier: String
    /// First and last day of its season, as month and day; nil for all the year.
    private let season: (first: MonthDay, last: MonthDay)?

    private struct MonthDay: Hashable, Sendable {
        let month: Int
        let day: Int

        var order: Int { month * 100 + day }
    }

    package static let all = [
        UtilityTheme("water", "供水", ["03.03"], "供水集团"), UtilityTheme("power", "供电", ["03.04"], "供电公司"),
        UtilityTheme("gas", "供气", ["03.05"], "燃气集团"),
        // 供暖季: 11-15 to 03-15 in most of the north.
        UtilityTheme("heat", "供暖", ["03.02"], "热力集团", (MonthDay(month: 11, day: 15), MonthDay(month: 3, day: 15))),
    ]

    private init(
        _ id: String, _ title: String, _ categories: [String], _ supplier: String,
        _ season: (first: MonthDay, last: MonthDay)? = nil
    ) {
        self.id = id
        self.title = title
        self.categories = categories
        self.supplier = supplier
        self.season = season
    }

    /// - Parameter day: days since 1970-01-01.
    package func isInSeason(_ day: Int64) -> Bool {
        guard let season else { return true }
        let (_, month, number) = CivilDate.date(dayNumber: day)
        let order = MonthDay(month: month, day: number).order
        return season.first.order <= season.last.order
            ? (season.first.order...season.last.order).contains(order)
            : order >= season.first.order || order <= season.last.order
    }

    package func has(category: String?) -> Bool { category.map { isIn(categories, $0) } ?? false }

    package static func == (a: UtilityTheme, b: UtilityTheme) -> Bool { a.id == b.id }
    package func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

extension TopicPack {
    package func has(category: String?) -> Bool { category.map { isIn(categories, $0) } ?? false }
}

/// Whether a category is one of some, or lies below one of them.
private func isIn(_ categories: [String], _ category: String) -> Bool {
    categories.contains { category.isSame(as: $0) || category.hasPrefix("\($0).") }
}
