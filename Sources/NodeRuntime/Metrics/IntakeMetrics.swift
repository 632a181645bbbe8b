import NodeDesk
import Synchronization

/// Counts what local systems push, since the service started. Read by `/metrics`.
package final class IntakeMetrics: Sendable {
    private let counts = Mutex<(records: [String: Int], requests: [Int: Int])>(([:], [:]))

    package init() {}

    /// One request, by the HTTP status of its answer.
    package func count(status: Int) { counts.withLock { $0.requests[status, default: 0] += 1 } }

    package func count(_ report: PushReport) {
        counts.withLock { counts in
            for result in report.results { counts.records[result.outcome.name, default: 0] += 1 }
        }
    }

    /// Records by outcome: accepted, unchanged, rejected.
    package var records: [String: Int] { counts.withLock { $0.records } }
    package var requests: [Int: Int] { counts.withLock { $0.requests } }
}
