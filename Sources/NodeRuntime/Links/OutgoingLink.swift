import ChangeSetFormat
import FederationModel
import Foundation
import LocalStore
import Logging
import NodeDesk
import ServiceLifecycle
import SyncProtocol
import Zstandard

/// Carries out what a `LinkSender` says: the only place of the sending end that waits.
///
/// One task takes the inputs in order; everything that takes time (connecting, reading the store, writing to the network,
/// timers) runs beside it and comes back as an input.
package actor OutgoingLink: Service {
    /// Where what takes time comes back.
    package typealias Inputs = AsyncStream<Input>.Continuation

    package enum Input: Sendable {
        case helloReply(HelloReply, connection: Int, number: String)
        /// The receiver's cursor has been held against the history of this node's database.
        case recognised(HelloReply, connection: Int)
        case newEpoch(Epoch, head: Seq)
        case helloRefused(Refusal, connection: Int)
        case connectFailed(FederationError, connection: Int)
        case streamOpened(connection: Int)
        case frame(Frame, connection: Int)
        case disconnected(FederationError, connection: Int)
        case prepared(Preparation, number: Int)
        case committed(Seq)
        case headRead(Seq)
        case originCompleted
        case policyChanged(LinkPolicy, TopologyStamp)
        case retry
        case wake
        case stop
    }

    /// What the store answers to a `prepare` directive.
    package enum Preparation: Sendable {
        case changeSet(OutgoingChangeSet)
        case nothing(Seq)
        case pruned(Seq)
        case failed(FederationError)
    }

    private let store: NodeStore
    private var policy: LinkPolicy
    private let connector: any LinkConnector
    private let signal: ChangeSignal
    private let completions: ChangeSignal
    private let metrics: LinkMetrics
    private let logger: Logger
    private let compressor = ZstandardCompressor()
    private let inputs: AsyncStream<Input>
    private let input: Inputs
    private let statuses: LinkStatusWriter
    /// The receiver's cursor, as it last said.
    private let confirmations: AsyncStream<Cursor>
    private let confirmation: AsyncStream<Cursor>.Continuation

    private var sender: LinkSender
    /// Grows with every connection; inputs of an earlier one are dropped.
    private var connection = 0
    /// The receiver's name for the present connection.
    private var number = ""
    private var channel: LinkChannel?
    private var connecting: Task<Void, Never>?
    private var timer: Task<Void, Never>?
    /// Grows when what is being prepared is of no use any more.
    private var preparation = 0
    private let onTopologyDiffers: @Sendable (NodeID) -> Void
    /// Whether rows that came back are being taken.
    private var isTakingBack = false
    private let onNewEpoch: @Sendable (Epoch, Seq) -> Void
    private let onPassedOn: @Sendable () async -> Void

    /// - Parameters:
    ///   - connector: how the link comes to its connections.
    ///   - signal: rings with every new head of the feed.
    ///   - completions: rings when this node's copy of an origin has become whole.
    ///   - onTopologyDiffers: called when the receiver stands on another topology version.
    ///   - onPassedOn: called when rows that another node has lost have come here on their way to it.
    ///   - onNewEpoch: called when this database has begun another epoch, with its head; `take` it then on every link.
    package init(
        store: NodeStore, policy: LinkPolicy, connector: any LinkConnector, signal: ChangeSignal,
        completions: ChangeSignal,
        metrics: LinkMetrics, head: Seq, logger: Logger,
        onTopologyDiffers: @escaping @Sendable (NodeID) -> Void = { _ in },
        onNewEpoch: @escaping @Sendable (Epoch, Seq) -> Void, onPassedOn: @escaping @Sendable () async -> Void
    ) {
        self.onPassedOn = onPassedOn
        self.onTopologyDiffers = onTopologyDiffers
        self.onNewEpoch = onNewEpoch
        self.store = store
        self.policy = policy
        self.connector = connector
        self.signal = signal
        self.completions = completions
        self.metrics = metrics
        var logger = logger
        logger[metadataKey: "link"] = "\(policy.sender)->\(policy.receiver)"
        self.logger = logger
        (inputs, input) = AsyncStream.makeStream(of: Input.self)
        (confirmations, confirmation) = AsyncStream.makeStream(of: Cursor.self, bufferingPolicy: .bufferingNewest(1))
        statuses = LinkStatusWriter(store: store, peer: policy.receiver, direction: .sending, logger: logger)
        sender = LinkSender(
            policy: policy, topology: store.standing.topology.stamp, epoch: store.epoch, head: head,
            schemaRevision: store.schemaRevision,
            seed: UInt64.random(in: 0...UInt64.max))
    }

    package func run() async throws {
        let (heads, completed) = (signal.heads(), completions.heads())
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { [input] in for await head in heads { input.yield(.committed(head)) } }
                group.addTask { [input] in for await _ in completed { input.yield(.originCompleted) } }
                group.addTask { [statuses] in await statuses.run() }
                group.addTask { await self.keepConfirmations() }
                await self.takeInputs()
                await statuses.finish()
                group.cancelAll()
            }
        } onGracefulShutdown: { [input] in
            input.yield(.stop)
        }
    }

    /// Hands the link what it may send from now on; the same policy under another topology too.
    package nonisolated func take(_ policy: LinkPolicy, topology: TopologyStamp) {
        input.yield(.policyChanged(policy, topology))
    }

    /// Another epoch of the database has begun.
    package nonisolated func take(_ epoch: Epoch, head: Seq) { input.yield(.newEpoch(epoch, head: head)) }

    /// The receiver may have become ready for what it refused.
    package nonisolated func retry() { input.yield(.retry) }

    /// Finishes what is in flight and ends `run`.
    package nonisolated func stop() { input.yield(.stop) }

    private func takeInputs() async {
        var directives = sender.onStart(now: wallClock())
        for directive in directives { perform(directive) }
        for await next in inputs {
            directives = on(next)
            for directive in directives { perform(directive) }
            statuses.update(sender.summary)
            if directives.contains(.end) { break }
        }
        timer?.cancel()
        connecting?.cancel()
    }

    /// Twice a second at most: what is pruned may wait, a busy link may not.
    private nonisolated func keepConfirmations() async {
        for await cursor in confirmations {
            do {
                try await store.confirm(cursor, by: policy.receiver, now: wallClock())
            } catch {
                logger.warning("the receiver's cursor could not be saved", metadata: ["reason": "\(error)"])
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    // MARK: - Inputs

    private func on(_ next: Input) -> [LinkDirective] {
        let now = wallClock()
        switch next {
        case .helloReply(let reply, connection, let number):
            self.number = number
            recognise(reply, now: now)
            return []
        case .recognised(let reply, connection):
            if let cursor = reply.cursor { confirmation.yield(cursor) }
            // A receiver of an earlier release counts them and does not say which.
            if let rows = reply.putAside ?? (reply.quarantinedTotal == nil ? [] : nil) { keep(putAside: rows) }
            return sender.onHelloReply(reply, now: now)
        case .newEpoch(let epoch, let head):
            preparation += 1
            return sender.onNewEpoch(epoch, head: head, now: now)
        case .helloRefused(let refusal, connection):
            if [LinkCode.topologyVersion, LinkCode.notANeighbour].contains(refusal.code) {
                onTopologyDiffers(policy.receiver)
            }
            return sender.onHelloRefused(refusal, now: now)
        case .connectFailed(let error, connection):
            if error.code == LinkCode.notANeighbour { onTopologyDiffers(policy.receiver) }
            return sender.onConnectFailed(error, now: now)
        case .streamOpened(connection): return sender.onStreamOpened(now: now)
        case .disconnected(let error, connection): return sender.onDisconnected(error, now: now)
        case .frame(let frame, connection): return on(frame, now: now)
        case .prepared(let answer, preparation): return on(answer, now: now)
        case .policyChanged(let policy, let topology):
            if policy.revision != self.policy.revision || !policy.isSame(as: self.policy) { preparation += 1 }
            self.policy = policy
            return sender.onPolicyChanged(policy, topology: topology, now: now)
        case .retry: return sender.onRetry(now: now)
        case .committed(let head): return sender.onCommitted(head: head, now: now)
        case .headRead(let head): return sender.onHeadRead(head, now: now)
        case .originCompleted: return sender.onOriginCompleted(now: now)
        case .wake: return sender.onWake(now: now)
        case .stop: return sender.onStop(now: now)
        default: return []  // Of an earlier connection or policy.
        }
    }

    private func on(_ answer: Preparation, now: UnixMilliseconds) -> [LinkDirective] {
        switch answer {
        case .changeSet(let outgoing):
            let header = outgoing.header
            let directives = sender.onPrepared(
                PreparedChangeSet(
                    id: 0, start: header.start, end: header.end, head: header.head, rows: header.rowCount,
                    bytes: outgoing.bytes.count), now: now)
            if directives.contains(.send(0)) { channel?.send(Frame(.changeSet, outgoing.bytes)) }
            return directives.filter { $0 != .send(0) }
        case .nothing(let head): return sender.onNothingToPrepare(head: head, now: now)
        case .pruned(let head): return sender.onPruned(head: head, now: now)
        case .failed(let error):
            logger.error("a change-set could not be read", metadata: ["code": "\(error.code)", "reason": "\(error)"])
            return sender.onPrepareFailed(error, now: now)
        }
    }

    private func on(_ frame: Frame, now: UnixMilliseconds) -> [LinkDirective] {
        do {
            switch frame.kind {
            case .echo: return sender.onEcho(now: now)
            case .progress: return sender.onProgress(now: now)
            case .returned:
                takeBack(frame.body)
                return sender.onEcho(now: now)
            case .acknowledgement:
                let acknowledgement = try WireJSON.decode(Acknowledgement.self, frame.body)
                noteRefused(acknowledgement.refused ?? [:])
                confirmation.yield(acknowledgement.cursor)
                if let rows = acknowledgement.putAside { keep(putAside: rows) }
                return sender.onAcknowledged(acknowledgement, now: now)
            case .refusal:
                let refusal = try ErrorMapping.refusal(in: frame.body)
                metrics.count(refusal.code, direction: .sending, peer: policy.receiver)
                return sender.onRefused(refusal, now: now)
            case .goodbye: return sender.onDisconnected(.peerEnded(policy.receiver), now: now)
            case .probe: return []
            case .changeSet, .heartbeat, .hello, .helloReply, .settlement, .opening:
                return sender.onDisconnected(.unreadable(frame.kind, of: policy.receiver), now: now)
            }
        } catch {
            return sender.onDisconnected(.unreadable(frame.kind, of: policy.receiver), now: now)
        }
    }

    private func keep(putAside rows: [PutAsideRow]) {
        let (store, policy, logger) = (store, policy, logger)
        Task {
            do {
                try await store.keep(putAside: rows, by: policy.receiver, policy: policy, now: wallClock())
            } catch {
                logger.warning("what the receiver put aside could not be saved", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// What this node's own catalog does not grant any more, and the link had sent before it heard of that.
    private func noteRefused(_ refused: [String: String]) {
        for (resource, code) in refused.sorted(by: { $0.key < $1.key }).prefix(SyncLimits.blocksMax) {
            metrics.count(code, direction: .sending, peer: policy.receiver)
            guard let refusal = CatalogRefusal(rawValue: code) else { continue }
            logger.warning(
                "the receiver has passed over rows of a resource",
                metadata: ["code": "\(code)", "resource": "\(ResourceName(resource))", "reason": "\(refusal.text)"])
        }
    }

    // MARK: - Directives

    private func perform(_ directive: LinkDirective) {
        switch directive {
        case .connect(let hello): connect(hello)
        case .openStream:
            channel = connector.openStream(number: number, connection: connection, input: input)
        case .useRequests:
            channel = connector.useRequests(number: number, connection: connection, input: input)
        case .prepare(let request): prepare(request)
        case .send: break  // Sent where it came up: see `on(_: Preparation)`.
        case .heartbeat(let isLevel): heartbeat(isLevel: isLevel)
        case .disconnect:
            connection += 1
            channel?.finish()
            channel = nil
        case .wake(let time): wake(at: time)
        case .note(let event): note(event)
        case .end:
            channel?.finish()
            input.finish()
        }
    }

    private func connect(_ hello: Hello) {
        connection += 1
        let (connector, connection, input) = (connector, connection, input)
        connecting = Task { await connector.connect(hello, connection: connection, input: input) }
    }

    /// Before the link goes on from the receiver's cursor: it may be of another past than this database (design rule 6).
    private func recognise(_ reply: HelloReply, now: UnixMilliseconds) {
        let (store, policy, connection, input) = (store, policy, connection, input)
        let (logger, onNewEpoch) = (logger, onNewEpoch)
        Task {
            do {
                if let epoch = try await store.recognise(
                    reply.cursor, mark: reply.mark, of: policy.receiver, now: now)
                {
                    logger.error(
                        "the receiver got more than this database knows of; it goes on under a new epoch",
                        metadata: ["code": "E_HISTORY_DIFFERS", "epoch": "\(epoch)"])
                    onNewEpoch(epoch, try await store.head())
                } else {
                    input.yield(.recognised(reply, connection: connection))
                }
            } catch {
                input.yield(.connectFailed(.store(error), connection: connection))
            }
        }
    }

    /// Rows that the receiver holds and this database does not know. One change-set at a time: the receiver waits for its settlement.
    private func takeBack(_ bytes: [UInt8]) {
        guard let channel, !isTakingBack else { return }
        isTakingBack = true
        let (store, policy, signal, logger, onPassedOn) = (store, policy, signal, logger, onPassedOn)
        Task {
            defer { isTakingBack = false }
            do {
                let now = wallClock()
                let changeSet = try IncomingChangeSet(
                    bytes: bytes, policy: policy, resources: store.resources, now: now)
                let taken = try await store.takeBack(changeSet, policy: policy, now: now)
                signal.ring(head: taken.head)
                if taken.passedOn > 0 { await onPassedOn() }
                logger.notice(
                    "rows came back",
                    metadata: [
                        "adopted": "\(taken.adopted)", "passedOn": "\(taken.passedOn)",
                        "settled": "\(taken.settled.count)",
                    ])
                let settlement = Settlement(
                    rows: taken.settled.map { .init(resource: $0.resource, origin: $0.key.origin, key: $0.key.key) })
                channel.send(Frame(.settlement, try WireJSON.encode(settlement)))
            } catch {
                logger.error("rows that came back could not be taken", metadata: ["reason": "\(error)"])
            }
        }
    }

    private func prepare(_ request: PrepareRequest) {
        let (store, compressor, input, number) = (store, compressor, input, preparation)
        let policy = policy.known(at: request.schemaRevision)
        Task {
            do {
                let outgoing = try await store.prepareChangeSet(
                    from: request.from, policy: policy, rowsMax: request.rowsMax, evenIfEmpty: request.evenIfEmpty,
                    hasMark: request.hasMark, now: wallClock(), compressor: compressor)
                switch outgoing {
                case .changeSet(let changeSet): input.yield(.prepared(.changeSet(changeSet), number: number))
                case .nothing(let head): input.yield(.prepared(.nothing(head), number: number))
                case .pruned(let head): input.yield(.prepared(.pruned(head), number: number))
                }
            } catch {
                input.yield(.prepared(.failed(.store(error)), number: number))
            }
        }
    }

    private func heartbeat(isLevel: Bool) {
        guard let channel else { return }
        let (store, policy, knownHead, now, input) = (store, policy, sender.summary.head, wallClock(), input)
        Task {
            let (head, freshness) = (try? await store.headAndFreshness()) ?? (knownHead, [:])
            if head > knownHead { input.yield(.headRead(head)) }
            let heartbeat = Heartbeat(
                policy: policy, isLevel: isLevel, knownHead: knownHead, head: head, freshness: freshness,
                topology: store.standing.topology.version, clock: now)
            if let body = try? WireJSON.encode(heartbeat) { channel.send(Frame(.heartbeat, body)) }
        }
    }

    private func wake(at time: UnixMilliseconds) {
        timer?.cancel()
        let input = input
        timer = Task {
            try? await Task.sleep(for: .milliseconds(max(0, time - wallClock())))
            if !Task.isCancelled { input.yield(.wake) }
        }
    }

    private func note(_ event: LinkEvent) {
        switch event {
        case .connected: logger.info("link is up")
        case .streamBuffered:
            logger.notice(
                "something between the nodes buffers; the link connects anew and makes each change-set a request")
        case .sent(let rows, let bytes):
            metrics.sent(rows: rows, bytes: bytes, peer: policy.receiver)
            logger.debug("sent a change-set", metadata: ["rows": "\(rows)", "bytes": "\(bytes)"])
        case .acknowledged: break
        case .rewound(_, let reason):
            logger.notice("link goes on from the receiver's cursor", metadata: ["reason": "\(reason)"])
        case .sweepCompleted: logger.info("sweep is complete")
        case .becameLevel: logger.debug("link is level")
        case .policyChanged(let revision): logger.info("policy changed", metadata: ["revision": "\(revision)"])
        case .refused(let error) where error.code == LinkCode.topologyVersion:
            logger.notice("link waits until both ends stand on one topology", metadata: ["reason": "\(error)"])
        case .refused(let error):
            logger.error("link is refused", metadata: ["code": "\(error.code)", "reason": "\(error)"])
        case .disconnected(let error):
            logger.warning("link is down", metadata: ["code": "\(error.code)", "reason": "\(error)"])
        }
    }
}

extension FederationError {
    static func peerEnded(_ peer: NodeID) -> FederationError {
        FederationError("E_PEER_ENDED", "node \(peer) has ended the connection", isRetryable: true)
    }

    static func unreadable(_ kind: FrameKind?, of peer: NodeID) -> FederationError {
        let what = kind.map { "a frame of kind \($0)" } ?? "an answer"
        return FederationError(
            "E_PEER_ANSWER", "\(what) of node \(peer) can't be read", hint: "run the same release on both nodes",
            isRetryable: true)
    }

    /// An error of the store as a link reports it: the disk's trouble, which may pass.
    static func store(_ error: any Error) -> FederationError { .ofStore(error) }
}
