import FederationModel
import GRDB

/// Confirms the removal orders of other nodes. Holding an order proves that its rows are gone here (`RemovalResources`),
/// so there is nothing to look for.
struct RemovalConsumer: FeedConsumer {
    let store: NodeStore

    let name = "removals"
    let basis = ""

    /// A confirmation that was given stays: it says what was true then.
    func clear(_ db: Database) {}

    func consume(after: Seq, upto: Seq, now: UnixMilliseconds, _ db: Database) throws {
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
