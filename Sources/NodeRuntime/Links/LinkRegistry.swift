import FederationModel
import Synchronization

/// The links that run now, where a request finds the one of its peer. `LinkSupervisor` alone changes it.
package final class LinkRegistry: Sendable {
    private let incoming: Mutex<[NodeID: IncomingLink]>
    private let reverse: Mutex<[NodeID: ReverseConnector]>

    /// - Parameters:
    ///   - incoming: the receiving ends, by sender.
    ///   - reverse: the sending ends whose receivers dial, by receiver.
    package init(incoming: [NodeID: IncomingLink] = [:], reverse: [NodeID: ReverseConnector] = [:]) {
        self.incoming = Mutex(incoming)
        self.reverse = Mutex(reverse)
    }

    func incoming(from peer: NodeID) -> IncomingLink? { incoming.withLock { $0[peer] } }

    func reverse(to peer: NodeID) -> ReverseConnector? { self.reverse.withLock { $0[peer] } }

    var allIncoming: [IncomingLink] { incoming.withLock { Array($0.values) } }

    func set(_ peer: NodeID, incoming link: IncomingLink?, reverse connector: ReverseConnector?) {
        incoming.withLock { $0[peer] = link }
        self.reverse.withLock { $0[peer] = connector }
    }
}
