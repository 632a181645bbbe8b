/// Who must see a ticket, whatever the aggregation mode (design rule 4): its origin, everyone to whom it was transferred, and
/// every node above one of these that has written in its thread (who supervises it, dispatches it, decides on it).
///
/// A node does not come in by writing a record: else anybody could make a stranger's ticket flow to itself by naming it.
/// Nobody goes out again: whoever was given a ticket has read it, and answers for what it did with it.
package enum TicketAudience {
    /// The columns that it reads, by resource.
    package static let columns: [ResourceName: [String]] = Dictionary(
        uniqueKeysWithValues: BuiltInResources.ticketResources.map { resource in
            let names = ["ticket_origin", "to_node", "step"]
            return (resource.name, names.filter { resource.column(named: $0) != nil })
        })

    /// - Parameter thread: the live records of the ticket that are held here.
    /// - Returns: empty when it can't be told whose the ticket is: the request is not here, and the records disagree.
    package static func nodes(of thread: [TicketEvent], topology: Topology) -> Set<NodeID> {
        guard let origin = origin(of: thread) else { return [] }
        var nodes: Set<NodeID> = [origin]
        var above = Set(topology.chain(from: origin))
        while true {
            let named = thread.flatMap { record -> [NodeID] in
                guard let author = NodeID(record.origin) else { return [] }
                let isAbove = above.contains(author)
                let target = nodes.contains(author) || isAbove ? target(of: record) : nil
                return (isAbove ? [author] : []) + (target.map { [$0] } ?? [])
            }
            let new = Set(named.filter(topology.contains)).subtracting(nodes)
            if new.isEmpty { return nodes }
            nodes.formUnion(new)
            for node in new { above.formUnion(topology.chain(from: node)) }
        }
    }

    private static func origin(of thread: [TicketEvent]) -> NodeID? {
        if let request = thread.first(where: { $0.resource == BuiltInResources.serviceRequest.name }) {
            return NodeID(request.origin)
        }
        let claims = Set(thread.map { $0.text("ticket_origin") })
        return claims.count == 1 ? claims.first.flatMap { $0 }.flatMap { NodeID($0) } : nil
    }

    private static func target(of record: TicketEvent) -> NodeID? {
        guard let step = record.text("step"), ["offer", "designate"].contains(step) else { return nil }
        return record.text("to_node").flatMap { NodeID($0) }
    }
}
