import FederationModel
import GRDB

/// Checks rows one after the other against the threads that are stored, each row also against those before it in its batch.
struct LifecycleCheck {
    private let ticketGuard: TicketGuard
    private let node: NodeID
    private let version: HybridTime
    private var threads: [String: [TicketEvent]]

    /// Reads the threads of all tickets of the batch at once.
    init(
        rules: LifecycleRules, node: NodeID, version: HybridTime, rows: [[IntakeRecord]], reader: ThreadReader,
        _ db: Database
    ) throws {
        ticketGuard = TicketGuard(rules)
        self.node = node
        self.version = version
        try ThreadReader.clear(db)
        for row in rows {
            for record in row where TicketGuard.columns[record.resource] != nil {
                if let ticket = record.fields["global_id"]?.text { try ThreadReader.add(ticket, db) }
            }
        }
        threads = try reader.threads(db)
    }

    /// - Returns: why a row must not be stored. A row that may be is taken into account for the rows after it.
    mutating func refusal(of row: [IntakeRecord]) -> IntakeRefusal? {
        var checked: [String: [TicketEvent]] = [:]
        for (ticket, new) in Dictionary(grouping: row.compactMap(event), by: \.ticket) {
            let events = new.map(\.event)
            let ids = Set(events.map(\.id))
            let stored = threads[ticket] ?? []
            let thread = stored.filter { !ids.contains($0.id) }
            if let refusal = ticketGuard.refusal(
                of: events, in: thread, replacing: stored.filter { ids.contains($0.id) })
            {
                return refusal
            }
            checked[ticket] = thread + events
        }
        threads.merge(checked) { $1 }
        return nil
    }

    private func event(_ record: IntakeRecord) -> (ticket: String, event: TicketEvent)? {
        guard let columns = TicketGuard.columns[record.resource], let ticket = record.fields["global_id"]?.text else {
            return nil
        }
        var fields: [String: FieldValue] = [:]
        for column in columns {
            if let value = record.fields[column], !value.isNull { fields[column] = value }
        }
        return (
            ticket,
            TicketEvent(
                resource: record.resource, origin: node.code, key: record.key, version: version.rawValue,
                fields: fields)
        )
    }
}
