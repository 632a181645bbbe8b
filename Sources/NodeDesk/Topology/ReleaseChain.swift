import FederationModel
import NodeIdentity

/// Releases that were checked: what a node may adopt.
package struct ReleaseChain: Sendable {
    package let releases: [(release: TopologyRelease, topology: Topology)]

    /// Checks releases that a neighbour has sent, or that this top node has just made.
    ///
    /// - Parameters:
    ///   - former: the topology in force. Each release must be signed by the top node of the one before it, so that a change of the
    ///     top node is a release too.
    ///   - trustRootsPEM: the federation's authorities.
    /// - Throws: `E_TOPOLOGY_SIGNATURE` when one is unsigned or altered, `E_TOPOLOGY_SIGNER` when somebody else than the top node has
    ///   signed it, `E_TOPOLOGY_INVALID`.
    package init(_ releases: [TopologyRelease], after former: Topology, trustRootsPEM: String) throws {
        var (former, checked) = (former, [(release: TopologyRelease, topology: Topology)]())
        for release in releases.sorted(by: { $0.version < $1.version }) where release.version > former.version {
            guard let signature = release.signature else {
                throw FederationError(
                    "E_TOPOLOGY_SIGNATURE", "topology release \(release.version) is not signed",
                    hint: "publish it at the top node: `federation-node topology apply FILE`")
            }
            let signer = try ReleaseSignature.verify(
                signature, of: release.signedBytes, at: release.publishedAt, trustRootsPEM: trustRootsPEM)
            guard signer == former.root?.id else {
                throw FederationError(
                    "E_TOPOLOGY_SIGNER",
                    "topology release \(release.version) is signed by node \(signer), the top node is "
                        + "\(former.root?.id.code ?? "unknown")",
                    hint: "only the top node publishes releases")
            }
            let topology = try StandingSource.topology(of: release)
            checked.append((release, topology))
            former = topology
        }
        self.releases = checked
    }
}
