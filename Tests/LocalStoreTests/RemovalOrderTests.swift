import ChangeSetFormat
import FederationModel
import LocalStore
import Testing
import Zstandard

/// Three tiers in random histories: deletions, recalls, small windows, sweeps that begin again, receivers that come back
/// from before the removal of tombstones.
private struct RandomHistory {
    var random: SplitMix64
    let isFiltered: Bool
    let stores: [NodeID: TemporaryStore]
    private var topology: Topology
    private var version: Int64 = 2
    private var orders: [(origin: NodeID, id: String, keys: Set<String>)] = []
    private var recalls: [(origin: NodeID, id: String)] = []
    private var orderNumber: UInt64 = 0
    private var now = noon

    static let links = [
        (lixia, jinan), (jinan, province), (province, jinan), (jinan, lixia), (province, qingdao), (qingdao, province),
    ]

    init(seed: UInt64) throws {
        random = SplitMix64(seed: seed)
        isFiltered = Bool.random(using: &random)
        topology = isFiltered ? narrowQilu : qilu
        stores = [
            lixia: try TemporaryStore(lixia, topology: topology, isFiltered: isFiltered),
            jinan: try TemporaryStore(jinan, topology: topology, isFiltered: isFiltered),
            province: try TemporaryStore(province, topology: topology),
            qingdao: try TemporaryStore(qingdao, topology: topology),
        ]
    }

    func store(_ node: NodeID) throws -> NodeStore { try #require(stores[node]).store }

    mutating func step() async throws {
        now += 1
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<6: try await write()
        case 6: try await remove(.delete)
        case 7: try await remove(.recall)
        case 8: try await lift()
        case 9: try await prune()
        case 10 where Int.random(in: 0..<3, using: &random) == 0: changePolicy()
        case 11: for node in stores.keys { _ = try await store(node).advanceConsumers(now: now) }
        default:
            let link = Self.links.randomElement(using: &random) ?? Self.links[0]
            _ = try await move(link.0, link.1, rowsMax: Int.random(in: 1...6, using: &random))
        }
    }

    private mutating func origin() -> NodeID { Bool.random(using: &random) ? lixia : jinan }

    private mutating func write() async throws {
        let origin = origin()
        let number = Int.random(in: 1...12, using: &random)
        var request = ticket(number, origin: origin, title: "\(now)")
        request.fields["region_code"] = .text(["370102", "370103", "370104"].randomElement(using: &random) ?? "")
        let minutes = now - noon
        let record =
            switch Int.random(in: 0..<5, using: &random) {
            case 0: stage("handling", of: number, origin: origin, after: minutes, handled)
            case 1:
                stage(
                    "transfer", of: number, origin: origin, after: minutes,
                    ["transfer_id": .text("\(now)"), "step": .text("offer"), "to_node": .text(qingdao.code)])
            default: request
            }
        _ = try await store(origin).intake(rows: [[record]], isGuarded: false, now: now)
    }

    private mutating func remove(_ kind: RemovalKind) async throws {
        let origin = origin()
        let store = try store(origin)
        let id = "\(origin)-\(Int.random(in: 1...12, using: &random))"
        orderNumber += 1
        var keys: Set<String> = []
        for resource in ["service_request", "handling", "transfer"] {
            keys.formUnion(
                try await store.rows(
                    sql: "SELECT \"key\" FROM \(resource) WHERE deleted = 0 AND origin = ? AND global_id = ?",
                    arguments: [.text(origin.code), .text(id)]
                ).compactMap { $0[0].text })
        }
        do {
            let report = try await store.remove(
                kind, tickets: [id], reason: "other", order: ulid(orderNumber), now: now)
            orders.append((origin, report.id, keys))
            if kind == .recall { recalls.append((origin, report.id)) }
        } catch let error as FederationError where ["E_TICKET_UNKNOWN", "E_REMOVAL_EMPTY"].contains(error.code) {}
    }

    private mutating func lift() async throws {
        guard let recall = recalls.randomElement(using: &random) else { return }
        recalls.removeAll { $0.id == recall.id }
        orders.removeAll { $0.id == recall.id }
        _ = try await store(recall.origin).lift(recall: recall.id, now: now)
    }

