import FederationModel
import Foundation
import Hummingbird
import LocalStore
import Logging
import NIOCore
import NodeFiles
import NodeIdentity
import ServiceLifecycle
import Synchronization
import UnixSignals

/// The running node: two servers, its links, its feed's consumers, until SIGTERM or SIGINT.
package struct NodeService: Sendable {
    private let local: LocalNode
    private let logger: Logger

    package init(local: LocalNode, logger: Logger) {
        self.local = local
        self.logger = logger
    }

    /// Serves until a signal comes; then finishes or cleanly abandons what is in flight.
    ///
    /// - Parameter listening: called once all servers accept connections, with their addresses.
    /// - Throws: `E_ALREADY_RUNNING`, `E_TOPOLOGY_SAME_VERSION`, `E_LISTEN`, `E_CREDENTIALS`, `E_CREDENTIALS_NODE`, `E_FILE_READ`.
    package func run(listening: @escaping @Sendable (ListeningAddresses) -> Void) async throws {
        guard let rings = try Doorbell.rings(databasePath: local.settings.databasePath) else {
            throw FederationError(
                "E_ALREADY_RUNNING", "a service of node \(local.id) runs on this database already",
                hint: "stop it first, or look at it with `federation-node status`")
        }
        let certificates = try ServedCertificates(local, logger: logger)
        closeToOthers()
        try await local.store.adopt(local.topology)
        try await publishCatalog()
        let (signal, completions) = (ChangeSignal(), ChangeSignal())
        let metrics = LinkMetrics()
        let handshakes = HandshakeCounters()
        let peers = PeerClients(topology: local.topology, credentials: certificates.current)
        let incoming = try await incomingLinks(signal: signal, completions: completions, metrics: metrics)
        let outgoing = try await outgoingLinks(
            peers: peers, signal: signal, completions: completions, metrics: metrics)
        let announcement = Announcement(servers: local.settings.intakeListen == nil ? 2 : 3, listening)

        var services: [any Service] = []
        if let parent = local.topology.node(local.id)?.parent.flatMap({ local.topology.node($0) }),
            parent.endpoint != nil, let link = incoming.links[parent.id]
        {
            services.append(DownLink(link: link, client: try peers.client(for: parent.id)))
        }
        services.append(CertificateService(certificates: certificates, peers: peers))
        services.append(IncomingLinksService(links: incoming.links, writers: incoming.writers))
        services.append(
            FeedService(
                store: local.store, signal: signal, rings: rings, runsConsumers: local.settings.runsConsumers,
                logger: logger))
        services.append(
            PruningService(
                store: local.store, receivers: local.topology.neighbours(of: local.id),
                retention: local.settings.tombstoneRetentionDays * 86_400_000, logger: logger))
        services.append(
            peerServer(
                credentials: certificates.bundle, handshakes: handshakes, announcement: announcement,
                routes: LinkRoutes(
                    node: local.id, topology: local.topology, links: incoming.links, lines: outgoing.lines,
                    view: MergedView(
                        store: local.store, topology: local.topology, peers: peers,
                        regions: local.reference.regions), metrics: metrics)))
        let intake = IntakeRoutes(
            intake: PushIntake(store: local.store, signal: signal), gate: IntakeGate(), metrics: IntakeMetrics())
        services.append(
            localServer(
                announcement: announcement,
                routes: LocalRoutes(
                    local: local, metrics: metrics, handshakes: handshakes, intakeMetrics: intake.metrics,
                    certificates: certificates),
                intake: intake))
        if let address = local.settings.intakeListen, let bundle = certificates.intake {
            services.append(intakeService(at: address, bundle, announcement: announcement, intake: intake))
        }
        // The last to start is the first to be stopped: while the others end, no more is sent.
        services += outgoing.links
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(10)
        try await ServiceGroup(configuration: configuration).run()
        await peers.shutdown()
        do {
            try local.store.close()
        } catch {
            // SQLite recovers from its log at the next start; the node has ended well all the same.
            logger.notice("the database could not be closed", metadata: ["reason": "\(error)"])
        }
    }

    /// Others on this machine may read neither records nor keys, whatever rights the files came with.
    private func closeToOthers() {
        let settings = local.settings
        let own =
            ["", "-wal", "-shm"].map { settings.databasePath + $0 }
            + ["", "/node-key.pem", "/token.key"].map { settings.credentialsPath + $0 }
        for path in own {
            guard let openness = PrivateFiles.openness(of: path) else { continue }
            let isClosed = PrivateFiles.close(path)
            warn(openness, isClosed ? "others could reach a file of this node; they no longer can" : Self.open)
        }
        for path in [settings.directory, settings.intakeKeyPath] {
            if let openness = PrivateFiles.openness(of: path) { warn(openness, Self.open) }
        }
    }

    private static let open: Logger.Message = "others on this machine can reach a file of this node"

    private func warn(_ openness: FederationError, _ message: Logger.Message) {
        logger.warning(message, metadata: ["code": "\(openness.code)", "reason": "\(openness)"])
    }

    private func incomingLinks(
        signal: ChangeSignal, completions: ChangeSignal, metrics: LinkMetrics
    ) async throws -> (links: [NodeID: IncomingLink], writers: [LinkStatusWriter]) {
        var links: [NodeID: IncomingLink] = [:]
        var writers: [LinkStatusWriter] = []
        for neighbour in local.topology.neighbours(of: local.id) {
            guard let policy = try await local.policy(from: neighbour, to: local.id) else { continue }
            for record in try await local.store.withdraw(under: policy, now: wallClock()) {
                logger.notice(
                    "copies were deleted because their resource is no longer gathered by copy",
                    metadata: [
                        "peer": "\(neighbour)", "resource": "\(record.resource)", "rows": "\(record.rows)",
                        "digest": "\(record.digest)",
                    ])
            }
            let writer = LinkStatusWriter(store: local.store, peer: neighbour, direction: .receiving, logger: logger)
            writers.append(writer)
            links[neighbour] = IncomingLink(
                sender: neighbour, store: local.store, topology: local.topology, policy: policy,
                cursor: try await local.store.cursor(of: neighbour), signal: signal, completions: completions,
                metrics: metrics, statuses: writer,
                logger: logger)
        }
        return (links, writers)
    }

    private func outgoingLinks(
        peers: PeerClients, signal: ChangeSignal, completions: ChangeSignal, metrics: LinkMetrics
    ) async throws -> (links: [OutgoingLink], lines: [NodeID: AwaitedLine]) {
        let head = try await local.store.head()
        var links: [OutgoingLink] = []
        var lines: [NodeID: AwaitedLine] = [:]
        for neighbour in local.topology.neighbours(of: local.id) {
            guard let policy = try await local.policy(from: local.id, to: neighbour) else { continue }
            let line: any LinkLine
            if local.topology.role(of: neighbour, to: local.id) == .child {
                let awaited = AwaitedLine(receiver: neighbour)
                lines[neighbour] = awaited
                line = awaited
            } else if local.topology.node(neighbour)?.endpoint != nil {
                line = DialedLine(try peers.client(for: neighbour))
            } else {
                logger.warning(
                    "the topology does not say where a neighbour is reached", metadata: ["peer": "\(neighbour)"])
                continue
            }
            links.append(
                OutgoingLink(
                    store: local.store, policy: policy, line: line, signal: signal, completions: completions,
                    metrics: metrics, head: head, logger: logger))
        }
        return (links, lines)
    }

    /// The links go by the catalog as it is now until the next start.
    private func publishCatalog() async throws {
        let (release, isNew) = try await local.publishCatalog(now: wallClock())
        if isNew { logger.notice("the catalog is published", metadata: ["version": "\(release.version)"]) }
        for subscription in try await local.rejectedSubscriptions() {
            logger.warning(
                "a subscription is rejected by the catalog",
                metadata: ["code": "\(subscription.refusal.rawValue)", "reason": "\(subscription.text)"])
        }
    }

    private func peerServer(
        credentials: ServerTLSBundle, handshakes: HandshakeCounters, announcement: Announcement, routes: LinkRoutes
    ) -> any Service {
        let router = Router(context: PeerRequestContext.self)
        routes.add(to: router)
        let address = local.settings.listen
        return ListeningService(
            Application(
                router: router, server: mutualTLSServer(bundle: credentials, counters: handshakes),
                configuration: .init(address: .hostname(address.bindHost, port: address.port), serverName: nil),
                onServerRunning: { announcement.peers($0.localAddress) }, logger: logger),
            at: address, setting: "listen")
    }

    private func localServer(
        announcement: Announcement, routes: LocalRoutes, intake: IntakeRoutes
    ) -> any Service {
        let router = Router()
        router.add(middleware: ProblemMiddleware())
        routes.add(to: router)
        intake.add(to: router, isPrivate: local.settings.localListen.isLoopback)
        let address = local.settings.localListen
        return ListeningService(
            Application(
                router: router, server: .http1(configuration: .init(idleTimeout: IntakeLimits.idleTimeout)),
                configuration: .init(address: .hostname(address.bindHost, port: address.port), serverName: nil),
                onServerRunning: { announcement.local($0.localAddress) }, logger: logger),
            at: address, setting: "local-listen")
    }

    private func intakeService(
        at address: ListenAddress, _ bundle: IntakeTLSBundle, announcement: Announcement, intake: IntakeRoutes
    ) -> any Service {
        let router = Router()
        router.add(middleware: ProblemMiddleware())
        intake.add(to: router, isPrivate: true)
        return ListeningService(
            Application(
                router: router, server: intakeServer(bundle: bundle),
                configuration: .init(address: .hostname(address.bindHost, port: address.port), serverName: nil),
                onServerRunning: { announcement.intake($0.localAddress) }, logger: logger),
            at: address, setting: "intake-listen")
    }
}

