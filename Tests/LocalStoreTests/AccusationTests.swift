import FederationModel
import LocalStore
import Testing

/// Ground rule 7 of the domain model, over links that have no filter: they look at a row only once a ticket has named the
/// receiver.
@Suite struct `A report` {
    let county: TemporaryStore
    let city: TemporaryStore
    let link = policy(from: lixia, to: jinan)

    init() throws {
        county = try TemporaryStore(lixia, topology: qilu)
        city = try TemporaryStore(jinan, topology: qilu)
    }

    private func ticket(_ number: Int, type: String = "4", against respondent: String?) -> IntakeRecord {
        var record = LocalStoreTests.ticket(number, origin: lixia, region: "370102", type: type)
        if let respondent { record.fields["respondent_name"] = .text(respondent) }
        return record
    }

    private func handling(_ number: Int) -> IntakeRecord { stage("handling", of: number, origin: lixia, after: 5, [:]) }

    private func protected(_ number: Int) -> IntakeRecord {
        stage(
            "ticket_action", of: number, origin: lixia, after: 9,
            ["action": .text("set_confidential"), "target": .text("reporter_protected")])
    }

    /// What the city would be sent now.
    private func sent() async throws -> [SentRow] {
        let start = try await startCursor(county.store, city.store, policy: link)
        return try rows(sentIn: await changeSet(county.store, from: start, policy: link, rowsMax: 100).bytes)
    }

    private func tickets(at store: TemporaryStore) async throws -> [String] {
        try await store.store.rows(
            sql: "SELECT service_request_id FROM service_request WHERE deleted = 0 ORDER BY 1", arguments: []
        ).compactMap { $0[0].text }
    }

    @Test func `is not copied to whom it accuses, nor are its thread and its keys`() async throws {
        try await carry(county.store, city.store, policy: link)
        _ = try await county.store.intake(
            [
                ticket(1, against: "济南市"), handling(1), ticket(2, against: "某公司"), handling(2),
                ticket(3, type: "3", against: "济南市"), ticket(4, type: "3", against: nil),
            ], now: noon)
        #expect(!(try await sent()).contains { $0.id.contains("370102-1") })
        try await carry(county.store, city.store, policy: link)
        #expect(try await tickets(at: city) == ["2", "3", "4"])
        #expect(try await city.store.count("handling") == 1)
        // Nor when it is gone.
        _ = try await county.store.remove(.delete, tickets: ["370102-1"], reason: "other", order: ulid(1), now: noon)
        try await county.store.catchUpConsumers(now: noon)
        #expect(!(try await sent()).contains { $0.id.contains("370102-1") })
        // Nor to somebody who begins anew.
        let other = try TemporaryStore(jinan, topology: qilu)
        _ = try await county.store.intake([ticket(5, against: "济南市")], now: noon)
        try await carry(county.store, other.store, policy: link)
        #expect(try await tickets(at: other) == ["2", "3", "4"])
    }

