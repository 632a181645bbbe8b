import ChangeSetFormat
import FederationModel

/// The bytes of change-sets that wait at one node, over all its links: however many neighbours send at one time, it holds no more.
package struct ReceivingBudget: Hashable, Sendable {
    private var held: [NodeID: Int] = [:]

    package init() {}

    package var total: Int { held.values.reduce(0, +) }

    /// Sets room aside for a change-set that has arrived.
    ///
    /// The last half is kept for links that hold nothing: so a few that send more than they may never keep the others out.
    ///
    /// - Returns: false when there is no room; then nothing is set aside.
    package mutating func take(_ bytes: Int, from sender: NodeID) -> Bool {
        let most = held[sender] == nil ? SyncLimits.nodeQueueBytesMax : SyncLimits.nodeQueueBytesMax / 2
        guard total + bytes <= most else { return false }
        held[sender, default: 0] += bytes
        return true
    }

    /// What was set aside is free again.
    package mutating func release(_ bytes: Int, from sender: NodeID) {
        let left = (held[sender] ?? 0) - bytes
        held[sender] = left > 0 ? left : nil
    }
}
