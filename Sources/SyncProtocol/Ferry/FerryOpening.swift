import FederationModel

/// The first frame of a ferry file: all that two nodes say to each other before change-sets flow, as far as one of them can say it
/// alone.
///
/// The frames behind it are those of the wire, in this order: settlements and change-sets from the node as a sender; what it gives back
/// as a receiver; a goodbye, without which the file is not whole.
package struct FerryOpening: Codable, Hashable, Sendable {
    /// As it would begin a connection.
    package var hello: Hello
    /// How fresh what the file brings is: everything up to the hello's head.
    package var heartbeat: Heartbeat
    /// As it would answer a hello of the node that the file is for: where this one stands as its receiver.
    package var reply: HelloReply
    /// Where the file goes on from.
    package var from: Cursor
    /// Places in this node's history at which the receiver may stand. One that finds its own place here, by the same commit, knows that
    /// it has not got more from this node than the file's writer knows of (design rule 6). On a connection the sender finds that
    /// out, which here hears nothing.
    package var known: [KnownPlace]
    /// The topology that the writer stands on, as its top node signed it: without a network nothing else brings it. nil while nobody
    /// has signed one.
    package var release: TopologyRelease?

    package struct KnownPlace: Codable, Hashable, Sendable {
        package var seq: Seq
        package var mark: HistoryMark?

        package init(seq: Seq, mark: HistoryMark?) {
            self.seq = seq
            self.mark = mark
        }
    }

    package init(
        hello: Hello, heartbeat: Heartbeat, reply: HelloReply, from: Cursor, known: [KnownPlace],
        release: TopologyRelease? = nil
    ) {
        self.release = release
        self.hello = hello
        self.heartbeat = heartbeat
        self.reply = reply
        self.from = from
        self.known = known
    }
}
