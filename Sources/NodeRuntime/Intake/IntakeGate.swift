import FederationModel
import Synchronization

/// Bounds what pushes hold in memory at one time. A request enters, takes the bytes of its body as they arrive, and gives
/// all of them back when it is answered; whoever finds it full is asked to come again.
package final class IntakeGate: Sendable {
    private struct State {
        var requests = 0
        var bytes = 0
    }

    private let requestsMax: Int
    private let bytesMax: Int
    private let state = Mutex(State())

    package init(requestsMax: Int = IntakeLimits.requestsMax, bytesMax: Int = IntakeLimits.heldBytesMax) {
        self.requestsMax = requestsMax
        self.bytesMax = bytesMax
    }

    /// One request's part of the gate. It is given back when the value goes.
    package final class Pass: Sendable {
        private let gate: IntakeGate
        private let bytes = Mutex(0)

        fileprivate init(_ gate: IntakeGate) { self.gate = gate }

        deinit { gate.leave(bytes: bytes.withLock { $0 }) }

        /// - Throws: `E_INTAKE_BUSY` when so many more bytes can't be held now.
        package func take(bytes count: Int) throws(FederationError) {
            try gate.take(bytes: count)
            bytes.withLock { $0 += count }
        }
    }

    /// - Throws: `E_INTAKE_BUSY` when as many requests as may be are worked on.
    package func enter() throws(FederationError) -> Pass {
        let isIn = state.withLock { state in
            guard state.requests < requestsMax else { return false }
            state.requests += 1
            return true
        }
        guard isIn else { throw Self.busy }
        return Pass(self)
    }

    private func take(bytes: Int) throws(FederationError) {
        let fits = state.withLock { state in
            guard state.bytes + bytes <= bytesMax else { return false }
            state.bytes += bytes
            return true
        }
        guard fits else { throw Self.busy }
    }

    private func leave(bytes: Int) {
        state.withLock { state in
            state.requests -= 1
            state.bytes -= bytes
        }
    }

    private static let busy = FederationError(
        "E_INTAKE_BUSY", "this node has as many pushed records to store as it holds at one time",
        hint: "send the same batch again after Retry-After", isRetryable: true)
}
