import FederationModel
import GRDB
import GRDBSQLite
import LogicalQuery

/// Rows of a fact's flat table as ClickHouse's `RowBinary` has them, parted by shards: a row always comes to the same one, by its key.
///
/// Of each row origin, key, version, seq, whether it is gone, and holder; then the fact's own columns and the person's, which may be missing.
package struct FactRows: Sendable {
    package let table: FactTable
    package fileprivate(set) var shards: [[UInt8]]
    package fileprivate(set) var count = 0
}

/// Reads rows of a fact and writes them as bytes, without values in between: there are a hundred columns.
struct FactReader {
    private(set) var rows: FactRows
    /// Up to where changes are in them.
    private let seq: Seq
    private let hasPersons: Bool
    private var row: [UInt8] = []

    init(_ table: FactTable, shards: Int, seq: Seq, hasPersons: Bool) {
        rows = FactRows(table: table, shards: Array(repeating: [], count: shards))
        self.seq = seq
        self.hasPersons = hasPersons
    }

    /// - Returns: how many live rows there were, and the number of the last.
    @discardableResult
    mutating func readLive(
        _ selection: FactTable.Selection, _ arguments: [FieldValue], _ db: Database
    ) throws -> (count: Int, last: Int64) {
        var (count, last) = (0, Int64(0))
        try each(rows.table.live(selection, withPersons: hasPersons), arguments, db) { reader, statement in
            count += 1
            last = sqlite3_column_int64(statement, 0)
            reader.begin(statement, isGone: false)
            reader.append(statement, at: 4)
            for (index, column) in reader.rows.table.columns.enumerated() {
                reader.append(statement, at: Int32(index + 5), column.kind)
            }
            reader.append(statement, at: Int32(reader.rows.table.columns.count + 5), .number)
            reader.end(statement)
        }
        return (count, last)
    }

    mutating func readGone(_ selection: FactTable.Selection, _ arguments: [FieldValue], _ db: Database) throws {
        try each(rows.table.gone(selection), arguments, db) { reader, statement in
            reader.begin(statement, isGone: true)
            // No holder, and every column missing.
            reader.row.append(0)
            for _ in 0...reader.rows.table.columns.count { reader.row.append(1) }
            reader.end(statement)
        }
    }

    private mutating func each(
        _ sql: String, _ arguments: [FieldValue], _ db: Database, _ body: (inout FactReader, OpaquePointer) -> Void
    ) throws {
        let statement = try db.cachedStatement(sql: sql).sqliteStatement
        sqlite3_reset(statement)
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, value) in arguments.enumerated() {
            switch value {
            case .text(let text): bind(text, at: Int32(index + 1), statement)
            case .integer(let integer): sqlite3_bind_int64(statement, Int32(index + 1), integer)
            case .null, .real: preconditionFailure("rows are selected by texts and whole numbers")
            }
        }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: body(&self, statement)
            case SQLITE_DONE: return
            case let code:
                throw DatabaseError(
                    resultCode: ResultCode(rawValue: code), message: "reading rows of \(rows.table.name)")
            }
        }
    }

    // MARK: - A row as bytes

    /// id, origin, key, version.
    private mutating func begin(_ statement: OpaquePointer, isGone: Bool) {
        row.removeAll(keepingCapacity: true)
        append(statement, at: 1)
        append(statement, at: 2)
        append(sqlite3_column_int64(statement, 3))
        append(seq)
        row.append(isGone ? 1 : 0)
    }

    private mutating func end(_ statement: OpaquePointer) {
        let shard = Int(fnv1a64(Self.text(statement, at: 2)) % UInt64(rows.shards.count))
        rows.shards[shard].append(contentsOf: row)
        rows.count += 1
    }

    private mutating func append(_ statement: OpaquePointer, at column: Int32, _ kind: Fact.Kind) {
        let type = sqlite3_column_type(statement, column)
        switch kind {
        case .number where type == SQLITE_INTEGER:
            row.append(0)
            append(sqlite3_column_int64(statement, column))
        case .text where type != SQLITE_NULL:
            row.append(0)
            append(statement, at: column)
        case .number, .text: row.append(1)
        }
    }

    private mutating func append(_ number: Int64) {
        withUnsafeBytes(of: number.littleEndian) { row.append(contentsOf: $0) }
    }

    /// A text with its length in front, seven bits a byte (LEB128).
    private mutating func append(_ statement: OpaquePointer, at column: Int32) {
        let text = Self.text(statement, at: column)
        var length = text.count
        while length >= 0x80 {
            row.append(UInt8(length & 0x7f) | 0x80)
            length >>= 7
        }
        row.append(UInt8(length))
        row.append(contentsOf: text)
    }

    private static func text(_ statement: OpaquePointer, at column: Int32) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(
            start: sqlite3_column_text(statement, column), count: Int(sqlite3_column_bytes(statement, column)))
    }
}
