import FederationModel

/// What one end of a link knows about it, for `status` and `/metrics`.
package struct LinkSummary: Hashable, Sendable {
    package var neighbour: NodeID
    package var state: LinkState
    /// The receiver's durable cursor as far as this end knows it.
    package var cursor: Cursor?
    /// The sender's head as far as this end knows it.
    package var head: Seq
    /// Changes of the sender that the receiver has not got yet; some of them may turn out not to be granted.
    package var lagRows: Int64
    /// When the link was level last; before it ever was, when this end began.
    package var lastLevel: UnixMilliseconds
    /// When the other end was heard last.
    package var lastContact: UnixMilliseconds?
    package var lastError: FederationError?
    /// Rows that the receiver got from the sender and that the sender no longer has.
    package var lost: Int
    /// Rows of the sender that are put aside at the receiver.
    package var quarantined: Int

    /// How old the receiver's view may be, in milliseconds.
    package func lag(now: UnixMilliseconds) -> Int64 { state == .level ? 0 : max(0, now - lastLevel) }
}
