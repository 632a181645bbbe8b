import Crypto
import FederationModel
import GRDB
import GRDBSQLite
import Verification

/// Makes the digest of rows that a SELECT gives: origin, key, version and deleted, then the fields, then `carried`.
///
/// Two nodes of different releases come to the same, whichever columns each of them knows: a field counts under its name, in the
/// order of the names, and one without a value not at all. A whole real counts as an integer, as it may have travelled as JSON.
struct RowDigester {
    private let fields: [(name: [UInt8], position: Int32)]
    private let carried: Int32
    private var bytes: [UInt8] = []

    /// - Parameter columns: of the SELECT, behind the envelope.
    init(_ columns: [String]) {
        fields = columns.enumerated().map { (Array($1.utf8) + [0], Int32($0 + 4)) }
            .sorted { $0.name.lexicographicallyPrecedes($1.name) }
        carried = Int32(columns.count + 4)
    }

    /// The digest of the row at which the statement stands.
    mutating func digest(_ row: OpaquePointer, _ db: Database) throws -> RowDigest {
        bytes.removeAll(keepingCapacity: true)
        for position: Int32 in 0..<3 { append(row, at: position) }
        var others = try carriedFields(row, db)[...]
        for (name, position) in fields where sqlite3_column_type(row, position) != SQLITE_NULL {
            while let other = others.first, other.name.lexicographicallyPrecedes(name) {
                append(other)
                others.removeFirst()
            }
            bytes += name
            append(row, at: position)
        }
        others.forEach { append($0) }
        return SHA256.hash(data: bytes).withUnsafeBytes {
            RowDigest(
                high: UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    private func carriedFields(_ row: OpaquePointer, _ db: Database) throws -> [(name: [UInt8], value: FieldValue)] {
        guard let text = sqlite3_column_text(row, carried) else { return [] }
        let members = try db.cachedStatement(sql: "SELECT \"key\", atom FROM json_each(?) WHERE atom IS NOT NULL")
        return try Row.fetchAll(members, arguments: [String(cString: text)]).map { member in
            (Array((member[0] as String).utf8) + [0], member.fieldValue(at: 1))
        }.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    private mutating func append(_ field: (name: [UInt8], value: FieldValue)) {
        bytes += field.name
        switch field.value {
        case .null: break
        case .integer(let integer): append(integer)
        case .real(let real): append(real)
        case .text(let text): Array(text.utf8).withUnsafeBytes { append(text: $0) }
        }
    }

    private mutating func append(_ row: OpaquePointer, at position: Int32) {
        switch sqlite3_column_type(row, position) {
        case SQLITE_INTEGER: append(sqlite3_column_int64(row, position))
        case SQLITE_FLOAT: append(sqlite3_column_double(row, position))
        default:
            let text = UnsafeRawBufferPointer(
                start: sqlite3_column_text(row, position), count: Int(sqlite3_column_bytes(row, position)))
            append(text: text)
        }
    }

    private mutating func append(_ real: Double) {
        if let integer = Int64(exactly: real) { return append(integer) }
        bytes.append(3)
        withUnsafeBytes(of: real.bitPattern.littleEndian) { bytes += $0 }
    }

    private mutating func append(_ integer: Int64) {
        bytes.append(2)
        withUnsafeBytes(of: integer.littleEndian) { bytes += $0 }
    }

    private mutating func append(text: UnsafeRawBufferPointer) {
        bytes.append(1)
        withUnsafeBytes(of: UInt32(text.count).littleEndian) { bytes += $0 }
        bytes += text
    }
}
