import ChangeSetFormat
import FederationModel
import LocalStore
import NodeIdentity
import SyncProtocol

import struct FederationModel.Cursor

/// What became of a ferry file.
package struct FerryImportReport: Sendable {
    package let peer: TopologyNode
    package let bytes: Int64
    /// When its sender wrote it.
    package let createdAt: UnixMilliseconds
    package var changeSets = 0
    /// Change-sets that were here already.
    package var changeSetsSkipped = 0
    package var applied = 0
    /// Rows of which the same image was here already.
    package var skipped = 0
    package var quarantined = 0
    /// Where this node stands with the sender now; nil when nothing has ever come.
    package var cursor: Cursor?
    /// Up to where the sender has this node's rows; nil when it has none of this life of the database.
    package var confirmed: Cursor?
    /// Rows that the sender no longer has and this node keeps.
    package var lost = 0
    /// Rows of this node that it had lost and got back, and rows of others on their way to them.
    package var adopted = 0
    package var passedOn = 0
    /// The epoch that this node has begun, because the file shows that its database is an older one.
    package var newEpoch: Epoch?

    /// Whether there was something to take and all of it was here.
    package var isReplay: Bool { changeSets == 0 && changeSetsSkipped > 0 && adopted == 0 && passedOn == 0 }
}

extension NodeDesk {
    /// Takes in a file of a neighbour: its rows by the same rules and in the same transactions as over a connection, and its word on
    /// how far it has come with this node's. What was applied before a file turned out to be of no more use stays.
    ///
    /// - Parameter progress: gets the share of the file that is read, 0 to 1, and the rows, now and then.
    /// - Throws: the codes of `SealedFileReader` and `FerryReceiver`, of refused change-sets, and what the store throws.
    package func importFerry(
        path: String, progress: (Double, Int) -> Void = { _, _ in }
    ) async throws -> FerryImportReport {
        try await perform(.importFerry) { now in
            let file = try SealedFileReader(path: path)
            let certificate = try file.verify(for: try local.credentials(), now: now)
            var run = try await FerryRun(desk: self, file: file, now: now)
            try await store.show(certificate)
            try await run.run(progress)
            return run.report
        }
    }
}

/// One file on its way in.
private struct FerryRun {
    let desk: NodeDesk
    let now: UnixMilliseconds
    let sender: NodeID
    let outgoing: LinkPolicy
    let opening: FerryOpening
    var frames: FerryFrames
    var receiver: FerryReceiver
    var report: FerryImportReport
    /// The end of the file's last change-set so far.
    var end: Cursor?
    var settled: [(resource: ResourceName, key: RowKey)] = []

    private var store: NodeStore { desk.store }

    /// How often a change-set is tried that a connection keeps overtaking.
    private static let triesMax = 5

    init(desk: NodeDesk, file: SealedFileReader, now: UnixMilliseconds) async throws {
        (self.desk, self.now, sender) = (desk, now, file.header.sender)
        let standing = desk.standing
        frames = FerryFrames(file)
        guard let first = try frames.next(), first.kind == .opening,
            let opening = try? WireJSON.decode(FerryOpening.self, first.body)
        else { throw FederationError.ferryContent("it does not begin with an opening") }
        self.opening = opening
        try await Self.adopt(opening.release, from: sender, desk: desk, now: now)
        receiver = try FerryReceiver(
            opening, node: desk.id, sender: sender, topology: standing.topology.stamp,
            policy: standing.incoming[sender], schemaRevision: desk.store.schemaRevision, now: now)
        guard let outgoing = standing.outgoing[sender], let peer = standing.topology.node(sender) else {
            throw FederationError(LinkCode.notANeighbour, "\(sender) is not a neighbour of \(desk.id)")
        }
        self.outgoing = outgoing
        report = FerryImportReport(peer: peer, bytes: file.bytes, createdAt: file.header.createdAt)
    }

    /// A newer topology is taken over first; the rows wait until this node stands on it whole.
    private static func adopt(
        _ release: TopologyRelease?, from sender: NodeID, desk: NodeDesk, now: UnixMilliseconds
    ) async throws {
        let topology = desk.topology
        guard let release, release.version > topology.version else { return }
        let chain = try ReleaseChain(
            [release], after: topology, trustRootsPEM: try desk.local.credentials().trustRootsPEM)
        try await desk.local.source.adopt(chain, now: now)
        _ = try await desk.commit(\.self) { try await desk.store.head() }
        throw FederationError(
            LinkCode.topologyVersion,
            "the file is of topology version \(release.version) of \(sender), \(desk.id) was on \(topology.version) and has "
                + "adopted the release that the file brings",
            hint: "import the file once more, after the service of this node has run")
    }

    mutating func run(_ progress: (Double, Int) -> Void) async throws {
        // First: it holds whatever comes of the rows, and a sender that must begin another epoch does so before it takes any back.
        try await hear(opening.reply)
        try receiver.stand(at: try await place())
        if let policy = receiver.policy, !receiver.isSameEpoch { try await store.doubt(policy.origins) }
        var isOver = false
        while let frame = try frames.next() {
            guard !isOver else { throw FederationError.ferryContent("frames follow its goodbye") }
            switch frame.kind {
            case .settlement: try await take(try decode(Settlement.self, frame))
            case .changeSet: try await take(changeSet: frame.body)
            case .returned: try await take(returned: frame.body)
            case .goodbye: isOver = true
            default: throw FederationError.ferryContent("a frame of kind \(frame.kind) has no place there")
            }
            progress(frames.share, report.applied)
        }
        guard isOver else { throw FederationError.ferryContent("it has no goodbye") }
        try await finish()
    }

