import FederationModel
import LogicalQuery
import TestSupport
import Testing

struct SQLiteDialectTests {
    private let now: UnixMilliseconds = 1_760_000_000_000

    @Test func `the statement can be read`() throws {
        let analysis = try Analysis(
            measures: [.count, .overdue], dimensions: [.origin, .day], filters: [Filter.parse("channel=01,02")],
            from: 1,
            to: 2, asOf: now)
        let query = SQLiteDialect.compile(analysis, origins: [node("370100"), node("370102")])
        #expect(
            query.sql == """
                SELECT t.origin AS d1,
                       strftime('%Y-%m-%d', t.requested_datetime / 1000 + 28800, 'unixepoch') AS d2,
                       count(*),
                       count(*) FILTER (WHERE (s.status IN ('not_accepted', 'transferred_out', 'closed', 'called_back', \
                'evaluated', 'archived', 'terminated', 'withdrawn')) IS NOT TRUE AND s.status <> 'callback_pending' AND \
                s.due_at < ?)
                FROM service_request AS t
                LEFT JOIN ticket_state AS s ON s.global_id = t.global_id
                WHERE t.deleted = 0 AND t.origin IN (?, ?)
                  AND t.requested_datetime >= ?
                  AND t.requested_datetime < ?
                  AND t.channel IN (?, ?)
                GROUP BY d1, (t.requested_datetime / 1000 + 28800) / 86400
                LIMIT 200001
                """)
        #expect(
            query.arguments == [
                .integer(now), .text("370100"), .text("370102"), .integer(1), .integer(2), .text("01"), .text("02"),
            ])
        #expect(query.keyCount == 2)
    }

    @Test func `the state of tickets is joined only where it is needed`() throws {
        let plain = try Analysis(dimensions: [.channel, .week], filters: [Filter.parse("region^=37")], asOf: now)
        #expect(!SQLiteDialect.compile(plain, origins: []).sql.contains("ticket_state"))
        for analysis in [
            try Analysis(measures: [.closed], asOf: now), try Analysis(dimensions: [.unit], asOf: now),
            try Analysis(filters: [Filter.parse("status=closed")], asOf: now),
        ] {
            #expect(SQLiteDialect.compile(analysis, origins: []).sql.contains("ticket_state"))
        }
    }

    @Test func `every value is bound and none is spliced`() throws {
        let hostile = ["' OR 1=1 --", "\"); DROP TABLE service_request; --", "a\u{0}b", "?", "?1", "$x", "单位;"]
        for dimension in Dimension.allCases {
            for comparison in FilterOperator.allCases {
                let filter = try Filter(dimension, comparison, hostile)
                let analysis = try Analysis(
                    measures: Measure.allCases, dimensions: [dimension], filters: [filter], asOf: now)
                let query = SQLiteDialect.compile(analysis, origins: [node("370100")])
                #expect(query.sql.count { $0 == "?" } == query.arguments.count)
                #expect(Array(query.arguments.suffix(hostile.count)) == hostile.map { .text($0) })
                let harmless = try Filter(dimension, comparison, Array(repeating: "x", count: hostile.count))
                let same = try Analysis(
                    measures: Measure.allCases, dimensions: [dimension], filters: [harmless], asOf: now)
                #expect(query.sql == SQLiteDialect.compile(same, origins: [node("370100")]).sql)
            }
        }
    }
}
