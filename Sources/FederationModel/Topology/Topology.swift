/// How a resource is aggregated over a link (5.2): rows are copied, or the analysis goes to the data.
package enum AggregationMode: String, Sendable, Codable {
    case physical
    case logical

    package var title: String {
        switch self {
        case .physical: "物理汇聚"
        case .logical: "逻辑接入"
        }
    }
}

/// One node of the tree, as the topology file describes it.
package struct TopologyNode: Hashable, Sendable {
    package let id: NodeID
    package let name: String
    package let parent: NodeID?
    package let peers: Set<NodeID>
    /// The region that the node serves; GB/T 2260, usually the node's own code.
    package let region: String
    /// `https://HOST:PORT` where other nodes reach it; nil when it can't be reached from outside.
    package let endpoint: String?
    /// Mode of each resource on the link to its parent; `defaultMode` for those not named.
    package let modes: [ResourceName: AggregationMode]
    package let defaultMode: AggregationMode
    /// Resources that it gives to its peers as rows; the others stay where they are.
    package let sharedWithPeers: Set<ResourceName>
    /// What of the rows that it copies to its parent it gives.
    package let grant: LinkGrant
    /// The same for each peer; a peer that is not named gets what `grant` gives.
    package let peerGrants: [NodeID: LinkGrant]
    /// Whether it takes no new tickets, because it is to be removed.
    package let isDraining: Bool

    package init(
        id: NodeID, name: String, parent: NodeID?, peers: Set<NodeID> = [], region: String, endpoint: String?,
        modes: [ResourceName: AggregationMode] = [:], defaultMode: AggregationMode = .physical,
        sharedWithPeers: Set<ResourceName> = [], grant: LinkGrant = LinkGrant(),
        peerGrants: [NodeID: LinkGrant] = [:], isDraining: Bool = false
    ) {
        self.id = id
        self.name = name
        self.parent = parent
        self.peers = peers
        self.region = region
        self.endpoint = endpoint
        self.modes = modes
        self.defaultMode = defaultMode
        self.sharedWithPeers = sharedWithPeers
        self.grant = grant
        self.peerGrants = peerGrants
        self.isDraining = isDraining
    }

    package func mode(of resource: ResourceName) -> AggregationMode { modes[resource] ?? defaultMode }
}

/// What a neighbour is to a node.
package enum LinkRole: String, Sendable {
    case parent
    case child
    case peer
}

