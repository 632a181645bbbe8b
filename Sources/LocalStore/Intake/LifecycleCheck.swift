import FederationModel
import GRDB

/// Checks the rows of an intake one after the other against the threads that are stored, each row also against those
/// before it. Used inside the transaction that writes them; a reference, so that what is remembered at its end is moved and not
/// copied, thousands of threads for each write.
final class LifecycleCheck {
    private let ticketGuard: TicketGuard
    private let node: NodeID
    private let version: Int64
    private let reader = ThreadReader(ticketsWith: TicketGuard.forms.values)
    private let db: Database
    private var memory: ThreadMemory
    /// Of the tickets of which the rows have a record besides the request. A request alone is legal at any time.
    private var threads: [ExactText: ThreadMemory.Kept] = [:]
    /// The records of those that had to be read.
    private var stored: [ExactText: [TicketEvent]] = [:]
    private var accepted: [ExactText: [TicketEvent]] = [:]
    /// Records that rows take back.
    private var withdrawn: Set<TicketEvent.ID> = []

    /// Changes by others after which it is cheaper to forget everything than to look which tickets they were.
    private static let changesMax: Int64 = 20_000

    init(
        _ ticketGuard: TicketGuard, rows: CheckedRows, memory: ThreadMemory, _ writer: FeedWriter
    ) throws {
        self.ticketGuard = ticketGuard
        node = writer.node
        version = try writer.version().rawValue
        db = writer.db
        self.memory = memory
        let head = writer.startSeq
        if !(0...Self.changesMax).contains(head - memory.head) {
            self.memory = ThreadMemory()
        } else if head > memory.head {
            for ticket in try reader.changed(after: memory.head, upto: head, db) { self.memory[ticket] = nil }
        }
        let request = BuiltInResources.serviceRequest.name
        // A request that is written anew is not checked and may say something else than is remembered.
        for group in rows.groups where group.table.definition.name == request {
            for record in group.records { if let ticket = Self.ticket(record) { self.memory[ticket] = nil } }
        }
        threads.reserveCapacity(rows.rows.count)
        accepted.reserveCapacity(rows.rows.count)
        var unknown: Set<ExactText> = []
        for group in rows.groups {
            let name = group.table.definition.name
            guard name != request, TicketGuard.forms[name] != nil else { continue }
            for record in group.records {
                guard let ticket = Self.ticket(record), threads[ticket] == nil else { continue }
                if let kept = self.memory[ticket] { threads[ticket] = kept } else { unknown.insert(ticket) }
            }
        }
        stored = try reader.threads(of: unknown, db)
        for ticket in unknown {
            threads[ticket] = ThreadMemory.Kept(
                GuardedThread(stored[ticket] ?? [], own: node.code, rules: ticketGuard.rules))
        }
    }

    /// - Returns: why a row must not be stored. A row that may be is taken into account for the rows after it.
    func refusal(of row: SourceRow) throws -> RowRejection? {
        let groups = byTicket(row.records)
        let absent = Set(row.absent.map { TicketEvent.ID(resource: $0.resource, origin: node.code, key: $0.key) })
        var threads: [GuardedThread] = []
        for (ticket, kept, events) in groups {
            if absent.isEmpty, kept.thread.isFollowed(by: events) {
                do throws(RowRejection) {
                    threads.append(try ticketGuard.thread(kept.thread, followedBy: events))
                } catch {
                    return error
                }
            } else {
                let records = try records(of: ticket)
                let others = records.filter { old in !events.contains { $0.id == old.id } && !absent.contains(old.id) }
                let replaced = records.filter { old in events.contains { $0.id == old.id } }
                if let refusal = ticketGuard.refusal(of: events, in: others, replacing: replaced) { return refusal }
                threads.append(GuardedThread(others + events, own: node.code, rules: ticketGuard.rules))
            }
        }
        // Not before all of the row may be stored.
        for (group, thread) in zip(groups, threads) {
            group.kept.thread = thread
            accepted[group.ticket, default: []] += group.events
        }
        withdrawn.formUnion(absent)
        return nil
    }

    /// The records of a ticket as they are with the rows that were accepted.
    private func records(of ticket: ExactText) throws -> [TicketEvent] {
        let before = try stored[ticket] ?? reader.threads(of: [ticket], db)[ticket] ?? []
        stored[ticket] = before
        let new = accepted[ticket] ?? []
        return (before + new).enumerated().filter { index, event in
            !withdrawn.contains(event.id)
                && !new.suffix(before.count + new.count - index - 1).contains { $0.id == event.id }
        }.map(\.element)
    }

    /// What is remembered when the rows are written, up to `head`. Not a ticket whose request came along: it came whole. To be called
    /// once, at the end.
    func remembered(upTo head: Seq) -> ThreadMemory {
        var memory = ThreadMemory()
        swap(&memory, &self.memory)
        memory.head = head
        for (ticket, kept) in threads {
            let isWhole = accepted[ticket]?.contains { $0.resource == BuiltInResources.serviceRequest.name } == true
            memory[ticket] = isWhole ? nil : kept
        }
        return memory
    }

    private static func ticket(_ record: IntakeRecord) -> ExactText? {
        record.fields["global_id"]?.text.map { ExactText($0) }
    }

    private typealias Group = (ticket: ExactText, kept: ThreadMemory.Kept, events: [TicketEvent])

    /// The events of a row on watched tickets, by their ticket, with the thread before them. A row concerns one ticket nearly always.
    private func byTicket(_ row: [IntakeRecord]) -> [Group] {
        var groups: [Group] = []
        for record in row {
            guard let form = TicketGuard.forms[record.resource], let ticket = Self.ticket(record) else { continue }
            var index = groups.firstIndex { $0.ticket == ticket }
            if index == nil, let kept = threads[ticket] {
                groups.append((ticket, kept, []))
                index = groups.endIndex - 1
            }
            guard let index else { continue }
            groups[index].events.append(
                TicketEvent(form, origin: node.code, key: record.key, version: version, fields: record.fields))
        }
        return groups
    }
}
