import FederationModel
import GRDB

extension NodeStore {
    /// Deletes this node's own records of tickets here and everywhere (8.2-3), or recalls them from every other node
    /// (8.1-5): the request, the thread, calls and their recordings. What other nodes wrote on the tickets stays theirs.
    ///
    /// The order gets its seq after all rows that it is about, which is what its confirmations rest on. It leaves when
    /// `RemovalConsumer` has passed it on.
    ///
    /// - Parameters:
    ///   - ids: global ids or numbers.
    ///   - reason: a code of the list `removal_reason`.
    ///   - order: the id of the order.
    /// - Throws: `E_TICKET_UNKNOWN`, `E_TICKET_AMBIGUOUS`; `E_REMOVAL_EMPTY` when a ticket has no record of this node, or none
    ///   that is not recalled already. Nothing is done then.
    package func remove(
        _ kind: RemovalKind, tickets ids: [String], reason: String, order: ULID, now: UnixMilliseconds
    ) async throws -> RemovalReport {
        let (removed, head) = try await writeFeed(isDurable: true, now: now) { [self] writer in
            let db = writer.db
            var (tickets, rows): ([String], Int) = ([], 0)
            var audience: Set<NodeID> = []
            for id in ids {
                let ticket = try Self.globalID(of: id, db)
                // The request last: as long as it is there its image is logged for the records of its thread.
                let own = try removable(of: ticket, alsoWithdrawn: kind == .delete, db).sorted {
                    $0.resource.stage != .acceptance && $1.resource.stage == .acceptance
                }
                guard !own.isEmpty else { throw FederationError.nothingToRemove(kind, node: node) }
                audience.formUnion(try SharedRecords.audience(of: ticket, db))
                for record in own {
                    guard let table = self.tables[record.resource.name],
                        let row = try table.id(origin: node, key: record.key, db)
                    else { continue }
                    switch kind {
                    case .delete:
                        try writer.delete([row], of: table)
                        try db.cachedStatement(sql: table.forgetFormerOfKey).execute(arguments: [record.key])
                    case .recall: try withdraw(row, record, ticket: ticket, table, writer)
                    }
                    try note(record, removal: order, kind, db)
                }
                try db.cachedStatement(sql: "INSERT OR REPLACE INTO main.removed_ticket VALUES (?, ?, ?)").execute(
                    arguments: [ticket, order.description, kind.rawValue])
                tickets.append(ticket)
                rows += own.count
            }
            let record = IntakeRecord(
                resource: RemovalResources.order.name, key: order.description,
                fields: [
                    "kind": .text(kind.rawValue), "reason": .text(reason), "row_count": .integer(Int64(rows)),
                    "ordered_at": .integer(now),
                    "audience": .text(audience.map(\.code).sorted().joined(separator: " ")),
                ])
            try writer.store([record])
            return (tickets: tickets, rows: rows)
        }
        return RemovalReport(id: order.description, tickets: removed.tickets, rows: removed.rows, head: head)
    }

    /// Ends a recall: its records are granted again.
    ///
    /// A node on the way may have some of the records back before it hears that the order is lifted.
    /// - Throws: `E_REMOVAL_UNKNOWN` when it is no recall of this node that is in force.
    package func lift(recall id: String, now: UnixMilliseconds) async throws -> RemovalReport {
        let (lifted, head) = try await writeFeed(isDurable: true, now: now) { [self] writer in
            let db = writer.db
            let order = try Int64.fetchAll(
                db,
                sql: """
                    SELECT id FROM main.removal_order
                    WHERE origin = ? AND "key" = ? AND kind = ? AND lifted_at IS NULL
                    """, arguments: [node.code, id, RemovalKind.recall.rawValue])
            guard !order.isEmpty else {
                throw FederationError(
                    "E_REMOVAL_UNKNOWN", "no recall with that id is in force at node \(node)",
                    hint: "see `federation-node removal list`; what was deleted does not come back")
            }
            let version = try writer.version().rawValue
            try writer.resequence(order) { seq, order in
                try db.execute(
                    sql: "UPDATE main.removal_order SET lifted_at = ?, version = ?, seq = ? WHERE id = ?",
                    arguments: [now, version, seq, order])
            }
            let tickets = try String.fetchAll(
                db, sql: "SELECT global_id FROM main.removed_ticket WHERE removal = ?", arguments: [id])
            let rows = try Row.fetchAll(
                db, sql: "SELECT resource, \"key\" FROM main.removed_row WHERE removal = ?", arguments: [id])
            try db.execute(sql: "DELETE FROM main.removed_ticket WHERE removal = ?", arguments: [id])
            try db.execute(sql: "DELETE FROM main.removed_row WHERE removal = ?", arguments: [id])
            for row in rows {
                guard let table = self.tables[ResourceName(row[0])],
                    let row = try table.id(origin: node, key: row[1], db)
                else { continue }
                try writer.resequence([row], of: table)
            }
            return (tickets: tickets, rows: rows.count)
        }
        return RemovalReport(id: id, tickets: lifted.tickets, rows: lifted.rows, head: head)
    }

