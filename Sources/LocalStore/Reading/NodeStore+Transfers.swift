import FederationModel
import GRDB

extension NodeStore {
    /// The ticket of a transfer that is named by its id; nil when none of its steps is here.
    package func ticket(ofTransfer id: String) async throws -> String? {
        try await pool.read { db in
            try String.fetchOne(
                db, sql: "SELECT global_id FROM main.transfer WHERE transfer_id = ? AND deleted = 0 LIMIT 1",
                arguments: [id])
        }
    }

    /// The transfers of one ticket, in the order in which they were offered.
    package func transfers(of ticket: String) async throws -> [TicketTransfer] {
        try await pool.read { [rules = standing.rules] db in try Self.transfers(of: [ticket], rules, db).map(\.transfer)
        }
    }

    /// The transfers of all tickets that are held here, by ticket, then as they were offered.
    ///
    /// - Parameters:
    ///   - isOpen: only those that wait for an answer.
    ///   - limit: at most those of so many tickets.
    package func transfers(isOpen: Bool, limit: Int) async throws -> [HeldTransfer] {
        try await pool.read { [rules = standing.rules] db in
            // Without an answer on record; whether it is open still, the thread says.
            let unanswered = """
                AND step = 'offer' AND NOT EXISTS (
                  SELECT 1 FROM main.transfer AS a WHERE a.global_id = t.global_id AND a.transfer_id = t.transfer_id
                    AND a.step <> 'offer' AND a.deleted = 0 AND (a.origin = t.to_node OR a.step = 'designate'))
                """
            let tickets = try String.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT global_id FROM main.transfer AS t WHERE deleted = 0 \(isOpen ? unanswered : "")
                    ORDER BY global_id LIMIT ?
                    """, arguments: [limit])
            return try Self.transfers(of: tickets, rules, db).filter { !isOpen || $0.transfer.standing == .open }
        }
    }

    private static func transfers(
        of tickets: [String], _ rules: LifecycleRules, _ db: Database
    ) throws -> [HeldTransfer] {
        let threads = try ThreadReader(ticketsWith: TicketFold.forms).threads(
            of: Set(tickets.map { ExactText($0) }), db)
        return try tickets.flatMap { ticket in
            let number = try String.fetchOne(
                db.cachedStatement(
                    sql: "SELECT service_request_id FROM main.service_request WHERE global_id = ? AND deleted = 0"),
                arguments: [ticket])
            return TicketFold(rules).transfers(in: threads[ExactText(ticket)] ?? []).map {
                HeldTransfer(globalID: ticket, number: number, transfer: $0)
            }
        }
    }
}
