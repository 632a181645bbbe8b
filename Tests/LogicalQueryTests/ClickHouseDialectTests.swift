import FederationModel
import LogicalQuery
import TestSupport
import Testing

@Suite struct `The dialect of ClickHouse` {
    private func compile(_ analysis: Analysis) throws -> [WarehouseQuery] {
        try ClickHouseDialect.compile(
            analysis, origins: [node("370100")], regions: ReferenceData.builtIn.regions, isMerged: true,
            table: { "w.\($0.name)" })
    }

    private func gap(_ analysis: Analysis) -> WarehouseGap? {
        do {
            _ = try compile(analysis)
            return nil
        } catch { return error as? WarehouseGap }
    }

    @Test func `keeps what people and peers write within its quotes`() throws {
        #expect(ClickHouseDialect.literal(#"a'b\c\' OR 1=1 --"#) == #"'a\'b\\c\\\' OR 1=1 --'"#)
        let filter = try Filter(.unit, .equals, [#"甲\' OR '1'='1"#])
        let sql = try compile(Analysis(filters: [filter], asOf: 0))[0].sql
        #expect(sql.contains(#"IN ('甲\\\' OR \'1\'=\'1')"#), "\(sql)")
    }

    @Test func `exports no personal column, and persons as hashes alone`() {
        let personal = BuiltInResources.all.flatMap(\.columns).filter { $0.level > .inner }.map(\.name)
        for table in FactTable.all {
            let names = table.columns.map { $0.name.replacing("ticket__", with: "") }
            #expect(Set(personal).isDisjoint(with: names), "\(table.name)")
            #expect(Set(names.map { _ in table.name }).count == 1 && names.allSatisfy { !$0.contains(".") })
        }
    }

    @Test func `leaves to SQLite what it has no words for`() throws {
        let library = IndicatorLibrary.builtIn
        let working = try library.named("mean_dispatch_work_hours").measure
        #expect(try gap(Analysis(measures: [working], asOf: 0)) == .workingTime)
        #expect(try gap(Analysis(measures: [.count], asOf: 0)) == nil)
        let refused = try library.all.filter { try gap(Analysis(measures: [$0.measure], asOf: 0)) != nil }
        #expect(refused.count * 10 < library.all.count, "\(refused.map(\.measure.name))")
    }

    @Test func `an answer that is none is refused`() throws {
        let analysis = try Analysis(dimensions: [.channel], asOf: 0)
        let query = try compile(analysis)[0]
        func add(_ answer: String) throws -> PartialResult {
            var partial = PartialResult(for: analysis)
            try partial.add(answer, of: query)
            return partial
        }
        #expect(try add("").groups.isEmpty)
        #expect(
            try add("01\t3\n\\N\t2\na\\tb\\\\\t1\n").groups == [
                ["01"]: .init(sums: [3]), [nil]: .init(sums: [2]), ["a\tb\\"]: .init(sums: [1]),
            ])
        for answer in ["01\n", "01\tx\n", "01\t\\N\n"] {
            #expect(throws: FederationError.self) { try add(answer) }
        }
    }
}

/// Random rows, exported to two shards as the node exports them, with images of before among them; each question finds there what SQLite
/// finds.
@Suite(.serialized, .enabled(if: ClickHouseServers.areInstalled, "clickhouse-server is not installed"))
struct `Questions to real ClickHouse servers` {
    private static let database = "w"

    private func fill(_ servers: ClickHouseServers, _ tables: Tables) async throws {
        for shard in 0..<2 {
            try await servers.ask("CREATE DATABASE \(Self.database)", of: shard)
            for table in FactTable.all {
                try await servers.ask(table.create(in: Self.database), of: shard)
                try await servers.ask(
                    table.createOverShards(in: Self.database, cluster: "federation"), of: shard)
            }
        }
        for table in FactTable.all {
            let rows = try SQLiteEngine.rows(of: table, in: tables)
            for shard in 0..<2 {
                let own = rows.enumerated().filter { $0.offset % 2 == shard }.map(\.element)
                // What they were before, and then what they are.
                for seq in 1...2 {
                    let lines = own.enumerated().map { index, row in
                        line(row, seq: seq, isGone: seq == 1 && index.isMultiple(of: 3))
                    }
                    try await servers.ask(
                        "INSERT INTO \(Self.database).\(table.name) FORMAT TabSeparated", of: shard,
                        input: lines.joined())
                }
            }
        }
    }

    /// id, origin, key, version, holder, columns, person.
    private func line(_ row: [FieldValue], seq: Int, isGone: Bool) -> String {
        func cell(_ value: FieldValue) -> String {
            switch value {
            case .null: "\\N"
            case .integer(let number): "\(number)"
            case .real(let number): "\(number)"
            case .text(let text): text
            }
        }
        var cells = row.dropFirst().map(cell)
        if case .integer(let hash)? = row.last { cells[cells.count - 1] = "\(UInt64(bitPattern: hash))" }
        let own = isGone ? cells.dropFirst(4).map { _ in "\\N" } : Array(cells.dropFirst(4))
        let envelope = [cells[0], cells[1], "1", "\(seq)", isGone ? "1" : "0", cells[3]]
        return (envelope + own).joined(separator: "\t") + "\n"
    }

