import ChangeSetFormat
import FederationModel
import LocalStore
import SyncProtocol
import Zstandard

/// The sending end of one link as long as its process runs, with what its shell (`OutgoingLink`) keeps.
final class SendingEnd {
    let node: SimulatedNode
    var policy: LinkPolicy
    var sender: LinkSender
    var connection: Connection?
    let compressor = ZstandardCompressor()
    /// The process or the link is gone.
    var isOver = false
    var timer = 0
    /// Raised when what is being prepared is of no use any more.
    var preparation = 0
    var isTakingBack = false

    var edge: LinkEdge { LinkEdge(sender: node.id, receiver: policy.receiver) }

    init(node: SimulatedNode, policy: LinkPolicy, sender: LinkSender) {
        self.node = node
        self.policy = policy
        self.sender = sender
    }
}

extension Federation {
    func feed(_ end: SendingEnd, _ input: (inout LinkSender, UnixMilliseconds) -> [LinkDirective]) {
        guard !end.isOver else { return }
        for directive in input(&end.sender, end.node.clock(now)) { perform(directive, of: end) }
    }

    /// The same later, unless the process or the link is gone by then.
    private func feed(
        _ end: SendingEnd, after delay: Int64,
        _ input: @escaping (inout LinkSender, UnixMilliseconds) -> [LinkDirective]
    ) {
        after(delay) { $0.feed(end, input) }
    }

    private func perform(_ directive: LinkDirective, of end: SendingEnd) {
        switch directive {
        case .connect(let hello): connect(hello, end)
        case .openStream:
            guard let connection = end.connection else { return }
            connection.isStream = true
            feed(end, after: 1) { $0.onStreamOpened(now: $1) }
            up(connection) { federation, receiver in
                guard let number = connection.number else { return }
                federation.feed(receiver) { $0.onProbe(connection: number, now: $1) }
            }
        case .useRequests: end.connection?.isStream = false
        case .prepare(let request): prepare(request, end)
        case .send: break  // Sent where it came up: see `prepared`.
        case .heartbeat(let isLevel): heartbeat(isLevel: isLevel, end)
        case .disconnect:
            guard let connection = end.connection else { return }
            end.connection = nil
            tellReceiver(connection, nil, after: any(0...3_000))
        case .wake(let time): wake(at: time, end)
        case .note(let event): note("\(end.edge) sender: \(event)")
        case .end: end.isOver = true
        }
    }

    private func connect(_ hello: Hello, _ end: SendingEnd) {
        let connection = Connection(end.edge, life: end.node.life)
        end.connection = connection
        let failure = FederationError("E_PEER_TIMEOUT", "no answer to a hello", isRetryable: true)
        after(10_000) { federation in
            if end.connection === connection { federation.feed(end) { $0.onConnectFailed(failure, now: $1) } }
        }
        guard let receiver = nodes[end.edge.receiver], receiver.isUp, !network.isCut(end.node.id, receiver.id) else {
            let error = FederationError("E_CONNECT", "nobody listens", isRetryable: true)
            return tellSender(connection, error, after: any(1...300))
        }
        guard receiver.receiving[end.node.id] != nil else {
            let error = FederationError(LinkCode.notANeighbour, "\(end.node.id) is no neighbour of \(receiver.id)")
            topologyDiffers(end.node, receiver.id)
            return tellSender(connection, error, after: any(1...300))
        }
        up(connection) { try await $0.hello(hello, connection, $1) }
    }

    // MARK: - What comes from the receiver

    func helloReply(_ reply: HelloReply, _ connection: Connection, _ end: SendingEnd) {
        after(any(0...20)) { federation in
            guard !end.isOver else { return }
            let (store, now) = (end.node.store, end.node.clock(federation.now))
            do {
                let begun = try await store.recognise(
                    reply.cursor, mark: reply.mark, of: end.edge.receiver, now: now)
                if let begun { return try await federation.begin(begun, at: end.node) }
                if let cursor = reply.cursor { try await store.confirm(cursor, by: end.edge.receiver, now: now) }
                guard end.connection === connection else { return }
                federation.feed(end) { $0.onHelloReply(reply, now: $1) }
            } catch {
                guard end.connection === connection else { return }
                federation.feed(end) { $0.onConnectFailed(.ofStore(error), now: $1) }
            }
        }
    }

    /// A node's database has begun another epoch.
    func begin(_ epoch: Epoch, at node: SimulatedNode) async throws {
        note("\(node.id) begins epoch \(epoch)")
        node.isUndeclared = false
        noteDurable(node)
        let head = try await node.store.head()
        for end in ends(node.sending) {
            end.preparation += 1
            feed(end) { $0.onNewEpoch(epoch, head: head, now: $1) }
        }
    }

    func acknowledged(_ acknowledgement: Acknowledgement, _ end: SendingEnd) {
        feed(end) { $0.onAcknowledged(acknowledgement, now: $1) }
        after(any(0...500)) { federation in
            guard !end.isOver else { return }
            try await end.node.store.confirm(
                acknowledgement.cursor, by: end.edge.receiver, now: end.node.clock(federation.now))
        }
    }

