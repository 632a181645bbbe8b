import ChangeSetFormat
import FederationModel
import GRDB

/// One write into the feed: it holds the transaction, the time, the version of the node's own rows in it, and where the feed
/// stood when it began.
///
/// It alone draws seqs. What a change entails for links (`Visibility`) is done right after each statement and at the end, so
/// no caller can forget it or do it in the wrong order. `NodeStore.writeFeed` makes one and closes it before the commit.
package final class FeedWriter {
    let db: Database
    package let now: UnixMilliseconds
    package let node: NodeID
    /// What this write goes by from its beginning to its end.
    let standing: Standing
    let resources: [ResourceTable]
    private let tables: [ResourceName: ResourceTable]
    private let visibility: Visibility
    let threadKinds: [any ThreadKind]
    /// Makes the keyed digest of a value.
    let tokens: (@Sendable (String) throws -> String)?
    /// A `ThreadCache` by the name of its kind.
    private var threads: [String: AnyObject] = [:]
    private let start: Visibility.Mark
    private var ownVersion: HybridTime?
    private var isFollowing = false
    private var hasNewContent = false
    private var completions: [(Seq) -> @Sendable () -> Void] = []

    fileprivate init(
        _ store: NodeStore, _ standing: Standing, _ visibility: Visibility, now: UnixMilliseconds, _ db: Database
    ) throws {
        self.db = db
        self.now = now
        node = store.node
        self.standing = standing
        resources = store.tableOrder
        tables = store.tables
        self.visibility = visibility
        threadKinds = store.threadKinds
        tokens = store.tokens
        start = try visibility.begin(db)
    }

    /// Where the feed stood before this write.
    var startSeq: Seq { start.seq }

    /// The latest seq that was given out.
    func head() throws -> Seq { try NodeValue.integer("seq", db) }

    /// The version that all rows of this node get in this write.
    func version() throws -> HybridTime {
        if let ownVersion { return ownVersion }
        let next = HybridTime(rawValue: try NodeValue.integer("version", db)).next(now: now)
        try setVersion(next)
        ownVersion = next
        return next
    }

    /// The version after which the next ones are given out. It MUST NOT go below what a neighbour may hold.
    func setVersion(_ version: HybridTime) throws {
        try db.cachedStatement(sql: "UPDATE main.node SET value = ? WHERE name = 'version'").execute(
            arguments: [version.rawValue])
    }

    /// Makes the next version later than one that this node gave out before it lost it. MUST come before the first row of the write.
    func raiseVersion(to version: Int64) throws {
        try db.cachedStatement(sql: "UPDATE main.node SET value = max(value, ?) WHERE name = 'version'").execute(
            arguments: [version])
    }

    /// The live records of threads as they are at this point of the write; each thread is read once.
    func threads<Kind: ThreadKind>(_ kind: Kind, of ids: Set<ExactText>) throws -> [ExactText: [Kind.Record]] {
        let cache = threads[kind.name] as? ThreadCache<Kind.Record> ?? ThreadCache(kind, db)
        threads[kind.name] = cache
        return try cache.threads(of: ids)
    }

    /// - Parameter completion: is told the head that this write leaves, and gives what is done once it is on disk.
    func afterCommit(_ completion: @escaping (_ head: Seq) -> @Sendable () -> Void) { completions.append(completion) }

    // MARK: - Rows

    /// Stores records of this node, of any resources.
    func store(_ records: [IntakeRecord]) throws {
        for (resource, group) in Dictionary(grouping: records, by: \.resource) {
            if let table = tables[resource] { try store(group, in: table) }
        }
    }

    /// Stores records of this node. One whose fields are all as they were changes nothing; of two with one key the later
    /// counts, and the other was never there: nobody is told of it.
    ///
    /// - Parameter areDistinct: whether it is known that no two of them have the same key.
    @discardableResult
    func store(_ records: [IntakeRecord], in table: ResourceTable, areDistinct: Bool = false) throws -> Stored {
        guard areDistinct else {
            let (latest, places) = Self.latest(of: records)
            let stored = try store(latest, in: table, areDistinct: true)
            return Stored(changed: places.map { stored.changed[$0] }, new: places.map { stored.new[$0] })
        }
        // A removal order comes behind all that it is about.
        if table.definition.name == RemovalResources.order.name { try finish() }
        try RowStager(table: table, db: db).stage(records, origin: node)
        let last = try table.greatestID(db)
        var stored = Stored(
            changed: Array(repeating: false, count: records.count), new: Array(repeating: false, count: records.count))
        try writeOwn(staged: records.count, to: table, by: table.intake) { base, changes in
            guard changes > 0 else { return }
            try table.mark(&stored.changed, all: changes == records.count, table.seqsAfter, base, base: base, db)
            // Ids are given in their order, so those behind the last are of rows that were not here.
            let inserted = try table.greatestID(db) - last
            if inserted > 0 {
                try table.mark(
                    &stored.new, all: inserted == records.count, table.seqsAfterID, last, base: base, db)
            }
        }
        return stored
    }

    /// What storing records changed, in their order.
    struct Stored {
        var changed: [Bool]
        /// Of these, those that were not here before, and no tombstone of them either.
        var new: [Bool]
    }

    /// Those of `keys` whose rows of this node have that version or a later one.
    func own(_ keys: [String], since version: Int64, of table: ResourceTable) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(sql: table.ownSince), arguments: [node.code, jsonArray(keys), version])
    }

    /// Makes tombstones of records of this node, as far as they are here.
    ///
    /// - Returns: the keys of those that were, and of those that are tombstones already.
    func withdraw(_ keys: [String], of table: ResourceTable) throws -> (gone: Set<ExactText>, before: [String]) {
        let found = try Row.fetchAll(
            db.cachedStatement(sql: table.ownWithState), arguments: [node.code, jsonArray(keys)])
        func rows(in state: RowState) -> [Row] { found.filter { ($0[2] as Int64) == state.rawValue } }
        let live = rows(in: .live)
        try delete(live.map { $0[0] }, of: table)
        return (Set(live.map { ExactText($0[1]) }), rows(in: .deleted).map { $0[1] })
    }

    /// Makes staged rows of this node that it had lost its own again, under its next version, and empties the staging table.
    func takeBack(staged rows: Int, to table: ResourceTable) throws {
        try writeOwn(staged: rows, to: table, by: table.takeBack)
    }

    /// - Parameter look: is told the seq before the first and how many rows changed, before others are given seqs for it.
    private func writeOwn(
        staged rows: Int, to table: ResourceTable, by statement: String, _ look: (Seq, Int) throws -> Void = { _, _ in }
    ) throws {
        let version = try version()
        let (base, changes) = try write(staged: rows, to: table) { base in
            try db.cachedStatement(sql: statement).execute(arguments: [base, version.rawValue])
            return db.changesCount
        }
        try look(base, changes)
        if changes > 0 { try Arrivals.note(table, origin: node, now: now, db) }
        try db.cachedStatement(sql: table.clearBatch).execute()
        try RemovedRecords.hide(table, after: start.seq, db)
        try followTickets()
    }

    /// Applies the staged rows of a neighbour and empties the staging table.
    ///
    /// - Returns: how many of them changed something.
    func apply(_ staged: RowStager.Staged, to table: ResourceTable, supplier: NodeID) throws -> Int {
        guard staged.rows > 0 else { return 0 }
        let (_, changes) = try write(staged: staged.rows, to: table) { base in
            try db.cachedStatement(sql: table.apply).execute(arguments: [base, Int64(supplier.code) ?? 0])
            var changes = db.changesCount
            if staged.hasRetractions {
                try db.cachedStatement(sql: table.retractStaged).execute(arguments: [base])
                changes += db.changesCount
            }
            return changes
        }
        if changes > 0 { try Arrivals.note(table, now: now, db) }
        try Quarantine.release(resource: table.definition.name, db)
        try db.cachedStatement(sql: table.clearBatch).execute()
        try followTickets()
        return changes
    }

    /// Takes copies out of the store; their keys stay, so that those further on are told.
    func retract(_ ids: [Int64], of table: ResourceTable) throws {
        guard !ids.isEmpty else { return }
        noteNewContent()
        try LostRows.forget(ids, of: table, db)
        try resequence(ids) { seq, id in try db.cachedStatement(sql: table.retractOne).execute(arguments: [seq, id]) }
    }

    /// Makes tombstones of rows of this node.
    func delete(_ ids: [Int64], of table: ResourceTable) throws {
        guard !ids.isEmpty else { return }
        noteNewContent()
        let version = try version().rawValue
        try resequence(ids) { seq, id in
            try db.cachedStatement(sql: table.delete).execute(arguments: [seq, id, version])
        }
    }

    /// Gives rows new seqs: who may see them has changed, or what `write` does to each of them.
    func resequence(_ ids: [Int64], _ write: (Seq, Int64) throws -> Void) throws {
        guard !ids.isEmpty else { return }
        let base = try draw(ids.count)
        for (index, id) in ids.enumerated() { try write(base + Int64(index) + 1, id) }
        try followTickets()
    }

    /// Gives rows new seqs at the same version.
    func resequence(_ ids: [Int64], of table: ResourceTable) throws {
        try resequence(ids) { seq, id in
            try db.cachedStatement(sql: table.resequence).execute(arguments: [seq, id])
        }
    }

    /// When links begin to run under another topology.
    func meetNeighbours() throws { try visibility.meetNeighbours(db) }

    // MARK: - Seqs

    /// - Parameter statement: writes the staged rows under the seqs behind its argument; gives how many changed something.
    private func write(
        staged rows: Int, to table: ResourceTable, _ statement: (Seq) throws -> Int
    ) throws -> (base: Seq, changes: Int) {
        try visibility.prepare(for: table, db)
        let base = try draw(rows)
        let changes = try statement(base)
        if changes > 0 {
            noteNewContent()
        } else {
            // A write that changed nothing leaves nothing to send.
            try draw(-rows)
        }
        return (base, changes)
    }

    /// - Returns: the seq before the first.
    @discardableResult
    private func draw(_ count: Int) throws -> Seq {
        let base = try head()
        try db.cachedStatement(sql: "UPDATE main.node SET value = value + ? WHERE name = 'seq'").execute(
            arguments: [count])
        return base
    }

    // MARK: - What follows

    private func noteNewContent() {
        hasNewContent = true
        threads = [:]
    }

    /// Right after a statement that wrote tickets: a record of a thread that goes away later in the same transaction must
    /// find it done.
    private func followTickets() throws {
        if isFollowing { return }
        isFollowing = true
        defer { isFollowing = false }
        try visibility.followTickets(since: start, self)
    }

    private func finish() throws {
        if hasNewContent { try visibility.finish(self) }
        hasNewContent = false
    }

    fileprivate func close() throws -> Seq {
        try finish()
        let head = try head()
        if head > start.seq { try HistoryMarks.put(at: head, db) }
        for action in completions.map({ $0(head) }) { db.afterNextTransaction { _ in action() } }
        return head
    }

    /// One record for each key, the last; and for each record its place among them.
    private static func latest(of records: [IntakeRecord]) -> (records: [IntakeRecord], places: [Int]) {
        var last: [ExactText: Int] = [:]
        for (index, record) in records.enumerated() { last[ExactText(record.key)] = index }
        let kept = last.values.sorted()
        let order = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
        return (
            kept.map { records[$0] }, records.compactMap { record in last[ExactText(record.key)].flatMap { order[$0] } }
        )
    }
}

