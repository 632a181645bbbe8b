/// Everything that a node goes by at one moment: the topology, its own catalog, the reference data and the policy of each of its
/// links. An immutable value and a pure function of what the store holds: `StandingPublisher` makes a new one when that changes
/// (a release is adopted, the catalog is published, an approval runs out at midnight), and everybody asks
/// `NodeStore.standing` at each use. So nothing in a running node can go by yesterday's.
package struct Standing: Sendable {
    package let node: NodeID
    package let topology: Topology
    package let reference: ReferenceData
    /// By which tickets are folded and this node's own records are checked.
    package let rules: LifecycleRules
    /// The releases of this node's catalog, in the order of their versions.
    package let catalogs: [CatalogRelease]
    /// What this node may send, by receiver.
    package let outgoing: [NodeID: LinkPolicy]
    /// What it may be sent, by sender. The sender's catalog is its own to apply; its rows are held against it when they come.
    package let incoming: [NodeID: LinkPolicy]

    /// - Parameters:
    ///   - revisions: under which topology version the policy of a link was last changed; the present version for links that
    ///     are not named.
    ///   - rules: nil for those that the reference data give.
    package init(
        node: NodeID, topology: Topology = Topology(name: "", version: 0, nodes: []), revisions: LinkRevisions = [:],
        catalogs: [CatalogRelease] = [], reference: ReferenceData = .builtIn, rules: LifecycleRules? = nil,
        resources: [ResourceDefinition] = BuiltInResources.all
    ) {
        self.node = node
        self.topology = topology
        self.reference = reference
        self.catalogs = catalogs
        self.rules =
            rules
            ?? LifecycleRules(
                reference, top: topology.root?.id ?? node, hierarchy: NodeHierarchy(topology))
        var (outgoing, incoming) = ([NodeID: LinkPolicy](), [NodeID: LinkPolicy]())
        for neighbour in topology.neighbours(of: node) {
            func policy(from sender: NodeID, to receiver: NodeID) -> LinkPolicy? {
                let since = revisions[LinkEdge(sender: sender, receiver: receiver)] ?? topology.version
                return LinkPolicy(from: sender, to: receiver, topology: topology, resources: resources)?
                    .at(LinkRevision(topology: since, policy: 0))
            }
            outgoing[neighbour] = policy(from: node, to: neighbour)?.under(catalogs)
            incoming[neighbour] = policy(from: neighbour, to: node)
        }
        self.outgoing = outgoing
        self.incoming = incoming
    }

    /// The node that owns topology and reference data.
    package var top: NodeID { topology.root?.id ?? node }

    /// By which the codes of this node's own records are checked.
    package var lists: CodeLists { reference.lists }

    /// Whether the topology has this node. One that a release has removed keeps its records and has no links.
    package var isDetached: Bool { topology.version > 0 && !topology.contains(node) }
}

/// One direction of one edge.
package struct LinkEdge: Hashable, Sendable {
    package let sender: NodeID
    package let receiver: NodeID

    package init(sender: NodeID, receiver: NodeID) {
        self.sender = sender
        self.receiver = receiver
    }
}

/// By link, the topology version under which its policy was last changed. A sweep begins when that changes, and only then.
package typealias LinkRevisions = [LinkEdge: Int64]
