/// Who must see a ticket, whatever the aggregation mode (design rule 4): its origin, everyone to whom it was transferred, and
/// every node above one of these that has written in its thread (who supervises it, dispatches it, decides on it).
///
/// A node does not come in by writing a record: else anybody could make a stranger's ticket flow to itself by naming it.
/// Nobody goes out by a later record: whoever was given a ticket has read it, and answers for what it did with it. Somebody
/// goes out when the record that brought him in is taken back, or when a report (举报) turns out to accuse him.
package enum TicketAudience {
    /// How the records of a thread are read for it.
    package static let forms = BuiltInResources.ticketResources.map { resource in
        let columns: [TicketColumn] = [.ticketOrigin, .toNode, .step, .requestType, .respondentName]
        return TicketEvent.Form(resource.name, columns: columns.filter { resource.column(named: $0.rawValue) != nil })
    }

    /// A report is transferred neither to the node that it accuses nor through it (ground rule 7, 济南条例 Art. 32). What
    /// goes to its origin is not held back: without that, nodes would in turn learn and forget whom it accuses.
    ///
    /// - Parameter thread: the live records of the ticket that are held here.
    /// - Returns: empty when it can't be told whose the ticket is: the request is not here, and the records disagree.
    package static func nodes(of thread: [TicketEvent], topology: Topology) -> Set<NodeID> {
        guard let origin = origin(of: thread) else { return [] }
        let accused = accused(by: thread, topology: topology)
        var nodes: Set<NodeID> = [origin]
        var above = Set(topology.chain(from: origin))
        while true {
            let named = thread.flatMap { record -> [NodeID] in
                guard let author = NodeID(record.origin) else { return [] }
                let isAbove = above.contains(author)
                var target = nodes.contains(author) || isAbove ? target(of: record) : nil
                if !accused.isEmpty, let node = target,
                    !accused.isDisjoint(with: topology.path(from: author, to: node))
                {
                    target = nil
                }
                return (isAbove ? [author] : []) + (target.map { [$0] } ?? [])
            }
            let new = Set(named.filter(topology.contains)).subtracting(nodes)
            if new.isEmpty { return nodes }
            nodes.formUnion(new)
            for node in new { above.formUnion(topology.chain(from: node)) }
        }
    }

    private static func accused(by thread: [TicketEvent], topology: Topology) -> Set<NodeID> {
        let reports = thread.filter { $0.kind == .request && $0.text(.requestType) == "4" }
        let names = Set(reports.compactMap { $0.text(.respondentName) })
        return Set(topology.nodes.filter { names.contains($0.name) }.map(\.id))
    }

    private static func origin(of thread: [TicketEvent]) -> NodeID? {
        if let request = thread.first(where: { $0.resource == BuiltInResources.serviceRequest.name }) {
            return NodeID(request.origin)
        }
        let claims = Set(thread.map { $0.text(.ticketOrigin) })
        return claims.count == 1 ? claims.first.flatMap { $0 }.flatMap { NodeID($0) } : nil
    }

    private static func target(of record: TicketEvent) -> NodeID? {
        guard let step = record.text(.step), ["offer", "designate"].contains(step) else { return nil }
        return record.text(.toNode).flatMap { NodeID($0) }
    }
}
