import ChangeSetFormat
import FederationModel
import LocalStore
import SyncProtocol

/// The lives of nodes: what `NodeService` and the services under it do at a start, and how processes end.
extension Federation {
    func open(_ path: String) throws -> NodeStore {
        try NodeStore(at: path, resources: Self.resources, threadKinds: [TicketKind()]) { _ in
            "~" + String(repeating: "0f", count: 16)
        }
    }

    func ends(_ ends: [NodeID: SendingEnd]) -> [SendingEnd] { ends.sorted { $0.key < $1.key }.map(\.value) }
    func ends(_ ends: [NodeID: ReceivingEnd]) -> [ReceivingEnd] { ends.sorted { $0.key < $1.key }.map(\.value) }

    // MARK: - Starting and ending

    func start(_ node: SimulatedNode) async throws {
        note("\(node.id) starts")
        let store = node.store
        node.life += 1
        node.isUp = true
        node.isAdopting = false
        node.isFoldingPlanned = false
        if try store.currentRelease() == nil { try await adoptFirst(at: node) }
        let topology = releases[try store.currentRelease()?.version ?? 1] ?? topology.current
        let standing = Standing(
            node: node.id, topology: topology, revisions: try store.linkRevisions(), resources: store.resources)
        try store.publish(standing)
        while try await store.performAdoptionStep(under: standing, now: node.clock(now)) != nil {}
        // Before its first start nobody had to see what it took in.
        try await noteSightings(at: node)
        if let sidecar = node.sidecar {
            let cursor = Cursor(
                epoch: sidecar.epoch, seq: sidecar.seq, revision: LinkRevision(topology: 0, policy: 0), sweep: .complete
            )
            if let epoch = try await store.recognise(cursor, mark: sidecar.mark, of: node.id, now: node.clock(now)) {
                note("\(node.id) finds at its start that its database is an older one: epoch \(epoch)")
                node.isUndeclared = false
            }
        }
        noteDurable(node)
        try await bringLinks(node)
        planFolding(node)
        keepSidecar(node)
        lookAtLosses(node)
        lookAtClock(node)
    }

    /// As `StandingSource.adoptFile`: the first topology comes from a file.
    private func adoptFirst(at node: SimulatedNode) async throws {
        guard let first = releases[1] else { return }
        try await node.store.adopt(
            [(TopologyRelease(version: 1, text: "", publishedAt: Self.start), first)],
            after: Topology(name: "", version: 0, nodes: []), known: [], now: node.clock(now))
    }

    /// The process is gone; its database is as the operating system has it.
    func stop(_ node: SimulatedNode) throws {
        node.isUp = false
        node.life += 1
        let isSilent = roll(0.2)
        for end in ends(node.sending) {
            end.isOver = true
            if let connection = end.connection { leave(connection, isSilent) }
        }
        for end in ends(node.receiving) {
            end.isOver = true
            if let connection = end.present.flatMap({ end.connections[$0] }) { leave(connection, isSilent) }
        }
        (node.sending, node.receiving) = ([:], [:])
    }

    private func leave(_ connection: Connection, _ isSilent: Bool) {
        if isSilent {
            connection.isSilent = true
        } else {
            breakOff(connection, "a process ended")
        }
    }

    /// Another database under a node that does not run.
    func put(_ path: String, under node: SimulatedNode) throws {
        try node.store.close()
        paths.append(path)
        node.path = path
        node.store = try open(path)
        node.durableBytes = Ground.logBytes(path)
    }

    /// Everything up to now is on disk.
    func noteDurable(_ node: SimulatedNode) { node.durableBytes = Ground.logBytes(node.path) }

    // MARK: - What runs beside the links

    /// The feed of a node has moved.
    func ring(_ node: SimulatedNode, head: Seq) {
        for end in ends(node.sending) { after(any(0...5)) { $0.feed(end) { $0.onCommitted(head: head, now: $1) } } }
        planFolding(node)
    }

