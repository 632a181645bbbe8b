import FederationModel
import LogicalQuery
import TestSupport
import Testing

@Suite struct `The table of an answer` {
    private func analysis(
        _ measures: [String] = ["count"], by dimensions: [Dimension] = [], top: Int? = nil
    ) throws -> Analysis {
        try Analysis(measures: measures.map { try .named($0) }, dimensions: dimensions, top: top, asOf: 0)
    }

    private func partial(_ analysis: Analysis, _ groups: [([ExactText?], [Int64])]) throws -> PartialResult {
        var partial = PartialResult(for: analysis)
        for (key, sums) in groups { try partial.add(key: key, sums: sums) }
        return partial
    }

    private func extras(_ set: (inout TableExtras) -> Void) -> TableExtras {
        var extras = TableExtras()
        set(&extras)
        return extras
    }

    /// Domain rule 2: the cities' 90 % and 50 % are 83.33 % together, and not 70 %.
    @Test func `has a total that is merged, never a mean of rates`() throws {
        let question = try analysis(["on_time_rate", "count"], by: [.origin])
        let table = try partial(question, [(["370100"], [90, 100, 1_200]), (["370200"], [10, 20, 800])])
            .table(for: question, extras { $0.showsTotal = true })
        #expect(table.rows.map { $0.cells[1] } == [.real(90), .real(50)])
        #expect(table.total?.cells == [.null, .real(83.33), .integer(2_000)])
        #expect(table.total?.parts == [[100, 120], [2_000]])
    }

    @Test func `has what top cut off as one row, merged as well`() throws {
        let question = try analysis(["count", "on_time_rate"], by: [.channel], top: 1)
        let table = try partial(question, [(["01"], [7, 1, 1]), (["02"], [5, 9, 10]), ([nil], [2, 1, 10])])
            .table(for: question, extras { $0.showsTotal = true })
        #expect(table.rows.map(\.cells) == [[.text("01"), .integer(7), .real(100)]])
        #expect(table.others?.row.cells == [.null, .integer(7), .real(50)])
        #expect(table.others?.count == 2)
        #expect(table.total?.cells == [.null, .integer(14), .real(52.38)])
        let all = try analysis(["count"], by: [.channel], top: 3)
        #expect(try partial(all, [(["01"], [7])]).table(for: all).others == nil)
    }

