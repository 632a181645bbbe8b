/// Deletion and recall of tickets as resources (clause 8.1: 责任不随数据转移): what the provider orders, and who has
/// confirmed it.
///
/// The order names no ticket, so it may go wherever rows of its origin go without telling anybody a key that was never
/// granted (design rule 3). It is written after the rows that it is about, and links keep that order: a node that holds the
/// order holds none of its rows any more.
package enum RemovalResources {
    package static let all: [ResourceDefinition] = [order, confirmation]
    package static let names = Set(all.map(\.name))

    /// 召回(删除)单: one for each act, written by the node whose records it is about.
    package static let order = ResourceDefinition(
        "removal_order", "数据召回(删除)单",
        columns: [
            .init("kind", "类型", level: .open, codeList: "removal_kind", required: true, bytesMax: 32),
            .init("reason", "事由", level: .open, codeList: "removal_reason", required: true, bytesMax: 32),
            .init("row_count", "记录数", .integer, level: .open, required: true),
            .init("ordered_at", "下达时间", .timestamp, level: .open, required: true),
            // Who had to see the tickets, whatever the mode; codes with a space between them.
            .init("audience", "知悉节点", level: .open, bytesMax: 10_000),
            // From then on nobody need confirm it: its rows are granted again, or a later order is about them.
            .init("lifted_at", "解除时间", .timestamp, level: .open),
        ], flow: .withTickets)

    /// 召回(删除)回执: written by each node that has been told and holds none of the rows.
    package static let confirmation = ResourceDefinition(
        "removal_confirmation", "数据召回(删除)回执",
        columns: [
            .init("removal", "召回(删除)单", level: .open, required: true, bytesMax: 64),
            .init("removal_origin", "下达节点", level: .open, required: true, bytesMax: 12),
            .init("confirmed_at", "确认时间", .timestamp, level: .open, required: true),
        ], indexes: [["removal"]], flow: .everywhere)

    /// Whether deletion and recall of a ticket reach rows of `resource`: the request, its thread, its calls, their recordings.
    package static func covers(_ resource: ResourceDefinition) -> Bool {
        resource.isThreadRecord
            || [BuiltInResources.serviceRequest.name, "call_record", "recording"].contains(resource.name)
    }
}

/// What a removal order asks of the nodes that hold copies.
package enum RemovalKind: String, CaseIterable, Sendable {
    /// 删除: the rows are erased at their origin too.
    case delete
    /// 召回: the rows stay at their origin and leave every other node.
    case recall

    package var title: String {
        switch self {
        case .delete: "删除"
        case .recall: "召回"
        }
    }
}

extension ResourceDefinition {
    /// Whether its rows say for whom they are, so that they may flow over links that do not copy the resource.
    var hasAudience: Bool { thread != nil || name == RemovalResources.order.name }
}

extension Topology {
    /// The nodes that can hold copies of the records of `origin` that an order is about: all that the order reaches, link by
    /// link.
    ///
    /// - Parameter audience: who had to see the tickets whatever the mode.
    package func holders(
        of origin: NodeID, audience: Set<NodeID>, resources: [ResourceDefinition] = BuiltInResources.all
    ) -> Set<NodeID> {
        var reached: Set<NodeID> = [origin]
        var frontier = [origin]
        while let sender = frontier.popLast() {
            for receiver in neighbours(of: sender) where !reached.contains(receiver) {
                guard let policy = LinkPolicy(from: sender, to: receiver, topology: self, resources: resources),
                    policy.origins.contains(origin),
                    policy.wholeResources.contains(RemovalResources.order.name)
                        || !policy.nodesBehind.isDisjoint(with: audience)
                else { continue }
                reached.insert(receiver)
                frontier.append(receiver)
            }
        }
        return reached.subtracting([origin])
    }
}
