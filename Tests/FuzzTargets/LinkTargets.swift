import ChangeSetFormat
import FederationModel
import Foundation
import LocalStore
import SyncProtocol
import TestSupport
import Zstandard

import struct FederationModel.Cursor

/// What neighbours send over a link.
let linkTargets = [
    FuzzTarget("frames", read: readFrames),
    FuzzTarget("messages", read: readMessages),
    FuzzTarget("change-set-header") { bytes in
        let header = try readHeader(of: bytes)
        let again = try readHeader(of: header.encoded())
        try promise(again == header, "a header that is written again is another one")
    },
    FuzzTarget("change-set") { bytes in
        let changeSet = try IncomingChangeSet(
            bytes: bytes, policy: Federation.policy, resources: BuiltInResources.all, now: Federation.now)
        try promise(changeSet.header == readHeader(of: bytes), "a change-set has two headers")
        _ = try InspectedChangeSet(bytes: bytes, resources: BuiltInResources.all).rows()
    },
    FuzzTarget("change-set-payload", read: readPayload),
]

/// A city that sends to its province.
enum Federation {
    static let province = node("370000")
    static let city = node("370100")
    static let county = node("370102")
    static let now: UnixMilliseconds = 1_790_000_000_000
    static let epoch = Epoch(counter: 1, nonce: 0xabc)
    static let topology = Topology(
        name: "shandong", version: 1,
        nodes: [(province, nil), (city, province), (county, city)].map { id, parent in
            TopologyNode(id: id, name: id.code, parent: parent, region: id.code, endpoint: nil)
        })
    static let policy = {
        guard
            let policy = LinkPolicy(from: city, to: province, topology: topology, resources: BuiltInResources.all)
        else { preconditionFailure("no edge") }
        return policy
    }()
    static let stamp = TopologyStamp(version: topology.version, digest: nil)
}

/// JSON as the routes read it; nil when it is not what is asked for.
func readJSON<Message: Codable & Hashable>(_ type: Message.Type, _ bytes: [UInt8]) throws -> Message? {
    let message: Message
    do {
        message = try JSONDecoder().decode(type, from: Data(bytes))
    } catch is DecodingError {
        return nil
    } catch {
        try checkRefusal(error)
        return nil
    }
    let again = try JSONDecoder().decode(type, from: JSONEncoder().encode(message))
    try promise(again == message, "a \(type) that is written again is another one")
    return message
}

// MARK: - Frames

/// The first byte says into how large pieces the stream is cut.
private func readFrames(_ bytes: [UInt8]) throws {
    guard let size = bytes.first else { return }
    let stream = Array(bytes.dropFirst())
    for writer in [FrameReader.Writer.sender, .receiver, .ferry] {
        let whole = frames(of: stream, writtenBy: writer, piece: max(1, stream.count))
        let cut = frames(of: stream, writtenBy: writer, piece: Int(size) + 1)
        try promise(whole.frames == cut.frames && whole.error == cut.error, "a stream depends on how it is cut")
        try promise(stream.starts(with: whole.frames.flatMap(\.encoded)), "frames are not the bytes of their stream")
        if let error = whole.error { try checkRefusal(error) }
    }
}

private func frames(
    of stream: [UInt8], writtenBy writer: FrameReader.Writer, piece: Int
) -> (frames: [Frame], error: FederationError?) {
    var reader = FrameReader(writtenBy: writer)
    var frames: [Frame] = []
    do throws(FederationError) {
        for start in stride(from: 0, to: stream.count, by: piece) {
            reader.append(stream[start..<min(stream.count, start + piece)])
            while let frame = try reader.next() { frames.append(frame) }
        }
        return (frames, nil)
    } catch {
        return (frames, error)
    }
}

// MARK: - Messages

/// A message a line, each of whatever kind it can be, as both ends of a link take them.
private func readMessages(_ bytes: [UInt8]) throws {
    var receiver = LinkReceiver(
        node: Federation.province, sender: Federation.city, topology: Federation.stamp, policy: Federation.policy,
        schemaRevision: 1, cursor: nil, now: Federation.now)
    var sender = LinkSender(
        policy: Federation.policy, topology: Federation.stamp, epoch: Federation.epoch, head: 100, schemaRevision: 1,
        seed: 1)
    _ = sender.onStart(now: Federation.now)
    var now = Federation.now
    for (number, line) in bytes.split(separator: UInt8(ascii: "\n")).prefix(20).enumerated() {
        let line = Array(line)
        now += 10_000
        if let hello = try readJSON(Hello.self, line) {
            _ = receiver.onHello(hello, connection: number, cursor: nil, now: now)
        }
        if let heartbeat = try readJSON(Heartbeat.self, line) {
            for connection in 0...number { _ = receiver.onHeartbeat(heartbeat, connection: connection, now: now) }
        }
        if let reply = try readJSON(HelloReply.self, line) {
            _ = sender.onHelloReply(reply, now: now)
            _ = sender.onStreamOpened(now: now)
            _ = sender.onEcho(now: now)
        }
        if let acknowledgement = try readJSON(Acknowledgement.self, line) {
            _ = sender.onAcknowledged(acknowledgement, now: now)
        }
        if let refusal = try readJSON(Refusal.self, line) {
            _ = sender.onHelloRefused(refusal, now: now)
            _ = sender.onRefused(refusal, now: now)
        }
        _ = try readJSON(Settlement.self, line)
        if let opening = try readJSON(FerryOpening.self, line) { try open(opening, now: now) }
        _ = sender.onWake(now: now)
        let lags = [sender.summary.lag(now: now), receiver.summary(now: now).lag(now: now)]
        try promise(lags.allSatisfy { $0 >= 0 } && sender.summary.lagRows >= 0, "a link is ahead of itself")
    }
}

