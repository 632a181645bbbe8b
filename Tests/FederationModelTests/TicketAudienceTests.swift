import FederationModel
import Testing

@Suite struct `The audience of a ticket` {
    /// 山东省 over 济南 (with 历下 and 章丘) and 青岛.
    private let topology = Topology(
        name: "test", version: 1,
        nodes: [
            ("370000", nil), ("370100", "370000"), ("370200", "370000"), ("370102", "370100"), ("370114", "370100"),
        ].map { (code: NodeID, parent: NodeID?) in
            TopologyNode(id: code, name: code.code, parent: parent, region: code.code, endpoint: nil)
        })

    private func record(_ resource: ResourceName, by origin: String, _ fields: [String: String] = [:]) -> TicketEvent {
        TicketEvent(
            form(resource), origin: origin, key: "\(resource)-\(origin)-\(fields.count)", version: 1,
            fields: fields.mapValues { .text($0) })
    }

    private func transfer(_ step: String, by origin: String, to node: String) -> TicketEvent {
        record("transfer", by: origin, ["ticket_origin": "370100", "step": step, "to_node": node])
    }

    private func audience(_ records: TicketEvent..., at here: NodeID = "370000") -> Set<NodeID> {
        TicketAudience.nodes(of: records, at: here, topology: topology)
    }

    private var request: TicketEvent { record("service_request", by: "370100") }

    @Test func `is its origin, and to whom it was offered, from hand to hand`() {
        #expect(audience(request) == ["370100"])
        #expect(audience(request, transfer("offer", by: "370100", to: "370200")) == ["370100", "370200"])
        #expect(
            audience(
                transfer("offer", by: "370102", to: "370114"), transfer("offer", by: "370100", to: "370102"), request)
                == ["370100", "370102", "370114"], "in whatever order the records come")
    }

    @Test func `has who supervises it from above, and whom that one designates`() {
        #expect(audience(request, record("supervision", by: "370000")) == ["370100", "370000"])
        #expect(
            audience(request, transfer("designate", by: "370000", to: "370200")) == ["370100", "370000", "370200"])
        let county = record("service_request", by: "370102")
        #expect(audience(county, record("supervision", by: "370100")) == ["370102", "370100"])
    }

    /// Else anybody could make a stranger's ticket flow to itself.
    @Test func `has nobody who only writes in its thread`() {
        #expect(audience(request, record("handling", by: "370200")) == ["370100"])
        #expect(audience(request, record("supervision", by: "370102")) == ["370100"])
        for step in ["offer", "designate", "accept", "return"] {
            #expect(audience(request, transfer(step, by: "370200", to: "370200")) == ["370100"])
        }
        #expect(audience(request, transfer("accept", by: "370100", to: "370200")) == ["370100"])
    }

    /// Ground rule 7.
    @Test func `never has whom a report accuses, nor whom it reaches only through him`() {
        func report(_ type: String, by origin: String) -> TicketEvent {
            record("service_request", by: origin, ["request_type": type, "respondent_name": "370100"])
        }
        let offers = [
            transfer("offer", by: "370200", to: "370100"), transfer("offer", by: "370200", to: "370102"),
            transfer("offer", by: "370200", to: "370000"),
        ]
        #expect(audience(report("2", by: "370200"), offers[0], offers[1], offers[2]).count == 4)
        #expect(audience(report("4", by: "370200"), offers[0], offers[1], offers[2]) == ["370200", "370000"])
        let mine = report("4", by: "370102")
        #expect(audience(mine, record("supervision", by: "370000"), at: "370102") == ["370102"])
        #expect(audience(mine, record("supervision", by: "370000")) == ["370000"], "no way leads back but through him")
    }

    /// Else 370000 would learn from him whom it accuses, take back what it wrote, and with that be no longer told.
    @Test func `has nobody but its origin where whom it accuses has got hold of it`() {
        let mine = record("service_request", by: "370102", ["request_type": "4", "respondent_name": "370100"])
        let above = record("handling", by: "370000")
        #expect(audience(mine, above, at: "370100") == ["370102", "370100"])
        #expect(audience(mine, above, at: "370102") == ["370102"])
    }

    @Test func `has its origin also when the report accuses it`() {
        let report = record("service_request", by: "370100", ["request_type": "4", "respondent_name": "370100"])
        #expect(audience(report, transfer("offer", by: "370100", to: "370102")) == ["370100", "370102"])
    }

    @Test func `has nobody who is accused by somebody protected, or by a name that a link has masked`() {
        func report(_ fields: [String: String]) -> TicketEvent { record("service_request", by: "370200", fields) }
        let offer = transfer("offer", by: "370200", to: "370100")
        let raise = record(
            "ticket_action", by: "370200",
            ["ticket_origin": "370200", "action": "set_confidential", "target": "reporter_protected"])
        #expect(audience(report(["respondent_name": "370100"]), offer) == ["370200", "370100"])
        #expect(audience(report(["respondent_name": "370100"]), offer, raise, at: "370200") == ["370200"])
        let protected = report(["respondent_name": "370100", "confidential": "reporter_protected"])
        #expect(audience(protected, offer, at: "370200") == ["370200"])
        // It may be any node whose name begins so, the origin among them, which keeps it.
        #expect(audience(report(["respondent_name": "3**", "request_type": "4"]), offer, at: "370200") == ["370200"])
    }

    @Test func `holds no node that is not in the topology`() {
        #expect(audience(request, transfer("offer", by: "370100", to: "379999")) == ["370100"])
        #expect(audience(request, transfer("offer", by: "370100", to: "nobody")) == ["370100"])
    }

    @Test func `is what the records agree on while the request is not here, and empty when they do not`() {
        let reply = record("reply", by: "370102", ["ticket_origin": "370100"])
        #expect(audience(reply) == ["370100"])
        #expect(audience(reply, record("reply", by: "370200", ["ticket_origin": "370200"])) == [])
        #expect(audience() == [])
    }
}
