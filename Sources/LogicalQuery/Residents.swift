import FederationModel

/// How many people live where, as figures per 10,000 residents need it: where people ask, after the last merge.
package struct Residents: Sendable {
    private let population: Population
    /// The region of whoever asks, for groups that name none.
    private let region: String

    package init(_ population: Population, region: String) {
        self.population = population
        self.region = region
    }

    /// Those of the region and the year of a group: of the finest region among its dimensions, else of the one region that a filter names,
    /// else of the asker's; of the year of its time, else of the beginning of the period, else of the question.
    func count(of key: [ExactText?], in analysis: Analysis) -> Int64? {
        var (region, year): (String?, Int?) = (nil, nil)
        for (dimension, value) in zip(analysis.dimensions, key) {
            switch dimension.value {
            case .region, .column(_, codes: .regions):
                // Nobody lives where no region is given.
                guard let text = value?.text else { return nil }
                if text.utf8.count >= region?.utf8.count ?? 0 { region = Self.finer(region, text) }
            case .time(let cut) where cut.beginsWithYear: year = value.flatMap { Int($0.text.prefix(4)) }
            default: continue
            }
        }
        let named = analysis.filters.first { $0.field.codes == .regions && $0.comparison == .equals }?.values ?? []
        if region == nil, !analysis.filters.allSatisfy({ $0.field.codes != .regions }) {
            guard named.count == 1 else { return nil }
            region = named[0]
        }
        let begin = analysis.from ?? analysis.to.map { $0 - 1 } ?? analysis.asOf
        return population.persons(
            in: region ?? self.region,
            year: year ?? CivilDate.date(dayNumber: ShanghaiTime.dayNumber(begin)).year)
    }

    /// Of two codes of six digits the one with fewer zeros at its end; a longer one is finer.
    private static func finer(_ a: String?, _ b: String) -> String {
        guard let a, a.utf8.count == b.utf8.count else { return b }
        func zeros(_ code: String) -> Int { code.utf8.reversed().prefix { $0 == UInt8(ascii: "0") }.count }
        return zeros(b) <= zeros(a) ? b : a
    }
}

extension Analysis.Dimension.TimeCut {
    fileprivate var beginsWithYear: Bool {
        switch self {
        case .day, .week, .month, .quarter, .year: true
        case .hour, .weekday, .hourOfWeek: false
        }
    }
}
