import FederationModel

/// How much of its disk a node keeps free, so that rows of neighbours never take the room that its own records need.
package struct DiskSpace: Sendable {
    /// With less than so many bytes free, rows of neighbours wait at their senders. Own records go on down to an eighth of it.
    package let floor: Int64
    /// Bytes that are free where the database lies; nil when the system does not say.
    private let free: @Sendable () -> Int64?

    package init(floor: Int64, free: @escaping @Sendable () -> Int64?) {
        self.floor = floor
        self.free = free
    }

    /// What keeps rows of neighbours out: `E_DISK_FLOOR`; nil when nothing does.
    package func obstacleToSync(at node: NodeID) -> FederationError? {
        guard let free = free(), free < floor else { return nil }
        return FederationError(
            "E_DISK_FLOOR",
            "node \(node) takes no rows of others in: \(free >> 20) MiB of its disk are free, and it keeps \(floor >> 20) MiB",
            hint: "make room on the disk of node \(node), or lower `disk-floor` there; the link goes on by itself",
            isRetryable: true)
    }

    /// The same for the node's own records: `E_STORE_FULL`.
    func obstacleToIntake(at path: String) -> FederationError? {
        free().flatMap { $0 < floor / 8 ? FederationError.full(path) : nil }
    }
}
