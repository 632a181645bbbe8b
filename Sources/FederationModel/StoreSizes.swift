/// Bytes of a node's database.
package struct StoreSizes: Hashable, Sendable {
    package let database: Int64
    /// What waits in its write-ahead log.
    package let wal: Int64
    /// What is free where they lie; nil when the system does not say.
    package let free: Int64?

    package init(database: Int64, wal: Int64, free: Int64?) {
        self.database = database
        self.wal = wal
        self.free = free
    }
}