    @Test func `tells shares of counts, in percent of all rows and not of those that are shown`() throws {
        let question = try analysis(["count", "on_time_rate"], by: [.channel], top: 1)
        let table = try partial(question, [(["01"], [1, 1, 1]), (["02"], [2, 1, 1])])
            .table(for: question, extras { $0.showsShare = true })
        #expect(table.columns.map(\.name) == ["channel", "count", "count:share", "on_time_rate"])
        #expect(table.rows.map { $0.cells[2] } == [.real(66.67)])
        #expect(table.others?.row.cells[2] == .real(33.33))
        let nothing = try analysis(["count"], by: [.channel])
        #expect(
            try partial(nothing, [(["01"], [0])]).table(for: nothing, extras { $0.showsShare = true }).rows[0].cells[2]
                == .null)
    }

    @Test func `ranks the most first, equal ones share a place and take those behind them`() throws {
        let question = try analysis(["on_time_rate"], by: [.channel])
        let table = try partial(
            question, [(["01"], [1, 2]), (["02"], [3, 3]), (["03"], [2, 4]), (["04"], [0, 3]), (["05"], [0, 0])]
        ).table(for: question, extras { $0.showsRank = true })
        #expect(table.rows.map { $0.cells[0].text } == ["02", "01", "03", "04", "05"])
        #expect(table.rows.map { $0.cells[2] } == [.integer(1), .integer(2), .integer(2), .integer(4), .null])
    }

    @Test func `adds up from period to period, by the other dimensions, and rates by what is behind them`() throws {
        let question = try analysis(["count", "on_time_rate"], by: [.month, .channel])
        let table = try partial(
            question,
            [
                (["2025-01", "01"], [1, 9, 10]), (["2025-01", "02"], [5, 1, 1]), (["2025-02", "01"], [2, 1, 10]),
                (["2025-03", "02"], [3, 0, 1]),
            ]
        ).table(for: question, extras { $0.showsRunning = true })
        #expect(table.rows.map { $0.cells[3] } == [.integer(1), .integer(5), .integer(3), .integer(8)])
        #expect(table.rows.map { $0.cells[5] } == [.real(90), .real(100), .real(50), .real(50)])
        let byChannel = try analysis(["count"], by: [.channel], top: 2)
        let ranked = try partial(byChannel, [(["01"], [1]), (["02"], [5])])
            .table(for: byChannel, extras { $0.showsRunning = true })
        #expect(ranked.rows.map { $0.cells[2] } == [.integer(5), .integer(6)])
    }

    @Test func `fails where rows are too many to be one, and does not trap`() throws {
        let question = try analysis(by: [.channel])
        let two = try partial(question, [(["01"], [.max]), (["02"], [1])])
        #expect(errorCode { _ = try two.table(for: question) } == "E_ANALYSIS_ANSWER")
    }

    // MARK: - Plans

    private func at(_ text: String) throws -> UnixMilliseconds { try #require(ShanghaiTime.parse(text)) }

    private func line(
        _ measure: String, _ period: String, _ value: Double, at places: [Dimension: String] = [:]
    ) throws -> PlanValues.Line {
        PlanValues.Line(
            measure: try .named(measure), period: try #require(PlanValues.period(period)), places: places, value: value)
    }

    @Test func `holds figures against the plan: counts against exactly theirs, rates against any that they lie in`()
        throws
    {
        let question = try Analysis(
            measures: [.count, .named("on_time_rate")], dimensions: [.origin], from: at("2025-09-01"),
            to: at("2025-10-01"), asOf: 0)
        let plan = try PlanValues([
            line("count", "2025-09", 1_000, at: [.origin: "370100"]),
            line("count", "2025", 9, at: [.origin: "370200"]), line("count", "2025-09", 5_000),
            line("on_time_rate", "2025", 95), line("on_time_rate", "2025-Q3", 80, at: [.origin: "370200"]),
            line("on_time_rate", "2025-Q3", 90),
        ])
        let answer = try partial(question, [(["370100"], [1_200, 9, 10]), (["370200"], [800, 1, 2])])
        let table = try answer.table(
            for: question,
            extras {
                $0.plan = plan
                $0.showsTotal = true
            })
        let names = [
            "origin", "count", "count:plan", "count:plan_difference", "count:plan_rate", "on_time_rate",
            "on_time_rate:plan", "on_time_rate:plan_difference",
        ]
        #expect(table.columns.map { $0.name } == names)
        let first: [FieldValue] = [
            .text("370100"), .integer(1_200), .integer(1_000), .integer(200), .real(120), .real(90), .real(90),
            .real(0),
        ]
        let second: [FieldValue] = [
            .text("370200"), .integer(800), .null, .null, .null, .real(50), .real(80), .real(-30),
        ]
        #expect(table.rows.map { $0.cells } == [first, second])
        #expect(table.total?.cells[2] == .null, "a plan is not added up")
    }

    @Test func `takes a filter that lets one value pass for the row's own, and any other for no plan of a count`()
        throws
    {
        func planned(_ filters: [Filter], from: String = "2025-09-01", by dimensions: [Dimension] = []) throws
            -> FieldValue
        {
            let question = try Analysis(
                measures: [.count], dimensions: dimensions, filters: filters, from: at(from), to: at("2025-10-01"),
                asOf: 0)
            let plan = try PlanValues([line("count", "2025-09", 1_000, at: [.origin: "370100"])])
            let key = dimensions.isEmpty ? [] : [ExactText("2025-09")]
            return try partial(question, [(key, [1])]).table(for: question, extras { $0.plan = plan }).rows[0]
                .cells[dimensions.count + 1]
        }
        let city = try Filter(.origin, .equals, ["370100"])
        #expect(try planned([city]) == .integer(1_000))
        #expect(try planned([city], by: [.month]) == .integer(1_000))
        #expect(try planned([city], from: "2025-09-02", by: [.month]) == .null)
        #expect(try planned([city], from: "2025-09-02") == .null)
        #expect(try planned([]) == .null)
        #expect(try planned([city, Filter(.channel, .equals, ["01"])]) == .null)
        #expect(try planned([Filter(.origin, .equals, ["370100", "370200"])]) == .null)
    }

    @Test func `is not made with a plan that says two things about one`() throws {
        let twice = [try line("count", "2025", 1), try line("count", "2025", 2)]
        #expect(errorCode { _ = try PlanValues(twice) } == "E_PLAN_INVALID")
    }

    // MARK: - Against a walk over the rows

    @Test(arguments: 0..<40)
    func `of a random federation says of others, total, shares and places what adding up its rows says`(
        seed: UInt64
    ) throws {
        var rows = RandomTables(seed: seed, tickets: 80)
        var random = SplitMix64(seed: seed)
        let drawn = try rows.analysis()
        let analysis = try Analysis(
            measures: drawn.measures, dimensions: drawn.dimensions, filters: drawn.filters, from: drawn.from,
            to: drawn.to, top: Int.random(in: 1...4, using: &random), asOf: drawn.asOf)
        var answer = PartialResult(for: analysis)
        for origin in RandomTables.origins.shuffled(using: &random) {
            try answer.merge(BruteForce(analysis, rows.tables, origins: [origin]).answer())
        }
        let table = try answer.table(
            for: analysis,
            extras {
                ($0.showsTotal, $0.showsRank, $0.showsShare) = (true, true, true)
            })
        let undivided = try Analysis(
            measures: drawn.measures, filters: drawn.filters, from: drawn.from, to: drawn.to, asOf: drawn.asOf)
        let all = try BruteForce(undivided, rows.tables, origins: Set(RandomTables.origins)).answer().groups[[]]?.sums
        let none = Array(repeating: Int64(0), count: answer.sumCount)
        let total = try #require(table.total)
        #expect(total.parts.flatMap(\.self) == all ?? none)
        func sum(_ rows: [ResultTable.Row]) -> [Int64] {
            rows.reduce(none) { zip($0, $1.parts.flatMap(\.self)).map { $0 + $1 } }
        }
        #expect(sum(table.rows + (table.others.map { [$0.row] } ?? [])) == all ?? none)
        #expect(
            table.rows.count == min(analysis.top ?? 0, max(answer.groups.count, analysis.dimensions.isEmpty ? 1 : 0)))
        #expect(table.others?.count ?? 0 == max(0, answer.groups.count - table.rows.count))
        let value = try #require(table.columns.firstIndex(of: .figure(.value, of: analysis.measures[0])))
        let rank = try #require(table.columns.firstIndex(of: .figure(.rank, of: analysis.measures[0])))
        let whole = try Analysis(
            measures: analysis.measures, dimensions: analysis.dimensions, filters: analysis.filters, asOf: analysis.asOf
        )
        let values = try answer.table(for: whole).rows.compactMap { $0.cells[analysis.dimensions.count].double }
        for row in table.rows where !analysis.dimensions.isEmpty {
            let place = row.cells[value].double.map { own in Int64(values.count { $0 > own } + 1) }
            #expect(row.cells[rank] == place.map { .integer($0) } ?? .null)
        }
    }
}
