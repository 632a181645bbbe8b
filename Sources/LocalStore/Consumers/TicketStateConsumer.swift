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
        let list = jsonArray(dirty.map(\.text))
        try db.cachedStatement(
            sql: "DELETE FROM main.ticket_conflict WHERE global_id IN (SELECT value FROM json_each(?))"
        ).execute(arguments: [list])
        let save = try RawStatement(Self.save, db)
        defer { save.reset() }
        // In the order of the table.
        for id in dirty.sorted() {
            if let events = threads[id] {
                try Self.save(kind.fold(events, rules: writer.standing.rules), of: id.text, by: save, db)
            } else {
                try db.cachedStatement(sql: "DELETE FROM main.ticket_state WHERE global_id = ?").execute(
                    arguments: [id.text])
            }
        }
        try MergedTickets(db: db).resolve(around: list)
    }

    // No REPLACE, which triggers do not hear of.
    static let columnNames = [
        "status", "round", "unit", "dispatched_at", "due_at", "acknowledged_at", "replied_at", "closed_at",
        "called_back_at", "evaluated_at", "score", "resolved", "returns", "extensions", "supervision", "owner",
        "category",
        "confidential", "held", "suspended", "merge_target", "merged_into",
    ]
    private static let save = {
        let columns = columnNames.joined(separator: ", ")
        let excluded = columnNames.map { "excluded.\($0)" }.joined(separator: ", ")
        return """
            INSERT INTO main.ticket_state (global_id, \(columns))
            VALUES (?\(String(repeating: ", ?", count: columnNames.count)))
            ON CONFLICT (global_id) DO UPDATE SET (\(columns)) = (\(excluded)) WHERE (\(columns)) IS NOT (\(excluded))
            """
    }()

    private static func save(
        _ state: TicketState, of ticket: String, by statement: RawStatement, _ db: Database
    ) throws {
        statement.bind(ticket, at: 1)
        statement.bind(state.status.rawValue, at: 2)
        statement.bind(state.round, at: 3)
        statement.bind(state.unit, at: 4)
        statement.bind(state.dispatchedAt, at: 5)
        statement.bind(state.dueAt, at: 6)
        statement.bind(state.acknowledgedAt, at: 7)
        statement.bind(state.repliedAt, at: 8)
        statement.bind(state.closedAt, at: 9)
        statement.bind(state.calledBackAt, at: 10)
        statement.bind(state.evaluatedAt, at: 11)
        statement.bind(state.score, at: 12)
        statement.bind(state.resolved, at: 13)
        statement.bind(state.returns, at: 14)
        statement.bind(state.extensions, at: 15)
        statement.bind(state.supervision.rawValue, at: 16)
        statement.bind(state.owner, at: 17)
        statement.bind(state.category, at: 18)
        statement.bind(state.confidential.rawValue, at: 19)
        statement.bind(state.isHeld ? 1 : 0, at: 20)
        statement.bind(state.isSuspended ? 1 : 0, at: 21)
        statement.bind(state.mergedInto, at: 22)
        statement.bind(state.mergedInto, at: 23)
        try statement.run()
        for (ordinal, finding) in state.findings.enumerated() {
            try db.cachedStatement(sql: "INSERT INTO main.ticket_conflict VALUES (?, ?, ?, ?, ?, ?)").execute(
                arguments: [
                    ticket, ordinal + 1, finding.code.rawValue, finding.event.resource.text, finding.event.origin,
                    finding.event.key,
                ])
        }
    }
}

/// Finds the head of each chain of merged tickets, and the cycles among them. `merge_target` is what a ticket's thread
/// says; `merged_into` is the head that follows from all threads together.
private struct MergedTickets {
    let db: Database

    /// - Parameter tickets: a JSON array; those that are merged with no other stay as they were saved.
    func resolve(around tickets: String) throws {
        let merged = try String.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT j.value FROM json_each(?) AS j LEFT JOIN main.ticket_state AS s ON s.global_id = j.value
                    WHERE s.merge_target IS NOT NULL
                      OR EXISTS (SELECT 1 FROM main.ticket_state AS m WHERE m.merge_target = j.value)
                    """), arguments: [tickets])
        var seen: Set<ExactText> = []
        for ticket in merged.map({ ExactText($0) }) where !seen.contains(ticket) {
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
