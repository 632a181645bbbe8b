import FederationModel
import GRDB
import GRDBSQLite

/// Reads threads, with the columns that are asked for.
struct ThreadReader<Record: Sendable> {
    private let forms: [ThreadForm<Record>]
    private let key: String
    private let kind: String

    init(_ kind: some ThreadKind<Record>) {
        forms = kind.forms
        self.kind = kind.name
        key = quoted(kind.key)
    }

    /// The threads of which a record changed in (`after`, `upto`], also those that a record left for another one.
    func changed(after: Seq, upto: Seq, _ db: Database) throws -> Set<ExactText> {
        let left = try db.cachedStatement(
            sql: "SELECT thread FROM main.\(ResourceTable.leftThreads) WHERE seq > ? AND seq <= ? AND kind = ?")
        var ids = Set(try String.fetchAll(left, arguments: [after, upto, kind]).map { ExactText($0) })
        for form in forms {
            let statement = try db.cachedStatement(
                sql: """
                    SELECT \(key) FROM main.\(quoted(form.resource.text))
                    WHERE seq > ? AND seq <= ? AND +\(key) IS NOT NULL
                    """)
            let found = try String.fetchCursor(statement, arguments: [after, upto])
            while let id = try found.next() { ids.insert(ExactText(id)) }
        }
        return ids
    }

    /// The live records of each thread; none for a thread that has none.
    func threads(of ids: Set<ExactText>, _ db: Database) throws -> [ExactText: [Record]] {
        var threads: [ExactText: [Record]] = [:]
        for form in forms { try collect(ids, form, into: &threads, db) }
        return threads
    }

    private func collect(
        _ ids: Set<ExactText>, _ form: ThreadForm<Record>, into threads: inout [ExactText: [Record]], _ db: Database
    ) throws {
        let columns = form.columns
        let statement = try db.cachedStatement(
            sql: """
                SELECT r.origin, r."key", r.version\(columns.map { ", r.\(quoted($0))" }.joined())
                FROM main.\(quoted(form.resource.text)) AS r WHERE r.\(key) = ? AND r.deleted = 0
                """)
        // By the C API: a row object and a value object each would cost three times as much.
        let raw = statement.sqliteStatement
        defer {
            sqlite3_reset(raw)
            sqlite3_clear_bindings(raw)
        }
        for id in ids {
            sqlite3_reset(raw)
            bind(id.text, at: 1, raw)
            while try step(raw, reading: form.resource) {
                let values = columns.indices.map { Self.value(raw, at: Int32($0 + 3)) }
                threads[id, default: []].append(
                    form.record(Self.text(raw, at: 0), Self.text(raw, at: 1), sqlite3_column_int64(raw, 2), values))
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

extension ThreadReader<TicketEvent> {
    /// The threads of tickets with the columns of some forms alone.
    init(ticketsWith forms: some Collection<TicketEvent.Form>) {
        self.forms = forms.map { ThreadForm($0) }
        key = TicketKind().key
        kind = TicketKind.title
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