extension ResourceTable {
    /// - Parameter sql: gives the seqs of those rows, behind `argument`, that were staged and written behind `base`.
    fileprivate func mark(
        _ marks: inout [Bool], all: Bool, _ sql: String, _ argument: Int64, base: Seq, _ db: Database
    ) throws {
        if all {
            for index in marks.indices { marks[index] = true }
            return
        }
        let seqs = try Int64.fetchCursor(db.cachedStatement(sql: sql), arguments: [argument])
        while let seq = try seqs.next() { marks[Int(seq - base) - 1] = true }
    }

    fileprivate func greatestID(_ db: Database) throws -> Int64 {
        try db.cachedStatement(sql: "SELECT max(id) FROM main.\(table)").fetchInteger([]) ?? 0
    }
}

extension NodeStore {
    /// Runs one write into the feed as one transaction.
    ///
    /// - Parameters:
    ///   - isDurable: whether it is on disk when this returns (`synchronous=FULL`), as what a citizen was told must be.
    ///   - standing: what it goes by; nil for what is published.
    /// - Returns: what `work` gives, and the head after the commit.
    func writeFeed<Value: Sendable>(
        isDurable: Bool = false, under standing: Standing? = nil, now: UnixMilliseconds,
        _ work: @escaping @Sendable (FeedWriter) throws -> Value
    ) async throws -> (value: Value, head: Seq) {
        let transaction: @Sendable (Database) throws -> (Value, Seq) = { [self] db in
            var (published, visibility) = current()
            if let standing {
                (published, visibility) = (standing, Visibility(tables: tableOrder, standing: standing))
            }
            let writer = try FeedWriter(self, published, visibility, now: now, db)
            let value = try work(writer)
            return (value, try writer.close())
        }
        return isDurable ? try await writeDurably(transaction) : try await pool.write(transaction)
    }
}
