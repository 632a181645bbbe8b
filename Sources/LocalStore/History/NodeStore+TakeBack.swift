import ChangeSetFormat
import FederationModel
import GRDB

/// What became of rows that a receiver gave back.
package struct TakenBack: Sendable {
    /// Rows of this node that it had lost.
    package var adopted = 0
    /// Rows that another node has lost, kept here on their way to it.
    package var passedOn = 0
    /// Rows that this node knows and does not grant to the receiver, or has deleted: the receiver lets go of them.
    package var settled: [(resource: ResourceName, key: RowKey)] = []
    /// That of the feed after the commit.
    package var head: Seq = 0
}

extension NodeStore {
    /// Takes back what a receiver got from this node and this node no longer knows (design rule 6).
    ///
    /// Rows of this node become its own again, under a new version, so that every receiver gets them; fields that were masked or left
    /// out on their way stay so, unless this node has them in an older version, and are noted. Rows of other nodes are passed on
    /// towards them. That happens only for 30 days after this database was found to be older than what it had sent, or anybody above
    /// could write records in this node's name. What is known here is sent again, or settled.
    ///
    /// - Parameter policy: what this node may send to the receiver.
    /// - Throws: `E_LINK_ADDRESS` for a change-set of anybody else; `E_CHANGE_SET_TOO_LARGE` beyond `SyncLimits.returnedRowsMax` rows.
    package func takeBack(
        _ changeSet: IncomingChangeSet, policy: LinkPolicy, now: UnixMilliseconds
    ) async throws -> TakenBack {
        let header = changeSet.header
        guard header.sender == policy.receiver, header.receiver == node else {
            throw FederationError(
                "E_LINK_ADDRESS",
                "rows that came back from \(policy.receiver) to \(node) are from \(header.sender) to \(header.receiver)"
            )
        }
        guard header.rowCount <= SyncLimits.returnedRowsMax else {
            throw FederationError(
                "E_CHANGE_SET_TOO_LARGE",
                "\(policy.receiver) gives \(header.rowCount) rows back at once, at most \(SyncLimits.returnedRowsMax) are taken"
            )
        }
        var (report, head) = try await writeFeed(isDurable: true, now: now) { [tables, visibility] writer in
            let recovers = try now < NodeValue.integer(NodeValue.recoveryEnd, writer.db)
            if recovers { try writer.raiseVersion(to: changeSet.latestVersion(of: writer.node)) }
            var taker = RowTaker(policy: policy, recovers: recovers, visibility: visibility, writer: writer)
            try changeSet.payload.withUnsafeBytes { payload in
                for (block, faults) in zip(changeSet.blocks, changeSet.faults) {
                    guard let table = tables[block.resource.name] else { continue }
                    try taker.take(block, skipping: Set(faults.map(\.row)), payload: payload, table: table)
                }
            }
            return taker.report
        }
        report.head = head
        return report
    }
}

/// Takes rows back, inside the caller's transaction.
private struct RowTaker {
    let policy: LinkPolicy
    let recovers: Bool
    let visibility: Visibility
    let writer: FeedWriter
    var report = TakenBack()

    private var db: Database { writer.db }

    mutating func take(
        _ block: DecodedBlock, skipping faulty: Set<Int>, payload: UnsafeRawBufferPointer, table: ResourceTable
    ) throws {
        guard let origins = block.column(EnvelopeColumn.origin) else { return }
        let rows = Dictionary(grouping: 0..<block.rowCount) { origins.value($0, payload: payload).text ?? "" }
        for (code, group) in rows.sorted(by: { $0.key < $1.key }) {
            guard let origin = NodeID(code) else { continue }
            let others = Set(0..<block.rowCount).subtracting(group)
            let staged = try RowStager(table: table, db: db).stage(
                block, payload: payload, skipping: others.union(faulty))
            try sortOut(table)
            let left = try db.cachedStatement(sql: "SELECT count(*) FROM batch.\(table.table)").fetchInteger([]) ?? 0
            if !recovers || left == 0 {
                try db.cachedStatement(sql: table.clearBatch).execute()
            } else if origin == writer.node {
                try adopt(staged.rows, table)
                report.adopted += Int(left)
            } else if try pass(staged, from: origin, table) {
                report.passedOn += Int(left)
            }
        }
    }

