import FederationModel
import Foundation
import LogicalQuery
import TestSupport
import Testing

/// Runs compiled statements in SQLite, against a reference that shares nothing with them but the declarations. The store runs the same
/// statements on its own tables in its tests.
struct SQLiteEngineTests {
    private let one = PartialResult.Group(sums: [1])

    private func ticket(
        requested: UnixMilliseconds = 0, region: String? = nil, service: String? = nil
    ) -> Tables.Row {
        [
            "origin": .text("370100"), "key": .text("k\(requested)-\(region ?? "")-\(service ?? "")"),
            "deleted": .integer(0),
            "requested_datetime": .integer(requested), "region_code": region.map { .text($0) } ?? .null,
            "service_code": service.map { .text($0) } ?? .null, "acceptance": .text("accepted"),
        ]
    }

    @Test(arguments: [
        ("2024-12-29T23:59:59+08:00", "2024-12-29", "2024-W52", "2024-12"),
        ("2024-12-30T00:00:00+08:00", "2024-12-30", "2025-W01", "2024-12"),
        ("2025-09-30T23:59:59+08:00", "2025-09-30", "2025-W40", "2025-09"),
        ("2025-09-30T16:00:00Z", "2025-10-01", "2025-W40", "2025-10"),
        ("2026-12-31T12:00:00+08:00", "2026-12-31", "2026-W53", "2026-12"),
        ("2027-01-01T00:00:00+08:00", "2027-01-01", "2026-W53", "2027-01"),
        ("2027-01-03T23:59:59+08:00", "2027-01-03", "2026-W53", "2027-01"),
        ("2027-01-04T00:00:00+08:00", "2027-01-04", "2027-W01", "2027-01"),
        ("2024-02-29T08:00:00+08:00", "2024-02-29", "2024-W09", "2024-02"),
        // Before 1970, where a quotient that rounds towards 0 makes two days one.
        ("1969-12-31T12:00:00+08:00", "1969-12-31", "1970-W01", "1969-12"),
        ("1970-01-01T07:59:59+08:00", "1970-01-01", "1970-W01", "1970-01"),
        ("1949-10-01T15:00:00+08:00", "1949-10-01", "1949-W39", "1949-10"),
        // Summer time.
        ("1988-06-30T23:30:00+08:00", "1988-07-01", "1988-W26", "1988-07"),
        ("1991-09-14T23:30:00+08:00", "1991-09-15", "1991-W37", "1991-09"),
        ("1991-09-15T23:30:00+08:00", "1991-09-15", "1991-W37", "1991-09"),
    ])
    func `days, weeks and months are those of Asia Shanghai`(time: String, day: String, week: String, month: String)
        throws
    {
        let date = try Date(time, strategy: .iso8601)
        let tables = Tables(rows: ["service_request": [ticket(requested: Int64(date.timeIntervalSince1970) * 1_000)]])
        let analysis = try Analysis(dimensions: [.day, .week, .month], asOf: 0)
        #expect(
            try SQLiteEngine.run([analysis], on: tables)[0].groups == [[day, week, month].map { ExactText($0) }: one])
    }

    /// Around every change of the clocks since 1901, and over the centuries.
    @Test func `every part of a time is as the system's calendar has it`() throws {
        var random = SplitMix64(seed: 12)
        var times = (0..<400).map { _ in Int64.random(in: -2_000_000_000...4_000_000_000, using: &random) * 1_000 }
        times += ShanghaiTime.summers.flatMap { [$0.lowerBound, $0.upperBound] }.flatMap {
            [$0 - 1_000, $0, $0 + 1_000]
        }
        let tables = Tables(rows: ["service_request": times.map { ticket(requested: $0) }])
        for cuts in [["day", "week", "month", "quarter"], ["year", "hour", "weekday", "hour_of_week"]] {
            let analysis = try Analysis(dimensions: cuts.map { try Dimension($0) }, asOf: 0)
            let found = try SQLiteEngine.run([analysis], on: tables)[0]
            #expect(try found == BruteForce(analysis, tables, origins: ["370100"]).answer())
        }
    }

    @Test func `codes are cut to their levels, and one that is too short stays whole`() throws {
        let dimensions: [Dimension] = [
            .region(.province), .region(.city), .region(.county), .region(.town), .service(levels: 1),
            .service(levels: 2), .service(levels: 4),
        ]
        let analysis = try Analysis(dimensions: dimensions, asOf: 0)
        let tables = Tables(
            rows: [
                "service_request": [
                    ticket(region: "370102003001", service: "01.02.03"), ticket(region: "370102", service: "01"),
                    ticket(region: "370102", service: "01.02.03.04.05"), ticket(),
                ]
            ])
        #expect(
            try SQLiteEngine.run([analysis], on: tables)[0].groups == [
                ["370000", "370100", "370102", "370102003", "01", "01.02", "01.02.03"]: one,
                ["370000", "370100", "370102", "370102", "01", "01", "01"]: one,
                ["370000", "370100", "370102", "370102", "01", "01.02", "01.02.03.04"]: one,
                Array(repeating: nil, count: 7): one,
            ])
    }

    @Test func `a filter of a thousand prefixes runs`() throws {
        let prefixes = try Filter(.service(levels: 4), .hasPrefix, (0..<1_000).map { "\(10_000 + $0)" })
        let tables = Tables(rows: ["service_request": [ticket(service: "10999.1"), ticket(service: "2")]])
        #expect(try SQLiteEngine.run([Analysis(filters: [prefixes], asOf: 0)], on: tables)[0].groups == [[]: one])
    }

    /// Merging what two halves of the federation answer is what the reference finds in all of it.
    @Test(arguments: 0..<6)
    func `random questions find what looking at every row finds`(seed: UInt64) throws {
        var world = RandomTables(seed: seed, tickets: 120)
        let analyses = try (0..<60).map { _ in try world.analysis() }
        let north = try SQLiteEngine.run(analyses, on: world.tables, origins: ["370100", "370102"])
        let south = try SQLiteEngine.run(analyses, on: world.tables, origins: ["370300"])
        for (index, analysis) in analyses.enumerated() {
            var merged = north[index]
            try merged.merge(south[index])
            let expected = try BruteForce(analysis, world.tables, origins: ["370100", "370102", "370300"]).answer()
            #expect(try merged.table(for: analysis) == expected.table(for: analysis), "\(analysis)")
        }
    }

    /// Every indicator, each with every dimension that its rows have.
    @Test func `every indicator finds what looking at every row finds, by every dimension`() throws {
        let world = RandomTables(seed: 99, tickets: 60)
        let analyses = try IndicatorLibrary.builtIn.all.map(\.measure).flatMap { measure in
            try Dimension.allCases.filter { dimension in measure.terms.allSatisfy { $0.fact.has(dimension) } }.map {
                try Analysis(measures: [measure], dimensions: [$0], asOf: RandomTables.now)
            }
        }
        let found = try SQLiteEngine.run(analyses, on: world.tables, origins: RandomTables.origins)
        for (analysis, found) in zip(analyses, found) {
            let expected = try BruteForce(analysis, world.tables, origins: Set(RandomTables.origins)).answer()
            #expect(found.groups == expected.groups, "\(analysis.measures) by \(analysis.dimensions)")
        }
    }
}
