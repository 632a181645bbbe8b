import FederationModel
import LogicalQuery
import Verification

/// Questions, and answers to them, between nodes.
let questionTargets = [
    FuzzTarget("analyses", read: readAnalysis),
    FuzzTarget("row-queries", read: readRowQuery),
    FuzzTarget("verifications") { bytes in
        _ = try readJSON(VerificationAnswer.self, bytes)
        guard let request = try readJSON(VerificationRequest.self, bytes) else { return }
        try request.check()
        if case .parts(let parted) = request.step {
            try promise(parted.ranges.count == parted.parts.count, "a part without a range")
        }
    },
]

/// An analysis on its way down, or the answer to one by city and month.
private func readAnalysis(_ bytes: [UInt8]) throws {
    if let request = try readJSON(LogicalRequest.self, bytes) {
        for query in SQLiteDialect.compile(request.analysis, origins: request.origins) {
            let places = query.sql.utf8.count { $0 == UInt8(ascii: "?") }
            try promise(places == query.arguments.count, "a statement has \(places) places for values")
        }
        _ = try QueryPlan(
            topology: Federation.topology, node: Federation.province, resources: request.analysis.resourcesNeeded,
            wanted: request.origins)
    }
    guard let answer = try readJSON(LogicalAnswer.self, bytes) else { return }
    // States as well, where the answer has some.
    let names =
        answer.partial.stateKinds.isEmpty
        ? ["count", "on_time_rate"] : ["count", "p50_sign_minutes", "max_sign_minutes", "person_count"]
    let analysis = try Analysis(
        measures: names.map { try IndicatorLibrary.builtIn.named($0).measure }, dimensions: [.origin, .month],
        top: 10, asOf: Federation.now)
    let request = try LogicalRequest(
        analysis: analysis, origins: [Federation.city], deadlineMS: 1_000, topologyVersion: 1)
    try answer.check(against: request)
    var twice = answer
    try twice.merge(answer)
    var extras = TableExtras()
    (extras.showsShare, extras.showsRank, extras.showsRunning, extras.showsTotal) = (true, true, true, true)
    let comparison = try Comparison(.previous, of: analysis)
    extras.comparison = (comparison, try comparison.former([], of: twice.partial))
    let table = try twice.partial.table(for: analysis, extras)
    let rows = table.rows + [table.others?.row, table.total].compactMap(\.self)
    try promise(rows.allSatisfy { $0.cells.count == table.columns.count }, "a row of a table has other columns")
    let coverage = Coverage(
        plan: try QueryPlan(
            topology: Federation.topology, node: Federation.province, resources: analysis.resourcesNeeded),
        topology: Federation.topology, reports: twice.nodes)
    try promise(coverage.answered <= coverage.expected, "more nodes have answered than there are")
}

/// A row query on its way down, or the page that answers one.
private func readRowQuery(_ bytes: [UInt8]) throws {
    if let request = try readJSON(RowRequest.self, bytes) {
        let (sql, arguments) = SQLiteDialect.conditions(request.query)
        let places = sql.reduce(0) { $0 + $1.utf8.count { $0 == UInt8(ascii: "?") } }
        try promise(places == arguments.count, "conditions have \(places) places for values")
    }
    guard let answer = try readJSON(RowAnswer.self, bytes) else { return }
    let query = try RowQuery("service_request", columns: ["title", "channel", "lat", "requested_datetime"], limit: 5)
    let request = try RowRequest(
        query: query, origins: [Federation.city], reader: Federation.province, deadlineMS: 1_000, topologyVersion: 1)
    try answer.check(against: request)
    let page = RowAnswer.merged([answer, answer], limit: query.limit)
    try promise(page.rows.count <= query.limit, "a page has more rows than were asked for")
    let gate = try RowGate(query, grant: LinkGrant()) { _ in "" }
    let passed = gate.pass(answer)
    try promise(passed.rows.map(\.id) == answer.rows.map(\.id), "a gate without a filter holds rows back")
    try promise(gate.pass(passed).rows == passed.rows, "what is masked is masked again at the next node")
}
