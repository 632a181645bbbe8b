import ChangeSetFormat
import FederationModel
import Foundation
import SyncProtocol
import Testing

/// What nodes of the first release wrote to each other, kept as bytes. These files are never made anew: a node of today must
/// go on understanding them as long as `ProtocolRange.supported` begins with 1.
@Suite struct `Streams of protocol version 1` {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    private func frames(_ name: String, _ writer: FrameReader.Writer) throws -> [Frame] {
        var reader = FrameReader(writtenBy: writer)
        let bytes = try Data(contentsOf: Self.folder.appending(path: name))
        reader.append(bytes)
        var frames: [Frame] = []
        while let frame = try reader.next() { frames.append(frame) }
        #expect(frames.flatMap(\.encoded) == Array(bytes))
        return frames
    }

    private func decode<Message: Decodable>(_ frame: Frame, as type: Message.Type) throws -> Message {
        try JSONDecoder().decode(type, from: Data(frame.body))
    }

    @Test func `of a sender are read`() throws {
        let frames = try frames("protocol-1-sender.frames", .sender)
        try #require(frames.map(\.kind) == [.probe, .hello, .changeSet, .heartbeat, .goodbye])
        let hello = try decode(frames[1], as: Hello.self)
        #expect(hello.node.code == "370200" && hello.receiver.code == "370000")
        #expect(hello.protocolRange == ProtocolRange(min: 1, max: 1) && hello.schemaRevision == 6)
        #expect(hello.revision == LinkRevision(topology: 1, policy: 0) && hello.head == 1_244)
        let (header, _) = try frames[2].body.withUnsafeBytes { try ChangeSetHeader.decode($0) }
        #expect(header.sender.code == "370200" && header.rowCount == 293 && header.payloadBytes == 21_870)
        #expect(header.start.sweep == .at(resource: "service_request", after: nil) && header.end.sweep == .complete)
        #expect(header.end.epoch == hello.epoch && header.end.seq == 1_244)
        let heartbeat = try decode(frames[3], as: Heartbeat.self)
        #expect(heartbeat.isLevel && heartbeat.origins.values.map(\.complete) == [true])
    }

    @Test func `of a receiver are read`() throws {
        let frames = try frames("protocol-1-receiver.frames", .receiver)
        try #require(frames.map(\.kind) == [.echo, .helloReply, .acknowledgement, .refusal, .goodbye])
        let reply = try decode(frames[1], as: HelloReply.self)
        #expect(reply.protocolVersion == 1)
        #expect(
            reply.cursor?.sweep == .at(resource: "reply", after: RowKey(origin: "370200", key: "370200-工单-1")))
        let acknowledgement = try decode(frames[2], as: Acknowledgement.self)
        #expect(acknowledgement.cursor.seq == 1_244 && acknowledgement.cursor.sweep == .complete)
        #expect(acknowledgement.applied == 293 && acknowledgement.refused == ["recording": "E_NOT_CATALOGUED"])
        let refusal = try decode(frames[3], as: Refusal.self)
        #expect(refusal.error.code == LinkCode.outOfStep && refusal.error.isRetryable)
        #expect(refusal.cursor == acknowledgement.cursor)
    }
}
