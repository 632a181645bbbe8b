import ChangeSetFormat
import FederationModel
import GRDB

/// The records of tickets that more than one node must see, as a feed of their own (`ticket_share`): each with the seq under
/// which it was told last. Once told, a record stays in it.
enum TicketShare {
    /// Whether there has ever been such a ticket here.
    static func isUsed(_ db: Database) throws -> Bool {
        try Bool.fetchOne(db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM main.ticket_share)")) == true
    }
}

extension ResourceTable {
    /// The seqs of it behind :after, for the feed's upper bound.
    static let sharedSeqs = "SELECT seq FROM main.ticket_share WHERE seq > :after"

    /// The tickets of which a record changed in (?1, ?2] that may concern more than one node:
    /// a record that is not of the ticket's origin, a transfer, the request of a ticket that is shared already.
    var sharedTicketsChanged: String {
        let isShared =
            if !columns.contains("ticket_origin") {
                "EXISTS (SELECT 1 FROM main.ticket_audience AS a WHERE a.global_id = \(table).global_id)"
            } else if columns.contains("to_node") {
                "global_id IS NOT NULL"
            } else {
                "ticket_origin <> origin"
            }
        return """
            SELECT global_id FROM main.\(table)
            WHERE seq > ?1 AND seq <= ?2 AND \(isShared)
            """
    }

    /// Live records of ticket ?1.
    var idsOfTicket: String {
        "SELECT id FROM main.\(table) WHERE global_id = ?1 AND deleted = \(RowState.live.rawValue)"
    }

    /// Live records of shared tickets that changed in (?1, ?2] and are not told as such yet.
    var unshared: String {
        """
        SELECT id FROM main.\(table)
        WHERE seq > ?1 AND seq <= ?2 AND deleted = \(RowState.live.rawValue)
          AND EXISTS (SELECT 1 FROM main.ticket_audience AS a WHERE a.global_id = \(table).global_id)
          AND NOT EXISTS (SELECT 1 FROM main.ticket_share AS s WHERE s.seq = \(table).seq)
        """
    }

    /// Records that were told, and that went away or to another ticket in (?1, ?2], with the ticket that they were of.
    var unbound: String {
        """
        SELECT r.id, s.global_id FROM main.\(table) AS r
        CROSS JOIN main.ticket_share AS s ON s.resource = '\(definition.name)' AND s.row = r.id
        WHERE r.seq > ?1 AND r.seq <= ?2 AND s.seq <> r.seq
          AND (r.deleted <> \(RowState.live.rawValue) OR r.global_id IS NOT s.global_id)
        """
    }

    /// A new seq ?1 for row ?2, which stays as it is: who may see it has changed.
    var touch: String { "UPDATE main.\(table) SET seq = ?1 WHERE id = ?2" }

    /// Row ?2 is told under seq ?1 to whom its ticket concerns.
    var share: String {
        """
        INSERT OR REPLACE INTO main.ticket_share
        SELECT ?1, '\(definition.name)', id, global_id FROM main.\(table) WHERE id = ?2
        """
    }

    /// Nodes ?3, a JSON array, had to see row ?2 until seq ?1, as far as it was told at all.
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
