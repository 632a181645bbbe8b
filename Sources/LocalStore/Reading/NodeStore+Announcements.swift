import FederationModel
import GRDB

extension NodeStore {
    /// All that are here, the newest first.
    package func announcements() async throws -> [Announcement] {
        try await pool.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT "key", origin, title, content, published_at, valid_until, region_code, service_code, withdrawn_at
                    FROM main.announcement WHERE deleted = 0 ORDER BY published_at DESC, origin, "key"
                    """
            ).compactMap { row in
                guard let origin = NodeID(row[1]) else { return nil }
                var announcement = Announcement(
                    key: row[0], origin: origin, title: row[2], content: row[3], publishedAt: row[4],
                    validUntil: row[5], region: row[6], serviceCode: row[7])
                announcement.withdrawnAt = row[8]
                return announcement
            }
        }
    }
}
