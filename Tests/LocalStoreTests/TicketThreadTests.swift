import FederationModel
import LocalStore
import Testing

@Suite struct `A ticket's thread` {
    @Test func `holds the calls and recordings that ticket and call name, by either spelling`() async throws {
        let temporary = try TemporaryStore(jinan)
        try await take(
            [
                request(1, ["call_id": .text("370100-C1")]), request(2, ["call_id": .text("C2")]), request(3),
                request(4),
                call("370100-C1"), call("370100-C2"), call("370100-C3", linked: "370100-3"),
                call("370100-C4", linked: "4"), call("370100-C5"),
                recording("370100-R1", of: "370100-C1"), recording("370100-R2", of: "C2"),
                recording("370100-R5", of: "C5"),
            ], into: temporary)
        for number in 1...4 {
            let thread = try await temporary.store.ticket("370100-\(number)")
            #expect(thread.calls.map(\.key) == ["370100-C\(number)"])
            #expect(thread.recordings.map(\.key) == (number <= 2 ? ["370100-R\(number)"] : []))
        }
    }

    @Test func `does not hold another node's call of the same key`() async throws {
        let (above, below) = (try TemporaryStore(province), try TemporaryStore(jinan))
        try await take([request(1, ["call_id": .text("C1")])], into: below)
        try await take([call("C1"), call("C2", linked: "1")], into: above)
        try await carry(below.store, above.store, policy: policy(from: jinan, to: province))
        #expect(try await above.store.ticket("370100-1").calls.isEmpty)
    }

    @Test func `is found by each of its numbers`() async throws {
        let temporary = try TemporaryStore(jinan)
        let accepted = stage(
            "transfer", of: 1, after: 5,
            [
                "transfer_id": .text("T"), "step": .text("accept"), "to_node": .text("370200"),
                "target_request_id": .text("Q-7"),
            ])
        try await take([request(1, ["source_request_id": .text("省-0815")]), accepted], into: temporary)
        for id in ["370100-1", "1", "省-0815", "Q-7"] {
            #expect(try await temporary.store.ticket(id).globalID == "370100-1")
        }
        await #expect { try await temporary.store.ticket("2") } throws: {
            ($0 as? FederationError)?.code == "E_TICKET_UNKNOWN"
        }
    }

    @Test func `with a number that others have too is named by its global id`() async throws {
        let temporary = try TemporaryStore(jinan)
        try await take((1...12).map { request($0, ["service_request_id": .text("N")]) }, into: temporary)
        let error = await #expect(throws: FederationError.self) { try await temporary.store.ticket("N") }
        #expect(error?.code == "E_TICKET_AMBIGUOUS")
        #expect(error?.message.contains("370100-1, 370100-10,") == true)
        #expect(error?.message.hasSuffix(", …") == true)
        #expect(try await temporary.store.ticket("370100-2").request?.fields["service_request_id"] == .text("N"))
    }

    private func take(_ records: [IntakeRecord], into temporary: TemporaryStore) async throws {
        _ = try await temporary.store.intake(records, now: noon)
    }

    private func request(_ number: Int, _ fields: [String: FieldValue] = [:]) -> IntakeRecord {
        let plain = ticket(number)
        return IntakeRecord(resource: plain.resource, key: plain.key, fields: plain.fields.merging(fields) { $1 })
    }

    private func call(_ key: String, linked: String? = nil) -> IntakeRecord {
        var fields: [String: FieldValue] = [
            "direction": .text("inbound"), "arrival": .integer(noon), "disposition": .text("connected"),
        ]
        if let linked { fields["linked_request"] = .text(linked) }
        return IntakeRecord(resource: "call_record", key: key, fields: fields)
    }

    private func recording(_ key: String, of call: String) -> IntakeRecord {
        IntakeRecord(resource: "recording", key: key, fields: ["call_id": .text(call), "uri": .text("r.wav")])
    }
}
