import ChangeSetFormat
import FederationModel
import NodeDesk
import PeerTransport
import SyncProtocol
import Synchronization

/// The child's side of one connection on which its parent sends.
protocol DownWire: Sendable {
    /// Hands on each frame of the parent, in order, until the connection ends.
    ///
    /// - Parameter progress: is called when a part of a frame has arrived.
    /// - Throws: `StreamIsBuffered`, and why the connection broke.
    func read(progress: () async -> Void, take: (Frame) async throws -> Void) async throws
    func write(_ frame: Frame) async throws
    /// Nothing more is written.
    func finish()
}

/// Something between the nodes holds back what belongs to a stream.
struct StreamIsBuffered: Error {}

/// One long request: frames of the parent in its response, frames of the child in its body.
struct DownStream: DownWire {
    private let stream: PeerStream

    /// A parent that says nothing for so long has gone: six heartbeats. It also bounds the wait for a hello, which a parent
    /// that pauses the link puts off.
    private static let silenceMax: Int64 = 6 * SyncLimits.heartbeatInterval

    /// Opens the request and writes the probe first.
    static func open(_ client: PeerClient) async throws -> DownStream {
        do {
            let stream = try await client.openStream(
                "/v1/link/down", headers: ["Content-Type": "application/octet-stream"], deadlineMS: 10_000)
            guard stream.status == 200 else {
                var body: [UInt8] = []
                while let chunk = try await stream.next(), body.count < 65_536 { body += chunk }
                throw PeerProblem.error(in: body, status: stream.status)
            }
            try await stream.write(Frame(.probe).encoded)
            return DownStream(stream: stream)
        } catch let error as FederationError where error.code == "E_PEER_TIMEOUT" {
            // What buffers our body holds the response's head back too.
            throw StreamIsBuffered()
        }
    }

    func read(progress: () async -> Void, take: (Frame) async throws -> Void) async throws {
        let heard = LastHeard()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await Task.sleep(for: .milliseconds(SyncLimits.probeTimeout))
                if heard.time == nil {
                    stream.cancel()
                    throw StreamIsBuffered()
                }
                while wallClock() - (heard.time ?? 0) < Self.silenceMax {
                    try await Task.sleep(for: .milliseconds(SyncLimits.heartbeatInterval))
                }
                stream.cancel()
            }
            defer { group.cancelAll() }
            var reader = FrameReader(writtenBy: .sender)
            do {
                while let chunk = try await stream.next() {
                    heard.note()
                    reader.append(chunk)
                    while let frame = try reader.next() { try await take(frame) }
                    if reader.isInFrame { await progress() }
                }
            } catch is CancellationError where heard.time == nil && !Task.isCancelled {
                throw StreamIsBuffered()
            }
        }
    }

    func write(_ frame: Frame) async throws { try await stream.write(frame.encoded) }

    func finish() { stream.finish() }
}

/// The fallback: the child asks for each frame of the parent, which answers when it has one, and brings each of its own.
struct DownRequests: DownWire {
    private let client: PeerClient
    /// The parent's name for the connection.
    private let number: String
    private let first: [UInt8]

    static func open(_ client: PeerClient) async throws -> DownRequests {
        let response = try await post("/v1/link/down/next", to: client, number: nil)
        return DownRequests(
            client: client, number: response.head.headers["link-connection"] ?? "", first: response.body)
    }

    // A request is answered by one whole frame, so there is nobody to tell.
    func read(progress: () async -> Void, take: (Frame) async throws -> Void) async throws {
        var reader = FrameReader(writtenBy: .sender)
        reader.append(first)
        while true {
            while let frame = try reader.next() { try await take(frame) }
            reader.append(try await Self.post("/v1/link/down/next", to: client, number: number).body)
        }
    }

    func write(_ frame: Frame) async throws {
        _ = try await Self.post("/v1/link/down/frame", to: client, number: number, body: frame.encoded)
    }

    func finish() {}

    private static func post(
        _ path: String, to client: PeerClient, number: String?, body: [UInt8] = []
    ) async throws -> PeerResponse {
        var headers = ["Content-Type": "application/octet-stream"]
        headers["Link-Connection"] = number
        let response = try await client.request("POST", path, headers: headers, body: body, deadlineMS: 60_000)
        guard response.status == 200 else { throw PeerProblem.error(in: response.body, status: response.status) }
        return response
    }
}

/// When the parent was heard last; nil before that.
private final class LastHeard: Sendable {
    private let mutex = Mutex<UnixMilliseconds?>(nil)

    var time: UnixMilliseconds? { mutex.withLock { $0 } }

    func note() { mutex.withLock { $0 = wallClock() } }
}
