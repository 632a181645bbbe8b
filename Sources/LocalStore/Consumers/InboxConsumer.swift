import ChangeSetFormat
import FederationModel
import GRDB

/// Keeps `inbox`: what other nodes did to tickets of this one, or noticed of them, in the order in which it was learned of here. A record is told once for
/// each version; that it gets a new seq because somebody else may see it is no news.
struct InboxConsumer: TransactionalConsumer {
    let name = "inbox"
    /// Conflicts are found there.
    var isBehind: String? { TicketStateConsumer.title }

    // Nothing is cleared: cursors that were given out must stay good, and what is there is not told twice.

    func consume(after: Seq, upto: Seq, _ writer: FeedWriter) throws {
        let db = writer.db
        for table in writer.resources where table.definition.isThreadRecord {
            try db.cachedStatement(sql: Self.records(of: table)).execute(
                arguments: [after, upto, writer.node.code, writer.now])
            try db.cachedStatement(sql: Self.conflicts(in: table)).execute(
                arguments: [after, upto, writer.node.code, writer.now])
        }
        try db.cachedStatement(sql: Self.alerts).execute(arguments: [after, upto, writer.node.code])
        try db.cachedStatement(sql: Self.quarantines).execute(arguments: [writer.now])
    }

    /// Live records of others on tickets of node ?3 that changed in (?1, ?2].
    private static func records(of table: ResourceTable) -> String {
        """
        INSERT OR IGNORE INTO main.inbox (kind, ticket, node, "key", version, at)
        SELECT '\(table.definition.name)', r.global_id, r.origin, r."key", r.version, coalesce(r.occurred_at, ?4)
        FROM main.\(table.table) AS r
        WHERE r.seq > ?1 AND r.seq <= ?2 AND +r.supplier <> 0 AND r.deleted = \(RowState.live.rawValue)
          AND r.ticket_origin = ?3 ORDER BY r.seq
        """
    }

    /// Conflicts of such records.
    private static func conflicts(in table: ResourceTable) -> String {
        """
        INSERT OR IGNORE INTO main.inbox (kind, ticket, node, "key", version, at, detail)
        SELECT 'conflict', c.global_id, c.origin, c."key", r.version, coalesce(r.occurred_at, ?4), c.code
        FROM main.\(table.table) AS r
        CROSS JOIN main.ticket_conflict AS c ON c.global_id = r.global_id
          AND c.resource = '\(table.definition.name)' AND c.origin = r.origin AND c."key" = r."key"
        WHERE r.seq > ?1 AND r.seq <= ?2 AND +r.supplier <> 0 AND r.deleted = \(RowState.live.rawValue)
          AND r.ticket_origin = ?3 ORDER BY r.seq, c.ordinal
        """
    }

    /// Alerts that others raised and that rest on tickets of node ?3, once a level; with the ticket where it is one.
    private static let alerts = """
        INSERT OR IGNORE INTO main.inbox (kind, ticket, node, "key", version, at, detail)
        SELECT 'alert', CASE WHEN count(*) = 1 THEN min(t.global_id) END, a.origin, a.alert_id, 0, a.occurred_at, a.level
        FROM main.alert AS a
        CROSS JOIN json_each(CASE WHEN json_valid(a.evidence) THEN a.evidence ELSE '{}' END, '$.tickets') AS j
        CROSS JOIN main.service_request AS t ON t.global_id = j.value AND +t.origin = ?3
          AND +t.deleted = \(RowState.live.rawValue)
        WHERE a.seq > ?1 AND a.seq <= ?2 AND +a.supplier <> 0 AND a.deleted = \(RowState.live.rawValue)
          AND a.withdrawn_at IS NULL
        GROUP BY a.seq ORDER BY a.seq
        """

    /// Receivers that have put aside more rows of this node than when it was told last.
    private static let quarantines = """
        INSERT OR IGNORE INTO main.inbox (kind, ticket, node, "key", version, at, detail)
        SELECT 'quarantine', NULL, s.peer, '', s.quarantined, ?1, s.quarantined FROM main.link_status AS s
        WHERE s.direction = '\(LinkDirection.sending.rawValue)' AND s.quarantined > 0 AND s.quarantined > coalesce((
          SELECT CAST(i.detail AS INTEGER) FROM main.inbox AS i WHERE i.kind = 'quarantine' AND i.node = s.peer
          ORDER BY i.id DESC LIMIT 1), 0)
        """
}

extension NodeStore {
    /// What came after a cursor.
    package func inbox(after cursor: Int64, limit: Int) async throws -> [InboxItem] {
        try await pool.read { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT id, kind, ticket, node, "key", at, detail FROM main.inbox WHERE id > ? ORDER BY id LIMIT ?
                        """), arguments: [cursor, limit]
            ).map { row in
                let key: String? = row[4]
                return InboxItem(
                    cursor: row[0], kind: row[1], ticket: row[2], node: row[3], at: row[5],
                    key: key?.isEmpty == false ? key : nil, detail: row[6])
            }
        }
    }
}
