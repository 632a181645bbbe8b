import ChangeSetFormat
import FederationModel
import LocalStore
import LogicalQuery
import TestSupport
import Testing
import Verification
import Zstandard

/// A federation of random shape, whose nodes write, send, lose and change their policies at random.
struct RandomFederation {
    private var stores: [NodeID: TemporaryStore] = [:]
    private var random: SplitMix64
    private var clock = noon
    private(set) var topology: Topology
    private var own: [NodeID: [String: Look]] = [:]
    /// By node and row, every look that its tickets had while the row was there; none while it had no ticket.
    private var everTickets: [NodeID: [String: Set<[Fields]>]] = [:]
    /// By node and row, who ever had to see it.
    private var everAudience: [NodeID: [String: Set<NodeID>]] = [:]
    private let compressor = ZstandardCompressor()
    private let seed: UInt64
    private let shape: [Shape]
    /// Whether no link ever has a row filter, so that the log begins with the first report on a neighbour.
    private let isOpen: Bool
    private var nodes: [NodeID] { shape.map(\.id) }
    /// Each edge in both directions.
    private var links: [(NodeID, NodeID)] {
        nodes.flatMap { node in topology.neighbours(of: node).map { (node, $0) } }
    }

    private struct Shape {
        let id: NodeID
        let name: String
        let parent: NodeID?
        var peers: Set<NodeID> = []
    }

    init(seed: UInt64) throws {
        self.seed = seed
        random = SplitMix64(seed: seed)
        isOpen = seed.isMultiple(of: 4)
        shape = Self.anyShape(using: &random)
        topology = Topology(name: "random", version: 0, nodes: [])
        topology = anyPolicies()
        for node in nodes { stores[node] = try TemporaryStore(node, topology: topology, isFiltered: !isOpen) }
    }

    /// A tree of three to six nodes, with peers that are no parents of each other.
    private static func anyShape(using random: inout SplitMix64) -> [Shape] {
        let names = [
            (province, "山东省"), (jinan, "济南市"), (qingdao, "青岛市"), (lixia, "历下区"), (node("370103"), "市中区"),
            (node("370202"), "市南区"),
        ]
        var shape: [Shape] = []
        for (id, name) in names.prefix(Int.random(in: 3...6, using: &random)) {
            shape.append(Shape(id: id, name: name, parent: shape.randomElement(using: &random)?.id))
        }
        for one in shape.indices {
            for other in shape.indices where one < other && shape[other].parent != shape[one].id {
                guard Int.random(in: 0..<5, using: &random) == 0 else { continue }
                shape[one].peers.insert(shape[other].id)
                shape[other].peers.insert(shape[one].id)
            }
        }
        return shape
    }