    // MARK: - Steps

    private func removable(
        of ticket: String, alsoWithdrawn: Bool, _ db: Database
    ) throws -> [TicketThread.Record] {
        let thread = try Self.thread(of: ticket, tables: tables, tableOrder: tableOrder, db)
        // A call that is linked to another ticket is that one's too.
        let calls = thread.calls.filter { call in
            guard let linked = call.fields["linked_request"]?.text, let request = thread.request else { return true }
            return [request.key, Self.sourceKey(of: request)].contains { $0.isSame(as: linked) }
        }
        let recordings = thread.recordings.filter { recording in
            calls.contains { call in
                recording.fields["call_id"]?.text.map { id in
                    [call.key, Self.sourceKey(of: call)].contains { $0.isSame(as: id) }
                } == true
            }
        }
        return try (thread.records + calls + recordings).filter { record in
            guard record.origin == node.code else { return false }
            if alsoWithdrawn { return true }
            return try db.cachedStatement(
                sql: "SELECT count(*) FROM main.removed_row WHERE resource = ? AND \"key\" = ?"
            ).fetchInteger([record.resource.name.text, record.key]) == 0
        }
    }

    /// Takes a row back from every receiver: a new seq, and its image in the log under it, for links by filter and for those
    /// by audience.
    private func withdraw(
        _ row: Int64, _ record: TicketThread.Record, ticket: String, _ table: ResourceTable, _ writer: FeedWriter
    ) throws {
        let db = writer.db
        try writer.resequence([row]) { seq, row in
            try db.cachedStatement(sql: table.resequence).execute(arguments: [seq, row])
            try db.cachedStatement(
                sql: """
                    INSERT INTO main.scope_log (seq, resource, origin, "key", \(ScopeLog.columns))
                    SELECT ?, ?, ?, ?, \(ScopeLog.image("t")) FROM (SELECT 1) LEFT JOIN main.service_request AS t
                      ON t.global_id = ? AND t.deleted = 0 LIMIT 1
                    """
            ).execute(arguments: [seq, record.resource.name.text, record.origin, record.key, ticket])
            guard table.definition.isTicketRecord else { return }
            let audience = try SharedRecords.audience(of: ticket, db)
            try db.cachedStatement(sql: table.logAudience).execute(arguments: [seq, row, jsonArray(audience)])
        }
    }

    private func note(
        _ record: TicketThread.Record, removal: ULID, _ kind: RemovalKind, _ db: Database
    ) throws {
        let state: RemovedRowState = kind == .delete ? .tombstone : .withdrawn
        try db.cachedStatement(
            sql: """
                INSERT INTO main.removed_row VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET removal = excluded.removal
                """
        ).execute(arguments: [record.resource.name.text, record.key, removal.description, state.rawValue])
    }
}

extension ResourceTable {
    fileprivate func id(origin: NodeID, key: String, _ db: Database) throws -> Int64? {
        try db.cachedStatement(sql: "SELECT id FROM main.\(table) WHERE origin = ? AND \"key\" = ?").fetchInteger([
            origin.code, key,
        ])
    }
}

extension FederationError {
    fileprivate static func nothingToRemove(_ kind: RemovalKind, node: NodeID) -> FederationError {
        FederationError(
            "E_REMOVAL_EMPTY",
            kind == .delete
                ? "node \(node) has no record of its own on that ticket"
                : "node \(node) has no record of its own on that ticket that it has not recalled already",
            hint: "only the node that wrote a record can take it back; ask the ticket's origin")
    }
}
