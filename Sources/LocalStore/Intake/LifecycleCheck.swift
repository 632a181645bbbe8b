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
        var checked: [(ticket: String, thread: [TicketEvent])] = []
        for (ticket, events) in byTicket(row) {
            let stored = threads[ticket] ?? []
            // Nearly always nothing is replaced; then nothing is copied.
            let replaced = stored.filter { old in events.contains { $0.id == old.id } }
            let thread =
                replaced.isEmpty ? stored : stored.filter { old in !events.contains { $0.id == old.id } }
            if let refusal = ticketGuard.refusal(of: events, in: thread, replacing: replaced) { return refusal }
            checked.append((ticket, thread + events))
        }
        for (ticket, thread) in checked { threads[ticket] = thread }
        return nil
    }

    /// The events of a row, by their ticket. A row concerns one ticket nearly always.
    private func byTicket(_ row: [IntakeRecord]) -> [(ticket: String, events: [TicketEvent])] {
        var groups: [(ticket: String, events: [TicketEvent])] = []
        for (ticket, event) in row.lazy.compactMap(event) {
            if let index = groups.firstIndex(where: { $0.ticket == ticket }) {
                groups[index].events.append(event)
            } else {
                groups.append((ticket, [event]))
            }
        }
        return groups
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
