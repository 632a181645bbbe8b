import ChangeSetFormat
import FederationModel
import Foundation
import LocalStore
import NodeFiles
import NodeIdentity
import SyncProtocol
import Zstandard

import struct FederationModel.Cursor

/// A ferry file that is to be written.
package struct FerryExport: Sendable {
    /// From where it goes on.
    package enum Start: String, Sendable, CaseIterable {
        /// From what the receiver has confirmed; everything, when it has confirmed nothing. A file that gets lost does no harm then.
        case confirmed
        /// From where the last file ended, whether it arrived or not: for lines over which nothing ever comes back.
        case last
        /// Everything.
        case beginning
    }

    /// The neighbour: its code or the beginning of its name.
    package var peer: String
    package var path: String
    package var existing: OutputFile.Existing
    package var start: Start
    /// A file with the neighbour's certificate; nil for the one that it has shown last.
    package var certificatePath: String?

    package init(
        peer: String, path: String, existing: OutputFile.Existing = .isKept, start: Start = .confirmed,
        certificatePath: String? = nil
    ) {
        self.peer = peer
        self.path = path
        self.existing = existing
        self.start = start
        self.certificatePath = certificatePath
    }
}

/// What a ferry file holds.
package struct FerryExportReport: Sendable {
    package let peer: TopologyNode
    package let from: Cursor
    /// Where a receiver stands that has taken it.
    package var upto: Cursor
    package var changeSets = 0
    package var rows = 0
    /// Rows that go back because the neighbour has lost them.
    package var returned = 0
    /// Where this node stands as the neighbour's receiver, which the file says too; nil before its first change-set.
    package let acknowledged: Cursor?
    package var bytes = 0
}

extension NodeDesk {
    /// Writes a file with everything that a connection to a neighbour would carry now: what it lacks, and how far this node has come
    /// with what it sent. Nothing moves here but what is known to be on its way.
    ///
    /// - Parameter progress: gets the share of the feed that is read, 0 to 1, and the rows, now and then.
    /// - Throws: `E_NODE_UNKNOWN`, `E_NODE_AMBIGUOUS`, `E_NOT_A_NEIGHBOUR`, `E_FERRY_CERTIFICATE`, `E_CREDENTIALS`, `E_FILE_EXISTS`,
    ///   `E_FILE_WRITE`, `E_CURSOR_AHEAD`, and what the store throws.
    package func exportFerry(
        _ request: FerryExport, progress: (Double, Int) -> Void = { _, _ in }
    ) async throws -> FerryExportReport {
        try await perform(.exportFerry) { now in
            let peer = try neighbour(named: request.peer)
            guard let granted = standing.outgoing[peer.id], let expected = standing.incoming[peer.id] else {
                throw FederationError("E_NOT_A_NEIGHBOUR", "\(peer.id) is no neighbour of \(id)")
            }
            let credentials = try local.credentials()
            if let problem = credentials.problem(now: now) { throw problem }
            let certificate = try await certificate(
                of: peer.id, path: request.certificatePath, credentials: credentials, now: now)
            // What both know, as far as the neighbour's last file says; one of an earlier release refuses more, and says so in its next.
            let theirs = try await store.ferryPeers()[peer.id]?.schemaRevision
            let schema = min(store.schemaRevision, theirs ?? store.schemaRevision)
            let (outgoing, incoming) = (granted.known(at: schema), expected.known(at: schema))
            let (from, opening) = try await opening(
                for: outgoing, start: request.start, schemaRevision: schema, now: now)
            let writer = FerryWriter(
                try SealedFileWriter(
                    path: request.path, existing: request.existing, from: credentials, to: certificate, now: now))
            var report = FerryExportReport(
                peer: peer, from: from, upto: from, acknowledged: opening.reply.cursor)
            try writer.write(.opening, opening)
            try await writeSettlements(for: peer.id, writer)
            try await writeChangeSets(outgoing, head: opening.hello.head, writer, &report, now: now, progress)
            try await writeLostRows(of: incoming, writer, &report, now: now)
            let isNew = try await !store.ferryEnds(of: peer.id).contains(report.upto)
            try await store.note(ferryEnd: report.upto, of: peer.id)
            do {
                try writer.finish()
            } catch {
                if isNew { try await store.forget(ferryEnd: report.upto, of: peer.id) }
                throw error
            }
            report.bytes = writer.bytes
            try await store.changeFerry(of: peer.id) { $0.exportedAt = now }
            return report
        }
    }

