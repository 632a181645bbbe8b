import FederationModel
import GRDB

import struct FederationModel.Cursor

extension NodeStore {
    /// Tickets may have been numbered after the copy that this database goes back to; no number is given twice (design rule 6). More
    /// than a hotline takes in on its fullest day.
    private static let numbersSkipped = 50_000
    /// How far a receiver's word may raise the counter of the epoch: far more than a node is ever restored, far less than there is.
    private static let counterStepMax: UInt32 = 1_000_000

    /// Holds what a receiver says of its cursor against this database, and begins another epoch if the cursor is of another past: an
    /// older copy was put back, a copy runs elsewhere, commits went with the machine's power, or the node was set up afresh
    /// (design rule 6). Nobody has to say that he restored.
    ///
    /// - Parameter mark: the cursor's history mark; nil when the receiver has none.
    /// - Returns: the epoch that has begun; nil when the receiver's past is this one's.
    /// - Throws: `E_EPOCH` when the receiver names an epoch that no node comes to.
    package func recognise(
        _ cursor: Cursor?, mark: HistoryMark?, of receiver: NodeID, now: UnixMilliseconds
    ) async throws -> Epoch? {
        guard let cursor, try await isOfAnotherPast(cursor, mark: mark) else { return nil }
        // Whoever lies again and again comes to this bound and is refused from then on; the sum does not overflow.
        guard cursor.epoch.counter < UInt32.max - Self.counterStepMax,
            cursor.epoch.counter <= epoch.counter + Self.counterStepMax
        else {
            throw FederationError(
                "E_EPOCH", "\(receiver) stands on epoch \(cursor.epoch) of \(node), which is at epoch \(epoch)",
                hint: "ask the administrator of \(receiver) which database its cursor is from")
        }
        return try await beginEpoch(above: cursor.epoch.counter, now: now)
    }

    /// Begins another epoch because this database is an older copy, or a new one: the receivers sweep, and may give back what it lost.
    ///
    /// - Parameter counter: the highest that is known of this node's epochs elsewhere.
    /// - Returns: the epoch that has begun, which another task may have done first.
    @discardableResult
    package func beginEpoch(above counter: UInt32 = 0, now: UnixMilliseconds) async throws -> Epoch {
        let former = epoch
        let next = Epoch(counter: max(former.counter, counter) + 1, nonce: UInt64.random(in: 0...UInt64.max))
        let day = ShanghaiTime.dayNumber(now)
        let begun = try await writeDurably { db in
            let stored = try NodeValue.text("epoch", db)
            guard stored == former.description else { return stored.flatMap { Epoch($0) } ?? former }
            try db.execute(sql: "UPDATE main.node SET value = ? WHERE name = 'epoch'", arguments: [next.description])
            try db.execute(sql: "INSERT OR IGNORE INTO main.ticket_number VALUES (?, 0)", arguments: [day])
            try db.execute(
                sql: "UPDATE main.ticket_number SET last = min(last + ?, ?) WHERE day >= ?",
                arguments: [Self.numbersSkipped, TicketNumber.sequences.upperBound, day])
            try NodeValue.set(NodeValue.recoveryEnd, now + Self.recoveryTime, db)
            return next
        }
        take(begun)
        return begun
    }

    /// Takes over the epoch that a command has begun on the same database.
    ///
    /// - Returns: nil when it is the one that this process goes by.
    package func takeStoredEpoch() async throws -> Epoch? {
        let stored = try await pool.read { db in try NodeValue.text("epoch", db) }
        guard let stored = stored.flatMap({ Epoch($0) }), stored != epoch else { return nil }
        take(stored)
        return stored
    }

    /// The head, and the mark of the commit that gave it out.
    package func latestMark() async throws -> (head: Seq, mark: HistoryMark?) {
        try await pool.read { db in
            let head = try NodeValue.integer("seq", db)
            return (head, try HistoryMarks.mark(of: head, db))
        }
    }

    private func isOfAnotherPast(_ cursor: Cursor, mark: HistoryMark?) async throws -> Bool {
        let epoch = epoch
        guard cursor.epoch == epoch else { return cursor.epoch.counter >= epoch.counter }
        return try await pool.read { db in
            if cursor.seq > (try NodeValue.integer("seq", db)) { return true }
            guard let mark, let ours = try HistoryMarks.mark(of: cursor.seq, db) else { return false }
            return mark != ours
        }
    }
}
