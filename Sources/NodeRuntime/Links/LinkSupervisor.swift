import FederationModel
import LocalStore
import Logging
import NodeDesk
import ServiceLifecycle
import SyncProtocol
import Synchronization

/// Runs the links that the present `Standing` asks for: it starts and stops them as neighbours come and go, and hands the others
/// their new policy. Links that are not concerned notice nothing.
package final class LinkSupervisor: Service {
    /// Where requests find the link of their peer.
    let registry: LinkRegistry

    private let store: NodeStore
    private let peers: PeerClients
    private let questions: QuestionHandler
    private let signal: ChangeSignal
    private let completions: ChangeSignal
    private let metrics: LinkMetrics
    private let logger: Logger
    private let standings: AsyncStream<Standing>
    private let standing: AsyncStream<Standing>.Continuation
    private let exchange = Mutex<TopologyExchange?>(nil)
    private let outgoing = Mutex<[NodeID: OutgoingLink]>([:])
    private let onFirstLinks: @Sendable () -> Void

    /// - Parameter onFirstLinks: called once the links of the first standing are there: before, a neighbour would be told that it is
    ///   none.
    package init(
        store: NodeStore, registry: LinkRegistry, peers: PeerClients, questions: QuestionHandler, signal: ChangeSignal,
        completions: ChangeSignal, metrics: LinkMetrics, logger: Logger, onFirstLinks: @escaping @Sendable () -> Void
    ) {
        self.registry = registry
        self.questions = questions
        self.onFirstLinks = onFirstLinks
        self.store = store
        self.peers = peers
        self.signal = signal
        self.completions = completions
        self.metrics = metrics
        self.logger = logger
        (standings, standing) = AsyncStream.makeStream(of: Standing.self)
    }

    /// Makes the links agree with it.
    package func take(_ standing: Standing) { self.standing.yield(standing) }

    /// Another epoch of the database has begun.
    func take(_ epoch: Epoch, head: Seq) {
        for link in outgoing.withLock({ Array($0.values) }) { link.take(epoch, head: head) }
    }

    /// By whom a link lets the newer topology be brought when its other end stands on another version.
    func exchangeTopologies(by exchange: TopologyExchange) { self.exchange.withLock { $0 = exchange } }

    /// A neighbour may take now what it refused.
    func retry(_ neighbour: NodeID) { outgoing.withLock { $0[neighbour] }?.retry() }

    package func run() async throws {
        await withDiscardingTaskGroup { group in
            group.addTask { [self] in
                // There is no timer in a receiving end that would notice silence.
                await cancelWhenGracefulShutdown { [self] in
                    while !Task.isCancelled {
                        try? await Task.sleep(for: .seconds(2))
                        for link in registry.allIncoming { await link.refreshStatus() }
                    }
                }
            }
            await withGracefulShutdownHandler {
                var running: [NodeID: Running] = [:]
                var former: Topology?
                for await standing in standings {
                    let doubted = former.map {
                        standing.topology.origins(inDoubtAt: store.node, after: $0, resources: store.resources)
                    }
                    await bring(&running, to: standing, doubted: doubted ?? [], in: &group)
                    if former == nil { onFirstLinks() }
                    former = standing.topology
                }
                for link in running.values { await link.stop() }
            } onGracefulShutdown: { [self] in
                standing.finish()
            }
        }
    }

    // MARK: - Bringing links in line

    /// The links with one neighbour.
    private struct Running {
        /// What can't be changed under a link that runs: who opens its connections, and where they go.
        let way: Way
        let incoming: IncomingLink
        let writer: LinkStatusWriter
        /// nil when the topology does not say where the neighbour is reached.
        let outgoing: OutgoingLink?
        let down: Task<Void, Never>?
        let channel: ReverseChannel?

        func stop() async {
            outgoing?.stop()
            down?.cancel()
            await channel?.stop()
            await incoming.take(nil, topology: TopologyStamp(version: 0, digest: nil))
            await writer.finish()
        }
    }

    private struct Way: Hashable {
        let role: LinkRole
        let endpoint: String?
    }

    private func bring(
        _ running: inout [NodeID: Running], to standing: Standing, doubted: Set<NodeID>,
        in group: inout DiscardingTaskGroup
    ) async {
        let (topology, stamp) = (standing.topology, standing.topology.stamp)
        var ways: [NodeID: Way] = [:]
        for neighbour in topology.neighbours(of: store.node) {
            guard let role = topology.role(of: neighbour, to: store.node) else { continue }
            ways[neighbour] = Way(role: role, endpoint: role == .child ? nil : topology.node(neighbour)?.endpoint)
        }
        for (neighbour, link) in running where ways[neighbour] != link.way {
            running[neighbour] = nil
            registry.set(neighbour, incoming: nil, reverse: nil, channel: nil)
            outgoing.withLock { $0[neighbour] = nil }
            await link.stop()
            logger.notice("the links with a neighbour have ended", metadata: ["peer": "\(neighbour)"])
        }
        for (neighbour, way) in ways {
            guard let send = standing.outgoing[neighbour], let receive = standing.incoming[neighbour] else { continue }
            if let link = running[neighbour] {
                await link.incoming.take(receive, topology: stamp, doubted: doubted)
                link.outgoing?.take(send, topology: stamp)
                continue
            }
            do {
                running[neighbour] = try await start(neighbour, way, send: send, receive: receive, in: &group)
            } catch {
                logger.error(
                    "the links with a neighbour could not be started",
                    metadata: ["peer": "\(neighbour)", "reason": "\(FederationError.store(error))"])
            }
        }
    }

    private func start(
        _ neighbour: NodeID, _ way: Way, send: LinkPolicy, receive: LinkPolicy, in group: inout DiscardingTaskGroup
    ) async throws -> Running {
        let onTopologyDiffers: @Sendable (NodeID) -> Void = { [weak self] peer in
            self?.exchange.withLock { $0 }?.differs(from: peer)
        }
        // All that can fail comes first: a task in the group can't be taken back.
        let (cursor, head) = (try await store.cursor(of: neighbour), try await store.head())
        let client = way.endpoint == nil ? nil : try peers.client(for: neighbour)
        let writer = LinkStatusWriter(store: store, peer: neighbour, direction: .receiving, logger: logger)
        let incoming = IncomingLink(
            sender: neighbour, store: store, policy: receive, cursor: cursor, signal: signal,
            completions: completions, metrics: metrics, queues: registry.queues, statuses: writer, logger: logger,
            onTopologyDiffers: onTopologyDiffers)
        group.addTask { await writer.run() }

        let reverse = way.role == .child ? ReverseConnector(receiver: neighbour) : nil
        var link: OutgoingLink?
        if let connector: any LinkConnector = reverse ?? client.map({ DialingConnector($0) }) {
            let started = OutgoingLink(
                store: store, policy: send, connector: connector, signal: signal, completions: completions,
                metrics: metrics, head: head, logger: logger, onTopologyDiffers: onTopologyDiffers,
                onNewEpoch: { [weak self] epoch, head in self?.take(epoch, head: head) },
                onPassedOn: { [registry] in for link in registry.allIncoming { try? await link.refreshLoss() } })
            group.addTask { try? await started.run() }
            link = started
        } else {
            logger.warning(
                "the topology does not say where a neighbour is reached", metadata: ["peer": "\(neighbour)"])
        }
        var down: Task<Void, Never>?
        if way.role == .parent, let client {
            let service = DownLink(link: incoming, client: client)
            let answerer = ReverseAnswerer(client: client, handler: questions, logger: logger)
            let task = Task {
                await withDiscardingTaskGroup { group in
                    group.addTask { do { try await service.run() } catch {} }
                    group.addTask { await answerer.run() }
                }
            }
            down = task
            group.addTask {
                await withGracefulShutdownHandler {
                    await task.value
                } onGracefulShutdown: {
                    task.cancel()
                }
            }
        }
        let channel = way.role == .child ? ReverseChannel(child: neighbour) : nil
        registry.set(neighbour, incoming: incoming, reverse: reverse, channel: channel)
        outgoing.withLock { $0[neighbour] = link }
        return Running(
            way: way, incoming: incoming, writer: writer, outgoing: link, down: down, channel: channel)
    }
}
