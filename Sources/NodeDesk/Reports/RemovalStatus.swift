import FederationModel
import LocalStore

/// A removal order of this node, held against the nodes that must confirm it (8.1-5).
package struct RemovalStatus: Sendable {
    package let order: RemovalOrder
    /// The nodes that can hold copies, by the topology in force.
    package let expected: [TopologyNode]
    /// Those of them that have not confirmed.
    package let missing: [TopologyNode]
    /// Whether that has lasted longer than the setting `removal-confirmation-hours` allows.
    package let isOverdue: Bool

    /// This node's own orders, the oldest first.
    package static func all(of local: LocalNode, now: UnixMilliseconds) async throws -> [RemovalStatus] {
        let orders = try await local.store.removalOrders().filter { $0.origin == local.id }
        guard !orders.isEmpty else { return [] }
        var holders: [Set<NodeID>: Set<NodeID>] = [:]
        let limit = Int64(local.settings.removalConfirmationHours * 3_600_000)
        return orders.map { order in
            let reached =
                holders[order.audience]
                ?? local.topology.holders(of: local.id, audience: order.audience, resources: local.store.resources)
            holders[order.audience] = reached
            let expected = local.topology.nodes.filter { reached.contains($0.id) }
            let missing = order.liftedAt == nil ? expected.filter { order.confirmations[$0.id] == nil } : []
            return RemovalStatus(
                order: order, expected: expected, missing: missing,
                isOverdue: !missing.isEmpty && now - order.orderedAt > limit)
        }
    }
}
