import FederationModel
import LocalStore
import Testing

/// Design rule 4 by stores alone: who must see a ticket gets its thread, whatever the mode and the direction.
@Suite struct `A ticket that is shared` {
    private static let links = [
        (lixia, jinan), (jinan, province), (qingdao, province), (province, jinan), (province, qingdao), (jinan, lixia),
    ]
    private let nodes: [NodeID: TemporaryStore]

    init() throws {
        nodes = Dictionary(
            uniqueKeysWithValues: try [province, jinan, qingdao, lixia].map {
                ($0, try TemporaryStore($0, topology: qilu))
            })
    }

    private func store(_ node: NodeID) throws -> NodeStore { try #require(nodes[node]).store }

    /// Carries everything over every link until nothing moves any more.
    private func settle(rowsMax: Int = 1_000) async throws {
        for _ in 0..<20 {
            let before = try await heads()
            for (sender, receiver) in Self.links {
                try await store(sender).catchUpConsumers(now: noon)
                try await carry(
                    store(sender), store(receiver), policy: policy(from: sender, to: receiver), rowsMax: rowsMax)
            }
            if try await heads() == before { return }
        }
        Issue.record("does not come to rest")
    }

    private func heads() async throws -> [Seq] {
        var heads: [Seq] = []
        for node in [province, jinan, qingdao, lixia] { heads.append(try await store(node).head()) }
        return heads
    }

    private func held(_ resource: String) async throws -> [Int64?] {
        var counts: [Int64?] = []
        for node in [province, jinan, qingdao, lixia] { counts.append(try await store(node).count(resource)) }
        return counts
    }

    private func offer(_ number: Int, by origin: NodeID, to target: NodeID, after minutes: Int64 = 10) -> IntakeRecord {
        stage(
            "transfer", of: number, origin: origin, after: minutes,
            ["transfer_id": .text("t\(number)"), "step": .text("offer"), "to_node": .text(target.code)])
    }

    @Test(arguments: [1, 3, 1_000])
    func `flows down to whom it was offered with all of its thread, and to nobody else`(rowsMax: Int) async throws {
        _ = try await store(province).intake((1...9).map { ticket($0, origin: province) }, now: noon)
        try await settle(rowsMax: rowsMax)
        #expect(try await held("service_request") == [9, 0, 0, 0])

        let note = stage("handling", of: 4, origin: province, after: 5, ["unit": .text("省信访局")])
        _ = try await store(province).intake([note, offer(4, by: province, to: lixia)], now: noon + 1)
        try await settle(rowsMax: rowsMax)
        #expect(try await held("service_request") == [9, 1, 0, 1])
        #expect(try await held("handling") == [1, 1, 0, 1])
        #expect(try await held("transfer") == [1, 1, 0, 1])

        // What comes later comes too, and what is written below comes back up.
        let later = stage("supervision", of: 4, origin: province, after: 20, ["level": .text("written")])
        _ = try await store(province).intake([later], now: noon + 2)
        let reply = IntakeRecord(
            resource: "reply", key: "370102-r1",
            fields: [
                "global_id": .text("370000-4"), "ticket_origin": .text("370000"), "occurred_at": .integer(noon + 60),
                "reply_kind": .text("final"),
            ])
        _ = try await store(lixia).intake([reply], now: noon + 3)
        try await settle(rowsMax: rowsMax)
        #expect(try await held("supervision") == [1, 1, 0, 1])
        #expect(try await held("reply") == [1, 1, 0, 1])
        #expect(try await held("service_request") == [9, 1, 0, 1])
        let states = "SELECT * FROM ticket_state WHERE global_id = '370000-4'"
        let above = try await store(province).rows(sql: states, arguments: [])
        #expect(above.count == 1)
        for node in [jinan, lixia] { #expect(try await store(node).rows(sql: states, arguments: []) == above) }
    }

    @Test func `flows from city to city through the province, and no row goes back to where it came from`() async throws
    {
        _ = try await store(jinan).intake([ticket(1), ticket(2)], now: noon)
        _ = try await store(jinan).intake([offer(1, by: jinan, to: qingdao)], now: noon + 1)
        try await settle()
        #expect(try await held("service_request") == [2, 2, 1, 0])
        #expect(try await store(jinan).count("service_request", where: "supplier <> 0") == 0)
        #expect(try await store(qingdao).count("service_request", where: "supplier = 370000") == 1)
    }

    @Test
    func `of a city that is asked by query is at the province as soon as that supervises it, with its mode as it was`()
        async throws
    {
        // The request is not at the province, which can still write about it.
        _ = try await store(qingdao).intake([ticket(1, origin: qingdao), ticket(2, origin: qingdao)], now: noon)
        let logical = Topology(
            name: "test", version: 1,
            nodes: qilu.nodes.map {
                TopologyNode(
                    id: $0.id, name: $0.name, parent: $0.parent, region: $0.region, endpoint: nil,
                    defaultMode: $0.id == qingdao ? .logical : .physical)
            })
        let (up, down) = (
            policy(from: qingdao, to: province, topology: logical),
            policy(from: province, to: qingdao, topology: logical)
        )
        try await carry(store(qingdao), store(province), policy: up)
        #expect(try await store(province).count("service_request") == 0)
        let order = IntakeRecord(
            resource: "supervision", key: "370000-s1",
            fields: [
                "global_id": .text("370200-1"), "ticket_origin": .text("370200"), "occurred_at": .integer(noon + 60),
                "level": .text("written"),
            ])
        _ = try await store(province).intake([order], now: noon + 1)
        for _ in 0..<3 {
            try await store(province).catchUpConsumers(now: noon)
            try await carry(store(province), store(qingdao), policy: down)
            try await store(qingdao).catchUpConsumers(now: noon)
            try await carry(store(qingdao), store(province), policy: up)
        }
        #expect(try await store(qingdao).count("supervision") == 1)
        #expect(try await store(province).count("service_request") == 1, "the one that it supervises")
    }

    @Test func `is granted by a sweep as by a tail`() async throws {
        _ = try await store(province).intake((1...50).map { ticket($0, origin: province) }, now: noon)
        let offers = (1...50).filter { $0.isMultiple(of: 3) }.map { offer($0, by: province, to: jinan) }
        _ = try await store(province).intake(offers, now: noon + 1)
        try await store(province).catchUpConsumers(now: noon)
        try await carry(store(province), store(jinan), policy: policy(from: province, to: jinan), rowsMax: 7)
        #expect(try await store(jinan).count("service_request") == 16)
        #expect(try await store(jinan).count("transfer") == 16)
    }

    @Test func `goes away from whom it is no longer offered to, and no key is told of what he never had`() async throws
    {
        _ = try await store(province).intake((1...3).map { ticket($0, origin: province) }, now: noon)
        let note = stage("handling", of: 1, origin: province, after: 5, ["unit": .text("省信访局")])
        _ = try await store(province).intake([note, offer(1, by: province, to: jinan)], now: noon + 1)
        try await settle()
        #expect(try await held("handling") == [1, 1, 0, 0])

        let late = stage("handling", of: 1, origin: province, after: 6, ["unit": .text("省信访局")])
        _ = try await store(province).intake([late, offer(1, by: province, to: qingdao)], now: noon + 2)
        try await store(province).catchUpConsumers(now: noon)
        let down = policy(from: province, to: jinan)
        let start = try await startCursor(store(province), store(jinan), policy: down)
        let sent = try rows(sentIn: await changeSet(store(province), from: start, policy: down, rowsMax: 100).bytes)
        #expect(
            Set(sent.map(\.id)) == [
                "service_request 370000 370000-1", "handling 370000 370000-1.handling.5",
                "transfer 370000 370000-1.transfer.10",
            ])
        for row in sent {
            #expect(row.fields.filter { !$0.value.isNull }.keys.sorted() == ["deleted", "key", "origin", "version"])
        }
        try await settle()
        #expect(try await held("service_request") == [3, 0, 1, 0])
        #expect(try await held("handling") == [2, 0, 2, 0])
    }

    @Test func `is taken back when it turns out to be a report that accuses the node that has it`() async throws {
        _ = try await store(province).intake([ticket(1, origin: province)], now: noon)
        _ = try await store(province).intake([offer(1, by: province, to: jinan)], now: noon + 1)
        try await settle()
        #expect(try await held("service_request") == [1, 1, 0, 0])
        var report = ticket(1, origin: province)
        report.fields["request_type"] = .text("4")
        report.fields["respondent_name"] = .text("济南市")
        _ = try await store(province).intake([report], now: noon + 2)
        try await settle()
        #expect(try await held("service_request") == [1, 0, 0, 0])
        #expect(try await held("transfer") == [1, 0, 0, 0])
    }

    @Test func `is taken back when its own origin protects the reporter from the node that has it`() async throws {
        var complaint = ticket(1, origin: province)
        complaint.fields["respondent_name"] = .text("济南市")
        _ = try await store(province).intake([complaint, offer(1, by: province, to: jinan)], now: noon)
        try await settle()
        #expect(try await held("service_request") == [1, 1, 0, 0])
        let raise = stage(
            "ticket_action", of: 1, origin: province, after: 30,
            ["action": .text("set_confidential"), "target": .text("reporter_protected")])
        _ = try await store(province).intake([raise], now: noon + 1)
        try await settle()
        #expect(try await held("service_request") == [1, 0, 0, 0])
        #expect(try await held("transfer") == [1, 0, 0, 0])
        #expect(try await held("ticket_action") == [1, 0, 0, 0])
    }

    @Test func `stays with whom it concerns when the rest goes over to queries`() async throws {
        _ = try await store(jinan).intake((1...5).map { ticket($0) }, now: noon)
        _ = try await store(jinan).intake([offer(1, by: jinan, to: qingdao)], now: noon + 1)
        try await settle()
        let logical = Topology(
            name: "test", version: 2,
            nodes: qilu.nodes.map {
                TopologyNode(
                    id: $0.id, name: $0.name, parent: $0.parent, region: $0.region, endpoint: nil,
                    defaultMode: $0.id == jinan ? .logical : .physical)
            })
        let up = policy(from: jinan, to: province, topology: logical)
        #expect(try await store(province).adopt(logical).map(\.rows) == [4])
        #expect(try await held("service_request") == [1, 5, 1, 0])
        try await carry(store(jinan), store(province), policy: up)
        // What has come since is nothing to withdraw, also if its audience is not known here yet.
        _ = try await store(jinan).intake([offer(2, by: jinan, to: qingdao)], now: noon + 2)
        try await store(jinan).catchUpConsumers(now: noon)
        try await carry(store(jinan), store(province), policy: up)
        #expect(try await store(province).adopt(logical).isEmpty)
        #expect(try await store(province).adopt(logical.numbered(3)).isEmpty, "the link goes on without a sweep")
        #expect(try await held("service_request") == [2, 5, 1, 0])
    }

    @Test func `is not taken from a node that an adopted topology has no link to`() async throws {
        _ = try await store(jinan).intake([ticket(1)], now: noon)
        let without = Topology(
            name: "test", version: 2, nodes: qilu.nodes.filter { ![jinan, lixia].contains($0.id) })
        _ = try await store(province).adopt(without)
        // It was on its way, so its sender did not know yet.
        let error = await #expect(throws: FederationError.self) {
            try await carry(store(jinan), store(province), policy: policy(from: jinan, to: province))
        }
        #expect(error?.code == "E_NOT_A_NEIGHBOUR")
        #expect(try await held("service_request") == [0, 1, 0, 0])
    }

