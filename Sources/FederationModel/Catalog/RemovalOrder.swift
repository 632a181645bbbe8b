/// A removal order with what has come back.
package struct RemovalOrder: Hashable, Sendable {
    package let id: String
    package let origin: NodeID
    package let kind: String
    package let reason: String
    package let rows: Int64
    package let orderedAt: UnixMilliseconds
    package let liftedAt: UnixMilliseconds?
    /// Who had to see the tickets, whatever the mode.
    package let audience: Set<NodeID>
    /// When each node confirmed, as far as it is known here.
    package var confirmations: [NodeID: UnixMilliseconds] = [:]

    package init(
        id: String, origin: NodeID, kind: String, reason: String, rows: Int64, orderedAt: UnixMilliseconds,
        liftedAt: UnixMilliseconds?, audience: Set<NodeID>, confirmations: [NodeID: UnixMilliseconds] = [:]
    ) {
        self.id = id
        self.origin = origin
        self.kind = kind
        self.reason = reason
        self.rows = rows
        self.orderedAt = orderedAt
        self.liftedAt = liftedAt
        self.audience = audience
        self.confirmations = confirmations
    }
}

/// What a deletion or a recall did here.
package struct RemovalReport: Hashable, Sendable {
    /// Of the order, by which its confirmations name it.
    package let id: String
    /// Global ids.
    package let tickets: [String]
    package let rows: Int
    /// The head after the commit; links are woken with it.
    package let head: Seq

    package init(id: String, tickets: [String], rows: Int, head: Seq) {
        self.id = id
        self.tickets = tickets
        self.rows = rows
        self.head = head
    }
}