    func returned(_ bytes: [UInt8], _ connection: Connection, _ end: SendingEnd) {
        feed(end) { $0.onEcho(now: $1) }
        guard !end.isTakingBack else { return }
        end.isTakingBack = true
        after(any(0...100)) { federation in
            end.isTakingBack = false
            guard !end.isOver else { return }
            let (store, now) = (end.node.store, end.node.clock(federation.now))
            let began = Ground.logBytes(end.node.path)
            let taken: TakenBack
            do {
                let changeSet = try IncomingChangeSet(
                    bytes: bytes, policy: end.policy, resources: store.resources, now: now)
                taken = try await store.takeBack(changeSet, policy: end.policy, now: now)
            } catch {
                return federation.note("\(end.edge) could not take rows back: \(error)")
            }
            if try federation.crashes(end.node, since: began) { return }
            federation.counts.givenBack += taken.adopted + taken.passedOn
            federation.note(
                "\(end.edge) took back: adopted \(taken.adopted), passed on \(taken.passedOn), settled \(taken.settled.count)"
            )
            federation.noteDurable(end.node)
            federation.ring(end.node, head: taken.head)
            if taken.passedOn > 0 {
                for receiving in federation.ends(end.node.receiving) { federation.refreshLoss(receiving) }
            }
            guard end.connection === connection else { return }
            federation.up(connection) { federation, receiver in
                federation.settle(taken.settled, connection, receiver)
            }
        }
    }

    // MARK: - What goes to it

    private func prepare(_ request: PrepareRequest, _ end: SendingEnd) {
        let number = end.preparation
        after(any(0...30)) { federation in
            guard !end.isOver else { return }
            if federation.kind.hasFullDisks, federation.roll(federation.network.trouble) {
                let error = FederationError("E_STORE_IO", "the feed can't be read", isRetryable: true)
                return federation.feed(end) { $0.onPrepareFailed(error, now: $1) }
            }
            let answer = try await end.node.store.prepareChangeSet(
                from: request.from, policy: end.policy.known(at: request.schemaRevision),
                rowsMax: min(request.rowsMax, federation.kind.rowsMax),
                evenIfEmpty: request.evenIfEmpty, hasMark: request.hasMark, now: end.node.clock(federation.now),
                compressor: end.compressor)
            guard end.preparation == number else { return }
            try await federation.prepared(answer, end)
        }
    }

    private func prepared(_ answer: Preparation, _ end: SendingEnd) async throws {
        switch answer {
        case .nothing(let head): feed(end) { $0.onNothingToPrepare(head: head, now: $1) }
        case .pruned(let head): feed(end) { $0.onPruned(head: head, now: $1) }
        case .changeSet(let outgoing):
            let header = outgoing.header
            try await checkSent(outgoing.bytes, end)
            let prepared = PreparedChangeSet(
                id: 0, start: header.start, end: header.end, head: header.head, rows: header.rowCount,
                bytes: outgoing.bytes.count)
            var isSent = false
            feed(end) {
                let directives = $0.onPrepared(prepared, now: $1)
                isSent = directives.contains(.send(0))
                return directives
            }
            guard isSent, let connection = end.connection else { return }
            note("\(end.edge) sends \(header.start.text) to \(header.end.text): \(Self.rows(in: outgoing.bytes, end))")
            let bytes = try forged(header, end) ?? outgoing.bytes
            let arrive: (Federation, ReceivingEnd) async throws -> Void = { federation, receiver in
                federation.changeSet(bytes, connection, receiver)
            }
            up(connection, arrive)
            // A proxy that makes requests of its own may make one twice.
            if !connection.isStream, roll(network.trouble) { up(connection, arrive) }
        }
    }

    /// For the trace.
    private static func rows(in bytes: [UInt8], _ end: SendingEnd) -> String {
        let opened = try? InspectedChangeSet(bytes: bytes, resources: end.node.store.resources)
        return (opened?.rows() ?? []).map { row in
            let isLive = row.fields["deleted"] == .integer(0)
            return
                "\(isLive ? "" : "not ")\(row.resource) \(row.fields["origin"]?.text ?? "") \(row.fields["key"]?.text ?? "")"
        }.joined(separator: "; ")
    }

    private func heartbeat(isLevel: Bool, _ end: SendingEnd) {
        guard let connection = end.connection else { return }
        let (knownHead, clock) = (end.sender.summary.head, end.node.clock(now))
        after(any(0...20)) { federation in
            guard !end.isOver else { return }
            let store = end.node.store
            let (head, freshness) = try await store.headAndFreshness()
            if head > knownHead { federation.feed(end) { $0.onHeadRead(head, now: $1) } }
            let topology = store.standing.topology.version
            let heartbeat = Heartbeat(
                policy: end.policy, isLevel: isLevel, knownHead: knownHead, head: head, freshness: freshness,
                topology: topology, clock: clock)
            federation.up(connection) { federation, receiver in
                guard let number = connection.number else { return }
                federation.feed(receiver) { $0.onHeartbeat(heartbeat, connection: number, now: $1) }
                try federation.forgeReturn(receiver, connection)
                let isOnOther = topology != receiver.node.topology.version
                if isOnOther { federation.topologyDiffers(receiver.node, connection.edge.sender) }
                // It tells of what has not arrived, or of another topology: an answer is easily wrong now.
                guard isOnOther || head > receiver.stored?.seq ?? 0 else { return }
                federation.later(receiver.node, after: federation.any(6...100)) {
                    try await $0.checkView(at: receiver.node)
                }
            }
        }
    }

    private func wake(at time: UnixMilliseconds, _ end: SendingEnd) {
        end.timer += 1
        let number = end.timer
        after(time - end.node.clock(now)) { federation in
            if end.timer == number { federation.feed(end) { $0.onWake(now: $1) } }
        }
    }
}
