import ChangeSetFormat
import FederationModel
import GRDB

/// The proof that copies were deleted because a resource is no longer gathered by copy (物理汇聚 to 逻辑接入).
package struct DeletionRecord: Hashable, Sendable {
    package let sender: NodeID
    package let resource: ResourceName
    package let rows: Int64
    /// FNV-1a over origin, key and version of each row in the order of the key: tells which rows they were.
    package let digest: String
    /// The topology version that asked for it.
    package let topology: Int64
    package let at: UnixMilliseconds
}

extension NodeStore {
    /// Empties the copies that a neighbour supplied of resources that its link no longer copies, and keeps a record of it.
    /// What is left of a row is its key, so that those further up hear of it. Records of tickets that this node, or somebody
    /// behind it, must see stay.
    ///
    /// It happens once for each topology version, before the sweep under it begins: what came by audience since then is not
    /// asked for again.
    ///
    /// - Returns: what was deleted now; empty when there was nothing.
    package func withdraw(under policy: LinkPolicy, now: UnixMilliseconds) async throws -> [DeletionRecord] {
        if try await cursor(of: policy.sender)?.revision.topology == policy.revision.topology { return [] }
        let supplier = Int64(policy.sender.code) ?? 0
        var records: [DeletionRecord] = []
        let kept = policy.wholeResources.union(RemovalResources.names)
        for table in tableOrder where !kept.contains(table.definition.name) {
            let (record, _) = try await writeFeed(now: now) { writer -> DeletionRecord? in
                let db = writer.db
                let isShared = """
                    \(table.threadID(of: table.table)) IN (SELECT global_id FROM main.ticket_audience
                                  WHERE node IN (SELECT value FROM json_each(:behind)))
                    """
                let copies = """
                    FROM main.\(table.table) WHERE supplier = :supplier AND deleted = \(RowState.live.rawValue)
                      \(table.definition.thread != nil ? "AND NOT \(isShared)" : "")
                    """
                var ids: [Int64] = []
                var digest = ""
                let rows = try Row.fetchCursor(
                    db, sql: "SELECT id, origin || ' ' || \"key\" || ' ' || version \(copies) ORDER BY origin, \"key\"",
                    arguments: ["supplier": supplier, "behind": jsonArray(policy.nodesBehind)])
                while let row = try rows.next() {
                    ids.append(row[0])
                    let line: String = row[1]
                    digest = String(fnv1a64("\(digest) \(line)".utf8), radix: 16)
                }
                guard !ids.isEmpty else { return nil }
                try writer.retract(ids, of: table)
                let record = DeletionRecord(
                    sender: policy.sender, resource: table.definition.name, rows: Int64(ids.count), digest: digest,
                    topology: policy.revision.topology, at: now)
                try db.execute(
                    sql: """
                        INSERT INTO main.deletion (sender, resource, rows, digest, topology, at)
                        VALUES (?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        record.sender.code, record.resource.text, record.rows, record.digest, record.topology,
                        record.at,
                    ])
                return record
            }
            if let record { records.append(record) }
        }
        return records
    }

    /// All deletions of copies, the oldest first.
    package func deletions() async throws -> [DeletionRecord] {
        try await pool.read { db in
            try Row.fetchAll(
                db, sql: "SELECT sender, resource, rows, digest, topology, at FROM main.deletion ORDER BY id"
            ).compactMap { row in
                NodeID(row[0]).map {
                    DeletionRecord(
                        sender: $0, resource: ResourceName(row[1]), rows: row[2], digest: row[3], topology: row[4],
                        at: row[5])
                }
            }
        }
    }
}
