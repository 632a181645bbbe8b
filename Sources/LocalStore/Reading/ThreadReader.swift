import FederationModel
import GRDB
import GRDBSQLite

/// Reads the threads of tickets, with the columns that are asked for.
struct ThreadReader {
    private let forms: [TicketEvent.Form]

    /// - Parameter forms: of the resources that are read.
    init(_ forms: some Collection<TicketEvent.Form>) { self.forms = Array(forms) }

    /// The tickets of which a record changed in (`after`, `upto`].
    func changed(after: Seq, upto: Seq, _ db: Database) throws -> Set<String> {
        var tickets: Set<String> = []
        for form in forms {
            let statement = try db.cachedStatement(
                sql: """
                    SELECT global_id FROM main.\(quoted(form.resource.text))
                    WHERE seq > ? AND seq <= ? AND +global_id IS NOT NULL
                    """)
            try tickets.formUnion(String.fetchAll(statement, arguments: [after, upto]))
        }
        return tickets
    }

    /// The live records of each ticket; none for a ticket that has none.
    func threads(of tickets: Set<String>, _ db: Database) throws -> [String: [TicketEvent]] {
        var threads: [String: [TicketEvent]] = [:]
        for form in forms { try collect(tickets, form, into: &threads, db) }
        return threads
    }

    private func collect(
        _ tickets: Set<String>, _ form: TicketEvent.Form, into threads: inout [String: [TicketEvent]],
        _ db: Database
    ) throws {
        let columns = form.columns
        let statement = try db.cachedStatement(
            sql: """
                SELECT r.origin, r."key", r.version\(columns.map { ", r.\(quoted($0.rawValue))" }.joined())
                FROM main.\(quoted(form.resource.text)) AS r WHERE r.global_id = ? AND r.deleted = 0
                """)
        // By the C API: a row object and a value object each would cost three times as much.
        let raw = statement.sqliteStatement
        defer {
            sqlite3_reset(raw)
            sqlite3_clear_bindings(raw)
        }
        for ticket in tickets {
            sqlite3_reset(raw)
            bind(ticket, at: 1, raw)
            while try step(raw, reading: form.resource) {
                let values = columns.indices.map { Self.value(raw, at: Int32($0 + 3)) }
                threads[ticket, default: []].append(
                    TicketEvent(
                        form, origin: Self.text(raw, at: 0), key: Self.text(raw, at: 1),
                        version: sqlite3_column_int64(raw, 2), values: values))
            }
        }
    }

    /// - Returns: whether there is one more row.
    private func step(_ raw: OpaquePointer, reading resource: ResourceName) throws -> Bool {
        switch sqlite3_step(raw) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code:
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: "reading a thread of \(resource)")
        }
    }

    private static func value(_ statement: OpaquePointer, at column: Int32) -> FieldValue {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: .integer(sqlite3_column_int64(statement, column))
        case SQLITE_FLOAT: .real(sqlite3_column_double(statement, column))
        case SQLITE_TEXT: .text(text(statement, at: column))
        default: .null
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
