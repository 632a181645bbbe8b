import FederationModel
import LocalStore
import Logging
import NodeDesk
import PeerTransport

/// The releases behind a version, as a neighbour asks for them and answers with them.
package struct ReleaseList: Codable, Sendable {
    /// The version that the answering node stands on.
    package let version: Int64
    /// In the order of their versions; signed ones alone.
    package let releases: [TopologyRelease]

    /// A body holds no more than this; a node that is further behind asks again.
    static let bytesMax = 8 << 20
    private static let textBytesMax = 4 << 20

    static func of(_ store: NodeStore, after version: Int64) async throws -> ReleaseList {
        var (bytes, releases) = (0, [TopologyRelease]())
        for release in try await store.releases(after: version) where release.signature != nil {
            bytes += release.text.utf8.count
            guard releases.isEmpty || bytes <= textBytesMax else { break }
            releases.append(release)
        }
        return ReleaseList(version: store.standing.topology.version, releases: releases)
    }
}

/// Brings this node and a neighbour that it can reach to the newer topology of the two: it fetches what it lacks, or hands over
/// what the other lacks. Whoever can open a connection does it, in either direction, so a child behind a firewall is
/// enough.
package actor TopologyExchange {
    private let store: NodeStore
    private let peers: PeerClients
    private let publisher: StandingPublisher
    private let logger: Logger
    private var running: Set<NodeID> = []
    /// Called when the neighbour has taken what it lacked.
    private let onHandedOver: @Sendable (NodeID) -> Void

    private static let deadlineMS = 20_000

    init(
        store: NodeStore, peers: PeerClients, publisher: StandingPublisher, logger: Logger,
        onHandedOver: @escaping @Sendable (NodeID) -> Void
    ) {
        self.store = store
        self.peers = peers
        self.publisher = publisher
        self.logger = logger
        self.onHandedOver = onHandedOver
    }

    /// To be called when a neighbour's hello, its refusal or its heartbeat names another version. One exchange with a neighbour at
    /// a time; a failure is left to the next such word.
    nonisolated func differs(from peer: NodeID) { Task { await exchange(with: peer) } }

    private func exchange(with peer: NodeID) async {
        guard let client = try? peers.client(for: peer), running.insert(peer).inserted else { return }
        defer { running.remove(peer) }
        do {
            while true {
                let ours = store.standing.topology.version
                let answer = try await ask(client, "GET", "/v1/topology/releases?after=\(ours)", body: nil)
                if answer.version < ours {
                    let lacking = try await ReleaseList.of(store, after: answer.version)
                    guard !lacking.releases.isEmpty else { return }
                    _ = try await ask(client, "POST", "/v1/topology/releases", body: try WireJSON.encode(lacking))
                    return onHandedOver(peer)
                }
                guard !answer.releases.isEmpty else { return }
                try await publisher.adopt(answer.releases)
                guard store.standing.topology.version > ours else { return }
            }
        } catch is CancellationError {
        } catch {
            let error = FederationError.transport(error, peer)
            logger.warning(
                "topology releases could not be exchanged",
                metadata: ["peer": "\(peer)", "code": "\(error.code)", "reason": "\(error)"])
        }
    }

    private func ask(_ client: PeerClient, _ method: String, _ path: String, body: [UInt8]?) async throws -> ReleaseList
    {
        let response = try await client.request(
            method, path, headers: body == nil ? [:] : ["Content-Type": "application/json"], body: body ?? [],
            deadlineMS: Self.deadlineMS)
        guard response.status == 200 else { throw PeerProblem.error(in: response.body, status: response.status) }
        return try WireJSON.decode(ReleaseList.self, response.body)
    }
}