    /// Takes what is known out of the staged rows.
    private mutating func sortOut(_ table: ResourceTable) throws {
        let known = try Row.fetchAll(db.cachedStatement(sql: table.stagedKnown), arguments: [writer.node.code])
        guard !known.isEmpty else { return }
        let isGranted = try db.cachedStatement(
            sql: """
                SELECT \(visibility.isGranted(table.definition.name, by: policy)) FROM main.\(table.table) AS r WHERE r.id = ?
                """)
        let unstage = try db.cachedStatement(sql: "DELETE FROM batch.\(table.table) WHERE n = ?")
        var granted: [Int64] = []
        for row in known {
            try unstage.execute(arguments: [row[0] as Int64])
            if let id: Int64 = row[3], try isGranted.fetchInteger([id]) == 1 {
                granted.append(id)
            } else {
                report.settled.append((table.definition.name, RowKey(origin: row[1], key: row[2])))
            }
        }
        // It is on its way already, or goes once more.
        try writer.resequence(granted, of: table)
    }

    private mutating func adopt(_ rows: Int, _ table: ResourceTable) throws {
        // What this node had deleted, and an older copy of its database has not.
        let deleted = try Int64.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT r.id FROM batch.\(table.table) AS b CROSS JOIN main.\(table.table) AS r
                      ON r.origin = b.origin AND r."key" = b."key"
                    WHERE b.deleted <> \(RowState.live.rawValue) AND r.deleted = \(RowState.live.rawValue)
                    """))
        try writer.delete(deleted, of: table)
        try db.cachedStatement(
            sql: "DELETE FROM batch.\(table.table) WHERE deleted <> \(RowState.live.rawValue)"
        ).execute()
        let treatments = policy.grant.treatments[table.definition.name] ?? [:]
        let treated = table.columns.filter { treatments[$0].map { $0 != .keep } ?? false }
        if !treated.isEmpty { try db.cachedStatement(sql: table.keepHere(treated)).execute() }
        try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO main.returned_row
                SELECT '\(table.definition.name)', "key", ?, ?, ? FROM batch.\(table.table)
                """
        ).execute(arguments: [policy.receiver.code, writer.now, treated.joined(separator: " ")])
        if table.definition.name == BuiltInResources.serviceRequest.name { try passNumbers() }
        try writer.takeBack(staged: rows, to: table)
    }

    /// No number of a ticket that comes back may be given out once more.
    private func passNumbers() throws {
        let region = String(writer.node.code.prefix(6))
        let texts = try String.fetchCursor(
            db, sql: "SELECT service_request_id FROM batch.service_request WHERE service_request_id IS NOT NULL")
        var last: [Int64: Int] = [:]
        while let text = try texts.next() {
            guard let number = TicketNumber(text), number.region == region else { continue }
            last[number.dayNumber] = max(last[number.dayNumber, default: 0], number.sequence)
        }
        for (day, sequence) in last {
            try db.cachedStatement(
                sql:
                    "INSERT INTO main.ticket_number VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET last = max(last, excluded.last)"
            ).execute(arguments: [day, sequence])
        }
    }

    /// Keeps staged rows of another node as what that has lost: the link from where they come gives them back in its turn.
    private func pass(_ staged: RowStager.Staged, from origin: NodeID, _ table: ResourceTable) throws -> Bool {
        guard let supplier = writer.standing.topology.supplier(of: origin, to: writer.node), supplier != policy.receiver
        else {
            try db.cachedStatement(sql: table.clearBatch).execute()
            return false
        }
        let base = try writer.head()
        _ = try writer.apply(staged, to: table, supplier: supplier)
        let ids = try Int64.fetchAll(
            db.cachedStatement(sql: "SELECT id FROM main.\(table.table) WHERE seq > ? AND supplier = ? AND origin = ?"),
            arguments: [base, Int64(supplier.code) ?? 0, origin.code])
        try LostRows.keep(ids, of: table, sender: supplier, db)
        try NodeStore.doubt([origin], db)
        return true
    }
}