    @Test func `is not taken over a link that an adopted topology lets less through`() async throws {
        _ = try await store(lixia).intake([ticket(1, origin: lixia)], now: noon)
        try await carry(store(lixia), store(jinan), policy: policy(from: lixia, to: jinan))
        let moved = Topology(
            name: "test", version: 2,
            nodes: qilu.nodes.map {
                $0.id == lixia
                    ? TopologyNode(id: lixia, name: $0.name, parent: province, region: $0.region, endpoint: nil) : $0
            })
        _ = try await store(province).adopt(moved)
        // It was on its way. What lixia holds comes from there now, so nobody would take this back.
        let error = await #expect(throws: FederationError.self) {
            try await carry(store(jinan), store(province), policy: policy(from: jinan, to: province))
        }
        #expect(error?.code == "E_CURSOR_MOVED")
        #expect(try await held("service_request") == [0, 1, 0, 1])
        _ = try await store(jinan).adopt(moved)
        try await carry(store(jinan), store(province), policy: policy(from: jinan, to: province, topology: moved))
        #expect(try await held("service_request")[0] == 0)
        try await carry(store(lixia), store(province), policy: policy(from: lixia, to: province, topology: moved))
        #expect(try await held("service_request")[0] == 1)
    }

    @Test func `is not taken over such a link while the topology is being taken up either`() async throws {
        let note = stage("handling", of: 1, after: 5, ["unit": .text("住建局")])
        _ = try await store(jinan).intake([ticket(1), note], now: noon)
        let up = policy(from: jinan, to: province)
        let logical = Topology(
            name: "test", version: 2,
            nodes: qilu.nodes.map {
                TopologyNode(
                    id: $0.id, name: $0.name, parent: $0.parent, region: $0.region, endpoint: nil,
                    modes: $0.id == jinan ? ["handling": .logical] : [:])
            })
        let above = try store(province)
        let release = TopologyRelease(version: 2, text: "", publishedAt: noon)
        try await above.adopt([(release, logical)], after: qilu, known: [], now: noon)
        let adopted = Standing(
            node: province, topology: logical, revisions: try above.linkRevisions(), resources: above.resources)
        while try await above.performAdoptionStep(under: adopted, now: noon) != nil {}
        // Its links still run under the topology before.
        let error = await #expect(throws: FederationError.self) {
            try await carry(store(jinan), above, policy: up)
        }
        #expect(error?.code == "E_BUSY" && error?.isRetryable == true)
        try above.publish(adopted)
        _ = try await store(jinan).adopt(logical)
        try await carry(store(jinan), above, policy: policy(from: jinan, to: province, topology: logical))
        #expect(try await held("service_request")[0] == 1)
        #expect(try await held("handling")[0] == 0)
    }

    @Test func `brings nothing to a node that names a stranger's ticket in a record of its own`() async throws {
        _ = try await store(jinan).intake([ticket(1)], now: noon)
        let claim = IntakeRecord(
            resource: "transfer", key: "370200-x",
            fields: [
                "global_id": .text("370100-1"), "ticket_origin": .text("370200"), "occurred_at": .integer(noon),
                "transfer_id": .text("x"), "step": .text("offer"), "to_node": .text("370200"),
            ])
        _ = try await store(qingdao).intake([claim], now: noon + 1)
        try await settle()
        #expect(try await held("service_request") == [1, 1, 0, 0])
        #expect(try await held("transfer") == [1, 1, 1, 0], "the ticket's origin hears of it")
    }
}
