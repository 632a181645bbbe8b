import FederationModel
import SyncProtocol

/// What lies between the nodes.
struct Network {
    /// Chance that a message takes its connection with it.
    var trouble = 0.02
    /// Nodes that nobody reaches.
    var isolated: Set<NodeID> = []
    /// Links on which something holds back one half of a stream until it has ended.
    var buffering: [LinkEdge: HeldHalf] = [:]
    var lastConnection = 0

    func isCut(_ a: NodeID, _ b: NodeID) -> Bool { isolated.contains(a) != isolated.contains(b) }
}

enum HeldHalf: CaseIterable {
    case request
    case response
}

/// One connection of one link. What is sent on it arrives in order, each way.
final class Connection {
    let edge: LinkEdge
    /// The receiver's number for it; nil until its hello has come.
    var number: Int?
    var isStream = false
    /// Of the sender's process.
    let life: Int
    /// Nothing gets through any more, and nobody is told.
    var isSilent = false
    fileprivate var lastUp: UnixMilliseconds = 0
    fileprivate var lastDown: UnixMilliseconds = 0

    init(_ edge: LinkEdge, life: Int) {
        self.edge = edge
        self.life = life
    }
}

extension Federation {
    private func delay() -> Int64 { roll(0.1) ? any(1...2_000) : any(1...60) }

    /// Brings something to the receiver. What was on its way when the sender gave a connection up may arrive all the same.
    func up(_ connection: Connection, _ arrive: @escaping (Federation, ReceivingEnd) async throws -> Void) {
        guard passes(connection), network.buffering[connection.edge] != .request || !connection.isStream else { return }
        connection.lastUp = max(connection.lastUp, now + delay())
        let strays = roll(0.3)
        after(connection.lastUp - now) { federation in
            guard let end = federation.receivingEnd(of: connection.edge) else { return }
            let sender = federation.nodes[connection.edge.sender]?.sending[connection.edge.receiver]
            guard sender?.connection === connection || strays else { return }
            try await arrive(federation, end)
        }
    }

    /// Brings something to the sender, as long as it uses the connection.
    func down(
        _ connection: Connection, after pause: Int64 = 0, _ arrive: @escaping (Federation, SendingEnd) -> Void
    ) {
        guard passes(connection), network.buffering[connection.edge] != .response || !connection.isStream else {
            return
        }
        connection.lastDown = max(connection.lastDown, now + pause + delay())
        after(connection.lastDown - now) { federation in
            guard let end = federation.sendingEnd(of: connection) else { return }
            arrive(federation, end)
        }
    }

    private func passes(_ connection: Connection) -> Bool {
        if connection.isSilent { return false }
        if network.isCut(connection.edge.sender, connection.edge.receiver) {
            connection.isSilent = true
            return false
        }
        if roll(network.trouble) {
            breakOff(connection, "a message was lost")
            return false
        }
        return true
    }

    /// Both ends notice, at different times: the sender's next connection may be there before the receiver notices.
    func breakOff(_ connection: Connection, _ reason: String) {
        note("\(connection.edge) breaks: \(reason)")
        connection.isSilent = true
        let error = FederationError("E_CONNECTION_LOST", reason, isRetryable: true)
        tellSender(connection, error, after: any(0...500))
        tellReceiver(connection, error, after: any(0...3_000))
    }

    func tellSender(_ connection: Connection, _ error: FederationError, after delay: Int64) {
        after(delay) { federation in
            guard let end = federation.sendingEnd(of: connection) else { return }
            federation.feed(end) { $0.onConnectFailed(error, now: $1) + $0.onDisconnected(error, now: $1) }
        }
    }

    func tellReceiver(_ connection: Connection, _ error: FederationError?, after delay: Int64) {
        after(delay) { federation in
            guard let end = federation.receivingEnd(of: connection.edge), let number = connection.number else { return }
            federation.disconnected(end, error, number)
        }
    }

    private func sendingEnd(of connection: Connection) -> SendingEnd? {
        let end = nodes[connection.edge.sender]?.sending[connection.edge.receiver]
        return end?.connection === connection ? end : nil
    }

    private func receivingEnd(of edge: LinkEdge) -> ReceivingEnd? { nodes[edge.receiver]?.receiving[edge.sender] }
}

extension LinkEdge: CustomStringConvertible {
    package var description: String { "\(sender)->\(receiver)" }
}
