import ChangeSetFormat
import FederationModel
import PeerTransport
import ServiceLifecycle
import SyncProtocol
import Synchronization

/// Opens the connection on which rows come down from the parent, keeps it open, and opens it anew when it has ended: this
/// node may be behind a firewall, so nobody else can.
struct DownLink: Service {
    let link: IncomingLink
    let client: PeerClient

    /// A parent that says nothing for so long has gone: six heartbeats. It also bounds the wait for a hello, which a parent
    /// that pauses the link puts off.
    private static let silenceMax: Int64 = 6 * SyncLimits.heartbeatInterval

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var backOff = BackOff(seed: UInt64.random(in: 0...UInt64.max))
            while !Task.isCancelled {
                do {
                    let stream = try await open()
                    backOff.reset()
                    try await converse(over: stream)
                } catch {
                    if !Task.isCancelled { await link.unreached(.transport(error, client.endpoint.node)) }
                }
                try? await Task.sleep(for: .milliseconds(backOff.next()))
            }
        }
    }

    private func open() async throws -> PeerStream {
        let stream = try await client.openStream(
            "/v1/link/down", headers: ["Content-Type": "application/octet-stream"], deadlineMS: 10_000)
        guard stream.status == 200 else {
            var body: [UInt8] = []
            while let chunk = try await stream.next(), body.count < 65_536 { body += chunk }
            throw ErrorMapping.error(in: body, status: stream.status)
        }
        return stream
    }

    /// One connection, from the parent's hello to its end.
    private func converse(over stream: PeerStream) async throws {
        let heard = LastHeard()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    try await Task.sleep(for: .milliseconds(SyncLimits.heartbeatInterval))
                    if wallClock() - heard.time > Self.silenceMax { stream.cancel() }
                }
            }
            var reader = FrameReader(writtenBy: .sender)
            var connection: Int?
            do {
                while let chunk = try await stream.next() {
                    heard.note()
                    reader.append(chunk)
                    while let frame = try reader.next() {
                        if let connection {
                            await link.take(frame, connection: connection)
                        } else if let (number, answers) = try await greet(frame, over: stream) {
                            connection = number
                            group.addTask {
                                for await answer in answers { try await stream.write(answer.encoded) }
                                stream.finish()
                            }
                        }
                    }
                }
                if let connection { await link.disconnected(nil, connection: connection) }
            } catch {
                let error = FederationError.transport(error, client.endpoint.node)
                if let connection { await link.disconnected(error, connection: connection) }
                throw error
            }
            group.cancelAll()
        }
    }

    /// Answers the parent's first frame.
    ///
    /// - Returns: the connection's number and what goes back on it; nil when the hello was refused.
    private func greet(
        _ frame: Frame, over stream: PeerStream
    ) async throws -> (connection: Int, answers: AsyncStream<Frame>)? {
        guard frame.kind == .hello, let hello = try? WireJSON.decode(Hello.self, frame.body) else {
            throw FederationError.unreadable(frame.kind, of: client.endpoint.node)
        }
        switch await link.hello(hello) {
        case .refused(let refusal):
            try await stream.write(Frame(.refusal, try WireJSON.encode(refusal)).encoded)
            return nil
        case .accepted(let reply, let connection):
            try await stream.write(Frame(.helloReply, try WireJSON.encode(reply)).encoded)
            return await link.frames(of: connection).map { (connection, $0) }
        }
    }
}

private final class LastHeard: Sendable {
    private let mutex = Mutex(wallClock())

    var time: UnixMilliseconds { mutex.withLock { $0 } }

    func note() { mutex.withLock { $0 = wallClock() } }
}
