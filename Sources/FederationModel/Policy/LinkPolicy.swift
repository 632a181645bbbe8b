/// What may flow over one direction of one link: a pure function of the topology, applied at every hop by whoever sends
/// (design rule 7) and checked again by whoever receives.
///
/// It is catalog × topology: the resources of the sender's catalog, restricted by the modes, filters and treatments of the
/// topology. A change of the one or the other is a new revision, so both ends always stand on the same policy.
package struct LinkPolicy: Hashable, Sendable {
    package let sender: NodeID
    package let receiver: NodeID
    package internal(set) var revision: LinkRevision
    /// The resources of which rows may be copied, in the order of the built-in catalog, which is the order of a sweep.
    package private(set) var resources: [ResourceName]
    /// Those of them that the mode or the direction copies, as far as `grant` goes. Of the others, a row is granted when
    /// somebody behind the link must see its ticket (design rule 4).
    package let wholeResources: Set<ResourceName>
    /// Those of `resources` whose rows stay at the sender, because its catalog does not grant them (`under`).
    package internal(set) var withheld: Set<ResourceName> = []
    /// Origins whose rows the sender supplies to the receiver.
    package let origins: Set<NodeID>
    /// The nodes behind the link, as seen from the sender: the receiver, and whoever is reached through it. What one of
    /// them must see is granted whatever `wholeResources` and the filter of `grant` say.
    package internal(set) var nodesBehind: Set<NodeID>
    /// Which rows of them, and what of each row.
    package let grant: LinkGrant
    /// From which schema revision on nodes know each of the resources.
    private let since: [ResourceName: Int]
    /// What a ticket calls the receiver that names it as its respondent.
    package let receiverNames: [String]

    /// - Returns: nil when the topology has no edge between the two.
    package init?(from sender: NodeID, to receiver: NodeID, topology: Topology, resources: [ResourceDefinition]) {
        guard let role = topology.role(of: receiver, to: sender) else { return nil }
        self.sender = sender
        self.receiver = receiver
        revision = LinkRevision(topology: topology.version, policy: 0)
        func isCopied(_ resource: ResourceDefinition) -> Bool {
            topology.copies([resource.name], from: sender, to: receiver)
        }
        let whole = Set(
            resources.filter { resource in
                switch resource.flow {
                case .byMode: isCopied(resource)
                case .byModeAndDown: role == .child || isCopied(resource)
                case .down: role == .child
                case .everywhere: true
                case .withTickets: resources.contains { RemovalResources.covers($0) && isCopied($0) }
                case .byAudience: false
                }
            }.map(\.name))
        wholeResources = whole
        self.resources = resources.filter { $0.hasAudience || whole.contains($0.name) }.map(\.name)
        since = Dictionary(resources.map { ($0.name, $0.since) }) { first, _ in first }
        nodesBehind = Set(topology.nodes.map(\.id).filter { topology.nextHop(from: sender, to: $0) == receiver })
        grant = topology.grant(from: sender, to: receiver)
        receiverNames = topology.node(receiver)?.respondentNames.sorted() ?? []
        origins = Set(topology.nodes.map(\.id).filter { topology.supplier(of: $0, to: receiver) == sender })
    }

    /// The same policy at another revision, which its sender names.
    package func at(_ revision: LinkRevision) -> LinkPolicy {
        var policy = self
        policy.revision = revision
        return policy
    }

    /// What of it flows between two nodes of which the older one has this schema revision: no resource that it does not know. When it
    /// is upgraded it sweeps.
    package func known(at schemaRevision: Int) -> LinkPolicy {
        var policy = self
        policy.resources.removeAll { since[$0, default: 0] > schemaRevision }
        return policy
    }

    /// Whether rows of the resource leave at all.
    package func grants(_ resource: ResourceName) -> Bool {
        resources.contains(resource) && !withheld.contains(resource)
    }

    /// Whether every row of the resource leaves, whatever stands in it.
    package func grantsAll(of resource: ResourceName) -> Bool {
        grants(resource) && wholeResources.contains(resource) && grant.tickets.isEmpty
    }

    /// Where a sweep of this policy begins.
    package var sweepStart: SweepPosition {
        resources.first.map { .at(resource: $0, after: nil) } ?? .complete
    }

    /// Where a sweep goes on after the last row of `resource`.
    package func sweepPosition(after resource: ResourceName) -> SweepPosition {
        guard let index = resources.firstIndex(of: resource), index + 1 < resources.count else { return .complete }
        return .at(resource: resources[index + 1], after: nil)
    }

    /// How each column of `resource` leaves, in the order of its declaration, without those that do not.
    package func columns(of resource: ResourceDefinition) -> [(column: ColumnDefinition, treatment: FieldTreatment)] {
        let treatments = grant.treatments[resource.name] ?? [:]
        return resource.columns.map { ($0, treatments[$0.name] ?? .keep) }.filter { $0.1 != .drop }
    }
}
