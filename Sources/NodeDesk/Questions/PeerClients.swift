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
    private let way: (any QuestionWay)?
    private let credentials: @Sendable () throws(FederationError) -> NodeCredentials
    private let clients = Mutex<[NodeID: Kept]>([:])

    /// - Parameters:
    ///   - store: whose topology says where a peer is reached.
    ///   - way: by which a peer is asked without dialling it.
    ///   - credentials: asked for when a client is made, so a node that asks nobody needs none.
    package init(
        store: NodeStore, way: (any QuestionWay)? = nil,
        credentials: @escaping @Sendable () throws(FederationError) -> NodeCredentials
    ) {
        self.store = store
        self.way = way
        self.credentials = credentials
    }

    /// Asks a peer: by the way that is there already, if there is one, else by dialling it.
    ///
    /// The other way comes first because it is known to lead there, while a firewall that drops packets would let a dial take all
    /// of the time that there is.
    ///
    /// - Throws: `E_PEER_…` when there is no answer; `E_CREDENTIALS`, `E_FILE_READ`; `CancellationError`.
    package func ask(_ node: NodeID, _ question: PeerQuestion) async throws -> PeerAnswer {
        let end = ContinuousClock.now + .milliseconds(question.deadlineMS)
        if let answer = try await way?.ask(node, question) { return answer }
        guard endpoint(of: node) != nil else { throw FederationError.notConnected(node) }
        let left = (end - .now) / .milliseconds(1)
        let response = try await client(for: node).request(
            "POST", question.route.rawValue, headers: ["Content-Type": "application/json"], body: question.body,
            deadlineMS: max(1, Int(left)))
        return PeerAnswer(status: response.status, body: response.body)
    }

    private func endpoint(of node: NodeID) -> String? { store.standing.topology.node(node)?.endpoint }

    /// - Throws: `E_PEER_NO_ENDPOINT` when the topology does not say where the peer is; `E_CREDENTIALS`, `E_FILE_READ`.
    package func client(for node: NodeID) throws(FederationError) -> PeerClient {
        guard let text = endpoint(of: node), let endpoint = URL(string: text), let host = endpoint.host else {
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

    /// Shows these from the next connection on.
    package func replace(_ credentials: NodeCredentials) {
        for kept in clients.withLock({ Array($0.values) }) { kept.client.replace(PeerCredentials(credentials)) }
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

extension FederationError {
    fileprivate static func notConnected(_ node: NodeID) -> FederationError {
        FederationError(
            "E_PEER_NOT_CONNECTED",
            "node \(node) has no endpoint in the topology, and none of its own connections to this node is open",
            hint: "such a node is asked by the running service alone: see whether both services run", isRetryable: true)
    }
}