    /// - Throws: `E_FERRY_CERTIFICATE`, `E_FILE_READ`.
    private func certificate(
        of peer: NodeID, path: String?, credentials: NodeCredentials, now: UnixMilliseconds
    ) async throws -> PeerCertificate {
        let pem = if let path { try PrivateFiles.read(path) } else { try await store.ferryPeers()[peer]?.certificate }
        guard let pem else {
            throw FederationError(
                "E_FERRY_CERTIFICATE", "node \(id) has no certificate of \(peer), for which a file is sealed",
                hint: "name a copy of its node.pem with --certificate, or import a file of it first")
        }
        let certificate = try PeerCertificate(
            pem: pem, of: peer, trustRootsPEM: credentials.trustRootsPEM, validAt: [now])
        try await store.show(certificate)
        return certificate
    }

    private func opening(
        for policy: LinkPolicy, start: FerryExport.Start, schemaRevision: Int, now: UnixMilliseconds
    ) async throws -> (from: Cursor, opening: FerryOpening) {
        let (epoch, head) = (store.epoch, try await store.head())
        let confirmed = try await store.confirmedCursor(of: policy.receiver)
        let ends = try await store.ferryEnds(of: policy.receiver)
        var from =
            switch start {
            case .confirmed: try policy.startingPoint(after: confirmed, epoch: epoch, head: head)
            case .last: try policy.startingPoint(after: ends.last ?? confirmed, epoch: epoch, head: head)
            case .beginning: try policy.startingPoint(after: nil, epoch: epoch, head: head)
            }
        // A statement of everything begins at the head, where every receiver can take it, whatever files are on their way. One that has
        // come there already and was cut off goes on in its middle.
        if from.sweep != .complete, from.seq < head {
            from = try policy.startingPoint(after: nil, epoch: epoch, head: head)
        }
        let places = ([confirmed].compactMap(\.self) + ends).map(\.seq)
        let known = try await store.marks(of: places).map { FerryOpening.KnownPlace(seq: $0.key, mark: $0.value) }
        let place = try await store.markedCursor(of: policy.receiver)
        let lost = try await store.lostRows()[policy.receiver] ?? 0
        let quarantined = try await store.quarantineCounts()[policy.receiver] ?? 0
        let putAside = try await store.putAside(
            of: policy.receiver, origins: store.standing.incoming[policy.receiver]?.origins ?? [])
        let opening = FerryOpening(
            hello: Hello(
                node: id, receiver: policy.receiver, capabilities: Capability.all,
                schemaRevision: schemaRevision, topology: topology.stamp, revision: policy.revision,
                epoch: epoch, head: head, clock: now),
            heartbeat: try await heartbeat(of: policy, head: head, now: now),
            reply: HelloReply(
                protocolVersion: ProtocolRange.supported.max, capabilities: Capability.all,
                schemaRevision: store.schemaRevision, topologyVersion: topology.version, clock: now,
                cursor: place?.cursor, mark: place?.mark, lost: lost > 0 ? lost : nil,
                quarantinedTotal: quarantined > 0 ? quarantined : nil, putAside: putAside.isEmpty ? nil : putAside),
            from: from, known: known.sorted { $0.seq < $1.seq }, release: try signedRelease())
        return (from, opening)
    }

    private func signedRelease() throws -> TopologyRelease? {
        try store.currentRelease().flatMap { $0.signature == nil ? nil : $0 }
    }

    private func heartbeat(of policy: LinkPolicy, head: Seq, now: UnixMilliseconds) async throws -> Heartbeat {
        var origins = try await store.freshness().filter { policy.origins.contains($0.key) }
        origins[id] = OriginFreshness(asOf: now, complete: true, topology: topology.version, level: topology.version)
        return Heartbeat(head: head, clock: now, isLevel: true, origins: origins, topology: topology.version)
    }

