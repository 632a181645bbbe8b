import FederationModel
import LocalStore
import SyncProtocol

/// What happens to a federation while its history lasts.
extension Federation {
    /// One history: trouble, then quiet, then the checks.
    package func run() async throws {
        for edge in topology.current.edges where roll(0.06) {
            network.buffering[edge] = HeldHalf.allCases.randomElement(using: &random)
        }
        for id in order {
            guard let node = nodes[id] else { continue }
            if Bool.random(using: &random) { try await write(node) }
            try await start(node)
        }
        for _ in 0..<kind.happenings {
            try await play(for: roll(0.1) ? any(1...20_000) : any(1...1_500))
            try await happen()
            if roll(0.1), let node = anyNode() { try await checkView(at: node) }
            if !problems.isEmpty { return }
        }
        try await settle()
        if problems.isEmpty { try await checkAll() }
    }

    private func happen() async throws {
        if roll(kind.releases) { isReleaseDue = true }
        if isReleaseDue {
            if try await isWhole() { return try await newRelease() }
            try await play(for: any(1...5_000))
        }
        guard let node = anyNode() else { return }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<45: if node.isUp { try await write(node) }
        case 45..<53: try crash(node)
        case 53..<58 where kind.hasPowerLosses: try await losePower(node)
        case 58..<64 where kind.hasRestores: snapshot(node)
        case 64..<72 where kind.hasRestores: try await restore(node)
        case 72..<79 where kind.hasPartitions: isolate(node)
        case 79..<86 where kind.hasClockJumps: setClock(node)
        case 86..<90: network.trouble = Double.random(in: 0...0.08, using: &random)
        case 90..<94 where kind.hasPruning: try await prune(node)
        case 94..<98 where kind.hasRemovals: try await remove(node)
        default: breakAny()
        }
    }

    // MARK: - Daily life

    /// Most of it below, from where it has a way to go.
    private func write(_ node: SimulatedNode) async throws {
        let count = Int.random(in: 1...8, using: &random)
        let written = (0..<count).map { _ in records.any(of: node.id, using: &random) }
        let report: IntakeReport
        do {
            report = try await node.store.intake(
                rows: written.map { [$0] }, isGuarded: false, now: node.clock(now))
        } catch let error as FederationError where error.code == "E_CLOCK_IMPLAUSIBLE" {
            return note("\(node.id) takes nothing in: \(error.message)")
        }
        noteDurable(node)
        let accepted = zip(written, report.outcomes).filter { $0.1.isAccepted || $0.1 == .unchanged }.map(\.0)
        note("\(node.id) writes up to seq \(report.head): \(accepted.map(\.summary).joined(separator: "; "))")
        ledger.noteWritten(accepted, by: node, at: node.clock(now))
        try await noteSightings(at: node)
        // A command may be killed before it rings the service's bell.
        if node.isUp, !roll(network.trouble) { ring(node, head: report.head) }
    }

    /// Deletes what a node has written about one of its tickets.
    private func remove(_ node: SimulatedNode) async throws {
        guard node.isUp, let ticket = ledger.tickets[node.id, default: [:]].keys.sorted().randomElement(using: &random)
        else { return }
        let time = node.clock(now)
        let removed: RemovalReport
        do {
            removed = try await node.store.remove(
                .delete, tickets: [ticket], reason: "other", order: ULID(now: time, using: &random), now: time)
        } catch let error as FederationError where error.code == "E_TICKET_UNKNOWN" {
            return
        }
        note("\(node.id) deletes \(ticket)")
        noteDurable(node)
        ledger.noteRemoval(of: ticket, by: node.id, left: try await node.versions(isLive: true))
        ring(node, head: removed.head)
    }

    private func prune(_ node: SimulatedNode) async throws {
        guard node.isUp else { return }
        let (all, live) = (try await node.versions(), try await node.versions(isLive: true))
        node.pruned.formUnion(all.keys.filter { live[$0] == nil })
        // The age of tombstones is told by hourly marks; a history lasts minutes.
        node.pruningClock += 7_200_000
        let report = try await node.store.prune(
            receivers: node.topology.neighbours(of: node.id), retention: 3_600_000,
            now: node.clock(now) + node.pruningClock)
        if report.tombstones > 0 { note("\(node.id) prunes \(report.tombstones) tombstones up to \(report.floor)") }
    }

    private func breakAny() {
        let open = order.compactMap { nodes[$0] }.flatMap { ends($0.sending) }.compactMap(\.connection)
        if let connection = open.randomElement(using: &random) { breakOff(connection, "the network failed") }
    }

    private func isolate(_ node: SimulatedNode) {
        note("\(node.id) is cut off")
        network.isolated.insert(node.id)
        after(any(1...60_000)) { federation in
            federation.note("\(node.id) is reached again")
            federation.network.isolated.remove(node.id)
        }
    }

    // MARK: - Topologies

    private func newRelease() async throws {
        isReleaseDue = false
        if Bool.random(using: &random) {
            topology.changePolicy(using: &random)
        } else {
            topology.changeEdges(using: &random)
        }
        try await release()
    }

    /// Whether nobody has anything to get back: the design has changes of the topology wait for that.
    private func isWhole() async throws -> Bool {
        for node in nodes.values {
            if node.isUndeclared || !node.isUp { return false }
            if try await !node.store.lostRows().isEmpty { return false }
            for end in node.sending.values where end.sender.summary.cursor?.sweep != .complete { return false }
        }
        return nodes[order[0]]?.topology.version == topology.current.version
    }

    // MARK: - Ends of processes and machines

    private func crash(_ node: SimulatedNode) throws {
        let bytes = Ground.logBytes(node.path)
        try crash(node, in: bytes...bytes)
    }

    /// Maybe the process ended in the middle of what it has just done, of which nobody has heard yet.
    ///
    /// - Parameter bytes: of the log, when that began.
    /// - Returns: whether it did.
    func crashes(_ node: SimulatedNode, since bytes: Int) throws -> Bool {
        guard roll(network.trouble / 4) else { return false }
        try crash(node, in: bytes...max(bytes, Ground.logBytes(node.path)))
        return true
    }

    private func crash(_ node: SimulatedNode, in bytes: ClosedRange<Int>) throws {
        guard node.isUp else { return }
        counts.crashes += 1
        note("\(node.id) crashes")
        try stop(node)
        try put(ground.copy(node.path, logBytes: Int.random(in: bytes, using: &random)), under: node)
        startAgain(node)
    }

    /// What was committed since the last durable commit is gone.
    private func losePower(_ node: SimulatedNode) async throws {
        guard node.isUp else { return }
        counts.powerLosses += 1
        note("\(node.id) loses its power")
        try stop(node)
        let bytes = node.durableBytes
        if bytes < Ground.logBytes(node.path) { node.isUndeclared = true }
        try put(ground.copy(node.path, logBytes: bytes), under: node)
        ledger.notePowerLoss(try await held())
        startAgain(node)
    }

    /// By node, all live rows.
    private func held() async throws -> [NodeID: [Look]] {
        var held: [NodeID: [Look]] = [:]
        for (id, node) in nodes { held[id] = try await node.looks() }
        return held
    }

    private func startAgain(_ node: SimulatedNode) {
        let life = node.life
        after(roll(0.2) ? any(1...30_000) : any(1...500)) { federation in
            if !node.isUp && node.life == life { try await federation.start(node) }
        }
    }

    private func snapshot(_ node: SimulatedNode) {
        node.snapshots.append(
            SimulatedNode.Snapshot(
                path: node.path, logBytes: Ground.logBytes(node.path), sidecar: node.sidecar))
    }

    /// An older copy, a copy that ran elsewhere, or a new database under the old certificate.
    private func restore(_ node: SimulatedNode) async throws {
        let other = node.snapshots.randomElement(using: &random)
        guard node.isUp, other != nil || roll(0.3) else { return }
        counts.restores += 1
        try stop(node)
        snapshot(node)
        if let other {
            note("\(node.id) goes back to an older database")
            try put(ground.copy(other.path, logBytes: other.logBytes), under: node)
        } else {
            note("\(node.id) is set up afresh")
            let epoch = Epoch(counter: 1, nonce: random.next())
            try put(ground.createAnew(node.id, epoch: epoch), under: node)
        }
        // The file beside the database may stay, go back with it, or be lost.
        if Bool.random(using: &random) { node.sidecar = other?.sidecar }
        // The clock of a machine that was set up again may be behind what the node has signed before.
        if kind.hasClockJumps, roll(0.5) { misset(node, by: any(-200_000 ... -1)) }
        node.isUndeclared = true
        ledger.noteRestore(of: node.id, try await held())
        startAgain(node)
    }

    // MARK: - Clocks

    private func setClock(_ node: SimulatedNode) {
        guard node.isUp else { return }
        if node.clockOffset != 0 || node.stoppedClock != nil { return correctClock(node) }
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            node.stoppedClock = node.clock(now)
            note("the clock of \(node.id) stands")
            correctLater(node)
        case 1: misset(node, by: any(-3 * 86_400_000 ... -1))
        case 2: misset(node, by: any(1...3 * 86_400_000))
        default: misset(node, by: any(-200_000...200_000))
        }
    }

    private func misset(_ node: SimulatedNode, by milliseconds: Int64) {
        (node.clockOffset, node.stoppedClock) = (milliseconds, nil)
        note("the clock of \(node.id) is \(milliseconds) ms ahead")
        correctLater(node)
    }

    private func correctLater(_ node: SimulatedNode) {
        after(any(1...60_000)) { $0.correctClock(node) }
    }

    func correctClock(_ node: SimulatedNode) {
        guard node.clockOffset != 0 || node.stoppedClock != nil else { return }
        note("the clock of \(node.id) is set right")
        (node.clockOffset, node.stoppedClock) = (0, nil)
    }

    // MARK: - Quiet

    /// Virtual time within which a federation without trouble comes to rest.
    private static let settlingMax: Int64 = 1_500_000

    private func settle() async throws {
        note("quiet begins")
        network.trouble = 0
        network.isolated = []
        for id in order {
            guard let node = nodes[id] else { continue }
            if !node.isUp { try await start(node) }
            correctClock(node)
        }
        try await declareNeighbours()
        // A service looks for what no command told it of, and an administrator for what a node has taken up.
        for id in order { if let node = nodes[id] { ring(node, head: try await node.store.head()) } }
        if let top = nodes[order[0]] { adopt(upTo: topology.current.version, at: top) }
        let end = now + Self.settlingMax
        while now < end, problems.isEmpty {
            try await play(for: 2_000)
            guard try await isAtRest() else { continue }
            // Two heartbeats: what is whole is said to be, and who is not there any more is missed.
            try await play(for: 11_000)
            if try await isAtRest() { return }
        }
        if problems.isEmpty { problem("does not come to rest: \(try await unrest() ?? "")") }
    }

    /// Two neighbours that went back, together or one after the other, may have nobody who tells them: an administrator does.
    private func declareNeighbours() async throws {
        let undeclared = order.compactMap { nodes[$0] }.filter(\.isUndeclared)
        for node in undeclared {
            let neighbours = node.topology.neighbours(of: node.id)
            let wentBack = ledger.restored.union(undeclared.map(\.id))
            guard !wentBack.isDisjoint(with: neighbours) else { continue }
            try await begin(node.store.beginEpoch(now: node.clock(now)), at: node)
        }
    }
}

extension Topology {
    /// Each edge in both directions.
    var edges: [LinkEdge] {
        nodes.flatMap { node in neighbours(of: node.id).map { LinkEdge(sender: node.id, receiver: $0) } }
    }
}

extension IntakeRecord {
    /// For the trace: its key, and what filters, audiences and folds look at.
    fileprivate var summary: String {
        let telling = [
            "region_code", "service_code", "request_type", "confidential", "respondent_name", "step", "to_node",
            "action",
            "target", "assignee_unit", "linked_request", "call_id",
        ]
        let told = telling.compactMap { name in self.fields[name]?.text.map { "\(name) \($0)" } }
        return "\(resource) \(key) (\(told.joined(separator: ", ")))"
    }
}
