import FederationModel
import LogicalQuery
import TestSupport
import Testing

@Suite struct `What is left out of a figure` {
    private func counts(_ analysis: Analysis, _ tables: Tables) throws -> [Int64] {
        try BruteForce(analysis, tables, origins: Set(RandomTables.origins)).answer().groups[[]]?.sums
            ?? Array(repeating: 0, count: PartialResult(for: analysis).sumCount)
    }

    /// All of the period are in the base or excluded from it, and what has no time is in no period.
    @Test(arguments: 0..<12)
    func `is every row of the period that is not in its base, for every indicator`(seed: UInt64) throws {
        let tables = RandomTables(seed: seed, tickets: 60).tables
        for indicator in IndicatorLibrary.builtIn.all {
            let (from, to) = (RandomTables.start + 86_400_000, RandomTables.start + 900_000_000)
            let analysis = try Analysis(measures: [indicator.measure], from: from, to: to, asOf: RandomTables.now)
            let leftOut = try LeftOut(of: analysis)
            func rows(_ base: (Measure.Term) -> String) throws -> [Int64] {
                let terms = try indicator.measure.terms.map {
                    try Measure.Term($0.fact, period: $0.period, base: base($0), numerator: "count")
                }
                let measure = try Measure("rows", version: 1, unit: .count, terms: terms)
                return try counts(Analysis(measures: [measure], from: from, to: to, asOf: RandomTables.now), tables)
            }
            let (all, counted) = (try rows { _ in "" }, try rows { $0.base.text })
            #expect(
                try counts(overTheWire(leftOut.excluded), tables) == zip(all, counted).map { $0 - $1 },
                "\(indicator.name)")
            let undated = try counts(overTheWire(leftOut.undated), tables)
            for (term, count) in zip(indicator.measure.terms, undated) {
                let missing = try Measure.Term(
                    term.fact, period: term.period, base: "\(term.period) is null", numerator: "count")
                let measure = try Measure("rows", version: 1, unit: .count, terms: [missing])
                #expect(try counts(Analysis(measures: [measure], asOf: RandomTables.now), tables)[0] >= count)
            }
        }
    }

    @Test func `names those without a due time, but none that was not dispatched or was merged`() throws {
        var tables = Tables()
        let tickets: [(String, [String: FieldValue])] = [
            ("due", ["dispatched_at": .integer(1), "due_at": .integer(2)]), ("none", ["dispatched_at": .integer(1)]),
            ("closed at once", [:]), ("merged", ["dispatched_at": .integer(1), "merged_into": .text("due")]),
        ]
        for (id, state) in tickets {
            tables.rows["service_request", default: []].append([
                "global_id": .text(id), "origin": .text("370100"), "key": .text(id), "deleted": .integer(0),
                "ticket_origin": .text("370100"), "requested_datetime": .integer(0),
            ])
            tables.states[id] = state.merging(["status": .text("in_progress")]) { $1 }
        }
        let analysis = try Analysis(measures: [.named("on_time_rate")], from: 0, to: 10, asOf: 100)
        let leftOut = try LeftOut(of: analysis)
        #expect(try counts(leftOut.undated, tables) == [1])
        #expect(try counts(leftOut.excluded, tables) == [0])
    }
}
