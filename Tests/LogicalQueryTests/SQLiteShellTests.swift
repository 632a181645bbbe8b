import FederationModel
import Foundation
import LogicalQuery
import TestSupport
import Testing

/// Runs compiled statements in SQLite's own shell, against a reference that shares nothing with them: it looks at one
/// ticket after the other and takes its dates from Foundation's ISO calendar. The store runs the same statements through
/// its own connection in its tests.
@Suite(.enabled(if: SQLiteShell.path != nil, "needs the sqlite3 shell"))
struct SQLiteShellTests {
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
    ])
    func `days, weeks and months are those of Asia Shanghai`(time: String, day: String, week: String, month: String)
        throws
    {
        let date = try Date(time, strategy: .iso8601)
        let ticket = Ticket(origin: "370100", requested: Int64(date.timeIntervalSince1970) * 1_000)
        let analysis = try Analysis(dimensions: [.day, .week, .month], asOf: 0)
        #expect(
            try SQLiteShell.run([analysis], on: [ticket])[0].groups == [[day, week, month].map { ExactText($0) }: [1]])
    }

    @Test func `codes are cut to their levels, and one that is too short stays whole`() throws {
        let dimensions: [Dimension] = [
            .region(.province), .region(.city), .region(.county), .region(.town), .service(levels: 1),
            .service(levels: 2), .service(levels: 4),
        ]
        let analysis = try Analysis(dimensions: dimensions, asOf: 0)
        let tickets = [
            Ticket(origin: "370100", requested: 0, region: "370102003001", service: "01.02.03"),
            Ticket(origin: "370100", requested: 0, region: "370102", service: "01"),
            Ticket(origin: "370100", requested: 0, region: "370102", service: "01.02.03.04.05"),
            Ticket(origin: "370100", requested: 0),
        ]
        #expect(
            try SQLiteShell.run([analysis], on: tickets)[0].groups == [
                ["370000", "370100", "370102", "370102003", "01", "01.02", "01.02.03"]: [1],
                ["370000", "370100", "370102", "370102", "01", "01", "01"]: [1],
                ["370000", "370100", "370102", "370102", "01", "01.02", "01.02.03.04"]: [1],
                Array(repeating: nil, count: 7): [1],
            ])
    }

    @Test func `a filter of a thousand prefixes runs`() throws {
        let prefixes = try Filter(.service(levels: 4), .hasPrefix, (0..<1_000).map { "\(10_000 + $0)" })
        let tickets = [
            Ticket(origin: "370100", requested: 0, service: "10999.1"),
            Ticket(origin: "370100", requested: 0, service: "2"),
        ]
        #expect(try SQLiteShell.run([Analysis(filters: [prefixes], asOf: 0)], on: tickets)[0].groups == [[]: [1]])
    }

    /// Merging what two halves of the federation answer is what the reference finds in all of it.
    @Test(arguments: 0..<4)
    func `random analyses find what looking at every ticket finds`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let tickets = (0..<400).map { _ in Ticket.random(&random) }
        let analyses = try (0..<60).map { _ in try randomAnalysis(&random) }
        let north = try SQLiteShell.run(analyses, on: tickets, origins: ["370100", "370102"])
        let south = try SQLiteShell.run(analyses, on: tickets, origins: ["370300"])
        for (index, analysis) in analyses.enumerated() {
            var merged = north[index]
            try merged.merge(south[index])
            let expected = try Reference.answer(analysis, tickets, origins: ["370100", "370102", "370300"])
            #expect(merged.table(for: analysis) == expected.table(for: analysis), "\(analysis)")
        }
    }

    private func randomAnalysis(_ random: inout SplitMix64) throws -> Analysis {
        let filters = try (0..<Int.random(in: 0...2, using: &random)).map { _ in
            try Filter(
                Dimension.allCases.randomElement(using: &random) ?? .origin,
                FilterOperator.allCases.randomElement(using: &random) ?? .equals,
                (0..<Int.random(in: 1...3, using: &random)).map { _ in
                    ["37", "370102", "01", "02.01", "2025-W01", "2024-12", "closed", "甲局", "1", "normal", "3701020"]
                        .randomElement(using: &random) ?? "01"
                })
        }
        let period = Bool.random(using: &random)
        return try Analysis(
            measures: Measure.allCases.shuffled(using: &random),
            dimensions: Array(
                Dimension.allCases.shuffled(using: &random).prefix(Int.random(in: 0...3, using: &random))),
            filters: filters, from: period ? Ticket.start + 86_400_000 : nil,
            to: period ? Ticket.start + 900_000_000 : nil,
            top: Bool.random(using: &random) ? 5 : nil, asOf: Ticket.start + 1_000_000_000)
    }
}

