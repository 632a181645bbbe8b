/// Which way rows flow over a link, seen from this node.
package enum LinkDirection: String, Sendable {
    case sending
    case receiving
}
