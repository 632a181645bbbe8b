import ChangeSetFormat
import FederationModel
import Foundation
import NodeIdentity
import PeerTransport
import SyncProtocol
import Zstandard

/// A city that speaks the link's protocol by hand, and so can also speak it wrongly.
struct City {
    let node: NodeID
    let province: Province
    let client: PeerClient
    private let epoch = Epoch(counter: 1, nonce: 42)
    /// When its tickets were written: two change-sets of it hold the same rows.
    private let writtenAt = now()
    static let compressor = ZstandardCompressor()

    init(_ node: NodeID, of province: Province, credentials: PeerCredentials) throws {
        self.node = node
        self.province = province
        guard let receiver = NodeID(Province.node) else { throw FederationError("E_TEST", "no province") }
        client = PeerClient(
            endpoint: PeerEndpoint(
                node: receiver, tlsName: CertificateNames.dnsName(of: receiver), host: "127.0.0.1",
                port: province.port),
            credentials: credentials)
    }

    // MARK: - Protocol

    var hello: Hello {
        Hello(
            node: node, receiver: client.endpoint.node, capabilities: [],
            schemaRevision: BuiltInResources.schemaRevision, topology: TopologyStamp(version: 1, digest: nil),
            revision: LinkRevision(topology: 1, policy: 0),
            epoch: epoch, head: 3, clock: now())
    }

    func post(_ path: String, _ body: [UInt8], connection: String? = nil) async throws -> Reply {
        var headers = ["Content-Type": "application/json"]
        headers["Link-Connection"] = connection
        let response = try await client.request("POST", path, headers: headers, body: body, deadlineMS: 20_000)
        return Reply(response: response)
    }

    func say(_ hello: Hello) async throws -> Reply {
        try await post("/v1/link/hello", Array(JSONEncoder().encode(hello)))
    }

    /// Opens the connection on which rows come down, and waits for the province's hello.
    func call() async throws -> Conversation {
        let conversation = Conversation(try await client.openStream("/v1/link/down", deadlineMS: 20_000), with: .sender)
        guard try await conversation.next()?.kind == .hello else { throw FederationError("E_TEST", "no hello") }
        return conversation
    }

    /// Hello, stream, probe and echo.
    func connect() async throws -> Conversation {
        let reply = try await say(hello)
        guard reply.status == 200, let connection = reply.response.head.headers["link-connection"] else {
            throw FederationError("E_TEST", "the hello is refused: \(reply.code ?? "") \(reply.status)")
        }
        let stream = try await client.openStream(
            "/v1/link/stream", headers: ["Link-Connection": connection], deadlineMS: 20_000)
        let conversation = Conversation(stream)
        try await stream.write(Frame(.probe).encoded)
        guard try await conversation.next()?.kind == .echo else { throw FederationError("E_TEST", "no echo") }
        return conversation
    }

    /// What the province answers to these bytes of a new stream.
    func answer(toBytes bytes: [UInt8]) async throws -> Answer {
        let conversation = try await connect()
        try await conversation.stream.write(bytes)
        let answer = try await conversation.answer()
        conversation.stream.cancel()
        return answer
    }

    func answer(to changeSet: [UInt8]) async throws -> Answer {
        try await answer(toBytes: frameBytes(.changeSet, length: changeSet.count, changeSet))
    }

    // MARK: - Change-sets

    static let rowsOfDraft = 3

    /// A change-set of the first contact: three tickets as the listing of a sweep.
    ///
    /// - Parameters:
    ///   - resource: how the block is written; its name and columns need not be those of the catalog.
    ///   - edit: changes a row before it is written.
    ///   - editHeader: changes the header before it is tied to the payload.
    func changeSet(
        resource: ResourceDefinition = BuiltInResources.serviceRequest,
        edit: (inout [String: Cell]) -> Void = { _ in }, editHeader: (inout ChangeSetHeader) -> Void = { _ in }
    ) throws -> [UInt8] {
        let (header, payload) = plain(resource: resource, edit: edit, editHeader: editHeader)
        return header.encoded() + (try Self.compressor.compress(payload))
    }

