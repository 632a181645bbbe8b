import FederationModel
import Foundation
import LocalStore
import NodeIdentity
import PeerTransport
import Synchronization

/// One HTTPS client a neighbour, made when it is first needed, and anew when the topology names another endpoint.
package final class PeerClients: Sendable {
    private struct Kept {
        let endpoint: String
        let client: PeerClient
    }

    private let store: NodeStore
    private let credentials: @Sendable () throws(FederationError) -> NodeCredentials
    private let clients = Mutex<[NodeID: Kept]>([:])

    /// - Parameters:
    ///   - store: whose topology says where a peer is reached.
    ///   - credentials: asked for when a client is made, so a node that asks nobody needs none.
    package init(
        store: NodeStore, credentials: @escaping @Sendable () throws(FederationError) -> NodeCredentials
    ) {
        self.store = store
        self.credentials = credentials
    }

    /// - Throws: `E_PEER_NO_ENDPOINT` when the topology does not say where the peer is; `E_CREDENTIALS`, `E_FILE_READ`.
    package func client(for node: NodeID) throws(FederationError) -> PeerClient {
        guard let text = store.standing.topology.node(node)?.endpoint, let endpoint = URL(string: text),
            let host = endpoint.host
        else {
            throw FederationError(
                "E_PEER_NO_ENDPOINT", "the topology does not say where node \(node) is reached",
                hint: "give it an endpoint, https://HOST:PORT")
        }
        if let kept = clients.withLock({ $0[node] }), kept.endpoint == text { return kept.client }
        let client = PeerClient(node: node, host: host, port: endpoint.port ?? 443, credentials: try credentials())
        let (used, former) = clients.withLock { clients -> (PeerClient, PeerClient?) in
            if let kept = clients[node], kept.endpoint == text { return (kept.client, nil) }
            let former = clients[node]?.client
            clients[node] = Kept(endpoint: text, client: client)
            return (client, former)
        }
        if let former { Task { await former.shutdown() } }
        return used
    }

    /// Ends all connections.
    package func shutdown() async {
        let all = clients.withLock { clients in
            defer { clients = [:] }
            return clients.values.map(\.client)
        }
        for client in all { await client.shutdown() }
    }
}
