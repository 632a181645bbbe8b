/// What one topology makes of another for a link, told from their policies alone.
package enum LinkChange: String, Hashable, Sendable {
    case added
    case removed
    /// What the receiver is granted has changed: a sweep brings it there.
    case swept
    /// Who supplies whom has changed, but nothing that has been sent. The connection is made anew, and nothing
    /// travels again.
    case rerouted
    /// Only where a node is reached, or what it is called.
    case same
}

extension LinkPolicy {
    /// - Parameters:
    ///   - former: under the topology before; nil when it had no such link.
    ///   - current: nil when the topology has no such link any more.
    ///   - known: every node that an earlier topology had. What a node that is not among them has is new, and the tail
    ///     brings it.
    ///   - present: the nodes of the new topology.
    package static func change(
        from former: LinkPolicy?, to current: LinkPolicy?, known: Set<NodeID>, present: Set<NodeID>
    ) -> LinkChange {
        guard let current else { return former == nil ? .same : .removed }
        guard let former else { return .added }
        func isMaterial(_ before: Set<NodeID>, _ now: Set<NodeID>) -> Bool {
            !now.subtracting(before).isDisjoint(with: known) || !before.subtracting(now).isDisjoint(with: present)
        }
        var (grants, formerGrants) = (current.grant, former.grant)
        // Those are about answers, not about what is copied.
        (grants.rowQueries, formerGrants.rowQueries) = ([], [])
        (grants.minCell, formerGrants.minCell) = (0, 0)
        guard current.resources == former.resources, current.wholeResources == former.wholeResources,
            grants == formerGrants, current.receiverNames == former.receiverNames,
            !isMaterial(former.origins, current.origins), !isMaterial(former.nodesBehind, current.nodesBehind)
        else { return .swept }
        return current.origins == former.origins ? .same : .rerouted
    }

    /// Whether whatever one of the two lets through the other does too, so that a connection may go on. Who else is behind the
    /// link may differ: under one revision nothing that is here concerns those.
    package func isSame(as other: LinkPolicy) -> Bool {
        var policy = at(other.revision)
        policy.nodesBehind = other.nodesBehind
        return policy == other
    }
}

/// What a new topology changes in a federation: a pure function of both, so every node computes the same.
package struct TopologyChange: Sendable {
    /// One direction of one edge that the new topology changes.
    package struct Link: Sendable {
        package let edge: LinkEdge
        package let former: LinkPolicy?
        package let current: LinkPolicy?
        package let change: LinkChange
    }

    package let old: Topology
    package let new: Topology
    /// All that are not the same, in the order of the new topology's nodes, then the old one's.
    package let links: [Link]
    /// Nodes that are in neither the new topology's nodes nor its detached ones, whose rows are deleted.
    package let purged: [TopologyNode]
    /// Nodes that become detached, whose rows are kept.
    package let frozen: [DetachedNode]

    /// - Parameter known: every node that an earlier topology had, those of `old` among them or not.
    package init(from old: Topology, to new: Topology, known: Set<NodeID>, resources: [ResourceDefinition]) {
        self.old = old
        self.new = new
        let known = known.union(old.nodes.map(\.id))
        let present = Set(new.nodes.map(\.id))
        var links: [Link] = []
        for edge in Self.edges(of: old, new) {
            let former = LinkPolicy(from: edge.sender, to: edge.receiver, topology: old, resources: resources)
            let current = LinkPolicy(from: edge.sender, to: edge.receiver, topology: new, resources: resources)
            let change = LinkPolicy.change(from: former, to: current, known: known, present: present)
            if change != .same {
                links.append(Link(edge: edge, former: former, current: current, change: change))
            }
        }
        self.links = links
        let kept = present.union(new.detached.map(\.id))
        purged = old.nodes.filter { !kept.contains($0.id) }
        frozen = new.detached.filter { old.contains($0.id) }
    }

    /// Both directions of every edge of either topology, each once.
    private static func edges(of old: Topology, _ new: Topology) -> [LinkEdge] {
        var seen: Set<LinkEdge> = []
        var edges: [LinkEdge] = []
        for topology in [new, old] {
            for node in topology.nodes {
                for neighbour in topology.neighbours(of: node.id) {
                    let edge = LinkEdge(sender: node.id, receiver: neighbour)
                    if seen.insert(edge).inserted { edges.append(edge) }
                }
            }
        }
        return edges
    }
}

extension Topology {
    /// The origins whose copies at a node may not be whole under this topology: their rows come another way than under `former`, whose
    /// last hop may not have them yet, or a hop of it grants what it did not.
    ///
    /// - Parameter known: every node that an earlier topology had, those of `former` among them or not.
    package func origins(
        inDoubtAt node: NodeID, after former: Topology, known: Set<NodeID> = [], resources: [ResourceDefinition]
    ) -> Set<NodeID> {
        let (known, present) = (known.union(former.nodes.map(\.id)), Set(nodes.map(\.id)))
        var verdicts: [LinkEdge: Bool] = [:]
        func isChanged(_ edge: LinkEdge) -> Bool {
            if let verdict = verdicts[edge] { return verdict }
            func policy(_ topology: Topology) -> LinkPolicy? {
                LinkPolicy(from: edge.sender, to: edge.receiver, topology: topology, resources: resources)
            }
            let change = LinkPolicy.change(from: policy(former), to: policy(self), known: known, present: present)
            let verdict = change != .same && change != .rerouted
            verdicts[edge] = verdict
            return verdict
        }
        func way(_ topology: Topology, of origin: NodeID) -> [LinkEdge] {
            topology.hops(of: origin, to: node).map { LinkEdge(sender: $0.sender, receiver: $0.receiver) }
        }
        return Set(
            nodes.map(\.id).filter { origin in
                guard former.contains(origin) else { return false }
                let hops = way(self, of: origin)
                return hops != way(former, of: origin) || hops.contains(where: isChanged)
            })
    }
}