    /// Sometimes the sender believes that the receiver is level, as it does when the receiver was restored since.
    private mutating func prune() async throws {
        let (sender, receiver) = Self.links.randomElement(using: &random) ?? Self.links[0]
        let store = try store(sender)
        let isRestored = Bool.random(using: &random)
        let confirmed = try await self.store(receiver).cursor(of: sender)?.seq ?? 0
        let seq = isRestored ? try await store.head() : confirmed
        try await store.confirm(
            Cursor(
                epoch: store.epoch, seq: seq, revision: LinkRevision(topology: version, policy: 0), sweep: .complete),
            by: receiver, now: noon)
        now += 3_600_000
        _ = try await store.advanceConsumers(now: now)
        _ = try await store.prune(receivers: [receiver], retention: 0, now: now)
    }

    private mutating func changePolicy() {
        version += 1
        topology = Topology(name: "test", version: version, nodes: topology.nodes)
    }

    /// - Returns: whether there was anything to tell.
    mutating func move(_ from: NodeID, _ to: NodeID, rowsMax: Int) async throws -> Bool {
        let (sender, receiver) = (try store(from), try store(to))
        let policy = policy(from: from, to: to, topology: topology)
        var start = try await startCursor(sender, receiver, policy: policy)
        let isNew = try await receiver.cursor(of: from) != start
        let compressor = ZstandardCompressor()
        func prepare(_ start: Cursor, evenIfEmpty: Bool) async throws -> Preparation {
            try await sender.prepareChangeSet(
                from: start, policy: policy, rowsMax: rowsMax, evenIfEmpty: evenIfEmpty, now: now,
                compressor: compressor)
        }
        var prepared = try await prepare(start, evenIfEmpty: isNew)
        if case .pruned(let head) = prepared {
            start = Cursor(epoch: sender.epoch, seq: head, revision: policy.revision, sweep: policy.sweepStart)
            prepared = try await prepare(start, evenIfEmpty: true)
        }
        guard case .changeSet(let outgoing) = prepared else { return false }
        let incoming = try IncomingChangeSet(
            bytes: outgoing.bytes, policy: policy, resources: receiver.resources, now: now)
        _ = try await receiver.apply(incoming, policy: policy, now: now)
        return true
    }

    /// A node that holds an order, or has confirmed it, holds none of its rows.
    func check() async throws {
        for node in stores.keys {
            let store = try store(node)
            let held = try await store.removalOrders()
            let confirmed = try await store.confirmed()
            for order in orders where order.origin != node {
                let isHeld = held.contains { $0.id == order.id && $0.origin == order.origin }
                guard isHeld || confirmed.contains(order.id) else { continue }
                let left = try await store.keys(of: order.origin).intersection(order.keys)
                #expect(left.isEmpty, "\(node) has order \(order.id) beside \(left)")
            }
        }
    }

    mutating func settle() async throws {
        var hasMoved = true
        while hasMoved {
            hasMoved = false
            for node in stores.keys { try await store(node).catchUpConsumers(now: now) }
            for link in Self.links { while try await move(link.0, link.1, rowsMax: 50) { hasMoved = true } }
        }
        let recalled = try await hidden()
        for (index, node) in [jinan, province].enumerated() {
            for origin in [lixia, jinan] where origin != node {
                let below = index == 0 ? lixia : jinan
                let granted = try await store(below).keys(of: origin).subtracting(recalled[below] ?? [])
                let keys = try await store(node).keys(of: origin)
                if isFiltered && node == province {
                    #expect(keys.isSubset(of: granted))
                } else {
                    #expect(keys == granted)
                }
            }
        }
        for origin in [lixia, jinan] {
            for order in try await store(origin).removalOrders()
            where order.origin == origin && orders.contains(where: { $0.id == order.id }) {
                let expected = topology.holders(of: origin, audience: order.audience)
                #expect(expected.isSubset(of: Set(order.confirmations.keys)), "of order \(order.id)")
            }
        }
    }

    private func hidden() async throws -> [NodeID: Set<String>] {
        var hidden: [NodeID: Set<String>] = [:]
        for node in [lixia, jinan] {
            hidden[node] = Set(
                try await store(node).rows(sql: "SELECT \"key\" FROM removed_row WHERE state > 0", arguments: [])
                    .compactMap { $0[0].text })
        }
        return hidden
    }
}

