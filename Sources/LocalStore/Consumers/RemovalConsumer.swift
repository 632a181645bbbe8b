import FederationModel
import GRDB

/// Passes removal orders on to the links, and confirms those of other nodes.
///
/// Holding an order proves that its rows are gone here (`RemovalResources`), so a confirmation needs no search. What comes
/// later is that `TicketAudienceConsumer` tells links of those rows under new seqs. An order gets a new seq after that, and
/// only then leaves: so no link tells it before its rows.
struct RemovalConsumer: FeedConsumer {
    let store: NodeStore

    let name = "removals"
    let basis = ""
    var isBehind: String? { TicketAudienceConsumer.title }

    /// A confirmation that was given stays: it says what was true then.
    func clear(_ db: Database) {}

    func consume(after: Seq, upto: Seq, now: UnixMilliseconds, _ db: Database) throws {
        try confirm(after: after, upto: upto, now: now, db)
        let ids = try Int64.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT id FROM main.removal_order AS o WHERE seq > ? AND seq <= ?
                      AND NOT EXISTS (SELECT 1 FROM main.removal_passed AS p WHERE p.id = o.id AND p.seq = o.seq)
                    """), arguments: [after, upto])
        guard !ids.isEmpty else { return }
        let base = try NodeValue.draw(seqs: ids.count, db)
        for (index, id) in ids.enumerated() {
            let seq = base + Int64(index) + 1
            try db.cachedStatement(sql: "UPDATE main.removal_order SET seq = ? WHERE id = ?").execute(
                arguments: [seq, id])
            try db.cachedStatement(sql: "INSERT OR REPLACE INTO main.removal_passed VALUES (?, ?)").execute(
                arguments: [id, seq])
        }
    }

    private func confirm(after: Seq, upto: Seq, now: UnixMilliseconds, _ db: Database) throws {
        let orders = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT o.origin, o."key" FROM main.removal_order AS o
                    WHERE o.seq > ?1 AND o.seq <= ?2 AND o.deleted = 0 AND o.supplier <> 0 AND o.lifted_at IS NULL
                      AND NOT EXISTS (SELECT 1 FROM main.removal_confirmation AS c
                        WHERE c.origin = ?3 AND c."key" = o.origin || '.' || o."key")
                    """), arguments: [after, upto, store.node.code])
        guard !orders.isEmpty else { return }
        let records = orders.map { order in
            let (origin, id): (String, String) = (order[0], order[1])
            return IntakeRecord(
                resource: RemovalResources.confirmation.name, key: "\(origin).\(id)",
                fields: ["removal": .text(id), "removal_origin": .text(origin), "confirmed_at": .integer(now)])
        }
        let version = try NodeValue.nextVersion(now: now, db)
        try store.write(ownRecords: records, version: version, now: now, db)
    }
}
