import ConfigurationFiles
import FederationModel
import Foundation
import Hummingbird
import LocalStore
import Logging
import NIOCore
import NodeDesk
import NodeFiles
import NodeIdentity
import Reporting
import ServiceLifecycle
import Synchronization
import UnixSignals

/// The running node: two servers, its links, its feed's consumers, until SIGTERM or SIGINT.
package struct NodeService: Sendable {
    private let local: LocalNode
    private let logger: Logger

    /// - Parameter desk: of whoever starts the service.
    package init(_ desk: NodeDesk, logger: Logger) {
        local = desk.local
        self.logger = logger
    }

    /// Serves until a signal comes; then finishes or cleanly abandons what is in flight.
    ///
    /// - Parameter listening: called once all servers accept connections and all links are there, with the addresses.
    /// - Throws: `E_ALREADY_RUNNING`, `E_TOPOLOGY_SAME_VERSION`, `E_LISTEN`, `E_CREDENTIALS`, `E_CREDENTIALS_NODE`, `E_FILE_READ`.
    package func run(listening: @escaping @Sendable (ListeningAddresses) -> Void) async throws {
        guard let rings = try Doorbell.rings(databasePath: local.settings.databasePath) else {
            throw FederationError(
                "E_ALREADY_RUNNING", "a service of node \(local.id) runs on this database already",
                hint: "stop it first, or look at it with `federation-node status`")
        }
        let certificates = try ServedCertificates(local, logger: logger)
        closeToOthers()
        let (signal, completions, consumed) = (ChangeSignal(), ChangeSignal(), ChangeSignal())
        let metrics = LinkMetrics()
        let handshakes = HandshakeCounters()
        let registry = LinkRegistry()
        let peers = PeerClients(store: local.store, way: registry) { () throws(FederationError) in certificates.current
        }
        let desk = NodeDesk(local, as: .system, peers: peers, announce: { signal.ring(head: $0) })
        let announcement = Announcement(parts: local.settings.intakeListen == nil ? 3 : 4, listening)
        let supervisor = LinkSupervisor(
            store: local.store, registry: registry, peers: peers,
            questions: QuestionHandler(desk: desk, metrics: metrics), signal: signal, completions: completions,
            metrics: metrics, logger: logger
        ) { announcement.links() }
        let publisher = StandingPublisher(source: local.source, signal: signal, logger: logger) {
            supervisor.take($0)
        }
        supervisor.exchangeTopologies(
            by: TopologyExchange(store: local.store, peers: peers, publisher: publisher, logger: logger) {
                supervisor.retry($0)
            })
        try await publishCatalog(desk)
        try await publisher.start()
        let history = HistoryService(
            store: local.store, databasePath: local.settings.databasePath, logger: logger)
        try await history.check()
        await retryQuarantine(desk)

        var services: [any Service] = [
            CertificateService(certificates: certificates, peers: peers),
            publisher,
            FeedService(
                store: local.store, signal: signal, rings: rings, runsConsumers: local.settings.runsConsumers,
                logger: logger, consumed: consumed, onNewEpoch: { supervisor.take($0, head: $1) }),
            history,
            PruningService(
                store: local.store, retention: local.settings.tombstoneRetentionDays * 86_400_000,
                undo: local.settings.undoDays * 86_400_000, logger: logger),
            ClockService(store: local.store, links: registry, signal: signal, logger: logger),
            peerServer(
                credentials: certificates.bundle, handshakes: handshakes, announcement: announcement,
                routes: LinkRoutes(
                    links: registry, desk: desk, metrics: metrics
                ) { try await publisher.adopt($0) }),
        ]
        let detection = DetectionMetrics()
        if local.settings.runsConsumers {
            services.append(
                DetectionService(desk: desk, consumed: consumed, metrics: detection, logger: logger))
        }
        services.append(DeliveryService(desk: desk, metrics: detection, logger: logger))
        if let schedule = local.settings.comparisons {
            services.append(ComparisonService(desk: desk, schedule: schedule, logger: logger))
        }
        let kinds = local.settings.reports.compactMap { ReportKind(rawValue: $0) }
        if !kinds.isEmpty {
            services.append(
                ReportService(
                    desk: desk, timetable: ReportTimetable(kinds, at: local.settings.reportsAt), logger: logger))
        }
        let intake = IntakeRoutes(
            desk: desk, gate: IntakeGate(), metrics: IntakeMetrics())
        services.append(
            localServer(
                announcement: announcement,
                routes: LocalRoutes(
                    desk: desk, links: registry, metrics: metrics, handshakes: handshakes,
                    intakeMetrics: intake.metrics, detection: detection, certificates: certificates),
                intake: intake))
        if let address = local.settings.intakeListen, let bundle = certificates.intake {
            services.append(intakeService(at: address, bundle, announcement: announcement, intake: intake))
        }
        // The last to start is the first to be stopped: while the others end, no more is sent.
        services.append(supervisor)
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

    /// What the catalog file says when the service starts is the newest release. What stands in the way of writing now, a full disk or
    /// a clock that is wrong, keeps the node from nothing else.
    private func publishCatalog(_ desk: NodeDesk) async throws {
        let published: CatalogPublication
        do {
            published = try await desk.publishCatalog()
        } catch let error as FederationError where error.isRetryable {
            logger.error(
                "the catalog can't be published now; the node goes by the one before until its service starts anew",
                metadata: ["code": "\(error.code)", "reason": "\(error)"])
            return
        }
        if published.isNew {
            logger.notice("the catalog is published", metadata: ["version": "\(published.release.version)"])
        }
        for subscription in published.rejected {
            logger.warning(
                "a subscription is rejected by the catalog",
                metadata: ["code": "\(subscription.refusal.rawValue)", "reason": "\(subscription.text)"])
        }
    }

    /// A release that knows more may take now what one before it put aside.
    private func retryQuarantine(_ desk: NodeDesk) async {
        do {
            guard try await !desk.quarantine(limit: 1).isEmpty else { return }
            let retry = try await desk.retryQuarantined(nil)
            guard retry.taken > 0 else { return }
            logger.notice("rows that were put aside were taken", metadata: ["rows": "\(retry.taken)"])
        } catch {
            logger.warning("rows that were put aside could not be tried again", metadata: ["reason": "\(error)"])
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

/// Waits for all servers and the links before it says that the node is listening.
private final class Announcement: Sendable {
    private let parts: Int
    private let listening: @Sendable (ListeningAddresses) -> Void
    private let state = Mutex((addresses: ListeningAddresses(), running: 0))

    init(parts: Int, _ listening: @escaping @Sendable (ListeningAddresses) -> Void) {
        self.parts = parts
        self.listening = listening
    }

    func links() { announce { _ in } }
    func peers(_ address: SocketAddress?) { announce { $0.peers = Self.text(address) } }
    func local(_ address: SocketAddress?) { announce { $0.local = Self.text(address) } }
    func intake(_ address: SocketAddress?) { announce { $0.intake = Self.text(address) } }

    private func announce(_ change: (inout ListeningAddresses) -> Void) {
        let (addresses, running) = state.withLock { state in
            change(&state.addresses)
            state.running += 1
            return state
        }
        if running == parts { listening(addresses) }
    }

    private static func text(_ address: SocketAddress?) -> String {
        ListenAddress.text(host: address?.ipAddress ?? "?", port: address?.port ?? 0)
    }
}
