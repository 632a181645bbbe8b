import FederationModel
import GRDB
import LogicalQuery

extension NodeStore {
    /// The rows of a page that lie here, of some origins and within a filter, as they are: hiding what is personal is for
    /// `RowGate`.
    ///
    /// - Parameter readers: the nodes to which the rows go; empty when they stay. What accuses one of them is not given.
    /// - Returns: rows and `next`; reports are the caller's matter.
    package func page(
        of query: RowQuery, origins: [NodeID], within filter: GrantFilter, readers: [TopologyNode]
    ) async throws -> RowAnswer {
        guard let table = tables[query.resource.name] else { return RowAnswer() }
        let columns = query.columns.map { ", r.\(quoted($0.name))" }.joined()
        let (conditions, arguments) = SQLiteDialect.conditions(query)
        let isGiven = Visibility.isWithin(filter, table.definition, readers: readers)
        // An origin at a time: each is one range of the index of origin and key.
        let sql = """
            SELECT r.origin, r."key"\(columns) FROM main.\(table.table) AS r
            WHERE \((["r.origin = ?", "r.\"key\" > ?", isGiven] + conditions).joined(separator: " AND "))
            ORDER BY r."key" LIMIT ?
            """
        return try await pool.read { db in
            let statement = try db.makeStatement(sql: sql)
            var answer = RowAnswer()
            var bytes = 0
            for origin in origins.sorted() where origin.code >= query.after?.origin ?? "" {
                let behind = origin.code == query.after?.origin ? query.after?.key : nil
                let rows = try Row.fetchCursor(
                    statement,
                    arguments: StatementArguments([origin.code, behind ?? ""])
                        + StatementArguments(arguments.map(\.databaseValue))
                        + StatementArguments([query.limit - answer.rows.count + 1]))
                while let row = try rows.next() {
                    let found = RowAnswer.Row(
                        id: RowKey(origin: row[0], key: row[1]),
                        cells: (2..<row.count).map { row.fieldValue(at: $0) })
                    bytes += found.bytes
                    if answer.rows.count == query.limit || bytes > RowQuery.bytesMax {
                        answer.next = answer.rows.last?.id
                        return answer
                    }
                    answer.rows.append(found)
                }
            }
            return answer
        }
    }
}
