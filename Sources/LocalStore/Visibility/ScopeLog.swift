import ChangeSetFormat
import FederationModel
import GRDB

/// The former images of rows, as far as filters look at them (design rule 3): by them a link learns what it had been granted
/// and is not any more.
///
/// Triggers write what filters saw, so no statement that changes a row can forget to. They are there only once a link of
/// this node has a filter, or a ticket names a neighbour as its respondent: before, nobody reads that. Who had to see a row is
/// written by `ThreadAudienceConsumer`.
struct ScopeLog {
    let followers: [TicketFollower]

    init(tables: [ResourceTable]) { followers = tables.compactMap { TicketFollower($0) } }

    /// The seqs of its entries behind :after, for the feed's upper bound.
    static let seqs = "SELECT seq FROM main.scope_log WHERE seq > :after"

    /// The image of a ticket: what filters see of it, and which neighbours it names as its respondent, each between blanks,
    /// without its origin. All are NULL where no ticket is.
    static let columns = columnNames.joined(separator: ", ")

    private static let columnNames = GrantFilter.columns + ["respondents"]

    /// `columns` of a request.
    static func image(_ row: String) -> String {
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

    /// Begins to log, if that has not begun.
    func start(_ db: Database) throws {
        if try Self.isOn(db) { return }
        for sql in triggers { try db.execute(sql: sql) }
    }

    private var triggers: [String] {
        let live = RowState.live.rawValue
        func seen(_ row: String) -> String { GrantFilter.columns.map { "\(row).\($0)" }.joined(separator: ", ") }
        // What this node fills in without a new seq is sent to nobody.
        let isOther = """
            OLD.seq <> NEW.seq AND ((OLD.deleted = \(live)) <> (NEW.deleted = \(live))
              OR OLD.global_id IS NOT NEW.global_id OR (\(seen("OLD"))) IS NOT (\(seen("NEW")))
              OR (OLD.respondent_name, OLD.call_id) IS NOT (NEW.respondent_name, NEW.call_id) AND EXISTS (
                SELECT 1 FROM respondent_node WHERE name IN (OLD.respondent_name, NEW.respondent_name)))
            """
        var triggers = [
            """
            CREATE TRIGGER main.\(Self.name) AFTER UPDATE ON service_request WHEN \(isOther) BEGIN
              INSERT INTO scope_log (seq, resource, origin, "key", \(Self.columns))
              SELECT NEW.seq, 'service_request', OLD.origin, OLD."key", \(Self.image("OLD")) WHERE OLD.deleted = \(live);
              INSERT INTO changed_ticket (global_id, call_id, \(Self.columns))
              VALUES (OLD.global_id, OLD.call_id, \(Self.image("OLD")));
              INSERT INTO changed_ticket (global_id) SELECT NEW.global_id WHERE OLD.global_id IS NOT NEW.global_id;
            END
            """,
            """
            CREATE TRIGGER main.scope_of_new_service_request AFTER INSERT ON service_request
            WHEN NEW.deleted = \(live) BEGIN
              INSERT INTO changed_ticket (global_id) VALUES (NEW.global_id);
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
                  SELECT NEW.seq, '\(resource.name)', OLD.origin, OLD."key", \(Self.image("t"))
                  FROM (SELECT 1) LEFT JOIN (\(TicketFollower.requests(of: "OLD", resource))) AS t;
                END
                """
        }
        // Recordings go where the ticket of their call goes.
        if let call = followers.first(where: { $0.table.definition.name == "call_record" })?.table.definition {
            func tickets(of row: String) -> String { TicketFollower.requests(of: row, call) }
            triggers += [
                """
                CREATE TRIGGER main.scope_of_changed_call AFTER UPDATE ON call_record
                WHEN (OLD.deleted = \(live)) <> (NEW.deleted = \(live)) OR OLD.linked_request IS NOT NEW.linked_request BEGIN
                  INSERT INTO changed_call (origin, "key", \(Self.columns))
                  SELECT OLD.origin, OLD."key", \(Self.image("t"))
                  FROM (SELECT 1) LEFT JOIN (\(tickets(of: "OLD"))) AS t ON OLD.deleted = \(live);
                END
                """,
                """
                CREATE TRIGGER main.scope_of_new_call AFTER INSERT ON call_record WHEN NEW.deleted = \(live)
                  AND EXISTS (SELECT 1 FROM (\(tickets(of: "NEW"))) WHERE respondent_name IN (SELECT name FROM respondent_node))
                BEGIN
                  INSERT INTO changed_call (origin, "key") VALUES (NEW.origin, NEW."key");
                END
                """,
            ]
        }
        return triggers
    }

    // MARK: - Entries of followers

    /// The INSERT of the former images of rows that `changed`, a FROM clause, gives as `r` with their tickets or calls `k`, up to the
    /// row id ?1.
    ///
    /// - Parameter wasOf: whether `r` belonged to `k` before; else it belonged to no ticket.
    func entry(of follower: TicketFollower, _ changed: String, wasOf: String?) -> String {
        let images = Self.columnNames.map { column in
            wasOf.map { "CASE WHEN \($0) THEN k.\(column) END" } ?? "k.\(column)"
        }
        return """
            INSERT INTO main.scope_log (seq, resource, origin, "key", \(Self.columns))
            SELECT r.seq, '\(follower.table.definition.name)', r.origin, r."key", \(images.joined(separator: ", "))
            \(changed) AND r.id <= ?1
            """
    }
}
