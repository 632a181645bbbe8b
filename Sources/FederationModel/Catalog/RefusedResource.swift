/// Rows that a sender sent though its own catalog does not grant them.
package struct RefusedResource: Sendable {
    package let sender: NodeID
    package let resource: ResourceName
    package let refusal: CatalogRefusal
    /// Since the sender's first.
    package let rows: Int64
    package let lastAt: UnixMilliseconds

    package init(
        sender: NodeID, resource: ResourceName, refusal: CatalogRefusal, rows: Int64, lastAt: UnixMilliseconds
    ) {
        self.sender = sender
        self.resource = resource
        self.refusal = refusal
        self.rows = rows
        self.lastAt = lastAt
    }
}
