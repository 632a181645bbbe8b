import FederationModel
import GRDB

extension NodeStore {
    /// Every order that is here, of this node and of others, the oldest first.
    package func removalOrders() async throws -> [RemovalOrder] {
        try await pool.read { db in
            let confirmations = try Row.fetchAll(
                db,
                sql:
                    "SELECT removal, removal_origin, origin, confirmed_at FROM main.removal_confirmation WHERE deleted = 0"
            )
            let byOrder = Dictionary(grouping: confirmations) { "\($0[1] as String).\($0[0] as String)" }
            return try Row.fetchAll(
                db,
                sql: """
                    SELECT "key", origin, kind, reason, row_count, ordered_at, lifted_at, audience FROM main.removal_order
                    WHERE deleted = 0 ORDER BY ordered_at, "key"
                    """
            ).compactMap { row in
                guard let origin = NodeID(row[1]) else { return nil }
                var order = RemovalOrder(
                    id: row[0], origin: origin, kind: row[2], reason: row[3], rows: row[4], orderedAt: row[5],
                    liftedAt: row[6],
                    audience: Set((row[7] as String? ?? "").split(separator: " ").compactMap { NodeID(String($0)) }))
                for confirmation in byOrder["\(origin).\(order.id)"] ?? [] {
                    if let node = NodeID(confirmation[2]) { order.confirmations[node] = confirmation[3] }
                }
                return order
            }
        }
    }
}