    /// Consumers catch up a moment later, and may move the feed themselves.
    private func planFolding(_ node: SimulatedNode) {
        guard !node.isFoldingPlanned else { return }
        node.isFoldingPlanned = true
        later(node, after: roll(0.1) ? any(0...3_000) : any(0...40)) { federation in
            node.isFoldingPlanned = false
            let before = try await node.store.head()
            try await node.store.catchUpConsumers(now: node.clock(federation.now))
            let head = try await node.store.head()
            if head > before { federation.ring(node, head: head) }
        }
    }

    /// Each ten seconds, as `HistoryService` does.
    private func keepSidecar(_ node: SimulatedNode) {
        later(node, after: any(1...10_000)) { federation in
            let (seq, mark) = try await node.store.latestMark()
            node.sidecar = SimulatedNode.Sidecar(epoch: node.store.epoch, seq: seq, mark: mark)
            federation.keepSidecar(node)
        }
    }

    private func lookAtLosses(_ node: SimulatedNode) {
        later(node, after: 10_000) { federation in
            let lost = try await node.store.lostRows()
            for end in federation.ends(node.receiving) {
                federation.feed(end) { $0.onLossChanged(lost[end.sender] ?? 0, now: $1) }
            }
            federation.lookAtLosses(node)
        }
    }

    /// As `ClockService` does.
    private func lookAtClock(_ node: SimulatedNode) {
        later(node, after: SyncLimits.heartbeatInterval) { federation in
            defer { federation.lookAtClock(node) }
            let clock = node.clock(federation.now)
            guard node.receiving.values.contains(where: { $0.receiver.doClocksAgree(now: clock) }) else { return }
            try await node.store.noteAgreedClock(now: clock)
            let (rows, head) = try await node.store.reissueFutureVersions(now: clock)
            if rows > 0 {
                federation.note("\(node.id) issues \(rows) rows anew, up to seq \(head)")
                federation.noteDurable(node)
                federation.ring(node, head: head)
            }
            let retry = try await node.store.retryEarlyRows(policies: node.store.standing.incoming, now: clock)
            if retry.taken > 0 {
                federation.note("\(node.id) takes \(retry.taken) rows that had come too early")
                try await federation.noteSightings(at: node)
                federation.ring(node, head: retry.head)
            }
        }
    }

    /// Unless the process is gone by then.
    func later(_ node: SimulatedNode, after delay: Int64, _ action: @escaping EventQueue.Action) {
        let life = node.life
        after(delay) { if node.isUp && node.life == life { try await action($0) } }
    }

    // MARK: - Links

    /// As `LinkSupervisor` does with a new standing.
    func bringLinks(_ node: SimulatedNode, after former: Topology? = nil) async throws {
        let (store, standing) = (node.store, node.store.standing)
        let doubted = former.map {
            standing.topology.origins(inDoubtAt: node.id, after: $0, resources: Self.resources)
        }
        let (stamp, neighbours) = (standing.topology.stamp, standing.topology.neighbours(of: node.id))
        for end in ends(node.sending) where !neighbours.contains(end.edge.receiver) {
            feed(end) { $0.onStop(now: $1) }
            node.sending[end.edge.receiver] = nil
        }
        for end in ends(node.receiving) where !neighbours.contains(end.sender) {
            feed(end) { $0.onPolicyChanged(nil, topology: stamp, now: $1) }
            end.isOver = true
            node.receiving[end.sender] = nil
        }
        for neighbour in neighbours {
            guard let send = standing.outgoing[neighbour], let receive = standing.incoming[neighbour] else { continue }
            if let end = node.receiving[neighbour] {
                feed(end) { $0.onPolicyChanged(receive, topology: stamp, doubted: doubted ?? [], now: $1) }
            } else {
                let receiver = LinkReceiver(
                    node: node.id, sender: neighbour, topology: stamp, policy: receive,
                    schemaRevision: store.schemaRevision, capabilities: node.capabilities,
                    cursor: try await store.cursor(of: neighbour), now: node.clock(now))
                node.receiving[neighbour] = ReceivingEnd(node: node, sender: neighbour, receiver: receiver)
            }
            if let end = node.sending[neighbour] {
                if send.revision != end.policy.revision || !send.isSame(as: end.policy) { end.preparation += 1 }
                end.policy = send
                feed(end) { $0.onPolicyChanged(send, topology: stamp, now: $1) }
            } else {
                let sender = LinkSender(
                    policy: send, topology: stamp, epoch: store.epoch, head: try await store.head(),
                    schemaRevision: store.schemaRevision, capabilities: node.capabilities,
                    seed: random.next())
                let end = SendingEnd(node: node, policy: send, sender: sender)
                node.sending[neighbour] = end
                feed(end) { $0.onStart(now: $1) }
            }
        }
    }

