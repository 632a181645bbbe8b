import ChangeSetFormat
import FederationModel
import NodeDesk
import PeerTransport
import ServiceLifecycle
import SyncProtocol

/// Opens the connection on which rows come down from the parent, keeps it open, and opens it anew when it has ended: this
/// node may be behind a firewall, so nobody else can.
package struct DownLink: Service {
    private let link: IncomingLink
    private let client: PeerClient

    package init(link: IncomingLink, client: PeerClient) {
        self.link = link
        self.client = client
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var backOff = BackOff(seed: UInt64.random(in: 0...UInt64.max))
            /// Until then something between the nodes counts as buffering.
            var requestsUntil: UnixMilliseconds = 0
            while !Task.isCancelled {
                do {
                    let usesRequests = wallClock() < requestsUntil
                    // Requests that do not get through prove nothing: the next try is a stream again.
                    let until = requestsUntil
                    requestsUntil = 0
                    let wire: any DownWire =
                        usesRequests ? try await DownRequests.open(client) : try await DownStream.open(client)
                    requestsUntil = until
                    backOff.reset()
                    try await converse(over: wire)
                } catch is StreamIsBuffered {
                    requestsUntil = wallClock() + SyncLimits.requestsPeriod
                    continue
                } catch {
                    if !Task.isCancelled { await link.unreached(.transport(error, client.endpoint.node)) }
                }
                try? await Task.sleep(for: .milliseconds(backOff.next()))
            }
        }
    }

    /// One connection, from the parent's hello to its end.
    private func converse(over wire: any DownWire) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            var connection: Int?
            do {
                try await wire.read {
                    if let connection { await link.progress(connection: connection) }
                } take: { frame in
                    if let connection {
                        await link.take(frame, connection: connection)
                    } else if frame.kind == .echo {
                        // Of the probe, or to say that there is nothing to say.
                    } else if let (number, answers) = try await greet(frame, over: wire) {
                        connection = number
                        group.addTask {
                            for await answer in answers { try await wire.write(answer) }
                            wire.finish()
                        }
                    }
                }
                if let connection { await link.disconnected(nil, connection: connection) }
            } catch let error as StreamIsBuffered {
                throw error
            } catch {
                let error = FederationError.transport(error, client.endpoint.node)
                if let connection { await link.disconnected(error, connection: connection) }
                throw error
            }
        }
    }

    /// Answers the parent's first frame.
    ///
    /// - Returns: the connection's number and what goes back on it; nil when the hello was refused.
    private func greet(
        _ frame: Frame, over wire: any DownWire
    ) async throws -> (connection: Int, answers: AsyncStream<Frame>)? {
        guard frame.kind == .hello, let hello = try? WireJSON.decode(Hello.self, frame.body) else {
            throw FederationError.unreadable(frame.kind, of: client.endpoint.node)
        }
        switch await link.hello(hello) {
        case .refused(let refusal):
            try await wire.write(Frame(.refusal, try WireJSON.encode(refusal)))
            return nil
        case .accepted(let reply, let connection):
            try await wire.write(Frame(.helloReply, try WireJSON.encode(reply)))
            return await link.frames(of: connection).map { (connection, $0) }
        }
    }
}
