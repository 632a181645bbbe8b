import FederationModel
import LocalStore
import Testing

/// Nodes that offer, accept, return and designate one ticket by what each of them holds, while links between them carry
/// something now and then.
@Suite struct `Transfers between stores` {
    private static let nodes = [province, jinan, qingdao, lixia]
    private static let links = [
        (lixia, jinan), (jinan, province), (qingdao, province), (province, jinan), (province, qingdao), (jinan, lixia),
    ]

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `end with one owner, the same at every node that has the ticket`(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let stores = Dictionary(
            uniqueKeysWithValues: try Self.nodes.map { ($0, try TemporaryStore($0, topology: qilu)) })
        // Else the last look at one of them would close it while it is asked.
        defer { withExtendedLifetime(stores) {} }
        func store(_ node: NodeID) throws -> NodeStore { try #require(stores[node]).store }
        _ = try await store(jinan).intake([ticket(1)], now: noon)
        // A node's clock may be wrong by a minute and a half.
        let skews = Dictionary(
            uniqueKeysWithValues: Self.nodes.map { ($0, Int64.random(in: -90_000...90_000, using: &random)) })
        var written: [String: Int] = [:]
        for turn in 1...80 {
            if Bool.random(using: &random), let link = Self.links.randomElement(using: &random) {
                try await move(over: link, stores)
                continue
            }
            guard let node = Self.nodes.randomElement(using: &random),
                let other = Self.nodes.randomElement(using: &random),
                let word = ["offer", "accept", "accept", "return", "designate"].randomElement(using: &random),
                try await store(node).count("service_request") == 1
            else { continue }
            let transfers = try await store(node).transfers(of: "370100-1")
            let isNew = word == "offer" || word == "designate"
            guard let id = isNew ? "\(node)-\(turn)" : transfers.last(where: { $0.to == node.code })?.id else {
                continue
            }
            let latest = try await store(node).rows(sql: "SELECT max(occurred_at) FROM transfer", arguments: [])
            let time = max(noon + Int64(turn) * 60_000 + (skews[node] ?? 0), (latest[0][0].integer ?? 0) + 1)
            let record = IntakeRecord(
                resource: "transfer", key: "\(id).\(word)",
                fields: [
                    "global_id": .text("370100-1"), "ticket_origin": .text("370100"), "occurred_at": .integer(time),
                    "round": .integer(1), "transfer_id": .text(id), "step": .text(word),
                    "to_node": .text(isNew ? other.code : node.code), "ordinal": .integer(Int64(transfers.count + 1)),
                ])
            let report = try await store(node).intake(rows: [[record]], isGuarded: true, now: noon)
            if report.outcomes.allSatisfy(\.isAccepted) { written[word, default: 0] += 1 }
            // Between any two records, the node itself names one owner.
            try await store(node).catchUpConsumers(now: noon)
            #expect(try await store(node).count("ticket_state", where: "owner IS NOT NULL") == 1)
        }
        try await settle(stores)
        let state = "SELECT * FROM ticket_state"
        let conflicts = "SELECT * FROM ticket_conflict ORDER BY ordinal"
        let (expected, found) = (
            try await store(jinan).rows(sql: state, arguments: []),
            try await store(jinan).rows(sql: conflicts, arguments: [])
        )
        #expect(expected.count == 1)
        #expect((written["offer"] ?? 0) + (written["designate"] ?? 0) > 0)
        for node in Self.nodes where try await store(node).count("service_request") == 1 {
            #expect(try await store(node).rows(sql: state, arguments: []) == expected, "\(node)")
            #expect(try await store(node).rows(sql: conflicts, arguments: []) == found, "\(node)")
        }
        let owner = try await store(jinan).rows(sql: "SELECT owner FROM ticket_state", arguments: [])[0][0].text
        let holder = try #require(owner.flatMap { NodeID($0) })
        #expect(try await store(holder).count("service_request") == 1, "who owns the handling has the ticket")
        let open = try await store(province).transfers(isOpen: true, limit: 10)
        #expect(open.count <= 1 && open.allSatisfy { $0.transfer.from == owner })
    }

    private func move(over link: (NodeID, NodeID), _ stores: [NodeID: TemporaryStore]) async throws {
        let (sender, receiver) = (try #require(stores[link.0]).store, try #require(stores[link.1]).store)
        try await sender.catchUpConsumers(now: noon)
        try await carry(sender, receiver, policy: policy(from: link.0, to: link.1))
        try await receiver.catchUpConsumers(now: noon)
    }

    /// Until a whole round moves nothing.
    private func settle(_ stores: [NodeID: TemporaryStore]) async throws {
        var before: [Seq] = []
        for _ in 0..<30 {
            for link in Self.links { try await move(over: link, stores) }
            var heads: [Seq] = []
            for node in Self.nodes { heads.append(try await #require(stores[node]).store.head()) }
            if heads == before { return }
            before = heads
        }
        Issue.record("does not come to rest")
    }
}
