/// A notice to the public (公告), of this node or of another.
package struct Announcement: Hashable, Sendable {
    package let key: String
    package let origin: NodeID
    package let title: String
    package let content: String
    package let publishedAt: UnixMilliseconds
    package let validUntil: UnixMilliseconds?
    package let region: String?
    package let serviceCode: String?
    package var withdrawnAt: UnixMilliseconds?

    package init(
        key: String, origin: NodeID, title: String, content: String, publishedAt: UnixMilliseconds,
        validUntil: UnixMilliseconds?, region: String?, serviceCode: String?
    ) {
        self.key = key
        self.origin = origin
        self.title = title
        self.content = content
        self.publishedAt = publishedAt
        self.validUntil = validUntil
        self.region = region
        self.serviceCode = serviceCode
    }

    /// Whether it holds: neither withdrawn nor run out.
    package func isValid(at time: UnixMilliseconds) -> Bool {
        withdrawnAt == nil && validUntil.map { time <= $0 } ?? true
    }

    package var record: IntakeRecord {
        func text(_ text: String?) -> FieldValue { text.map { .text($0) } ?? .null }
        func time(_ time: UnixMilliseconds?) -> FieldValue { time.map { .integer($0) } ?? .null }
        return IntakeRecord(
            resource: BuiltInResources.announcement.name, key: key,
            fields: [
                "title": .text(title), "content": .text(content), "published_at": .integer(publishedAt),
                "valid_until": time(validUntil), "region_code": text(region), "service_code": text(serviceCode),
                "withdrawn_at": time(withdrawnAt),
            ])
    }
}