    /// Header and payload before compression.
    func plain(
        resource: ResourceDefinition = BuiltInResources.serviceRequest, edit: (inout [String: Cell]) -> Void = { _ in },
        editHeader: (inout ChangeSetHeader) -> Void = { _ in }
    ) -> (header: ChangeSetHeader, payload: [UInt8]) {
        var block = BlockWriter(resource: resource, kind: .sweep)
        for number in 1...Self.rowsOfDraft {
            var row = ticket(number)
            edit(&row)
            for index in block.columns.indices {
                row[block.columns[index].name, default: .null].append(to: &block.columns[index])
            }
            block.finishRow()
        }
        var start = Cursor(
            epoch: epoch, seq: 0, revision: LinkRevision(topology: 1, policy: 0),
            sweep: .at(resource: "service_request", after: nil))
        var header = ChangeSetHeader(
            sender: node, receiver: client.endpoint.node, start: start, end: start, head: 3,
            schemaRevision: BuiltInResources.schemaRevision, rowCount: Self.rowsOfDraft, payloadBytes: 0,
            createdAt: now())
        start.seq = 3
        start.sweep = .complete
        header.end = start
        var payload = changeSetPayload(digest: 0, blocks: [block])
        header.payloadBytes = payload.count
        editHeader(&header)
        withUnsafeBytes(of: header.digest.littleEndian) { payload.replaceSubrange(0..<8, with: $0) }
        return (header, payload)
    }

    private func ticket(_ number: Int) -> [String: Cell] {
        let id = "\(node)-\(number)"
        return [
            "origin": .text(node.code), "key": .text(id), "version": .integer(writtenAt << 16), "deleted": .integer(0),
            "global_id": .text(id), "service_request_id": .text("\(number)"), "requested_datetime": .integer(writtenAt),
            "channel": .text("01"), "request_type": .text("2"), "urgency": .text("normal"), "title": .text("路灯不亮"),
            "acceptance": .text("accepted"), "lat": .real(36.65),
        ]
    }
}

/// A value of a row, which need not be one that the catalog allows.
enum Cell: Equatable, Sendable {
    case null
    case text(String)
    case bytes([UInt8])
    case integer(Int64)
    case real(Double)

    func append(to column: inout ColumnWriter) {
        switch self {
        case .null: column.appendNull()
        case .text(let text): Array(text.utf8).withUnsafeBytes { column.append(text: $0) }
        case .bytes(let bytes): bytes.withUnsafeBytes { column.append(text: $0) }
        case .integer(let integer): column.append(integer: integer)
        case .real(let real): column.append(real: real)
        }
    }
}

/// Bytes of a frame whose length need not be true.
func frameBytes(_ kind: FrameKind, length: Int, _ body: [UInt8]) -> [UInt8] {
    frameBytes(kind.rawValue, length: length, body)
}

func frameBytes(_ kind: UInt8, length: Int, _ body: [UInt8]) -> [UInt8] {
    [kind] + withUnsafeBytes(of: UInt32(length).bigEndian) { Array($0) } + body
}

enum Answer: Equatable {
    case acknowledged(rows: Int)
    case refused(String)
    case ended
}

/// The answer to a request that is not a stream.
struct Reply {
    let response: PeerResponse

    var status: Int { response.status }
    /// Of a problem (RFC 9457) or of a `Refusal`.
    var code: String? { object?["code"] as? String }
    var retryAfterMS: Int? { object?["retryAfterMS"] as? Int }

    private var object: [String: Any]? {
        try? JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any]
    }
}

/// An open stream, read frame by frame by one task.
final class Conversation {
    let stream: PeerStream
    private var reader: FrameReader

    init(_ stream: PeerStream, with writer: FrameReader.Writer = .receiver) {
        self.stream = stream
        reader = FrameReader(writtenBy: writer)
    }

    /// nil at the end of the stream.
    func next() async throws -> Frame? {
        while true {
            if let frame = try reader.next() { return frame }
            guard let chunk = try await stream.next() else { return nil }
            reader.append(chunk)
        }
    }

    /// The first frame that says what became of a change-set.
    func answer() async throws -> Answer {
        while let frame = try await next() {
            switch frame.kind {
            case .acknowledgement:
                let message = try JSONDecoder().decode(Acknowledgement.self, from: Data(frame.body))
                return .acknowledged(rows: message.applied)
            case .refusal:
                return .refused(try JSONDecoder().decode(Refusal.self, from: Data(frame.body)).code)
            default: continue
            }
        }
        return .ended
    }
}
