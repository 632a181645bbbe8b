/// Whether what a provider's catalog promises has arrived (5.3-4).
package struct OverdueResource: Hashable, Sendable {
    package let resource: ResourceName
    package let origin: NodeID
    /// Whole hours since the last arrival, or since the catalog was published when nothing has arrived yet.
    package let hours: Int64
    package let hoursMax: Int64

    /// - Parameters:
    ///   - arrivals: when rows of `origin` last changed here.
    ///   - asOf: how fresh the copy of the origin is. What comes in real time has nothing new when nothing happens, so a
    ///     copy that is level is fresh; every other cycle promises rows.
    /// - Returns: the overdue ones among `resources`, in the order of the catalog.
    package static func all(
        of release: CatalogRelease, origin: NodeID, among resources: Set<ResourceName>,
        arrivals: [ResourceName: UnixMilliseconds], asOf: UnixMilliseconds?, now: UnixMilliseconds
    ) -> [OverdueResource] {
        release.catalog.entries.compactMap { entry in
            guard resources.contains(entry.resource), let hoursMax = entry.cycle.hoursMax else { return nil }
            var last = arrivals[entry.resource] ?? release.publishedAt
            if entry.cycle == .realTime, let asOf { last = max(last, asOf) }
            let age = now - last
            guard age > hoursMax * 3_600_000 else { return nil }
            return OverdueResource(
                resource: entry.resource, origin: origin, hours: age / 3_600_000, hoursMax: hoursMax)
        }
    }

    package var text: String { "OVERDUE \(resource) \(origin) \(hours)h > \(hoursMax)h" }
}
