import Synchronization

/// How a connection's handshake ended, for `status`, `/metrics` and the log.
package enum HandshakeOutcome: String, Hashable, Sendable, CaseIterable {
    case accepted
    case noCertificate
    case expired
    case notYetValid
    case foreignAuthority
    /// A certificate of ours that does not name exactly one node.
    case noNode
    /// The client does not accept our certificate: ours expired, or it is of another federation. A client that merely
    /// expected another node here hangs up after the handshake and counts as accepted; it sends no request.
    case refusedByClient
    /// A client that offers TLS 1.2 at most.
    case oldProtocol
    /// Plain HTTP, or something else that is not TLS.
    case notTLS
    /// Closed before the handshake was over: a port scan or a health probe of a load balancer.
    case abandoned
    /// Not done within the handshake timeout.
    case timedOut
    case other
}

/// Counts handshakes by their outcome since the start. Safe from any thread.
package final class HandshakeCounters: Sendable {
    private let counts = Mutex<[HandshakeOutcome: Int]>([:])

    package init() {}

    /// Outcomes that did not occur are not in it.
    package var snapshot: [HandshakeOutcome: Int] { counts.withLock { $0 } }

    func count(_ outcome: HandshakeOutcome) {
        counts.withLock { $0[outcome, default: 0] += 1 }
    }
}
