import FederationModel
import Foundation
import NodeIdentity
import PeerTransport
import Synchronization

/// One HTTPS client a neighbour, made when it is first needed.
package final class PeerClients: Sendable {
    private let topology: Topology
    private let load: @Sendable () throws -> NodeCredentials
    private let state = Mutex((clients: [NodeID: PeerClient](), credentials: NodeCredentials?.none))

    /// - Parameter credentials: read when somebody is first to be called: a node that asks nobody needs none.
    package init(topology: Topology, credentials: @autoclosure @escaping @Sendable () throws -> NodeCredentials) {
        self.topology = topology
        load = credentials
    }

    /// - Throws: `E_PEER_NO_ENDPOINT` when the topology does not say where the peer is; what reading the credentials throws.
    package func client(for node: NodeID) throws -> PeerClient {
        guard let endpoint = topology.node(node)?.endpoint.flatMap({ URL(string: $0) }), let host = endpoint.host else {
            throw FederationError(
                "E_PEER_NO_ENDPOINT", "the topology does not say where node \(node) is reached",
                hint: "give it an endpoint, https://HOST:PORT")
        }
        return try state.withLock { state in
            if let client = state.clients[node] { return client }
            let credentials = try state.credentials ?? load()
            let client = PeerClient(node: node, host: host, port: endpoint.port ?? 443, credentials: credentials)
            state.credentials = credentials
            state.clients[node] = client
            return client
        }
    }

    /// Shows these from the next connection on.
    package func replace(_ credentials: NodeCredentials) {
        state.withLock { state in
            state.credentials = credentials
            for client in state.clients.values { client.replace(PeerCredentials(credentials)) }
        }
    }

    /// Ends all connections.
    package func shutdown() async {
        let all = state.withLock { state in
            defer { state.clients = [:] }
            return Array(state.clients.values)
        }
        for client in all { await client.shutdown() }
    }
}