/// The federation's tree with its peer edges. Everything that a link needs to know about paths is a pure function of this
/// value, so both ends of a link, standing on the same version, decide alike.
package struct Topology: Sendable {
    package let name: String
    package let version: Int64
    /// In the order of the file.
    package let nodes: [TopologyNode]
    /// Nodes that were removed and whose records are kept frozen (封存), in the order of the file.
    package let detached: [DetachedNode]
    private let byID: [NodeID: TopologyNode]
    private let childrenByParent: [NodeID: [NodeID]]

    /// - Precondition: the nodes have been checked (one root, known parents, no cycle, no code twice); `TopologyFile`
    ///   does that and names what is wrong.
    package init(name: String, version: Int64, nodes: [TopologyNode], detached: [DetachedNode] = []) {
        self.name = name
        self.version = version
        self.nodes = nodes
        self.detached = detached
        byID = Dictionary(nodes.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        childrenByParent = Dictionary(
            grouping: nodes.filter { $0.parent != nil }, by: { $0.parent ?? $0.id }
        ).mapValues { $0.map(\.id) }
    }

    /// What decides over links, as text that is equal for equal topologies: all but names and addresses.
    package var statement: String {
        func modes(_ modes: [ResourceName: AggregationMode]) -> String {
            modes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.rawValue)" }.joined(separator: ",")
        }
        return nodes.sorted { $0.id < $1.id }.map { node in
            let grants = [("", node.grant)] + node.peerGrants.sorted { $0.key < $1.key }.map { ($0.key.code, $0.value) }
            return
                ([
                    "\(node.id) under \(node.parent?.code ?? "-") beside \(node.peers.sorted())",
                    "\(node.defaultMode.rawValue) \(modes(node.modes)) shares \(node.sharedWithPeers.sorted())",
                ] + grants.flatMap { name, grant in grant.lines.map { "\(name) \($0)" } }).joined(separator: "; ")
        }.joined(separator: "\n")
    }

    package func node(_ id: NodeID) -> TopologyNode? { byID[id] }

    package func contains(_ id: NodeID) -> Bool { byID[id] != nil }

    package var root: TopologyNode? { nodes.first { $0.parent == nil } }

    package func children(of id: NodeID) -> [NodeID] { childrenByParent[id] ?? [] }

    package func peers(of id: NodeID) -> Set<NodeID> { byID[id]?.peers ?? [] }

    /// Parent, children and peers, in a stable order.
    package func neighbours(of id: NodeID) -> [NodeID] {
        (node(id)?.parent.map { [$0] } ?? []) + children(of: id) + peers(of: id).sorted()
    }

    /// What `neighbour` is to `id`; nil when there is no edge.
    package func role(of neighbour: NodeID, to id: NodeID) -> LinkRole? {
        if node(id)?.parent == neighbour { return .parent }
        if node(neighbour)?.parent == id { return .child }
        return peers(of: id).contains(neighbour) ? .peer : nil
    }

    /// `id` and its ancestors up to the root.
    package func chain(from id: NodeID) -> [NodeID] {
        var chain = [id]
        while let parent = chain.last.flatMap({ node($0)?.parent }), !chain.contains(parent) { chain.append(parent) }
        return chain
    }

    /// The lowest node that is above both, or is one of them; nil when one of them is not in the tree.
    package func commonParent(of a: NodeID, _ b: NodeID) -> NodeID? {
        let above = chain(from: b)
        return chain(from: a).first { contains($0) && above.contains($0) }
    }

    /// `id` and everything below it, parents before children.
    package func subtree(of id: NodeID) -> [NodeID] {
        [id] + children(of: id).flatMap { subtree(of: $0) }
    }

    /// The detached nodes whose records belong to answers over `id` and everything below it.
    package func detached(under id: NodeID) -> [DetachedNode] {
        detached.filter { chain(from: $0.parent).contains(id) }
    }

    /// Whose tickets an answer over `id` counts: everything below it, and what detached nodes have left there.
    package func origins(under id: NodeID) -> [NodeID] { subtree(of: id) + detached(under: id).map(\.id) }

    /// A node, or one that was detached, as people call it.
    package func name(of id: NodeID) -> String? {
        node(id)?.name ?? detached.first { $0.id == id }?.name
    }

    /// The next hop from `a` towards `b`: the direct edge if there is one, else along the tree.
    package func nextHop(from a: NodeID, to b: NodeID) -> NodeID? {
        if a == b { return nil }
        if role(of: b, to: a) != nil { return b }
        let below = chain(from: b)
        if let index = below.firstIndex(of: a) { return below[index - 1] }
        return node(a)?.parent
    }

    /// The nodes that lie on the way from `a` to `b`, and `b`.
    package func path(from a: NodeID, to b: NodeID) -> [NodeID] {
        var path: [NodeID] = []
        while let next = nextHop(from: path.last ?? a, to: b), !path.contains(next) { path.append(next) }
        return path
    }

    /// The one neighbour from which `receiver` takes rows of `origin` (design rule 1). Rows from any other neighbour are
    /// refused, so nothing echoes and nothing needs de-duplication.
    package func supplier(of origin: NodeID, to receiver: NodeID) -> NodeID? {
        guard contains(origin), origin != receiver else { return nil }
        return nextHop(from: receiver, to: origin)
    }

    /// The mode of `resource` on the edge from `sender` to `receiver`. Nobody chooses one for what flows down, so it is logical
    /// there; `ResourceFlow` says what goes there all the same.
    package func mode(of resource: ResourceName, from sender: NodeID, to receiver: NodeID) -> AggregationMode {
        guard let node = node(sender) else { return .logical }
        switch role(of: receiver, to: sender) {
        case .parent: return node.mode(of: resource)
        case .peer: return node.sharedWithPeers.contains(resource) ? .physical : .logical
        case .child, nil: return .logical
        }
    }

    /// Whether the edge from `sender` to `receiver` copies all of `resources`.
    package func copies(_ resources: [ResourceName], from sender: NodeID, to receiver: NodeID) -> Bool {
        resources.allSatisfy { mode(of: $0, from: sender, to: receiver) == .physical }
    }

    /// What `sender` gives to `receiver`: which tickets of the resources that are copied to it, and what of each row. To a
    /// child nothing is held back: who handles a ticket needs all of it.
    package func grant(from sender: NodeID, to receiver: NodeID) -> LinkGrant {
        guard let node = node(sender) else { return LinkGrant() }
        return switch role(of: receiver, to: sender) {
        case .parent: node.grant
        case .peer: node.peerGrants[receiver] ?? node.grant
        case .child, nil: LinkGrant()
        }
    }
}
