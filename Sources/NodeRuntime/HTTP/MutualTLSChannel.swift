import FederationModel
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// Bounds on a connection that a stranger may open.
package struct MutualTLSConfiguration: Sendable {
    /// From accept to the end of the handshake; also ends a connection that never starts TLS.
    package var handshakeTimeout = TimeAmount.seconds(5)
    /// A connection is closed when nothing came in for so long, while no request runs or a request's body is still open.
    /// So the client of an open stream has to send something (its acknowledgements, a heartbeat) more often than this. A
    /// request that was read to its end may take as long as it likes. libcurl gives an unused connection up after 118 s,
    /// before the server does.
    package var idleTimeout = TimeAmount.seconds(150)
    package var headerFieldBytesMax = 8 << 10
    package var headerBytesMax = 16 << 10
    package var headerFieldsMax = 64

    package init() {}
}

/// The server for peers: HTTP/1.1 over mutual TLS 1.3, with the peer's identity in every request's context.
///
/// To be used as `Application(router: Router(context: PeerRequestContext.self), server: mutualTLSServer(…), …)`.
package func mutualTLSServer(
    bundle: ServerTLSBundle, counters: HandshakeCounters, configuration: MutualTLSConfiguration = .init()
) -> HTTPServerBuilder {
    HTTPServerBuilder { responder in
        let http = HTTP1Channel(
            responder: responder,
            configuration: .init(
                idleTimeout: configuration.idleTimeout,
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: configuration.headerFieldBytesMax,
                    maxHeaderListSize: configuration.headerBytesMax,
                    maxHeaderFieldCount: configuration.headerFieldsMax)))
        return MutualTLSChannel(
            http: http, bundle: bundle, counters: counters, handshakeTimeout: configuration.handshakeTimeout)
    }
}

/// One incoming connection: TLS first, then the peer's identity, then HTTP with that identity as a task local.
///
/// Hummingbird's own TLS channel builds its TLS context once and lets no handler see the certificate.
struct MutualTLSChannel: ServerChildChannel {
    struct Established: Sendable {
        let peer: NodeID
        let http: HTTP1Channel.Value
    }

    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let established: EventLoopFuture<Established>
    }

    let http: HTTP1Channel
    let bundle: ServerTLSBundle
    let counters: HandshakeCounters
    let handshakeTimeout: TimeAmount

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let content = bundle.current
            let established = channel.eventLoop.makePromise(of: Established.self)
            do {
                // Finds out about a vanished client even where the server only waits.
                try channel.syncOptions?.setOption(.socketOption(.so_keepalive), value: 1)
                try channel.pipeline.syncOperations.addHandlers(
                    NIOSSLServerHandler(context: content.context),
                    HandshakeHandler(
                        counters: counters, timeout: handshakeTimeout, trustRootsPEM: content.trustRootsPEM,
                        logger: logger,
                        established: established, setUpHTTP: { http.setup(channel: $0, logger: logger) }))
            } catch {
                established.fail(error)
                throw error
            }
            return Value(channel: channel, established: established.futureResult)
        }
    }

    func handle(value: Value, logger: Logger) async {
        // A failed handshake was counted and logged, and its connection closed, by the handler.
        guard let established = try? await value.established.get() else { return }
        await PeerIdentity.$current.withValue(established.peer) {
            await http.handle(value: established.http, logger: logger)
        }
    }
}