/// The first frame of a ferry file, held against where a receiver stands.
private func open(_ opening: FerryOpening, now: UnixMilliseconds) throws {
    do throws(FederationError) {
        var receiver = try FerryReceiver(
            opening, node: Federation.province, sender: Federation.city, topology: Federation.stamp,
            policy: Federation.policy, schemaRevision: 1, now: now)
        for place in [nil, opening.from] {
            try receiver.stand(at: place.map { ReceiverPlace(cursor: $0, mark: nil, madeAt: now) })
            _ = receiver.isLevel(behind: place)
        }
    } catch {
        try checkRefusal(error)
    }
}

// MARK: - Change-sets

private func readHeader(of bytes: [UInt8]) throws -> ChangeSetHeader {
    try bytes.withUnsafeBytes { try ChangeSetHeader.decode($0).0 }
}

/// Two bytes with the number of rows, and the blocks: what a change-set holds when its outside is right.
private func readPayload(_ bytes: [UInt8]) throws {
    guard bytes.count >= 2 else { return }
    let blocks = Array(bytes.dropFirst(2))
    let rows = Int(bytes[0]) << 8 | Int(bytes[1])
    let changeSet = PlainChangeSet(rows: rows, blocks: blocks)
    let decoded = try changeSet.blocks()
    try promise(decoded.reduce(0) { $0 + $1.rowCount } == rows, "a change-set has another number of rows than it says")
    for block in decoded {
        let faults = changeSet.payload.withUnsafeBytes { block.faults(payload: $0) }
        for fault in faults { try checkRefusal(fault.violation) }
        try promise(faults.allSatisfy { (0..<block.rowCount).contains($0.row) }, "a fault of a row that is not there")
        let values = changeSet.rows(of: block)
        guard faults.isEmpty else { continue }
        let again = PlainChangeSet(block, rows: values)
        try promise(try again.blocks().map(again.rows) == [values], "a block that is written again is another one")
    }
    _ = try IncomingChangeSet(
        bytes: changeSet.packed(), policy: Federation.policy, resources: BuiltInResources.all, now: Federation.now)
}

/// A change-set before compression, whose header fits its blocks.
private struct PlainChangeSet {
    let header: ChangeSetHeader
    let payload: [UInt8]

    init(rows: Int, blocks: [UInt8]) {
        func cursor(_ seq: Seq) -> Cursor {
            Cursor(
                epoch: Federation.epoch, seq: seq, revision: LinkRevision(topology: 1, policy: 0), sweep: .complete)
        }
        header = ChangeSetHeader(
            sender: Federation.city, receiver: Federation.province, start: cursor(1), end: cursor(2), head: 2,
            schemaRevision: 1, rowCount: rows, payloadBytes: 8 + blocks.count, createdAt: Federation.now)
        var writer = ByteWriter()
        writer.append(fixed: header.digest)
        payload = writer.bytes + blocks
    }

    /// One block, written from its values.
    init(_ block: DecodedBlock, rows: [[FieldValue]]) {
        var writer = BlockWriter(resource: block.resource, kind: block.kind)
        for row in rows {
            for (index, value) in row.enumerated() { writer.columns[index].append(value) }
            writer.finishRow()
        }
        self.init(rows: rows.count, blocks: Array(changeSetPayload(digest: 0, blocks: [writer]).dropFirst(8)))
    }

    func blocks() throws -> [DecodedBlock] {
        try payload.withUnsafeBytes { payload in
            try PayloadReader { name in BuiltInResources.all.first { $0.name == name } }
                .blocks(of: payload, header: header)
        }
    }

    /// The values of each row: the envelope, then the columns of the resource.
    func rows(of block: DecodedBlock) -> [[FieldValue]] {
        let names = EnvelopeColumn.all.map(\.name) + block.resource.columns.map(\.name)
        let columns = names.map { block.column($0) }
        return payload.withUnsafeBytes { payload in
            (0..<block.rowCount).map { row in columns.map { $0?.value(row, payload: payload) ?? .null } }
        }
    }

    func packed() throws -> [UInt8] { header.encoded() + (try compressor.compress(payload)) }
}

private let compressor = ZstandardCompressor()
