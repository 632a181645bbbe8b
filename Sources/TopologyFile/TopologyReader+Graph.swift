import FederationModel
import YAMLFile

/// What can be said only about all nodes together: who is whose parent and peer, and whether that is a tree.
extension TopologyReader {
    /// - Returns: nil when there are problems, of the nodes by themselves or of the tree.
    mutating func checked(_ draft: TopologyDraft) -> Topology? {
        let nodes = distinct(draft.nodes)
        checkRoots(draft)
        let circling = checkPaths(nodes)
        checkParents(nodes, circling: circling)
        checkPeers(nodes)
        checkEndpoints(nodes)
        checkDetached(draft.detached, nodes)
        guard problems.isEmpty else { return nil }
        return topology(draft, nodes)
    }

    /// The nodes by code; of two with the same code the first.
    private mutating func distinct(_ drafts: [NodeDraft]) -> [NodeID: NodeDraft] {
        var nodes: [NodeID: NodeDraft] = [:]
        for draft in drafts {
            guard let code = draft.code else { continue }
            guard let first = nodes[code.value], let firstLine = first.code?.line else {
                nodes[code.value] = draft
                continue
            }
            if let parent = draft.parent?.value, let firstParent = first.parent?.value, parent != firstParent {
                note(
                    "TWO_PARENTS", line: code.line,
                    "node \(code.value) has the parent \(firstParent) in line \(firstLine) and \(parent) here",
                    "list the node once with one parent, and give the other as a peer")
            } else {
                note(
                    "DUPLICATE_CODE", line: code.line, "node \(code.value) is listed in line \(firstLine) already",
                    "remove one of the two, or correct its code")
            }
        }
        return nodes
    }

    private mutating func checkRoots(_ draft: TopologyDraft) {
        let roots = draft.nodes.filter { !$0.namesParent }
        guard let root = roots.first else {
            if !draft.nodes.isEmpty {
                note(
                    "NO_ROOT", line: draft.nodesLine, "every node has a parent, so there is no root",
                    "remove `parent` from the topmost node")
            }
            return
        }
        for other in roots.dropFirst() where other.code?.value != root.code?.value || root.code == nil {
            note(
                "MANY_ROOTS", line: other.line,
                "\(label(other)) has no parent, but \(label(root)) in line \(root.line) is the root already",
                "add `parent` to one of them")
        }
    }

    /// - Parameter circling: the nodes of cycles; which region contains which is not to be said of them.
    private mutating func checkParents(_ nodes: [NodeID: NodeDraft], circling: Set<NodeID>) {
        for (id, draft) in nodes {
            guard let parent = draft.parent else { continue }
            guard let above = nodes[parent.value] else {
                noteUnknown("PARENT", parent, of: id, nodes)
                continue
            }
            guard !circling.contains(id), let inner = region(of: draft), let outer = region(of: above),
                !RegionRange(outer.value).contains(inner.value)
            else { continue }
            note(
                "REGION_OUTSIDE", line: inner.line,
                "the region \(inner.value) of node \(id) is outside the region \(outer.value) of its parent "
                    + "\(parent.value)",
                "correct the code, the parent or `region`")
        }
    }

    /// Finds cycles and paths that are too long. Every node is walked once: a path ends at the root, at a node that was
    /// walked before, or at a node of the path itself, which is a cycle.
    ///
    /// - Returns: the nodes of cycles.
    private mutating func checkPaths(_ nodes: [NodeID: NodeDraft]) -> Set<NodeID> {
        var circling: Set<NodeID> = []
        var depths: [NodeID: Int] = [:]
        for start in nodes.keys.sorted() where depths[start] == nil {
            var path: [NodeID] = []
            var positions: [NodeID: Int] = [:]
            var next: NodeID? = start
            while let id = next, depths[id] == nil, positions[id] == nil, nodes[id] != nil {
                positions[id] = path.count
                path.append(id)
                next = nodes[id]?.parent?.value
            }
            if let id = next, let position = positions[id] {
                circling.formUnion(path[position...])
                noteCycle(Array(path[position...]), nodes)
                // A cycle and what hangs below it have no depth.
                for id in path { depths[id] = 0 }
                continue
            }
            var depth = next.flatMap { depths[$0] } ?? 0
            for id in path.reversed() {
                depth += 1
                depths[id] = depth
                // Everything below a node that is too deep is so as well; the first says it.
                if depth == TopologyFile.depthMax + 1 {
                    note(
                        "TOO_DEEP", line: nodes[id]?.line ?? 1,
                        "node \(id) is on level \(depth) of the tree, the limit is \(TopologyFile.depthMax)",
                        "attach it further up")
                }
            }
        }
        return circling
    }

    private mutating func noteCycle(_ cycle: [NodeID], _ nodes: [NodeID: NodeDraft]) {
        let lines = cycle.compactMap { nodes[$0]?.parent?.line }
        var names = cycle.prefix(10).map(\.code)
        if cycle.count > 10 { names.append("…") }
        note(
            "CYCLE", line: lines.min() ?? 1,
            "the parents go round in a circle: \((names + [cycle[0].code]).joined(separator: " → "))",
            "correct the `parent` of one of these nodes")
    }

