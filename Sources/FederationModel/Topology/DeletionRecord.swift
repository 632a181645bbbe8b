/// The proof that copies were deleted because a topology no longer gives them to this node: their resource went over from copy to
/// query (物理汇聚 to 逻辑接入), their origin comes by another way that does not copy it, or it was removed.
package struct DeletionRecord: Hashable, Sendable {
    /// The origin whose rows they were.
    package let origin: NodeID
    package let resource: ResourceName
    package let rows: Int64
    /// FNV-1a over origin, key and version of each row in the order of the key: tells which rows they were.
    package let digest: String
    /// The topology version that asked for it.
    package let topology: Int64
    package let at: UnixMilliseconds

    package init(
        origin: NodeID, resource: ResourceName, rows: Int64, digest: String, topology: Int64, at: UnixMilliseconds
    ) {
        self.origin = origin
        self.resource = resource
        self.rows = rows
        self.digest = digest
        self.topology = topology
        self.at = at
    }
}
