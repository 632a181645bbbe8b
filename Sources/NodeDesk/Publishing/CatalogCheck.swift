import CatalogFile
import FederationModel
import Foundation
import LocalStore

/// A subscription of the topology that the sender's catalog rejects (5.3-1).
package struct RejectedSubscription: Sendable {
    package let sender: NodeID
    package let receiver: NodeID
    package let resource: ResourceName
    package let refusal: CatalogRefusal

    package var text: String {
        "\(refusal.rawValue) \(resource) \(sender)->\(receiver): \(refusal.text)"
    }
}

/// Everything that `catalog check` finds.
package struct CatalogCheck: Sendable {
    package let rejected: [RejectedSubscription]
    package let refused: [RefusedResource]
    package let overdue: [OverdueResource]

    package var isClean: Bool { rejected.isEmpty && refused.isEmpty && overdue.isEmpty }
}

extension NodeDesk {
    /// The catalog that this node's file makes of the built-in one.
    ///
    /// - Throws: `E_CATALOG_INVALID` with every problem and its line.
    func catalogOfFile() throws -> Catalog {
        let base = catalogBase
        // A directory that an earlier release made has no file; one that the settings name must be there.
        if settings.catalogPath == settings.standardCatalogPath,
            !FileManager.default.fileExists(atPath: settings.catalogPath)
        {
            return base
        }
        return try readCatalog(path: settings.catalogPath, base: base)
    }

    /// What the file changes: everything that this release declares, provided by this node.
    package var catalogBase: Catalog {
        topology.node(id).map { Catalog.builtIn(of: $0, resources: store.resources) } ?? Catalog([])
    }

    /// Subscriptions on the links of this node, by the catalogs that are here.
    func rejectedSubscriptions() async throws -> [RejectedSubscription] {
        var rejected: [RejectedSubscription] = []
        for neighbour in topology.neighbours(of: id) {
            for (sender, receiver) in [(id, neighbour), (neighbour, id)] {
                guard let catalog = try store.catalogs(of: sender).last?.catalog,
                    let policy = LinkPolicy(
                        from: sender, to: receiver, topology: topology, resources: store.resources)
                else { continue }
                for resource in policy.wholeResources.subtracting(Catalog.exempt).sorted() {
                    guard let refusal = catalog.refusal(of: resource, to: receiver) else { continue }
                    rejected.append(
                        RejectedSubscription(
                            sender: sender, receiver: receiver, resource: resource, refusal: refusal))
                }
            }
        }
        return rejected
    }

    /// Holds the catalogs that are here against the topology and against what has arrived (5.3-1, 5.3-2, 5.3-4).
    func checkCatalogs(now: UnixMilliseconds) async throws -> CatalogCheck {
        let (arrivals, freshness) = (try await store.arrivals(), try await store.freshness())
        var overdue: [OverdueResource] = []
        for origin in topology.subtree(of: id) {
            guard let release = try store.catalogs(of: origin).last else { continue }
            let copied = Set(store.resources.map(\.name).filter { isExpected($0, of: origin) })
            overdue += OverdueResource.all(
                of: release, origin: origin, among: copied, arrivals: arrivals[origin] ?? [:],
                asOf: origin == id ? now : freshness[origin]?.asOf, now: now)
        }
        return CatalogCheck(
            rejected: try await rejectedSubscriptions(), refused: try await store.refusedResources(), overdue: overdue)
    }

    /// Whether rows of `origin` come here: every hop on their way copies them.
    private func isExpected(_ resource: ResourceName, of origin: NodeID) -> Bool {
        guard BuiltInResources.named(resource)?.isReference != true else { return false }
        var receiver = id
        while let supplier = topology.supplier(of: origin, to: receiver) {
            guard topology.copies([resource], from: supplier, to: receiver) else { return false }
            receiver = supplier
        }
        return true
    }
}

/// A catalog to work with, for everyone who does not show its problems one by one.
///
/// - Throws: `E_CATALOG_INVALID` with every problem and its line.
package func readCatalog(path: String, base: Catalog) throws(FederationError) -> Catalog {
    do {
        return try CatalogFile.read(path: path, base: base)
    } catch {
        throw FederationError(
            "E_CATALOG_INVALID", "\(path) can't be used:\n\(error)",
            hint: "mend it and check it with `federation-node catalog validate`")
    }
}
