import ChangeSetFormat
import FederationModel
import GRDB
import GRDBSQLite

/// A change-set opened by a person: checked like any other, but against no policy, and never applied.
package struct InspectedChangeSet {
    package let header: ChangeSetHeader
    package let blocks: [DecodedBlock]
    private let payload: [UInt8]

    /// - Throws: the codes of `IncomingChangeSet` that do not depend on a link.
    package init(bytes: [UInt8], resources: [ResourceDefinition]) throws(FederationError) {
        (header, payload, blocks) = try readChangeSet(bytes, resources: resources) { _, _ throws(FederationError) in }
    }

    /// Its rows one by one, envelope and fields by name.
    package func rows() -> [(resource: ResourceName, kind: BlockKind, fields: [String: FieldValue])] {
        payload.withUnsafeBytes { payload in
            blocks.flatMap { block in
                (0..<block.rowCount).map { row in
                    let fields = (block.columns + block.foreign).map { ($0.name, $0.value(row, payload: payload)) }
                    return (block.resource.name, block.kind, Dictionary(fields) { $0.isNull ? $1 : $0 })
                }
            }
        }
    }

    /// The rows as the bytes of a SQLite database, a table a resource, for any tool to look at. A table has the columns that
    /// were sent and no others, so that it shows what did not leave (5.2-4).
    package func database() throws -> [UInt8] {
        let queue = try DatabaseQueue()
        return try queue.writeWithoutTransaction { db in
            try db.inTransaction {
                for (resource, group) in Dictionary(grouping: blocks, by: \.resource) {
                    let sent = Set(group.flatMap { $0.columns + $0.foreign }.map(\.name))
                    let known = (EnvelopeColumn.all.map(\.name) + resource.columns.map(\.name)).filter(sent.contains)
                    let columns = known + Set(group.flatMap(\.carried).map(\.name)).sorted()
                    let list = columns.map(quoted).joined(separator: ", ")
                    try db.execute(sql: "CREATE TABLE \(quoted(resource.name.text)) (movement TEXT, \(list))")
                    for block in group { try insert(block, columns: columns, db) }
                }
                return .commit
            }
            var size: sqlite3_int64 = 0
            guard let bytes = sqlite3_serialize(db.sqliteConnection, "main", &size, 0) else { return [] }
            defer { sqlite3_free(bytes) }
            return Array(UnsafeBufferPointer(start: bytes, count: Int(size)))
        }
    }

    private func insert(_ block: DecodedBlock, columns: [String], _ db: Database) throws {
        let marks = (columns + [""]).map { _ in "?" }.joined(separator: ", ")
        let statement = try db.makeStatement(
            sql: "INSERT INTO \(quoted(block.resource.name.text)) VALUES (\(marks))")
        try payload.withUnsafeBytes { payload in
            for row in 0..<block.rowCount {
                let values = columns.map { name in
                    let column = (block.columns + block.foreign).first { $0.name == name && !$0.isNull(row) }
                    return (column?.value(row, payload: payload) ?? .null).databaseValue
                }
                try statement.execute(arguments: StatementArguments(["\(block.kind)".databaseValue] + values))
            }
        }
    }
}
