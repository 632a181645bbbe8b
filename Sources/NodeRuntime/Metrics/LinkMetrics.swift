import FederationModel
import LocalStore
import NodeDesk
import Synchronization

/// Counts what the links of this process do, since it started. Read by `/metrics`.
package final class LinkMetrics: Sendable {
    package struct Traffic: Hashable, Sendable {
        package var changeSets = 0
        package var rows = 0
        package var bytes = 0
    }

    package struct RefusalKey: Hashable, Sendable {
        package let code: String
        package let direction: LinkDirection
        package let peer: NodeID
    }

    private struct Counts {
        var sent: [NodeID: Traffic] = [:]
        var received: [NodeID: Traffic] = [:]
        var refusals: [RefusalKey: Int] = [:]
    }

    private let counts = Mutex(Counts())

    package init() {}

    package func sent(rows: Int, bytes: Int, peer: NodeID) {
        counts.withLock { $0.sent[peer, default: Traffic()].add(rows: rows, bytes: bytes) }
    }

    package func received(rows: Int, bytes: Int, peer: NodeID) {
        counts.withLock { $0.received[peer, default: Traffic()].add(rows: rows, bytes: bytes) }
    }

    /// Codes that are told apart. A peer chooses the codes of its refusals; an inventive one must not make this grow.
    package static let refusalKeysMax = 1_000

    /// A message that was refused, by its code; `receiving` when this node refused it. A code that is none of ours in
    /// shape, or one too many, counts as `E_OTHER`.
    package func count(_ code: String, direction: LinkDirection, peer: NodeID) {
        counts.withLock { counts in
            var key = RefusalKey(code: code, direction: direction, peer: peer)
            let isKnown = counts.refusals[key] != nil
            if !isKnown, counts.refusals.count >= Self.refusalKeysMax || !PeerProblem.isCode(code) {
                key = RefusalKey(code: "E_OTHER", direction: direction, peer: peer)
            }
            counts.refusals[key, default: 0] += 1
        }
    }

    package var sent: [NodeID: Traffic] { counts.withLock { $0.sent } }
    package var received: [NodeID: Traffic] { counts.withLock { $0.received } }
    package var refusals: [RefusalKey: Int] { counts.withLock { $0.refusals } }
}

extension LinkMetrics.Traffic {
    fileprivate mutating func add(rows: Int, bytes: Int) {
        changeSets += 1
        self.rows += rows
        self.bytes += bytes
    }
}
