import ChangeSetFormat
import FederationModel

/// Which days a change concerns: those of all times of a ticket's thread, as they were and as they are. A fact's row may belong to any of
/// them, and what is counted of it depends on its whole thread.
extension ResourceTable {
    /// Reference data, catalogs and removals are in no analysis.
    private var times: [String] {
        keepsFormer ? definition.columns.filter { $0.type == .timestamp }.map { quoted($0.name) } : []
    }

    /// Which node's rows count the row: that of its ticket, where it has one.
    private func holder(_ row: String) -> String {
        definition.isThreadRecord ? "\(row).ticket_origin" : "\(row).origin"
    }

    /// The day of a time, as clocks in China without summer time have it.
    static func rollupDay(_ time: String) -> String { "(\(time) + \(ShanghaiTime.offset)) / \(ShanghaiTime.day)" }

    /// The holder and the days of `row`, one in each row; those that it does not have are NULL.
    private func days(of row: String, from source: String) -> String {
        times.map { "SELECT \(holder(row)) AS origin, \(Self.rollupDay("\(row).\($0)")) AS day \(source)" }
            .joined(separator: " UNION ")
    }

    /// The columns that name tickets of which something else is counted with it: its own, and the one that it marks it as a repetition of.
    private var concerned: [String] {
        guard definition.isTicketRecord else { return [] }
        return definition.name == BuiltInResources.ticketAction.name ? ["global_id", "target"] : ["global_id"]
    }

    /// Notes the days that a row was of before it changed or went, and the thread that it was of before it came to another.
    var rollupTriggers: [String] {
        guard !times.isEmpty else { return countTriggers }
        let isWanted = RollupTables.isWanted
        func list(_ row: String) -> String {
            "(\(times.map { "\(row).\($0)" }.joined(separator: ", ")), \(holder(row)))"
        }
        let former = """
            INSERT INTO rollup_former (origin, day)
            SELECT origin, day FROM (\(days(of: "OLD", from: ""))) WHERE origin IS NOT NULL AND day IS NOT NULL
            ON CONFLICT DO NOTHING;
            """
        // Never OR IGNORE: within an upsert the policy of the statement that fires the trigger holds in its place.
        func leave(_ column: String, _ condition: String) -> String {
            """
            INSERT INTO rollup_thread SELECT OLD.\(column) WHERE OLD.\(column) IS NOT NULL AND \(condition)
            ON CONFLICT DO NOTHING;
            """
        }
        let tickets = concerned
        let moved = tickets.map { leave($0, "OLD.\($0) IS NOT NEW.\($0)") }.joined(separator: " ")
        let gone = tickets.map { leave($0, "1") }.joined(separator: " ")
        let hasMoved = tickets.map { " OR OLD.\($0) IS NOT NEW.\($0)" }.joined()
        let (changes, removals) = (quoted("rollup_of_\(definition.name)"), quoted("rollup_without_\(definition.name)"))
        return [
            "DROP TRIGGER IF EXISTS main.\(changes)", "DROP TRIGGER IF EXISTS main.\(removals)",
            """
            CREATE TRIGGER main.\(changes) AFTER UPDATE ON \(table)
            WHEN (\(list("OLD")) IS NOT \(list("NEW"))\(hasMoved)) AND \(isWanted) BEGIN \(former) \(moved) END
            """,
            "CREATE TRIGGER main.\(removals) AFTER DELETE ON \(table) WHEN \(isWanted) BEGIN \(former) \(gone) END",
        ] + countTriggers
    }

    /// Whether coverages count its rows.
    private var isCovered: Bool {
        [BuiltInResources.serviceRequest.name, BuiltInResources.callRecord.name].contains(definition.name)
    }

    /// Keeps the number of live rows of each origin.
    private var countTriggers: [String] {
        guard isCovered else { return [] }
        let isWanted = RollupTables.isWanted
        let live = RowState.live.rawValue
        func trigger(_ name: String, _ event: String, when condition: String, _ change: String, of row: String)
            -> [String]
        {
            let name = quoted("rollup_\(name)_\(definition.name)")
            return [
                "DROP TRIGGER IF EXISTS main.\(name)",
                """
                CREATE TRIGGER main.\(name) AFTER \(event) ON \(table) WHEN \(condition) AND \(isWanted) BEGIN
                  INSERT INTO rollup_count VALUES ('\(definition.name)', \(row).origin, \(change))
                  ON CONFLICT (resource, origin) DO UPDATE SET live = live + excluded.live;
                END
                """,
            ]
        }
        let changes = "(OLD.deleted = \(live)) <> (NEW.deleted = \(live))"
        return trigger("count_new", "INSERT", when: "NEW.deleted = \(live)", "1", of: "NEW")
            + trigger(
                "count_changed", "UPDATE OF deleted", when: changes, "iif(NEW.deleted = \(live), 1, -1)", of: "NEW")
            + trigger("count_gone", "DELETE", when: "OLD.deleted = \(live)", "-1", of: "OLD")
    }

    /// Counts the live rows of each origin, for the first time.
    var countAll: String? {
        isCovered
            ? """
            INSERT INTO main.rollup_count
            SELECT '\(definition.name)', origin, count(*) FROM main.\(table) WHERE deleted = \(RowState.live.rawValue) GROUP BY origin
            """ : nil
    }

    /// Stamps the days of the live and the gone records of threads ?1, a JSON array of ids, with seq ?2; nil for a resource of none.
    var stampThreads: String? {
        guard !times.isEmpty, definition.isTicketRecord else { return nil }
        return RollupTables.stamp(
            days(of: "r", from: "FROM json_each(?1) AS j CROSS JOIN main.\(table) AS r ON r.global_id = j.value"))
    }

