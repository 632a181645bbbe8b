import FederationModel
import GRDB

/// Keeps `ticket_audience`, by which links grant the records of tickets in any direction, and `ticket_share`, their part of
/// the feed. When the audience of a ticket changes, the records of its thread are touched (a new seq, the same version), so
/// that tails carry them; so is each record that a shared ticket gets later. Thus a link that grants little does not have to
/// read all that changes, and tickets of one node alone, nearly all, cost one look here and none for each link.
///
/// Who is no longer in an audience is written to the scope log, and so are those who had to see a record that goes away: by
/// that, links take it back (design rule 3).
struct TicketAudienceConsumer: FeedConsumer {
    /// As consumers that come after it know it.
    static let title = "ticket-audience"

    let name = title
    private let tables: [ResourceTable]
    private let reader: ThreadReader
    private let standing: Standing

    init(tables: [ResourceTable], standing: Standing) {
        self.standing = standing
        self.tables = tables.filter(\.definition.isTicketRecord)
        reader = ThreadReader(TicketAudience.forms)
    }

    /// Who is above whom.
    var basis: String { "\(standing.topology.version)" }

    /// What was known stays until it is found again: without it, links would take the rows back for a moment.
    func clear(_ db: Database) throws {}

    func consume(after: Seq, upto: Seq, now: UnixMilliseconds, _ db: Database) throws {
        // First, by the audiences as they were when these records were told.
        for table in tables { try dismiss(after: after, upto: upto, of: table, db) }
        var tickets: Set<String> = []
        for table in tables {
            try tickets.formUnion(
                String.fetchAll(db.cachedStatement(sql: table.sharedTicketsChanged), arguments: [after, upto]))
        }
        let threads = try reader.threads(of: tickets, db)
        for ticket in tickets {
            let nodes = TicketAudience.nodes(
                of: threads[ticket] ?? [], at: standing.node, topology: standing.topology)
            let known = try Self.audience(of: ticket, db)
            guard nodes != known else { continue }
            try save(nodes, instead: known, of: ticket, db)
            for table in tables {
                let ids = try Int64.fetchAll(db.cachedStatement(sql: table.idsOfTicket), arguments: [ticket])
                try tell(ids, of: table, noLongerTo: known.subtracting(nodes), db)
            }
        }
        for table in tables {
            try tell(Int64.fetchAll(db.cachedStatement(sql: table.unshared), arguments: [after, upto]), of: table, db)
        }
    }

    /// Records that were told and went away, or went to another ticket.
    private func dismiss(after: Seq, upto: Seq, of table: ResourceTable, _ db: Database) throws {
        let rows = try Row.fetchAll(db.cachedStatement(sql: table.unbound), arguments: [after, upto])
        for row in rows {
            let former = try Self.audience(of: row[1], db)
            try tell([row[0]], of: table, noLongerTo: former, db)
        }
    }

    static func audience(of ticket: String?, _ db: Database) throws -> Set<NodeID> {
        let codes = try String.fetchAll(
            db.cachedStatement(sql: "SELECT node FROM main.ticket_audience WHERE global_id = ?"), arguments: [ticket])
        return Set(codes.compactMap { NodeID($0) })
    }

    private func save(
        _ nodes: Set<NodeID>, instead known: Set<NodeID>, of ticket: String, _ db: Database
    ) throws {
        for node in nodes.subtracting(known) {
            try db.cachedStatement(sql: "INSERT INTO main.ticket_audience VALUES (?, ?)").execute(
                arguments: [ticket, node.code])
        }
        for node in known.subtracting(nodes) {
            try db.cachedStatement(sql: "DELETE FROM main.ticket_audience WHERE global_id = ? AND node = ?").execute(
                arguments: [ticket, node.code])
        }
    }

    /// Gives rows a new seq, under which links find them.
    private func tell(
        _ ids: [Int64], of table: ResourceTable, noLongerTo former: Set<NodeID> = [], _ db: Database
    ) throws {
        guard !ids.isEmpty else { return }
        let base = try NodeValue.draw(seqs: ids.count, db)
        for (index, id) in ids.enumerated() {
            let seq = base + Int64(index) + 1
            if !former.isEmpty {
                try db.cachedStatement(sql: table.logAudience).execute(arguments: [seq, id, jsonArray(former)])
            }
            try db.cachedStatement(sql: table.touch).execute(arguments: [seq, id])
            try db.cachedStatement(sql: table.share).execute(arguments: [seq, id])
        }
    }
}
