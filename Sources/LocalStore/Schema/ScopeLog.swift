import ChangeSetFormat
import FederationModel
import GRDB

/// The former looks of what left a filter's sight, and what follows for the thread of a ticket (design rule 3).
///
/// Triggers write what filters saw, so no statement that changes a row can forget to. They are there only once a link of
/// this node has a filter, or a ticket names a neighbour as its respondent: before, nobody reads that. Who had to see a row is
/// written by `TicketAudienceConsumer`.
struct ScopeLog {
    private let followers: [TicketFollower]
    private let looks: TicketLooks
    private let respondents: RespondentNodes

    init(tables: [ResourceTable], standing: Standing) {
        followers = tables.compactMap { TicketFollower($0) }
        looks = TicketLooks(standing.rules)
        respondents = RespondentNodes(neighboursOf: standing.node, topology: standing.topology)
    }

    /// The seqs of its entries behind :after, for the feed's upper bound.
    static let seqs = "SELECT seq FROM main.scope_log WHERE seq > :after"

    /// The look of a ticket: what filters see of it, and which neighbours it names as its respondent, each between blanks,
    /// without its origin. All are NULL where no ticket is.
    static let columns = columnNames.joined(separator: ", ")

    private static let columnNames = GrantFilter.columns + ["respondents"]

    /// `columns` of a request.
    static func look(_ row: String) -> String {
        let respondents = """
            (SELECT ' ' || group_concat(node, ' ') || ' ' FROM respondent_node
             WHERE name = \(row).respondent_name AND node <> \(row).origin)
            """
        return (GrantFilter.columns.map { "\(row).\($0)" } + [respondents]).joined(separator: ", ")
    }

    // MARK: - Triggers

    private static let name = "scope_of_service_request"

    static func isOn(_ db: Database) throws -> Bool {
        let statement = try db.cachedStatement(
            sql: "SELECT EXISTS (SELECT 1 FROM main.sqlite_master WHERE type = 'trigger' AND name = ?)")
        return try Bool.fetchOne(statement, arguments: [name]) ?? false
    }

    /// Begins to log. It never ends: a later filter would miss what changed in between in the tail, though its sweep would
    /// not.
    func start(_ db: Database) throws {
        for sql in triggers { try db.execute(sql: sql) }
    }

    private var triggers: [String] {
        let live = RowState.live.rawValue
        func seen(_ row: String) -> String { GrantFilter.columns.map { "\(row).\($0)" }.joined(separator: ", ") }
        // What this node fills in without a new seq is told to nobody.
        let isOther = """
            OLD.seq <> NEW.seq AND ((OLD.deleted = \(live)) <> (NEW.deleted = \(live))
              OR OLD.global_id IS NOT NEW.global_id OR (\(seen("OLD"))) IS NOT (\(seen("NEW")))
              OR OLD.respondent_name IS NOT NEW.respondent_name AND EXISTS (
                SELECT 1 FROM respondent_node WHERE name IN (OLD.respondent_name, NEW.respondent_name)))
            """
        var triggers = [
            """
            CREATE TRIGGER main.\(Self.name) AFTER UPDATE ON service_request WHEN \(isOther) BEGIN
              INSERT INTO scope_log (seq, resource, origin, "key", \(Self.columns))
              SELECT NEW.seq, 'service_request', OLD.origin, OLD."key", \(Self.look("OLD")) WHERE OLD.deleted = \(live);
              INSERT INTO touched_ticket (global_id, \(Self.columns)) VALUES (OLD.global_id, \(Self.look("OLD")));
              INSERT INTO touched_ticket (global_id) SELECT NEW.global_id WHERE OLD.global_id IS NOT NEW.global_id;
            END
            """,
            """
            CREATE TRIGGER main.scope_of_new_service_request AFTER INSERT ON service_request
            WHEN NEW.deleted = \(live) BEGIN
              INSERT INTO touched_ticket (global_id) VALUES (NEW.global_id);
            END
            """,
        ]
        triggers += followers.map { follower in
            let resource = follower.table.definition
            return """
                CREATE TRIGGER main.\(quoted("scope_of_\(resource.name)")) AFTER UPDATE ON \(follower.table.table)
                WHEN OLD.deleted = \(live) AND (NEW.deleted <> \(live) OR OLD.\(follower.link) IS NOT NEW.\(follower.link))
                BEGIN
                  INSERT INTO scope_log (seq, resource, origin, "key", \(Self.columns))
                  SELECT NEW.seq, '\(resource.name)', OLD.origin, OLD."key", \(Self.look("t"))
                  FROM (SELECT 1) LEFT JOIN (\(TicketFollower.requests(of: "OLD", resource))) AS t;
                END
                """
        }
        return triggers
    }

