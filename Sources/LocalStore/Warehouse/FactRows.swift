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
struct FactReader: ~Copyable {
    private(set) var rows: FactRows
    /// Up to where changes are in them.
    private let seq: Seq
    private let hasPersons: Bool
    /// Which columns behind the holder are numbers: the fact's own ones, and the person.
    private let areNumbers: [Bool]
    private var row = RowBytes()

    init(_ table: FactTable, shards: Int, seq: Seq, hasPersons: Bool) {
        rows = FactRows(table: table, shards: Array(repeating: [], count: shards))
        self.seq = seq
        self.hasPersons = hasPersons
        areNumbers = table.columns.map { $0.kind == .number } + [true]
    }

    mutating func readLive(_ selection: FactTable.Selection, _ arguments: [FieldValue], _ db: Database) throws {
        let statement = try begin(rows.table.live(selection, withPersons: hasPersons), arguments, db)
        defer { Self.end(statement) }
        while try step(statement) {
            beginRow(statement, isGone: false)
            append(statement, at: 4)
            for index in areNumbers.indices {
                appendIfThere(statement, at: Int32(truncatingIfNeeded: index + 5), isNumber: areNumbers[index])
            }
            endRow(statement)
        }
    }

    mutating func readGone(_ selection: FactTable.Selection, _ arguments: [FieldValue], _ db: Database) throws {
        let statement = try begin(rows.table.gone(selection), arguments, db)
        defer { Self.end(statement) }
        while try step(statement) {
            beginRow(statement, isGone: true)
            // No holder, and every column missing.
            row.append(byte: 0)
            for _ in areNumbers { row.append(byte: 1) }
            endRow(statement)
        }
    }

    // MARK: - The statement

    private func begin(_ sql: String, _ arguments: [FieldValue], _ db: Database) throws -> OpaquePointer {
        let statement = try db.cachedStatement(sql: sql).sqliteStatement
        sqlite3_reset(statement)
        for (index, value) in arguments.enumerated() {
            switch value {
            case .text(let text): bind(text, at: Int32(index + 1), statement)
            case .integer(let integer): sqlite3_bind_int64(statement, Int32(index + 1), integer)
            case .null, .real: preconditionFailure("rows are selected by texts and whole numbers")
            }
        }
        return statement
    }

    private static func end(_ statement: OpaquePointer) {
        sqlite3_reset(statement)
        sqlite3_clear_bindings(statement)
    }

    private func step(_ statement: OpaquePointer) throws -> Bool {
        switch sqlite3_step(statement) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code:
            throw DatabaseError(
                resultCode: ResultCode(rawValue: code), message: "reading rows of \(rows.table.name)")
        }
    }

    // MARK: - A row as bytes

    /// id, origin, key, version.
    private mutating func beginRow(_ statement: OpaquePointer, isGone: Bool) {
        row.removeAll()
        append(statement, at: 1)
        append(statement, at: 2)
        row.append(sqlite3_column_int64(statement, 3))
        row.append(seq)
        row.append(byte: isGone ? 1 : 0)
    }

    private mutating func endRow(_ statement: OpaquePointer) {
        let key = Self.text(statement, at: 2) ?? UnsafeBufferPointer(start: nil, count: 0)
        let shard = rows.shards.count == 1 ? 0 : Int(fnv1a64(key) % UInt64(rows.shards.count))
        rows.shards[shard].append(contentsOf: row.bytes)
        rows.count += 1
    }

    /// A value with 0 in front, or 1 for one that is missing.
    private mutating func appendIfThere(_ statement: OpaquePointer, at column: Int32, isNumber: Bool) {
        if isNumber {
            guard sqlite3_column_type(statement, column) == SQLITE_INTEGER else { return row.append(byte: 1) }
            row.append(byte: 0)
            row.append(sqlite3_column_int64(statement, column))
        } else {
            guard let text = Self.text(statement, at: column) else { return row.append(byte: 1) }
            row.append(byte: 0)
            row.append(text)
        }
    }

    /// A text that is there.
    private mutating func append(_ statement: OpaquePointer, at column: Int32) {
        row.append(Self.text(statement, at: column) ?? UnsafeBufferPointer(start: nil, count: 0))
    }

    /// - Returns: nil for NULL.
    private static func text(_ statement: OpaquePointer, at column: Int32) -> UnsafeBufferPointer<UInt8>? {
        sqlite3_column_text(statement, column).map {
            UnsafeBufferPointer(start: $0, count: Int(sqlite3_column_bytes(statement, column)))
        }
    }
}

/// The bytes of one row. They stay in one place from row to row: an array is asked for each value whether it is shared.
private struct RowBytes: ~Copyable {
    private var buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 4_096)
    private var count = 0

    deinit { buffer.deallocate() }

    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: buffer[..<count]) }

    mutating func removeAll() { count = 0 }

    mutating func append(byte: UInt8) {
        reserve(1)
        buffer[count] = byte
        count += 1
    }

    mutating func append(_ number: Int64) {
        reserve(8)
        UnsafeMutableRawBufferPointer(buffer).storeBytes(of: number.littleEndian, toByteOffset: count, as: Int64.self)
        count += 8
    }

    /// A text with its length in front, seven bits a byte (LEB128).
    mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
        var length = text.count
        while length >= 0x80 {
            append(byte: UInt8(length & 0x7f) | 0x80)
            length >>= 7
        }
        append(byte: UInt8(length))
        reserve(text.count)
        _ = UnsafeMutableBufferPointer(rebasing: buffer[count...]).update(fromContentsOf: text)
        count += text.count
    }

    private mutating func reserve(_ more: Int) {
        guard count + more > buffer.count else { return }
        let larger = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 2 * (count + more))
        _ = larger.update(fromContentsOf: bytes)
        buffer.deallocate()
        buffer = larger
    }
}
