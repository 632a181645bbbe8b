import ChangeSetFormat
import FederationModel

/// The receiving end of a link, as a value: it answers one sender's hellos and lets change-sets through to the store, each
/// exactly once and in order.
///
/// There is one for each neighbour that may send, for as long as the node runs. Connections come and go: each hello has a
/// number, a newer one supersedes the older, and what still arrives from a superseded one is dropped. The store's apply
/// survives its connection, because it can't be called back.
package struct LinkReceiver: Sendable {
    private(set) var rules: ReceivingRules
    /// What the topology lets the sender send; `rules` has what of it both releases know.
    private var granted: LinkPolicy?
    private let schemaRevision: Int
    /// The schema revision of this node or of the sender, whichever is earlier.
    private var commonSchema: Int
    private let capabilities: [String]

    var session: Session?
    /// A hello that came during an apply: only when that has ended is the cursor known that the reply must name.
    private var heldHello: HeldHello?
    /// The change-set that the store has.
    var applying: Queued?
    /// What the store will get next, oldest first.
    var queue: [Queued] = []
    /// The durable cursor.
    private(set) var cursor: Cursor?
    /// Its history mark.
    private var mark: HistoryMark?
    var misbehaviour = MisbehaviourCounter()

    private(set) var senderHead: Seq = 0
    /// Whether the sender has said that everything up to `senderHead` that is granted is here.
    var isToldLevel = false
    var heartbeat: Heartbeat?
    /// How fresh each origin behind the sender is, as of what has been applied here; the coverage of an answer says it.
    package internal(set) var origins: [NodeID: OriginFreshness] = [:]
    var isFirstSweep = false
    var lastLevel: UnixMilliseconds
    var lastContact: UnixMilliseconds?
    /// When the sender's clock and this node's agreed last, by the latter.
    private var clocksAgreedAt: UnixMilliseconds?
    var lastError: FederationError?
    /// When the sender was last told that something arrives.
    private var toldProgressAt: UnixMilliseconds = 0
    /// Rows of the sender that are put aside here.
    var quarantined = 0
    /// Rows that are here and that the sender no longer has.
    package private(set) var lost = 0

    struct Session: Hashable, Sendable {
        let connection: Int
        let epoch: Epoch
        /// Whether the sender knows what a `returned` frame is.
        let takesBack: Bool
        /// Whether it knows what a `progress` frame is.
        let hearsProgress: Bool
        /// Whether the sender has been told where to go on and has not come back there yet; what it sent before it heard
        /// that is dropped without a word.
        var isRewinding = false
    }

    private struct HeldHello: Sendable {
        /// What begins with the answer.
        let session: Session
        let version: Int
    }

    struct Queued: Hashable, Sendable {
        let id: Int
        let end: Cursor
        let mark: HistoryMark?
        let bytes: Int
        let connection: Int
    }

    /// - Parameters:
    ///   - policy: what `sender` may send here; nil when the topology has no such edge.
    ///   - cursor: the durable cursor for this sender.
    package init(
        node: NodeID, sender: NodeID, topology: TopologyStamp, policy: LinkPolicy?, schemaRevision: Int,
        capabilities: [String] = Capability.all, cursor: Cursor?, now: UnixMilliseconds
    ) {
        rules = ReceivingRules(node: node, sender: sender, topology: topology, policy: policy)
        granted = policy
        commonSchema = schemaRevision
        self.schemaRevision = schemaRevision
        self.capabilities = capabilities
        self.cursor = cursor
        lastLevel = now
    }

    /// What the sender may send now, under the revision that it has named; nil without an edge.
    package var policy: LinkPolicy? { rules.policy }

    // MARK: - Connections

    /// A hello has come over a connection whose certificate names this receiver's sender.
    ///
    /// - Parameters:
    ///   - connection: greater than that of every hello before.
    ///   - durable: the cursor as the store has it now.
    ///   - mark: the cursor's history mark.
    package mutating func onHello(
        _ hello: Hello, connection: Int, cursor durable: Cursor?, mark: HistoryMark? = nil, now: UnixMilliseconds
    ) -> [ReceiverDirective] {
        noteLevel(now)
        lastContact = now
        if let pause = misbehaviour.pauseLeft(now: now) {
            return [.refuseHello(Refusal(tooManyErrors, retryAfterMS: pause), connection: connection)]
        }
        let version: Int
        do throws(FederationError) {
            version = try rules.check(hello, now: now)
        } catch {
            lastError = error
            _ = misbehaviour.note(now: now)
            return [.refuseHello(Refusal(error), connection: connection)]
        }
        clocksAgreedAt = now
        var directives = endSession()
        if let heldHello { directives.append(.end(connection: heldHello.session.connection)) }
        commonSchema = min(schemaRevision, hello.schemaRevision)
        rules = rules.under(hello.revision, of: granted?.known(at: commonSchema))
        heldHello = HeldHello(
            session: Session(
                connection: connection, epoch: hello.epoch, takesBack: hello.capabilities.contains(Capability.giveBack),
                hearsProgress: hello.capabilities.contains(Capability.progress)), version: version)
        senderHead = max(0, hello.head)
        isToldLevel = false
        heartbeat = nil
        if applying == nil {
            cursor = durable
            self.mark = mark
            directives += replyToHello(now)
        }
        return directives
    }

    private mutating func replyToHello(_ now: UnixMilliseconds) -> [ReceiverDirective] {
        guard let hello = heldHello else { return [] }
        heldHello = nil
        let begun = hello.session
        session = begun
        if let cursor, cursor.epoch != begun.epoch {
            // Until its sweep is over nobody knows whether all of it is here.
            for origin in origins.keys { origins[origin]?.complete = false }
        }
        if cursor?.epoch != begun.epoch { isFirstSweep = true }
        lastError = nil
        let reply = HelloReply(
            protocolVersion: hello.version, capabilities: capabilities, schemaRevision: schemaRevision,
            topologyVersion: rules.topology.version, clock: now, cursor: cursor, mark: mark,
            lost: lost > 0 ? lost : nil, quarantinedTotal: quarantined > 0 ? quarantined : nil)
        return [.reply(reply, connection: begun.connection)]
    }

    /// The connection broke or the sender said goodbye. What is queued goes; what the store has is committed all the same.
    package mutating func onDisconnected(
        _ error: FederationError?, connection: Int, now: UnixMilliseconds
    ) -> [ReceiverDirective] {
        noteLevel(now)
        if heldHello?.session.connection == connection { heldHello = nil }
        guard session?.connection == connection else { return [] }
        session = nil
        lastError = error
        return dropQueue()
    }

    /// Where this node opens the connections: the sender was not reached, or did not say hello.
    package mutating func onUnreached(_ error: FederationError, now: UnixMilliseconds) {
        noteLevel(now)
        if session == nil { lastError = error }
    }

    /// This node has another topology or policy now. What lets the same rows through goes on as it is; else the connection ends,
    /// and the next hello shows whether the sender has the topology too.
    ///
    /// - Parameter doubted: origins whose copies may not be whole under it (`Topology.origins(inDoubtAt:after:)`).
    package mutating func onPolicyChanged(
        _ policy: LinkPolicy?, topology: TopologyStamp, doubted: Set<NodeID> = [], now: UnixMilliseconds
    ) -> [ReceiverDirective] {
        noteLevel(now)
        for origin in doubted { origins[origin]?.complete = false }
        let former = rules.policy
        granted = policy
        let policy = policy?.known(at: commonSchema)
        rules = ReceivingRules(node: rules.node, sender: rules.sender, topology: topology, policy: policy)
        if let policy, let former, former.isSame(as: policy) {
            rules = rules.under(former.revision, of: policy)
            return []
        }
        defer { heldHello = nil }
        return endSession() + (heldHello.map { [.end(connection: $0.session.connection)] } ?? [])
    }

    /// What the store holds of rows that the sender has lost, to be said before a hello is answered and when somebody may have
    /// accepted the loss: the sender hears of it in the reply to its next hello.
    package mutating func onLossChanged(_ lost: Int, now: UnixMilliseconds) -> [ReceiverDirective] {
        guard lost != self.lost, applying == nil else { return [] }
        noteLevel(now)
        self.lost = lost
        adoptFreshness()
        return endSession()
    }

    mutating func endSession() -> [ReceiverDirective] {
        guard let connection = session?.connection else { return [] }
        session = nil
        return dropQueue() + [.end(connection: connection)]
    }

    /// What the store holds of the sender's rows that were put aside, to be said before a hello is answered.
    package mutating func onQuarantineChanged(_ rows: Int) { quarantined = rows }

    // MARK: - What the sender sends

    /// A part of a frame has arrived: a slow line is no silent one, and the sender learns that before the whole is here.
    package mutating func onProgress(connection: Int, now: UnixMilliseconds) -> [ReceiverDirective] {
        guard let session, session.connection == connection else { return [] }
        lastContact = now
        guard session.hearsProgress, (now - toldProgressAt).magnitude >= SyncLimits.progressInterval.magnitude else {
            return []
        }
        toldProgressAt = now
        return [.progress]
    }

    /// The stream's first frame.
    package mutating func onProbe(connection: Int, now: UnixMilliseconds) -> [ReceiverDirective] {
        guard session?.connection == connection else { return [] }
        lastContact = now
        return [.echo]
    }

    package mutating func onHeartbeat(
        _ heartbeat: Heartbeat, connection: Int, now: UnixMilliseconds
    ) -> [ReceiverDirective] {
        noteLevel(now)
        guard session?.connection == connection else { return [] }
        lastContact = now
        if rules.agree(on: heartbeat.clock, now: now) { clocksAgreedAt = now }
        senderHead = max(0, heartbeat.head)
        isToldLevel = heartbeat.isLevel
        self.heartbeat = heartbeat
        // On which topology a node stands is news at once, whatever has come of its rows.
        for (origin, freshness) in heartbeat.origins { origins[origin]?.topology = freshness.topology }
        adoptFreshness()
        noteLevel(now)
        return [mayGiveBack ? .giveBack : .echo]
    }

    /// Whether the sender's clock agreed with this node's a moment ago, and this node's has not jumped since then.
    package func doClocksAgree(now: UnixMilliseconds) -> Bool {
        let moment = 0...SyncLimits.heartbeatInterval * Int64(SyncLimits.heartbeatsMissedMax)
        return clocksAgreedAt.map { moment.contains(now - $0) } ?? false
    }

    /// The sender has decided over the rows that came back to it.
    ///
    /// - Parameter lost: rows that it still does not have.
    package mutating func onSettled(lost: Int, connection: Int, now: UnixMilliseconds) -> [ReceiverDirective] {
        noteLevel(now)
        guard session?.connection == connection else { return [] }
        lastContact = now
        self.lost = lost
        // The sender hears in the reply to its next hello that nothing is lost any more.
        return lost == 0 ? endSession() : [mayGiveBack ? .giveBack : .echo]
    }

    /// Whether rows that the sender has lost can go back to it: not before its sweep has shown which.
    private var mayGiveBack: Bool {
        guard let session, session.takesBack, lost > 0, applying == nil, queue.isEmpty else { return false }
        return cursor?.epoch == session.epoch && cursor?.sweep == .complete
    }

    /// A whole change-set has arrived; its header has been read, its payload not yet.
    ///
    /// - Parameters:
    ///   - id: the shell's name for its bytes, which it keeps until `discard` or the end of `apply`.
    ///   - obstacle: why the node as a whole can't hold it now, `queueFull` or `diskFloor`; nil when it can.
    package mutating func onChangeSet(
        id: Int, header: ChangeSetHeader, bytes: Int, obstacle: FederationError? = nil, connection: Int,
        now: UnixMilliseconds
    ) -> [ReceiverDirective] {
        noteLevel(now)
        guard let session, session.connection == connection, let policy = rules.policy else { return [.discard([id])] }
        lastContact = now
        switch verdict(on: header, bytes: bytes, obstacle: obstacle, session: session, policy: policy, now: now) {
        case .accept: break
        case .ignore: return [.discard([id])]
        case .refuseChangeSet(let error): return [.discard([id])] + refuse(error, now: now)
        case .endLink(let error): return [.discard([id])] + refuse(error, now: now) + endSession()
        }
        self.session?.isRewinding = false
        senderHead = max(senderHead, header.head)
        isToldLevel = false
        queue.append(
            Queued(id: id, end: header.end, mark: header.mark, bytes: bytes, connection: connection))
        return applyNext()
    }

    private func verdict(
        on header: ChangeSetHeader, bytes: Int, obstacle: FederationError?, session: Session, policy: LinkPolicy,
        now: UnixMilliseconds
    ) -> PeerVerdict {
        do throws(FederationError) {
            try rules.check(header, epoch: session.epoch, policy: policy, expected: expected, now: now)
        } catch {
            return error.code == LinkCode.noProgress ? .refuseChangeSet(error) : .endLink(error)
        }
        guard policy.accepts(start: header.start, after: expected) else {
            return session.isRewinding ? .ignore : .refuseChangeSet(outOfStep)
        }
        guard queuedBytes + bytes <= SyncLimits.queueBytesMax else { return .refuseChangeSet(queueFull) }
        return obstacle.map { .refuseChangeSet($0) } ?? .accept
    }

    /// A change-set has arrived whose header can't be read.
    ///
    /// - Parameter error: what `ChangeSetHeader.decode` threw.
    package mutating func onUnreadable(
        _ error: FederationError, connection: Int, now: UnixMilliseconds
    ) -> [ReceiverDirective] {
        guard session?.connection == connection else { return [] }
        lastContact = now
        return refuse(error, now: now)
    }

    // MARK: - What the store answers

    /// The store has committed the change-set of the last `apply`.
    ///
    /// MUST be called after the transaction with the rows and the cursor has been committed, never before: the only way to
    /// an `acknowledge` directive leads through here, and the sender forgets what is acknowledged. At
    /// `synchronous=NORMAL` a commit may be lost with the machine's power, and the cursor is lost with the rows then, so
    /// the next hello asks for both again.
    package mutating func onApplied(
        _ report: Acknowledgement, now: UnixMilliseconds
    ) -> [ReceiverDirective] {
        noteLevel(now)
        guard let applied = applying else { return [] }
        applying = nil
        cursor = report.cursor
        mark = applied.mark
        lost = report.lost ?? 0
        quarantined = report.quarantinedTotal ?? 0
        if report.cursor.sweep == .complete { isFirstSweep = false }
        adoptFreshness()
        defer { noteLevel(now) }
        var directives = replyToHello(now)
        if session?.connection == applied.connection {
            directives.append(.acknowledge(report))
            lastError = nil
        }
        return directives + applyNext()
    }

    /// The store did not take the change-set of the last `apply`; the durable cursor has not moved. What is queued behind
    /// it goes too, as it starts where this one would have ended.
    ///
    /// - Parameter error: retryable when the trouble is the store's own (disk full, locked), not the change-set's.
    package mutating func onApplyRefused(_ error: FederationError, now: UnixMilliseconds) -> [ReceiverDirective] {
        noteLevel(now)
        guard let refused = applying else { return [] }
        applying = nil
        let reply = replyToHello(now)
        guard reply.isEmpty, session?.connection == refused.connection else {
            lastError = error
            return reply + applyNext()
        }
        let directives = dropQueue()
        // A ferry file has moved the cursor: the sender hears of it in the reply to its next hello.
        if error.code == LinkCode.cursorMoved {
            lastError = error
            return directives + endSession()
        }
        guard error.isRetryable, error.code != LinkCode.quarantineFull else {
            return directives + refuse(error, now: now)
        }
        let busy = FederationError(
            LinkCode.busy, "\(rules.node) can't store change-sets now: \(error.message)", hint: error.hint,
            isRetryable: true)
        return directives + refuse(busy, now: now)
    }

    // MARK: - Queue

    /// Where the next change-set must start: behind all that was taken, applied or not.
    var expected: Cursor? { queue.last?.end ?? applying?.end ?? cursor }

    private var queuedBytes: Int { queue.reduce(applying?.bytes ?? 0) { $0 + $1.bytes } }

    private mutating func applyNext() -> [ReceiverDirective] {
        guard applying == nil, !queue.isEmpty else { return [] }
        let next = queue.removeFirst()
        applying = next
        return [.apply(next.id)]
    }

    private mutating func dropQueue() -> [ReceiverDirective] {
        guard !queue.isEmpty else { return [] }
        defer { queue = [] }
        return [.discard(queue.map(\.id))]
    }
}
