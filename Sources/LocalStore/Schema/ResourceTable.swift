import ChangeSetFormat
import FederationModel

/// The SQL of one resource, all of it derived from its declaration.
///
/// A row's table has the envelope (`origin`, `key`, `version`, `deleted`, the node-local `seq`, and the `supplier`: the
/// neighbour that the copy came from, 0 for the node's own rows) and the resource's columns. What a copy has in columns that
/// this node does not know is kept in `carried`, a JSON object, and sent on. `rowid` with UNIQUE(origin, key) costs a fifth
/// to a third less to apply than WITHOUT ROWID.
struct ResourceTable: Sendable {
    let definition: ResourceDefinition
    /// Quoted: some columns have the names of SQL keywords.
    let table: String
    let columns: [String]
    /// The columns that name the thread.
    private let identity: Set<String>

    init(_ definition: ResourceDefinition) {
        self.definition = definition
        table = quoted(definition.name.text)
        columns = definition.columns.map(\.name)
        identity = ["ticket_origin", definition.thread?.column ?? "ticket_origin"]
    }

    static let carried = "carried"

    /// Columns that this node fills for itself (`FoldedColumns`).
    var local: [String] {
        definition.name == BuiltInResources.serviceRequest.name ? GrantFilter.foldedColumns : []
    }

    /// What an image of a row consists of, besides its envelope.
    var content: [String] { columns + [Self.carried] }

    var columnList: String { content.map(quoted).joined(separator: ", ") }

    // MARK: - Schema

    var create: [String] {
        let declared = definition.columns.map { "\(quoted($0.name)) \($0.type.storage.sqlType)" }
        return [
            """
            CREATE TABLE IF NOT EXISTS main.\(table) (
              id INTEGER PRIMARY KEY, origin TEXT NOT NULL, "key" TEXT NOT NULL, version INTEGER NOT NULL,
              deleted INTEGER NOT NULL, seq INTEGER NOT NULL, supplier INTEGER NOT NULL,
              \((local + [Self.carried]).map { "\($0) TEXT, " }.joined())
              \(declared.joined(separator: ", ")),
              UNIQUE (origin, "key")) STRICT
            """,
            // Unique, because that is a free check that no seq is ever given out twice.
            "CREATE UNIQUE INDEX IF NOT EXISTS main.\(quoted("\(definition.name)_seq")) ON \(table) (seq)",
            // For the removal of tombstones; it has the rows that went away alone.
            """
            CREATE INDEX IF NOT EXISTS main.\(quoted("\(definition.name)_gone")) ON \(table) (seq)
            WHERE deleted <> \(RowState.live.rawValue)
            """,
        ]
            + (definition.name == BuiltInResources.serviceRequest.name ? [Self.createCallIndex] : [])
            + (definition.name == BuiltInResources.ticketAction.name ? [Self.createRepeatIndex] : [])
            + (keepsFormer ? [createFormer] : [])
            + definition.indexes.map {
                let name = quoted("\(definition.name)_\($0.joined(separator: "_"))")
                return "CREATE INDEX IF NOT EXISTS main.\(name) ON \(table) (\($0.map(quoted).joined(separator: ", ")))"
            }
    }

    /// Finds the ticket that names a call, among the few that can be reports on somebody.
    private static let createCallIndex = """
        CREATE INDEX IF NOT EXISTS main.service_request_call ON service_request (call_id) WHERE respondent_name IS NOT NULL
        """

    /// Finds the tickets that repeat one, among the few actions that say so.
    private static let createRepeatIndex = """
        CREATE INDEX IF NOT EXISTS main.ticket_action_repeat ON ticket_action (target) WHERE action = 'mark_repeat'
        """

    /// The staging table of a write: no types, no indexes, in memory.
    var createBatch: String {
        """
        CREATE TABLE batch.\(table) (n INTEGER PRIMARY KEY, origin, "key", version, deleted, \(columnList))
        """
    }

