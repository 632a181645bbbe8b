import FederationModel
import LocalStore
import LogicalQuery
import TestSupport
import Testing

/// The tests of `LogicalQuery` hold the figures against a reference; these say that the store has what the statements name.
@Suite struct `The store's schema` {
    @Test func `answers every indicator by every dimension, whole and through a link's filter`() async throws {
        let city = try TemporaryStore(jinan, topology: qilu, isFiltered: true)
        let records =
            (0..<20).map { ticket($0, at: noon + Int64($0) * 60_000) }
            + (0..<10).map {
                stage("assignment", of: $0, after: 60, ["assignee_unit": .text("市住建局"), "role": .text("main")])
            }
        _ = try await city.store.intake(records, now: noon)
        try await city.store.catchUpConsumers(now: noon)
        var filter = GrantFilter()
        filter.requestTypes = ["2"]
        let readers = qilu.nodes.filter { $0.id == province }
        for measure in IndicatorLibrary.builtIn.all.map(\.measure) {
            for dimension in Dimension.allCases {
                guard let analysis = try? Analysis(measures: [measure], dimensions: [dimension], from: 0, asOf: noon)
                else {
                    continue
                }
                for query in SQLiteDialect.compile(analysis, origins: [jinan]) {
                    var (whole, given) = (PartialResult(for: analysis), PartialResult(for: analysis))
                    for row in try await city.store.rows(of: query, within: GrantFilter(), readers: []) {
                        try whole.add(row, of: query)
                    }
                    for row in try await city.store.rows(of: query, within: filter, readers: readers) {
                        try given.add(row, of: query)
                    }
                    #expect(whole == given, "\(measure) by \(dimension)")
                }
            }
        }
    }

    private typealias Dimension = Analysis.Dimension

    /// With an index of origins a month would cost as much as all years.
    @Test func `finds a period by the index of times`() async throws {
        let city = try TemporaryStore(jinan)
        let analysis = try Analysis(dimensions: [.channel], from: noon, to: noon + 1, asOf: noon)
        let query = SQLiteDialect.compile(analysis, origins: [jinan])[0]
        let plan = try await city.store.rows(sql: "EXPLAIN QUERY PLAN \(query.sql)", arguments: query.arguments)
        #expect(plan.contains { $0.last?.text?.contains("service_request_requested_datetime") == true }, "\(plan)")
    }
}
