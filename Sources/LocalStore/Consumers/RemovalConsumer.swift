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
        try confirm(after: after, upto: upto, writer)
        let ids = try Int64.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT id FROM main.removal_order AS o WHERE seq > ? AND seq <= ?
                      AND NOT EXISTS (SELECT 1 FROM main.removal_passed AS p WHERE p.id = o.id AND p.seq = o.seq)
                    """), arguments: [after, upto])
        try writer.resequence(ids) { seq, id in
            try db.cachedStatement(sql: "UPDATE main.removal_order SET seq = ? WHERE id = ?").execute(
                arguments: [seq, id])
            try db.cachedStatement(sql: "INSERT OR REPLACE INTO main.removal_passed VALUES (?, ?)").execute(
                arguments: [id, seq])
        }
    }

    private func confirm(after: Seq, upto: Seq, _ writer: FeedWriter) throws {
        let db = writer.db
        let orders = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT o.origin, o."key" FROM main.removal_order AS o
                    WHERE o.seq > ?1 AND o.seq <= ?2 AND o.deleted = 0 AND o.supplier <> 0 AND o.lifted_at IS NULL
                      AND NOT EXISTS (SELECT 1 FROM main.removal_confirmation AS c
                        WHERE c.origin = ?3 AND c."key" = o.origin || '.' || o."key")
                    """), arguments: [after, upto, writer.node.code])
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
