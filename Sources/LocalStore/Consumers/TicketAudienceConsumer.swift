import FederationModel
import GRDB

/// Keeps `ticket_audience`, by which links grant the records of tickets in any direction, and `ticket_share`, their part of
/// the feed. When the audience of a ticket changes, the records of its thread are touched (a new seq, the same version), so
/// that tails carry them; so is each record that a shared ticket gets later. Thus a link that grants little does not have to
/// read all that changes, and tickets of one node alone, nearly all, cost one look here and none for each link.
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
        let threads = tickets.isEmpty ? [:] : try reader.threads(db)
        for ticket in tickets {
            let nodes = TicketAudience.nodes(of: threads[ticket] ?? [], topology: topology)
            guard try save(Set(nodes.map(\.code)), of: ticket, db) else { continue }
            for table in tables { try tell(table.idsOfTicket, [ticket], of: table, db) }
        }
        for table in tables { try tell(table.unshared, [after, upto], of: table, db) }
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

    /// Gives rows a new seq, under which links find them.
    private func tell(
        _ selection: String, _ arguments: StatementArguments, of table: ResourceTable, _ db: Database
    ) throws {
        let ids = try Int64.fetchAll(db.cachedStatement(sql: selection), arguments: arguments)
        guard !ids.isEmpty else { return }
        let base = try NodeValue.draw(seqs: ids.count, db)
        for (index, id) in ids.enumerated() {
            let arguments: StatementArguments = [base + Int64(index) + 1, id]
            try db.cachedStatement(sql: table.touch).execute(arguments: arguments)
            try db.cachedStatement(sql: table.share).execute(arguments: arguments)
        }
    }
}
