import FederationModel
import Foundation
import LogicalQuery
import TestSupport
import Testing

@Suite struct `Comparisons` {
    private func at(_ text: String) throws -> UnixMilliseconds { try #require(ShanghaiTime.parse(text)) }

    private func question(
        _ measures: [String] = ["count"], by dimensions: [Dimension] = [], filters: [Filter] = [], from: String? = nil,
        to: String? = nil, top: Int? = nil
    ) throws -> Analysis {
        try Analysis(
            measures: measures.map { try .named($0) }, dimensions: dimensions, filters: filters,
            from: from.map { try at($0) }, to: to.map { try at($0) }, top: top, asOf: 0)
    }

    private func partial(_ analysis: Analysis, _ groups: [([ExactText?], [Int64])]) throws -> PartialResult {
        var partial = PartialResult(for: analysis)
        for (key, sums) in groups { try partial.add(key: key, sums: sums) }
        return partial
    }

    private func ranges(_ comparison: Comparison) -> [String] {
        comparison.questions.map { question in
            [question.from, question.to].map { $0.map { ShanghaiTime.minute($0) } ?? "…" }.joined(separator: " – ")
        }
    }

    private func cells(
        _ analysis: Analysis, _ comparison: Comparison, _ answer: PartialResult, _ answers: [PartialResult]
    )
        throws -> [[FieldValue]]
    {
        var extras = TableExtras()
        extras.comparison = (comparison, try comparison.former(answers, of: answer))
        return try answer.table(for: analysis, extras).rows.map(\.cells)
    }

    // MARK: - What is asked besides

    @Test func `the whole period is held against its own former one`() throws {
        let september = try question(from: "2025-09-01", to: "2025-10-01")
        #expect(try ranges(Comparison(.previous, of: september)) == ["2025-08-01 00:00 – 2025-09-01 00:00"])
        #expect(try ranges(Comparison(.year, of: september)) == ["2024-09-01 00:00 – 2024-10-01 00:00"])
    }

    @Test func `each row is held against its own, also before the first day that was asked for`() throws {
        let months = try question(by: [.month], from: "2025-08-01", to: "2025-11-01")
        #expect(try ranges(Comparison(.previous, of: months)) == ["2025-07-01 00:00 – 2025-10-01 00:00"])
        #expect(try ranges(Comparison(.year, of: months)) == ["2024-08-01 00:00 – 2024-11-01 00:00"])
        let weeks = try question(by: [.week], from: "2020-12-21", to: "2021-01-11")
        #expect(try ranges(Comparison(.year, of: weeks)) == ["2019-12-23 00:00 – 2020-01-06 00:00"])
    }

    @Test func `a period that is cut is held against as much of its former one`() throws {
        let cut = try question(by: [.month], from: "2025-08-11", to: "2025-10-06")
        #expect(
            try ranges(Comparison(.previous, of: cut)) == [
                "2025-07-11 00:00 – 2025-08-01 00:00", "2025-09-01 00:00 – 2025-09-06 00:00",
                "2025-08-01 00:00 – 2025-09-01 00:00",
            ])
        let within = try question(by: [.month], from: "2025-03-10", to: "2025-03-31")
        #expect(try ranges(Comparison(.previous, of: within)) == ["2025-02-10 00:00 – 2025-03-01 00:00"])
    }