    private func writeSettlements(for peer: NodeID, _ writer: FerryWriter) async throws {
        let rows = try await store.settlements(for: peer).map {
            Settlement.Row(resource: $0.resource, origin: $0.key.origin, key: $0.key.key)
        }
        for start in stride(from: 0, to: rows.count, by: SyncLimits.returnedRowsMax) {
            let part = rows[start..<min(start + SyncLimits.returnedRowsMax, rows.count)]
            try writer.write(.settlement, Settlement(rows: Array(part)))
        }
    }

    /// Everything behind `report.from` up to `head` at least, cut wherever a file has ended that the receiver may have taken: it goes
    /// on exactly there.
    private func writeChangeSets(
        _ policy: LinkPolicy, head: Seq, _ writer: FerryWriter, _ report: inout FerryExportReport,
        now: UnixMilliseconds, _ progress: (Double, Int) -> Void
    ) async throws {
        let compressor = ZstandardCompressor()
        let ends = try await store.ferryEnds(of: policy.receiver).filter { $0.revision == policy.revision }.map(\.seq)
        let isWhole = report.from.sweep != .complete
        var isFirst = isWhole
        while isFirst || report.upto.sweep != .complete || report.upto.seq < head {
            let next = report.upto
            let limit = next.sweep == .complete ? ends.first { $0 > next.seq } : nil
            let prepared = try await store.prepareChangeSet(
                from: next, policy: policy, rowsMax: SyncLimits.rowsMax, evenIfEmpty: isFirst, hasMark: true,
                upto: limit, now: clock(), compressor: compressor)
            switch prepared {
            case .nothing: return
            case .pruned(let head):
                // The tail no longer tells what is gone.
                report.upto = try policy.startingPoint(after: nil, epoch: next.epoch, head: head)
                isFirst = true
            case .changeSet(let changeSet):
                isFirst = false
                try writer.write(Frame(.changeSet, changeSet.bytes))
                report.upto = changeSet.header.end
                report.changeSets += 1
                report.rows += changeSet.header.rowCount
                let done =
                    isWhole ? policy.share(of: report.upto.sweep) : Double(report.upto.seq) / Double(max(1, head))
                progress(min(1, done), report.rows)
            }
        }
    }

    /// What this node holds of the neighbour's rows and the neighbour has lost, once its sweep has shown which.
    private func writeLostRows(
        of policy: LinkPolicy, _ writer: FerryWriter, _ report: inout FerryExportReport, now: UnixMilliseconds
    ) async throws {
        guard report.acknowledged?.sweep == .complete else { return }
        let compressor = ZstandardCompressor()
        var position: LostPosition?
        while let next = try await store.lostChangeSet(
            of: policy.sender, policy: policy, after: position, now: now, compressor: compressor)
        {
            try writer.write(Frame(.returned, next.changeSet.bytes))
            report.returned += next.changeSet.header.rowCount
            position = next.end
        }
    }
}

/// Frames into a sealed file.
private final class FerryWriter {
    private let file: SealedFileWriter

    init(_ file: SealedFileWriter) { self.file = file }

    var bytes: Int { file.bytes }

    func write(_ frame: Frame) throws { try file.write(frame.encoded) }

    func write(_ kind: FrameKind, _ message: some Encodable) throws {
        let body = try WireJSON.encode(message)
        guard body.count <= kind.bodyBytesMax else {
            throw FederationError("E_FRAME_TOO_LARGE", "a frame of kind \(kind) would have \(body.count) bytes")
        }
        try write(Frame(kind, body))
    }

    func finish() throws {
        try write(Frame(.goodbye))
        try file.finish()
    }
}

extension LinkPolicy {
    /// How far a sweep has come, 0 to 1, by its resources.
    fileprivate func share(of position: SweepPosition) -> Double {
        guard case .at(let resource, _) = position, let index = resources.firstIndex(of: resource) else { return 1 }
        return Double(index) / Double(resources.count)
    }
}

extension NodeStore {
    /// Keeps the certificate that a neighbour has shown, unless it has shown a later one.
    func show(_ certificate: PeerCertificate) async throws {
        let known = try await ferryPeers()[certificate.node]?.certificate
        let knownEnd = known.flatMap { CertificateValidity(ofFirstInPEM: $0)?.notAfter }
        guard known != certificate.pem, knownEnd.map({ $0 <= certificate.notAfter }) ?? true else { return }
        try await changeFerry(of: certificate.node) { $0.certificate = certificate.pem }
    }
}
