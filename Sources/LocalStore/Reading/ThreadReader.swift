import FederationModel
import GRDB
import GRDBSQLite

/// Reads the threads of the tickets that are named in `batch.dirty_ticket`, with the columns that are asked for.
struct ThreadReader {
    private let tables: [ResourceTable]
    private let columns: [ResourceName: [String]]

    /// - Parameter columns: by resource; only resources that are named are read.
    init(tables: [ResourceTable], columns: [ResourceName: [String]]) {
        self.tables = tables.filter { columns[$0.definition.name] != nil }
        self.columns = columns
    }

    /// Tickets whose threads are wanted; in memory, beside the staging tables.
    static let createDirty = "CREATE TABLE batch.dirty_ticket (global_id TEXT PRIMARY KEY) WITHOUT ROWID"

    static func clear(_ db: Database) throws {
        try db.cachedStatement(sql: "DELETE FROM batch.dirty_ticket").execute()
    }

    static func add(_ ticket: String, _ db: Database) throws {
        try db.cachedStatement(sql: "INSERT OR IGNORE INTO batch.dirty_ticket VALUES (?)").execute(
            arguments: [ticket])
    }

    /// Names the tickets of which a record changed in (`after`, `upto`].
    func addChanged(after: Seq, upto: Seq, _ db: Database) throws {
        for table in tables {
            try db.cachedStatement(
                sql: """
                    INSERT OR IGNORE INTO batch.dirty_ticket
                    SELECT global_id FROM main.\(quoted(table.definition.name.text))
                    WHERE seq > ? AND seq <= ? AND +global_id IS NOT NULL
                    """
            ).execute(arguments: [after, upto])
        }
    }

    /// The live records of each named ticket; none for a ticket that has none.
    func threads(_ db: Database) throws -> [String: [TicketEvent]] {
        var threads: [String: [TicketEvent]] = [:]
        for table in tables { try collect(table, into: &threads, db) }
        return threads
    }

    private func collect(_ table: ResourceTable, into threads: inout [String: [TicketEvent]], _ db: Database) throws {
        let resource = table.definition.name
        let columns = self.columns[resource] ?? []
        let statement = try db.cachedStatement(
            sql: """
                SELECT r.global_id, r.origin, r."key", r.version\(columns.map { ", r.\(quoted($0))" }.joined())
                FROM batch.dirty_ticket AS d CROSS JOIN main.\(quoted(resource.text)) AS r ON r.global_id = d.global_id
                WHERE r.deleted = 0
                """)
        // By the C API: a row object and a value object each would cost three times as much.
        let raw = statement.sqliteStatement
        defer { sqlite3_reset(raw) }
        while true {
            let code = sqlite3_step(raw)
            guard code == SQLITE_ROW else {
                guard code == SQLITE_DONE else {
                    throw DatabaseError(
                        resultCode: ResultCode(rawValue: code), message: "reading a thread of \(resource)")
                }
                return
            }
            var fields = [String: FieldValue](minimumCapacity: columns.count)
            for (index, column) in columns.enumerated() {
                if let value = Self.value(raw, at: Int32(index + 4)) { fields[column] = value }
            }
            threads[Self.text(raw, at: 0), default: []].append(
                TicketEvent(
                    resource: resource, origin: Self.text(raw, at: 1), key: Self.text(raw, at: 2),
                    version: sqlite3_column_int64(raw, 3), fields: fields))
        }
    }

    private static func value(_ statement: OpaquePointer, at column: Int32) -> FieldValue? {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: .integer(sqlite3_column_int64(statement, column))
        case SQLITE_FLOAT: .real(sqlite3_column_double(statement, column))
        case SQLITE_TEXT: .text(text(statement, at: column))
        default: nil
        }
    }

    private static func text(_ statement: OpaquePointer, at column: Int32) -> String {
        guard let start = sqlite3_column_text(statement, column) else { return "" }
        let count = Int(sqlite3_column_bytes(statement, column))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }
}

extension Row {
    func fieldValue(at index: Int) -> FieldValue {
        let value: DatabaseValue = self[index]
        switch value.storage {
        case .null, .blob: return .null
        case .int64(let integer): return .integer(integer)
        case .double(let real): return .real(real)
        case .string(let text): return .text(text)
        }
    }
}
