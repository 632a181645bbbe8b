import ChangeSetFormat
import FederationModel
import LocalStore
import SyncProtocol
import Zstandard

import struct FederationModel.Cursor

/// The receiving end of one link as long as its process runs, with what its shell (`IncomingLink`) keeps.
final class ReceivingEnd {
    let node: SimulatedNode
    let sender: NodeID
    var receiver: LinkReceiver
    let compressor = ZstandardCompressor()
    var isOver = false
    /// By number, those whose hello waits for its answer, and the present one.
    var connections: [Int: Connection] = [:]
    var present: Int?
    /// With the life of their sender.
    var changeSets: [Int: (bytes: [UInt8], life: Int)] = [:]
    var lastID = 0
    /// Up to where the store said last that it has everything.
    var stored: Cursor?
    var returned: LostPosition?
    var isGivingBack = false
    var giveBackAfter: UnixMilliseconds = 0
    var savedOrigins: [NodeID: OriginFreshness] = [:]

    var edge: LinkEdge { LinkEdge(sender: sender, receiver: node.id) }

    init(node: SimulatedNode, sender: NodeID, receiver: LinkReceiver) {
        self.node = node
        self.sender = sender
        self.receiver = receiver
    }
}

extension Federation {
    func feed(_ end: ReceivingEnd, _ input: (inout LinkReceiver, UnixMilliseconds) -> [ReceiverDirective]) {
        guard !end.isOver else { return }
        for directive in input(&end.receiver, end.node.clock(now)) { perform(directive, of: end) }
        noteFreshness(end)
    }

    // MARK: - What comes from the sender

    /// The shell waits for the store three times before the receiver hears of the hello; anything may come between.
    func hello(_ hello: Hello, _ connection: Connection, _ end: ReceivingEnd) async throws {
        let store = end.node.store
        let durable = try await store.markedCursor(of: end.sender)
        after(any(0...10)) { federation in
            guard !end.isOver else { return }
            let lost = try await store.lostRows()[end.sender] ?? 0
            federation.feed(end) { $0.onLossChanged(lost, now: $1) }
            end.receiver.onQuarantineChanged(try await store.quarantineCounts()[end.sender] ?? 0)
            federation.after(federation.any(0...30)) { federation in
                guard !end.isOver else { return }
                if let durable, durable.cursor.epoch != hello.epoch {
                    try await store.doubt(end.receiver.policy?.origins ?? [])
                }
                federation.network.lastConnection += 1
                let number = federation.network.lastConnection
                connection.number = number
                end.connections[number] = connection
                federation.feed(end) {
                    $0.onHello(hello, connection: number, cursor: durable?.cursor, mark: durable?.mark, now: $1)
                }
            }
        }
    }

    func changeSet(_ bytes: [UInt8], _ connection: Connection, _ end: ReceivingEnd) {
        guard let number = connection.number else { return }
        feed(end) { $0.onProgress(connection: number, now: $1) }
        let header: ChangeSetHeader
        do {
            header = try bytes.withUnsafeBytes { try ChangeSetHeader.decode($0).0 }
        } catch {
            let error = FederationError.ofStore(error)
            return feed(end) { $0.onUnreadable(error, connection: number, now: $1) }
        }
        end.lastID += 1
        let id = end.lastID
        end.changeSets[id] = (bytes, connection.life)
        feed(end) { $0.onChangeSet(id: id, header: header, bytes: bytes.count, connection: number, now: $1) }
    }

    func disconnected(_ end: ReceivingEnd, _ error: FederationError?, _ number: Int) {
        if end.present == number { end.present = nil }
        feed(end) { $0.onDisconnected(error, connection: number, now: $1) }
    }

    func refreshLoss(_ end: ReceivingEnd) {
        after(any(0...10)) { federation in
            guard !end.isOver else { return }
            let lost = try await end.node.store.lostRows()[end.sender] ?? 0
            federation.feed(end) { $0.onLossChanged(lost, now: $1) }
        }
    }

