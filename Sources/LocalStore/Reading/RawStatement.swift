import FederationModel
import GRDB
import GRDBSQLite

/// A statement driven by the C API, for what is asked once for each ticket: GRDB's row, its values and its arguments would each cost
/// more than the search.
///
/// One run is: bind, step until there is no row more, reset.
struct RawStatement {
    private let statement: Statement
    private let db: Database
    private let raw: OpaquePointer

    init(_ sql: String, _ db: Database) throws {
        statement = try db.cachedStatement(sql: sql)
        raw = statement.sqliteStatement
        self.db = db
        reset()
    }

    // MARK: - Arguments

    func bind(_ text: String?, at position: Int32) {
        if let text { LocalStore.bind(text, at: position, raw) } else { sqlite3_bind_null(raw, position) }
    }

    func bind(_ integer: Int64?, at position: Int32) {
        if let integer { sqlite3_bind_int64(raw, position, integer) } else { sqlite3_bind_null(raw, position) }
    }

    // MARK: - Running

    /// - Returns: whether there is one more row.
    func step() throws -> Bool {
        switch sqlite3_step(raw) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            throw DatabaseError(
                resultCode: ResultCode(rawValue: sqlite3_extended_errcode(db.sqliteConnection)),
                message: "running a statement")
        }
    }

    /// Runs a statement that gives no rows.
    func run() throws {
        defer { sqlite3_reset(raw) }
        _ = try step()
    }

    /// Ends a run; the arguments stay for the next.
    func restart() { sqlite3_reset(raw) }

    /// To be called before others use the statement: it is kept for all that run the same SQL.
    func reset() {
        sqlite3_reset(raw)
        sqlite3_clear_bindings(raw)
    }

    // MARK: - The row

    func integer(at column: Int32) -> Int64? {
        sqlite3_column_type(raw, column) == SQLITE_NULL ? nil : sqlite3_column_int64(raw, column)
    }

    func real(at column: Int32) -> Double? {
        sqlite3_column_type(raw, column) == SQLITE_NULL ? nil : sqlite3_column_double(raw, column)
    }

    func text(at column: Int32) -> String? {
        guard let start = sqlite3_column_text(raw, column) else { return nil }
        let count = Int(sqlite3_column_bytes(raw, column))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func value(at column: Int32) -> FieldValue {
        switch sqlite3_column_type(raw, column) {
        case SQLITE_INTEGER: .integer(sqlite3_column_int64(raw, column))
        case SQLITE_FLOAT: .real(sqlite3_column_double(raw, column))
        case SQLITE_TEXT: .text(text(at: column) ?? "")
        default: .null
        }
    }
}
