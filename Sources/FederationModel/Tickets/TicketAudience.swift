/// Who must see a ticket, whatever the aggregation mode (design rule 4): its origin, everyone to whom it was transferred, and
/// every node above one of these that has written in its thread (who supervises it, dispatches it, decides on it).
///
/// A node does not come in by writing a record: else anybody could make a stranger's ticket flow to itself by naming it.
/// Nobody goes out by a later record: whoever was given a ticket has read it, and answers for what it did with it. Somebody
/// goes out when the record that brought him in is taken back, or when a report (举报) turns out to accuse him.
package enum TicketAudience {
    /// The columns that it reads beside those by which a thread finds its request (`TicketFold.columns`).
    package static let columns: [TicketColumn] = [
        .ticketOrigin, .toNode, .step, .requestType, .respondentName, .confidential, .action, .target,
    ]

    /// A report reaches neither a node that it accuses nor anybody through it (`Accusation`), also where he has got hold of it. What
    /// goes to its origin is not held back, unless the way leads through him: without that, nodes would in turn learn and forget whom
    /// it accuses.
    ///
    /// - Parameters:
    ///   - thread: the live records of the ticket that are held at `here`.
    ///   - here: the node from which it would go to them.
    /// - Returns: empty when it can't be told whose the ticket is: the request is not here, and the records disagree. With
    ///   `here` when somebody is accused, so that there is an audience to look at again.
    package static func nodes(of thread: [TicketEvent], at here: NodeID, topology: Topology) -> Set<NodeID> {
        guard let origin = origin(of: thread) else { return [] }
        let accused = Accusation.nodes(accusedBy: thread, topology: topology)
        let nodes = named(by: thread, origin: origin, topology: topology)
        if accused.isEmpty { return nodes }
        let reached = accused.contains(here) ? nodes.intersection([origin]) : nodes
        return reached.filter { accused.isDisjoint(with: topology.path(from: here, to: $0)) }.union([here])
    }

    private static func named(by thread: [TicketEvent], origin: NodeID, topology: Topology) -> Set<NodeID> {
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
        if let request = TicketEvent.request(of: thread) { return NodeID(request.origin) }
        let claims = Set(thread.map { $0.text(.ticketOrigin) })
        return claims.count == 1 ? claims.first.flatMap { $0 }.flatMap { NodeID($0) } : nil
    }

    private static func target(of record: TicketEvent) -> NodeID? {
        guard let step = record.text(.step), ["offer", "designate"].contains(step) else { return nil }
        return record.text(.toNode).flatMap { NodeID($0) }
    }
}
