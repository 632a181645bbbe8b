import ChangeSetFormat
import FederationModel
import Foundation
import SyncProtocol
import TestSupport
import Testing

/// Every kind of message as this release writes it, kept as bytes.
@Suite struct `A message as it is written` {
    private static let cursor = Cursor(
        epoch: Epoch(counter: 3, nonce: 0xfedc_ba98_7654_3210), seq: 9_007_199_254_740_993,
        revision: LinkRevision(topology: 12, policy: 4),
        sweep: .at(resource: "reply", after: RowKey(origin: "370102", key: "370102-工单-\"1\"/7")))
    private static let mark = HistoryMark(0x0123_4567_89ab_cdef)
    private static let clock: UnixMilliseconds = 1_790_000_000_123

    private static let hello = Hello(
        node: Link.city, receiver: Link.province, protocolRange: ProtocolRange(min: 1, max: 1),
        capabilities: ["history-marks", "give-back", "progress"], schemaRevision: 6,
        topology: TopologyStamp(version: 12, digest: "0123456789abcdef"), revision: cursor.revision,
        epoch: cursor.epoch,
        head: 9_007_199_254_740_995, clock: clock)
    private static let heartbeat = Heartbeat(
        head: 77, clock: clock, isLevel: false,
        origins: [
            Link.city: OriginFreshness(asOf: clock, complete: true, topology: 12, level: 11),
            Link.county: OriginFreshness(asOf: 5, complete: false),
        ], topology: 12)
    private static let settlement = Settlement(rows: [
        .init(resource: "service_request", origin: "370102", key: "370102-1"),
        .init(resource: "call_record", origin: "370100", key: "录音/1"),
    ])
    private static let reply = HelloReply(
        protocolVersion: 1, capabilities: ["history-marks", "give-back", "progress"], schemaRevision: 6,
        topologyVersion: 12, clock: clock, cursor: cursor, mark: mark, lost: 3, quarantinedTotal: 2)
    private static let acknowledgement = Acknowledgement(
        cursor: Link.cursor(5), applied: 3, skipped: 2, quarantined: 1, refused: ["recording": "E_NOT_CATALOGUED"],
        lost: 40,
        quarantinedTotal: 9)
    private static let refusal = Refusal(
        FederationError("E_QUEUE_FULL", "370000 holds as many bytes of 370100 as it may", hint: "it is tried again"),
        retryAfterMS: 1_000, cursor: cursor)
    private static let header = ChangeSetHeader(
        sender: Link.city, receiver: Link.province, start: cursor,
        end: Cursor(epoch: cursor.epoch, seq: cursor.seq + 2, revision: cursor.revision, sweep: .complete),
        head: cursor.seq + 9, schemaRevision: 6, rowCount: 2, payloadBytes: 345, createdAt: clock, mark: mark)

    private static func frame(_ kind: FrameKind, _ message: some Encodable) throws -> Frame {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return Frame(kind, Array(try encoder.encode(message)))
    }

    private static func sender() throws -> [Frame] {
        [
            Frame(.probe), try frame(.hello, hello), Frame(.changeSet, header.encoded()),
            try frame(.heartbeat, heartbeat), try frame(.settlement, settlement), Frame(.goodbye),
        ]
    }

    private static func receiver() throws -> [Frame] {
        [
            Frame(.echo), try frame(.helloReply, reply), try frame(.acknowledgement, acknowledgement),
            try frame(.refusal, refusal), Frame(.returned, header.encoded()), Frame(.progress), Frame(.goodbye),
        ]
    }

    private static let opening = FerryOpening(
        hello: hello, heartbeat: heartbeat, reply: reply, from: cursor,
        known: [.init(seq: 7, mark: mark), .init(seq: 9, mark: nil)],
        release: TopologyRelease(
            version: 12, text: "version: 12\nname: 示例\n", publishedAt: clock,
            signature: .init(certificate: "-----BEGIN CERTIFICATE-----\n", value: "MEUCIQ==")))

