/// Who is above whom, as far as the fold of a ticket asks.
package struct NodeHierarchy: Hashable, Sendable {
    /// By the code of each node, those of the nodes above it, the nearest first.
    private let above: [String: [String]]

    package init(_ topology: Topology) {
        above = Dictionary(
            topology.nodes.map { node in
                (node.id.code, topology.chain(from: node.id).dropFirst().map(\.code))
            }
        ) { first, _ in first }
    }

    /// Nobody is known.
    package static let none = NodeHierarchy(Topology(name: "", version: 0, nodes: []))

    /// Whether a node is the other or above it. Who is not in the topology can't be held to it.
    package func isAbove(_ node: String, _ other: String) -> Bool {
        node == other || above[node] == nil || above[other].map { $0.contains(node) } ?? true
    }
}
