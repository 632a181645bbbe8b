import FederationModel

/// What the sender's shell has to do, in this order.
package enum LinkDirective: Hashable, Sendable {
    /// Connect and send the hello; answer with `onHelloReply`, `onHelloRefused` or `onConnectFailed`.
    case connect(Hello)
    /// Open the long request, write a probe frame first and answer with `onStreamOpened`.
    case openStream
    /// Something between the nodes buffers: make each change-set, and each heartbeat, a request of its own on this
    /// connection, which has never had a stream. An answered heartbeat is an `onEcho`, a failed request an
    /// `onDisconnected`.
    case useRequests
    /// Read the next change-set from the store; answer with `onPrepared` or `onNothingToPrepare`. At most one is
    /// outstanding, also across connections.
    case prepare(PrepareRequest)
    /// Send the change-set that `onPrepared` has just brought. It is never sent a second time, so its bytes can go as soon
    /// as the transport has them; a change-set that is not sent at once is not sent at all.
    case send(Int)
    /// Send a `Heartbeat` with this `isLevel`.
    case heartbeat(isLevel: Bool)
    /// Say goodbye if that is still possible, and close. Nothing that comes from this connection later may reach the
    /// sender's inputs.
    case disconnect
    /// Call `onWake` then, or a little later. There is one timer; a new time replaces the former.
    case wake(at: UnixMilliseconds)
    /// For the log and the metrics.
    case note(LinkEvent)
    /// The link has stopped; no input does anything any more.
    case end
}

/// Which change-set the store has to make.
package struct PrepareRequest: Hashable, Sendable {
    /// Where it must start, exactly.
    package var from: Cursor
    package var rowsMax: Int
    /// Whether a change-set without rows is wanted too: the receiver's durable cursor is not this one yet, and only a
    /// change-set moves it. On a link that grants nothing it is the only one.
    package var evenIfEmpty: Bool
    /// Whether the receiver keeps history marks.
    package var hasMark: Bool
    /// The schema revision that both ends know: no resource of a later one may be in it.
    package var schemaRevision: Int

    package init(from: Cursor, rowsMax: Int, evenIfEmpty: Bool, hasMark: Bool, schemaRevision: Int) {
        self.hasMark = hasMark
        self.schemaRevision = schemaRevision
        self.from = from
        self.rowsMax = rowsMax
        self.evenIfEmpty = evenIfEmpty
    }
}

/// A change-set that the store has made, without its bytes, which the shell keeps.
package struct PreparedChangeSet: Hashable, Sendable {
    /// The shell's name for it.
    package var id: Int
    package var start: Cursor
    package var end: Cursor
    /// The sender's seq when it was read.
    package var head: Seq
    package var rows: Int
    package var bytes: Int

    package init(id: Int, start: Cursor, end: Cursor, head: Seq, rows: Int, bytes: Int) {
        self.id = id
        self.start = start
        self.end = end
        self.head = head
        self.rows = rows
        self.bytes = bytes
    }
}

/// What has happened on a link, for the log and the metrics.
package enum LinkEvent: Hashable, Sendable {
    /// The receiver took the hello; the link goes on from here.
    case connected(from: Cursor)
    /// The probe's echo did not come in time; the link connects anew and uses requests.
    case streamBuffered
    case sent(rows: Int, bytes: Int)
    case acknowledged(Acknowledgement, roundTrip: Int64)
    /// What was in flight has been dropped; the link goes on from here.
    case rewound(to: Cursor, because: String)
    case sweepCompleted
    case becameLevel
    case policyChanged(LinkRevision)
    /// A person must act.
    case refused(FederationError)
    case disconnected(FederationError)
}