    @Test(.timeLimit(.minutes(15)), arguments: 0..<2)
    func `find what SQLite finds`(seed: UInt64) async throws {
        let servers = try await ClickHouseServers(shards: 2)
        var world = RandomTables(seed: seed, tickets: 120)
        try await fill(servers, world.tables)
        var analyses = try (0..<60).map { _ in try world.analysis() }
        if seed == 0 {
            analyses += try IndicatorLibrary.builtIn.all.map {
                try Analysis(measures: [$0.measure], asOf: RandomTables.now)
            }
            analyses += try Dimension.allCases.compactMap { dimension in
                let fact = try #require(Fact.all.first { $0.has(dimension) })
                guard fact == .ticket || fact == .call else { return nil }
                let measure = try #require(
                    IndicatorLibrary.builtIn.all.map(\.measure).first { $0.terms.allSatisfy { $0.fact == fact } })
                return try Analysis(measures: [measure], dimensions: [dimension], asOf: RandomTables.now)
            }
        }
        let origins = ["370100", "370102", "370300"]
        let expected = try SQLiteEngine.run(analyses, on: world.tables, origins: origins)
        var answered = 0
        for (analysis, expected) in zip(analyses, expected) {
            var found = PartialResult(for: analysis)
            do {
                let queries = try ClickHouseDialect.compile(
                    analysis, origins: origins.map(node), regions: ReferenceData.builtIn.regions, isMerged: false,
                    table: { "\(Self.database).\($0.name)_all" })
                for query in queries { try found.add(await servers.ask(query.sql), of: query) }
            } catch is WarehouseGap { continue }
            answered += 1
            #expect(found == expected, "\(analysis)")
        }
        #expect(answered * 2 > analyses.count)
    }

    /// Around every change of the clocks, and over the centuries.
    @Test(.timeLimit(.minutes(15))) func `tell times as SQLite does`() async throws {
        let servers = try await ClickHouseServers(shards: 2)
        var random = SplitMix64(seed: 12)
        var times = (0..<400).map { _ in Int64.random(in: -2_000_000_000...4_000_000_000, using: &random) * 1_000 }
        times += ShanghaiTime.summers.flatMap { [$0.lowerBound - 1_000, $0.lowerBound, $0.upperBound - 1_000] }
        let tables = Tables(rows: [
            "service_request": times.enumerated().map { index, time in
                [
                    "origin": .text("370100"), "key": .text("k\(index)"), "deleted": .integer(0),
                    "requested_datetime": .integer(time), "acceptance": .text("accepted"),
                ]
            }
        ])
        try await fill(servers, tables)
        for cuts in [["day", "week", "month", "quarter"], ["year", "hour", "weekday", "hour_of_week"]] {
            let analysis = try Analysis(dimensions: cuts.map { try Dimension($0) }, asOf: 0)
            var found = PartialResult(for: analysis)
            let queries = try ClickHouseDialect.compile(
                analysis, origins: [node("370100")], regions: ReferenceData.builtIn.regions, isMerged: false,
                table: { "\(Self.database).\($0.name)_all" })
            for query in queries { try found.add(await servers.ask(query.sql), of: query) }
            #expect(try found == SQLiteEngine.run([analysis], on: tables)[0])
        }
    }

    /// More values and persons than are kept as they are.
    @Test(.timeLimit(.minutes(15))) func `gather the states of many rows as SQLite does`() async throws {
        let servers = try await ClickHouseServers(shards: 2)
        var random = SplitMix64(seed: 3)
        let requests = (0..<2_500).map { index -> Tables.Row in
            [
                "origin": .text("370100"), "key": .text("k\(index)"), "deleted": .integer(0),
                "requested_datetime": .integer(0), "acceptance": .text("accepted"), "global_id": .text("g\(index)"),
                "reporter_phone": .text("13\(Int.random(in: 100_000_000...100_003_000, using: &random))"),
                "channel": .text(index < 500 ? "01" : "02"),
            ]
        }
        var tables = Tables(rows: ["service_request": requests])
        for index in 0..<2_500 {
            let length = Int64.random(in: 0...1 << Int64.random(in: 1...40, using: &random), using: &random)
            tables.states["g\(index)"] = ["dispatched_at": .integer(0), "closed_at": .integer(length)]
        }
        try await fill(servers, tables)
        let measures = [
            try Analysis.Measure(
                "p90", version: 1, unit: .hours,
                terms: [.init(.ticket, base: "", numerator: "p90(closed_at - dispatched_at)")]),
            try Analysis.Measure(
                "persons", version: 1, unit: .count, terms: [.init(.ticket, base: "", numerator: "persons")]),
            try Analysis.Measure(
                "least", version: 1, unit: .hours, terms: [.init(.ticket, base: "", numerator: "least(closed_at)")]),
        ]
        for dimensions in [[], [Dimension.channel]] {
            let analysis = try Analysis(measures: measures, dimensions: dimensions, asOf: 0)
            var found = PartialResult(for: analysis)
            let queries = try ClickHouseDialect.compile(
                analysis, origins: [node("370100")], regions: ReferenceData.builtIn.regions, isMerged: false,
                table: { "\(Self.database).\($0.name)_all" })
            for query in queries { try found.add(await servers.ask(query.sql), of: query) }
            #expect(try found == SQLiteEngine.run([analysis], on: tables)[0])
        }
    }
}