    @Test func `is taken back from whom it turns out to accuse, and what went away before is told all the same`()
        async throws
    {
        _ = try await county.store.intake(
            [
                ticket(1, type: "3", against: nil), handling(1), ticket(2, type: "3", against: nil), handling(2),
                ticket(3, type: "3", against: nil), handling(4),
            ],
            now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await tickets(at: city) == ["1", "2", "3"])
        // Deleted while nothing is logged yet, and told only after the log began.
        _ = try await county.store.remove(.delete, tickets: ["370102-3"], reason: "other", order: ulid(1), now: noon)
        _ = try await county.store.intake(
            [ticket(1, against: "济南市"), ticket(4, against: "济南市")], now: noon)
        let rows = try await sent()
        #expect(
            Set(rows.map(\.id)) == [
                "service_request 370102 370102-1", "handling 370102 370102-1.handling.5",
                "service_request 370102 370102-3", "handling 370102 370102-4.handling.5",
            ])
        #expect(rows.allSatisfy { $0.fields["deleted"] != .integer(0) && $0.fields["title"]?.text == nil })
        try await carry(county.store, city.store, policy: link)
        #expect(try await tickets(at: city) == ["2"])
        #expect(try await city.store.count("handling") == 1)
        // And given again when it accuses somebody else.
        _ = try await county.store.intake([ticket(1, against: "某公司")], now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await tickets(at: city) == ["1", "2"])
        #expect(try await city.store.count("handling") == 2)
    }

    @Test func `is also what a protected reporter says, from the moment of the protection`() async throws {
        _ = try await county.store.intake(
            [ticket(1, type: "3", against: "济南市"), handling(1), ticket(2, type: "3", against: "某公司")], now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await tickets(at: city) == ["1", "2"])
        _ = try await county.store.intake([protected(1), protected(2)], now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await tickets(at: city) == ["2"])
        #expect(try await city.store.count("handling") == 0)
        #expect(try await city.store.count("ticket_action") == 1)
    }

    @Test func `keeps its calls and recordings with it, by whichever of the two names the other`() async throws {
        func named(_ number: Int, _ type: String) -> IntakeRecord {
            var record = ticket(number, type: type, against: "济南市")
            record.fields["call_id"] = .text("call-\(number)")
            return record
        }
        let calls = [
            call(1, of: 1, origin: lixia), call(2, origin: lixia), call(3, of: 3, origin: lixia),
            call(4, origin: lixia),
        ]
        _ = try await county.store.intake(
            [ticket(1, against: "济南市"), named(2, "4"), ticket(3, type: "3", against: "济南市"), named(4, "3")]
                + calls + (1...4).map { recording($0, origin: lixia) }, now: noon)
        try await carry(county.store, city.store, policy: link)
        func numbers(_ resource: String) async throws -> [String] {
            try await city.store.rows(
                sql: "SELECT \"key\" FROM \(resource) WHERE deleted = 0 ORDER BY 1", arguments: []
            ).compactMap { $0[0].text.map { String($0.suffix(1)) } }
        }
        #expect(try await numbers("call_record") == ["3", "4"])
        #expect(try await numbers("recording") == ["3", "4"])
        // Both ways to a report, and both ways back.
        _ = try await county.store.intake(
            [ticket(1, type: "3", against: "济南市"), named(2, "3"), ticket(3, against: "济南市"), named(4, "4")],
            now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await numbers("call_record") == ["1", "2"])
        #expect(try await numbers("recording") == ["1", "2"])
        // And a call that is linked with another ticket.
        _ = try await county.store.intake([call(1, of: 3, origin: lixia)], now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await numbers("call_record") == ["2"])
    }

    @Test func `gives calls and recordings back that it does not name any more`() async throws {
        func named(_ number: Int, by call: String?) -> IntakeRecord {
            var record = ticket(number, against: "济南市")
            record.fields["call_id"] = call.map { .text($0) }
            return record
        }
        _ = try await county.store.intake(
            [named(1, by: "call-1"), named(2, by: "call-2"), named(3, by: "370102-call-3"), named(4, by: nil)]
                + [
                    call(1, origin: lixia), call(2, origin: lixia), call(3, origin: lixia),
                    call(4, of: 4, origin: lixia),
                ]
                + (1...4).map { recording($0, origin: lixia) }, now: noon)
        try await carry(county.store, city.store, policy: link)
        func numbers(_ resource: String) async throws -> String {
            try await city.store.rows(
                sql: "SELECT \"key\" FROM \(resource) WHERE deleted = 0 ORDER BY 1", arguments: []
            ).compactMap { $0[0].text.map { String($0.suffix(1)) } }.joined()
        }
        #expect(try await numbers("call_record") == "")
        #expect(try await numbers("recording") == "")
        // The one names none any more, another names another one.
        _ = try await county.store.intake([named(1, by: nil), named(2, by: "call-1")], now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await numbers("call_record") == "2")
        #expect(try await numbers("recording") == "2")
        // A call that is linked with no ticket any more.
        _ = try await county.store.intake([call(4, origin: lixia)], now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await numbers("call_record") == "24")
        #expect(try await numbers("recording") == "24")
        // And one that is taken out of a table, or whose number changes.
        _ = try await county.store.intake([named(3, by: "370102-call-2")], now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await numbers("call_record") == "34")
        #expect(try await numbers("recording") == "34")
    }

    @Test func `keeps a recording whose call comes after it, or comes back`() async throws {
        var named = ticket(1, against: "济南市")
        named.fields["call_id"] = .text("call-1")
        _ = try await county.store.intake(
            [named, ticket(2, against: "济南市"), recording(1, origin: lixia), recording(2, origin: lixia)], now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await city.store.count("recording") == 2)
        _ = try await county.store.intake([call(1, origin: lixia), call(2, of: 2, origin: lixia)], now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await city.store.count("recording") == 0)
        let gone = (1...2).map { SourceRow.RecordName(resource: "call_record", key: "370102-call-\($0)") }
        _ = try await county.store.intake([SourceRow([], absent: gone)], isGuarded: false, now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await city.store.count("recording") == 1, "the other is of a call that the report itself names")
        _ = try await county.store.intake([call(1, origin: lixia), call(2, of: 2, origin: lixia)], now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await city.store.count("recording") == 0)
    }

    @Test func `that is withdrawn gives its calls and recordings back`() async throws {
        var named = ticket(1, against: "济南市")
        named.fields["call_id"] = .text("call-1")
        _ = try await county.store.intake(
            [named, ticket(2, against: "济南市"), call(1, origin: lixia), call(2, of: 2, origin: lixia)]
                + (1...2).map { recording($0, origin: lixia) }, now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await city.store.count("call_record") == 0)
        let gone = (1...2).map { SourceRow.RecordName(resource: "service_request", key: "370102-\($0)") }
        _ = try await county.store.intake([SourceRow([], absent: gone)], isGuarded: false, now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await city.store.count("service_request") == 0)
        #expect(try await city.store.count("call_record") == 2)
        #expect(try await city.store.count("recording") == 2)
    }

    @Test func `that was shared by transfer tells no key of what is written on it from then on`() async throws {
        let nodes = qilu.nodes.map { node in
            TopologyNode(
                id: node.id, name: node.name, parent: node.parent, region: node.region, endpoint: nil,
                defaultMode: .logical)
        }
        let topology = Topology(name: "logical", version: 1, nodes: nodes)
        let county = try TemporaryStore(lixia, topology: topology)
        let link = policy(from: lixia, to: jinan, topology: topology)
        func sent() async throws -> Set<String> {
            try await county.store.catchUpConsumers(now: noon)
            let start = try await startCursor(county.store, city.store, policy: link)
            let changeSet = try await changeSet(county.store, from: start, policy: link, rowsMax: 100)
            try await carry(county.store, city.store, policy: link)
            return Set(try rows(sentIn: changeSet.bytes).map { String($0.id.prefix { $0 != " " }) })
        }
        let offer = stage(
            "transfer", of: 1, origin: lixia, after: 1,
            ["transfer_id": .text("t"), "step": .text("offer"), "to_node": .text("370100")])
        _ = try await county.store.intake([ticket(1, type: "3", against: "济南市"), offer], now: noon)
        #expect(try await sent() == ["service_request", "transfer"])
        #expect(try await tickets(at: city) == ["1"])
        _ = try await county.store.intake([protected(1)], now: noon)
        // Nor is it stated to somebody who begins anew before the audience is found again.
        let other = try TemporaryStore(jinan, topology: topology)
        try await carry(county.store, other.store, policy: link)
        #expect(try await tickets(at: other) == [])
        #expect(try await other.store.count("transfer") == 0)
        #expect(try await sent() == ["service_request", "transfer"])
        #expect(try await tickets(at: city) == [])
        _ = try await county.store.intake([handling(1)], now: noon)
        #expect(try await sent() == [])
        _ = try await county.store.remove(.delete, tickets: ["370102-1"], reason: "other", order: ulid(1), now: noon)
        #expect(try await sent().isDisjoint(with: ["handling", "ticket_action"]))
    }

    @Test func `is recognised by a name that a link has masked, and kept by the node that took it in`() async throws {
        _ = try await county.store.intake([ticket(1, against: "山**"), ticket(2, against: "历下区")], now: noon)
        try await carry(county.store, city.store, policy: link)
        #expect(try await tickets(at: city) == ["1", "2"])
        let upper = try TemporaryStore(province, topology: qilu)
        try await carry(city.store, upper.store, policy: policy(from: jinan, to: province))
        #expect(try await tickets(at: upper) == ["2"])
        // What the city writes on it goes back to the county, which has the report anyway.
        _ = try await city.store.intake([handling(2)], now: noon)
        try await city.store.catchUpConsumers(now: noon)
        try await carry(city.store, county.store, policy: policy(from: jinan, to: lixia))
        #expect(try await county.store.count("handling") == 1)
    }

    @Test func `is withheld under a topology that brings the node which it accuses`() async throws {
        let alone = try TemporaryStore(lixia)
        _ = try await alone.store.intake(
            [ticket(1, against: "济南市"), ticket(2, type: "3", against: "济南市"), protected(2)], now: noon)
        let store = alone.store
        try await store.adopt(qilu)
        try await carry(store, city.store, policy: link)
        #expect(try await tickets(at: city) == [])
        #expect(try await city.store.count("ticket_action") == 0)
    }
}
