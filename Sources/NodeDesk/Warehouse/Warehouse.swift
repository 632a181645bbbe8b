import ConfigurationFiles
import FederationModel
import LocalStore
import LogicalQuery

/// A node's facts on ClickHouse: their tables, how far they are, and answers from them. `WarehouseExporter` fills them.
package struct Warehouse: Sendable {
    let server: ClickHouse

    private var database: String { server.settings.database }
    var shards: Int { server.settings.addresses.count }
    private var positions: String { "\(database).position" }

    package init(_ settings: WarehouseSettings) { server = ClickHouse(settings: settings) }

    /// What is asked: where there are several shards, the table over all of them.
    func table(_ table: FactTable) -> String { "\(database).\(table.name)" + (shards > 1 ? "_all" : "") }

    // MARK: - How far it is

    struct Position: Hashable, Sendable {
        let feed: FeedPosition
        /// Grows with everything that is written.
        let step: Int64
        /// Whether each row has one image.
        let isMerged: Bool
    }

    /// - Returns: nil where nothing is, or what there is lies on other servers.
    func position(timeoutSeconds: Int = ClickHouse.patienceSeconds) async throws -> Position? {
        let isThere = "SELECT count() FROM system.tables WHERE database = '\(database)' AND name = 'position'"
        guard try await server.ask(isThere, timeoutSeconds: timeoutSeconds) == "1\n" else { return nil }
        let answer = try await server.ask(
            "SELECT epoch, basis, seq, step, merged, shards FROM \(positions) ORDER BY step DESC LIMIT 1",
            timeoutSeconds: timeoutSeconds)
        let fields = answer.split(whereSeparator: \.isWhitespace).map(String.init)
        guard fields.count == 6, let epoch = Epoch(fields[0]), let seq = Seq(fields[2]), let step = Int64(fields[3]),
            fields[5] == servers
        else { return nil }
        return Position(
            feed: FeedPosition(epoch: epoch, basis: fields[1], seq: seq), step: step, isMerged: fields[4] == "1")
    }

    func save(_ position: Position) async throws {
        try await server.ask(
            """
            INSERT INTO \(positions) VALUES ('\(position.feed.epoch)', '\(position.feed.basis)', \
            \(position.feed.seq), \(position.step), \(position.isMerged ? 1 : 0), '\(servers)')
            """)
    }

    /// - Returns: the position that follows; nothing is written where it is the same.
    func move(_ position: Position, to feed: FeedPosition, isMerged: Bool) async throws -> Position {
        guard feed != position.feed || isMerged != position.isMerged else { return position }
        let next = Position(feed: feed, step: position.step + 1, isMerged: isMerged)
        try await save(next)
        return next
    }

    /// Which shard a row is on follows from their number and order.
    private var servers: String {
        String(fnv1a64(server.settings.addresses.joined(separator: ",").utf8), radix: 16)
    }

    // MARK: - Tables

    /// Forgets that anything is there, so that the exporter begins anew.
    func forgetPosition() async throws { try await server.ask("DROP TABLE IF EXISTS \(positions)") }

    /// Makes all tables anew, without rows.
    func makeTables() async throws {
        try await server.askAll("CREATE DATABASE IF NOT EXISTS \(database)")
        try await forgetPosition()
        for table in FactTable.all {
            try await server.askAll("DROP TABLE IF EXISTS \(database).\(table.name)_all")
            try await server.askAll("DROP TABLE IF EXISTS \(database).\(table.name)")
            try await server.askAll(table.create(in: database))
        }
        if shards > 1 {
            for table in FactTable.all {
                try await server.askAll(
                    table.createOverShards(in: database, cluster: server.settings.cluster))
            }
        }
        try await server.ask(
            """
            CREATE TABLE \(positions) (
              epoch String, basis String, seq UInt64, step UInt64, merged UInt8, shards String)
            ENGINE = ReplacingMergeTree(step) PARTITION BY tuple() ORDER BY tuple()
            """)
    }

    func insert(_ rows: FactRows) async throws {
        let statement = "INSERT INTO \(database).\(rows.table.name) FORMAT RowBinary"
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (shard, bytes) in rows.shards.enumerated() where !bytes.isEmpty {
                group.addTask { try await server.ask(statement, of: shard, inserting: bytes) }
            }
            try await group.waitForAll()
        }
    }

    /// Leaves one image of each row.
    func merge() async throws {
        for shard in 0..<shards {
            let parts = try await server.ask(
                """
                SELECT table, partition FROM system.parts WHERE active AND database = '\(database)' AND table != 'position'
                GROUP BY table, partition HAVING count() > 1
                """, of: shard)
            for line in parts.split(separator: "\n") {
                let names = line.split(separator: "\t")
                guard names.count == 2, FactTable.all.contains(where: { $0.name == names[0] }) else { continue }
                try await server.ask(
                    """
                    OPTIMIZE TABLE \(database).\(names[0]) PARTITION \(ClickHouseDialect.literal(String(names[1]))) FINAL
                    """, of: shard)
            }
        }
    }

    // MARK: - Answers

    /// Changes that an answer may lack; it says so. With more, SQLite answers.
    private static let lagMax: Int64 = 100_000

    /// What the rows of `origins` come to, and how many changes are not in it.
    ///
    /// - Throws: `WarehouseGap` where SQLite must answer; `E_WAREHOUSE_AWAY`, `E_ANALYSIS_…`.
    func partial(
        of analysis: Analysis, origins: [NodeID], regions: CodeList, store: NodeStore, milliseconds: Int64
    ) async throws -> (partial: PartialResult, lagRows: Int64) {
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        func secondsLeft() -> Int { max(1, Int((end - .now).components.seconds) + 1) }
        guard let position = try await position(timeoutSeconds: secondsLeft()),
            let lag = try await store.lag(of: position.feed), lag <= Self.lagMax
        else { throw WarehouseGap.behind }
        func ask(isMerged: Bool) async throws -> PartialResult {
            var partial = PartialResult(for: analysis)
            let queries = try ClickHouseDialect.compile(
                analysis, origins: origins, regions: regions, isMerged: isMerged, table: table)
            for query in queries {
                try partial.add(
                    await server.ask(query.sql, timeoutSeconds: secondsLeft()), of: query)
            }
            return partial
        }
        let partial = try await ask(isMerged: position.isMerged)
        // New images may have come between the two.
        guard position.isMerged,
            try await self.position(timeoutSeconds: secondsLeft())?.step != position.step
        else { return (partial, lag) }
        return (try await ask(isMerged: false), lag)
    }

    // MARK: - For people

    /// What the rows of a fact come to there, by the node under which they count.
    func fingerprints(of table: FactTable) async throws -> [FactFingerprint] {
        let answer = try await server.ask(FactTable.fingerprints(of: self.table(table)))
        return answer.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count == 3, let rows = Int64(fields[1]), let sum = UInt64(fields[2]) else { return nil }
            return FactFingerprint(holder: String(fields[0]), rows: rows, sum: sum)
        }
    }

    /// How many rows a shard has of each fact.
    func rows(onShard shard: Int) async throws -> [(fact: String, rows: Int64)] {
        var rows: [(String, Int64)] = []
        for table in FactTable.all {
            let answer = try await server.ask(
                "SELECT count() FROM \(database).\(table.name) FINAL WHERE row_gone = 0", of: shard)
            rows.append((table.name, Int64(answer.dropLast()) ?? 0))
        }
        return rows
    }
}
