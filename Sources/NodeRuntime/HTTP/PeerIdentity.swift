import FederationModel
import Hummingbird
import NIOCore

/// Who is at the other end of the connection that the current task serves.
package enum PeerIdentity {
    /// Set by `MutualTLSChannel` from the verified certificate, once a connection; nil outside of such a connection.
    @TaskLocal package static var current: NodeID?
}

/// The context of every request that came in over mutual TLS.
///
/// What a peer may read and write is decided from `peer` alone, never from a body or a header. That the certificate is
/// good says nothing about the topology: whether the node takes part is for the route to ask.
package struct PeerRequestContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    package let peer: NodeID
    private let channel: any Channel

    /// Whether an answer can still reach the peer.
    var isConnected: Bool { channel.isActive }

    /// A router with this context belongs behind `mutualTLSServer` only. Anywhere else there is no identity, and to go on
    /// without one is the one thing that must not happen.
    package init(source: Source) {
        guard let peer = PeerIdentity.current else {
            preconditionFailure("PeerRequestContext outside of a MutualTLSChannel")
        }
        self.peer = peer
        channel = source.channel
        coreContext = .init(source: source)
    }
}
