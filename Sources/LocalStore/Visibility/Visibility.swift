import ChangeSetFormat
import FederationModel
import GRDB

/// What links may see of the rows that are here, and what a change of rows entails for that: the one entry to this folder.
///
/// Links ask it what they are granted (`GrantedRows`). `FeedWriter` tells it of each change; nobody else does, so its steps
/// are always taken, and in their order.
struct Visibility: Sendable {
    private let tables: [ResourceName: ResourceTable]
    private let log: ScopeLog
    private let folded: FoldedColumns
    private let respondents: RespondentNodes

    /// Made once for a standing: it holds SQL for each resource.
    ///
    /// - Parameter tables: of all resources.
    init(tables: [ResourceTable], standing: Standing) {
        self.tables = Dictionary(uniqueKeysWithValues: tables.map { ($0.definition.name, $0) })
        log = ScopeLog(tables: tables)
        folded = FoldedColumns(standing.rules)
        respondents = RespondentNodes(neighboursOf: standing.node, topology: standing.topology)
    }

    // MARK: - Links

    /// What a policy grants of the rows that are here now.
    func rows(grantedBy policy: LinkPolicy, _ db: Database) throws -> [GrantedRows] {
        GrantedRows.all(
            of: policy, tables: tables,
            .init(isShared: try SharedRecords.isUsed(db), receiver: try RespondentNodes.entry(of: policy.receiver, db)))
    }

    /// Whether row `r` of a resource is live and would be granted by a policy, as SQL, whatever tickets are here.
    func isGranted(_ resource: ResourceName, by policy: LinkPolicy) -> String {
        guard policy.grants(resource), let table = tables[resource] else { return "0" }
        let receiver = RespondentNodes.Entry(node: policy.receiver, names: policy.receiverNames, since: 0)
        let rows = GrantedRows(table, policy: policy, .init(isShared: true, receiver: receiver))
        let origins = policy.origins.map { "'\($0)'" }.sorted().joined(separator: ", ")
        return "(r.origin IN (\(origins)) AND \(rows.isGranted(behind: "'\(jsonArray(policy.nodesBehind))'")))"
    }

    /// Whether row `r` of a resource is live and within a filter, as SQL, whatever its audience.
    ///
    /// - Parameter readers: the nodes to which it goes; what was recalled, or accuses one of them, is not among them.
    static func isWithin(_ filter: GrantFilter, _ resource: ResourceDefinition, readers: [TopologyNode]) -> String {
        GrantedRows.isWithin(filter, resource, readers: readers)
    }

    // MARK: - Beginnings

    /// Begins to log what row filters look at, as far as that has not begun. It never ends: a later filter would miss what
    /// changed in between.
    ///
    /// - Parameter isFolded: also what threads decide, which is kept beside the request then.
    func startLog(isFolded: Bool, _ pool: StorePool) throws {
        // Before the triggers: what is filled in is no change.
        if try isFolded && !pool.read(FoldedColumns.areKept) { try pool.write(keepFoldedColumns) }
        if try !pool.read(ScopeLog.isOn) { try pool.write(log.start) }
    }

    func keepFoldedColumns(_ db: Database) throws {
        if try !FoldedColumns.areKept(db) { try folded.start(db) }
    }

    /// When links begin to run under another topology, whose neighbours may be named by tickets that are here already. Each
    /// link sweeps then, so what went away before need not be sent.
    func meetNeighbours(_ db: Database) throws {
        guard try respondents.note(namedIn: "main.service_request", since: 0, db) else { return }
        try folded.fill(
            ticketsOf: """
                SELECT r.global_id FROM main.service_request AS r JOIN main.respondent_node AS n
                  ON n.name = r.respondent_name WHERE r.deleted = \(RowState.live.rawValue)
                """, db)
        try log.start(db)
    }

    // MARK: - Changes, for FeedWriter

    /// Where a transaction began. By it, rows are known that nobody has seen yet.
    struct Mark {
        let seq: Seq
        /// By follower, the last row that was there.
        fileprivate let lastIDs: [Int64]
    }

    /// At the beginning of each transaction.
    func begin(_ db: Database) throws -> Mark {
        Mark(
            seq: try NodeValue.integer("seq", db),
            lastIDs: try log.followers.map {
                try db.cachedStatement(sql: "SELECT max(id) FROM main.\($0.table.table)").fetchInteger([]) ?? 0
            })
    }

    /// When rows are staged, before they go in: the log begins with the first ticket that names a neighbour.
    func prepare(for table: ResourceTable, _ db: Database) throws {
        guard table.definition.name == BuiltInResources.serviceRequest.name,
            try respondents.note(namedIn: "batch.\(table.table)", since: NodeValue.integer("seq", db), db)
        else { return }
        try log.start(db)
    }

    /// After each statement: gives what follows a ticket whose row image has changed a new seq at the same version, and logs
    /// its former image, which is its ticket's or that of no ticket, unless it came in this transaction: that nobody has seen.
    func followTickets(since mark: Mark, _ writer: FeedWriter) throws {
        let isTicket = try follow("changed_ticket", writer, since: mark) { ($0.join, $0.wasOfTicket) }
        let isCall = try follow("changed_call", writer, since: mark) { follower in
            follower.joinToCalls.map { ($0, nil) }
        }
        for (table, isChanged) in [("changed_ticket", isTicket), ("changed_call", isCall)] where isChanged {
            try writer.db.cachedStatement(sql: "DELETE FROM main.\(table)").execute()
        }
    }

    /// - Parameter join: to what changed, and whether a row belonged to it before (`ScopeLog.entry`); nil for what does not follow it.
    /// - Returns: whether anything changed.
    private func follow(
        _ table: String, _ writer: FeedWriter, since mark: Mark,
        join: (TicketFollower) -> (sql: String, wasOf: String?)?
    ) throws -> Bool {
        let db = writer.db
        guard try Bool.fetchOne(db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM main.\(table))")) == true else {
            return false
        }
        let isAnyNamed = try RespondentNodes.areThere(db)
        for (follower, lastID) in zip(log.followers, mark.lastIDs) where isAnyNamed || !follower.isForReports {
            guard let (sql, wasOf) = join(follower) else { continue }
            let changed = "FROM main.\(table) AS k \(sql) WHERE +r.deleted = \(RowState.live.rawValue)"
            let ids = try Int64.fetchAll(db.cachedStatement(sql: "SELECT DISTINCT r.id \(changed)"))
            guard !ids.isEmpty else { continue }
            try writer.resequence(ids, of: follower.table)
            try db.cachedStatement(sql: log.entry(of: follower, changed, wasOf: wasOf)).execute(arguments: [lastID])
        }
        return true
    }

    /// At the end of a transaction that changed rows: what threads decide is brought up to date for tickets that changed.
    func finish(_ writer: FeedWriter) throws { try folded.update(writer) }
}