    // MARK: - Topologies

    /// The top node publishes what `topology` is now.
    func release() async throws {
        let version = topology.current.version
        releases[version] = topology.current
        counts.releases += 1
        note("release \(version) is published")
        guard let top = order.first.flatMap({ nodes[$0] }) else { return }
        adopt(upTo: version, at: top)
    }

    /// As `TopologyExchange`: whoever of the two is behind gets the releases that it lacks.
    func topologyDiffers(_ node: SimulatedNode, _ peer: NodeID) {
        later(node, after: roll(0.1) ? any(1_000...20_000) : any(10...400)) { federation in
            guard let other = federation.nodes[peer], other.isUp, !federation.network.isCut(node.id, peer) else {
                return
            }
            let (ours, theirs) = (node.topology.version, other.topology.version)
            if ours < theirs { federation.adopt(upTo: theirs, at: node) }
            guard theirs < ours else { return }
            federation.adopt(upTo: ours, at: other)
            // It may take now what it refused.
            federation.later(node, after: 500) { federation in
                guard let end = node.sending[peer] else { return }
                federation.feed(end) { $0.onRetry(now: $1) }
            }
        }
    }

    /// Step by step: anything may come between the transactions.
    func adopt(upTo version: Int64, at node: SimulatedNode) {
        guard !node.isAdopting, node.topology.version < version else { return }
        node.isAdopting = true
        later(node, after: any(0...50)) { federation in
            let store = node.store
            let held = try store.currentRelease()?.version ?? 1
            let topologies = (held + 1...max(held + 1, version)).compactMap { federation.releases[$0] }
            let chain = topologies.map {
                (release: TopologyRelease(version: $0.version, text: "", publishedAt: Federation.start), topology: $0)
            }
            try await store.adopt(
                chain, after: federation.releases[held] ?? store.standing.topology, known: Set(federation.order),
                now: node.clock(federation.now))
            federation.noteDurable(node)
            guard let topology = topologies.last else { return }
            federation.note("\(node.id) adopts release \(topology.version)")
            let standing = Standing(
                node: node.id, topology: topology, revisions: try store.linkRevisions(), resources: store.resources)
            federation.takeStep(under: standing, at: node)
        }
    }

    private func takeStep(under standing: Standing, at node: SimulatedNode) {
        later(node, after: roll(0.05) ? any(0...500) : any(0...2)) { federation in
            let step = try await node.store.performAdoptionStep(under: standing, now: node.clock(federation.now))
            if step != nil { return federation.takeStep(under: standing, at: node) }
            let former = node.topology
            try node.store.publish(standing)
            node.isAdopting = false
            try await federation.bringLinks(node, after: former)
            federation.ring(node, head: try await node.store.head())
            // As long as others stand on the topology before, an answer is easily wrong.
            for _ in 0..<2 {
                federation.later(node, after: federation.any(0...1_000)) { try await $0.checkView(at: node) }
            }
        }
    }
}