@Suite struct `Removal orders` {
    private let up = policy(from: jinan, to: province)

    private func step(
        _ sender: NodeStore, _ receiver: NodeStore, from start: Cursor? = nil, rowsMax: Int
    ) async throws {
        let link = policy(from: sender.node, to: receiver.node)
        var from = try await startCursor(sender, receiver, policy: link)
        if let start { from = start }
        let sent = try await changeSet(sender, from: from, policy: link, rowsMax: rowsMax)
        let read = try IncomingChangeSet(bytes: sent.bytes, policy: link, resources: receiver.resources, now: noon)
        _ = try await receiver.apply(read, policy: link, now: noon)
    }

    @Test func `are stored behind their rows`() async throws {
        let stores = (try TemporaryStore(jinan), try TemporaryStore(province))
        let (below, above) = (stores.0.store, stores.1.store)
        _ = try await below.intake([ticket(1), call(1, of: 1), recording(1)], now: noon)
        try await carry(below, above, policy: up)
        _ = try await below.remove(.delete, tickets: ["370100-1"], reason: "other", order: ulid(1), now: noon)
        try await below.catchUpConsumers(now: noon)
        try await carry(below, above, policy: up)
        let isBehind = try await above.rows(
            sql: """
                SELECT (SELECT seq FROM removal_order) > max(a.seq, b.seq, c.seq)
                FROM service_request AS a, call_record AS b, recording AS c
                """, arguments: [])
        #expect(isBehind == [[.integer(1)]])
    }

    /// The receiver's cursor jumps over the tombstone, and the sweep that makes up for it has not come to the ticket yet.
    @Test func `are left to a sweep that has not been through their rows`() async throws {
        let stores = (try TemporaryStore(jinan), try TemporaryStore(province))
        let (below, above) = (stores.0.store, stores.1.store)
        _ = try await below.intake((1...8).map { ticket($0) }, now: noon)
        try await carry(below, above, policy: up)
        _ = try await below.remove(.delete, tickets: ["370100-8"], reason: "other", order: ulid(1), now: noon)
        let jump = Cursor(epoch: below.epoch, seq: try await below.head(), revision: up.revision, sweep: up.sweepStart)
        try await step(below, above, from: jump, rowsMax: 2)
        try await below.catchUpConsumers(now: noon)
        try await step(below, above, rowsMax: 2)
        #expect(try await above.cursor(of: jinan)?.seq == below.head(), "the tail has come to the order")
        #expect(try await above.count("service_request") == 8)
        #expect(try await above.count("removal_order") == 0)
        try await carry(below, above, policy: up)
        #expect(try await above.count("service_request") == 7)
        #expect(try await above.count("removal_order") == 1)
    }

    /// On its way up a recall is followed by a deletion of the same ticket, before the province has heard of either.
    @Test func `are not overtaken when what was recalled is deleted`() async throws {
        let stores = (
            try TemporaryStore(lixia, isFiltered: true), try TemporaryStore(jinan), try TemporaryStore(province)
        )
        let (county, city, top) = (stores.0.store, stores.1.store, stores.2.store)
        let first = policy(from: lixia, to: jinan)
        _ = try await county.intake([ticket(1, origin: lixia)], now: noon)
        try await carry(county, city, policy: first)
        try await carry(city, top, policy: up)
        for (number, kind) in [RemovalKind.recall, .delete].enumerated() {
            _ = try await county.remove(
                kind, tickets: ["370102-1"], reason: "other", order: ulid(UInt64(number)), now: noon)
            try await county.catchUpConsumers(now: noon)
            try await carry(county, city, policy: first)
            try await city.catchUpConsumers(now: noon)
        }
        try await step(city, top, rowsMax: 1)
        #expect(try await top.count("service_request") == 0)
        #expect(try await top.count("removal_order") == 0)
    }

    @Test(arguments: UInt64(1)...20)
    func `never get ahead of what they are about, whatever the windows, sweeps and hops`(seed: UInt64) async throws {
        var history = try RandomHistory(seed: seed)
        for _ in 0..<160 {
            try await history.step()
            try await history.check()
        }
        try await history.settle()
        try await history.check()
    }
}