    // MARK: - Directives

    private func perform(_ directive: ReceiverDirective, of end: ReceivingEnd) {
        let connection = end.present.flatMap { end.connections[$0] }
        switch directive {
        case .reply(let reply, let number):
            end.present = number
            (end.returned, end.isGivingBack, end.giveBackAfter) = (nil, false, 0)
            guard let connection = end.connections[number] else { return }
            end.connections = [number: connection]
            down(connection) { $0.helloReply(reply, connection, $1) }
        case .refuseHello(let refusal, let number):
            note("\(end.edge) refuses a hello: \(refusal.message)")
            if refusal.isAboutTopology { topologyDiffers(end.node, end.sender) }
            guard let connection = end.connections.removeValue(forKey: number) else { return }
            down(connection) { federation, sender in
                if refusal.isAboutTopology { federation.topologyDiffers(sender.node, sender.edge.receiver) }
                federation.feed(sender) { $0.onHelloRefused(refusal, now: $1) }
            }
        case .apply(let id): apply(id, end)
        case .discard(let ids): for id in ids { end.changeSets[id] = nil }
        case .acknowledge(let acknowledgement):
            if acknowledgement.cursor != end.stored {
                problem("\(end.edge) acknowledges \(acknowledgement.cursor.text), which is not on its disk")
            }
            guard let connection else { return }
            down(connection) { $0.acknowledged(acknowledgement, $1) }
        case .refuse(let refusal):
            counts.refused += 1
            note("\(end.edge) refuses: \(refusal.code) \(refusal.message)")
            guard let connection else { return }
            down(connection) { $0.feed($1) { $0.onRefused(refusal, now: $1) } }
        case .echo: echo(connection)
        case .progress:
            guard let connection else { return }
            down(connection) { $0.feed($1) { $0.onProgress(now: $1) } }
        case .giveBack: giveBack(end)
        case .end(let number): self.end(number, end)
        }
    }

    private func echo(_ connection: Connection?) {
        guard let connection else { return }
        down(connection) { $0.feed($1) { $0.onEcho(now: $1) } }
    }

    private func end(_ number: Int, _ end: ReceivingEnd) {
        let wasPresent = end.present == number
        if wasPresent { end.present = nil }
        guard let connection = end.connections.removeValue(forKey: number) else { return }
        let error = FederationError("E_PEER_ENDED", "\(end.node.id) has ended the connection", isRetryable: true)
        down(connection) {
            $0.feed($1) {
                wasPresent
                    ? $0.onDisconnected(error, now: $1)
                    : $0.onHelloRefused(Refusal(error, retryAfterMS: 1_000), now: $1)
            }
        }
    }

    private func apply(_ id: Int, _ end: ReceivingEnd) {
        guard let (bytes, life) = end.changeSets.removeValue(forKey: id), let policy = end.receiver.policy else {
            return
        }
        after(roll(0.1) ? any(0...1_500) : any(0...50)) { federation in
            guard !end.isOver else { return }
            let (store, now) = (end.node.store, end.node.clock(federation.now))
            if federation.kind.hasFullDisks, federation.roll(federation.network.trouble * 2) {
                let error = FederationError("E_STORE_FULL", "there is no space left", isRetryable: true)
                return federation.feed(end) { $0.onApplyRefused(error, now: $1) }
            }
            do {
                let changeSet = try IncomingChangeSet(
                    bytes: bytes, policy: policy, resources: store.resources, now: now)
                let before = try await federation.applying(end)
                let began = Ground.logBytes(end.node.path)
                let report = try await store.apply(changeSet, policy: policy, now: now)
                end.stored = report.cursor
                if try federation.crashes(end.node, since: began) { return }
                federation.counts.applied += 1
                federation.note(
                    "\(end.edge) applied up to \(report.cursor.text), \(report.applied) rows, \(report.lost) lost")
                try await federation.noteSightings(at: end.node)
                try await federation.checkApplied(report, before, life: life, end)
                federation.after(federation.any(0...20)) { $0.applied(report, end) }
            } catch {
                let error = FederationError.ofStore(error)
                federation.feed(end) { $0.onApplyRefused(error, now: $1) }
            }
        }
    }

