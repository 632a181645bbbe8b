import FederationModel

/// What the receiver's shell has to do, in this order. Unless a directive names a connection, it is about the present
/// one.
package enum ReceiverDirective: Hashable, Sendable {
    /// Answer the hello of this connection. It may come out of a later input than its `onHello`: of the end of an apply
    /// that was under way.
    case reply(HelloReply, connection: Int)
    /// Answer the hello of this connection with a refusal; the connection that existed before goes on.
    case refuseHello(Refusal, connection: Int)
    /// Hand this change-set to the store, which commits its rows and its cursor together; answer with `onApplied` or
    /// `onApplyRefused`. At most one is outstanding, also across connections.
    case apply(Int)
    /// Forget these change-sets, whose bytes the shell keeps.
    case discard([Int])
    /// Send this acknowledgement.
    case acknowledge(Acknowledgement)
    /// Send this refusal of a change-set.
    case refuse(Refusal)
    /// Send an echo frame.
    case echo
    /// Write a `progress` frame on the present connection.
    case progress
    /// In its place, send the next rows that the sender has lost as a `returned` frame; an echo when there are no more.
    case giveBack
    /// Say goodbye on this connection and close it; if its hello still waits for an answer, that fails with it.
    case end(connection: Int)
}

/// What a neighbour's message deserves, from nothing to the loss of its connection. Rows that break a rule are the
/// store's affair: it puts them aside, and the link does not notice.
enum PeerVerdict: Hashable, Sendable {
    case accept
    /// What was sent before this crossed with the refusal: drop it without a word.
    case ignore
    /// The change-set is dropped, the connection lives.
    case refuseChangeSet(FederationError)
    /// The two ends do not agree on what this connection is: it needs a new hello.
    case endLink(FederationError)
}
