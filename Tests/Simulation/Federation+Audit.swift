import ChangeSetFormat
import FederationModel
import LocalStore

/// What rows have ever looked like to a filter, at each node: of whom it may be told that they are gone.
struct Sightings {
    /// By node and row, every look that its tickets had while the row was there; none while it had no ticket.
    private var tickets: [NodeID: [String: Set<[Fields]>]] = [:]
    /// By node and row, who ever had to see it.
    private var audiences: [NodeID: [String: Set<NodeID>]] = [:]
    /// By node and ticket, who had to see it last.
    private var latest: [NodeID: [String: Set<NodeID>]] = [:]

    mutating func note(_ looks: [Look], at node: NodeID, _ topology: Topology) {
        let byID = Dictionary(uniqueKeysWithValues: looks.map { ($0.id, $0) })
        let tickets = Reference.tickets(byID, topology)
        let audiences = Reference.audiences(byID, at: node, topology)
        for look in looks {
            self.tickets[node, default: [:]][look.id, default: []].insert(Reference.tickets(of: look, among: tickets))
            let ticket = look.fields["global_id"]?.text ?? ""
            // Whom a record puts out of the audience, a consumer finds a moment after it has come.
            let former = self.audiences[node]?[look.id] ?? latest[node]?[ticket] ?? []
            self.audiences[node, default: [:]][look.id] = former.union(audiences[ticket] ?? [])
        }
        latest[node] = audiences
    }

    /// Whether somebody behind the link ever had to see a row.
    func hadToSee(_ id: String, from sender: NodeID, to receiver: NodeID, _ topology: Topology) -> Bool {
        Reference.isBehind(audiences[sender]?[id] ?? [], from: sender, to: receiver, topology)
    }

    /// Whether a row was ever granted by what a link grants now.
    func wasGranted(
        _ id: String, _ resource: ResourceName, from sender: NodeID, to receiver: NodeID, _ topology: Topology
    ) -> Bool {
        if hadToSee(id, from: sender, to: receiver, topology) { return true }
        guard topology.mode(of: resource, from: sender, to: receiver) == .physical else { return false }
        let filter = topology.grant(from: sender, to: receiver).tickets
        let isOpen = filter.isEmpty || resource == "call_record"
        // Of a row of which the sender has heard only that it is gone, an open link tells just that.
        guard let looks = tickets[sender]?[id] else { return isOpen }
        return looks.contains { tickets in
            (isOpen || tickets.contains { Reference.passes($0, filter) })
                && !tickets.contains { Reference.accuses($0, receiver, topology) }
        }
    }
}

/// Every change-set held against the reference.
extension Federation {
    func noteSightings(at node: SimulatedNode) async throws {
        if kind.isAudited { sightings.note(try await node.looks(), at: node.id, node.topology) }
    }

    /// Nothing that is not granted stands in a change-set: every live row is granted as the sender holds it, with nothing in it that
    /// the policy masks or drops, and every key was granted once.
    func checkSent(_ bytes: [UInt8], _ end: SendingEnd) async throws {
        // Between an adoption and its end the link goes by the former topology.
        guard kind.isAudited, !end.node.isAdopting else { return }
        try await noteSightings(at: end.node)
        let (topology, receiver) = (end.node.topology, end.edge.receiver)
        let held = Dictionary(uniqueKeysWithValues: try await end.node.looks().map { ($0.id, $0) })
        let granted = Set(Reference.granted(held, from: end.node.id, to: receiver, topology))
        let tickets = Reference.tickets(held, topology)
        let treatments = topology.grant(from: end.node.id, to: receiver).treatments
        let names = Set(RandomTopology.resources.map(\.name))
        for row in try InspectedChangeSet(bytes: bytes, resources: end.node.store.resources).rows()
        where names.contains(row.resource) {
            guard let origin = row.fields["origin"]?.text.flatMap({ NodeID($0) }) else { continue }
            let isConditional =
                row.resource != "call_record"
                && (topology.mode(of: row.resource, from: end.node.id, to: receiver) != .physical
                    || !topology.grant(from: end.node.id, to: receiver).tickets.isEmpty)
            let envelope: Set<String> = ["origin", "key", "version", "deleted"]
            let look = Look(
                resource: row.resource, origin: origin, key: row.fields["key"]?.text ?? "",
                version: row.fields["version"]?.integer ?? 0,
                fields: row.fields.filter { !envelope.contains($0.key) && !$0.value.isNull })
            if row.fields["deleted"] == .integer(0) {
                if granted.contains(look) { continue }
                // Who is no longer in an audience is found by a consumer, a moment later.
                let row = held[look.id]
                let isTreated =
                    row.map { Reference.treated($0.fields, treatments[look.resource] ?? [:]) } == look.fields
                let isAccusing = row.map {
                    Reference.tickets(of: $0, among: tickets).contains { Reference.accuses($0, receiver, topology) }
                }
                if !isTreated || isAccusing != false
                    || !sightings.hadToSee(look.id, from: end.node.id, to: receiver, topology)
                {
                    problem("\(end.edge) sends \(look.id), which is not granted so")
                }
            } else if !look.fields.keys.allSatisfy({ !isConditional && ["global_id", "ticket_origin"].contains($0) }) {
                problem("\(end.edge) tells more of \(look.id) than that it is gone")
            } else if !sightings.wasGranted(look.id, look.resource, from: end.node.id, to: receiver, topology) {
                problem("\(end.edge) tells that \(look.id) is gone, which was never granted")
            }
        }
    }
}