    func addColumn(_ column: FederationModel.ColumnDefinition) -> String {
        "ALTER TABLE main.\(table) ADD COLUMN \(quoted(column.name)) \(column.type.storage.sqlType)"
    }

    func addText(_ column: String) -> String { "ALTER TABLE main.\(table) ADD COLUMN \(column) TEXT" }

    /// Moves what rows carried along into a column that this release knows, as far as it keeps the column's rules; the rest
    /// stays carried.
    func adopt(_ column: FederationModel.ColumnDefinition) -> String {
        let path = "'$.\(column.name)'"
        let value = "json_extract(\(Self.carried), \(path))"
        return """
            UPDATE main.\(table) SET \(quoted(column.name)) = \(value),
              \(Self.carried) = nullif(json_remove(\(Self.carried), \(path)), '{}')
            WHERE \(column.rule.condition(value: value, type: "json_type(\(Self.carried), \(path))"))
            """
    }

    // MARK: - Writing

    func stage(_ staged: [String]) -> String {
        let names = staged.map(quoted).joined(separator: ", ")
        return "INSERT INTO batch.\(table) (\(names)) VALUES (\(staged.map { _ in "?" }.joined(separator: ", ")))"
    }

    var clearBatch: String { "DELETE FROM batch.\(table)" }

    /// Staged rows of a neighbour into the table. ?1 seq before the first, ?2 supplier.
    ///
    /// Design rule 2: what the neighbour that supplied a copy sends next replaces it, whatever its version; what came from
    /// a former supplier, a copy or a tombstone, is not replaced by an older version. (A retraction has version 0.) A row
    /// that is here already in the same image changes nothing, so it is not sent onwards.
    var apply: String {
        """
        \(upsert(version: "version", deleted: "deleted", supplier: "?2"))
        WHERE NOT (\(table).version = excluded.version AND \(table).deleted = excluded.deleted
                   AND \(table).supplier = excluded.supplier AND \(sameColumns))
          AND (\(table).supplier = excluded.supplier OR excluded.version >= \(table).version)
        """
    }

    /// Staged rows of this node's own intake into the table. ?1 seq before the first, ?2 version.
    ///
    /// A row whose fields are all as they were keeps its version and its seq: importing the same file twice changes
    /// nothing.
    var intake: String {
        """
        \(upsert(version: "?2", deleted: "0", supplier: "0"))
        WHERE \(table).deleted <> \(RowState.live.rawValue) OR NOT \(sameColumns)
        """
    }

    /// Staged rows of this node that a receiver gave back into the table. ?1 seq before the first, ?2 version. Always a new version,
    /// because the receiver holds the one that was lost.
    var takeBack: String { upsert(version: "?2", deleted: "0", supplier: "0") }

    /// Rows that are no longer granted: they keep their key, and the ticket that they belonged to, and nothing else. ?1 seq
    /// before the first. A retraction always wins: it speaks of the grant, and leaves no version behind.
    var retractStaged: String {
        """
        UPDATE main.\(table) SET \(emptied), version = 0, deleted = \(RowState.retracted.rawValue),
          seq = CASE \(table).deleted WHEN \(RowState.live.rawValue) THEN ?1 + b.n ELSE \(table).seq END
        FROM batch.\(table) AS b
        WHERE b.deleted = \(RowState.retracted.rawValue) AND \(table).origin = b.origin AND \(table)."key" = b."key"
          AND \(table).deleted <> \(RowState.retracted.rawValue)
        """
    }

    /// Live copies in one origin's part of a bucket that the staged listing does not name. ?1 origin, ?2 the key after
    /// which it begins; with `bounded` ?3 its last key. Those that are kept as lost are not among them.
    func unlisted(bounded: Bool) -> String {
        """
        SELECT id, supplier FROM main.\(table)
        WHERE origin = ?1 AND "key" > ?2 \(bounded ? "AND \"key\" <= ?3" : "")
          AND deleted = \(RowState.live.rawValue) AND supplier <> 0
          AND "key" NOT IN (SELECT "key" FROM batch.\(table) WHERE origin = ?1)
          AND "key" NOT IN (SELECT "key" FROM main.quarantine WHERE resource = '\(definition.name)' AND origin = ?1)
          AND NOT \(isLost)
        """
    }

