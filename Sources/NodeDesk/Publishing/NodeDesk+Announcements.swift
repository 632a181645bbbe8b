import FederationModel
import LocalStore

extension NodeDesk {
    /// A notice to the public before it has an identity.
    package struct AnnouncementText: Hashable, Sendable {
        package var title: String
        package var content: String
        package var validUntil: UnixMilliseconds?
        package var region: String?
        package var serviceCode: String?

        package init(
            title: String, content: String, validUntil: UnixMilliseconds? = nil, region: String? = nil,
            serviceCode: String? = nil
        ) {
            self.title = title
            self.content = content
            self.validUntil = validUntil
            self.region = region
            self.serviceCode = serviceCode
        }
    }

    /// Publishes a notice, which all nodes below see.
    ///
    /// - Throws: `E_RECORD_INVALID` where a field breaks a rule of the catalog.
    package func publish(_ text: AnnouncementText) async throws -> AnnouncementReport {
        try await perform(.publishAnnouncement) { now in
            let announcement = Announcement(
                key: "\(id)-\(identity(now: now))", origin: id, title: text.title, content: text.content,
                publishedAt: now, validUntil: text.validUntil, region: text.region, serviceCode: text.serviceCode)
            return try await write(announcement, now: now)
        }
    }

    /// Withdraws a notice of this node; one that is withdrawn already stays as it is.
    ///
    /// - Throws: `E_ANNOUNCEMENT_UNKNOWN`.
    package func withdraw(announcement key: String) async throws -> AnnouncementReport {
        try await perform(.withdrawAnnouncement) { now in
            let own = try await store.announcements().first { $0.key.isSame(as: key) && $0.origin == id }
            guard var announcement = own else {
                throw FederationError(
                    "E_ANNOUNCEMENT_UNKNOWN", "node \(id) has published no announcement with that key",
                    hint: "see `federation-node announcement list`; only the node that published one can withdraw it")
            }
            announcement.withdrawnAt = announcement.withdrawnAt ?? now
            return try await write(announcement, now: now)
        }
    }

    /// Notices of this node and of others, the newest first, each with whether it holds.
    ///
    /// - Parameter includesPast: also those that have run out or were withdrawn.
    package func announcements(includesPast: Bool) async throws -> [AnnouncementReport] {
        try await perform(.listAnnouncements) { now in
            try await store.announcements().map { AnnouncementReport($0, now: now) }
                .filter { includesPast || $0.isValid }
        }
    }

    private func write(_ announcement: Announcement, now: UnixMilliseconds) async throws -> AnnouncementReport {
        _ = try await commit(\.head) { try await store.intake([announcement.record], now: now) }
        return AnnouncementReport(announcement, now: now)
    }
}

/// A notice, and whether it holds.
package struct AnnouncementReport: Hashable, Sendable {
    package let announcement: Announcement
    package let isValid: Bool

    init(_ announcement: Announcement, now: UnixMilliseconds) {
        self.announcement = announcement
        isValid = announcement.isValid(at: now)
    }
}
