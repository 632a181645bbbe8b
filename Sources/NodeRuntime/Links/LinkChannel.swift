import FederationModel
import NodeDesk
import PeerTransport
import SyncProtocol

/// The wire of one connection of an outgoing link: frames in, frames out, in order.
///
/// Either one long duplex request, or, where something between the nodes buffers, one request a frame.
package final class LinkChannel: Sendable {
    private let outgoing: AsyncStream<Frame>.Continuation
    private let task: Task<Void, Never>?

    /// - Parameter task: what brings the frames to the peer; nil where the peer's own request takes them.
    init(outgoing: AsyncStream<Frame>.Continuation, task: Task<Void, Never>? = nil) {
        self.outgoing = outgoing
        self.task = task
    }

    /// Queues a frame. How many wait is bounded by what the protocol lets be in flight.
    func send(_ frame: Frame) { outgoing.yield(frame) }

    /// Says goodbye once everything that waits has been sent, and closes.
    func finish() {
        outgoing.yield(Frame(.goodbye))
        outgoing.finish()
        // The peer may be gone: nobody waits for it longer than this.
        guard let task else { return }
        Task {
            try? await Task.sleep(for: .seconds(1))
            task.cancel()
        }
    }

    private static func headers(_ number: String) -> [String: String] {
        ["Link-Connection": number, "Content-Type": "application/octet-stream"]
    }

    /// Opens the long request and writes the probe first.
    ///
    /// It counts as opened when the request goes out, not when its answer's head arrives: whatever buffers between the
    /// nodes holds that head back too, and only the missing echo tells.
    static func stream(
        _ client: PeerClient, number: String, connection: Int, input: OutgoingLink.Inputs
    ) -> LinkChannel {
        let (frames, outgoing) = AsyncStream.makeStream(of: Frame.self)
        let task = Task {
            do {
                input.yield(.streamOpened(connection: connection))
                let stream = try await client.openStream(
                    "/v1/link/stream", headers: headers(number), deadlineMS: 10_000)
                guard stream.status == 200 else {
                    var body: [UInt8] = []
                    while let chunk = try await stream.next(), body.count < 65_536 { body += chunk }
                    throw PeerProblem.error(in: body, status: stream.status)
                }
                try await stream.write(Frame(.probe).encoded)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for await frame in frames {
                            try await stream.write(frame.encoded)
                            if frame.kind == .goodbye { break }
                        }
                        stream.finish()
                    }
                    try await read(stream, connection: connection, input: input)
                    group.cancelAll()
                }
                input.yield(.disconnected(.peerEnded(client.endpoint.node), connection: connection))
            } catch  where !Task.isCancelled {
                input.yield(.disconnected(.transport(error, client.endpoint.node), connection: connection))
            } catch {
                // The link has given this channel up.
            }
        }
        return LinkChannel(outgoing: outgoing, task: task)
    }

    private static func read(
        _ stream: PeerStream, connection: Int, input: OutgoingLink.Inputs
    ) async throws {
        var reader = FrameReader(writtenBy: .receiver)
        while let chunk = try await stream.next() {
            reader.append(chunk)
            while let frame = try reader.next() { input.yield(.frame(frame, connection: connection)) }
        }
    }

    /// One request a frame; its answer is the frame that the stream would have carried.
    static func requests(
        _ client: PeerClient, number: String, connection: Int, input: OutgoingLink.Inputs
    ) -> LinkChannel {
        let (frames, outgoing) = AsyncStream.makeStream(of: Frame.self)
        let task = Task {
            do {
                for await frame in frames {
                    let response = try await client.request(
                        "POST", "/v1/link/frame", headers: headers(number), body: frame.encoded, deadlineMS: 60_000)
                    // A refusal that asks for patience is a frame as well, whatever its status tells what lies between.
                    let isFrame = response.head.headers["content-type"] == "application/octet-stream"
                    guard response.status == 200 || isFrame else {
                        throw PeerProblem.error(in: response.body, status: response.status)
                    }
                    var reader = FrameReader(writtenBy: .receiver)
                    reader.append(response.body)
                    while let answer = try reader.next() { input.yield(.frame(answer, connection: connection)) }
                }
            } catch  where !Task.isCancelled {
                input.yield(.disconnected(.transport(error, client.endpoint.node), connection: connection))
            } catch {
                // The link has given this channel up.
            }
        }
        return LinkChannel(outgoing: outgoing, task: task)
    }
}

extension FederationError {
    /// Why a connection to a peer has ended.
    static func transport(_ error: any Error, _ peer: NodeID) -> FederationError {
        error as? FederationError
            ?? FederationError("E_PEER_BROKEN", "the connection to node \(peer) has ended", isRetryable: true)
    }
}
