import ChangeSetFormat
import FederationModel
import GRDB

/// The former looks of what left a filter's sight, and what follows for the thread of a ticket (design rule 3).
///
/// Triggers write what filters saw, so no statement that changes a row can forget to. They are there only once a link of
/// this node has a filter: without one nobody reads that. Who had to see a row is written by `TicketAudienceConsumer`.
struct ScopeLog {
    private let threads: [ResourceTable]
    private let looks: TicketLooks

    init(tables: [ResourceTable], rules: LifecycleRules) {
        threads = tables.filter(\.definition.isThreadRecord)
        looks = TicketLooks(rules)
    }

    /// The seqs of its entries behind :after, for the feed's upper bound.
    static let seqs = "SELECT seq FROM main.scope_log WHERE seq > :after"

    static let columns = GrantFilter.columns.joined(separator: ", ")

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
        func look(_ row: String) -> String { GrantFilter.columns.map { "\(row).\($0)" }.joined(separator: ", ") }
        // What this node fills in without a new seq is told to nobody.
        let isOther = """
            OLD.seq <> NEW.seq AND ((OLD.deleted = \(live)) <> (NEW.deleted = \(live))
              OR OLD.global_id IS NOT NEW.global_id OR (\(look("OLD"))) IS NOT (\(look("NEW"))))
            """
        var triggers = [
            """
            CREATE TRIGGER main.\(Self.name) AFTER UPDATE ON service_request WHEN \(isOther) BEGIN
              INSERT INTO scope_log (seq, resource, origin, "key", \(Self.columns))
              SELECT NEW.seq, 'service_request', OLD.origin, OLD."key", \(look("OLD")) WHERE OLD.deleted = \(live);
              INSERT INTO touched_ticket (global_id, was_live, \(Self.columns))
              VALUES (OLD.global_id, OLD.deleted = \(live), \(look("OLD")));
              INSERT INTO touched_ticket (global_id, was_live)
              SELECT NEW.global_id, 0 WHERE OLD.global_id IS NOT NEW.global_id;
            END
            """,
            """
            CREATE TRIGGER main.scope_of_new_service_request AFTER INSERT ON service_request
            WHEN NEW.deleted = \(live) BEGIN
              INSERT INTO touched_ticket (global_id, was_live) VALUES (NEW.global_id, 0);
            END
            """,
        ]
        triggers += threads.map { thread in
            """
            CREATE TRIGGER main.\(quoted("scope_of_\(thread.definition.name)")) AFTER UPDATE ON \(thread.table)
            WHEN OLD.deleted = \(live) AND (NEW.deleted <> \(live) OR OLD.global_id IS NOT NEW.global_id) BEGIN
              INSERT INTO scope_log (seq, resource, origin, "key", \(Self.columns))
              SELECT NEW.seq, '\(thread.definition.name)', OLD.origin, OLD."key", \(look("t")) FROM service_request AS t
              WHERE t.global_id = OLD.global_id AND t.deleted = \(live);
            END
            """
        }
        return triggers
    }

    /// Where a transaction began. By it, rows are known that nobody has seen yet.
    struct Mark {
        let seq: Seq
        /// By thread, the last row that was there; empty while nothing is logged.
        fileprivate let lastIDs: [Int64]
    }

    /// To be called at the beginning of each transaction that writes records of tickets.
    func begin(_ db: Database) throws -> Mark {
        let lastIDs =
            try Self.isOn(db)
            ? threads.map {
                try db.cachedStatement(sql: "SELECT max(id) FROM main.\($0.table)").fetchInteger([]) ?? 0
            } : []
        return Mark(seq: try NodeValue.integer("seq", db), lastIDs: lastIDs)
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

    /// Gives the records of each ticket whose look has changed a new seq at the same version, and logs their former look,
    /// which is their ticket's, unless they came in this transaction: those nobody has seen. Called right after a statement
    /// that wrote tickets: a thread record that goes away later in the same transaction must find it done.
    func touchThreads(since mark: Mark, _ db: Database) throws {
        guard
            try Bool.fetchOne(db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM main.touched_ticket)")) == true
        else { return }
        for (thread, lastID) in zip(threads, mark.lastIDs) {
            let mine = """
                FROM main.\(thread.table) AS r WHERE r.deleted = \(RowState.live.rawValue)
                AND r.global_id IN (SELECT global_id FROM main.touched_ticket)
                """
            let ids = try Int64.fetchAll(db.cachedStatement(sql: "SELECT r.id \(mine)"))
            guard !ids.isEmpty else { continue }
            let base = try NodeValue.draw(seqs: ids.count, db)
            let touch = try db.cachedStatement(sql: thread.touch)
            for (index, id) in ids.enumerated() { try touch.execute(arguments: [base + Int64(index) + 1, id]) }
            try db.cachedStatement(
                sql: """
                    INSERT INTO main.scope_log (seq, resource, origin, "key", \(Self.columns))
                    SELECT r.seq, '\(thread.definition.name)', r.origin, r."key",
                      \(GrantFilter.columns.map { "k.\($0)" }.joined(separator: ", "))
                    FROM main.touched_ticket AS k JOIN main.\(thread.table) AS r ON r.global_id = k.global_id
                    WHERE k.was_live AND r.deleted = \(RowState.live.rawValue) AND r.id <= ?1
                    """
            ).execute(arguments: [lastID])
        }
        try db.cachedStatement(sql: "DELETE FROM main.touched_ticket").execute()
    }
}
