import FederationModel

/// Where a peer is reached and who must answer there.
package struct PeerEndpoint: Sendable {
    package let node: NodeID
    /// The DNS SAN that the peer's certificate must carry; it is also the host of the URL, never looked up.
    package let tlsName: String
    /// A host name or an address.
    package let host: String
    package let port: Int

    package init(node: NodeID, tlsName: String, host: String, port: Int) {
        self.node = node
        self.tlsName = tlsName
        self.host = host
        self.port = port
    }

    /// For messages: `370100 at 10.1.2.3:8443`.
    var place: String { "\(node) at \(address)" }

    private var address: String { host.contains(":") && !host.hasPrefix("[") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Sends what is meant for `tlsName` to the real address (CURLOPT_CONNECT_TO).
    var connectTo: String {
        "\(tlsName):443:\(address)"
    }
}

/// Our side of mutual TLS, all PEM: certificate with its chain, its key, and the only authorities we trust.
package struct PeerCredentials: Sendable {
    package let certificateChainPEM: String
    package let privateKeyPEM: String
    package let trustRootsPEM: String

    package init(certificateChainPEM: String, privateKeyPEM: String, trustRootsPEM: String) {
        self.certificateChainPEM = certificateChainPEM
        self.privateKeyPEM = privateKeyPEM
        self.trustRootsPEM = trustRootsPEM
    }
}

/// Bounds on one client's transfers.
package struct PeerLimits: Sendable {
    /// For the TCP and the TLS handshake together.
    package var connectMilliseconds = 10_000
    /// The largest response of a request. A stream has none: its reader decides.
    package var responseBytesMax = 16 << 20
    /// Response headers: a node sends well under 1 KiB.
    package var headerBytesMax = 64 << 10
    /// How much a stream holds in each direction before the writer waits, or the peer is not read from any more.
    package var streamBufferBytes = 1 << 20

    package init() {}
}

/// The head of a response.
package struct PeerResponseHead: Sendable {
    package let status: Int
    /// Names in lower case; of a repeated one the last value.
    package let headers: [String: String]
}

package struct PeerResponse: Sendable {
    package let head: PeerResponseHead
    package let body: [UInt8]

    package var status: Int { head.status }
}
