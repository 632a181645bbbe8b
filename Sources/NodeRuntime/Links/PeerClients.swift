import FederationModel
import Foundation
import NodeIdentity
import PeerTransport
import Synchronization

/// One HTTPS client a neighbour, made when it is first needed.
package final class PeerClients: Sendable {
    private let topology: Topology
    private let credentials: NodeCredentials
    private let clients = Mutex<[NodeID: PeerClient]>([:])

    package init(topology: Topology, credentials: NodeCredentials) {
        self.topology = topology
        self.credentials = credentials
    }

    /// - Throws: `E_PEER_NO_ENDPOINT` when the topology does not say where the peer is.
    package func client(for node: NodeID) throws(FederationError) -> PeerClient {
        if let client = clients.withLock({ $0[node] }) { return client }
        guard let endpoint = topology.node(node)?.endpoint.flatMap({ URL(string: $0) }), let host = endpoint.host else {
            throw FederationError(
                "E_PEER_NO_ENDPOINT", "the topology does not say where node \(node) is reached",
                hint: "give it an endpoint, https://HOST:PORT")
        }
        let client = PeerClient(node: node, host: host, port: endpoint.port ?? 443, credentials: credentials)
        return clients.withLock { clients in
            let kept = clients[node] ?? client
            clients[node] = kept
            return kept
        }
    }

    /// Ends all connections.
    package func shutdown() async {
        let all = clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in all { await client.shutdown() }
    }
}
