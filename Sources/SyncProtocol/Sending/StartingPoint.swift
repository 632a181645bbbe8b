import FederationModel

extension LinkPolicy {
    /// Where a sender goes on when its receiver stands on `cursor`, which is the truth (design rule 5).
    ///
    /// Of nothing, or of another life of this database: at the head, and a sweep brings what is there already (rule 6). Under another
    /// policy: the same seq, and a sweep.
    ///
    /// - Throws: `E_CURSOR_AHEAD`.
    package func startingPoint(
        after cursor: Cursor?, epoch: Epoch, head: Seq
    ) throws(FederationError) -> Cursor {
        guard let cursor, cursor.epoch == epoch else {
            return Cursor(epoch: epoch, seq: head, revision: revision, sweep: sweepStart)
        }
        guard cursor.seq <= head, cursor.revision <= revision else {
            throw FederationError(
                LinkCode.cursorAhead,
                "\(receiver) stands on seq \(cursor.seq) of revision \(cursor.revision), but \(sender) has "
                    + "only come to seq \(head) of revision \(revision) in epoch \(epoch)",
                hint: "an older copy of the database was put back without a new epoch; docs/operating.md says how to "
                    + "give it one")
        }
        guard cursor.revision != revision else { return cursor }
        return Cursor(epoch: epoch, seq: cursor.seq, revision: revision, sweep: sweepStart)
    }
}
