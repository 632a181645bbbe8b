import FederationModel

/// A link's state in one word, as `status`, the console and the metrics show it.
package enum LinkState: Hashable, Sendable, CustomStringConvertible {
    /// No contact yet.
    case connecting
    /// The first sweep of the sender's present epoch.
    case bootstrapping
    /// A later sweep: policy or topology changed.
    case sweeping
    /// Changes are waiting or on their way.
    case behind
    /// The receiver has acknowledged everything that is granted to it.
    case level
    /// Stopped, or waiting because the receiver asked for it.
    case paused
    /// A person must act; the code says on what.
    case refused(code: String)
    case unreachable(code: String)

    package var description: String {
        switch self {
        case .connecting: "connecting"
        case .bootstrapping: "bootstrapping"
        case .sweeping: "sweeping"
        case .behind: "behind"
        case .level: "level"
        case .paused: "paused"
        case .refused: "refused"
        case .unreachable: "unreachable"
        }
    }
}

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

    /// How old the receiver's view may be, in milliseconds.
    package func lag(now: UnixMilliseconds) -> Int64 { state == .level ? 0 : max(0, now - lastLevel) }
}