    /// Copies and tombstones of supplier ?1 that are staged in an older version, with their place among the staged rows. CROSS JOIN has SQLite
    /// begin with the staged rows (https://sqlite.org/optoverview.html#crossjoin); it would go through the whole table.
    ///
    /// - Parameter all: whether of all copies, or of those that the supplier has lost.
    func stagedOlder(all: Bool) -> String {
        """
        SELECT \(table).id, b.n FROM batch.\(table) AS b
        CROSS JOIN main.\(table) ON \(table).origin = b.origin AND \(table)."key" = b."key"
        WHERE \(table).deleted <> \(RowState.retracted.rawValue) AND \(table).supplier = ?1
          AND b.deleted IS NOT \(RowState.retracted.rawValue) AND b.version < \(table).version
          \(all ? "" : "AND \(isLost)")
        """
    }

    /// Whether the supplier has lost the row.
    private var isLost: String {
        "EXISTS (SELECT 1 FROM main.lost_row AS l WHERE l.resource = '\(definition.name)' AND l.row = \(table).id)"
    }

    /// How many live rows supplier ?1 has brought, counted up to ?2; below 0 to the last.
    var countSupplied: String {
        """
        SELECT count(*) FROM (
          SELECT 1 FROM main.\(table) WHERE supplier = ?1 AND deleted = \(RowState.live.rawValue) LIMIT ?2)
        """
    }

    /// How many live rows of origin ?1 are here.
    var countOf: String {
        "SELECT count(*) FROM main.\(table) WHERE origin = ?1 AND deleted = \(RowState.live.rawValue)"
    }

    /// Of the rows that their supplier had lost, those that are staged.
    var releaseLost: String {
        """
        DELETE FROM main.lost_row WHERE resource = '\(definition.name)' AND row IN (
          SELECT \(table).id FROM batch.\(table) AS b
          CROSS JOIN main.\(table) ON \(table).origin = b.origin AND \(table)."key" = b."key")
        """
    }

    /// ?1 seq, ?2 id.
    var retractOne: String {
        """
        UPDATE main.\(table) SET \(emptied), version = 0, deleted = \(RowState.retracted.rawValue), seq = ?1 WHERE id = ?2
        """
    }

    /// A row of this node into a tombstone. ?1 seq, ?2 id, ?3 version.
    var delete: String {
        """
        UPDATE main.\(table) SET \(emptied), version = ?3, deleted = \(RowState.deleted.rawValue), seq = ?1 WHERE id = ?2
        """
    }

    /// A row of this node under another version. ?1 seq, ?2 id, ?3 version.
    var reissue: String { "UPDATE main.\(table) SET version = ?3, seq = ?1 WHERE id = ?2" }

    private func upsert(version: String, deleted: String, supplier: String) -> String {
        // A tombstone of a neighbour carries no fields; the ticket that it belonged to stays, for its fold. What is gone and
        // stays gone keeps its seq: a removal order that came after it must not overtake it on the next link.
        let assignments = content.map { column in
            identity.contains(column)
                ? "\(quoted(column)) = coalesce(excluded.\(quoted(column)), \(table).\(quoted(column)))"
                : "\(quoted(column)) = excluded.\(quoted(column))"
        }
        let live = RowState.live.rawValue
        return """
            INSERT INTO main.\(table) (origin, "key", version, deleted, seq, supplier, \(columnList))
            SELECT origin, "key", \(version), \(deleted), ?1 + n, \(supplier), \(columnList) FROM batch.\(table)
            WHERE deleted IS NOT \(RowState.retracted.rawValue)
            ON CONFLICT (origin, "key") DO UPDATE SET version = excluded.version, deleted = excluded.deleted,
              seq = CASE WHEN \(live) NOT IN (\(table).deleted, excluded.deleted) THEN \(table).seq ELSE excluded.seq END,
              supplier = excluded.supplier, \(assignments.joined(separator: ", "))
            """
    }

