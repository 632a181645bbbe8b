/// What may flow over one direction of one link: a pure function of the topology, applied at every hop by whoever sends
/// (design rule 7) and checked again by whoever receives.
///
/// Row filters and field treatment of the catalog join here.
package struct LinkPolicy: Hashable, Sendable {
    package let sender: NodeID
    package let receiver: NodeID
    package let revision: LinkRevision
    /// The resources of which rows may be copied, in the order of the built-in catalog, which is the order of a sweep.
    package let resources: [ResourceName]
    /// Those of them that are granted whole. Of the others, a row is granted when somebody behind the link must see its
    /// ticket (design rule 4), whatever the mode and the direction.
    package let wholeResources: Set<ResourceName>
    /// Origins whose rows the sender supplies to the receiver.
    package let origins: Set<NodeID>
    /// The nodes behind the link, as seen from the sender: the receiver, and whoever is reached through it.
    package let nodesBehind: Set<NodeID>

    /// - Returns: nil when the topology has no edge between the two.
    package init?(from sender: NodeID, to receiver: NodeID, topology: Topology, resources: [ResourceDefinition]) {
        guard let role = topology.role(of: receiver, to: sender) else { return nil }
        self.sender = sender
        self.receiver = receiver
        revision = LinkRevision(topology: topology.version, policy: 0)
        // Reference data comes from above; what a child or a peer says of it counts for nothing.
        let whole = resources.filter {
            $0.isReference ? role == .child : topology.mode(of: $0.name, from: sender, to: receiver) == .physical
        }.map(\.name)
        wholeResources = Set(whole)
        self.resources = resources.filter { $0.isTicketRecord || whole.contains($0.name) }.map(\.name)
        nodesBehind = Set(topology.nodes.map(\.id).filter { topology.nextHop(from: sender, to: $0) == receiver })
        origins = Set(topology.nodes.map(\.id).filter { topology.supplier(of: $0, to: receiver) == sender })
    }

    /// Where a sweep of this policy begins.
    package var sweepStart: SweepPosition {
        resources.first.map { .at(resource: $0, after: nil) } ?? .complete
    }

    /// Where a sweep goes on after the last row of `resource`.
    package func sweepPosition(after resource: ResourceName) -> SweepPosition {
        guard let index = resources.firstIndex(of: resource), index + 1 < resources.count else { return .complete }
        return .at(resource: resources[index + 1], after: nil)
    }
}
