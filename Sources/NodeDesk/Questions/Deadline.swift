import FederationModel

/// Does `work` as long as there is time, and then interrupts it: SQL on this connection too. It does not wait for the end of
/// what it interrupts, which may be in the queue for the database's one writer.
///
/// - Returns: nil when the time ran out.
/// - Throws: what `work` throws; `CancellationError` when the caller is cancelled.
package func within<Value: Sendable>(
    milliseconds: Int64, _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value? {
    let (outcomes, outcome) = AsyncStream.makeStream(of: Result<Value, any Error>?.self)
    let working = Task {
        do {
            outcome.yield(.success(try await work()))
        } catch {
            outcome.yield(.failure(error))
        }
    }
    let timer = Task {
        try await Task.sleep(for: .milliseconds(milliseconds))
        outcome.yield(nil)
    }
    defer {
        working.cancel()
        timer.cancel()
    }
    // Ends when the caller is cancelled too.
    for await first in outcomes { return try first?.get() }
    throw CancellationError()
}

extension FederationError {
    static func deadline(_ milliseconds: Int64, at node: NodeID) -> FederationError {
        FederationError(
            "E_QUERY_DEADLINE", "node \(node) could not answer from its own rows within \(milliseconds) ms",
            hint: "ask for less, or give it more time with `--deadline`", isRetryable: true)
    }
}
