import FederationModel
import GRDB

/// What a sweep does with the copies of one resource that its listing does not name.
///
/// They go, unless that is only silence: a sender in another epoch may know less than it once sent, and one that lacks more than the
/// `RetractionLimit` although it grants no less than before has lost it. Then they are kept as `LostRows`, all of them or none: while the
/// sweep goes through the resource they are pending.
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
        if isNewEpoch {
            try LostRows.keep(rows.map { $0[0] }, of: table, sender: sender, db)
            return 0
        }
        // What a former supplier brought was never this one's to lose.
        let supplier = Int64(sender.code) ?? 0
        let suspect = rows.filter { !isNarrower && $0[1] as Int64 == supplier }
        try LostRows.keep(suspect.map { $0[0] }, of: table, sender: sender, isPending: true, db)
        let gone = rows.filter { isNarrower || $0[1] as Int64 != supplier }
        try writer.retract(gone.map { $0[0] }, of: table)
        return gone.count
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

    /// A sweep begins: one before it that did not come to its end has decided nothing.
    static func restart(of sender: NodeID, _ db: Database) throws {
        try db.cachedStatement(sql: "DELETE FROM main.lost_row WHERE sender = ? AND is_pending = 1").execute(
            arguments: [sender.code])
    }
}
