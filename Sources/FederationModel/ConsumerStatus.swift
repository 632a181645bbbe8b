/// How far a consumer is.
package struct ConsumerStatus: Hashable, Sendable {
    package let name: String
    package let cursor: Seq
    package let head: Seq

    package init(name: String, cursor: Seq, head: Seq) {
        self.name = name
        self.cursor = cursor
        self.head = head
    }

    /// Changes of the feed that it has not taken in.
    package var lagRows: Int64 { max(0, head - cursor) }
}
