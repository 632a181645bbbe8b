import FederationModel
import Foundation
import GRDBSQLite
import LocalStore
import LogicalQuery
import TestSupport
import Testing

/// The compiled statements in SQLite, in memory, with the functions that the store's connections have.
enum SQLiteEngine {
    /// - Parameter calendar: by which working time is counted.
    static func run(
        _ analyses: [Analysis], on tables: Tables, origins: [String] = ["370100"],
        calendar: WorkCalendar = .weekendsOnly
    ) throws -> [PartialResult] {
        try with(tables, calendar: calendar) { connection in
            try analyses.map { analysis in
                var partial = PartialResult(for: analysis)
                for query in SQLiteDialect.compile(analysis, origins: origins.map(node)) {
                    for row in try rows(query.sql, query.arguments, connection) { try partial.add(row, of: query) }
                }
                return partial
            }
        }
    }

    /// The live rows of a fact, as they are exported.
    static func rows(of table: FactTable, in tables: Tables) throws -> [[FieldValue]] {
        try with(tables) { connection in
            try rows(table.live(.rows, withPersons: true), [.integer(0), .integer(1_000_000)], connection)
        }
    }

    private static func with<Value>(
        _ tables: Tables, calendar: WorkCalendar = .weekendsOnly, _ work: (OpaquePointer?) throws -> Value
    ) throws -> Value {
        var connection: OpaquePointer?
        #expect(sqlite3_open_v2(":memory:", &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, nil) == SQLITE_OK)
        defer { sqlite3_close_v2(connection) }
        try AnalysisFunctions.add(to: connection, tokens: BruteForce.token) { calendar }
        let prepared = sqlite3_exec(connection, script(tables), nil, nil, nil)
        try #require(prepared == SQLITE_OK, "\(String(cString: sqlite3_errmsg(connection)))")
        return try work(connection)
    }

    private static func rows(
        _ sql: String, _ arguments: [FieldValue], _ connection: OpaquePointer?
    ) throws -> [[FieldValue]] {
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v2(connection, sql, -1, &statement, nil)
        try #require(code == SQLITE_OK, "\(String(cString: sqlite3_errmsg(connection)))\n\(sql)")
        defer { sqlite3_finalize(statement) }
        for (index, value) in arguments.enumerated() {
            switch value {
            case .null: sqlite3_bind_null(statement, Int32(index + 1))
            case .integer(let number): sqlite3_bind_int64(statement, Int32(index + 1), number)
            case .real(let number): sqlite3_bind_double(statement, Int32(index + 1), number)
            case .text(let text):
                let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
                sqlite3_bind_text(statement, Int32(index + 1), text, Int32(text.utf8.count), transient)
            }
        }
        var rows: [[FieldValue]] = []
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: rows.append((0..<sqlite3_column_count(statement)).map { value(at: $0, statement) })
            case SQLITE_DONE: return rows
            default: Issue.record("\(String(cString: sqlite3_errmsg(connection)))\n\(sql)"); return rows
            }
        }
    }

    private static func value(at column: Int32, _ statement: OpaquePointer?) -> FieldValue {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_NULL: .null
        case SQLITE_INTEGER: .integer(sqlite3_column_int64(statement, column))
        case SQLITE_FLOAT: .real(sqlite3_column_double(statement, column))
        default: .text(sqlite3_column_text(statement, column).map { String(cString: $0) } ?? "")
        }
    }

    private static func literal(_ value: FieldValue?) -> String {
        switch value {
        case nil, .null?: "NULL"
        case .text(let text)?: "'\(text)'"
        case .integer(let number)?: "\(number)"
        case .real(let number)?: "\(number)"
        }
    }

    private static let states = [
        "status", "round", "unit", "owner", "resolved", "supervision", "category", "score", "returns", "extensions",
        "held",
        "suspended", "dispatched_at", "due_at", "acknowledged_at", "replied_at", "closed_at", "called_back_at",
        "evaluated_at", "merge_target", "merged_into",
    ]

    private static func script(_ tables: Tables) -> String {
        var lines = ["BEGIN;"]
        func insert(_ columns: [String], _ row: Tables.Row, into table: String) {
            let names = columns.map { "\"\($0)\"" }.joined(separator: ", ")
            lines.append(
                "INSERT INTO \(table) (\(names)) VALUES (\(columns.map { literal(row[$0]) }.joined(separator: ", ")));")
        }
        let texts: Set = [
            "status", "unit", "owner", "resolved", "supervision", "category", "merge_target", "merged_into",
        ]
        lines.append(
            """
            CREATE TABLE ticket_state(global_id TEXT PRIMARY KEY, \
            \(states.map { "\($0) \(texts.contains($0) ? "TEXT" : "INTEGER")" }.joined(separator: ", ")));
            """)
        for (ticket, state) in tables.states {
            insert(["global_id"] + states, state.merging(["global_id": .text(ticket)]) { $1 }, into: "ticket_state")
        }
        let resources = BuiltInResources.ticketResources + [BuiltInResources.callRecord, ExternalResources.record]
        for resource in resources {
            let columns = ["origin", "key", "deleted"] + resource.columns.map(\.name)
            let declared = resource.columns.map { column -> String in
                let type =
                    switch column.type.storage {
                    case .text: "TEXT"
                    case .integer: "INTEGER"
                    case .real: "REAL"
                    }
                return "\"\(column.name)\" \(type)"
            }
            lines.append(
                "CREATE TABLE \(resource.name)(id INTEGER PRIMARY KEY, origin TEXT, key TEXT, deleted INTEGER, version INTEGER, \(declared.joined(separator: ", ")));"
            )
            if resource.isTicketRecord {
                lines.append("CREATE INDEX \(resource.name)_id ON \(resource.name)(global_id);")
            }
            for row in tables.rows[resource.name] ?? [] { insert(columns, row, into: resource.name.text) }
        }
        lines.append("COMMIT;")
        return lines.joined(separator: "\n")
    }
}
