/// Rows of this node that one neighbour gave back, of one resource.
package struct ReturnedRows: Hashable, Sendable {
    package let resource: ResourceName
    package let receiver: NodeID
    package var rows = 0
    /// How many came back masked or without a value, by column.
    package var treated: [String: Int] = [:]

    package init(resource: ResourceName, receiver: NodeID) {
        self.resource = resource
        self.receiver = receiver
    }
}
