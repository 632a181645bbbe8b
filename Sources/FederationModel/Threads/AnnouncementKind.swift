/// Announcements (公告) as a kind of thread: each is one record, which its origin revises or withdraws.
package struct AnnouncementKind: ThreadKind {
    package let name = "announcement"
    package let key = "key"

    package let forms = [
        ThreadForm(
            BuiltInResources.announcement.name, columns: ["published_at", "withdrawn_at"],
            record: { origin, _, version, values in
                AnnouncementRecord(
                    origin: origin, version: HybridTime(rawValue: version), publishedAt: values[0].integer ?? 0,
                    withdrawnAt: values[1].integer)
            })
    ]

    package init() {}

    package func basis(_ rules: LifecycleRules) -> String { "1" }

    package func fold(_ records: [AnnouncementRecord], rules: LifecycleRules) -> AnnouncementState {
        guard let record = records.max(by: { $0.version < $1.version }) else {
            return AnnouncementState(status: .published, since: nil)
        }
        if let withdrawnAt = record.withdrawnAt {
            return AnnouncementState(status: .withdrawn, since: withdrawnAt)
        }
        // Its version says when its origin wrote it last.
        let written = record.version.milliseconds
        return written - record.publishedAt > Self.writingTime
            ? AnnouncementState(status: .revised, since: written)
            : AnnouncementState(status: .published, since: record.publishedAt)
    }

    /// Milliseconds from the time that a record gives itself to that at which it is stored.
    private static let writingTime: Int64 = 60_000

    /// Its origin and everybody below, who answer the public there.
    package func audience(_ records: [AnnouncementRecord], at here: NodeID, topology: Topology) -> Set<NodeID> {
        guard let origin = records.first.flatMap({ NodeID($0.origin) }) else { return [] }
        return Set(topology.subtree(of: origin))
    }
}

package struct AnnouncementRecord: Sendable {
    package let origin: String
    package let version: HybridTime
    package let publishedAt: UnixMilliseconds
    package let withdrawnAt: UnixMilliseconds?

    package init(origin: String, version: HybridTime, publishedAt: UnixMilliseconds, withdrawnAt: UnixMilliseconds?) {
        self.origin = origin
        self.version = version
        self.publishedAt = publishedAt
        self.withdrawnAt = withdrawnAt
    }
}

package struct AnnouncementState: ThreadState, Hashable {
    package enum Status: String, Sendable {
        case published
        case revised
        case withdrawn
    }

    package let status: Status
    package let since: UnixMilliseconds?

    package var word: String { status.rawValue }
}
