import ChangeSetFormat
import FederationModel
import GRDB

/// What a ticket's thread decides and filters look at: the unit that handles it now, and how confidential it has become. It
/// stands in columns of the request that never leave the node (`GrantFilter.foldedColumns`), so filters and the scope log
/// treat it like the rest of the row image.
///
/// It is brought up to date inside the transaction that writes the thread, not by a consumer of the feed: a link reads what
/// is committed, and a ticket whose protection was raised must not leave because a consumer lags. Only nodes with a filter
/// that asks for it pay for that; at others it is kept for the tickets that name a neighbour (`RespondentNodes`).
struct FoldedColumns {
    private let fold: TicketFold
    private let reader = ThreadReader(ticketsWith: TicketFold.forms)

    init(_ rules: LifecycleRules) { fold = TicketFold(rules) }

    static func areKept(_ db: Database) throws -> Bool { try NodeValue.integer("folded_columns", db) == 1 }

    /// Begins to keep it for all tickets.
    func start(_ db: Database) throws {
        try fill(
            ticketsOf: "SELECT global_id FROM main.service_request WHERE deleted = \(RowState.live.rawValue)", db)
        try db.execute(sql: "INSERT OR REPLACE INTO main.node (name, value) VALUES ('folded_columns', 1)")
    }

    /// Fills it in for the tickets that a SELECT names. No link has asked for it yet, so none is sent anything.
    func fill(ticketsOf select: String, _ db: Database) throws {
        let tickets = try String.fetchAll(db, sql: select)
        for part in stride(from: 0, to: tickets.count, by: Self.window) {
            let some = Set(tickets[part..<min(part + Self.window, tickets.count)].lazy.map { ExactText($0) })
            let threads = try reader.threads(of: some, db)
            for ticket in some { try fill(values(of: threads[ticket]), ticket.text, db) }
        }
    }

    private static let window = 10_000

    /// Brings tickets up to date of which a record changed in this write.
    func update(_ writer: FeedWriter) throws {
        let db = writer.db
        let (start, head) = (writer.startSeq, try NodeValue.integer("seq", db))
        let isForAll = try Self.areKept(db)
        guard head > start, try isForAll || RespondentNodes.areThere(db) else { return }
        var tickets = try reader.changed(after: start, upto: head, db)
        if !isForAll { tickets = try RespondentNodes.naming(tickets, db) }
        let threads = try writer.threads(TicketKind(), of: tickets)
        var (changed, valuesByID): ([Int64], [Int64: (unit: String?, confidentiality: String?)]) = ([], [:])
        for ticket in tickets {
            let values = values(of: threads[ticket])
            // Who sees a row for the first time, or sees it go by an image that was logged in this transaction, must not be
            // sent an image in between that nobody ever had.
            try fill(values, ticket.text, unseenSince: start, db)
            let seen = try Int64.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT id FROM main.service_request WHERE global_id = ?1 AND deleted = \(RowState.live.rawValue)
                          AND (agency_responsible, confidentiality) IS NOT (?2, ?3)
                        """), arguments: [ticket.text, values.unit, values.confidentiality])
            for id in seen { valuesByID[id] = values }
            changed += seen
        }
        try writer.resequence(changed) { seq, id in
            try db.cachedStatement(
                sql: """
                    UPDATE main.service_request SET agency_responsible = ?1, confidentiality = ?2, seq = ?3 WHERE id = ?4
                    """
            ).execute(arguments: [valuesByID[id]?.unit, valuesByID[id]?.confidentiality, seq, id])
        }
    }

    /// NULL for a ticket of which nothing is here: it has not been folded.
    private func values(of thread: [TicketEvent]?) -> (unit: String?, confidentiality: String?) {
        guard let thread else { return (nil, nil) }
        let state = fold.fold(thread)
        return (state.unit, state.confidential.rawValue)
    }

    /// Writes it without a new seq.
    ///
    /// - Parameter before: where the transaction began; then only where the row is new or gone, or where the scope log has
    ///   its former image of this transaction already.
    private func fill(
        _ values: (unit: String?, confidentiality: String?), _ ticket: String, unseenSince before: Seq? = nil,
        _ db: Database
    ) throws {
        let condition = """
            AND (confidentiality IS NULL OR seq > ?4 AND EXISTS (SELECT 1 FROM main.scope_log AS l
              WHERE l.seq = service_request.seq AND l.resource = 'service_request' AND l.node IS NULL))
            """
        try db.cachedStatement(
            sql: """
                UPDATE main.service_request SET agency_responsible = ?1, confidentiality = ?2
                WHERE global_id = ?3 AND deleted = \(RowState.live.rawValue) \(before == nil ? "" : condition)
                """
        ).execute(arguments: [values.unit, values.confidentiality, ticket] + (before.map { [$0] } ?? []))
        guard before != nil else { return }
        try db.cachedStatement(
            sql: """
                UPDATE main.service_request SET agency_responsible = NULL, confidentiality = NULL
                WHERE global_id = ?1 AND deleted <> \(RowState.live.rawValue) AND confidentiality IS NOT NULL
                """
        ).execute(arguments: [ticket])
    }
}
