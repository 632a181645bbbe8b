import FederationModel
import LogicalQuery
import TestSupport
import Testing

struct SQLiteDialectTests {
    private let now: UnixMilliseconds = 1_760_000_000_000

    @Test func `the statement can be read`() throws {
        let analysis = try Analysis(
            measures: [.count, .named("evaluation_rate")], dimensions: [.origin],
            filters: [Filter.parse("channel=01,02")],
            from: 1, to: 2, asOf: now)
        let queries = SQLiteDialect.compile(analysis, origins: [node("370100"), node("370102")])
        #expect(
            queries.map(\.sql) == [
                """
                SELECT t.origin AS d1,
                       count(*)
                FROM service_request AS t
                WHERE t.deleted = 0 AND +t.origin IN (?, ?)
                  AND t.requested_datetime >= ?
                  AND t.requested_datetime < ?
                  AND (((t.global_id IN (SELECT global_id FROM ticket_state WHERE merge_target IS NOT NULL \
                AND merged_into IS NOT NULL)) = 1) IS NOT TRUE AND (t.acceptance = ?) IS NOT TRUE)
                  AND t.channel IN (?, ?)
                GROUP BY d1
                LIMIT 200001
                """,
                """
                SELECT t.origin AS d1,
                       count(*) FILTER (WHERE ((SELECT min(x.occurred_at) FROM evaluation AS x WHERE \
                x.global_id = r.global_id AND x.deleted = 0 AND (x.object = ? AND (x.verdict_source = ?) IS NOT TRUE AND \
                coalesce(x.round, 1) = coalesce(r.round, 1) AND x.occurred_at >= r.occurred_at)) IS NULL) IS NOT TRUE),
                       count(*)
                FROM callback AS r
                CROSS JOIN service_request AS t ON t.global_id = r.global_id AND t.origin = r.ticket_origin
                WHERE r.deleted = 0 AND t.deleted = 0 AND +t.origin IN (?, ?)
                  AND r.occurred_at >= ?
                  AND r.occurred_at < ?
                  AND (r.reached = ? AND (r.verdict_source = ?) IS NOT TRUE AND ((t.global_id IN (SELECT global_id FROM \
                ticket_state WHERE merge_target IS NOT NULL AND merged_into IS NOT NULL)) = 1) IS NOT TRUE)
                  AND t.channel IN (?, ?)
                GROUP BY d1
                LIMIT 200001
                """,
            ])
        #expect(
            queries[0].arguments == [
                .text("370100"), .text("370102"), .integer(1), .integer(2), .text("not_accepted"), .text("01"),
                .text("02"),
            ])
        #expect(queries.map(\.keyCount) == [1, 1])
    }

    @Test func `a state that is read anyway also says which tickets are merged`() throws {
        let analysis = try Analysis(dimensions: [.status], asOf: now)
        let sql = SQLiteDialect.compile(analysis, origins: [])[0].sql
        #expect(sql.contains("s.merge_target IS NOT NULL") && !sql.contains("IN (SELECT global_id"))
    }

    @Test func `the state of tickets is joined only where it is needed`() throws {
        func isJoined(_ measure: String, by dimension: Dimension, where filter: String) throws -> Bool {
            let analysis = try Analysis(
                measures: [.named(measure)], dimensions: [dimension], filters: [Filter.parse(filter)], asOf: now)
            return SQLiteDialect.compile(analysis, origins: [])[0].sql.contains("JOIN ticket_state")
        }
        #expect(try !isJoined("count", by: .week, where: "region^=37"))
        #expect(try isJoined("closed", by: .week, where: "region^=37"))
        #expect(try isJoined("count", by: .unit, where: "region^=37"))
        #expect(try isJoined("count", by: .week, where: "status=closed"))
    }

    @Test func `a period is looked for where its time is, before any ticket is read`() throws {
        func tables(_ measure: String, from: UnixMilliseconds?) throws -> [String] {
            let analysis = try Analysis(measures: [.named(measure)], from: from, asOf: now)
            let sql = SQLiteDialect.compile(analysis, origins: [])[0].sql.split(separator: "\n").map(String.init)
            return sql.filter { $0.hasPrefix("FROM") || $0.contains("JOIN") }
        }
        #expect(
            try tables("closed_rate", from: 1) == [
                "FROM ticket_state AS s", "CROSS JOIN service_request AS t ON t.global_id = s.global_id",
            ])
        #expect(
            try tables("closed_rate", from: nil) == [
                "FROM service_request AS t", "LEFT JOIN ticket_state AS s ON s.global_id = t.global_id",
            ])
        let ofTicket = "service_request AS t ON t.global_id = r.global_id AND t.origin = r.ticket_origin"
        #expect(try tables("callback_count", from: 1) == ["FROM callback AS r", "CROSS JOIN \(ofTicket)"])
        #expect(try tables("callback_count", from: nil) == ["FROM callback AS r", "JOIN \(ofTicket)"])
    }

    @Test func `what has fact, period and exclusions in common is one statement`() throws {
        func statements(_ names: String...) throws -> Int {
            let analysis = try Analysis(measures: names.map { try .named($0) }, asOf: now)
            return SQLiteDialect.compile(analysis, origins: []).count
        }
        #expect(try statements("count", "closed", "open", "overdue") == 1)
        #expect(try statements("count", "on_time_rate", "overdue_rate") == 2)
        #expect(try statements("three_rates", "strict_satisfaction_rate", "call_count") == 4)
    }

    @Test func `every value is bound and none is spliced`() throws {
        let hostile = ["' OR 1=1 --", "\"); DROP TABLE service_request; --", "a\u{0}b", "?", "?1", "$x", "单位;"]
        for dimension in Dimension.allCases {
            let measures = IndicatorLibrary.builtIn.all.map(\.measure).filter { measure in
                measure.terms.allSatisfy { $0.fact.has(dimension) }
            }
            for comparison in FilterOperator.allCases {
                func queries(_ values: [String]) throws -> [CompiledQuery] {
                    let analysis = try Analysis(
                        measures: Array(measures.suffix(Analysis.measuresMax)), dimensions: [dimension],
                        filters: [Filter(dimension, comparison, values)], asOf: now)
                    return SQLiteDialect.compile(analysis, origins: [node("370100")])
                }
                let found = try queries(hostile)
                for query in found {
                    #expect(query.sql.count { $0 == "?" } == query.arguments.count)
                    #expect(hostile.allSatisfy { query.arguments.contains(.text($0)) })
                }
                #expect(try found.map(\.sql) == queries(Array(repeating: "x", count: hostile.count)).map(\.sql))
            }
        }
    }
}
