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
    private let rows: GuardedRows
    private var memory: ThreadMemory
    /// Of the tickets of which the rows have a record besides the request. A request alone is legal at any time.
    private var works: [ExactText: Work] = [:]
    /// Records that rows take back.
    private var withdrawn: Set<TicketEvent.ID> = []

    /// One ticket of the rows. Each record finds it once.
    private final class Work {
        let ticket: ExactText
        let kept: ThreadMemory.Kept
        /// Its records, where they had to be read.
        var stored: [TicketEvent]?
        /// What rows have added to them.
        var accepted: [TicketEvent] = []

        init(_ ticket: ExactText, _ kept: ThreadMemory.Kept, stored: [TicketEvent]? = nil) {
            self.ticket = ticket
            self.kept = kept
            self.stored = stored
        }
    }

    /// Changes by others after which it is cheaper to forget everything than to look which tickets they were.
    private static let changesMax: Int64 = 20_000

    init(
        _ ticketGuard: TicketGuard, rows: GuardedRows, memory: ThreadMemory, _ writer: FeedWriter
    ) throws {
        self.ticketGuard = ticketGuard
        self.rows = rows
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
        // A request that is written anew is not checked and may say something else than is remembered.
        for ticket in rows.requested { self.memory[ticket] = nil }
        works.reserveCapacity(rows.tickets.count)
        var unknown: [ExactText] = []
        for ticket in rows.tickets {
            if let kept = self.memory[ticket] {
                works[ticket] = Work(ticket, kept)
            } else {
                unknown.append(ticket)
            }
        }
        let read = try reader.threads(ofOrdered: unknown, db)
        for ticket in unknown {
            let stored = read[ticket] ?? []
            let thread = GuardedThread(stored, own: node.code, rules: ticketGuard.rules)
            works[ticket] = Work(ticket, ThreadMemory.Kept(thread), stored: stored)
        }
    }

    /// - Parameter absent: the records that it takes back.
    /// - Returns: why the row at a place must not be stored. A row that may be is taken into account for the rows after it.
    func refusal(ofRow place: Int, absent: [SourceRow.RecordName]) throws -> RowRejection? {
        let groups = byTicket(rows.records[place])
        let absent = Set(absent.map { TicketEvent.ID(resource: $0.resource, origin: node.code, key: $0.key) })
        // Nearly all rows that are pushed.
        if absent.isEmpty, groups.count == 1, groups[0].work.kept.thread.isFollowed(by: groups[0].events) {
            let (work, events) = groups[0]
            do throws(RowRejection) {
                work.kept.thread = try ticketGuard.thread(work.kept.thread, followedBy: events)
            } catch {
                return error
            }
            work.accepted += events
            return nil
        }
        var threads: [GuardedThread] = []
        for (work, events) in groups {
            if absent.isEmpty, work.kept.thread.isFollowed(by: events) {
                do throws(RowRejection) {
                    threads.append(try ticketGuard.thread(work.kept.thread, followedBy: events))
                } catch {
                    return error
                }
            } else {
                let records = try records(of: work)
                let others = records.filter { old in !events.contains { $0.id == old.id } && !absent.contains(old.id) }
                let replaced = records.filter { old in events.contains { $0.id == old.id } }
                if let refusal = ticketGuard.refusal(of: events, in: others, replacing: replaced) { return refusal }
                threads.append(GuardedThread(others + events, own: node.code, rules: ticketGuard.rules))
            }
        }
        // Not before all of the row may be stored.
        for (group, thread) in zip(groups, threads) {
            group.work.kept.thread = thread
            group.work.accepted += group.events
        }
        withdrawn.formUnion(absent)
        return nil
    }

    /// The records of a ticket as they are with the rows that were accepted.
    private func records(of work: Work) throws -> [TicketEvent] {
        let before = try work.stored ?? reader.threads(of: [work.ticket], db)[work.ticket] ?? []
        work.stored = before
        let new = work.accepted
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
        let request = BuiltInResources.serviceRequest.name
        for (ticket, work) in works {
            memory[ticket] = work.accepted.contains { $0.resource == request } ? nil : work.kept
        }
        return memory
    }

    private typealias Group = (work: Work, events: [TicketEvent])

    /// The events of a row on watched tickets, by their ticket, with the thread before them. A row concerns one ticket nearly always.
    private func byTicket(_ row: [GuardedRows.Record]) -> [Group] {
        var groups: [Group] = []
        for record in row {
            var index = groups.firstIndex { $0.work.ticket == record.ticket }
            if index == nil, let work = works[record.ticket] {
                groups.append((work, []))
                index = groups.endIndex - 1
            }
            guard let index else { continue }
            groups[index].events.append(record.event(origin: node, version: version))
        }
        return groups
    }
}
