import Hummingbird
import NIOCore
import ServiceLifecycle

/// The response side of a stream. May be written to from several tasks; each write arrives whole.
///
/// `@unchecked Sendable`: Hummingbird's writer is a struct around NIO's own writer, which is Sendable; only the
/// existential that a response's closure is given does not say so.
package struct StreamWriter: @unchecked Sendable {
    private let base: any ResponseBodyWriter

    fileprivate init(_ base: any ResponseBodyWriter) { self.base = base }

    /// Returns when the bytes are on their way; waits while the peer does not take them.
    package func write(_ bytes: [UInt8]) async throws {
        var writer = base
        try await writer.write(ByteBuffer(bytes: bytes))
    }

    fileprivate func finish() async throws {
        try await base.finish(nil)
    }
}

extension Response {
    /// Answers a request whose body is a stream with a stream: `work` reads and writes while both are open.
    ///
    /// The head is sent before `work` starts. The response ends when `work` returns, and also when the server shuts down:
    /// then `work` is cancelled, and the peer sees a clean end. An error thrown by `work` breaks the connection. The
    /// connection serves nothing else afterwards: without `Connection: close` a client would go on waiting to send the
    /// rest of its body.
    package static func stream(
        _ request: Request, work: @escaping @Sendable (RequestBody, StreamWriter) async throws -> Void
    ) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/octet-stream", .connection: "close"],
            body: ResponseBody { writer in
                let outgoing = StreamWriter(writer)
                do {
                    try await cancelWhenGracefulShutdown { try await work(request.body, outgoing) }
                } catch is CancellationError {
                    // The shutdown, or the peer is gone; in the latter case the end is not seen by anybody.
                }
                try await outgoing.finish()
            })
    }
}
