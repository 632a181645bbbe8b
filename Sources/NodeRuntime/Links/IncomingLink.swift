import ChangeSetFormat
import FederationModel
import LocalStore
import Logging
import NodeDesk
import SyncProtocol
import Zstandard

/// Carries out what a `LinkReceiver` says, for one sender, as long as the node runs.
///
/// Each connection has a sink: the frames that go back to the sender on it. An apply outlives its connection, because a
/// transaction can't be called back.
package actor IncomingLink {
    let sender: NodeID
    private let store: NodeStore
    private let signal: ChangeSignal
    private let completions: ChangeSignal
    private let metrics: LinkMetrics
    private let queues: ReceivingQueues
    private let statuses: LinkStatusWriter
    private let logger: Logger

    private var receiver: LinkReceiver
    /// Numbers of connections start at the clock, so that a restarted node does not give a number out again.
    private var lastConnection: Int
    private var hellos: [Int: CheckedContinuation<HelloOutcome, Never>] = [:]
    private var sinks: [Int: AsyncStream<Frame>.Continuation] = [:]
    /// The connection that the receiver has accepted, until it ends.
    private var present: Int?
    private var changeSets: [Int: [UInt8]] = [:]
    /// Bytes that are set aside for a change-set, from its arrival until it is stored or discarded.
    private var setAside: [Int: Int] = [:]
    private var nextID = 0
    /// Where the giving back of lost rows has come to.
    private var returned: LostPosition?
    /// Whether the sender has rows to decide over.
    private var isGivingBack = false
    /// No rows go back before; what the sender leaves undecided waits for a person.
    private var giveBackAfter: UnixMilliseconds = 0
    /// The rows of the sender that are put aside, as it was told last.
    private var putAside: [PutAsideRow] = []
    private let compressor = ZstandardCompressor()
    private var savedOrigins: [NodeID: OriginFreshness] = [:]
    private let onTopologyDiffers: @Sendable (NodeID) -> Void

    /// Between two rounds of giving back, milliseconds.
    private static let giveBackPause: Int64 = 600_000

    /// Answers that wait for a sender who does not read them. An honest one causes a handful at a time.
    private static let unsentFramesMax = 1_000

    enum HelloOutcome: Sendable {
        case accepted(HelloReply, connection: Int)
        case refused(Refusal)
    }

    package init(
        sender: NodeID, store: NodeStore, policy: LinkPolicy, cursor: Cursor?, signal: ChangeSignal,
        completions: ChangeSignal, metrics: LinkMetrics, queues: ReceivingQueues = ReceivingQueues(),
        statuses: LinkStatusWriter, logger: Logger,
        onTopologyDiffers: @escaping @Sendable (NodeID) -> Void = { _ in }
    ) {
        self.onTopologyDiffers = onTopologyDiffers
        self.sender = sender
        self.store = store
        self.signal = signal
        self.completions = completions
        self.metrics = metrics
        self.queues = queues
        self.statuses = statuses
        var logger = logger
        logger[metadataKey: "link"] = "\(sender)->\(store.node)"
        self.logger = logger
        let now = wallClock()
        lastConnection = Int(now)
        receiver = LinkReceiver(
            node: store.node, sender: sender, topology: store.standing.topology.stamp, policy: policy,
            schemaRevision: store.schemaRevision, cursor: cursor, now: now)
    }

    /// Hands the link what it may be sent from now on; nil ends its connections.
    ///
    /// - Parameter doubted: origins whose copies may not be whole under this topology.
    package func take(_ policy: LinkPolicy?, topology: TopologyStamp, doubted: Set<NodeID> = []) {
        perform(receiver.onPolicyChanged(policy, topology: topology, doubted: doubted, now: wallClock()))
    }

    // MARK: - What the routes bring

    func hello(_ hello: Hello) async -> HelloOutcome {
        let durable: (cursor: Cursor, mark: HistoryMark?)?
        do {
            durable = try await store.markedCursor(of: sender)
            try await refreshLoss()
            receiver.onQuarantineChanged(try await store.quarantineCounts()[sender] ?? 0)
            putAside = try await store.putAside(of: sender, origins: receiver.policy?.origins ?? [])
            if let durable, durable.cursor.epoch != hello.epoch {
                try await store.doubt(receiver.policy?.origins ?? [])
            }
        } catch {
            return .refused(Refusal(.store(error), retryAfterMS: 1_000))
        }
        lastConnection += 1
        let connection = lastConnection
        return await withCheckedContinuation { continuation in
            hellos[connection] = continuation
            perform(
                receiver.onHello(
                    hello, connection: connection, cursor: durable?.cursor, mark: durable?.mark, now: wallClock()))
        }
    }

    /// The frames that go back on a connection; an earlier sink of the same connection ends.
    ///
    /// - Returns: nil when the connection is not the present one: the sender must say hello again.
    func frames(of connection: Int) -> AsyncStream<Frame>? {
        guard connection == present else { return nil }
        let (stream, continuation) = AsyncStream.makeStream(
            of: Frame.self, bufferingPolicy: .bufferingOldest(Self.unsentFramesMax))
        sinks[connection]?.finish()
        sinks[connection] = continuation
        return stream
    }

    func take(_ frame: Frame, connection: Int) {
        let now = wallClock()
        switch frame.kind {
        case .probe: perform(receiver.onProbe(connection: connection, now: now))
        case .heartbeat:
            guard let heartbeat = try? WireJSON.decode(Heartbeat.self, frame.body) else {
                refuseUnreadable(.unreadable(.heartbeat, of: sender), connection: connection)
                return
            }
            perform(receiver.onHeartbeat(heartbeat, connection: connection, now: now))
            if let version = heartbeat.topology, version != store.standing.topology.version {
                onTopologyDiffers(sender)
            }
        case .changeSet: takeChangeSet(frame.body, connection: connection, now: now)
        case .settlement:
            guard let settlement = try? WireJSON.decode(Settlement.self, frame.body) else {
                refuseUnreadable(.unreadable(.settlement, of: sender), connection: connection)
                return
            }
            settle(settlement, connection: connection)
        case .goodbye: disconnected(nil, connection: connection)
        // A connection has one hello, and who reads it takes it from there.
        case .hello: refuseUnreadable(.unreadable(.hello, of: sender), connection: connection)
        // They say nothing to a receiver.
        case .echo, .acknowledgement, .refusal, .helloReply, .returned, .progress, .opening: break
        }
    }

    /// A part of a frame has arrived.
    func progress(connection: Int) { perform(receiver.onProgress(connection: connection, now: wallClock())) }

    func disconnected(_ error: FederationError?, connection: Int) {
        if present == connection { present = nil }
        sinks.removeValue(forKey: connection)?.finish()
        if let error {
            logger.warning("a sender's connection broke", metadata: ["code": "\(error.code)", "reason": "\(error)"])
        }
        perform(receiver.onDisconnected(error, connection: connection, now: wallClock()))
    }

    /// The connection that this end opens did not come about.
    func unreached(_ error: FederationError) {
        receiver.onUnreached(error, now: wallClock())
        report()
    }

    /// Bytes that are no frame, or a frame that is no message.
    func refuseUnreadable(_ error: FederationError, connection: Int) {
        perform(receiver.onUnreadable(error, connection: connection, now: wallClock()))
    }

    func doClocksAgree(now: UnixMilliseconds) -> Bool { receiver.doClocksAgree(now: now) }

    /// Time passes: silence shows in the status, and so does that somebody has accepted the loss of rows, or a comparison has found some.
    func refreshStatus() async {
        report()
        try? await refreshLoss()
    }

    /// Rows may have come to be lost without a change-set of the sender: they were given back to this node on their way to it.
    func refreshLoss() async throws {
        let lost = try await store.lostRows()[sender] ?? 0
        perform(receiver.onLossChanged(lost, now: wallClock()))
    }

    private func takeChangeSet(_ bytes: [UInt8], connection: Int, now: UnixMilliseconds) {
        let header: ChangeSetHeader
        do {
            header = try bytes.withUnsafeBytes { try ChangeSetHeader.decode($0).0 }
        } catch {
            refuseUnreadable(error as? FederationError ?? .unreadable(.changeSet, of: sender), connection: connection)
            return
        }
        nextID += 1
        changeSets[nextID] = bytes
        metrics.received(rows: header.rowCount, bytes: bytes.count, peer: sender)
        perform(
            receiver.onChangeSet(
                id: nextID, header: header, bytes: bytes.count, obstacle: obstacle(to: nextID, bytes.count),
                connection: connection, now: now))
    }

    /// Why this node can't hold a change-set now; nil when room is set aside for it.
    private func obstacle(to id: Int, _ bytes: Int) -> FederationError? {
        if let obstacle = store.space.obstacleToSync(at: store.node) { return obstacle }
        guard queues.take(bytes, from: sender) else { return receiver.queueFull }
        setAside[id] = bytes
        return nil
    }

    private func release(_ id: Int) {
        changeSets[id] = nil
        if let bytes = setAside.removeValue(forKey: id) { queues.release(bytes, from: sender) }
    }

    // MARK: - Directives

    private func perform(_ directives: [ReceiverDirective]) {
        for directive in directives {
            switch directive {
            case .reply(var reply, let connection):
                if !putAside.isEmpty { reply.putAside = putAside }
                present = connection
                (returned, isGivingBack, giveBackAfter) = (nil, false, 0)
                hellos.removeValue(forKey: connection)?.resume(returning: .accepted(reply, connection: connection))
                logger.info("a sender has connected")
            case .refuseHello(let refusal, let connection):
                count(refusal)
                if [LinkCode.topologyVersion, LinkCode.notANeighbour].contains(refusal.code) {
                    onTopologyDiffers(sender)
                }
                hellos.removeValue(forKey: connection)?.resume(returning: .refused(refusal))
            case .apply(let id): apply(id)
            case .discard(let ids): for id in ids { release(id) }
            case .acknowledge(let acknowledgement): send(.acknowledgement, acknowledgement)
            case .refuse(let refusal):
                count(refusal)
                send(.refusal, refusal)
            case .echo: send(Frame(.echo))
            case .progress: send(Frame(.progress))
            case .giveBack: giveBack()
            case .end(let connection): end(connection)
            }
        }
        report()
    }

    // MARK: - Giving back

    /// What can't be read answers as an echo: the link goes on, and it is tried again with the next heartbeat.
    private func giveBack() {
        guard let policy = receiver.policy, let connection = present else { return }
        guard !isGivingBack, giveBackAfter <= wallClock() else { return send(Frame(.echo)) }
        isGivingBack = true
        let (store, sender, position, compressor) = (store, sender, returned, compressor)
        Task {
            do {
                let next = try await store.lostChangeSet(
                    of: sender, policy: policy, after: position, now: wallClock(), compressor: compressor)
                guard connection == present else { return }
                returned = next?.end
                if let next {
                    send(Frame(.returned, next.changeSet.bytes))
                } else {
                    isGivingBack = false
                    giveBackAfter = wallClock() + Self.giveBackPause
                    send(Frame(.echo))
                }
            } catch {
                isGivingBack = false
                logger.warning("rows could not be given back", metadata: ["reason": "\(error)"])
                if connection == present { send(Frame(.echo)) }
            }
        }
    }

    private func settle(_ settlement: Settlement, connection: Int) {
        isGivingBack = false
        let rows = settlement.rows.map { ($0.resource, RowKey(origin: $0.origin, key: $0.key)) }
        Task {
            do {
                let (lost, head) = try await store.settle(rows, of: sender, now: wallClock())
                signal.ring(head: head)
                perform(receiver.onSettled(lost: lost, connection: connection, now: wallClock()))
            } catch {
                perform(receiver.onSettled(lost: receiver.lost, connection: connection, now: wallClock()))
            }
        }
    }

    private func send(_ kind: FrameKind, _ message: some Encodable) {
        guard let body = try? WireJSON.encode(message) else { return }
        send(Frame(kind, body))
    }

    private func send(_ frame: Frame) {
        guard let present, case .dropped = sinks[present]?.yield(frame) else { return }
        let error = FederationError(
            "E_PEER_SLOW", "node \(sender) does not read what it is answered", isRetryable: true)
        metrics.count(error.code, direction: .receiving, peer: sender)
        disconnected(error, connection: present)
    }

    private func end(_ connection: Int) {
        if present == connection { present = nil }
        if let hello = hellos.removeValue(forKey: connection) {
            let superseded = FederationError("E_SUPERSEDED", "a newer connection has taken over", isRetryable: true)
            hello.resume(returning: .refused(Refusal(superseded, retryAfterMS: 1_000)))
        }
        guard let sink = sinks.removeValue(forKey: connection) else { return }
        sink.yield(Frame(.goodbye))
        sink.finish()
    }

    private func apply(_ id: Int) {
        guard let bytes = changeSets.removeValue(forKey: id), let policy = receiver.policy else { return release(id) }
        let store = store
        Task {
            defer { release(id) }
            do {
                let now = wallClock()
                let changeSet = try IncomingChangeSet(
                    bytes: bytes, policy: policy, resources: store.resources, now: now)
                let report = try await store.apply(changeSet, policy: policy, now: now)
                applied(report, putAside: try? await store.putAside(of: sender, origins: policy.origins))
            } catch {
                perform(receiver.onApplyRefused(.store(error), now: wallClock()))
            }
        }
    }

    /// - Parameter rows: what of the sender is put aside now; nil when it can't be told.
    private func applied(_ report: ApplyReport, putAside rows: [PutAsideRow]?) {
        let news = rows == putAside ? nil : rows
        putAside = rows ?? putAside
        if report.quarantined > 0 {
            logger.warning("rows were put aside", metadata: ["rows": "\(report.quarantined)"])
        }
        if report.lost > 0, receiver.lost == 0 {
            let error = FederationError.rowsLost(report.lost, by: sender, at: store.node)
            logger.error("a sender has lost rows", metadata: ["code": "\(error.code)", "reason": "\(error)"])
        }
        for (resource, refusal) in report.refused {
            metrics.count(refusal.rawValue, direction: .receiving, peer: sender)
            logger.warning(
                "rows of a resource were passed over",
                metadata: ["code": "\(refusal.rawValue)", "resource": "\(resource)", "reason": "\(refusal.text)"])
        }
        signal.ring(head: report.head)
        let refused = report.refused.map { ($0.key.text, $0.value.rawValue) }
        perform(
            receiver.onApplied(
                Acknowledgement(
                    cursor: report.cursor, applied: report.applied, skipped: report.skipped,
                    quarantined: report.quarantined,
                    refused: refused.isEmpty ? nil : Dictionary(uniqueKeysWithValues: refused),
                    lost: report.lost > 0 ? report.lost : nil,
                    quarantinedTotal: report.quarantinedTotal > 0 ? report.quarantinedTotal : nil, putAside: news),
                now: wallClock()))
    }

    private func count(_ refusal: Refusal) {
        metrics.count(refusal.code, direction: .receiving, peer: sender)
        logger.warning("refused", metadata: ["code": "\(refusal.code)", "reason": "\(refusal.message)"])
    }

    private func report() {
        statuses.update(receiver.summary(now: wallClock()))
        guard receiver.origins != savedOrigins else { return }
        let completed = receiver.origins.contains { $0.value.complete && savedOrigins[$0.key]?.complete != true }
        savedOrigins = receiver.origins
        guard let policy = receiver.policy else { return }
        let origins = receiver.origins.filter { policy.origins.contains($0.key) }
        let (store, logger, signal, completions) = (store, logger, signal, completions)
        Task {
            do {
                signal.ring(head: try await store.save(freshness: origins, under: policy, now: wallClock()))
                if completed { completions.ring(head: 0) }
            } catch {
                logger.warning("freshness could not be saved", metadata: ["reason": "\(error)"])
            }
        }
    }
}
