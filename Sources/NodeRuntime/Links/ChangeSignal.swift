import FederationModel
import Synchronization

/// Tells everyone in this process who waits for it that the feed has a new head. Links and consumers sleep on it, so
/// nothing polls.
package final class ChangeSignal: Sendable {
    private struct State {
        var next = 0
        var listeners: [Int: AsyncStream<Seq>.Continuation] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    package func ring(head: Seq) {
        let listeners = state.withLock { Array($0.listeners.values) }
        for listener in listeners { listener.yield(head) }
    }

    /// The heads from now on; a listener that is slow sees only the newest.
    package func heads() -> AsyncStream<Seq> {
        let (stream, continuation) = AsyncStream.makeStream(of: Seq.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            state.next += 1
            state.listeners[state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: id) }
        }
        return stream
    }
}
