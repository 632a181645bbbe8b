import FederationModel
import GRDB

/// What a sweep does with the copies of one resource that its listing does not name.
///
/// They go, unless that is only silence: a sender in another epoch may know less than it once sent, and one that lacks more than the
/// `RetractionLimit` although it grants no less than before has lost it. Then they are kept as `LostRows`, all of them or none: while the
/// sweep goes through the resource they are pending. What a former supplier of their origin brought is awaited: the present one may not
/// have it yet (design rule 6), and says in a heartbeat when it is whole.
struct UnlistedRows {
    private let table: ResourceTable
    private let policy: LinkPolicy
    private let limit: RetractionLimit
    private let isNewEpoch: Bool
    private let scope: GrantScope
    /// Whether they may have gone because less is granted now.
    private let isNarrower: Bool
    private let writer: FeedWriter

    private var db: Database { writer.db }
    private var sender: NodeID { policy.sender }

    init(
        of table: ResourceTable, isRefused: Bool, isNewEpoch: Bool, policy: LinkPolicy, limit: RetractionLimit,
        _ writer: FeedWriter
    ) throws {
        (self.table, self.policy, self.limit, self.isNewEpoch) = (table, policy, limit, isNewEpoch)
        self.writer = writer
        scope = policy.scope(of: table.definition.name, isRefused: isRefused)
        let former = try Row.fetchOne(
            writer.db.cachedStatement(
                sql: "SELECT rules, nodes_behind FROM main.swept_scope WHERE sender = ? AND resource = ?"),
            arguments: [policy.sender.code, table.definition.name.text]
        ).map { row in
            GrantScope(
                rules: row[0],
                nodesBehind: Set((row[1] as String).split(separator: " ").compactMap { NodeID(String($0)) }))
        }
        isNarrower = former.map(scope.mayLack) ?? false
    }

    /// One origin's part of a bucket.
    ///
    /// - Parameter arguments: of `ResourceTable.unlisted`.
    /// - Returns: how many rows went at once.
    func pass(isBounded: Bool, _ arguments: StatementArguments) throws -> Int {
        let rows = try Row.fetchAll(db.cachedStatement(sql: table.unlisted(bounded: isBounded)), arguments: arguments)
        guard !rows.isEmpty else { return 0 }
        let supplier = Int64(sender.code) ?? 0
        try LostRows.keep(
            rows.filter { $0[1] as Int64 != supplier }.map { $0[0] }, of: table, sender: sender, as: .awaited, db)
        let own = rows.filter { $0[1] as Int64 == supplier }.map { $0[0] as Int64 }
        if isNarrower && !isNewEpoch {
            try writer.retract(own, of: table)
            return own.count
        }
        try LostRows.keep(own, of: table, sender: sender, as: isNewEpoch ? .lost : .pending, db)
        return 0
    }

    /// The sweep has been through the whole of the resource.
    ///
    /// - Returns: how many rows went now.
    func decide() throws -> Int {
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO main.swept_scope VALUES (?, ?, ?, ?)").execute(
            arguments: [
                sender.code, table.definition.name.text, scope.rules,
                scope.nodesBehind.map(\.code).sorted().joined(separator: " "),
            ])
        guard try LostRows.holdsAny(db) else { return 0 }
        let pending = try LostRows.pending(of: table, sender: sender, db)
        guard !pending.isEmpty else { return 0 }
        // Of few it only matters whether there are others: no reason to go through a large table.
        let most = pending.count > RetractionLimit.rowsFree ? -1 : pending.count + 1
        let held =
            try db.cachedStatement(sql: table.countSupplied).fetchInteger([Int64(sender.code) ?? 0, most]) ?? 0
        if limit.isExceeded(by: pending.count, of: Int(held)) {
            try LostRows.settlePending(of: table, sender: sender, db)
            return 0
        }
        try writer.retract(pending, of: table)
        return pending.count
    }

    /// A sweep begins: one before it that did not come to its end has decided nothing, and what others have lost of the origins that
    /// are the sender's to supply now is awaited from it.
    static func restart(under policy: LinkPolicy, tables: [ResourceTable], _ db: Database) throws {
        guard try LostRows.holdsAny(db) else { return }
        try db.cachedStatement(sql: "DELETE FROM main.lost_row WHERE sender = ? AND state = ?").execute(
            arguments: [policy.sender.code, LostRows.State.pending])
        for table in tables { try LostRows.expect(rowsOf: policy.origins, in: table, from: policy.sender, db) }
    }

    /// The supplier of an origin has said that it has all of it, and everything that it grants is here: what is still awaited is not
    /// to come. It goes, unless it is more than the `RetractionLimit` and the whole way grants everything: then it has been lost on
    /// one of the nodes on it.
    static func settle(
        awaitedOf origin: NodeID, policy: LinkPolicy, tables: [ResourceTable], limit: RetractionLimit,
        resources: [ResourceDefinition], _ writer: FeedWriter
    ) throws {
        let db = writer.db
        let topology = writer.standing.topology
        for table in tables {
            let awaited = try LostRows.awaited(of: origin, in: table, db)
            guard !awaited.isEmpty else { continue }
            let isOpen = topology.hops(of: origin, to: policy.receiver).allSatisfy { hop in
                LinkPolicy(from: hop.sender, to: hop.receiver, topology: topology, resources: resources)?
                    .grantsAll(of: table.definition.name) ?? false
            }
            let held = try db.cachedStatement(sql: table.countOf).fetchInteger([origin.code]) ?? 0
            if isOpen && limit.isExceeded(by: awaited.count, of: Int(held)) {
                try LostRows.settle(awaited, of: table, sender: policy.sender, db)
                try NodeStore.doubt([origin], db)
            } else {
                try writer.retract(awaited, of: table)
            }
        }
    }
}
