import FederationModel
import GRDB

/// Passes removal orders on to the links, and confirms those of other nodes.
///
/// Holding an order proves that its rows are gone here (`RemovalResources`), so a confirmation needs no search. What comes
/// later is that `ThreadAudienceConsumer` gives those rows new seqs. An order gets a new seq after that, and only then leaves:
/// so no link sends it before its rows.
struct RemovalConsumer: TransactionalConsumer {
    let name = "removals"
    var isBehind: String? { ThreadAudienceConsumer.title }

    // Nothing is cleared: a confirmation that was given stays, it says what was true then.

    func consume(after: Seq, upto: Seq, _ writer: FeedWriter) throws {
        let db = writer.db
        let orders = try ready(after: after, upto: upto, db)
        guard !orders.isEmpty else { return }
        let list = "[\(orders.map(String.init).joined(separator: ","))]"
        try confirm(list, writer)
        let ids = try Int64.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT id FROM main.removal_order AS o WHERE id IN (SELECT value FROM json_each(?))
                      AND NOT EXISTS (SELECT 1 FROM main.removal_passed AS p WHERE p.id = o.id AND p.seq = o.seq)
                    """), arguments: [list])
        try writer.resequence(ids) { seq, id in
            try db.cachedStatement(sql: "UPDATE main.removal_order SET seq = ? WHERE id = ?").execute(
                arguments: [seq, id])
            try db.cachedStatement(sql: "INSERT OR REPLACE INTO main.removal_passed VALUES (?, ?)").execute(
                arguments: [id, seq])
        }
    }

    /// Those that have come, without those that must wait, and those that need wait no more. Where rows of a supplier are kept as lost
    /// they may be the very ones that its order removes: then it proves nothing yet, here or further on.
    private func ready(after: Seq, upto: Seq, _ db: Database) throws -> [Int64] {
        let mustWait = """
            EXISTS (SELECT 1 FROM main.lost_row AS l WHERE CAST(l.sender AS INTEGER) = o.supplier)
            """
        var ready: [Int64] = []
        let orders = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT o.id, \(mustWait) FROM main.removal_order AS o
                    WHERE (o.seq > ? AND o.seq <= ?) OR o.id IN (SELECT id FROM main.removal_held)
                    """), arguments: [after, upto])
        for order in orders {
            let (id, mustWait): (Int64, Bool) = (order[0], order[1])
            try db.cachedStatement(
                sql: mustWait
                    ? "INSERT OR IGNORE INTO main.removal_held VALUES (?)"
                    : "DELETE FROM main.removal_held WHERE id = ?"
            ).execute(arguments: [id])
            if !mustWait { ready.append(id) }
        }
        return ready
    }

    private func confirm(_ list: String, _ writer: FeedWriter) throws {
        let db = writer.db
        let orders = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT o.origin, o."key" FROM main.removal_order AS o
                    WHERE o.id IN (SELECT value FROM json_each(?1)) AND o.deleted = 0 AND o.supplier <> 0
                      AND o.lifted_at IS NULL
                      AND NOT EXISTS (SELECT 1 FROM main.removal_confirmation AS c
                        WHERE c.origin = ?2 AND c."key" = o.origin || '.' || o."key")
                    """), arguments: [list, writer.node.code])
        guard !orders.isEmpty else { return }
        let records = orders.map { order in
            let (origin, id): (String, String) = (order[0], order[1])
            return IntakeRecord(
                resource: RemovalResources.confirmation.name, key: "\(origin).\(id)",
                fields: ["removal": .text(id), "removal_origin": .text(origin), "confirmed_at": .integer(writer.now)])
        }
        try writer.store(records)
    }
}