    // MARK: - This node as the sender

    private mutating func hear(_ reply: HelloReply) async throws {
        if let cursor = reply.cursor {
            report.newEpoch = try await store.recognise(cursor, mark: reply.mark, of: sender, now: now)
            // The service, if it runs, takes the epoch over with the head.
            if report.newEpoch != nil { _ = try await desk.commit(\.self) { try await store.head() } }
            if cursor.epoch == store.epoch {
                try await store.confirm(cursor, by: sender, saidAt: reply.clock, now: now)
            }
        }
        report.confirmed = try await store.confirmedCursor(of: sender)
        let (lost, quarantined) = (reply.lost ?? 0, reply.quarantinedTotal ?? 0)
        try await store.changeFerry(of: sender) { peer in
            (peer.lost, peer.quarantined) = (max(0, lost), max(0, quarantined))
            peer.schemaRevision = reply.schemaRevision
        }
        if let rows = reply.putAside ?? (quarantined == 0 ? [] : nil) {
            try await store.keep(putAside: rows, by: sender, policy: outgoing, now: now)
        }
    }

    private mutating func take(returned bytes: [UInt8]) async throws {
        let changeSet = try IncomingChangeSet(bytes: bytes, policy: outgoing, resources: store.resources, now: now)
        let taken = try await desk.commit(\.head) {
            try await store.takeBack(changeSet, policy: outgoing, now: desk.clock())
        }
        report.adopted += taken.adopted
        report.passedOn += taken.passedOn
        settled += taken.settled
    }

    // MARK: - This node as the receiver

    private func place() async throws -> ReceiverPlace? {
        guard let durable = try await store.markedCursor(of: sender) else { return nil }
        return ReceiverPlace(
            cursor: durable.cursor, mark: durable.mark, madeAt: try await store.cursorMadeAt(of: sender))
    }

    private func take(_ settlement: Settlement) async throws {
        guard receiver.isSameEpoch else { return }
        let rows = settlement.rows.map { ($0.resource, RowKey(origin: $0.origin, key: $0.key)) }
        _ = try await desk.commit(\.head) { try await store.settle(rows, of: sender, now: desk.clock()) }
    }

    private mutating func take(changeSet bytes: [UInt8]) async throws {
        let header = try bytes.withUnsafeBytes { try ChangeSetHeader.decode($0).0 }
        end = header.end
        for _ in 0..<Self.triesMax {
            guard try receiver.verdict(on: header, now: now) == .apply, let policy = receiver.policy else {
                report.changeSetsSkipped += 1
                return
            }
            let changeSet = try IncomingChangeSet(
                bytes: bytes, policy: policy, resources: store.resources, now: desk.clock())
            do {
                let applied = try await desk.commit(\.head) {
                    try await store.apply(changeSet, policy: policy, now: desk.clock())
                }
                receiver.onMoved(to: applied.cursor)
                report.changeSets += 1
                report.applied += applied.applied
                report.skipped += applied.skipped
                report.quarantined += applied.quarantined
                return
            } catch let error as FederationError where error.code == LinkCode.cursorMoved {
                // A connection was faster.
                receiver.onMoved(to: try await store.cursor(of: sender))
            }
        }
        throw FederationError(
            LinkCode.cursorMoved, "a connection to \(sender) keeps overtaking the file",
            hint: "import it again when the connection is idle, or leave it: the connection brings the same")
    }

    private mutating func finish() async throws {
        report.cursor = receiver.cursor
        report.lost = try await store.lostRows()[sender] ?? 0
        try await store.keep(settlements: settled, for: sender)
        try await store.changeFerry(of: sender) { [now] in $0.importedAt = now }
        guard receiver.isLevel(behind: end), let policy = receiver.policy else { return }
        let known = try await store.freshness()
        var origins = opening.heartbeat.origins.filter { origin, freshness in
            policy.origins.contains(origin) && (known[origin].map { $0.asOf <= freshness.asOf } ?? true)
        }
        if report.lost > 0 { for origin in origins.keys { origins[origin]?.complete = false } }
        _ = try await desk.commit(\.self) { [origins] in
            try await store.save(freshness: origins, under: policy, now: desk.clock())
        }
    }

    private func decode<Message: Decodable>(_ type: Message.Type, _ frame: Frame) throws -> Message {
        guard let message = try? WireJSON.decode(type, frame.body) else {
            throw FederationError.ferryContent("a frame of kind \(frame.kind) can't be read")
        }
        return message
    }
}

/// The frames of a sealed file, one after the other; no more than one and a chunk are held.
private struct FerryFrames {
    private let file: SealedFileReader
    private var reader = FrameReader(writtenBy: .ferry)

    init(_ file: SealedFileReader) { self.file = file }

    /// How much of the file is read, 0 to 1.
    var share: Double { Double(file.bytesRead) / Double(max(1, file.bytes)) }

    mutating func next() throws -> Frame? {
        while true {
            if let frame = try reader.next() { return frame }
            guard let chunk = try file.next() else {
                guard !reader.isInFrame else { throw FederationError.ferryContent("its last frame is cut short") }
                return nil
            }
            reader.append(chunk)
        }
    }
}

extension FederationError {
    /// A file that its sender has signed and that breaks the rules all the same.
    fileprivate static func ferryContent(_ reason: String) -> FederationError {
        FederationError(
            "E_FERRY_FORMAT", "what the ferry file holds can't be read: \(reason)",
            hint: "run the same release on both nodes")
    }
}
