import FederationModel
import Synchronization

/// The links that run now, where a request finds the one of its peer. `LinkSupervisor` alone changes it.
package final class LinkRegistry: Sendable {
    private let incoming: Mutex<[NodeID: IncomingLink]>
    private let lines: Mutex<[NodeID: AwaitedLine]>

    /// - Parameters:
    ///   - incoming: the receiving ends, by sender.
    ///   - lines: the sending ends whose receivers dial, by receiver.
    package init(incoming: [NodeID: IncomingLink] = [:], lines: [NodeID: AwaitedLine] = [:]) {
        self.incoming = Mutex(incoming)
        self.lines = Mutex(lines)
    }

    func incoming(from peer: NodeID) -> IncomingLink? { incoming.withLock { $0[peer] } }

    func line(to peer: NodeID) -> AwaitedLine? { lines.withLock { $0[peer] } }

    var allIncoming: [IncomingLink] { incoming.withLock { Array($0.values) } }

    func set(_ peer: NodeID, incoming link: IncomingLink?, line: AwaitedLine?) {
        incoming.withLock { $0[peer] = link }
        lines.withLock { $0[peer] = line }
    }
}