/// A ticket and its folded state, as the store holds them.
struct Ticket {
    static let start: UnixMilliseconds = 1_735_000_000_000

    var origin: String
    var deleted = false
    var requested: UnixMilliseconds
    var region: String?
    var service: String?
    var type = "1"
    var channel = "01"
    var urgency = "normal"
    var state: State?

    struct State {
        var status: String
        var owner: String?
        var unit: String?
        var dispatched: UnixMilliseconds?
        var due: UnixMilliseconds?
        var closed: UnixMilliseconds?
        var score: Int64?
    }

    static func random(_ random: inout SplitMix64) -> Ticket {
        func one<T>(_ choices: [T]) -> T { choices[Int.random(in: 0..<choices.count, using: &random)] }
        let requested = start + Int64.random(in: 0..<1_728_000_000, using: &random)
        func later() -> Int64? { one([nil, requested + Int64.random(in: -1_000...900_000_000, using: &random)]) }
        var ticket = Ticket(
            origin: one(["370100", "370102", "370300", "370900"]), deleted: one([true, false, false]),
            requested: requested)
        ticket.region = one(["370102003001", "370102", "370300", "370000", nil])
        ticket.service = one(["01", "01.02", "01.02.03.04.05", "02.01", nil])
        ticket.type = one(["1", "2", "4"])
        ticket.channel = one(["01", "02"])
        ticket.urgency = one(["normal", "urgent"])
        if one([true, true, false]) {
            ticket.state = State(
                status: one(["received", "dispatched", "closed", "callback_pending", "evaluated", "withdrawn"]),
                owner: one(["370100", "370300"]), unit: one(["甲局", "乙局", nil]), dispatched: later(), due: later(),
                closed: later(),
                score: one([nil, 1, 2, 3, 4, 5]))
        }
        return ticket
    }
}

/// The analysis by looking at each ticket.
enum Reference {
    static func answer(_ analysis: Analysis, _ tickets: [Ticket], origins: Set<String>) throws -> PartialResult {
        var result = PartialResult(for: analysis)
        for ticket in tickets where !ticket.deleted && origins.contains(ticket.origin) {
            if let from = analysis.from, ticket.requested < from { continue }
            if let to = analysis.to, ticket.requested >= to { continue }
            if analysis.filters.contains(where: { !passes(ticket, $0) }) { continue }
            try result.add(
                key: analysis.dimensions.map { value(ticket, $0).map { ExactText($0) } },
                sums: analysis.measures.flatMap { sums(ticket, $0, analysis.asOf) })
        }
        return result
    }

    private static func passes(_ ticket: Ticket, _ filter: Filter) -> Bool {
        let value = value(ticket, filter.field)
        return switch filter.comparison {
        case .equals: filter.values.contains { $0 == value }
        case .notEquals: !filter.values.contains { $0 == value }
        case .hasPrefix: filter.values.contains { value?.hasPrefix($0) == true }
        }
    }

    private static func value(_ ticket: Ticket, _ dimension: Dimension) -> String? {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = TimeZone(secondsFromGMT: 8 * 3_600) ?? .gmt
        let date = Date(timeIntervalSince1970: Double(ticket.requested / 1_000))
        let parts = calendar.dateComponents([.year, .month, .day, .yearForWeekOfYear, .weekOfYear], from: date)
        func number(_ value: Int?) -> String { (value ?? 0) < 10 ? "0\(value ?? 0)" : "\(value ?? 0)" }
        switch dimension {
        case .origin: return ticket.origin
        case .region(nil): return ticket.region
        case .region(.province): return ticket.region.map { $0.prefix(2) + "0000" }
        case .region(.city): return ticket.region.map { $0.prefix(4) + "00" }
        case .region(.county): return ticket.region.map { String($0.prefix(6)) }
        case .region(.town): return ticket.region.map { String($0.prefix(9)) }
        case .service(let levels):
            return ticket.service.map { $0.split(separator: ".").prefix(levels ?? 99).joined(separator: ".") }
        case .requestType: return ticket.type
        case .channel: return ticket.channel
        case .urgency: return ticket.urgency
        case .handlingOwner: return ticket.state?.owner
        case .unit: return ticket.state?.unit
        case .status: return ticket.state?.status
        case .day: return "\(number(parts.year))-\(number(parts.month))-\(number(parts.day))"
        case .month: return "\(number(parts.year))-\(number(parts.month))"
        case .week: return "\(number(parts.yearForWeekOfYear))-W\(number(parts.weekOfYear))"
        }
    }