    private func applied(_ report: ApplyReport, _ end: ReceivingEnd) {
        guard !end.isOver else { return }
        ring(end.node, head: report.head)
        let refused = report.refused.map { ($0.key.text, $0.value.rawValue) }
        let acknowledgement = Acknowledgement(
            cursor: report.cursor, applied: report.applied, skipped: report.skipped, quarantined: report.quarantined,
            refused: refused.isEmpty ? nil : Dictionary(uniqueKeysWithValues: refused),
            lost: report.lost > 0 ? report.lost : nil,
            quarantinedTotal: report.quarantinedTotal > 0 ? report.quarantinedTotal : nil)
        feed(end) { $0.onApplied(acknowledgement, now: $1) }
    }

    // MARK: - Giving back

    /// Between two rounds, milliseconds: as in the shell.
    private static let giveBackPause: Int64 = 600_000

    private func giveBack(_ end: ReceivingEnd) {
        guard let policy = end.receiver.policy, let number = end.present, let connection = end.connections[number]
        else { return }
        guard !end.isGivingBack, end.giveBackAfter <= end.node.clock(now) else { return echo(connection) }
        end.isGivingBack = true
        let position = end.returned
        after(any(0...30)) { federation in
            guard !end.isOver else { return }
            let next = try await end.node.store.lostChangeSet(
                of: end.sender, policy: policy, after: position, now: end.node.clock(federation.now),
                compressor: end.compressor)
            guard end.present == number else { return }
            end.returned = next?.end
            guard let next else {
                end.isGivingBack = false
                end.giveBackAfter = end.node.clock(federation.now) + Self.giveBackPause
                return federation.echo(connection)
            }
            federation.down(connection) { $0.returned(next.changeSet.bytes, connection, $1) }
        }
    }

    func settle(
        _ rows: [(resource: ResourceName, key: RowKey)], _ connection: Connection, _ end: ReceivingEnd
    ) {
        end.isGivingBack = false
        guard let number = connection.number else { return }
        after(any(0...30)) { federation in
            guard !end.isOver else { return }
            let began = Ground.logBytes(end.node.path)
            let (lost, head) = try await end.node.store.settle(
                rows, of: end.sender, now: end.node.clock(federation.now))
            if try federation.crashes(end.node, since: began) { return }
            federation.ring(end.node, head: head)
            federation.feed(end) { $0.onSettled(lost: lost, connection: number, now: $1) }
        }
    }

    // MARK: - Freshness

    private func noteFreshness(_ end: ReceivingEnd) {
        guard end.receiver.origins != end.savedOrigins else { return }
        let completed = end.receiver.origins.contains {
            $0.value.complete && end.savedOrigins[$0.key]?.complete != true
        }
        end.savedOrigins = end.receiver.origins
        guard let policy = end.receiver.policy else { return }
        let origins = end.receiver.origins.filter { policy.origins.contains($0.key) }
        after(any(0...5)) { federation in
            guard !end.isOver else { return }
            let awaits = try await !end.node.store.rows(
                sql: "SELECT 1 FROM lost_row WHERE state = 2 LIMIT 1", arguments: []
            ).isEmpty
            let before = awaits ? try await end.node.versions(isLive: true) : [:]
            let head = try await end.node.store.save(
                freshness: origins, under: policy, now: end.node.clock(federation.now))
            try await federation.checkSettled(before, end)
            federation.ring(end.node, head: head)
            guard completed else { return }
            for sending in federation.ends(end.node.sending) {
                federation.feed(sending) { $0.onOriginCompleted(now: $1) }
            }
        }
    }
}

extension Refusal {
    fileprivate var isAboutTopology: Bool { [LinkCode.topologyVersion, LinkCode.notANeighbour].contains(code) }
}