    mutating func step() async throws {
        clock += 1_000
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<9: try await write()
        case 9: try await changePolicy()
        case let number:
            guard let (sender, receiver) = links.randomElement(using: &random) else { return }
            try await send(sender, receiver, isLost: number == 10)
        }
    }

    mutating func settle() async throws {
        for _ in 0..<100 {
            var isLevel = true
            for (sender, receiver) in links {
                while try await send(sender, receiver, isLost: false) { isLevel = false }
            }
            if isLevel { return }
        }
        Issue.record("does not come to rest, seed \(seed)")
    }

    /// Each node holds exactly what the reference says.
    func check() async throws {
        let expected = Reference.held(own, links, topology)
        for node in nodes {
            let held = try await looks(at: node)
            let wanted = Set((expected[node] ?? [:]).values)
            #expect(held == wanted, "\(node), seed \(seed): \(held.symmetricDifference(wanted).map(\.id).sorted())")
        }
    }

    /// Both ends of each link come to the same fingerprints.
    func checkFingerprints() async throws {
        for (sender, receiver) in links {
            guard let below = stores[sender]?.store, let above = stores[receiver]?.store else { continue }
            let policy = policy(from: sender, to: receiver, topology: topology)
            let scope = VerificationScope(sender: sender, receiver: receiver, topologyVersion: topology.version)
            let granted = try await below.partedRanges(of: policy, scope).map(\.total)
            let received = try await above.partedRanges(of: policy, scope).map(\.total)
            #expect(granted == received, "\(sender) to \(receiver), seed \(seed)")
        }
    }

    /// A question at any node counts each ticket once that it reaches, whichever of the copies and owners answer.
    func checkCounts() async throws {
        let held = Reference.held(own, links, topology)
        for analysis in [try Analysis(asOf: noon), try Analysis(dimensions: [.handlingOwner], asOf: noon)] {
            for node in nodes {
                let (count, tickets) = try await counted(analysis, at: node, of: topology.subtree(of: node), held)
                #expect(count == Int64(tickets.count), "\(node), seed \(seed)")
                #expect(tickets.count == Set(tickets).count, "\(node), seed \(seed)")
            }
        }
    }

    /// What the nodes of the plan count together, and the tickets that they hold according to the reference.
    private func counted(
        _ analysis: Analysis, at node: NodeID, of origins: [NodeID], _ held: [NodeID: [String: Look]]
    ) async throws -> (count: Int64, tickets: [String]) {
        let plan = try QueryPlan(topology: topology, node: node, resources: analysis.resourcesNeeded, wanted: origins)
        let query = SQLiteDialect.compile(analysis, origins: plan.local)
        let rows = try await stores[node]?.store.rows(sql: query.sql, arguments: query.arguments) ?? []
        var count = rows.reduce(0) { $0 + ($1[query.keyCount].integer ?? 0) }
        var tickets = (held[node] ?? [:]).values.filter {
            $0.resource == "service_request" && plan.local.contains($0.origin)
        }.map(\.key)
        for (child, origins) in plan.delegated {
            let part = try await counted(analysis, at: child, of: origins, held)
            count += part.count
            tickets += part.tickets
        }
        return (count, tickets)
    }

    private mutating func changePolicy() async throws {
        topology = anyPolicies()
        for node in topology.nodes {
            _ = try await stores[node.id]?.store.adopt(topology)
            try await noteHeld(node.id)
        }
    }

    private mutating func anyPolicies() -> Topology {
        let nodes = shape.map { shape in
            var modes: [ResourceName: AggregationMode] = [:]
            for resource in Self.resources where Int.random(in: 0..<4, using: &random) == 0 {
                modes[resource.name] = .logical
            }
            let shared = Self.resources.map(\.name).filter { _ in Bool.random(using: &random) }
            let peerGrants = shape.peers.sorted().filter { _ in Bool.random(using: &random) }.map { ($0, anyGrant()) }
            return TopologyNode(
                id: shape.id, name: shape.name, parent: shape.parent, peers: shape.peers, region: shape.id.code,
                endpoint: nil, modes: modes, sharedWithPeers: Set(shared), grant: anyGrant(),
                peerGrants: Dictionary(uniqueKeysWithValues: peerGrants))
        }
        return Topology(name: "random", version: topology.version + 1, nodes: nodes)
    }

    private static let resources = [
        BuiltInResources.serviceRequest, BuiltInResources.handling, BuiltInResources.transfer,
        BuiltInResources.assignment, BuiltInResources.ticketAction, BuiltInResources.callRecord,
    ]

    private mutating func anyGrant() -> LinkGrant {
        var grant = LinkGrant()
        func maybe() -> Bool { Int.random(in: 0..<3, using: &random) == 0 }
        if !isOpen {
            if maybe() {
                let regions = [["370102"], ["370100"], ["370103", "370104"]]
                grant.tickets.regions = regions.randomElement(using: &random) ?? []
            }
            if maybe() { grant.tickets.serviceCodes = ["01"] }
            if maybe() { grant.tickets.requestTypes = ["1", "2"].filter { _ in Bool.random(using: &random) } }
            if maybe() { grant.tickets.confidential = Bool.random(using: &random) }
            if maybe() { grant.tickets.from = noon }
            if maybe() { grant.tickets.units = ["住建局", "城管局"].filter { _ in Bool.random(using: &random) } }
        }
        for resource in Self.resources {
            for column in resource.columns where maybe() {
                let treatment = FieldTreatment.allCases.randomElement(using: &random) ?? .keep
                // A filter that looks at what the hop below dropped grants nothing, which is right and dull; so is a
                // transfer to nobody.
                let deciding = ["to_node", "step", "assignee_unit", "role", "action", "target"]
                let isDull = treatment != .keep && (GrantFilter.columns + deciding).contains(column.name)
                if treatment.objection(to: column) == nil && !isDull {
                    grant.treatments[resource.name, default: [:]][column.name] = treatment
                }
            }
        }
        return grant
    }

    private mutating func write() async throws {
        // Most of it below, from where it has a way to go.
        let node = (nodes + nodes.suffix(2) + nodes.suffix(2)).randomElement(using: &random) ?? province
        let records = (0..<Int.random(in: 1...8, using: &random)).map { _ in anyRecord(of: node) }
        _ = try await stores[node]?.store.intake(records, now: clock)
        for record in records {
            let look = Look(
                resource: record.resource, origin: node, key: record.key,
                fields: record.fields.filter { !$0.value.isNull })
            own[node, default: [:]][look.id] = look
        }
        try await noteHeld(node)
    }

    private mutating func anyRecord(of node: NodeID) -> IntakeRecord {
        // Nodes also write about tickets of others, which they may have or not.
        let isOther = Int.random(in: 0..<4, using: &random) == 0
        let origin = isOther ? nodes.randomElement(using: &random) ?? node : node
        let number = Int.random(in: 1...12, using: &random)
        func any(_ values: [String?]) -> FieldValue {
            (values.randomElement(using: &random) ?? nil).map { .text($0) } ?? .null
        }
        if Int.random(in: 0..<3, using: &random) == 0 {
            let target = nodes.randomElement(using: &random) ?? node
            return stage(
                "transfer", of: number, origin: origin, after: Int64.random(in: 1...2, using: &random),
                [
                    "transfer_id": .text("t"), "step": any(["offer", "designate", "accept"]),
                    "to_node": .text(target.code),
                ])
        }
        if Int.random(in: 0..<6, using: &random) == 0 {
            // Some name their ticket, in one spelling or the other; of the others each is named by one ticket.
            let call = Int.random(in: 1...18, using: &random)
            var record = LocalStoreTests.call(call, origin: node)
            if call <= 6 { record.fields["linked_request"] = any(["\(origin)-\(number)", "\(number)", nil]) }
            return record
        }
        // At times of its own for each node, since the fold of equal ones goes by versions.
        let minute = 10 + Int64((nodes.firstIndex(of: node) ?? 0) * 10) + Int64.random(in: 0...3, using: &random)
        if Int.random(in: 0..<4, using: &random) == 0 {
            return stage(
                "assignment", of: number, origin: origin, after: minute,
                ["role": .text("main"), "assignee_unit": any(["住建局", "城管局", "水务局"]), "due_datetime": .integer(noon)])
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            return stage(
                "ticket_action", of: number, origin: origin, after: minute,
                ["action": .text("set_confidential"), "target": any(["none", "name_hidden", "reporter_protected"])])
        }
        if origin != node || Bool.random(using: &random) {
            var record = stage(
                "handling", of: number, origin: origin, after: Int64.random(in: 1...2, using: &random),
                ["contacted": .integer(1)])
            record.fields["measures"] = any(["已联系13812348000", nil])
            record.fields["actor"] = any(["王五", nil])
            return record
        }
        var record = ticket(number, origin: node)
        record.fields["region_code"] = any(["370102", "370103", "370104001", nil])
        record.fields["service_code"] = any(["0101", "02", nil])
        record.fields["request_type"] = any(["1", "2", "4"])
        record.fields["confidential"] = any(["none", "name_hidden", nil])
        record.fields["requested_datetime"] = .integer(noon + Int64.random(in: -1...0, using: &random))
        record.fields["respondent_name"] = any(shape.map(\.name) + ["某公司", nil])
        record.fields["call_id"] = any(["\(node)-call-\(number + 6)", "call-\(number + 6)", nil, nil])
        record.fields["reporter_name"] = any(["张三", "李四光", nil])
        record.fields["reporter_phone"] = any(["13812348000", "0531-12343456", nil])
        record.fields["description"] = any(["请拨13812348000找我", nil])
        return record
    }

    @discardableResult
    private mutating func send(_ sender: NodeID, _ receiver: NodeID, isLost: Bool) async throws -> Bool {
        guard let below = stores[sender]?.store, let above = stores[receiver]?.store else { return false }
        let policy = policy(from: sender, to: receiver, topology: topology)
        try await below.catchUpConsumers(now: noon)
        let start = try await startCursor(below, above, policy: policy)
        let prepared = try await below.prepareChangeSet(
            from: start, policy: policy, rowsMax: .random(in: 1...9, using: &random), now: clock, compressor: compressor
        )
        guard case .changeSet(let outgoing) = prepared else { return false }
        try await checkSent(outgoing.bytes, from: sender, to: receiver)
        if isLost { return true }
        let incoming = try IncomingChangeSet(
            bytes: outgoing.bytes, policy: policy, resources: above.resources, now: clock)
        _ = try await above.apply(incoming, policy: policy, now: clock)
        try await noteHeld(receiver)
        return true
    }

    /// Nothing that is not granted stands in a change-set: every live row is granted as the sender holds it now, and every
    /// key was granted once.
    private func checkSent(_ bytes: [UInt8], from sender: NodeID, to receiver: NodeID) async throws {
        let held = try await looks(at: sender)
        let byID = Dictionary(held.map { ($0.id, $0) }) { first, _ in first }
        let granted = Set(Reference.granted(byID, from: sender, to: receiver, topology))
        for row in try rows(sentIn: bytes) {
            let isWhole = topology.mode(of: row.resource, from: sender, to: receiver) == .physical
            let isConditional =
                row.resource != "call_record"
                && (!isWhole || !topology.grant(from: sender, to: receiver).tickets.isEmpty)
            guard row.fields["deleted"] == .integer(0) else {
                let fields = row.fields.filter {
                    !["origin", "key", "version", "deleted"].contains($0.key) && !$0.value.isNull
                }
                #expect(
                    fields.keys.allSatisfy { !isConditional && ["global_id", "ticket_origin"].contains($0) },
                    "seed \(seed)")
                let wasGranted =
                    isWhole && passedOnce(row, sender, receiver)
                    || Reference.isBehind(everAudience[sender]?[row.id] ?? [], from: sender, to: receiver, topology)
                #expect(wasGranted, "\(row.id) to \(receiver), seed \(seed)")
                continue
            }
            let look = Look(
                resource: row.resource, origin: node(row.fields["origin"]?.text ?? ""),
                key: row.fields["key"]?.text ?? "",
                fields: row.fields.filter {
                    !["origin", "key", "version", "deleted"].contains($0.key) && !$0.value.isNull
                })
            #expect(granted.contains(look), "\(look.id) to \(receiver), seed \(seed)")
        }
    }

    private func passedOnce(_ row: SentRow, _ sender: NodeID, _ receiver: NodeID) -> Bool {
        let grant = topology.grant(from: sender, to: receiver).tickets
        return everTickets[sender]?[row.id]?.contains { tickets in
            let passes =
                grant.isEmpty || row.resource == "call_record" || tickets.contains { Reference.passes($0, grant) }
            return passes && !tickets.contains { Reference.accuses($0, receiver, topology) }
        } == true
    }

    private mutating func noteHeld(_ node: NodeID) async throws {
        let held = try await looks(at: node)
        let byID = Dictionary(held.map { ($0.id, $0) }) { first, _ in first }
        let tickets = Reference.tickets(byID, topology)
        for look in held {
            everTickets[node, default: [:]][look.id, default: []].insert(Reference.tickets(of: look, among: tickets))
        }
        let audiences = Reference.audiences(byID, at: node, topology)
        for look in held {
            everAudience[node, default: [:]][look.id, default: []]
                .formUnion(audiences[look.fields["global_id"]?.text ?? ""] ?? [])
        }
    }

    private func looks(at node: NodeID) async throws -> Set<Look> {
        var looks: Set<Look> = []
        for resource in Self.resources {
            let columns = resource.columns.map(\.name)
            let list = columns.map { "\"\($0)\"" }.joined(separator: ", ")
            let rows =
                try await stores[node]?.store.rows(
                    sql: "SELECT origin, \"key\", \(list) FROM \(resource.name) WHERE deleted = 0", arguments: []) ?? []
            for row in rows {
                let fields = zip(columns, row.dropFirst(2)).filter { !$0.1.isNull }
                looks.insert(
                    Look(
                        resource: resource.name, origin: TestSupport.node(row[0].text ?? ""),
                        key: row[1].text ?? "",
                        fields: Dictionary(uniqueKeysWithValues: fields.map { ($0.0, $0.1) })))
            }
        }
        return looks
    }
}
