import FederationModel
import LocalStore

extension NodeDesk {
    /// A version of a node's catalog.
    ///
    /// - Parameters:
    ///   - named: this node or one below it, by its code or the beginning of its name; nil for this one.
    ///   - version: nil for the newest; at a node that has published none that is what its file makes, as version 0.
    /// - Throws: `E_CATALOG_VERSION`, `E_NODE_UNKNOWN`, `E_NODE_AMBIGUOUS`, `E_CATALOG_INVALID`.
    package func catalog(
        of named: String? = nil, version: Int64? = nil
    ) async throws -> (owner: NodeID, release: CatalogRelease) {
        try await perform(.showCatalog) { _ in
            let owner = try named.map { try node(named: $0).id } ?? id
            return (owner, try release(of: owner, version: version))
        }
    }

    /// One entry of a catalog.
    ///
    /// - Throws: as `catalog`, and `E_CATALOG_ENTRY`.
    package func catalogEntry(
        _ resource: String, of named: String? = nil, version: Int64? = nil
    ) async throws -> CatalogEntry {
        try await perform(.showCatalog) { _ in
            let owner = try named.map { try node(named: $0).id } ?? id
            let catalog = try release(of: owner, version: version).catalog
            guard let entry = catalog.entry(ResourceName(resource)) else {
                throw FederationError(
                    "E_CATALOG_ENTRY", "the catalog has no entry of that name",
                    hint: suggestion(for: resource, among: catalog.entries.map(\.resource.text)))
            }
            return entry
        }
    }

    /// What one version of a catalog has that another has not.
    ///
    /// - Throws: as `catalog`.
    package func catalogDifference(
        of named: String, from: Int64, to: Int64
    ) async throws -> (owner: NodeID, difference: CatalogDifference) {
        try await perform(.showCatalog) { _ in
            let owner = try node(named: named).id
            let (older, newer) = (try release(of: owner, version: from), try release(of: owner, version: to))
            return (owner, CatalogDifference(from: older.catalog, to: newer.catalog))
        }
    }

    /// Holds the catalogs that are here against the topology and against what has arrived.
    package func checkCatalogs() async throws -> CatalogCheck {
        try await perform(.checkCatalogs) { now in try await checkCatalogs(now: now) }
    }

    /// Makes this node's catalog file the newest version, which goes up the tree; nothing happens when it is as it was.
    ///
    /// - Throws: `E_CATALOG_INVALID`.
    package func publishCatalog() async throws -> CatalogPublication {
        try await perform(.publishCatalog) { now in
            let catalog = try catalogOfFile().valid(on: ShanghaiTime.dayNumber(now))
            let newest = try store.catalogs(of: id).last
            if let newest, newest.catalog == catalog {
                return CatalogPublication(
                    release: newest, isNew: false, rejected: try await rejectedSubscriptions())
            }
            let release = CatalogRelease(version: (newest?.version ?? 0) + 1, publishedAt: now, catalog: catalog)
            _ = try await commit(\.head) { try await store.intake(release.records, now: now) }
            return CatalogPublication(release: release, isNew: true, rejected: try await rejectedSubscriptions())
        }
    }

    private func release(of owner: NodeID, version: Int64?) throws -> CatalogRelease {
        let releases = try store.catalogs(of: owner)
        if let version {
            if let release = releases.first(where: { $0.version == version }) { return release }
        } else if let newest = releases.last {
            return newest
        } else if owner == id {
            // Nothing is published before the first start.
            return CatalogRelease(version: 0, publishedAt: 0, catalog: try catalogOfFile())
        }
        throw FederationError(
            "E_CATALOG_VERSION",
            version.map { "version \($0) of the catalog of \(owner) is not here" }
                ?? "no version of the catalog of \(owner) is here",
            hint: releases.isEmpty
                ? "it comes when that node has been started and its link is up"
                : "there are \(releases.map { "\($0.version)" }.joined(separator: ", "))")
    }
}

/// What publishing the catalog came to.
package struct CatalogPublication: Sendable {
    /// The newest.
    package let release: CatalogRelease
    /// Whether it is newer than the one before.
    package let isNew: Bool
    /// Subscriptions that it, or a neighbour's catalog, rejects.
    package let rejected: [RejectedSubscription]
}
