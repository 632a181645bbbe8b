import FederationModel

/// Who answers for which origin, seen from one node. A pure function of the topology.
///
/// Each origin is in exactly one part: `local`, when its rows have been copied here, or the part of the one child on the
/// way to it. So nothing is counted twice, whatever copies a node has besides (those of peers, or of tickets that it must
/// see): they are in no part. The child plans again, with the origins that it was asked for.
package struct QueryPlan: Hashable, Sendable {
    package let node: NodeID
    /// Origins answered from this node's store, its own among them if it was wanted.
    package let local: [NodeID]
    /// Origins that each child must answer for. A child that is not asked is not there.
    package let delegated: [NodeID: [NodeID]]
    /// What an answer needs.
    package let resources: [ResourceName]

    /// - Parameters:
    ///   - node: the node that plans.
    ///   - resources: what an answer needs, `Analysis.resourcesNeeded`. An origin is local only if all of them are.
    ///   - wanted: the origins to answer for; nil for the node and everything below it.
    /// - Throws: `E_QUERY_SCOPE` when a wanted origin is not in the node's subtree.
    package init(topology: Topology, node: NodeID, resources: [ResourceName], wanted: [NodeID]? = nil)
        throws(FederationError)
    {
        let subtree = topology.origins(under: node)
        let wantedSet = wanted.map(Set.init) ?? Set(subtree)
        if let foreign = wantedSet.subtracting(subtree).min() {
            throw FederationError(
                "E_QUERY_SCOPE", "node \(node) cannot answer for \(foreign), which is not below it",
                hint: "both nodes must stand on the same topology version")
        }
        func isHere(_ origin: NodeID) -> Bool {
            // What a detached node left lies at its parent, and went on from there as the parent's own rows do.
            let place = topology.detached.first { $0.id == origin }?.parent ?? origin
            return Self.isCopied(place, to: node, of: resources, topology: topology)
        }
        local = subtree.filter { wantedSet.contains($0) && isHere($0) }
        var delegated: [NodeID: [NodeID]] = [:]
        for child in topology.children(of: node) {
            let asked = topology.origins(under: child).filter { wantedSet.contains($0) && !isHere($0) }
            if !asked.isEmpty { delegated[child] = asked }
        }
        self.node = node
        self.delegated = delegated
        self.resources = resources
    }

    /// Every origin that was wanted.
    package var origins: [NodeID] { local + delegated.values.flatMap { $0 } }

    /// Whether every hop on the way of the origin's rows to `receiver` copies all of `resources`. The way is that of
    /// design rule 1, backwards: each node's one supplier for the origin, so it is the way the rows really go.
    private static func isCopied(
        _ origin: NodeID, to receiver: NodeID, of resources: [ResourceName], topology: Topology
    ) -> Bool {
        var receiver = receiver
        while let supplier = topology.supplier(of: origin, to: receiver) {
            guard topology.copies(resources, from: supplier, to: receiver) else { return false }
            receiver = supplier
        }
        return true
    }
}
