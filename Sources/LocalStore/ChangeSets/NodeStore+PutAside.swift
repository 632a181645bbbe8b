import ChangeSetFormat
import FederationModel
import GRDB

/// Who sent a row that was put aside hears of it, and passes that on towards the row's origin: there it can be mended.
extension NodeStore {
    /// Rows of `origins` that came from `sender` and are put aside, here or at nodes to which they went on from here: the newest, at
    /// most `SyncLimits.putAsideRowsMax`.
    package func putAside(of sender: NodeID, origins: Set<NodeID>) async throws -> [PutAsideRow] {
        try await pool.read { [node] db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT * FROM (
                          SELECT ?1 AS node, resource, origin, "key", version, field, rule FROM main.quarantine WHERE sender = ?2
                          UNION ALL
                          SELECT node, resource, origin, "key", version, field, rule FROM main.put_aside WHERE peer <> ?2)
                        WHERE origin IN (SELECT value FROM json_each(?4))
                        ORDER BY version DESC LIMIT ?3
                        """),
                arguments: [node.code, sender.code, SyncLimits.putAsideRowsMax, jsonArray(origins)]
            ).compactMap(PutAsideRow.init)
        }
    }

    /// What receivers say of the rows that went from here to them, by node.
    package func rowsPutAsideElsewhere() async throws -> [PutAsideRow] {
        try await pool.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM main.put_aside ORDER BY node, resource, origin, \"key\""
            ).compactMap(PutAsideRow.init)
        }
    }

    /// Takes what `receiver` says in the place of what it said before. Rows of this node are told in the inbox, once a version.
    ///
    /// - Parameter policy: what goes there; rows that do not are passed over, and so are more than can be told.
    package func keep(
        putAside rows: [PutAsideRow], by receiver: NodeID, policy: LinkPolicy, now: UnixMilliseconds
    ) async throws {
        let rows = rows.prefix(SyncLimits.putAsideRowsMax).filter { policy.origins.contains($0.origin) }
        try await pool.write { [node, tables] db in
            try db.execute(sql: "DELETE FROM main.put_aside WHERE peer = ?", arguments: [receiver.code])
            for row in rows {
                try db.execute(
                    sql: "INSERT OR REPLACE INTO main.put_aside VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    arguments: [
                        receiver.code, row.node.code, row.resource.text, row.origin.code, row.key, row.version,
                        row.field,
                        row.rule,
                    ])
                guard row.origin == node, let table = tables[row.resource] else { continue }
                try db.execute(
                    sql: """
                        INSERT OR IGNORE INTO main.inbox (kind, ticket, node, "key", version, at, detail)
                        SELECT 'quarantine', \(table.definition.isTicketRecord ? "r.global_id" : "NULL"), ?1, r."key", r.version, ?2, ?3
                        FROM main.\(table.table) AS r WHERE r.origin = ?4 AND r."key" = ?5 AND r.version = ?6
                        """,
                    arguments: [row.node.code, now, row.rule, node.code, row.key, row.version])
            }
        }
    }
}

extension PutAsideRow {
    /// Nil for what no node could have written.
    fileprivate init?(_ row: Row) {
        guard let node = NodeID(row["node"]), let origin = NodeID(row["origin"]) else { return nil }
        self.init(
            node: node, resource: ResourceName(row["resource"]), origin: origin, key: row["key"],
            version: row["version"],
            field: row["field"], rule: row["rule"])
    }
}