    private mutating func checkPeers(_ nodes: [NodeID: NodeDraft]) {
        for (id, draft) in nodes {
            for peer in draft.peers {
                if peer.value == id {
                    note("BAD_PEER", line: peer.line, "node \(id) is its own peer", "remove it from `peers`")
                } else if nodes[peer.value] == nil {
                    noteUnknown("PEER", peer, of: id, nodes)
                } else if draft.parent?.value == peer.value || nodes[peer.value]?.parent?.value == id {
                    note(
                        "BAD_PEER", line: peer.line, "\(peer.value) is a parent or a child of node \(id) already",
                        "remove it from `peers`; `parent` makes the link")
                }
            }
            for (peer, policy) in draft.peerGrants
            where !draft.peers.contains(where: { $0.value == peer })
                && nodes[peer]?.peers.contains(where: { $0.value == id }) != true
            {
                note(
                    "BAD_PEER", line: policy.line,
                    "`peer-policies` of node \(id) names \(peer), which is no peer of it",
                    "add it to `peers`, or remove it here")
            }
        }
    }

    private mutating func checkEndpoints(_ nodes: [NodeID: NodeDraft]) {
        let given = nodes.values.compactMap(\.endpoint).sorted { $0.line < $1.line }
        var lines: [String: Int] = [:]
        for endpoint in given {
            if let first = lines[endpoint.value] {
                note(
                    "DUPLICATE_ENDPOINT", line: endpoint.line,
                    "the endpoint \(endpoint.value) belongs to the node of line \(first) already",
                    "give each node a host and port of its own")
            } else {
                lines[endpoint.value] = endpoint.line
            }
        }
    }

    private mutating func checkDetached(_ detached: [DetachedDraft], _ nodes: [NodeID: NodeDraft]) {
        var seen: Set<NodeID> = []
        for node in detached {
            if nodes[node.code.value] != nil || !seen.insert(node.code.value).inserted {
                note(
                    "DUPLICATE_CODE", line: node.code.line,
                    "the detached node \(node.code.value) is listed as a node, or twice", "remove one of the two")
            }
            if nodes[node.parent.value] == nil { noteUnknown("PARENT", node.parent, of: node.code.value, nodes) }
        }
    }

    private mutating func noteUnknown(
        _ what: String, _ other: Located<NodeID>, of id: NodeID, _ nodes: [NodeID: NodeDraft]
    ) {
        // A node's parent is never what was meant by a peer of it.
        let taken: Set<NodeID?> = what == "PEER" ? [id, nodes[id]?.parent?.value] : [id]
        let near = codesWithOneOtherDigit(than: other.value).first { nodes[$0] != nil && !taken.contains($0) }
        note(
            "UNKNOWN_\(what)", line: other.line,
            "node \(id) names the \(what.lowercased()) \(other.value), which is not listed",
            near.map { "did you mean \"\($0)\"? Otherwise list it under `nodes`" }
                ?? "correct the code, or list it under `nodes`")
    }

    /// All codes that one wrong key press turns into `id`.
    private func codesWithOneOtherDigit(than id: NodeID) -> [NodeID] {
        let digits = Array(id.code)
        return digits.indices.flatMap { index in
            "0123456789".compactMap { digit in
                var other = digits
                other[index] = digit
                return NodeID(String(other))
            }
        }
    }

    /// The region that the file gives, else the node's own code, with the line to change.
    private func region(of draft: NodeDraft) -> Located<String>? {
        draft.region ?? draft.code.map { Located(value: $0.value.code, line: $0.line) }
    }

    private func label(_ draft: NodeDraft) -> String { draft.code.map { "node \($0.value)" } ?? "a node" }

    /// Peer edges are made symmetric here: naming one on one side is enough.
    private func topology(_ draft: TopologyDraft, _ nodes: [NodeID: NodeDraft]) -> Topology {
        var peers: [NodeID: Set<NodeID>] = [:]
        for (id, node) in nodes {
            for peer in node.peers {
                peers[id, default: []].insert(peer.value)
                peers[peer.value, default: []].insert(id)
            }
        }
        return Topology(
            name: draft.name, version: draft.version,
            nodes: draft.nodes.compactMap { node in
                guard let id = node.code?.value else { return nil }
                return TopologyNode(
                    id: id, name: node.name, parent: node.parent?.value, peers: peers[id] ?? [],
                    region: node.region?.value ?? id.code, endpoint: node.endpoint?.value, modes: node.modes,
                    defaultMode: node.defaultMode, sharedWithPeers: node.sharedWithPeers, grant: node.grant,
                    peerGrants: node.peerGrants.mapValues(\.grant), isDraining: node.isDraining)
            },
            detached: draft.detached.map {
                DetachedNode(id: $0.code.value, name: $0.name, parent: $0.parent.value)
            })
    }
}
