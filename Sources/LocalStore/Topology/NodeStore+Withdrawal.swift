import ChangeSetFormat
import FederationModel
import GRDB

extension NodeStore {
    /// The adoption step before those of the resources: tickets that are here may name a new neighbour. It looks at each of them, so
    /// it is not part of every step. Every resource's name sorts behind it.
    static let meetingStep = ""

    /// Carries out the next step of an adoption: first `meetingStep`, then, resource by resource, copies that this node is no longer
    /// given become retractions, with a record for each origin. What is left of a row is its key, so that those further up hear of it. Records of
    /// tickets that this node, or somebody behind it, must see stay, and so does what a detached node left.
    ///
    /// What came over a link that this topology does not touch is its sender's to take back: of a thread of which only a part has
    /// arrived nobody here knows who must see it, and no sweep would bring it again.
    ///
    /// A copy whose origin has another supplier now stays if that one copies the resource too: its sweep brings what has changed.
    ///
    /// - Parameter standing: under the topology that was adopted.
    /// - Returns: what was deleted now; nil when there was no step left.
    package func performAdoptionStep(
        under standing: Standing, now: UnixMilliseconds
    ) async throws -> [DeletionRecord]? {
        begin(adopting: standing)
        return try await writeFeed(under: standing, now: now) { [tables] writer in
            let db = writer.db
            guard
                let name = try String.fetchOne(
                    db, sql: "SELECT resource FROM main.adoption_step ORDER BY resource LIMIT 1")
            else { return nil }
            if name == Self.meetingStep { try writer.meetNeighbours() }
            var records: [DeletionRecord] = []
            if let table = tables[ResourceName(name)] {
                for origin in try Self.foreignOrigins(in: table, except: standing.node, db) {
                    guard let kept = Self.keptCopies(of: origin, in: table.definition, standing) else { continue }
                    let record = try Self.withdraw(
                        table, of: origin, exceptSharedWith: kept, topology: standing.topology.version, writer)
                    if let record { records.append(record) }
                }
            }
            try db.execute(sql: "DELETE FROM main.adoption_step WHERE resource = ?", arguments: [name])
            return records
        }.value
    }

    /// The origins of rows that are here, but for this node's own.
    private static func foreignOrigins(
        in table: ResourceTable, except node: NodeID, _ db: Database
    ) throws -> [NodeID] {
        // A loose scan of the index of (origin, key): one seek for each origin.
        try String.fetchAll(
            db,
            sql: """
                WITH RECURSIVE known(origin) AS (
                  SELECT min(origin) FROM main.\(table.table)
                  UNION ALL
                  SELECT (SELECT min(origin) FROM main.\(table.table) WHERE origin > known.origin)
                  FROM known WHERE known.origin IS NOT NULL)
                SELECT origin FROM known WHERE origin IS NOT NULL AND origin <> ?
                """, arguments: [node.code]
        ).compactMap { NodeID($0) }
    }

    /// Which copies of an origin's resource stay although they are not given as a whole.
    ///
    /// - Returns: nil when all of them do; else the nodes whose tickets' records stay.
    private static func keptCopies(
        of origin: NodeID, in resource: ResourceDefinition, _ standing: Standing
    ) -> Set<NodeID>? {
        let topology = standing.topology
        if topology.detached.contains(where: { $0.id == origin }) { return nil }
        // A node that was removed itself keeps what it needs to go on alone.
        if standing.isDetached, resource.isReference { return nil }
        guard let supplier = topology.supplier(of: origin, to: standing.node),
            let policy = standing.incoming[supplier]
        else { return [] }
        if policy.revision.topology < topology.version { return nil }
        if policy.wholeResources.contains(resource.name) || RemovalResources.names.contains(resource.name) {
            return nil
        }
        return policy.nodesBehind
    }

    private static func withdraw(
        _ table: ResourceTable, of origin: NodeID, exceptSharedWith nodes: Set<NodeID>, topology: Int64,
        _ writer: FeedWriter
    ) throws -> DeletionRecord? {
        let db = writer.db
        let isShared = """
            \(table.threadID(of: table.table)) IN (SELECT global_id FROM main.ticket_audience
                          WHERE node IN (SELECT value FROM json_each(:nodes)))
            """
        let copies = """
            FROM main.\(table.table) WHERE origin = :origin AND deleted = \(RowState.live.rawValue)
              \(table.definition.thread != nil ? "AND NOT \(isShared)" : "AND :nodes IS NOT NULL")
            """
        var ids: [Int64] = []
        var digest = ""
        let rows = try Row.fetchCursor(
            db, sql: "SELECT id, origin || ' ' || \"key\" || ' ' || version \(copies) ORDER BY origin, \"key\"",
            arguments: ["origin": origin.code, "nodes": jsonArray(nodes)])
        while let row = try rows.next() {
            ids.append(row[0])
            let line: String = row[1]
            digest = String(fnv1a64("\(digest) \(line)".utf8), radix: 16)
        }
        guard !ids.isEmpty else { return nil }
        try writer.retract(ids, of: table)
        let record = DeletionRecord(
            origin: origin, resource: table.definition.name, rows: Int64(ids.count), digest: digest,
            topology: topology, at: writer.now)
        try db.execute(
            sql: """
                INSERT INTO main.deletion (origin, resource, rows, digest, topology, at)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                record.origin.code, record.resource.text, record.rows, record.digest, record.topology, record.at,
            ])
        return record
    }

    /// All deletions of copies, the oldest first.
    package func deletions() async throws -> [DeletionRecord] {
        try await pool.read { db in
            try Row.fetchAll(
                db, sql: "SELECT origin, resource, rows, digest, topology, at FROM main.deletion ORDER BY id"
            ).compactMap { row in
                NodeID(row[0]).map {
                    DeletionRecord(
                        origin: $0, resource: ResourceName(row[1]), rows: row[2], digest: row[3], topology: row[4],
                        at: row[5])
                }
            }
        }
    }
}