    private var emptied: String {
        content.filter { !identity.contains($0) }.map { "\(quoted($0)) = NULL" }.joined(separator: ", ")
    }

    private var sameColumns: String {
        let ours = content.map { "\(table).\(quoted($0))" }.joined(separator: ", ")
        let theirs = content.map { "excluded.\(quoted($0))" }.joined(separator: ", ")
        return "(\(ours)) IS (\(theirs))"
    }

    // MARK: - Reading

    /// Rows as they are here, in the order of their ids: envelope, columns, carried. ?1 a JSON array of ids.
    var whole: String {
        """
        SELECT origin, "key", version, deleted, \(columnList) FROM main.\(table)
        WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id
        """
    }

    /// Staged rows that are here already: as new or newer, retracted, or deleted by this node for good. ?1 this node.
    var stagedKnown: String {
        """
        SELECT b.n, b.origin, b."key", r.id FROM batch.\(table) AS b
        LEFT JOIN main.\(table) AS r ON r.origin = b.origin AND r."key" = b."key"
        WHERE r.version >= b.version OR r.deleted = \(RowState.retracted.rawValue)
          OR (r.id IS NULL AND b.deleted <> \(RowState.live.rawValue))
          OR (b.origin = ?1 AND EXISTS (SELECT 1 FROM main.removed_row AS x
                WHERE x.resource = '\(definition.name)' AND x."key" = b."key"))
          \(definition.isTicketRecord ? """
            OR (b.origin = ?1 AND EXISTS (SELECT 1 FROM main.removed_ticket AS x
                WHERE x.global_id = b.global_id AND x.kind = 'delete'))
            """ : "")
        """
    }

    /// Puts what is here into the staged rows where they came without it: columns that a link masks or leaves out.
    func keepHere(_ columns: [String]) -> String {
        """
        UPDATE batch.\(table) AS b SET \(columns.map { "\(quoted($0)) = r.\(quoted($0))" }.joined(separator: ", "))
        FROM main.\(table) AS r WHERE r.origin = b.origin AND r."key" = b."key"
        """
    }

    /// The seqs behind :after, for the feed's upper bound.
    var seqs: String { "SELECT seq FROM main.\(table) WHERE seq > :after" }

    /// Rows of this node from version ?1 on, ?2 at most.
    var ownFrom: String { "SELECT id FROM main.\(table) WHERE supplier = 0 AND version >= ?1 LIMIT ?2" }

    /// The latest version of this node's rows before ?1.
    var latestOwnBefore: String { "SELECT max(version) FROM main.\(table) WHERE supplier = 0 AND version < ?1" }

    var seqsAfter: String { "SELECT seq FROM main.\(table) WHERE seq > ?1" }
    var seqsAfterID: String { "SELECT seq FROM main.\(table) WHERE id > ?1" }

    /// The keys of rows of node ?1 with the keys ?2, a JSON array, from version ?3 on.
    var ownSince: String {
        """
        SELECT r."key" FROM json_each(?2) AS j CROSS JOIN main.\(table) AS r ON r.origin = ?1 AND r."key" = j.value
        WHERE r.version >= ?3
        """
    }

    /// Rows of node ?1 with the keys ?2, a JSON array: id, key and state.
    var ownWithState: String {
        """
        SELECT r.id, r."key", r.deleted FROM json_each(?2) AS j
        CROSS JOIN main.\(table) AS r ON r.origin = ?1 AND r."key" = j.value
        """
    }
}

/// An identifier that may be an SQL keyword.
func quoted(_ identifier: String) -> String { "\"\(identifier)\"" }

extension ColumnType.Storage {
    var sqlType: String {
        switch self {
        case .text: "TEXT"
        case .integer: "INTEGER"
        case .real: "REAL"
        }
    }
}