/// A server that says which address it could not take.
private struct ListeningService: Service {
    private let server: any Service
    private let address: ListenAddress
    private let setting: String

    init(_ server: any Service, at address: ListenAddress, setting: String) {
        self.server = server
        self.address = address
        self.setting = setting
    }

    /// - Throws: `E_LISTEN`.
    func run() async throws {
        do {
            try await server.run()
        } catch let error as IOError {
            throw failure(String(cString: strerror(error.errnoCode)))
        } catch let error as SocketAddressError {
            throw failure("the address is not known (\(error))")
        }
    }

    private func failure(_ reason: String) -> FederationError {
        FederationError(
            "E_LISTEN", "can't listen on \(address): \(reason)",
            hint: "see what holds the port with `ss -ltnp`, or change `\(setting)` in node.yaml")
    }
}

/// Where a running node listens, each as `ADDRESS:PORT`.
package struct ListeningAddresses: Sendable {
    /// Other nodes, mutual TLS.
    package fileprivate(set) var peers = ""
    /// This machine, plain HTTP.
    package fileprivate(set) var local = ""
    /// Local systems on other machines, TLS; nil when it is off.
    package fileprivate(set) var intake: String?
}

/// Waits for all servers before it says that the node is listening.
private final class Announcement: Sendable {
    private let servers: Int
    private let listening: @Sendable (ListeningAddresses) -> Void
    private let state = Mutex((addresses: ListeningAddresses(), running: 0))

    init(servers: Int, _ listening: @escaping @Sendable (ListeningAddresses) -> Void) {
        self.servers = servers
        self.listening = listening
    }

    func peers(_ address: SocketAddress?) { announce { $0.peers = Self.text(address) } }
    func local(_ address: SocketAddress?) { announce { $0.local = Self.text(address) } }
    func intake(_ address: SocketAddress?) { announce { $0.intake = Self.text(address) } }

    private func announce(_ change: (inout ListeningAddresses) -> Void) {
        let (addresses, running) = state.withLock { state in
            change(&state.addresses)
            state.running += 1
            return state
        }
        if running == servers { listening(addresses) }
    }

    private static func text(_ address: SocketAddress?) -> String {
        ListenAddress.text(host: address?.ipAddress ?? "?", port: address?.port ?? 0)
    }
}
