import FederationModel
import LocalStore
import Zstandard

/// What a new topology would do, link by link over the whole federation.
package struct TopologyPlan: Sendable {
    /// What happens to one resource on one link.
    package struct Entry: Sendable {
        package let edge: LinkEdge
        package let change: LinkChange
        /// nil for a link on which no row is concerned.
        package let resource: ResourceName?
        package let added: Int64
        package let retracted: Int64
        /// Rows that the receiver has and that a sweep states again.
        package let resent: Int64
        /// Estimated from a sample of the rows.
        package let bytes: Int64
        /// Columns that the receiver sees anew, or better than before; `*` when it has seen no row of the resource.
        package let newlyVisible: [String]
        /// Whether this node sends on the link, so that the counts are exact. Of other links it counts what it holds copies of.
        package let isExact: Bool
    }

    /// Rows of a removed node that are here and would be deleted for good.
    package struct Purge: Sendable {
        package let node: TopologyNode
        package let rows: Int64
    }

    package let current: Int64
    package let version: Int64
    package let entries: [Entry]
    package let purges: [Purge]
    package let frozen: [DetachedNode]
    /// Open tickets of nodes that leave, by the node that handles them, as far as they are here: nobody would go on with them.
    package let openTickets: [NodeID: Int]

    package var changesAnything: Bool { !entries.isEmpty || !purges.isEmpty || !frozen.isEmpty }
}

extension NodeDesk {
    /// Holds a topology against the one in force and counts the rows that are here. Nothing is changed.
    package func plan(_ new: Topology) async throws -> TopologyPlan {
        try await perform(.planTopology) { now in try await plan(for: new, now: now) }
    }

    func plan(for new: Topology, now: UnixMilliseconds) async throws -> TopologyPlan {
        let standing = standing
        let change = TopologyChange(
            from: standing.topology, to: new, known: try await local.source.knownNodes(), resources: store.resources)
        var entries: [TopologyPlan.Entry] = []
        for link in change.links {
            let catalogs = try store.catalogs(of: link.edge.sender)
            let (former, current) = (link.former?.under(catalogs), link.current?.under(catalogs))
            func entry(_ resource: ResourceName?, _ plan: PolicyPlan?) -> TopologyPlan.Entry {
                let isResent = link.change == .swept
                return TopologyPlan.Entry(
                    edge: link.edge, change: link.change, resource: resource, added: plan?.added ?? 0,
                    retracted: plan?.retracted ?? 0, resent: isResent ? plan?.again ?? 0 : 0, bytes: plan?.bytes ?? 0,
                    newlyVisible: resource.map { Self.newlyVisible($0, from: former, to: current, store.resources) }
                        ?? [],
                    isExact: link.edge.sender == id)
            }
            let plans =
                link.change == .rerouted
                ? []
                : try await store.plan(from: former, to: current, now: now, compressor: ZstandardCompressor())
            let visible = current.map { current in
                store.resources.map(\.name).filter { resource in
                    current.wholeResources.contains(resource) && !plans.contains { $0.resource == resource }
                        && !Self.newlyVisible(resource, from: former, to: current, store.resources).isEmpty
                }
            }
            entries += plans.map { entry($0.resource, $0) } + (visible ?? []).map { entry($0, nil) }
            if plans.isEmpty && visible?.isEmpty != false { entries.append(entry(nil, nil)) }
        }
        var purges: [TopologyPlan.Purge] = []
        for node in change.purged where node.id != id {
            purges.append(TopologyPlan.Purge(node: node, rows: try await store.rows(of: node.id)))
        }
        var openTickets: [NodeID: Int] = [:]
        for node in change.purged.map(\.id) + change.frozen.map(\.id) {
            let count = try await store.openTickets(handledBy: node).count
            if count > 0 { openTickets[node] = count }
        }
        return TopologyPlan(
            current: standing.topology.version, version: new.version, entries: entries, purges: purges,
            frozen: change.frozen, openTickets: openTickets)
    }

    private static func newlyVisible(
        _ resource: ResourceName, from former: LinkPolicy?, to current: LinkPolicy?, _ resources: [ResourceDefinition]
    ) -> [String] {
        guard let current, current.grants(resource), let definition = resources.first(where: { $0.name == resource })
        else { return [] }
        guard let former, former.grants(resource), former.wholeResources.contains(resource) else {
            return current.wholeResources.contains(resource) && !definition.isReference ? ["*"] : []
        }
        let before = Dictionary(
            uniqueKeysWithValues: former.columns(of: definition).map { ($0.column.name, $0.treatment) })
        return current.columns(of: definition).filter { column, treatment in
            guard let former = before[column.name] else { return true }
            return former != .keep && former != treatment
        }.map(\.column.name)
    }
}
