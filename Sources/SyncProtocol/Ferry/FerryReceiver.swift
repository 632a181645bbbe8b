import ChangeSetFormat
import FederationModel

/// Where a receiver stands with a sender, as its store says.
package struct ReceiverPlace: Hashable, Sendable {
    package var cursor: Cursor
    package var mark: HistoryMark?
    /// The sender's clock when the change-set was made that brought it there; nil when that is not known.
    package var madeAt: UnixMilliseconds?

    package init(cursor: Cursor, mark: HistoryMark?, madeAt: UnixMilliseconds?) {
        self.cursor = cursor
        self.mark = mark
        self.madeAt = madeAt
    }
}

/// The receiving end of a ferry file, as a value: the rules of a link (`ReceivingRules`), for a sender that can't be answered.
///
/// So three things differ. A file may be old: its clock is judged only where it is ahead. What is here already is passed over instead of
/// being refused, because a file that was carried twice, or that a connection has overtaken, is no fault. And nobody holds the
/// receiver's cursor against the sender's history before rows come, so the file itself must show that its writer knows that
/// cursor.
package struct FerryReceiver: Sendable {
    package enum Verdict: Hashable, Sendable {
        case apply
        /// All of it is here.
        case isHere
    }

    private let rules: ReceivingRules
    private let opening: FerryOpening
    private var place: ReceiverPlace?
    /// Whether the writer of the file has the receiver's cursor in its history, or lives another life in which it does not matter.
    private var isPastKnown = false

    /// - Parameters:
    ///   - topology: that this node stands on.
    ///   - policy: what the sender may send here; nil when the topology has no such edge.
    ///   - schemaRevision: that this node knows; the file goes by that of its hello, if it is an earlier one.
    /// - Throws: the codes of a refused hello; nothing in the file is to be believed then.
    package init(
        _ opening: FerryOpening, node: NodeID, sender: NodeID, topology: TopologyStamp, policy: LinkPolicy?,
        schemaRevision: Int, now: UnixMilliseconds
    ) throws(FederationError) {
        let rules = ReceivingRules(node: node, sender: sender, topology: topology, policy: policy)
        _ = try rules.check(opening.hello, now: min(now, opening.hello.clock))
        self.rules = rules.under(
            opening.hello.revision, of: policy?.known(at: min(schemaRevision, opening.hello.schemaRevision)))
        self.opening = opening
    }

    /// Holds the file against where this node stands with the sender, before any row of it.
    ///
    /// - Parameter place: nil before the first change-set.
    /// - Throws: `E_EPOCH` for a file of an earlier life of the sender's database; `E_HISTORY_DIFFERS` when this node got rows of a past
    ///   that the sender's database no longer knows.
    package mutating func stand(at place: ReceiverPlace?) throws(FederationError) {
        let (hello, node, sender) = (opening.hello, rules.node, rules.sender)
        self.place = place
        isPastKnown = true
        guard let place else { return }
        guard place.cursor.epoch == hello.epoch else {
            // On a connection the sender would have found a counter above this one.
            guard hello.epoch.counter > place.cursor.epoch.counter else {
                throw FederationError(
                    LinkCode.epoch,
                    "the file is of epoch \(hello.epoch) of \(sender), and \(node) has rows of its epoch "
                        + "\(place.cursor.epoch) already",
                    hint:
                        "it was made before \(sender) began that epoch, or an older database of \(sender) runs: carry a "
                        + "file of this node there, and it finds out by itself")
            }
            return
        }
        guard let known = opening.known.first(where: { $0.seq == place.cursor.seq }) else {
            isPastKnown = false
            if hello.head < place.cursor.seq, let madeAt = place.madeAt, hello.clock > madeAt {
                throw .historyDiffers(place.cursor, of: sender, at: node)
            }
            return
        }
        if let ours = place.mark, let theirs = known.mark, ours != theirs {
            throw .historyDiffers(place.cursor, of: sender, at: node)
        }
    }

    /// Whether the sender speaks of the rows that this node has from it, and not of those of another life of its database.
    package var isSameEpoch: Bool { cursor?.epoch == opening.hello.epoch }

    /// What the sender may send, under the revision that it has named.
    package var policy: LinkPolicy? { rules.policy }

    package var cursor: Cursor? { place?.cursor }

    /// What to do with the next change-set of the file.
    ///
    /// - Throws: `E_OUT_OF_STEP` when this node has not got what comes before it, or stands where the file does not know; the codes of a
    ///   refused change-set.
    package func verdict(
        on header: ChangeSetHeader, now: UnixMilliseconds
    ) throws(FederationError) -> Verdict {
        guard let policy = rules.policy else { throw outOfStep(header.start) }
        if let cursor, policy.covers(header.end, by: cursor) { return .isHere }
        try rules.check(
            header, epoch: opening.hello.epoch, policy: policy, expected: cursor, now: min(now, header.createdAt))
        guard isPastKnown, policy.accepts(start: header.start, after: cursor) else { throw outOfStep(header.start) }
        return .apply
    }

    /// The store has committed a change-set, or another one has come over a connection meanwhile.
    package mutating func onMoved(to cursor: Cursor?) {
        place = cursor.map { ReceiverPlace(cursor: $0, mark: nil, madeAt: nil) }
    }

    /// Whether, with the file's last change-set, all is here that its heartbeat tells of.
    ///
    /// - Parameter end: that of the last change-set; nil when the file has none.
    package func isLevel(behind end: Cursor?) -> Bool {
        cursor?.sweep == .complete && cursor == (end ?? opening.from)
    }

    private func outOfStep(_ start: Cursor) -> FederationError {
        let here = cursor.map { "at seq \($0.seq) of epoch \($0.epoch), \($0.sweep)" } ?? "at the beginning"
        return FederationError(
            LinkCode.outOfStep,
            "the file goes on from seq \(start.seq) of \(rules.sender), and \(rules.node) stands \(here)",
            hint:
                "import the files before it first; if there are none, carry a file of this node to \(rules.sender): the next "
                + "one from there starts where this node stands")
    }
}

extension LinkPolicy {
    /// Whether a receiver at `cursor` has everything that a change-set up to `end` brings.
    func covers(_ end: Cursor, by cursor: Cursor) -> Bool {
        cursor.epoch == end.epoch && cursor.revision == end.revision && end.seq <= cursor.seq
            && isOnward(from: end.sweep, to: cursor.sweep)
    }
}

extension FederationError {
    fileprivate static func historyDiffers(_ cursor: Cursor, of sender: NodeID, at node: NodeID) -> FederationError {
        FederationError(
            "E_HISTORY_DIFFERS",
            "\(node) stands at seq \(cursor.seq) of epoch \(cursor.epoch) of \(sender), which the file does not know: an older "
                + "database of \(sender) was put back",
            hint:
                "nothing was changed. Carry a file of this node to \(sender): it takes a new epoch, and what it lost goes back to "
                + "it")
    }
}