    /// Where a transaction began. By it, rows are known that nobody has seen yet.
    struct Mark {
        let seq: Seq
        /// By follower, the last row that was there.
        fileprivate let lastIDs: [Int64]
    }

    /// To be called at the beginning of each transaction that writes records of tickets.
    func begin(_ db: Database) throws -> Mark {
        let lastIDs = try followers.map {
            try db.cachedStatement(sql: "SELECT max(id) FROM main.\($0.table.table)").fetchInteger([]) ?? 0
        }
        return Mark(seq: try NodeValue.integer("seq", db), lastIDs: lastIDs)
    }

    /// To be called when rows of a table are staged, before they go in: the log begins with the first ticket that names a
    /// neighbour.
    func prepare(for table: ResourceTable, _ db: Database) throws {
        guard table.definition.name == BuiltInResources.serviceRequest.name,
            try respondents.note(
                namedIn: "batch.\(table.table)", since: NodeValue.integer("seq", db), db), try !Self.isOn(db)
        else { return }
        try start(db)
    }

    /// To be called when links begin to run under another topology, whose neighbours may be named by tickets that are here
    /// already. Each link sweeps then, so what went away before need not be told.
    func meetNeighbours(_ db: Database) throws {
        guard try respondents.note(namedIn: "main.service_request", since: 0, db) else { return }
        try looks.fill(
            ticketsOf: """
                SELECT r.global_id FROM main.service_request AS r JOIN main.respondent_node AS n
                  ON n.name = r.respondent_name WHERE r.deleted = \(RowState.live.rawValue)
                """, db)
        if try !Self.isOn(db) { try start(db) }
    }

    /// To be called at the end of it: what threads decide is brought up to date for tickets that changed.
    func finish(_ mark: Mark, _ db: Database) throws {
        if try looks.follow(after: mark.seq, db) { try touchThreads(since: mark, db) }
    }

    /// Begins to keep what threads decide. It never ends, as the log.
    func startLooks(_ db: Database) throws {
        if try !TicketLooks.isOn(db) { try looks.start(db) }
    }

    // MARK: - Threads

    /// Gives what follows a ticket whose look has changed a new seq at the same version, and logs their former look,
    /// which is their ticket's or that of no ticket, unless they came in this transaction: those nobody has seen. Called right
    /// after a statement that wrote tickets: a thread record that goes away later in the same transaction must find it done.
    func touchThreads(since mark: Mark, _ db: Database) throws {
        guard
            try Bool.fetchOne(db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM main.touched_ticket)")) == true
        else { return }
        let former = Self.columnNames.map { "k.\($0)" }.joined(separator: ", ")
        let isAnyNamed = try RespondentNodes.areThere(db)
        for (follower, lastID) in zip(followers, mark.lastIDs) where isAnyNamed || !follower.isForReports {
            let touched = """
                FROM main.touched_ticket AS k \(follower.join) WHERE +r.deleted = \(RowState.live.rawValue)
                """
            let ids = try Int64.fetchAll(db.cachedStatement(sql: "SELECT DISTINCT r.id \(touched)"))
            guard !ids.isEmpty else { continue }
            let base = try NodeValue.draw(seqs: ids.count, db)
            let touch = try db.cachedStatement(sql: follower.table.touch)
            for (index, id) in ids.enumerated() { try touch.execute(arguments: [base + Int64(index) + 1, id]) }
            try db.cachedStatement(
                sql: """
                    INSERT INTO main.scope_log (seq, resource, origin, "key", \(Self.columns))
                    SELECT r.seq, '\(follower.table.definition.name)', r.origin, r."key", \(former)
                    \(touched) AND r.id <= ?1
                    """
            ).execute(arguments: [lastID])
        }
        try db.cachedStatement(sql: "DELETE FROM main.touched_ticket").execute()
    }
}
