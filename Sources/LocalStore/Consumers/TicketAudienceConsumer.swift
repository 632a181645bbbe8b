import FederationModel
import GRDB

/// Keeps `ticket_audience`, by which links grant the records of tickets in any direction. When the audience of a ticket
/// changes, the records of its thread are touched (a new seq, the same version), so that tails carry them.
struct TicketAudienceConsumer: FeedConsumer {
    let name = "ticket-audience"
    private let tables: [ResourceTable]
    private let reader: ThreadReader
    private let topology: Topology

    init(tables: [ResourceTable], topology: Topology) {
        self.tables = tables.filter(\.definition.isTicketRecord)
        reader = ThreadReader(tables: self.tables, columns: TicketAudience.columns)
        self.topology = topology
    }

    /// Who is above whom.
    var basis: String { "\(topology.version)" }

    /// What was known stays until it is found again: without it, links would take the rows back for a moment.
    func clear(_ db: Database) throws {}

    func consume(after: Seq, upto: Seq, _ db: Database) throws {
        try ThreadReader.clear(db)
        for table in tables {
            try db.cachedStatement(sql: table.sharedTicketsChanged).execute(arguments: [after, upto])
        }
        let tickets = try String.fetchAll(db.cachedStatement(sql: "SELECT global_id FROM batch.dirty_ticket"))
        guard !tickets.isEmpty else { return }
        let threads = try reader.threads(db)
        for ticket in tickets {
            let nodes = TicketAudience.nodes(of: threads[ticket] ?? [], topology: topology)
            if try save(Set(nodes.map(\.code)), of: ticket, db) { try touch(ticket, db) }
        }
    }

    /// - Returns: whether it has changed.
    private func save(_ nodes: Set<String>, of ticket: String, _ db: Database) throws -> Bool {
        let known = Set(
            try String.fetchAll(
                db.cachedStatement(sql: "SELECT node FROM main.ticket_audience WHERE global_id = ?"),
                arguments: [ticket]))
        guard nodes != known else { return false }
        for node in nodes.subtracting(known) {
            try db.cachedStatement(sql: "INSERT INTO main.ticket_audience VALUES (?, ?)").execute(
                arguments: [ticket, node])
        }
        for node in known.subtracting(nodes) {
            try db.cachedStatement(sql: "DELETE FROM main.ticket_audience WHERE global_id = ? AND node = ?").execute(
                arguments: [ticket, node])
        }
        return true
    }

    private func touch(_ ticket: String, _ db: Database) throws {
        for table in tables {
            let ids = try Int64.fetchAll(db.cachedStatement(sql: table.idsOfTicket), arguments: [ticket])
            guard !ids.isEmpty else { continue }
            let base = try NodeValue.draw(seqs: ids.count, db)
            for (index, id) in ids.enumerated() {
                try db.cachedStatement(sql: table.touch).execute(arguments: [base + Int64(index) + 1, id])
            }
        }
    }
}
