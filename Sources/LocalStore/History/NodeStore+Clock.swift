import ChangeSetFormat
import FederationModel
import GRDB

extension NodeStore {
    /// Between two notes, milliseconds.
    private static let agreementPause: Int64 = 60_000

    /// Notes that a neighbour's clock agrees with this node's, which shows `now`; at most once a minute, for it is a write.
    package func noteAgreedClock(now: UnixMilliseconds) async throws {
        let noted = try await pool.read { db in try NodeValue.integer(NodeValue.clocksAgreedAt, db) }
        guard (now - noted).magnitude >= Self.agreementPause.magnitude else { return }
        try await pool.write { db in try NodeValue.set(NodeValue.clocksAgreedAt, now, db) }
    }
}

extension FeedWriter {
    /// A node that was off for longer than this is set up anew.
    private static let absenceMax: Int64 = 366 * 86_400_000

    /// What is taken in under a clock that can't be right would bear times that nobody can mend.
    ///
    /// - Throws: `E_CLOCK_IMPLAUSIBLE` when the clock shows an earlier time than when a neighbour's agreed with it last, or one that is more
    ///   than a year later.
    func requirePlausibleClock() throws {
        let agreed = try NodeValue.integer(NodeValue.clocksAgreedAt, db)
        guard agreed > 0 else { return }
        guard (agreed - SyncLimits.clockSkewMax...agreed + Self.absenceMax).contains(now) else {
            throw FederationError(
                "E_CLOCK_IMPLAUSIBLE",
                "the clock of \(node) shows \(now) ms since 1970 UTC; a neighbour's agreed with it last when it showed \(agreed)",
                hint: "set the machine's clock by a time server; nothing was stored", isRetryable: true)
        }
    }
}