    @Test func `an open end stays open, and an answer without ends holds the former figures itself`() throws {
        let since = try question(by: [.month], from: "2025-08-01")
        #expect(try ranges(Comparison(.previous, of: since)) == ["2025-07-01 00:00 – …"])
        let all = try question(by: [.month])
        let comparison = try Comparison(.previous, of: all)
        #expect(comparison.questions.isEmpty)
        let answer = try partial(all, [(["2025-08"], [10]), (["2025-09"], [15]), (["2025-11"], [3])])
        #expect(
            try cells(all, comparison, answer, []).map { $0.prefix(5) } == [
                [.text("2025-08"), .integer(10), .integer(0), .integer(10), .null],
                [.text("2025-09"), .integer(15), .integer(10), .integer(5), .real(50)],
                // Nothing any more, which is said as well.
                [.text("2025-10"), .integer(0), .integer(15), .integer(-15), .real(-100)],
                [.text("2025-11"), .integer(3), .integer(0), .integer(3), .null],
            ])
    }

    @Test func `without a period, with several, or with one in a filter nothing can be compared`() throws {
        let month = try Filter(.month, .equals, ["2025-09"])
        for question in [
            try question(), try question(from: "2025-09-01"), try question(by: [.month, .day]),
            try question(filters: [month], from: "2025-09-01", to: "2025-10-01"),
        ] {
            #expect(errorCode { _ = try Comparison(.previous, of: question) } == "E_ANALYSIS_COMPARE")
        }
    }

    // MARK: - Figures

    @Test func `counts grow in percent, rates by percentage points, and over nothing it is not available`() throws {
        let analysis = try question(
            ["count", "on_time_rate", "mean_handling_hours"], by: [.channel], from: "2025-09-01", to: "2025-10-01")
        let comparison = try Comparison(.year, of: analysis)
        let hour: Int64 = 3_600_000
        let answer = try partial(
            analysis, [(["01"], [120, 90, 100, 30 * hour, 10]), (["02"], [5, 1, 2, 0, 0])])
        let former = try partial(
            analysis, [(["01"], [100, 16, 20, 20 * hour, 10]), (["03"], [4, 0, 0, 0, 0])])
        #expect(
            try cells(analysis, comparison, answer, [former]) == [
                [
                    .text("01"), .integer(120), .integer(100), .integer(20), .real(20), .real(90), .real(80), .real(10),
                    .real(3), .real(2), .real(1), .real(50),
                ],
                [
                    .text("02"), .integer(5), .integer(0), .integer(5), .null, .real(50), .null, .null, .null, .null,
                    .null, .null,
                ],
                [
                    .text("03"), .integer(0), .integer(4), .integer(-4), .real(-100), .null, .null, .null, .null, .null,
                    .null, .null,
                ],
            ])
    }

    @Test func `a 53rd week without a former one is held against nothing, not against 0`() throws {
        let analysis = try question(by: [.week], from: "2020-12-21", to: "2021-01-11")
        let comparison = try Comparison(.year, of: analysis)
        let answer = try partial(analysis, [(["2020-W52"], [3]), (["2020-W53"], [4]), (["2021-W01"], [5])])
        let former = try partial(analysis, [(["2019-W52"], [1]), (["2020-W01"], [2])])
        #expect(
            try cells(analysis, comparison, answer, [former]).map { $0.prefix(6) } == [
                [.text("2020-W52"), .integer(3), .integer(1), .integer(2), .real(200), .text("2019-W52")],
                [.text("2020-W53"), .integer(4), .null, .null, .null, .null],
                [.text("2021-W01"), .integer(5), .integer(2), .integer(3), .real(150), .text("2020-W01")],
            ])
    }

    @Test func `special dates are marked on both sides`() throws {
        let analysis = try question(by: [.day], from: "2025-10-01", to: "2025-10-02")
        let comparison = try Comparison(.year, of: analysis)
        var extras = TableExtras()
        let answer = try partial(analysis, [(["2025-10-01"], [3])])
        extras.comparison = (comparison, try comparison.former([], of: answer))
        let day = try #require(CivilDate.dayNumber("2024-10-02"))
        extras.specialDates = SpecialDates([
            HolidayNotice(year: 2024, holidays: [day: "国庆节"], workingDays: []),
            HolidayNotice(year: 2025, holidays: [day + 364: "国庆节、中秋节"], workingDays: []),
        ])
        let table = try answer.table(for: analysis, extras)
        #expect(
            table.columns.map(\.name) == [
                "day", "count", "count:former", "count:difference", "count:growth", "period:former", "special",
                "special:former",
            ])
        #expect(table.rows.map { $0.cells.suffix(3) } == [[.text("2024-10-02"), .text("国庆节、中秋节"), .text("国庆节")]])
    }

    // MARK: - Against a walk over the rows

    private static let calendar: Calendar = {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = TimeZone(identifier: "Asia/Shanghai") ?? .gmt
        return calendar
    }()

    /// The label of the period before, by the system's calendar.
    private static func before(_ label: String, _ unit: CalendarPeriod.Unit) -> String? {
        let numbers = label.split { !$0.isNumber }.compactMap { Int($0) }
        switch unit {
        case .day:
            let date = calendar.date(from: DateComponents(year: numbers[0], month: numbers[1], day: numbers[2]))
            return date.flatMap { calendar.date(byAdding: .day, value: -1, to: $0) }.map {
                let parts = calendar.dateComponents([.year, .month, .day], from: $0)
                return String(format: "%04d-%02d-%02d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0)
            }
        case .week:
            let date = calendar.date(
                from: DateComponents(weekday: 2, weekOfYear: numbers[1], yearForWeekOfYear: numbers[0]))
            return date.flatMap { calendar.date(byAdding: .day, value: -7, to: $0) }.map {
                let parts = calendar.dateComponents([.yearForWeekOfYear, .weekOfYear], from: $0)
                return String(format: "%04d-W%02d", parts.yearForWeekOfYear ?? 0, parts.weekOfYear ?? 0)
            }
        default:
            let month = numbers[0] * 12 + numbers[1] - 2
            return String(format: "%04d-%02d", month / 12, month % 12 + 1)
        }
    }

    /// What the nodes of a random federation find, merged.
    private func federation(
        _ analysis: Analysis, _ tables: Tables, _ random: inout SplitMix64
    ) throws -> PartialResult {
        var origins = RandomTables.origins.shuffled(using: &random)
        var merged = PartialResult(for: analysis)
        while !origins.isEmpty {
            let part = origins.prefix(Int.random(in: 1...origins.count, using: &random))
            origins.removeFirst(part.count)
            try merged.merge(overTheWire(BruteForce(analysis, tables, origins: Set(part)).answer()))
        }
        return merged
    }

    @Test(arguments: 0..<40)
    func `each row of a random federation has the figures that a walk over the rows of both periods finds`(
        seed: UInt64
    ) throws {
        var random = SplitMix64(seed: seed)
        var rows = RandomTables(seed: seed, tickets: 60)
        let unit = try #require([CalendarPeriod.Unit.day, .week, .month].randomElement(using: &random))
        let drawn = try rows.analysis()
        let calendarDimension = try Dimension(unit.rawValue)
        let dimensions = [calendarDimension] + drawn.dimensions.filter { $0.calendarUnit == nil }.prefix(1)
        let filters = drawn.filters.filter { $0.field.calendarUnit == nil }
        let days = CalendarPeriod(unit, containing: ShanghaiTime.dayNumber(RandomTables.start) + 5)
        let (from, to) = (days.time.lowerBound, days.advanced(by: 2).time.upperBound)
        let isOpen = Bool.random(using: &random)
        let analysis = try Analysis(
            measures: drawn.measures, dimensions: Array(dimensions), filters: filters, from: from,
            to: isOpen ? nil : to, asOf: drawn.asOf)
        let comparison = try Comparison(.previous, of: analysis)
        let answer = try federation(analysis, rows.tables, &random)
        let answers = try comparison.questions.map { try federation($0, rows.tables, &random) }
        var extras = TableExtras()
        extras.comparison = (comparison, try comparison.former(answers, of: answer))
        extras.showsTotal = true
        let table = try answer.table(for: analysis, extras)

        // Of all times, so that each former period is in it.
        let everything = try Analysis(
            measures: drawn.measures, dimensions: Array(dimensions), filters: filters, asOf: drawn.asOf)
        let all = try BruteForce(everything, rows.tables, origins: Set(RandomTables.origins)).answer().groups
        let none = answer.emptyGroup
        func isAsked(_ label: String) -> Bool {
            guard let period = CalendarPeriod(unit, label) else { return false }
            let last = answer.groups.keys.compactMap { $0[0].flatMap { CalendarPeriod(unit, $0.text) } }.max()
            return period.time.lowerBound >= from
                && (isOpen ? last.map { period <= $0 } ?? false : period.time.upperBound <= to)
        }
        var expected: Set<[ExactText?]> = Set(all.keys.filter { $0[0].map { isAsked($0.text) } ?? false })
        for key in all.keys {
            guard let label = key[0], let period = CalendarPeriod(unit, label.text) else { continue }
            let latter = period.advanced(by: 1).label
            #expect(Self.before(latter, unit) == label.text)
            if isAsked(latter) { expected.insert([ExactText(latter)] + key.dropFirst()) }
        }
        #expect(table.rows.count == expected.count)
        for row in table.rows {
            let key = row.cells.prefix(dimensions.count).map { $0.text.map { ExactText($0) } }
            #expect(expected.contains(key))
            let label = try #require(key[0]?.text)
            let former = try #require(Self.before(label, unit))
            try check(
                row, analysis, table.columns, all[key] ?? none, all[[ExactText(former)] + key.dropFirst()] ?? none)
        }
        func sum(_ keys: some Sequence<[ExactText?]>) throws -> PartialResult.Group {
            try keys.reduce(into: none) { try $0.merge(all[$1] ?? none) }
        }
        let formerKeys = expected.compactMap { key -> [ExactText?]? in
            key[0].flatMap { Self.before($0.text, unit) }.map { [ExactText($0)] + key.dropFirst() }
        }
        try check(try #require(table.total), analysis, table.columns, sum(expected), sum(formerKeys))
    }

    private func check(
        _ row: ResultTable.Row, _ analysis: Analysis, _ columns: [ResultTable.Column], _ group: PartialResult.Group,
        _ former: PartialResult.Group
    ) throws {
        #expect(row.parts.flatMap(\.self) == group.sums)
        let undivided = try Analysis(measures: analysis.measures, asOf: analysis.asOf)
        func figures(_ group: PartialResult.Group) throws -> [FieldValue] {
            var partial = PartialResult(for: undivided)
            try partial.add(key: [], group)
            return try partial.table(for: undivided).rows[0].cells
        }
        let (values, formerValues) = (try figures(group), try figures(former))
        for (index, measure) in analysis.measures.enumerated() {
            func cell(_ figure: ResultTable.Figure) -> FieldValue? {
                columns.firstIndex(of: .figure(figure, of: measure)).map { row.cells[$0] }
            }
            #expect(cell(.value) == values[index])
            #expect(cell(.former) == formerValues[index])
            guard let now = cell(.value)?.double, let before = cell(.former)?.double else {
                #expect(cell(.difference) == .null && cell(.growth) ?? .null == .null)
                continue
            }
            #expect(abs((cell(.difference)?.double ?? .nan) - (now - before)) < 0.006)
            guard measure.unit != .percent else { continue }
            if before == 0 {
                #expect(cell(.growth) == .null)
            } else {
                let growth = (now - before) / before * 100
                #expect(abs((cell(.growth)?.double ?? .nan) - growth) <= 0.006 + abs(growth) * 0.02)
            }
        }
    }
}

extension FieldValue {
    var double: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .real(let real): real
        case .null, .text: nil
        }
    }
}
