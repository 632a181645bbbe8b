import FederationModel
import GRDB

/// Keeps `ticket_audience`, by which links grant the records of threads in any direction, and `ticket_share`, their part of
/// the feed. When the audience of a thread changes, the records of its thread get a new seq at the same version, so
/// that tails carry them; so is each record that a shared thread gets later. Thus a link that grants little does not have to
/// read all that changes, and tickets of one node alone, nearly all, cost one search here and none for each link.
///
/// Who is no longer in an audience is written to the scope log, and so are those who had to see a record that goes away: by
/// that, links take it back (design rule 3).
struct ThreadAudienceConsumer: TransactionalConsumer {
    /// As consumers that come after it know it.
    static let title = "ticket-audience"

    let name = title

    /// Who is above whom. The word says which records are looked at: databases of before begin anew when there are more of them.
    func basis(of store: NodeStore, under standing: Standing) -> String { "actions \(standing.topology.version)" }

    // Nothing is cleared: what was known stays until it is found again, or links would take the rows back for a moment.

    func consume(after: Seq, upto: Seq, _ writer: FeedWriter) throws {
        for kind in writer.threadKinds { try consume(kind, after: after, upto: upto, writer) }
    }

    private func consume(_ kind: some ThreadKind, after: Seq, upto: Seq, _ writer: FeedWriter) throws {
        let db = writer.db
        let tables = writer.resources.filter { $0.definition.thread?.kind == kind.name }
        // First, by the audiences as they were when these records were sent.
        for table in tables { try dismiss(after: after, upto: upto, of: table, writer) }
        var ids: Set<ExactText> = []
        for table in tables {
            let changed = try String.fetchCursor(
                db.cachedStatement(sql: table.sharedThreadsChanged), arguments: [after, upto])
            while let id = try changed.next() { ids.insert(ExactText(id)) }
        }
        let threads = try writer.threads(kind, of: ids)
        // Who may write in them depends on who is above whom, by which this consumer begins anew.
        if kind.name == TicketKind.title { try TicketStateConsumer().fold(ids, writer) }
        for id in ids {
            let thread = kind.name == TicketKind.title ? id.text : "\(kind.name):\(id)"
            let nodes = kind.audience(threads[id] ?? [], at: writer.node, topology: writer.standing.topology)
            let known = try SharedRecords.audience(of: thread, db)
            guard nodes != known else { continue }
            try save(nodes, instead: known, of: thread, db)
            for table in tables {
                let rows = try Int64.fetchAll(db.cachedStatement(sql: table.idsOfThread), arguments: [id.text])
                try share(rows, of: table, noLongerWith: known.subtracting(nodes), writer)
            }
        }
        for table in tables {
            let ids = try Int64.fetchAll(db.cachedStatement(sql: table.unshared), arguments: [after, upto])
            try share(ids, of: table, writer)
        }
    }

    /// Records that were sent and went away, or went to another ticket.
    private func dismiss(after: Seq, upto: Seq, of table: ResourceTable, _ writer: FeedWriter) throws {
        let db = writer.db
        let rows = try Row.fetchAll(db.cachedStatement(sql: table.unbound), arguments: [after, upto])
        for row in rows {
            let former = try SharedRecords.audience(of: row[1], db)
            try share([row[0]], of: table, noLongerWith: former, writer)
        }
    }

    private func save(
        _ nodes: Set<NodeID>, instead known: Set<NodeID>, of thread: String, _ db: Database
    ) throws {
        for node in nodes.subtracting(known) {
            try db.cachedStatement(sql: "INSERT INTO main.ticket_audience VALUES (?, ?)").execute(
                arguments: [thread, node.code])
        }
        for node in known.subtracting(nodes) {
            try db.cachedStatement(sql: "DELETE FROM main.ticket_audience WHERE global_id = ? AND node = ?").execute(
                arguments: [thread, node.code])
        }
    }

    /// Gives rows a new seq, under which links find them.
    private func share(
        _ ids: [Int64], of table: ResourceTable, noLongerWith former: Set<NodeID> = [], _ writer: FeedWriter
    ) throws {
        let db = writer.db
        try writer.resequence(ids) { seq, id in
            if !former.isEmpty {
                try db.cachedStatement(sql: table.logAudience).execute(arguments: [seq, id, jsonArray(former)])
            }
            try db.cachedStatement(sql: table.resequence).execute(arguments: [seq, id])
            try db.cachedStatement(sql: table.share).execute(arguments: [seq, id])
        }
    }
}
