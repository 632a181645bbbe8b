/// Why a resource does not flow over a link although the topology has it copied (5.3-1, 5.3-2).
package enum CatalogRefusal: String, Sendable, CaseIterable {
    case notCatalogued = "E_RESOURCE_NOT_CATALOGED"
    case notShared = "E_CATALOG_NOT_SHARED"
    case approvalRequired = "E_CATALOG_APPROVAL_REQUIRED"

    /// What is wrong, for a person.
    package var text: String {
        switch self {
        case .notCatalogued: "the sender's catalog has no entry for it"
        case .notShared: "the sender's catalog says 不予共享"
        case .approvalRequired: "the sender's catalog says 有条件共享, and the receiver has no approval that is valid"
        }
    }
}

/// The data-resource catalog (热线数据资源目录) of one node: what it collects and hands on, and on what terms.
package struct Catalog: Hashable, Sendable {
    /// Each resource once.
    package let entries: [CatalogEntry]
    private let positions: [ResourceName: Int]

    package init(_ entries: [CatalogEntry]) {
        self.entries = entries
        positions = Dictionary(
            entries.enumerated().map { ($0.element.resource, $0.offset) }, uniquingKeysWith: { first, _ in first })
    }

    /// What no catalog has an entry of or holds back: the catalog itself, and the order to let go of what was handed on.
    package static let exempt = CatalogResources.names.union(RemovalResources.names)

    package func entry(_ resource: ResourceName) -> CatalogEntry? { positions[resource].map { entries[$0] } }

    /// Why `receiver` gets no rows of `resource`; nil when it may have them. Approvals count without regard to time: a
    /// catalog that is published holds only those that are valid.
    package func refusal(of resource: ResourceName, to receiver: NodeID) -> CatalogRefusal? {
        guard let entry = entry(resource) else { return .notCatalogued }
        switch entry.sharing {
        case .unconditional: return nil
        case .none: return .notShared
        case .conditional:
            return entry.approvals.contains { $0.consumer == receiver } ? nil : .approvalRequired
        }
    }

    /// The catalog as it is good on a day: without the approvals that have run out.
    ///
    /// - Parameter day: in China, counted from 1970-01-01.
    package func valid(on day: Int64) -> Catalog {
        Catalog(
            entries.map { entry in
                var entry = entry
                entry.approvals.removeAll { $0.until < day }
                return entry
            })
    }
}

/// A catalog as its node published it.
package struct CatalogRelease: Hashable, Sendable {
    /// Counted from 1 by the node itself: every publication that differs from the one before is the next.
    package let version: Int64
    package let publishedAt: UnixMilliseconds
    package let catalog: Catalog

    package init(version: Int64, publishedAt: UnixMilliseconds, catalog: Catalog) {
        self.version = version
        self.publishedAt = publishedAt
        self.catalog = catalog
    }
}

extension LinkPolicy {
    /// The same link under the catalog of its sender.
    ///
    /// What the catalog does not grant stays in the order of the sweep, so that both ends agree about the order whatever the
    /// receiver knows of the catalog; it is listed as empty there, and the receiver lets go of it. The revision changes
    /// only with what is granted: a new summary must not sweep millions of rows.
    ///
    /// - Parameter releases: those of the sender, in the order of their versions.
    package func under(_ releases: [CatalogRelease]) -> LinkPolicy {
        var policy = self
        var revision: Int64 = 0
        for release in releases {
            let withheld = Set(
                resources.filter {
                    !Catalog.exempt.contains($0) && release.catalog.refusal(of: $0, to: receiver) != nil
                })
            if withheld != policy.withheld {
                policy.withheld = withheld
                revision = release.version
            }
        }
        policy.revision = LinkRevision(topology: self.revision.topology, policy: revision)
        return policy
    }
}