    private static func sums(_ ticket: Ticket, _ measure: Measure, _ asOf: UnixMilliseconds) -> [Int64] {
        let state = ticket.state
        let final = ["closed", "evaluated", "withdrawn"].contains(state?.status ?? "received")
        let due = state?.due ?? .max
        switch measure {
        case .count: return [1]
        case .closed: return [final ? 1 : 0]
        case .open: return [final ? 0 : 1]
        case .overdue: return [!final && state?.status != "callback_pending" && due < asOf ? 1 : 0]
        case .onTimeRate:
            guard state?.dispatched != nil, due <= asOf else { return [0, 0] }
            return [(state?.closed ?? .max) <= due ? 1 : 0, 1]
        case .satisfactionRate:
            guard let score = state?.score else { return [0, 0] }
            return [score >= 3 ? 1 : 0, 1]
        case .meanHandlingHours:
            guard let closed = state?.closed, let dispatched = state?.dispatched, closed >= dispatched else {
                return [0, 0]
            }
            return [closed - dispatched, 1]
        }
    }
}

/// SQLite's command-line shell as an engine: the statement as compiled, its values bound by the shell.
enum SQLiteShell {
    static let path = ["/usr/bin/sqlite3", "/usr/local/bin/sqlite3"].first(where: FileManager.default.isExecutableFile)

    static func run(_ analyses: [Analysis], on tickets: [Ticket], origins: [String] = ["370100"]) throws
        -> [PartialResult]
    {
        let queries = analyses.map { SQLiteDialect.compile($0, origins: origins.map(node)) }
        let output = try execute(script(queries, tickets))
        let blocks = output.components(separatedBy: "#END\n").dropLast()
        #expect(blocks.count == analyses.count)
        return try zip(blocks, analyses).enumerated().map { index, pair in
            var partial = PartialResult(for: pair.1)
            for line in pair.0.split(separator: "\n") {
                let cells = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
                let keyCount = queries[index].keyCount
                try partial.add(
                    key: cells.prefix(keyCount).map { $0 == "NULL" ? nil : ExactText($0) },
                    sums: try cells.dropFirst(keyCount).map { try #require(Int64($0)) })
            }
            return partial
        }
    }

    private static func literal(_ value: String?) -> String { value.map { "'\($0)'" } ?? "NULL" }
    private static func literal(_ value: Int64?) -> String { value.map { "\($0)" } ?? "NULL" }

    private static func literal(_ value: FieldValue) -> String {
        value.text.map { "'\($0)'" } ?? literal(value.integer)
    }

    private static func script(_ queries: [CompiledQuery], _ tickets: [Ticket]) -> String {
        var lines = [
            ".bail on", ".nullvalue NULL", ".parameter init",
            """
            CREATE TABLE service_request(origin TEXT, deleted INTEGER, global_id TEXT, requested_datetime INTEGER,
              region_code TEXT, service_code TEXT, request_type TEXT, channel TEXT, urgency TEXT);
            CREATE TABLE ticket_state(global_id TEXT, status TEXT, owner TEXT, unit TEXT, dispatched_at INTEGER, due_at INTEGER,
              closed_at INTEGER, score INTEGER);
            """,
        ]
        for (index, ticket) in tickets.enumerated() {
            lines.append(
                """
                INSERT INTO service_request VALUES ('\(ticket.origin)', \(ticket.deleted ? 1 : 0), 'g\(index)', \
                \(ticket.requested), \(literal(ticket.region)), \(literal(ticket.service)), '\(ticket.type)', \
                '\(ticket.channel)', '\(ticket.urgency)');
                """)
            guard let state = ticket.state else { continue }
            lines.append(
                """
                INSERT INTO ticket_state VALUES ('g\(index)', '\(state.status)', \(literal(state.owner)), \(literal(state.unit)), \
                \(literal(state.dispatched)), \(literal(state.due)), \(literal(state.closed)), \(literal(state.score)));
                """)
        }
        for query in queries {
            lines.append("DELETE FROM temp.sqlite_parameters;")
            for (index, value) in query.arguments.enumerated() {
                lines.append("INSERT INTO temp.sqlite_parameters VALUES ('?\(index + 1)', \(literal(value)));")
            }
            lines += [query.sql + ";", ".print #END"]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func execute(_ script: String) throws -> String {
        let folder = try TemporaryFolder("query")
        let file = folder.url.appending(path: "query.sql")
        try Data(script.utf8).write(to: file)
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: try #require(path))
        shell.arguments = ["-batch", "-init", "/dev/null", ":memory:"]
        shell.standardInput = try FileHandle(forReadingFrom: file)
        let output = Pipe()
        shell.standardOutput = output
        try shell.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }
}
