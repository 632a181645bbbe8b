import FederationModel
import NodeIdentity
import PeerTransport

extension PeerClient {
    /// A client for the node at `host:port`, which must prove to be `node`.
    package convenience init(
        node: NodeID, host: String, port: Int, credentials: NodeCredentials, limits: PeerLimits = .init()
    ) {
        self.init(
            endpoint: PeerEndpoint(node: node, tlsName: CertificateNames.dnsName(of: node), host: host, port: port),
            credentials: PeerCredentials(
                certificateChainPEM: credentials.certificateChainPEM, privateKeyPEM: credentials.privateKeyPEM,
                trustRootsPEM: credentials.trustRootsPEM),
            limits: limits)
    }
}
