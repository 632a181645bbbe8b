import FederationModel
import GRDB

extension NodeStore {
    /// After so many tries, a day, nobody waits for an alert any more.
    private static let deliveryTriesMax = 30
    private static let deliveriesAtOnce = 100

    /// Alerts that stand and that a system outside has not got yet, or got at a lower level, by id with their level.
    ///
    /// - Parameters:
    ///   - target: `webhook` or `mail`.
    ///   - least: the least level that is sent on.
    ///   - since: alerts raised before are sent no more.
    package func alertsToDeliver(
        to target: String, from least: AlertLevel, since: UnixMilliseconds, now: UnixMilliseconds
    ) async throws -> [(alert: String, level: AlertLevel)] {
        try await pool.read { db in
            let ranks = AlertLevel.allCases.enumerated().map { "WHEN '\($1.rawValue)' THEN \($0)" }.joined(
                separator: " ")
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT alert_id, rank FROM (
                      SELECT a.alert_id, max(CASE a.level \(ranks) END) AS rank
                      FROM main.alert AS a JOIN main.thread_state AS t ON t.kind = ?1 AND t.thread = a.alert_id
                      WHERE a.deleted = 0 AND a.withdrawn_at IS NULL AND a.occurred_at >= ?2
                        AND t.state IN ('raised', 'acknowledged', 'situation') GROUP BY a.alert_id)
                    LEFT JOIN main.alert_delivery AS d ON d.alert = alert_id AND d.target = ?3
                    WHERE rank >= ?4 AND (d.alert IS NULL
                      OR d.delivered_at IS NULL AND d.next_at <= ?5 AND d.tries < \(Self.deliveryTriesMax)
                      OR d.delivered_at IS NOT NULL AND rank > CASE d.level \(ranks) END)
                    ORDER BY rank DESC, alert_id LIMIT \(Self.deliveriesAtOnce)
                    """,
                arguments: [AlertKind.title, since, target, AlertLevel.allCases.firstIndex(of: least) ?? 0, now])
            return rows.map { ($0[0], AlertLevel.allCases[$0[1] as Int]) }
        }
    }

    /// Notes that an alert was sent on, or that it is to be tried again after 1, 2, 4 … minutes, an hour at most.
    package func noteDelivery(
        of alert: String, at level: AlertLevel, to target: String, isDelivered: Bool, now: UnixMilliseconds
    ) async throws {
        try await pool.write { db in
            let tries =
                try db.cachedStatement(
                    sql: "SELECT tries FROM main.alert_delivery WHERE alert = ? AND target = ? AND delivered_at IS NULL"
                ).fetchInteger([alert, target]) ?? 0
            let pause = Int64(1) << min(tries, 6) * 60_000
            try db.execute(
                sql: "INSERT OR REPLACE INTO main.alert_delivery VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [
                    alert, target, level.rawValue, tries + 1, now + min(pause, 3_600_000), isDelivered ? now : nil,
                ])
        }
    }
}
