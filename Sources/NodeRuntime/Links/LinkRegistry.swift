import FederationModel
import NodeDesk
import Synchronization

/// The links that run now, where a request finds the one of its peer. `LinkSupervisor` alone changes it.
package final class LinkRegistry: QuestionWay {
    private let incoming: Mutex<[NodeID: IncomingLink]>
    private let reverse: Mutex<[NodeID: ReverseConnector]>
    private let channels: Mutex<[NodeID: ReverseChannel]>

    /// What all of them hold until it is stored.
    let queues = ReceivingQueues()

    /// - Parameters:
    ///   - incoming: the receiving ends, by sender.
    ///   - reverse: the sending ends whose receivers dial, by receiver.
    ///   - channels: where children fetch their questions.
    package init(
        incoming: [NodeID: IncomingLink] = [:], reverse: [NodeID: ReverseConnector] = [:],
        channels: [NodeID: ReverseChannel] = [:]
    ) {
        self.incoming = Mutex(incoming)
        self.reverse = Mutex(reverse)
        self.channels = Mutex(channels)
    }

    func incoming(from peer: NodeID) -> IncomingLink? { incoming.withLock { $0[peer] } }

    func reverse(to peer: NodeID) -> ReverseConnector? { self.reverse.withLock { $0[peer] } }

    func channel(to child: NodeID) -> ReverseChannel? { channels.withLock { $0[child] } }

    /// By child, whether it can be asked over its own connection, and how many questions to it are open.
    func reverseChannels() async -> [(child: NodeID, isOpen: Bool, questions: Int)] {
        var found: [(NodeID, Bool, Int)] = []
        for (child, channel) in channels.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            let (isOpen, questions) = await channel.figures
            found.append((child, isOpen, questions))
        }
        return found
    }

    /// Asks a child over the connection that it holds open.
    package func ask(_ node: NodeID, _ question: PeerQuestion) async throws -> PeerAnswer? {
        try await channel(to: node)?.ask(question)
    }

    var allIncoming: [IncomingLink] { incoming.withLock { Array($0.values) } }

    func set(
        _ peer: NodeID, incoming link: IncomingLink?, reverse connector: ReverseConnector?, channel: ReverseChannel?
    ) {
        incoming.withLock { $0[peer] = link }
        reverse.withLock { $0[peer] = connector }
        channels.withLock { $0[peer] = channel }
    }
}
