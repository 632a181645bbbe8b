import FederationModel

/// How a node's code is written into its certificate.
///
/// Two names carry it. The URI SAN is the identity that a server reads from a client's certificate. The DNS SAN says the
/// same in the form that every TLS client can check by itself against the host name of the URL (RFC 9525), so a node that
/// answers at another node's address is refused inside the handshake. `.invalid` (RFC 6761) never resolves: the name is
/// an identity, not an address.
package enum CertificateNames {
    private static let uriPrefix = "urn:federation-node:"

    /// `urn:federation-node:370100`
    package static func uri(of node: NodeID) -> String { uriPrefix + node.code }

    /// `n370100.node.invalid`
    package static func dnsName(of node: NodeID) -> String { "n\(node.code).node.invalid" }

    /// - Returns: nil when `uri` is not one that `uri(of:)` writes.
    package static func nodeID(fromURISAN uri: String) -> NodeID? {
        guard uri.hasPrefix(uriPrefix) else { return nil }
        return NodeID(String(uri.dropFirst(uriPrefix.count)))
    }
}
