import FederationModel
import Foundation

/// Asks again and again until `condition` holds.
///
/// - Throws: an error that names `what` when it does not hold within `seconds`.
package func eventually(
    _ what: String, within seconds: Int = 10, _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try await !condition() {
        guard ContinuousClock.now < deadline else {
            throw FederationError("E_TEST", "\(what): not within \(seconds) s")
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// Runs work that blocks on a thread of its own. Tests share a few threads, one a core: one that waited in place would keep
/// the others from running, and their deadlines would pass.
package func onOwnThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}
