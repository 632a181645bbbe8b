import FederationModel
import LocalStore

extension NodeDesk {
    /// The grounds on which records may be deleted or recalled.
    package static var removalReasons: CodeList? { CodeLists.builtIn.named("removal_reason") }

    /// Deletes this node's records of tickets, here and everywhere, or recalls them from every other node.
    ///
    /// - Parameters:
    ///   - tickets: global ids or numbers.
    ///   - reason: a code of `removalReasons`. It goes to every node, so there is no free text.
    /// - Throws: `E_FIELD_CODE` for another reason; what `NodeStore.remove` throws.
    package func remove(_ kind: RemovalKind, tickets: [String], reason: String) async throws -> RemovalReport {
        try await perform(kind == .delete ? .deleteTickets : .recallTickets) { now in
            guard Self.removalReasons?.entries.contains(where: { $0.code == reason }) == true else {
                throw FederationError(
                    RowRejection(
                        field: "reason", rule: .notInCodeList, reason: "is no code of list removal_reason"))
            }
            return try await commit(\.head) {
                try await store.remove(kind, tickets: tickets, reason: reason, order: identity(now: now), now: now)
            }
        }
    }

    /// Ends a recall: its records flow again.
    ///
    /// - Parameter order: the id of the order.
    /// - Throws: `E_REMOVAL_UNKNOWN`.
    package func lift(recall order: String) async throws -> RemovalReport {
        try await perform(.liftRecall) { now in
            try await commit(\.head) { try await store.lift(recall: order, now: now) }
        }
    }

    /// This node's orders, held against the nodes that must confirm them, the oldest first.
    package func removals() async throws -> [RemovalStatus] {
        try await perform(.listRemovals) { now in try await RemovalStatus.all(of: local, now: now) }
    }

    /// The orders of other nodes that have come here, the oldest first.
    package func receivedRemovals() async throws -> [RemovalOrder] {
        try await perform(.listRemovals) { _ in try await store.removalOrders().filter { $0.origin != id } }
    }
}
