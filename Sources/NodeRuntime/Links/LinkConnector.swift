import FederationModel
import NodeDesk
import PeerTransport
import SyncProtocol

/// How an outgoing link comes to its connections: it dials the receiver (`DialingConnector`), or it waits until the receiver,
/// which is behind a firewall, opens one (`ReverseConnector`).
package protocol LinkConnector: Sendable {
    /// Brings the hello to the receiver; its answer, or why there is none, comes back as an input of `connection`.
    func connect(_ hello: Hello, connection: Int, input: OutgoingLink.Inputs) async

    /// Opens a stream on the connection whose hello has just been answered, and probes it.
    ///
    /// - Parameter number: the receiver's name for the connection.
    func openStream(number: String, connection: Int, input: OutgoingLink.Inputs) -> LinkChannel

    /// The same without a stream, where something buffers: a frame is answered before the next one is sent.
    func useRequests(number: String, connection: Int, input: OutgoingLink.Inputs) -> LinkChannel
}

/// The way up, and to a peer: this node opens the connections.
package struct DialingConnector: LinkConnector {
    private let client: PeerClient

    package init(_ client: PeerClient) { self.client = client }

    package func connect(_ hello: Hello, connection: Int, input: OutgoingLink.Inputs) async {
        do {
            let response = try await client.request(
                "POST", "/v1/link/hello", headers: ["Content-Type": "application/json"],
                body: try WireJSON.encode(hello), deadlineMS: 10_000)
            switch response.status {
            case 200:
                let reply = try WireJSON.decode(HelloReply.self, response.body)
                let number = response.head.headers["link-connection"] ?? ""
                input.yield(.helloReply(reply, connection: connection, number: number))
            case 409 where response.head.headers["link-refusal"] != nil:
                input.yield(.helloRefused(try ErrorMapping.refusal(in: response.body), connection: connection))
            default:
                let error = PeerProblem.error(in: response.body, status: response.status)
                input.yield(.connectFailed(error, connection: connection))
            }
        } catch let error as FederationError {
            input.yield(.connectFailed(error, connection: connection))
        } catch {
            input.yield(.connectFailed(.unreadable(nil, of: client.endpoint.node), connection: connection))
        }
    }

    package func openStream(number: String, connection: Int, input: OutgoingLink.Inputs) -> LinkChannel {
        LinkChannel.stream(client, number: number, connection: connection, input: input)
    }

    package func useRequests(number: String, connection: Int, input: OutgoingLink.Inputs) -> LinkChannel {
        LinkChannel.requests(client, number: number, connection: connection, input: input)
    }
}
