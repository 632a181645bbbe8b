import FederationModel
import GRDB

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
        let rows = try Row.fetchCursor(statement)
        while let row = try rows.next() {
            var fields: [String: FieldValue] = [:]
            for (index, column) in columns.enumerated() {
                let value = row.fieldValue(at: index + 4)
                if !value.isNull { fields[column] = value }
            }
            threads[row[0], default: []].append(
                TicketEvent(resource: resource, origin: row[1], key: row[2], version: row[3], fields: fields))
        }
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