    private static func ferry() throws -> [Frame] {
        [
            try frame(.opening, opening), try frame(.settlement, settlement), Frame(.changeSet, header.encoded()),
            Frame(.returned, header.encoded()), Frame(.goodbye),
        ]
    }

    private func read(_ name: String, _ writer: FrameReader.Writer, made: [Frame]) throws -> [Frame] {
        let stored = try GoldenFile(name).bytes(or: made.flatMap(\.encoded))
        #expect(stored == made.flatMap(\.encoded), "today's release writes other bytes")
        var reader = FrameReader(writtenBy: writer)
        reader.append(stored)
        var frames: [Frame] = []
        while let frame = try reader.next() { frames.append(frame) }
        return frames
    }

    private func decode<Message: Decodable>(_ frame: Frame, as type: Message.Type) throws -> Message {
        try JSONDecoder().decode(type, from: Data(frame.body))
    }

    @Test func `by a sender is read again, each with all that it says`() throws {
        let frames = try read("protocol-1-release-0.1-sender.frames", .sender, made: Self.sender())
        try #require(frames.map(\.kind) == [.probe, .hello, .changeSet, .heartbeat, .settlement, .goodbye])
        #expect(try decode(frames[1], as: Hello.self) == Self.hello)
        let (header, length) = try frames[2].body.withUnsafeBytes { try ChangeSetHeader.decode($0) }
        #expect(header == Self.header && length == frames[2].body.count)
        #expect(try decode(frames[3], as: Heartbeat.self) == Self.heartbeat)
        #expect(try decode(frames[4], as: Settlement.self) == Self.settlement)
    }

    @Test func `by a receiver is read again, each with all that it says`() throws {
        let frames = try read("protocol-1-release-0.1-receiver.frames", .receiver, made: Self.receiver())
        try #require(
            frames.map(\.kind) == [.echo, .helloReply, .acknowledgement, .refusal, .returned, .progress, .goodbye])
        #expect(try decode(frames[1], as: HelloReply.self) == Self.reply)
        #expect(try decode(frames[2], as: Acknowledgement.self) == Self.acknowledgement)
        #expect(try decode(frames[3], as: Refusal.self) == Self.refusal)
        #expect(try frames[4].body.withUnsafeBytes { try ChangeSetHeader.decode($0).0 } == Self.header)
    }

    @Test func `in a file is read again, each with all that it says`() throws {
        let frames = try read("protocol-1-release-0.1-ferry.frames", .ferry, made: Self.ferry())
        try #require(frames.map(\.kind) == [.opening, .settlement, .changeSet, .returned, .goodbye])
        #expect(try decode(frames[0], as: FerryOpening.self) == Self.opening)
    }

    /// Whoever adds a kind adds it to these files, under the name of his release.
    @Test func `is kept for every kind there is`() throws {
        let kinds = Set(try (Self.sender() + Self.receiver() + Self.ferry()).map(\.kind))
        #expect(kinds == Set(FrameKind.allCases))
    }

    /// A later release may say more: what is not known is passed over, in every message.
    @Test func `with keys of a later release is read as without them`() throws {
        func later(_ frame: Frame) throws -> Frame {
            var object = try #require(try JSONSerialization.jsonObject(with: Data(frame.body)) as? [String: Any])
            object["later"] = ["a": [1, NSNull(), "x"]]
            return Frame(frame.kind, Array(try JSONSerialization.data(withJSONObject: object)))
        }
        let (sent, received) = (try Self.sender(), try Self.receiver())
        #expect(try decode(later(sent[1]), as: Hello.self) == Self.hello)
        #expect(try decode(later(sent[3]), as: Heartbeat.self) == Self.heartbeat)
        #expect(try decode(later(sent[4]), as: Settlement.self) == Self.settlement)
        #expect(try decode(later(received[1]), as: HelloReply.self) == Self.reply)
        #expect(try decode(later(received[2]), as: Acknowledgement.self) == Self.acknowledgement)
        #expect(try decode(later(received[3]), as: Refusal.self) == Self.refusal)
    }
}
