import ChangeSetFormat
import FederationModel
import GRDB

/// The records of threads that more than one node must see, as a feed of their own (`ticket_share`): each with the seq under
/// which it was sent last. Once in it, a record stays.
enum SharedRecords {
    /// Whether there has ever been such a thread here.
    static func isUsed(_ db: Database) throws -> Bool {
        try Bool.fetchOne(db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM main.ticket_share)")) == true
    }

    /// Who must see a thread, as far as it is found; empty for one that concerns its own node alone.
    static func audience(of thread: String?, _ db: Database) throws -> Set<NodeID> {
        let codes = try String.fetchAll(
            db.cachedStatement(sql: "SELECT node FROM main.ticket_audience WHERE global_id = ?"), arguments: [thread])
        return Set(codes.compactMap { NodeID($0) })
    }
}

extension ResourceTable {
    /// The seqs of it behind :after, for the feed's upper bound.
    static let sharedSeqs = "SELECT seq FROM main.ticket_share WHERE seq > :after"

    /// A thread as `ticket_audience` and `ticket_share` name it (`global_id`). Those of other kinds than tickets have the kind in
    /// front, so ids of two kinds never meet.
    func threadID(of row: String) -> String {
        guard let thread = definition.thread else { return "NULL" }
        let id = "\(row).\(quoted(thread.column))"
        return thread.kind == TicketKind.title ? id : "'\(thread.kind):' || \(id)"
    }

    /// Whether row `r` belongs to a thread that is named so; the column stands alone, for its index.
    func isOf(_ threadID: String) -> String {
        guard let thread = definition.thread else { return "0" }
        let id = "r.\(quoted(thread.column))"
        if thread.kind == TicketKind.title { return "\(id) = \(threadID)" }
        let prefix = "\(thread.kind):"
        return "\(threadID) GLOB '\(prefix)*' AND \(id) = substr(\(threadID), \(prefix.utf8.count + 1))"
    }

    /// The threads, by their own ids, of which a record changed in (?1, ?2] that may concern more than one node. Of tickets:
    /// a record that is not of the ticket's origin, a transfer, the request or an action of a ticket that is shared already: whom it
    /// accuses, its origin says too.
    var sharedThreadsChanged: String {
        let thread = quoted(definition.thread?.column ?? "key")
        let hasAudience = "EXISTS (SELECT 1 FROM main.ticket_audience AS a WHERE a.global_id = \(table).global_id)"
        let isShared =
            if !definition.isTicketRecord {
                "\(thread) IS NOT NULL"
            } else if !columns.contains("ticket_origin") {
                hasAudience
            } else if columns.contains("to_node") {
                "global_id IS NOT NULL"
            } else if columns.contains("action") {
                "(ticket_origin <> origin OR \(hasAudience))"
            } else {
                "ticket_origin <> origin"
            }
        return """
            SELECT \(thread) FROM main.\(table)
            WHERE seq > ?1 AND seq <= ?2 AND \(isShared)
            """
    }

    /// Live records of thread ?1, by its own id.
    var idsOfThread: String {
        let thread = quoted(definition.thread?.column ?? "key")
        return "SELECT id FROM main.\(table) WHERE \(thread) = ?1 AND deleted = \(RowState.live.rawValue)"
    }

    /// Live records of shared tickets that changed in (?1, ?2] and do not stand in it under that seq yet.
    var unshared: String {
        """
        SELECT id FROM main.\(table)
        WHERE seq > ?1 AND seq <= ?2 AND deleted = \(RowState.live.rawValue)
          AND EXISTS (SELECT 1 FROM main.ticket_audience AS a WHERE a.global_id = \(threadID(of: table)))
          AND NOT EXISTS (SELECT 1 FROM main.ticket_share AS s WHERE s.seq = \(table).seq)
        """
    }

    /// Records in it that went away or to another ticket in (?1, ?2], with the ticket that they were of.
    var unbound: String {
        """
        SELECT r.id, s.global_id FROM main.\(table) AS r
        CROSS JOIN main.ticket_share AS s ON s.resource = '\(definition.name)' AND s.row = r.id
        WHERE r.seq > ?1 AND r.seq <= ?2 AND s.seq <> r.seq
          AND (r.deleted <> \(RowState.live.rawValue) OR \(threadID(of: "r")) IS NOT s.global_id)
        """
    }

    /// A new seq ?1 for row ?2, which stays as it is: who may see it has changed.
    var resequence: String { "UPDATE main.\(table) SET seq = ?1 WHERE id = ?2" }

    /// Row ?2 goes under seq ?1 to whom its ticket concerns.
    var share: String {
        """
        INSERT OR REPLACE INTO main.ticket_share
        SELECT ?1, '\(definition.name)', id, \(threadID(of: table)) FROM main.\(table) WHERE id = ?2
        """
    }

    /// Nodes ?3, a JSON array, had to see row ?2 until seq ?1, as far as it was sent at all.
    var logAudience: String {
        """
        INSERT INTO main.scope_log (seq, resource, origin, "key", node)
        SELECT ?1, '\(definition.name)', r.origin, r."key", former.value
        FROM main.\(table) AS r CROSS JOIN json_each(?3) AS former
        WHERE r.id = ?2
          AND EXISTS (SELECT 1 FROM main.ticket_share WHERE resource = '\(definition.name)' AND row = ?2)
        """
    }
}
