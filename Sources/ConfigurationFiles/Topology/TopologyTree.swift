import FederationModel

/// Pictures of a topology: a tree for the terminal, and graphs for Mermaid and Graphviz. In the graphs arrows point the
/// way that data is gathered, from child to parent.
package enum TopologyTree {
    /// A tree with one line a node: code, name, how its parent gathers its data, which resources differ, its peers.
    package static func text(_ topology: Topology) -> String {
        var lines = ["\(topology.name)(第 \(topology.version) 版,\(topology.nodes.count) 个节点)"]
        func add(_ id: NodeID, _ branch: String, _ indent: String) {
            guard let node = topology.node(id) else { return }
            lines.append(branch + description(node))
            let children = topology.children(of: id)
            for child in children {
                let isLast = child == children.last
                add(child, indent + (isLast ? "└── " : "├── "), indent + (isLast ? "    " : "│   "))
            }
        }
        if let root = topology.root { add(root.id, "", "") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A Mermaid flowchart. Dotted arrows are logical access.
    package static func mermaid(_ topology: Topology) -> String {
        var lines = ["flowchart BT"]
        for node in topology.nodes {
            lines.append("    n\(node.id)[\"\(node.id) \(mermaidEscaped(node.name))\"]")
        }
        for node in topology.nodes {
            guard let parent = node.parent else { continue }
            let arrow = node.defaultMode == .physical ? "-->" : "-.->"
            lines.append("    n\(node.id) \(arrow)|\"\(modeLabel(node))\"| n\(parent)")
        }
        for (a, b) in peerEdges(topology) { lines.append("    n\(a) ---|\"对等\"| n\(b)") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A Graphviz digraph. Dashed arrows are logical access.
    package static func dot(_ topology: Topology) -> String {
        var lines = ["digraph \"\(dotEscaped(topology.name))\" {", "    rankdir=BT;", "    node [shape=box];"]
        for node in topology.nodes {
            lines.append("    \"\(node.id)\" [label=\"\(node.id)\\n\(dotEscaped(node.name))\"];")
        }
        for node in topology.nodes {
            guard let parent = node.parent else { continue }
            let style = node.defaultMode == .physical ? "solid" : "dashed"
            lines.append("    \"\(node.id)\" -> \"\(parent)\" [label=\"\(modeLabel(node))\", style=\(style)];")
        }
        for (a, b) in peerEdges(topology) {
            lines.append("    \"\(a)\" -> \"\(b)\" [label=\"对等\", dir=none, constraint=false];")
        }
        return (lines + ["}"]).joined(separator: "\n") + "\n"
    }

    private static func description(_ node: TopologyNode) -> String {
        var parts = ["\(node.id) \(node.name)"]
        if node.parent != nil { parts.append(modeLabel(node)) }
        if !node.peers.isEmpty { parts.append("对等 " + node.peers.sorted().map(\.code).joined(separator: " ")) }
        if !node.sharedWithPeers.isEmpty {
            parts.append("对等共享 " + node.sharedWithPeers.sorted().map(\.text).joined(separator: " "))
        }
        return parts.joined(separator: "  ")
    }

    /// `物理汇聚`, with the resources that are gathered another way in brackets.
    private static func modeLabel(_ node: TopologyNode) -> String {
        let exceptions = node.modes.filter { $0.value != node.defaultMode }.keys.sorted()
            .map { "\($0) \(node.mode(of: $0).title)" }
        return node.defaultMode.title + (exceptions.isEmpty ? "" : "(\(exceptions.joined(separator: ",")))")
    }

    /// Every peer edge once, the smaller code first.
    private static func peerEdges(_ topology: Topology) -> [(NodeID, NodeID)] {
        topology.nodes.flatMap { node in node.peers.sorted().filter { node.id < $0 }.map { (node.id, $0) } }
    }

    /// Mermaid takes character references, written with `#`, in quoted labels.
    private static func mermaidEscaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            "#\"<>&;`\\".unicodeScalars.contains(scalar) ? "#\(scalar.value);" : String(scalar)
        }.joined()
    }

    private static func dotEscaped(_ text: String) -> String {
        text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
    }
}
