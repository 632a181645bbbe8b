import FederationModel

/// HTTP/1.1 over mutual TLS 1.3 to one peer.
///
/// Bytes in, bytes out: what they mean is not known here. Connections are kept alive and reused. There is one client a
/// peer, so a pooled connection can never be used under another peer's name. It has a thread of its own, which ends when
/// the client and its streams are gone, or at `shutdown()`.
///
/// Every error is a `FederationError`, or `CancellationError` when the calling task was cancelled:
/// `E_PEER_UNREACHABLE`, `E_PEER_TIMEOUT` and `E_PEER_BROKEN` may pass by themselves; `E_PEER_IDENTITY`,
/// `E_PEER_CERTIFICATE`, `E_PEER_REQUEST`, `E_PEER_RESPONSE_TOO_LARGE` and `E_PEER_CLOSED` do not.
package final class PeerClient: Sendable {
    package let endpoint: PeerEndpoint
    private let limits: PeerLimits
    private let loop: CurlLoop

    package init(endpoint: PeerEndpoint, credentials: PeerCredentials, limits: PeerLimits = .init()) {
        self.endpoint = endpoint
        self.limits = limits
        loop = CurlLoop(endpoint: endpoint, credentials: credentials, limits: limits)
    }

    deinit { loop.stop() }

    /// Sends one request and collects its response, whatever its status.
    ///
    /// - Parameters:
    ///   - path: begins with `/`; may hold a query, already percent-encoded.
    ///   - deadlineMS: for all of it, connecting included.
    package func request(
        _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8] = [], deadlineMS: Int
    ) async throws -> PeerResponse {
        let transfer = try start(
            .init(method: method, path: path, headers: headers, body: .whole(body), deadlineMS: deadlineMS))
        return try await withTaskCancellationHandler {
            let head = try await transfer.head()
            return PeerResponse(head: head, body: try await transfer.wholeBody())
        } onCancel: {
            cancel(transfer)
        }
    }

    /// Opens a long POST whose body and response are both streams, and waits for the response's head.
    ///
    /// The server must send its head before it reads the body. A status outside 200...299 is not an error here: the
    /// stream then holds the response's body, and writing to it fails.
    ///
    /// - Parameter deadlineMS: until the head has arrived; the stream itself may stay open for months.
    package func openStream(
        _ path: String, headers: [String: String] = [:], deadlineMS: Int
    ) async throws -> PeerStream {
        // The connection is for this stream alone: a server that ends a stream early closes it, instead of waiting for
        // the rest of our body.
        let transfer = try start(
            .init(
                method: "POST", path: path, headers: headers.merging(["Connection": "close"]) { $1 }, body: .streamed,
                deadlineMS: deadlineMS))
        return try await withTaskCancellationHandler {
            do {
                return PeerStream(client: self, transfer: transfer, head: try await transfer.head())
            } catch {
                cancel(transfer)
                throw error
            }
        } onCancel: {
            cancel(transfer)
        }
    }

    /// Takes other credentials for the next connections; libcurl reuses none that was made with others. What is under way goes
    /// on as it began.
    package func replace(_ credentials: PeerCredentials) { loop.replace(credentials) }

    /// Ends the client's thread and everything under way with `E_PEER_CLOSED`; returns when the thread has let go of all
    /// connections.
    package func shutdown() async {
        await loop.stopAndWait()
    }

    func cancel(_ transfer: Transfer) {
        transfer.end(.failure(CancellationError()))
        loop.post(.cancel(transfer))
    }

    private func start(_ request: Transfer.Request) throws(FederationError) -> Transfer {
        try request.validate()
        let transfer = Transfer(request: request, endpoint: endpoint, limits: limits, loop: loop)
        loop.post(.start(transfer))
        return transfer
    }
}

/// A POST whose body is still open while its response arrives.
///
/// One task writes, one task reads. When the calling task is cancelled inside a method, the whole stream is.
package final class PeerStream: Sendable {
    /// Known before the first chunk.
    package let head: PeerResponseHead
    // Keeps the client, and so its thread, alive as long as the stream.
    private let client: PeerClient
    private let transfer: Transfer

    package var status: Int { head.status }

    init(client: PeerClient, transfer: Transfer, head: PeerResponseHead) {
        self.client = client
        self.transfer = transfer
        self.head = head
    }

    deinit { client.cancel(transfer) }

    /// Hands bytes to the sending thread; waits while a buffer's worth is still unsent.
    ///
    /// Returning does not mean that the peer has them: only its answer does.
    package func write(_ bytes: [UInt8]) async throws {
        try await withTaskCancellationHandler {
            try await transfer.write(bytes)
        } onCancel: {
            client.cancel(transfer)
        }
    }

    /// The bytes that arrived since the last call. Where they are cut means nothing: frames are the caller's matter.
    ///
    /// - Returns: nil when the peer has ended its response.
    package func next() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await transfer.next()
        } onCancel: {
            client.cancel(transfer)
        }
    }

    /// Ends our body. The response may go on.
    package func finish() { transfer.finishWriting() }

    /// Drops the connection at once; a waiting `write` or `next` throws `CancellationError`.
    package func cancel() { client.cancel(transfer) }
}
