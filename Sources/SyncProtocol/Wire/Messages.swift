import FederationModel

/// The receiver's word that a change-set is on its disk.
///
/// It is what the store reports after a commit, and nothing else: `LinkReceiver.onApplied` is the only place from which
/// one reaches the wire.
package struct Acknowledgement: Codable, Hashable, Sendable {
    /// The receiver's cursor, committed together with the rows.
    package var cursor: Cursor
    /// Rows that were stored.
    package var applied: Int
    /// Rows of which the same image was there already.
    package var skipped: Int
    /// Rows that broke a rule and were put aside; the cursor has moved past them.
    package var quarantined: Int
    /// Resources of which rows were passed over, because the sender's own catalog does not grant them, and by which code;
    /// nil when there were none.
    package var refused: [String: String]?
    /// As in the reply to a hello.
    package var lost: Int?
    package var quarantinedTotal: Int?
    /// As in the reply to a hello; nil when it is as it was said last.
    package var putAside: [PutAsideRow]?

    package init(
        cursor: Cursor, applied: Int, skipped: Int, quarantined: Int, refused: [String: String]? = nil,
        lost: Int? = nil, quarantinedTotal: Int? = nil, putAside: [PutAsideRow]? = nil
    ) {
        self.lost = lost
        self.quarantinedTotal = quarantinedTotal
        self.putAside = putAside
        self.cursor = cursor
        self.applied = applied
        self.skipped = skipped
        self.quarantined = quarantined
        self.refused = refused
    }
}

/// The sender's word on rows that came back to it: of those that it names the receiver lets go, because the sender knows them and does
/// not grant them, or has deleted them. The others come in the tail or are not decided yet.
package struct Settlement: Codable, Hashable, Sendable {
    package struct Row: Codable, Hashable, Sendable {
        package var resource: ResourceName
        package var origin: String
        package var key: String

        package init(resource: ResourceName, origin: String, key: String) {
            self.resource = resource
            self.origin = origin
            self.key = key
        }
    }

    package var rows: [Row]

    package init(rows: [Row]) { self.rows = rows }
}

/// A sign of life from the sender, with what the receiver needs to say how fresh its copy is.
package struct Heartbeat: Codable, Hashable, Sendable {
    package var head: Seq
    package var clock: UnixMilliseconds
    /// Whether the receiver has acknowledged everything up to `head` that is granted to it. Its cursor alone can't tell:
    /// it does not move for changes that are not granted.
    package var isLevel: Bool
    /// The sender and each origin behind it.
    package var origins: [NodeID: OriginFreshness]
    /// The topology version that the sender stands on by now; nil from a node of an earlier release.
    package var topology: Int64?

    package init(
        head: Seq, clock: UnixMilliseconds, isLevel: Bool, origins: [NodeID: OriginFreshness], topology: Int64? = nil
    ) {
        self.topology = topology
        self.head = head
        self.clock = clock
        self.isLevel = isLevel
        self.origins = origins
    }

    /// What a sender says of itself and of the origins behind it.
    ///
    /// - Parameters:
    ///   - isLevel: whether the receiver had everything up to `knownHead`.
    ///   - head: of the store; later than `knownHead` when a command has written and has not told.
    ///   - freshness: what is known of origins, read together with `head`: it speaks of rows up to there, and of none behind.
    ///   - clock: read before both.
    package init(
        policy: LinkPolicy, isLevel: Bool, knownHead: Seq, head: Seq, freshness: [NodeID: OriginFreshness],
        topology: Int64, clock: UnixMilliseconds
    ) {
        var origins = freshness.filter { policy.origins.contains($0.key) }
        origins[policy.sender] = OriginFreshness(asOf: clock, complete: true, topology: topology, level: topology)
        self.init(
            head: head, clock: clock, isLevel: isLevel && head <= knownHead, origins: origins, topology: topology)
    }

    private enum CodingKeys: String, CodingKey {
        case head, clock, origins, topology
        case isLevel = "level"
    }
}

/// Why the receiver does not take a hello or a change-set.
package struct Refusal: Codable, Hashable, Sendable {
    package var code: String
    package var message: String
    package var hint: String?
    /// Milliseconds after which the sender may try again; nil leaves it to the sender.
    package var retryAfterMS: Int64?
    /// Where the next change-set must start: the end of what is queued here, or the durable cursor when nothing is; nil
    /// for a refused hello, and when nothing was ever applied.
    package var cursor: Cursor?

    package init(_ error: FederationError, retryAfterMS: Int64? = nil, cursor: Cursor? = nil) {
        code = error.code
        message = error.message
        hint = error.hint
        self.retryAfterMS = retryAfterMS
        self.cursor = cursor
    }

    package var error: FederationError {
        FederationError(code, message, hint: hint, isRetryable: retryAfterMS != nil)
    }
}
