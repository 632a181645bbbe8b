import FederationModel
import GRDB

/// Keeps `ticket_state`, the fold of each ticket's thread in columns of its own because analyses read them, and `ticket_conflict`, what the fold found. The work is
/// proportional to the tickets that changed.
struct TicketStateConsumer: TransactionalConsumer {
    /// As consumers that come after it know it.
    static let title = "ticket-state"

    let name = title
    private let kind = TicketKind()

    func basis(of store: NodeStore, under standing: Standing) -> String { kind.basis(standing.rules) }

    func clear(_ writer: FeedWriter) throws {
        try writer.db.execute(sql: "DELETE FROM main.ticket_state; DELETE FROM main.ticket_conflict")
    }

    func consume(after: Seq, upto: Seq, _ writer: FeedWriter) throws {
        try fold(ThreadReader(kind).changed(after: after, upto: upto, writer.db), writer)
    }

    func fold(_ dirty: Set<ExactText>, _ writer: FeedWriter) throws {
        let db = writer.db
        let threads = try writer.threads(kind, of: dirty)
        for id in dirty {
            let ticket = id.text
            try forgetConflicts(of: ticket, db)
            if let events = threads[id] {
                try save(kind.fold(events, rules: writer.standing.rules), of: ticket, db)
            } else {
                try db.cachedStatement(sql: "DELETE FROM main.ticket_state WHERE global_id = ?").execute(
                    arguments: [ticket])
            }
        }
        try MergedTickets(db: db).resolve(around: dirty)
    }

    // No REPLACE, which triggers do not hear of.
    static let columnNames = [
        "status", "round", "unit", "dispatched_at", "due_at", "acknowledged_at", "replied_at", "closed_at",
        "called_back_at", "evaluated_at", "score", "resolved", "returns", "extensions", "supervision", "owner",
        "category",
        "confidential", "held", "suspended", "merge_target", "merged_into",
    ]
    private static let columns = columnNames.joined(separator: ", ")
    private static let excluded = columnNames.map { "excluded.\($0)" }.joined(separator: ", ")

    private func save(_ state: TicketState, of ticket: String, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO main.ticket_state (global_id, \(Self.columns))
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (global_id) DO UPDATE SET (\(Self.columns)) = (\(Self.excluded))
                """
        ).execute(arguments: [
            ticket, state.status.rawValue, state.round, state.unit, state.dispatchedAt, state.dueAt,
            state.acknowledgedAt, state.repliedAt, state.closedAt, state.calledBackAt, state.evaluatedAt, state.score,
            state.resolved, state.returns, state.extensions, state.supervision.rawValue, state.owner, state.category,
            state.confidential.rawValue, state.isHeld, state.isSuspended, state.mergedInto, state.mergedInto,
        ])
        for (ordinal, finding) in state.findings.enumerated() {
            try db.cachedStatement(sql: "INSERT INTO main.ticket_conflict VALUES (?, ?, ?, ?, ?, ?)").execute(
                arguments: [
                    ticket, ordinal + 1, finding.code.rawValue, finding.event.resource.text, finding.event.origin,
                    finding.event.key,
                ])
        }
    }

    private func forgetConflicts(of ticket: String, _ db: Database) throws {
        try db.cachedStatement(sql: "DELETE FROM main.ticket_conflict WHERE global_id = ?").execute(
            arguments: [ticket])
    }
}

/// Finds the head of each chain of merged tickets, and the cycles among them. `merge_target` is what a ticket's thread
/// says; `merged_into` is the head that follows from all threads together.
private struct MergedTickets {
    let db: Database

    func resolve(around tickets: Set<ExactText>) throws {
        let areThere = try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM main.ticket_state WHERE merge_target IS NOT NULL)"))
        // A chain that has just been undone has nothing left to point at.
        guard areThere == true else { return }
        var seen: Set<ExactText> = []
        for ticket in tickets where !seen.contains(ticket) {
            let links = try component(of: ticket, &seen)
            for (member, target) in links {
                let (head, isCycle) = MergeChain.head(of: member) { links[$0] ?? nil }
                let into = target == nil || head == member ? nil : head.text
                try db.cachedStatement(
                    sql: "UPDATE main.ticket_state SET merged_into = ?1 WHERE global_id = ?2 AND merged_into IS NOT ?1"
                ).execute(arguments: [into, member.text])
                try noteCycle(isCycle && head == member, of: member.text)
            }
        }
    }

    /// The tickets that merges connect with one, each with its target.
    private func component(of ticket: ExactText, _ seen: inout Set<ExactText>) throws -> [ExactText: ExactText?] {
        var links: [ExactText: ExactText?] = [:]
        var frontier = [ticket]
        while let member = frontier.popLast() {
            guard seen.insert(member).inserted else { continue }
            let target = try String.fetchOne(
                db.cachedStatement(sql: "SELECT merge_target FROM main.ticket_state WHERE global_id = ?"),
                arguments: [member.text]
            ).map { ExactText($0) }
            links[member] = .some(target)
            if let target { frontier.append(target) }
            frontier += try String.fetchAll(
                db.cachedStatement(sql: "SELECT global_id FROM main.ticket_state WHERE merge_target = ?"),
                arguments: [member.text]
            ).map { ExactText($0) }
        }
        return links
    }

    private func noteCycle(_ isHead: Bool, of ticket: String) throws {
        let code = TicketFinding.Code.mergeCycle.rawValue
        try db.cachedStatement(sql: "DELETE FROM main.ticket_conflict WHERE global_id = ? AND code = ?").execute(
            arguments: [ticket, code])
        guard isHead else { return }
        try db.cachedStatement(
            sql: """
                INSERT INTO main.ticket_conflict
                SELECT ?1, 1 + (SELECT count(*) FROM main.ticket_conflict WHERE global_id = ?1), ?2, 'ticket_action', '', ''
                """
        ).execute(arguments: [ticket, code])
    }
}
