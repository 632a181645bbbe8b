import FederationModel
import LocalStore

func ulid(_ number: UInt64) -> ULID {
    var chance = SplitMix64(seed: number)
    return ULID(now: noon + Int64(number), using: &chance)
}

func call(_ number: Int, of ticket: Int? = nil, origin: NodeID = jinan) -> IntakeRecord {
    var fields: [String: FieldValue] = [
        "direction": .text("inbound"), "arrival": .integer(noon), "disposition": .text("connected"),
        "caller": .text("13812348000"),
    ]
    fields["linked_request"] = ticket.map { .text("\(origin)-\($0)") }
    return IntakeRecord(resource: "call_record", key: "\(origin)-call-\(number)", fields: fields)
}

func recording(_ number: Int, origin: NodeID = jinan) -> IntakeRecord {
    IntakeRecord(
        resource: "recording", key: "\(origin)-recording-\(number)",
        fields: ["call_id": .text("\(origin)-call-\(number)"), "uri": .text("file:///\(number)")])
}

let handled: [String: FieldValue] = ["unit": .text("城管局")]

extension NodeStore {
    /// Live keys of an origin in every resource of tickets, calls and recordings.
    func keys(of origin: NodeID) async throws -> Set<String> {
        var keys: Set<String> = []
        for resource in resources where RemovalResources.covers(resource) {
            let rows = try await rows(
                sql: "SELECT \"key\" FROM \"\(resource.name)\" WHERE deleted = 0 AND origin = ?",
                arguments: [.text(origin.code)])
            keys.formUnion(rows.compactMap { $0[0].text })
        }
        return keys
    }

    func confirmed() async throws -> Set<String> {
        Set(
            try await rows(
                sql: "SELECT removal FROM removal_confirmation WHERE deleted = 0 AND origin = ?",
                arguments: [.text(node.code)]
            ).compactMap { $0[0].text })
    }
}

/// 济南 gives the province tickets of two of its districts only.
let narrowQilu: Topology = {
    var grant = LinkGrant()
    grant.tickets.regions = ["370102", "370103"]
    return Topology(
        name: "test", version: 2,
        nodes: qilu.nodes.map { node in
            TopologyNode(
                id: node.id, name: node.name, parent: node.parent, region: node.region, endpoint: nil,
                grant: node.id == jinan ? grant : LinkGrant())
        })
}()
