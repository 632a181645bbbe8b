import ChangeSetFormat
import FederationModel
import LocalStore
import Testing
import Zstandard

/// What a row is to the reference: its fields by name, nothing of how the store keeps it.
private typealias Fields = [String: FieldValue]

/// A row with its resource, origin and key.
private struct Look: Hashable {
    let resource: ResourceName
    let origin: NodeID
    let key: String
    let fields: [String: FieldValue]
    var id: String { "\(resource) \(origin) \(key)" }
}

/// What the policies of a chain grant, by walking from row to row. It shares nothing with the store: no SQL, no seq, no log.
private struct Reference {
    /// By node, what is held there.
    static func held(_ own: [NodeID: [String: Look]], _ topology: Topology) -> [NodeID: [String: Look]] {
        var held: [NodeID: [String: Look]] = [:]
        for node in [lixia, jinan, province] {
            var rows = own[node] ?? [:]
            if let below = topology.children(of: node).first(where: { held[$0] != nil }), let child = held[below] {
                for row in granted(child, from: below, to: node, topology) { rows[row.id] = row }
            }
            held[node] = rows
        }
        return held
    }

    static func granted(
        _ rows: [String: Look], from sender: NodeID, to receiver: NodeID, _ topology: Topology
    ) -> [Look] {
        let grant = topology.grant(from: sender, to: receiver)
        return rows.values.compactMap { row in
            guard topology.mode(of: row.resource, from: sender, to: receiver) == .physical else { return nil }
            let ticket = rows.values.first {
                $0.resource == "service_request" && $0.fields["global_id"] == row.fields["global_id"]
            }
            if !grant.tickets.isEmpty, !(ticket.map { passes($0.fields, grant.tickets) } ?? false) { return nil }
            return Look(
                resource: row.resource, origin: row.origin, key: row.key,
                fields: treated(row.fields, grant.treatments[row.resource] ?? [:]))
        }
    }

    static func passes(_ ticket: Fields, _ filter: GrantFilter) -> Bool {
        func begins(_ column: String, _ beginnings: [String]) -> Bool {
            beginnings.isEmpty
                || ticket[column]?.text.map { text in beginnings.contains { text.hasPrefix($0) } } ?? false
        }
        let isConfidential = (ticket["confidential"]?.text ?? "none") != "none"
        return begins("region_code", filter.regions.map { String($0.reversed().drop { $0 == "0" }.reversed()) })
            && begins("service_code", filter.serviceCodes)
            && (filter.requestTypes.isEmpty || filter.requestTypes.contains(ticket["request_type"]?.text ?? ""))
            && (filter.confidential.map { $0 == isConfidential } ?? true)
            && (filter.from.map { $0 <= ticket["requested_datetime"]?.integer ?? .min } ?? true)
    }

    static func treated(_ fields: Fields, _ treatments: [String: FieldTreatment]) -> Fields {
        var treated: Fields = [:]
        for (column, value) in fields {
            guard let text = value.text else {
                if treatments[column] != .drop { treated[column] = value }
                continue
            }
            switch treatments[column] ?? .keep {
            case .keep: treated[column] = value
            case .drop: break
            case .mask: treated[column] = .text(Masking.of(column: column).mask(text))
            case .token: treated[column] = .text("~" + String(repeating: "0f", count: 16))
            }
        }
        return treated
    }
}

/// A county, a city and a province that write, send, lose and change their policies at random.
private struct RandomChain {
    private var stores: [NodeID: TemporaryStore] = [:]
    private var random: SplitMix64
    private var clock = noon
    private var topology: Topology
    private var own: [NodeID: [String: Look]] = [:]
    /// Every look that a row ever had at a node, which a link may have granted.
    private var everHeld: [NodeID: Set<Look>] = [:]
    private let compressor = ZstandardCompressor()
    private let seed: UInt64
    private static let nodes = [lixia, jinan, province]

    init(seed: UInt64) throws {
        self.seed = seed
        random = SplitMix64(seed: seed)
        for node in Self.nodes { stores[node] = try TemporaryStore(node, isFiltered: true) }
        topology = chain(1, LinkGrant())
        changePolicy()
    }

