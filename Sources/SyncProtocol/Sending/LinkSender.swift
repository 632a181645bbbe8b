import ChangeSetFormat
import FederationModel

/// The sending end of a link, as a value: it dials, asks the receiver where to go on, and sends from there.
///
/// Every input is an `on…` method; what it returns is to be carried out in order by the shell, which is the only one that
/// waits, reads a clock or touches a socket. Inputs that do not fit the present phase (the shell may have crossed with a
/// directive) change nothing.
package struct LinkSender: Sendable {
    /// What this node grants the receiver.
    private var granted: LinkPolicy
    /// What of it the receiver's release knows.
    var policy: LinkPolicy { granted.known(at: commonSchema) }
    /// The schema revision of this node or of the receiver, whichever is earlier.
    var commonSchema: Int
    /// The topology that this node stands on.
    var topology: TopologyStamp
    var epoch: Epoch
    let schemaRevision: Int
    let capabilities: [String]
    /// Those of the receiver, as it said last.
    var receiverCapabilities: Set<String> = []

    var phase = Phase.idle
    /// The sender's own seq, as far as it was told.
    var head: Seq
    /// The one outstanding request to the store. It outlives a connection: what comes back is still good if it starts
    /// where the next connection goes on.
    var preparing: PrepareRequest?
    var sizer = BatchSizer()
    var backOff: BackOff
    /// The receiver's durable cursor, as it said last; nil also when that was of another epoch.
    var acknowledged: Cursor?
    /// Whether the sweep that goes on is the first of this epoch.
    var isFirstSweep = false
    var lastLevel: UnixMilliseconds = 0
    var lastContact: UnixMilliseconds?
    var lastError: FederationError?
    /// Rows that the receiver got from this node and that are not here any more, as it said last.
    var lost = 0
    /// Rows of this node that are put aside at the receiver, as it said last.
    var quarantined = 0
    /// Until then something between the nodes counts as buffering, and a new connection uses requests at once.
    private var requestsUntil: UnixMilliseconds?
    /// The time of the last `wake` directive that has not come back.
    private var wakeAt: UnixMilliseconds?
    /// When the last input came.
    private var latest: UnixMilliseconds?

    /// - Parameters:
    ///   - epoch: of this node's database now.
    ///   - head: this node's seq now; no seq above it was ever given out.
    ///   - seed: of the jitter in the pauses.
    package init(
        policy: LinkPolicy, topology: TopologyStamp, epoch: Epoch, head: Seq, schemaRevision: Int,
        capabilities: [String] = Capability.all, seed: UInt64
    ) {
        granted = policy
        commonSchema = schemaRevision
        self.topology = topology
        self.epoch = epoch
        self.head = head
        self.schemaRevision = schemaRevision
        self.capabilities = capabilities
        backOff = BackOff(seed: seed)
    }

    enum Phase: Sendable {
        case idle
        /// Hello is on its way.
        case connecting
        /// The receiver's answer is here, a stream is being tried.
        case opening(Opening)
        case flowing(Flow)
        case waiting(Waiting)
        case ended
    }

    struct Opening: Sendable {
        let start: Cursor
        /// When the probe's echo is overdue; nil until the stream is open.
        var probeDeadline: UnixMilliseconds?
    }

    struct Waiting: Sendable {
        var until: UnixMilliseconds
        let error: FederationError
        let needsPerson: Bool
    }

    // MARK: - Starting and connecting

    /// The first input, once.
    package mutating func onStart(now: UnixMilliseconds) -> [LinkDirective] {
        lastLevel = now
        return input(now) { link in
            guard case .idle = link.phase else { return [] }
            return [link.connect(now)]
        }
    }

    package mutating func onHelloReply(_ reply: HelloReply, now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            guard case .connecting = link.phase else { return [] }
            let receiver = link.policy.receiver
            guard ProtocolRange.supported.contains(reply.protocolVersion) else {
                return link.refuse(
                    .protocolVersion(
                        ours: .supported, at: link.policy.sender, theirs: "chose \(reply.protocolVersion)",
                        node: receiver), now: now)
            }
            guard reply.topologyVersion == link.topology.version else {
                return link.refuse(
                    .topologyVersion(
                        ours: link.topology.version, at: link.policy.sender, theirs: reply.topologyVersion,
                        node: receiver), now: now)
            }
            do throws(FederationError) {
                link.commonSchema = min(link.schemaRevision, reply.schemaRevision)
                let start = try link.startingPoint(after: reply.cursor)
                link.acknowledged = reply.cursor?.epoch == link.epoch ? reply.cursor : nil
                link.lost = reply.lost ?? 0
                link.quarantined = reply.quarantinedTotal ?? 0
                link.receiverCapabilities = Set(reply.capabilities)
                guard let until = link.requestsUntil, now < until else {
                    link.phase = .opening(Opening(start: start))
                    return [.note(.connected(from: start)), .openStream]
                }
                link.phase = .flowing(Flow(mode: .requests, next: start, now: now))
                return [.note(.connected(from: start)), .useRequests]
            } catch {
                return link.refuse(error, now: now)
            }
        }
    }

    package mutating func onHelloRefused(_ refusal: Refusal, now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            guard case .connecting = link.phase else { return [] }
            return link.refuse(refusal.error, retryAfter: refusal.retryAfterMS, now: now)
        }
    }

    /// The receiver was not reached, or the TLS handshake failed. An error that is not retryable (a certificate) is for a
    /// person; any other is tried again after a pause.
    package mutating func onConnectFailed(_ error: FederationError, now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            guard case .connecting = link.phase else { return [] }
            return link.fail(error, now: now)
        }
    }

    /// The stream's request is under way and its probe frame written.
    package mutating func onStreamOpened(now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            guard case .opening(var opening) = link.phase else { return [] }
            opening.probeDeadline = now + SyncLimits.probeTimeout
            link.phase = .opening(opening)
            return []
        }
    }

    /// The receiver's echo of the probe or of a heartbeat.
    package mutating func onEcho(now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            switch link.phase {
            case .opening(let opening): link.phase = .flowing(Flow(mode: .stream, next: opening.start, now: now))
            case .flowing(var flow):
                flow.heartbeatsMissed = 0
                link.phase = .flowing(flow)
            default: return []
            }
            link.heard(now)
            return []
        }
    }

    /// The receiver says that a frame is arriving there: on a slow line that takes longer than anything may stay unanswered.
    package mutating func onProgress(now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            guard case .flowing(var flow) = link.phase else { return [] }
            flow.heartbeatsMissed = 0
            flow.waitingSince = now
            link.phase = .flowing(flow)
            link.heard(now)
            return []
        }
    }

    // MARK: - Around a connection

    /// The connection broke, or the receiver said goodbye. MUST NOT be called for a connection that a `disconnect`
    /// directive has ended.
    package mutating func onDisconnected(_ error: FederationError, now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            switch link.phase {
            case .connecting, .opening: return link.fail(error, now: now)
            case .flowing(let flow):
                // What did not get through goes again in smaller parts, or a line that breaks each minute would never bring it.
                if !flow.inFlight.isEmpty { link.sizer.quarter() }
                return link.fail(error, now: now)
            default: return []
            }
        }
    }

    /// The time of a `wake` directive has come.
    package mutating func onWake(now: UnixMilliseconds) -> [LinkDirective] {
        wakeAt = nil
        return input(now) { _ in [] }
    }

    /// A local commit moved the head. On an idle link a `prepare` comes out of it at once.
    package mutating func onCommitted(head: Seq, now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            link.head = max(link.head, head)
            return []
        }
    }

    /// A heartbeat has found a later head in the store than this end knew of, so it has not said that the receiver is level. Of a
    /// command that was killed before it told the service nobody else would hear.
    package mutating func onHeadRead(_ head: Seq, now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            link.head = max(link.head, head)
            guard case .flowing(var flow) = link.phase else { return [] }
            flow.isToldLevel = false
            // It has become level meanwhile.
            if link.state == .level { flow.heartbeatAt = now }
            link.phase = .flowing(flow)
            return []
        }
    }

    /// This node's copy of an origin behind it has become whole. The receiver is told now, not at the next heartbeat: an
    /// answer over all nodes leaves the origin out until it knows.
    package mutating func onOriginCompleted(now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            guard case .flowing(var flow) = link.phase else { return [] }
            flow.heartbeatAt = now
            link.phase = .flowing(flow)
            return []
        }
    }

    /// This node has another topology or policy now. What grants the same goes on as it is; else the link connects anew, and what is
    /// granted now is swept if that has changed. MUST be followed by no result of a `prepare` directive from before.
    package mutating func onPolicyChanged(
        _ policy: LinkPolicy, topology: TopologyStamp, now: UnixMilliseconds
    ) -> [LinkDirective] {
        input(now) { link in
            let isNews = topology != link.topology
            link.topology = topology
            guard policy.revision != link.granted.revision || !policy.isSame(as: link.granted) else {
                link.granted = policy
                switch link.phase {
                case .waiting(let waiting) where isNews && waiting.needsPerson: return [link.connect(now)]
                // The other end hears of the topology at once.
                case .flowing(var flow) where isNews:
                    flow.heartbeatAt = now
                    link.phase = .flowing(flow)
                // The hello that is on its way names the topology from before.
                case .connecting where isNews: return [.disconnect, link.connect(now)]
                default: break
                }
                return []
            }
            link.granted = policy
            link.preparing = nil
            let note = LinkDirective.note(.policyChanged(policy.revision))
            switch link.phase {
            case .connecting, .opening, .flowing: return [note, .disconnect, link.connect(now)]
            case .waiting(let waiting) where waiting.needsPerson: return [note, link.connect(now)]
            case .idle, .waiting, .ended: return [note]
            }
        }
    }

    /// This node's database has begun another epoch: the link connects anew, and a sweep brings what there is. MUST be followed by no
    /// result of a `prepare` directive from before.
    package mutating func onNewEpoch(_ epoch: Epoch, head: Seq, now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            guard link.epoch != epoch else { return [] }
            link.epoch = epoch
            link.head = head
            link.acknowledged = nil
            link.preparing = nil
            switch link.phase {
            case .connecting, .opening, .flowing: return [.disconnect, link.connect(now)]
            case .waiting(let waiting) where waiting.needsPerson: return [link.connect(now)]
            case .idle, .waiting, .ended: return []
            }
        }
    }

    /// The other end may have become ready for what it refused: it is asked again now.
    package mutating func onRetry(now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            guard case .waiting(let waiting) = link.phase, waiting.needsPerson else { return [] }
            return [link.connect(now)]
        }
    }

    /// The node shuts down: nothing new is prepared, what is in flight has `SyncLimits.stopGrace` to come back.
    package mutating func onStop(now: UnixMilliseconds) -> [LinkDirective] {
        input(now) { link in
            switch link.phase {
            case .flowing(var flow):
                flow.stopBy = now + SyncLimits.stopGrace
                link.phase = .flowing(flow)
                return []
            case .connecting, .opening: return [.disconnect] + link.finish()
            case .idle, .waiting: return link.finish()
            case .ended: return []
            }
        }
    }

    // MARK: - What every input shares

    /// Runs one input, then does what has become due, and asks to be woken for what will be due next.
    mutating func input(
        _ now: UnixMilliseconds, _ body: (inout LinkSender) -> [LinkDirective]
    ) -> [LinkDirective] {
        if let latest, now < latest { setBack(by: latest - now) }
        latest = now
        let wasLevel = state == .level
        if wasLevel { lastLevel = now }
        var directives = body(&self)
        directives += proceed(now)
        if state == .level && !wasLevel {
            lastLevel = now
            directives += [.note(.becameLevel)] + tellLevel(now)
        }
        // An earlier wake than needed costs nothing, so a deadline that moves back with every message sets no timer.
        if let deadline = nextDeadline, wakeAt.map({ deadline < $0 }) ?? true {
            wakeAt = deadline
            directives.append(.wake(at: deadline))
        }
        return directives
    }

    /// The clock was set back, perhaps by days: what was due in a moment still is.
    private mutating func setBack(by step: Int64) {
        requestsUntil = requestsUntil.map { $0 - step }
        wakeAt = nil
        switch phase {
        case .waiting(var waiting):
            waiting.until -= step
            phase = .waiting(waiting)
        case .opening(var opening):
            opening.probeDeadline = opening.probeDeadline.map { $0 - step }
            phase = .opening(opening)
        case .flowing(var flow):
            flow.setBack(by: step)
            phase = .flowing(flow)
        case .idle, .connecting, .ended: break
        }
    }

    private mutating func proceed(_ now: UnixMilliseconds) -> [LinkDirective] {
        switch phase {
        case .waiting(let waiting) where waiting.until <= now: return [connect(now)]
        case .opening(let opening):
            guard let deadline = opening.probeDeadline, deadline <= now else { return [] }
            requestsUntil = now + SyncLimits.requestsPeriod
            return [.note(.streamBuffered), .disconnect, connect(now)]
        case .flowing: return proceedFlowing(now)
        default: return []
        }
    }

    private var nextDeadline: UnixMilliseconds? {
        switch phase {
        case .idle, .connecting, .ended: nil
        case .waiting(let waiting): waiting.until
        case .opening(let opening): opening.probeDeadline
        case .flowing(let flow): flow.nextDeadline
        }
    }

    mutating func connect(_ now: UnixMilliseconds) -> LinkDirective {
        phase = .connecting
        return .connect(
            Hello(
                node: policy.sender, receiver: policy.receiver, capabilities: capabilities,
                schemaRevision: schemaRevision, topology: topology, revision: policy.revision, epoch: epoch, head: head,
                clock: now))
    }

    /// The other end was heard: the next pause is short again.
    mutating func heard(_ now: UnixMilliseconds) {
        lastContact = now
        // A receiver that asked for patience says why; a sign of life does not take that back.
        if case .flowing(let flow) = phase, flow.pausedUntil != nil {} else { lastError = nil }
        backOff.reset()
    }

    /// The connection is gone already.
    mutating func fail(_ error: FederationError, now: UnixMilliseconds) -> [LinkDirective] {
        lastError = error
        guard !isStopping else { return finish() }
        let pause = error.isRetryable ? backOff.next() : SyncLimits.refusedPause
        phase = .waiting(Waiting(until: now + pause, error: error, needsPerson: !error.isRetryable))
        return [.note(error.isRetryable ? .disconnected(error) : .refused(error))]
    }

    /// Something that time alone does not heal: the connection ends, and is tried again unhurriedly.
    mutating func refuse(
        _ error: FederationError, retryAfter: Int64? = nil, now: UnixMilliseconds
    ) -> [LinkDirective] {
        lastError = error
        lastContact = now
        guard !isStopping else { return [.disconnect] + finish() }
        // A node that is behind fetches what it lacks within a moment.
        let pause =
            error.code == LinkCode.topologyVersion
            ? backOff.next() : retryAfter.map(Self.bounded) ?? SyncLimits.refusedPause
        phase = .waiting(Waiting(until: now + pause, error: error, needsPerson: true))
        return [.disconnect, .note(.refused(error))]
    }

    mutating func finish() -> [LinkDirective] {
        phase = .ended
        return [.end]
    }

    /// The receiver's `Retry-After`, kept between a pause that spares it and one that does not silence the link.
    static func bounded(_ retryAfter: Int64) -> Int64 {
        min(max(retryAfter, SyncLimits.backOffInitial), SyncLimits.retryAfterMax)
    }

    private var isStopping: Bool {
        if case .flowing(let flow) = phase { flow.stopBy != nil } else { false }
    }

    // MARK: - Where to go on

    /// Where the link goes on when the receiver stands on `cursor`.
    ///
    /// - Throws: `E_CURSOR_AHEAD`.
    mutating func startingPoint(after cursor: Cursor?) throws(FederationError) -> Cursor {
        if cursor?.epoch != epoch { isFirstSweep = true }
        return try policy.startingPoint(after: cursor, epoch: epoch, head: head)
    }
}
