import ChangeSetFormat
import FederationModel
import GRDB

/// The node's own tables. A migration is named, and never edited after a release; what changes is added as the next one.
/// The tables of the resources are not here: they follow their declarations (`ResourceTables`).
enum Migrations {
    static let migrator: DatabaseMigrator = {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 node, links and ticket state") { db in
            try db.execute(
                sql: """
                    CREATE TABLE node (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
                    INSERT INTO node VALUES ('seq', 0), ('version', 0);

                    -- The receiver's durable cursor for each sender; committed with the rows (design rule 5).
                    CREATE TABLE link_cursor (
                      sender TEXT PRIMARY KEY, epoch TEXT NOT NULL, seq INTEGER NOT NULL,
                      topology INTEGER NOT NULL, policy INTEGER NOT NULL,
                      sweep_resource TEXT, sweep_origin TEXT, sweep_key TEXT) STRICT, WITHOUT ROWID;

                    -- What a person wants to know of each direction of each link.
                    CREATE TABLE link_status (
                      peer TEXT NOT NULL, direction TEXT NOT NULL, state TEXT NOT NULL, cursor INTEGER NOT NULL,
                      head INTEGER NOT NULL, lag_rows INTEGER NOT NULL, last_contact INTEGER, level_at INTEGER,
                      error_code TEXT, error_message TEXT, error_hint TEXT, error_at INTEGER,
                      PRIMARY KEY (peer, direction)) STRICT, WITHOUT ROWID;

                    -- How fresh what we hold of each origin is, as its supplier says.
                    CREATE TABLE origin_freshness (
                      origin TEXT PRIMARY KEY, as_of INTEGER NOT NULL, complete INTEGER NOT NULL) STRICT, WITHOUT ROWID;

                    CREATE TABLE quarantine (
                      id INTEGER PRIMARY KEY, sender TEXT NOT NULL, resource TEXT NOT NULL, origin TEXT NOT NULL,
                      "key" TEXT NOT NULL, version INTEGER NOT NULL, field TEXT NOT NULL, rule TEXT NOT NULL,
                      detail TEXT NOT NULL, received_at INTEGER NOT NULL, row TEXT NOT NULL,
                      UNIQUE (resource, origin, "key")) STRICT;

                    CREATE TABLE consumer (name TEXT PRIMARY KEY, cursor INTEGER NOT NULL) STRICT, WITHOUT ROWID;

                    CREATE TABLE ticket_state (
                      global_id TEXT PRIMARY KEY, status TEXT NOT NULL, round INTEGER NOT NULL, unit TEXT,
                      dispatched_at INTEGER, due_at INTEGER, acknowledged_at INTEGER, replied_at INTEGER,
                      closed_at INTEGER, called_back_at INTEGER, evaluated_at INTEGER, score INTEGER, resolved TEXT,
                      returns INTEGER NOT NULL, extensions INTEGER NOT NULL, supervision TEXT NOT NULL,
                      conflicts TEXT NOT NULL) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("2 ticket numbers") { db in
            // The last sequence that was given on a day in Shanghai (days since 1970).
            try db.execute(
                sql: "CREATE TABLE ticket_number (day INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT")
        }
        migrator.registerMigration("3 api tokens") { db in
            try db.execute(
                sql: """
                    CREATE TABLE api_token (
                      name TEXT PRIMARY KEY, digest BLOB NOT NULL, resources TEXT, created_at INTEGER NOT NULL,
                      expires_at INTEGER, revoked_at INTEGER) STRICT, WITHOUT ROWID;
                    """)
        }
        // Both tables are derived; the consumer builds them again.
        migrator.registerMigration("4 owners, holds, merges and conflict records") { db in
            try db.execute(
                sql: """
                    DROP TABLE ticket_state;
                    CREATE TABLE ticket_state (
                      global_id TEXT PRIMARY KEY, status TEXT NOT NULL, round INTEGER NOT NULL, unit TEXT,
                      dispatched_at INTEGER, due_at INTEGER, acknowledged_at INTEGER, replied_at INTEGER,
                      closed_at INTEGER, called_back_at INTEGER, evaluated_at INTEGER, score INTEGER, resolved TEXT,
                      returns INTEGER NOT NULL, extensions INTEGER NOT NULL, supervision TEXT NOT NULL, owner TEXT,
                      category TEXT, confidential TEXT NOT NULL, held INTEGER NOT NULL, suspended INTEGER NOT NULL,
                      merge_target TEXT, merged_into TEXT) STRICT, WITHOUT ROWID;
                    CREATE INDEX ticket_state_merge_target ON ticket_state (merge_target)
                      WHERE merge_target IS NOT NULL;

                    CREATE TABLE ticket_conflict (
                      global_id TEXT NOT NULL, ordinal INTEGER NOT NULL, code TEXT NOT NULL, resource TEXT NOT NULL,
                      origin TEXT NOT NULL, "key" TEXT NOT NULL,
                      PRIMARY KEY (global_id, ordinal)) STRICT, WITHOUT ROWID;

                    DROP TABLE consumer;
                    CREATE TABLE consumer (
                      name TEXT PRIMARY KEY, cursor INTEGER NOT NULL, basis TEXT NOT NULL) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("5 scope log") { db in
            try db.execute(
                sql: """
                    -- What a row of a filtered resource looked like to filters before the change that has this seq.
                    CREATE TABLE scope_log (
                      id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, resource TEXT NOT NULL, origin TEXT NOT NULL,
                      "key" TEXT NOT NULL, region_code TEXT, service_code TEXT, request_type TEXT, confidential TEXT,
                      requested_datetime INTEGER) STRICT;
                    CREATE INDEX scope_log_seq ON scope_log (seq);

                    -- Tickets whose look changed in the transaction that is under way; empty outside of one.
                    CREATE TABLE touched_ticket (
                      global_id TEXT, was_live INTEGER NOT NULL, region_code TEXT, service_code TEXT,
                      request_type TEXT, confidential TEXT, requested_datetime INTEGER) STRICT;
                    """)
        }
        migrator.registerMigration("6 deletion records") { db in
            try db.execute(
                sql: """
                    -- Copies that were deleted because their resource is no longer gathered by copy.
                    CREATE TABLE deletion (
                      id INTEGER PRIMARY KEY, sender TEXT NOT NULL, resource TEXT NOT NULL, rows INTEGER NOT NULL,
                      digest TEXT NOT NULL, topology INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
                    """)
        }
        migrator.registerMigration("7 arrivals and refused resources") { db in
            try db.execute(
                sql: """
                    -- When rows of an origin last changed here; the catalog's update cycle is held against it.
                    CREATE TABLE arrival (
                      resource TEXT NOT NULL, origin TEXT NOT NULL, arrived_at INTEGER NOT NULL,
                      PRIMARY KEY (resource, origin)) STRICT, WITHOUT ROWID;

                    -- Rows that a sender's own catalog does not grant: they are not stored, this is.
                    CREATE TABLE refused_resource (
                      sender TEXT NOT NULL, resource TEXT NOT NULL, code TEXT NOT NULL, rows INTEGER NOT NULL,
                      last_at INTEGER NOT NULL, PRIMARY KEY (sender, resource)) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("8 ticket audience") { db in
            try db.execute(
                sql: """
                    -- Who must see a ticket. Only tickets with records of more than one node, or a transfer, are here: the
                    -- rows of the others are for nobody but their own supplier.
                    CREATE TABLE ticket_audience (
                      global_id TEXT NOT NULL, node TEXT NOT NULL, PRIMARY KEY (global_id, node)) STRICT, WITHOUT ROWID;
                    CREATE INDEX ticket_audience_node ON ticket_audience (node);

                    -- The records that such tickets have or had, each with its ticket, by the seq under which they are
                    -- told. Links that grant nothing else read this instead of all that changed.
                    CREATE TABLE ticket_share (
                      seq INTEGER PRIMARY KEY, resource TEXT NOT NULL, row INTEGER NOT NULL, global_id TEXT,
                      UNIQUE (resource, row)) STRICT;

                    -- NULL: the entry is what filters saw. Else it says that this node had to see the row.
                    ALTER TABLE scope_log ADD COLUMN node TEXT;
                    """)
        }
        // The triggers of the scope log look at them too; opening the node makes them again.
        migrator.registerMigration("9 looks that the thread decides") { db in
            for table in ["scope_log", "touched_ticket"] {
                for column in GrantFilter.foldedColumns {
                    try db.execute(sql: "ALTER TABLE \(table) ADD COLUMN \(column) TEXT")
                }
            }
            try dropScopeTriggers(db)
        }
        migrator.registerMigration("10 query log") { db in
            try db.execute(
                sql: """
                    -- Analyses and row queries that this node asked its children, or answered its parent (5.2-1).
                    CREATE TABLE query_log (
                      id INTEGER PRIMARY KEY, at INTEGER NOT NULL, direction TEXT NOT NULL, peer TEXT NOT NULL,
                      kind TEXT NOT NULL, resource TEXT NOT NULL, question TEXT NOT NULL, columns TEXT NOT NULL,
                      origins INTEGER NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, outcome TEXT NOT NULL,
                      duration INTEGER NOT NULL) STRICT;
                    """)
        }
        migrator.registerMigration("11 removals and the age of the feed") { db in
            try db.execute(
                sql: """
                    -- Tickets whose records this node has deleted or recalled. It outlives the tombstones, so a repeated
                    -- import brings nothing back.
                    CREATE TABLE removed_ticket (
                      global_id TEXT PRIMARY KEY, removal TEXT NOT NULL, kind TEXT NOT NULL) STRICT, WITHOUT ROWID;

                    -- Their records; `sight` (`state` since migration 14) is a RemovedRowState.
                    CREATE TABLE removed_row (
                      resource TEXT NOT NULL, "key" TEXT NOT NULL, removal TEXT NOT NULL, sight INTEGER NOT NULL,
                      PRIMARY KEY (resource, "key")) STRICT, WITHOUT ROWID;

                    -- Orders that links may tell, each under this seq; see RemovalConsumer.
                    CREATE TABLE removal_passed (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL) STRICT;

                    -- Where the feed stood at a time: says how old a seq is at least.
                    CREATE TABLE feed_mark (at INTEGER PRIMARY KEY, seq INTEGER NOT NULL) STRICT;
                    """)
        }
        // The triggers of the scope log write them too; opening the node makes them again.
        migrator.registerMigration("12 neighbours named as respondents") { db in
            try dropScopeTriggers(db)
            try db.execute(
                sql: """
                    -- Neighbours that a ticket here has named as its respondent, by each name that tickets may use. What changed
                    -- after `since` is in the scope log.
                    CREATE TABLE respondent_node (
                      name TEXT NOT NULL, node TEXT NOT NULL, since INTEGER NOT NULL,
                      PRIMARY KEY (name, node)) STRICT, WITHOUT ROWID;
                    ALTER TABLE scope_log ADD COLUMN respondents TEXT;
                    ALTER TABLE touched_ticket ADD COLUMN respondents TEXT;
                    ALTER TABLE touched_ticket DROP COLUMN was_live;
                    """)
        }
        migrator.registerMigration("13 topology releases") { db in
            try db.execute(
                sql: """
                    -- Topologies as the top node published them; one without a signature is the file that the node was set up with.
                    CREATE TABLE topology_release (
                      version INTEGER PRIMARY KEY, text TEXT NOT NULL, published_at INTEGER NOT NULL,
                      certificate TEXT, signature TEXT, adopted_at INTEGER NOT NULL) STRICT;

                    -- On which topology an origin stands, and under which all of it was here last.
                    ALTER TABLE origin_freshness ADD COLUMN topology INTEGER;
                    ALTER TABLE origin_freshness ADD COLUMN level INTEGER;

                    ALTER TABLE deletion RENAME COLUMN sender TO origin;

                    -- The topology version under which the policy of each link was last changed.
                    CREATE TABLE link_revision (
                      sender TEXT NOT NULL, receiver TEXT NOT NULL, topology INTEGER NOT NULL,
                      PRIMARY KEY (sender, receiver)) STRICT, WITHOUT ROWID;

                    -- Resources whose copies are still to be held against the release that was adopted last.
                    CREATE TABLE adoption_step (resource TEXT PRIMARY KEY, topology INTEGER NOT NULL) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("14 names of the field") { db in
            // SQLite renames them in the triggers too.
            try db.execute(
                sql: """
                    ALTER TABLE touched_ticket RENAME TO changed_ticket;
                    ALTER TABLE removed_row RENAME COLUMN sight TO state;
                    UPDATE node SET name = 'folded_columns' WHERE name = 'looks';
                    """)
        }
        migrator.registerMigration("15 what receivers have confirmed") { db in
            try db.execute(
                sql: """
                    -- Up to where each receiver has everything on its disk; what is pruned waits for it.
                    CREATE TABLE link_confirmation (
                      receiver TEXT PRIMARY KEY, epoch TEXT NOT NULL, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("16 states of threads") { db in
            try db.execute(
                sql: """
                    -- The fold of each thread of a kind other than tickets; derived.
                    CREATE TABLE thread_state (
                      kind TEXT NOT NULL, thread TEXT NOT NULL, state TEXT NOT NULL, since INTEGER,
                      PRIMARY KEY (kind, thread)) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("17 rows that a sender has lost") { db in
            try db.execute(
                sql: """
                    -- Copies whose sender no longer has them; they are kept here.
                    CREATE TABLE lost_row (
                      resource TEXT NOT NULL, row INTEGER NOT NULL, sender TEXT NOT NULL,
                      PRIMARY KEY (resource, row)) STRICT, WITHOUT ROWID;
                    -- Whether the sweep that goes on is the first after the sender has begun another epoch.
                    ALTER TABLE link_cursor ADD COLUMN is_new_epoch INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE link_status ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
                    """)
        }
        migrator.registerMigration("18 history marks") { db in
            try db.execute(
                sql: """
                    -- By which commit each seq was given out: the last seq of the commit, and a random number.
                    CREATE TABLE history_mark (seq INTEGER PRIMARY KEY, mark INTEGER NOT NULL) STRICT;
                    INSERT INTO history_mark SELECT value, random() FROM node WHERE name = 'seq' AND value > 0;
                    ALTER TABLE link_cursor ADD COLUMN mark INTEGER;

                    -- This node's own rows that it lost and got back, with the columns that came back as they had been sent: without
                    -- a value, or masked.
                    CREATE TABLE returned_row (
                      resource TEXT NOT NULL, "key" TEXT NOT NULL, receiver TEXT NOT NULL, returned_at INTEGER NOT NULL,
                      treated TEXT NOT NULL, PRIMARY KEY (resource, "key")) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("19 comparisons of links") { db in
            try db.execute(
                sql: """
                    -- When both ends of a link were last held against each other, how many rows differed, and when none did.
                    CREATE TABLE link_verification (
                      peer TEXT NOT NULL, direction TEXT NOT NULL, at INTEGER NOT NULL, differences INTEGER NOT NULL,
                      equal_at INTEGER, equal_seq INTEGER, PRIMARY KEY (peer, direction)) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("20 what a receiver has put aside") { db in
            try db.execute(sql: "ALTER TABLE link_status ADD COLUMN quarantined INTEGER NOT NULL DEFAULT 0")
        }
        migrator.registerMigration("21 what a sweep may take away") { db in
            try db.execute(
                sql: """
                    -- 1 while the sweep goes on that did not name the row: at the end of its resource all of them go, or all stay.
                    ALTER TABLE lost_row ADD COLUMN is_pending INTEGER NOT NULL DEFAULT 0;
                    -- What each sender granted when its last sweep came by (`GrantScope`).
                    CREATE TABLE swept_scope (
                      sender TEXT NOT NULL, resource TEXT NOT NULL, rules TEXT NOT NULL, nodes_behind TEXT NOT NULL,
                      PRIMARY KEY (sender, resource)) STRICT, WITHOUT ROWID;
                    -- Orders that are neither confirmed nor passed on while rows of their supplier are kept as lost.
                    CREATE TABLE removal_held (id INTEGER PRIMARY KEY) STRICT;
                    """)
        }
        migrator.registerMigration("22 links by file") { db in
            try db.execute(
                sql: """
                    -- The sender's clock when the change-set was made that took the cursor where it is.
                    ALTER TABLE link_cursor ADD COLUMN made_at INTEGER;

                    -- The whole cursor, from which a file goes on, and when its receiver said it, by whose clock.
                    ALTER TABLE link_confirmation ADD COLUMN topology INTEGER;
                    ALTER TABLE link_confirmation ADD COLUMN policy INTEGER;
                    ALTER TABLE link_confirmation ADD COLUMN sweep_resource TEXT;
                    ALTER TABLE link_confirmation ADD COLUMN sweep_origin TEXT;
                    ALTER TABLE link_confirmation ADD COLUMN sweep_key TEXT;
                    ALTER TABLE link_confirmation ADD COLUMN said_at INTEGER;

                    -- What is known of neighbours that files are carried to and from: the certificate that one has shown last, when
                    -- files were last written for it and taken from it, and what it said of this node's rows.
                    CREATE TABLE ferry (
                      peer TEXT PRIMARY KEY, certificate TEXT, exported_at INTEGER, imported_at INTEGER,
                      lost INTEGER NOT NULL DEFAULT 0, quarantined INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;

                    -- Where files ended that a receiver has not confirmed: it may stand at any of them.
                    CREATE TABLE ferry_end (
                      receiver TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL, topology INTEGER NOT NULL,
                      policy INTEGER NOT NULL, PRIMARY KEY (receiver, epoch, seq, topology, policy)) STRICT, WITHOUT ROWID;

                    -- What a sender has decided over rows that came back to it by file, until it has told the receiver.
                    CREATE TABLE ferry_settlement (
                      receiver TEXT NOT NULL, resource TEXT NOT NULL, origin TEXT NOT NULL, "key" TEXT NOT NULL,
                      PRIMARY KEY (receiver, resource, origin, "key")) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("23 which resources a neighbour by file knows") { db in
            try db.execute(sql: "ALTER TABLE ferry ADD COLUMN schema_revision INTEGER")
        }
        migrator.registerMigration("24 intakes by number") { db in
            try db.execute(
                sql: """
                    -- Imports, and what each token has pushed within an hour. `tickets` has the digests of the global ids of an import's
                    -- file. What rows were before is in the tables that `ResourceTable.createFormer` makes.
                    CREATE TABLE intake (
                      id INTEGER PRIMARY KEY, kind TEXT NOT NULL, source TEXT NOT NULL, resource TEXT, file TEXT,
                      began_at INTEGER NOT NULL, ended_at INTEGER, tickets BLOB,
                      read INTEGER NOT NULL DEFAULT 0, new INTEGER NOT NULL DEFAULT 0, changed INTEGER NOT NULL DEFAULT 0,
                      reopened INTEGER NOT NULL DEFAULT 0, withdrawn INTEGER NOT NULL DEFAULT 0,
                      unchanged INTEGER NOT NULL DEFAULT 0, collapsed INTEGER NOT NULL DEFAULT 0,
                      rejected INTEGER NOT NULL DEFAULT 0, undone_at INTEGER, kept INTEGER NOT NULL DEFAULT 0,
                      is_remembered INTEGER NOT NULL DEFAULT 1) STRICT;
                    CREATE INDEX intake_source ON intake (kind, source, began_at);

                    -- The versions under which the transactions of each intake wrote.
                    CREATE TABLE intake_version (version INTEGER PRIMARY KEY, intake INTEGER NOT NULL) STRICT;
                    """)
        }
        migrator.registerMigration("25 inbox") { db in
            try db.execute(
                sql: """
                    -- What other nodes did to tickets of this one, in the order in which it was learned of.
                    CREATE TABLE inbox (
                      id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, ticket TEXT, node TEXT NOT NULL,
                      "key" TEXT NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, detail TEXT) STRICT;
                    CREATE UNIQUE INDEX inbox_item ON inbox (kind, node, "key", version, coalesce(detail, ''));
                    """)
        }
        migrator.registerMigration("26 what intakes said that was so already") { db in
            try db.execute(
                sql: """
                    -- The digests of records (`RecordDigest`) that an intake found as it says, by the version of the transaction. Whoever
                    -- undoes what made them so leaves them.
                    CREATE TABLE intake_settled (
                      intake INTEGER NOT NULL, version INTEGER NOT NULL, records BLOB NOT NULL,
                      PRIMARY KEY (intake, version)) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("27 rows that others put aside") { db in
            try db.execute(
                sql: """
                    -- Rows that went from here to `peer` and are put aside there or beyond (`node`), as the peer says.
                    CREATE TABLE put_aside (
                      peer TEXT NOT NULL, node TEXT NOT NULL, resource TEXT NOT NULL, origin TEXT NOT NULL, "key" TEXT NOT NULL,
                      version INTEGER NOT NULL, field TEXT NOT NULL, rule TEXT NOT NULL,
                      PRIMARY KEY (peer, node, resource, origin, "key")) STRICT, WITHOUT ROWID;
                    """)
        }
        // The triggers of the scope log write it; opening the node makes them again.
        migrator.registerMigration("28 calls that tickets named") { db in
            try db.execute(
                sql: """
                    ALTER TABLE changed_ticket ADD COLUMN call_id TEXT;

                    -- Calls whose ticket may be another since the statement that is under way; empty outside of one.
                    CREATE TABLE changed_call (
                      origin TEXT NOT NULL, "key" TEXT NOT NULL, region_code TEXT, service_code TEXT, request_type TEXT,
                      confidential TEXT, requested_datetime INTEGER, agency_responsible TEXT, confidentiality TEXT,
                      respondents TEXT) STRICT;
                    """)
            try dropScopeTriggers(db)
        }
        migrator.registerMigration("29 rollups") { db in
            try db.execute(sql: RollupTables.create)
            for sql in RollupTables.stateTriggers { try db.execute(sql: sql) }
        }
        migrator.registerMigration("30 answers of children") { db in
            try db.execute(
                sql: """
                    -- What children answered last, by the digest of the question: for who takes an old answer rather than none.
                    CREATE TABLE child_answer (
                      child TEXT NOT NULL, question BLOB NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL,
                      PRIMARY KEY (child, question)) STRICT;
                    """)
        }
        migrator.registerMigration("31 observations and alerts raised") { db in
            try db.execute(sql: ObservationTables.create)
        }
        migrator.registerMigration("32 alerts that were sent on") { db in
            try db.execute(
                sql: """
                    -- What went to a system outside (`webhook`, `mail`), or is to be tried again.
                    CREATE TABLE alert_delivery (
                      alert TEXT NOT NULL, target TEXT NOT NULL, level TEXT NOT NULL, tries INTEGER NOT NULL,
                      next_at INTEGER NOT NULL, delivered_at INTEGER, PRIMARY KEY (alert, target)) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("34 tokens of departments") { db in
            try db.execute(
                sql: """
                    -- Whose tickets a token may read: those of a unit, or of a category. It writes nothing then.
                    ALTER TABLE api_token ADD COLUMN unit TEXT;
                    ALTER TABLE api_token ADD COLUMN category TEXT;
                    """)
        }
        // Those of 29 said OR IGNORE, which an upsert overrules: a state that changed twice before it was stamped was refused.
        migrator.registerMigration("35 triggers of states") { db in
            let triggers = try String.fetchAll(
                db,
                sql: """
                    SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ticket_state' AND name LIKE 'rollup_%'
                    """)
            for trigger in triggers { try db.execute(sql: "DROP TRIGGER \(quoted(trigger))") }
            for sql in RollupTables.stateTriggers { try db.execute(sql: sql) }
        }
        migrator.registerMigration("36 webhooks of departments") { db in
            try db.execute(
                sql: """
                    -- Where a department's tickets are sent to; up to which change that was done; how often the next page was tried in vain,
                    -- and when it is due.
                    ALTER TABLE api_token ADD COLUMN webhook TEXT;
                    ALTER TABLE api_token ADD COLUMN pushed INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE api_token ADD COLUMN push_tries INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE api_token ADD COLUMN push_at INTEGER NOT NULL DEFAULT 0;
                    """)
        }
        migrator.registerMigration("37 threads that records left") { db in
            try db.execute(
                sql: """
                    -- The thread that a record was of before the change that has this seq brought it to another one.
                    CREATE TABLE left_thread (
                      id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, kind TEXT NOT NULL, thread TEXT NOT NULL) STRICT;
                    CREATE INDEX left_thread_seq ON left_thread (seq);
                    """)
        }
        migrator.registerMigration("38 failures of consumers outside") { db in
            try db.execute(
                sql: """
                    -- What a consumer outside of the database met last, until it gets on.
                    CREATE TABLE consumer_failure (
                      name TEXT PRIMARY KEY, code TEXT NOT NULL, message TEXT NOT NULL, hint TEXT, at INTEGER NOT NULL)
                    STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("39 rows that wait for a new supplier") { db in
            // ALTER TABLE ... RENAME COLUMN would parse all triggers, and some of them call functions that are not there yet.
            try db.execute(
                sql: """
                    CREATE TEMP TABLE kept AS SELECT * FROM main.lost_row;
                    DROP TABLE main.lost_row;
                    -- Copies whose sender has not named them, and what is known of that (`LostRows.State`).
                    CREATE TABLE main.lost_row (
                      resource TEXT NOT NULL, row INTEGER NOT NULL, sender TEXT NOT NULL, state INTEGER NOT NULL,
                      PRIMARY KEY (resource, row)) STRICT, WITHOUT ROWID;
                    INSERT INTO main.lost_row SELECT resource, row, sender, is_pending FROM temp.kept;
                    DROP TABLE temp.kept;
                    """)
        }
        return migrator
    }()

    private static func dropScopeTriggers(_ db: Database) throws {
        let triggers = try String.fetchAll(
            db, sql: "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'scope_of_%'")
        for trigger in triggers { try db.execute(sql: "DROP TRIGGER \(quoted(trigger))") }
    }
}
