import FederationModel
import GRDB

/// Keeps `ticket_state`: the fold of each ticket's thread. The work is proportional to the tickets that changed.
struct TicketStateConsumer: FeedConsumer {
    let name = "ticket-state"
    private let tables: [ResourceTable]

    init(tables: [ResourceTable]) {
        self.tables = tables.filter { TicketFold.columns[$0.definition.name] != nil }
    }

    /// Tickets that the window touched; in memory, beside the staging tables.
    static let createDirty = "CREATE TABLE batch.dirty_ticket (global_id TEXT PRIMARY KEY) WITHOUT ROWID"

    func clear(_ db: Database) throws {
        try db.execute(sql: "DELETE FROM main.ticket_state")
    }

    func consume(after: Seq, upto: Seq, _ db: Database) throws {
        try db.cachedStatement(sql: "DELETE FROM batch.dirty_ticket").execute()
        for table in tables {
            try db.cachedStatement(
                sql: """
                    INSERT OR IGNORE INTO batch.dirty_ticket
                    SELECT global_id FROM main.\(quoted(table.definition.name.text))
                    WHERE seq > ? AND seq <= ? AND +global_id IS NOT NULL
                    """
            ).execute(arguments: [after, upto])
        }
        var threads: [String: [TicketEvent]] = [:]
        for table in tables { try collect(table, into: &threads, db) }
        let dirty = try String.fetchAll(db.cachedStatement(sql: "SELECT global_id FROM batch.dirty_ticket"))
        for ticket in dirty {
            if let events = threads[ticket] {
                try save(TicketFold.fold(events), of: ticket, db)
            } else {
                try db.cachedStatement(sql: "DELETE FROM main.ticket_state WHERE global_id = ?").execute(
                    arguments: [ticket])
            }
        }
    }

    private func collect(_ table: ResourceTable, into threads: inout [String: [TicketEvent]], _ db: Database) throws {
        let resource = table.definition.name
        let columns = TicketFold.columns[resource] ?? []
        let statement = try db.cachedStatement(
            sql: """
                SELECT r.global_id, r.origin, r."key", r.version, \(columns.map { "r.\(quoted($0))" }.joined(separator: ", "))
                FROM batch.dirty_ticket AS d CROSS JOIN main.\(quoted(resource.text)) AS r ON r.global_id = d.global_id
                WHERE r.deleted = 0
                """)
        let rows = try Row.fetchCursor(statement)
        while let row = try rows.next() {
            var fields: [String: FieldValue] = [:]
            for (index, column) in columns.enumerated() { fields[column] = row.fieldValue(at: index + 4) }
            threads[row[0], default: []].append(
                TicketEvent(resource: resource, origin: row[1], key: row[2], version: row[3], fields: fields))
        }
    }

    private func save(_ state: TicketState, of ticket: String, _ db: Database) throws {
        try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO main.ticket_state VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [
            ticket, state.status.rawValue, state.round, state.unit, state.dispatchedAt, state.dueAt,
            state.acknowledgedAt, state.repliedAt, state.closedAt, state.calledBackAt, state.evaluatedAt, state.score,
            state.resolved, state.returns, state.extensions, state.supervision.rawValue,
            state.conflicts.joined(separator: " "),
        ])
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
