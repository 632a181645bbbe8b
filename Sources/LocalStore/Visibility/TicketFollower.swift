import ChangeSetFormat
import FederationModel

/// The rows of a resource that go where their ticket goes: the records of its thread by its global id, and, where a report
/// must not reach whom it accuses, calls and recordings. Filters are no matter of these: an analysis of calls needs all of
/// them.
struct TicketFollower {
    let table: ResourceTable
    /// The column that names the ticket, or the call.
    let link: String
    /// Joins these rows as `r` to tickets `k` that changed.
    let join: String
    /// Whether `r` belonged to `k` before; nil where it cannot be otherwise.
    let wasOfTicket: String?
    /// Joins these rows as `r` to calls `k` that changed; nil where calls do not decide.
    let joinToCalls: String?
    /// Where only tickets count that name a neighbour as their respondent.
    let isForReports: Bool

    /// - Returns: nil for a resource whose rows follow no ticket.
    init?(_ table: ResourceTable) {
        self.table = table
        isForReports = !table.definition.isThreadRecord
        if table.definition.isThreadRecord {
            link = "global_id"
            join = "JOIN main.\(table.table) AS r ON r.global_id = k.global_id"
            (wasOfTicket, joinToCalls) = (nil, nil)
            return
        }
        switch table.definition.name {
        case "call_record":
            link = "linked_request"
            join = Self.joinCalls(as: "r")
            (wasOfTicket, joinToCalls) = (Self.wasOfTicket("r"), nil)
        case "recording":
            link = "call_id"
            func joined(to call: String) -> String {
                """
                CROSS JOIN main.recording AS r ON r.call_id IN (\(call)."key", \(Self.bare(call, "\"key\"")))
                  AND +r.origin = \(call).origin
                """
            }
            join = "\(Self.joinCalls(as: "c")) \(joined(to: "c"))"
            (wasOfTicket, joinToCalls) = (Self.wasOfTicket("c"), joined(to: "k"))
        default: return nil
        }
    }

    /// A ticket that accused somebody until now counts too, and so does a call that it named until now.
    private static func joinCalls(as call: String) -> String {
        """
        JOIN main.service_request AS t ON t.global_id = k.global_id
          AND (k.respondents IS NOT NULL OR t.respondent_name IN (SELECT name FROM main.respondent_node))
        CROSS JOIN main.call_record AS \(call) ON \(isLinked(call)) OR \(call).origin = t.origin AND \(call)."key" IN (
            t.call_id, t.origin || '-' || t.call_id, k.call_id, t.origin || '-' || k.call_id)
        """
    }

    /// Whether a call names ticket `t`.
    private static func isLinked(_ call: String) -> String {
        """
        \(call).linked_request IN (t.global_id, \(bare("t", "global_id")))
          AND (\(call).linked_request = t.global_id OR \(call).origin = t.origin)
        """
    }

    /// The ticket of before may have named another call.
    private static func wasOfTicket(_ call: String) -> String {
        "(\(isLinked(call)) OR \(call).\"key\" IN (k.call_id, t.origin || '-' || k.call_id))"
    }

    /// A SELECT of the live requests that `row` belongs to, as `t`, as far as `condition` holds. Ticket and call name each other
    /// by key; where another system wrote the link, by the key without the node's code.
    static func requests(of row: String, _ resource: ResourceDefinition, where condition: String = "1") -> String {
        let isRight = "t.deleted = \(RowState.live.rawValue) AND \(condition)"
        func ofCall(_ call: String, _ from: String = "FROM") -> String {
            """
            SELECT t.* \(from) service_request AS t
            WHERE t.global_id IN (\(call).linked_request, \(call).origin || '-' || \(call).linked_request) AND \(isRight)
            UNION ALL
            SELECT t.* \(from) service_request AS t
            WHERE t.call_id IN (\(call)."key", \(bare(call, "\"key\""))) AND +t.origin = \(call).origin
              AND t.respondent_name IS NOT NULL AND \(isRight)
            """
        }
        switch resource.name {
        case "call_record": return ofCall(row)
        case "recording":
            let call = """
                FROM (SELECT * FROM call_record WHERE origin = \(row).origin
                        AND "key" IN (\(row).call_id, \(row).origin || '-' || \(row).call_id)) AS c CROSS JOIN
                """
            return ofCall("c", call)
        default: return "SELECT t.* FROM service_request AS t WHERE t.global_id = \(row).global_id AND \(isRight)"
        }
    }

    /// A key without the code of its node, as other systems write it.
    private static func bare(_ row: String, _ column: String) -> String {
        "substr(\(row).\(column), length(\(row).origin) + 2)"
    }
}
