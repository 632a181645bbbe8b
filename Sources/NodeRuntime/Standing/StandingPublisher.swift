import ConfigurationFiles
import FederationModel
import LocalStore
import Logging
import NodeDesk
import NodeIdentity
import ServiceLifecycle

/// The one who makes a running node go by what its store holds now: it looks when the feed has moved, when a command has
/// rung, when a neighbour brings topology releases, and at midnight, when approvals run out. It carries out what a new topology
/// asks of the rows that are here, publishes the new `Standing` to the store, where everybody asks for it, and hands it to the links.
package actor StandingPublisher: Service {
    private let source: StandingSource
    private let signal: ChangeSignal
    private let logger: Logger
    private let clock: @Sendable () -> UnixMilliseconds
    private let onPublished: @Sendable (Standing) -> Void
    private var marks: StandingMarks?
    /// The day for which approvals were looked at.
    private var day: Int64?
    /// The look that is being taken, or was the last: one after the other, so that no older standing is published after a newer.
    private var lastLook: Task<Void, Never>?

    /// Midnight comes with the clock, which may be set meanwhile.
    private static let clockInterval = Duration.seconds(20)

    private var store: NodeStore { source.store }

    /// - Parameter onPublished: called with each new standing, in their order.
    package init(
        source: StandingSource, signal: ChangeSignal, logger: Logger,
        clock: @escaping @Sendable () -> UnixMilliseconds = wallClock,
        onPublished: @escaping @Sendable (Standing) -> Void
    ) {
        self.source = source
        self.signal = signal
        self.logger = logger
        self.clock = clock
        self.onPublished = onPublished
    }

    /// To be called once before links run: takes the topology file over while no release is signed, goes on with what a stopped
    /// process left of an adoption, and publishes.
    ///
    /// - Throws: `E_TOPOLOGY_SAME_VERSION`, `E_TOPOLOGY_INVALID`, and what the store throws.
    package func start() async throws {
        try await adoptFile()
        let marks = try store.standingMarks()
        try await publish(source.read(), marks)
    }

    package func run() async throws {
        let heads = signal.heads()
        await cancelWhenGracefulShutdown { [self] in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in heads { await self.look() } }
                group.addTask {
                    while !Task.isCancelled {
                        await self.look()
                        try? await Task.sleep(for: Self.clockInterval)
                    }
                }
            }
        }
    }

    /// Adopts releases of a neighbour that are newer than what this node stands on.
    ///
    /// - Throws: `E_TOPOLOGY_SIGNATURE`, `E_TOPOLOGY_SIGNER`, `E_TOPOLOGY_INVALID`, `E_CREDENTIALS`, and what the store throws.
    package func adopt(_ releases: [TopologyRelease]) async throws {
        let standing = store.standing
        let credentials = try NodeCredentials.load(from: source.settings.credentialsPath)
        let chain = try ReleaseChain(
            releases, after: standing.topology, trustRootsPEM: credentials.trustRootsPEM)
        guard !chain.releases.isEmpty else { return }
        try await source.adopt(chain, now: clock())
        await look()
    }

    private func look() async {
        let former = lastLook
        let look = Task {
            await former?.value
            await self.publishWhatIsNew()
        }
        lastLook = look
        await look.value
    }

    /// Publishes a new standing if what it is made of has changed. What can't be read now is tried again with the next change.
    private func publishWhatIsNew() async {
        do {
            try await expireApprovals()
            let marks = try store.standingMarks()
            guard marks != self.marks else { return }
            try await publish(source.read(), marks)
        } catch is CancellationError {
        } catch {
            let error = FederationError.store(error)
            logger.error(
                "the node goes on by what it went by before: what it should go by now can't be read",
                metadata: ["code": "\(error.code)", "reason": "\(error)"])
        }
    }

    /// - Parameter marks: of what `standing` was read from, or of something older: then it is read once more.
    private func publish(_ standing: Standing, _ marks: StandingMarks) async throws {
        let isNewTopology = marks.topology != self.marks?.topology
        if isNewTopology {
            while let records = try await store.performAdoptionStep(under: standing, now: clock()) {
                for record in records { note(record) }
            }
        }
        try store.publish(standing)
        // Not before: what has failed is tried again.
        self.marks = marks
        if isNewTopology {
            logger.notice(
                "the node stands on a topology", metadata: ["version": "\(standing.topology.version)"])
        }
        onPublished(standing)
        // What was deleted is told onwards, and consumers follow.
        signal.ring(head: try await store.head())
    }

    private func note(_ record: DeletionRecord) {
        logger.notice(
            "copies were deleted because the topology no longer gives them to this node",
            metadata: [
                "origin": "\(record.origin)", "resource": "\(record.resource)", "rows": "\(record.rows)",
                "digest": "\(record.digest)",
            ])
    }

    /// Makes the file that the node was set up with a release, as long as nobody has signed one.
    private func adoptFile() async throws {
        let current = try store.currentRelease()
        if let current, current.signature != nil {
            if let file = try? source.fileTopology(), file.version > current.version {
                logger.warning(
                    "the topology file is newer than the release in force and is not looked at: publish it at the top node",
                    metadata: ["file": "\(file.version)", "release": "\(current.version)"])
            }
            return
        }
        guard let current else { return try await source.adoptFile(now: clock()) }
        guard let file = try? source.fileTopology() else { return }
        let topology = try StandingSource.topology(of: current)
        guard !file.stamp.contradicts(topology.stamp) else {
            throw FederationError(
                "E_TOPOLOGY_SAME_VERSION",
                "the topology file says something else than before, and its version \(file.version) is the same",
                hint:
                    "give it a higher `version`, see with `federation-node topology plan` what that does, and publish it with "
                    + "`federation-node topology apply` at the top node")
        }
        if file.version > current.version { try await source.adoptFile(now: clock()) }
    }

    // MARK: - The day

    /// An approval holds until the end of its day: the catalog without it is a release of its own.
    private func expireApprovals() async throws {
        let today = ShanghaiTime.dayNumber(clock())
        guard today != day else { return }
        if let newest = try store.catalogs(of: store.node).last {
            let catalog = newest.catalog.valid(on: today)
            if catalog != newest.catalog {
                let release = CatalogRelease(
                    version: newest.version + 1, publishedAt: clock(), catalog: catalog)
                _ = try await store.intake(release.records, now: clock())
                logger.notice(
                    "approvals have run out; the catalog is published anew", metadata: ["version": "\(release.version)"]
                )
                signal.ring(head: try await store.head())
            }
        }
        day = today
    }
}