    mutating func step() async throws {
        clock += 1_000
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<9: try await write()
        case 9: changePolicy()
        case 10: try await send(lixia, jinan, isLost: true)
        case 11..<16: try await send(lixia, jinan, isLost: false)
        default: try await send(jinan, province, isLost: false)
        }
    }

    mutating func settle() async throws {
        for (sender, receiver) in [(lixia, jinan), (jinan, province)] {
            while try await send(sender, receiver, isLost: false) {}
        }
    }

    /// Each node holds exactly what the reference says.
    func check() async throws {
        let expected = Reference.held(own, topology)
        for node in Self.nodes {
            let held = try await looks(at: node)
            let wanted = Set((expected[node] ?? [:]).values)
            #expect(held == wanted, "\(node), seed \(seed): \(held.symmetricDifference(wanted).map(\.id).sorted())")
        }
    }

    private mutating func changePolicy() {
        topology = chain(topology.version + 1, anyGrant(), anyGrant())
    }

    private mutating func anyGrant() -> LinkGrant {
        var grant = LinkGrant()
        func maybe() -> Bool { Int.random(in: 0..<3, using: &random) == 0 }
        if maybe() {
            grant.tickets.regions = [["370102"], ["370100"], ["370103", "370104"]].randomElement(using: &random) ?? []
        }
        if maybe() { grant.tickets.serviceCodes = ["01"] }
        if maybe() { grant.tickets.requestTypes = ["1", "2"].filter { _ in Bool.random(using: &random) } }
        if maybe() { grant.tickets.confidential = Bool.random(using: &random) }
        if maybe() { grant.tickets.from = noon }
        for resource in [BuiltInResources.serviceRequest, BuiltInResources.handling] {
            for column in resource.columns where maybe() {
                let treatment = FieldTreatment.allCases.randomElement(using: &random) ?? .keep
                // A filter that looks at what the hop below dropped grants nothing, which is right and dull.
                let isDull = treatment == .drop && GrantFilter.columns.contains(column.name)
                if treatment.objection(to: column) == nil && !isDull {
                    grant.treatments[resource.name, default: [:]][column.name] = treatment
                }
            }
        }
        return grant
    }

    private mutating func write() async throws {
        let node: NodeID = Int.random(in: 0..<4, using: &random) == 0 ? jinan : lixia
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
        // The city also handles tickets of its county.
        let origin = node == jinan && Bool.random(using: &random) ? lixia : node
        let number = Int.random(in: 1...12, using: &random)
        func any(_ values: [String?]) -> FieldValue {
            (values.randomElement(using: &random) ?? nil).map { .text($0) } ?? .null
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
        record.fields["reporter_name"] = any(["张三", "李四光", nil])
        record.fields["reporter_phone"] = any(["13812348000", "0531-12343456", nil])
        record.fields["description"] = any(["请拨13812348000找我", nil])
        return record
    }

    @discardableResult
    private mutating func send(_ sender: NodeID, _ receiver: NodeID, isLost: Bool) async throws -> Bool {
        guard let below = stores[sender]?.store, let above = stores[receiver]?.store else { return false }
        let policy = policy(from: sender, to: receiver, topology: topology)
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
        let isFiltered = !topology.grant(from: sender, to: receiver).tickets.isEmpty
        for row in try rows(sentIn: bytes) {
            guard row.fields["deleted"] == .integer(0) else {
                let fields = row.fields.filter {
                    !["origin", "key", "version", "deleted"].contains($0.key) && !$0.value.isNull
                }
                #expect(
                    fields.keys.allSatisfy { !isFiltered && ["global_id", "ticket_origin"].contains($0) },
                    "seed \(seed)")
                if isFiltered { #expect(wasOnceGranted(row.id, sender, receiver), "\(row.id), seed \(seed)") }
                continue
            }
            let look = Look(
                resource: row.resource, origin: node(row.fields["origin"]?.text ?? ""),
                key: row.fields["key"]?.text ?? "",
                fields: row.fields.filter {
                    !["origin", "key", "version", "deleted"].contains($0.key) && !$0.value.isNull
                })
            #expect(granted.contains(look), "\(look.id), seed \(seed)")
        }
    }

    private func wasOnceGranted(_ id: String, _ sender: NodeID, _ receiver: NodeID) -> Bool {
        let grant = topology.grant(from: sender, to: receiver).tickets
        let all = everHeld[sender] ?? []
        let tickets = Set(all.filter { $0.id == id }.compactMap { $0.fields["global_id"] })
        return all.contains {
            $0.resource == "service_request" && $0.fields["global_id"].map(tickets.contains) == true
                && Reference.passes($0.fields, grant)
        }
    }

    private mutating func noteHeld(_ node: NodeID) async throws {
        everHeld[node, default: []].formUnion(try await looks(at: node))
    }

    private func looks(at node: NodeID) async throws -> Set<Look> {
        var looks: Set<Look> = []
        for resource in [BuiltInResources.serviceRequest, BuiltInResources.handling] {
            let columns = resource.columns.map(\.name)
            let list = columns.map { "\"\($0)\"" }.joined(separator: ", ")
            let rows =
                try await stores[node]?.store.rows(
                    sql: "SELECT origin, \"key\", \(list) FROM \(resource.name) WHERE deleted = 0", arguments: []) ?? []
            for row in rows {
                let fields = zip(columns, row.dropFirst(2)).filter { !$0.1.isNull }
                looks.insert(
                    Look(
                        resource: resource.name, origin: LocalStoreTests.node(row[0].text ?? ""),
                        key: row[1].text ?? "",
                        fields: Dictionary(uniqueKeysWithValues: fields.map { ($0.0, $0.1) })))
            }
        }
        return looks
    }
}

@Suite struct `A chain of links with policies` {
    @Test(arguments: 0..<60 as Range<UInt64>)
    func `lets each node hold exactly what the policies grant, and sends nothing more`(seed: UInt64) async throws {
        var chain = try RandomChain(seed: seed)
        for _ in 0..<60 { try await chain.step() }
        try await chain.settle()
        try await chain.check()
    }
}
