/// A revision of a report as a line of the archive.
package struct ReportLine: Hashable, Sendable {
    package let origin: NodeID
    package let key: String
    package let number: String
    package let revision: Int
    /// Codes of the lists `report_kind` and `report_edition`.
    package let kind: String
    package let edition: String
    package let period: String
    package let title: String
    package let madeAt: UnixMilliseconds

    package init(
        origin: NodeID, key: String, number: String, revision: Int, kind: String, edition: String, period: String,
        title: String, madeAt: UnixMilliseconds
    ) {
        self.origin = origin
        self.key = key
        self.number = number
        self.revision = revision
        self.kind = kind
        self.edition = edition
        self.period = period
        self.title = title
        self.madeAt = madeAt
    }
}

/// A node that gets the reports of a series.
package struct ReportSubscription: Hashable, Sendable {
    package let series: String
    package let node: NodeID
    package let since: UnixMilliseconds
    package let endedAt: UnixMilliseconds?

    package init(series: String, node: NodeID, since: UnixMilliseconds, endedAt: UnixMilliseconds?) {
        self.series = series
        self.node = node
        self.since = since
        self.endedAt = endedAt
    }
}