    /// Stamps the days of the rows that changed in (?1, ?2] with seq ?2; nil for records of threads.
    var stampRows: String? {
        guard !times.isEmpty, !definition.isTicketRecord else { return nil }
        return RollupTables.stamp(days(of: "r", from: "FROM main.\(table) AS r WHERE r.seq > ?1 AND r.seq <= ?2"))
    }
}

/// The tables of rollups.
enum RollupTables {
    /// The times in the state of a ticket.
    private static let stateTimes = [
        "dispatched_at", "due_at", "acknowledged_at", "replied_at", "closed_at", "called_back_at", "evaluated_at",
    ]

    /// Whether anybody has ever asked a question of which something is kept. Before, nothing is noted.
    static let isWanted = "EXISTS (SELECT 1 FROM node WHERE name = '\(NodeValue.rollups)')"

    static let create = """
        -- Questions of which something is kept, as all that decides over their answer but the rows.
        CREATE TABLE rollup_question (id INTEGER PRIMARY KEY, question TEXT NOT NULL UNIQUE) STRICT;

        -- What was found for a month or a day (days since 1970 in Shanghai) when all changes up to `seq` were in it.
        CREATE TABLE rollup (
          question INTEGER NOT NULL, first_day INTEGER NOT NULL, end_day INTEGER NOT NULL, seq INTEGER NOT NULL,
          kept_at INTEGER NOT NULL, groups INTEGER NOT NULL, partial BLOB NOT NULL,
          PRIMARY KEY (question, first_day, end_day)) STRICT, WITHOUT ROWID;
        CREATE INDEX rollup_age ON rollup (kept_at);

        -- The seq of the last change that concerned a day of an origin.
        CREATE TABLE rollup_stamp (
          origin TEXT NOT NULL, day INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (day, origin)) STRICT, WITHOUT ROWID;

        -- Days that rows were of before they changed, and threads that changed by others; stamped next.
        CREATE TABLE rollup_former (origin TEXT NOT NULL, day INTEGER NOT NULL, PRIMARY KEY (day, origin)) STRICT, WITHOUT ROWID;
        CREATE TABLE rollup_thread (global_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

        -- Live rows of the resources that coverages count.
        CREATE TABLE rollup_count (
          resource TEXT NOT NULL, origin TEXT NOT NULL, live INTEGER NOT NULL, PRIMARY KEY (resource, origin)) STRICT, WITHOUT ROWID;
        """

    /// What a ticket's fold decides is noted as its records are.
    static var stateTriggers: [String] {
        func list(_ row: String) -> String { "(\(stateTimes.map { "\(row).\($0)" }.joined(separator: ", ")))" }
        let former = """
            INSERT INTO rollup_former (origin, day) SELECT origin, day FROM (\(stateDays("OLD", from: """
            FROM service_request AS t WHERE t.global_id = OLD.global_id
            """))) WHERE day IS NOT NULL ON CONFLICT DO NOTHING;
            """
        let all = TicketStateConsumer.columnNames
        func row(_ row: String) -> String { "(\(all.map { "\(row).\($0)" }.joined(separator: ", ")))" }
        let thread = "INSERT INTO rollup_thread VALUES (NEW.global_id) ON CONFLICT DO NOTHING;"
        return [
            """
            CREATE TRIGGER main.rollup_of_state_times AFTER UPDATE ON ticket_state
            WHEN \(list("OLD")) IS NOT \(list("NEW")) AND \(isWanted) BEGIN \(former) END
            """,
            // Also by the thread of a ticket that it was merged into, or by another topology: then no record of its own has changed.
            """
            CREATE TRIGGER main.rollup_of_state AFTER UPDATE ON ticket_state
            WHEN \(row("OLD")) IS NOT \(row("NEW")) AND \(isWanted) BEGIN \(thread) END
            """,
            "CREATE TRIGGER main.rollup_of_new_state AFTER INSERT ON ticket_state WHEN \(isWanted) BEGIN \(thread) END",
            "CREATE TRIGGER main.rollup_without_state AFTER DELETE ON ticket_state WHEN \(isWanted) BEGIN \(former) END",
        ]
    }

    private static func stateDays(_ row: String, from source: String) -> String {
        stateTimes.map { "SELECT t.origin AS origin, \(ResourceTable.rollupDay("\(row).\($0)")) AS day \(source)" }
            .joined(separator: " UNION ")
    }

    /// Stamps the days of the state of tickets ?1, a JSON array of ids, with seq ?2.
    static let stampStates = stamp(
        stateDays(
            "s",
            from: """
                FROM json_each(?1) AS j CROSS JOIN main.ticket_state AS s ON s.global_id = j.value
                CROSS JOIN main.service_request AS t ON t.global_id = s.global_id
                """))

    /// The tickets that tickets ?1, a JSON array of ids, were ever marked to repeat: what is counted of them has changed too.
    static let repeatedTickets = """
        SELECT DISTINCT x.target FROM json_each(?1) AS j CROSS JOIN main.ticket_action AS x ON x.global_id = j.value
        WHERE x.action = 'mark_repeat' AND x.target IS NOT NULL
        """

    /// Stamps what was noted with seq ?2.
    static let stampFormer = stamp("SELECT origin, day FROM main.rollup_former")

    static func stamp(_ days: String) -> String {
        """
        INSERT INTO main.rollup_stamp (origin, day, seq)
        SELECT origin, day, ?2 FROM (\(days)) WHERE origin IS NOT NULL AND day IS NOT NULL
        ON CONFLICT (day, origin) DO UPDATE SET seq = excluded.seq
        """
    }
}
