import FederationModel
import SyncProtocol
import Synchronization

/// The `ReceivingBudget` that all incoming links of a process share.
package final class ReceivingQueues: Sendable {
    private let budget = Mutex(ReceivingBudget())

    package init() {}

    var bytes: Int { budget.withLock { $0.total } }

    package func take(_ bytes: Int, from sender: NodeID) -> Bool { budget.withLock { $0.take(bytes, from: sender) } }

    package func release(_ bytes: Int, from sender: NodeID) { budget.withLock { $0.release(bytes, from: sender) } }
}
