/// Which intake rows belong to.
package enum IntakeSource: Hashable, Sendable {
    /// One that was begun.
    case number(Int64)
    /// What a token pushes: the intake of the hour.
    case push(token: String)
}

/// An import, or what one token pushed within an hour.
package struct IntakeEntry: Hashable, Sendable {
    package enum Kind: String, Sendable {
        case `import`, push
    }

    package let number: Int64
    package let kind: Kind
    /// What the mapping calls the source; the name of the token.
    package let source: String
    /// Nil for pushes.
    package let resource: ResourceName?
    /// The name of the file, without its folder; nil for pushes.
    package let file: String?
    package let beganAt: UnixMilliseconds
    /// Nil while it goes on, and for one that was cut off.
    package let endedAt: UnixMilliseconds?
    package let counts: IntakeCounts
    /// When it was undone.
    package let undoneAt: UnixMilliseconds?
    /// Records that an undoing left because somebody else had acted on their ticket.
    package let kept: Int
    /// Whether it is still known what rows were before it.
    package let isRemembered: Bool

    package init(
        number: Int64, kind: Kind, source: String, resource: ResourceName?, file: String?, beganAt: UnixMilliseconds,
        endedAt: UnixMilliseconds?, counts: IntakeCounts, undoneAt: UnixMilliseconds?, kept: Int, isRemembered: Bool
    ) {
        self.number = number
        self.kind = kind
        self.source = source
        self.resource = resource
        self.file = file
        self.beganAt = beganAt
        self.endedAt = endedAt
        self.counts = counts
        self.undoneAt = undoneAt
        self.kept = kept
        self.isRemembered = isRemembered
    }
}

/// What became of an intake's rows.
package struct IntakeCounts: Hashable, Sendable {
    package var read = 0
    /// Rows that changed something, by what they changed.
    package var changes: [IntakeChange: Int] = [:]
    package var unchanged = 0
    /// Rows with the key of an earlier row of the file that were not refused: each of them fell onto the same ticket.
    package var collapsed = 0
    package var rejected = 0

    package init() {}

    package var accepted: Int { changes.values.reduce(0, +) }
}

/// What undoing an intake did, or would do.
package struct UndoReport: Hashable, Sendable {
    package let number: Int64
    /// Records that had not been here before it: they are tombstones now.
    package var removed = 0
    /// Records that are again what they were before it.
    package var restored = 0
    /// Records that stay, because a later intake has said the same or has gone on from it: they are that one's now.
    package var passedOn = 0
    /// Records that stay, because a person or another node has acted on their ticket.
    package var kept = 0
    /// Global ids of the first of these tickets.
    package var keptTickets: [String] = []
    /// That of the feed after the last commit; 0 when nothing was written.
    package var head: Seq = 0

    package init(number: Int64) { self.number = number }
}
