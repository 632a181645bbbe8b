import FederationModel
import TestSupport
import Testing

private let minute: Int64 = 60_000
/// 2025-09-30 10:00 in Shanghai.
private let start: UnixMilliseconds = 1_759_197_600_000
private let (province, jinan, taian, lixia) = ("370000", "370100", "370900", "370102")

private let topology = Topology(
    name: "test", version: 1,
    nodes: [(province, "山东省", nil), (jinan, "济南市", province), (taian, "泰安市", province), (lixia, "历下区", jinan)]
        .map { code, name, parent in
            TopologyNode(
                id: node(code), name: name, parent: parent.map { node($0) }, region: code, endpoint: nil)
        })

/// A record on 济南's ticket 370100-1, which bears whatever its author says.
private func record(
    _ resource: ResourceName, by origin: String, _ minutes: Int64, key: String = "", _ texts: [String: String] = [:]
) -> TicketEvent {
    var fields: [String: FieldValue] = texts.mapValues { .text($0) }
    fields["global_id"] = fields["global_id"] ?? .text("370100-1")
    fields["occurred_at"] = .integer(start + minutes * minute)
    fields["requested_datetime"] = .integer(start + minutes * minute)
    fields["ticket_origin"] = fields["ticket_origin"] ?? .text(jinan)
    let form = TicketKind().forms.first { $0.resource == resource }.map {
        TicketEvent.Form(resource, columns: $0.columns.compactMap { TicketColumn(rawValue: $0) })
    }
    return TicketEvent(
        form ?? TicketEvent.Form(resource, columns: []), origin: origin,
        key: key.isEmpty ? "\(resource).\(minutes).\(origin)" : key, version: minutes, fields: fields)
}

private let request = record("service_request", by: jinan, 0, key: "370100-1", ["acceptance": "accepted"])

private func step(_ step: String, _ minutes: Int64, to target: String, by origin: String, id: String = "t")
    -> TicketEvent
{
    record("transfer", by: origin, minutes, ["step": step, "to_node": target, "transfer_id": id])
}

@Suite struct `A record that its author had no right to write` {
    private let fold = TicketFold(LifecycleRules(hierarchy: NodeHierarchy(topology)))

    /// The state with it is the one without, but for what is found, whichever of them arrives first.
    private func expectNoEffect(
        _ forged: [TicketEvent], on thread: [TicketEvent], _ codes: [String],
        _ location: SourceLocation = #_sourceLocation
    ) {
        let honest = fold.fold(thread)
        for all in [thread + forged, forged + thread, (forged + thread).reversed()] {
            var state = fold.fold(all)
            let found = state.findings.filter { finding in forged.contains { $0.id == finding.event } }
            #expect(Set(found.map(\.code.rawValue)) == Set(codes), sourceLocation: location)
            state.findings.removeAll { finding in forged.contains { $0.id == finding.event } }
            #expect(state == honest, sourceLocation: location)
        }
        #expect(
            TicketAudience.nodes(of: thread + forged, at: node(province), topology: topology).contains(node(jinan)),
            sourceLocation: location)
    }

    private var closed: [TicketEvent] {
        [
            request, record("assignment", by: jinan, 10, ["role": "main", "assignee_unit": "城管局"]),
            record("handling", by: jinan, 20), record("reply", by: jinan, 30),
            record("closure", by: jinan, 40, ["closure_kind": "normal"]),
        ]
    }

    @Test(arguments: [-60, 0, 60])
    func `takes no ticket over by a request with its global id, an offer and an acceptance`(minutes: Int64) {
        let forged = [
            record(
                "service_request", by: taian, minutes, key: "x", ["acceptance": "accepted", "ticket_origin": taian]),
            step("offer", minutes + 1, to: taian, by: taian, id: "f"),
            step("accept", minutes + 2, to: taian, by: taian, id: "f"),
        ]
        let archived = closed + [record("ticket_action", by: jinan, 50, ["action": "archive"])]
        for thread in [[request], closed, archived] {
            let state = fold.fold(thread + forged)
            #expect(state.owner == jinan && state.status == fold.fold(thread).status)
            #expect(state.conflicts.contains("FOREIGN_REQUEST"))
        }
    }

    @Test func `closes no ticket whose random id it also uses`() {
        let id = "0192f3a4-7c11-7e2b-9d52-3a1c5f00aa01"
        let first = record("service_request", by: jinan, 0, key: id, ["acceptance": "accepted", "global_id": id])
        let second = record("service_request", by: taian, 5, key: id, ["acceptance": "accepted", "global_id": id])
        let closure = record(
            "closure", by: taian, 6, ["closure_kind": "withdrawn", "global_id": id, "ticket_origin": taian])
        expectNoEffect([second, closure], on: [first], ["FOREIGN_REQUEST", "E_STATE_NOT_OWNER"])
    }

    @Test func `designates, supervises, calls back and decides nothing from the side or from below`() {
        for stranger in [taian, lixia] {
            expectNoEffect([step("designate", 45, to: stranger, by: stranger)], on: [request], ["E_STATE_NOT_ABOVE"])
            expectNoEffect(
                [step("accept", 45, to: stranger, by: stranger)], on: [request], ["E_STATE_NO_OFFER"])
            for forged in [
                record("supervision", by: stranger, 45, ["level": "red_card"]),
                record("callback", by: stranger, 45, ["reached": "yes", "resolved": "no"]),
                record("evaluation", by: stranger, 46, ["score5": "1", "verdict_source": "self_service"]),
                record("assignment", by: stranger, 45, ["role": "main", "assignee_unit": "水务局", "round": "2"]),
                record("return_decision", by: stranger, 45, ["decision": "designated"]),
                record("ticket_action", by: stranger, 45, ["action": "set_phone"]),
                record("closure", by: stranger, 45, ["review": "sent_back"]),
            ] {
                let code = forged.resource == "assignment" ? "E_STATE_NOT_OWNER" : "E_STATE_NOT_INVOLVED"
                expectNoEffect([forged], on: closed, [code])
            }
        }
    }

    @Test func `lowers no protection by calling the ticket its own`() {
        let raised = [
            request,
            record("ticket_action", by: jinan, 5, ["action": "set_confidential", "target": "reporter_protected"]),
        ]
        let lowered = record(
            "ticket_action", by: lixia, 6, ["action": "set_confidential", "target": "none", "ticket_origin": lixia])
        expectNoEffect([lowered], on: raised, ["E_STATE_NOT_INVOLVED"])
        let above = record(
            "ticket_action", by: province, 6,
            ["action": "set_confidential", "target": "none", "ticket_origin": province])
        expectNoEffect([above], on: raised, ["E_CONF_DOWNGRADE"])
    }

    @Test func `makes a report flow to nobody that it accuses, by a request of the accused`() {
        let report = record(
            "service_request", by: lixia, 0, key: "370102-1",
            ["global_id": "370102-1", "request_type": "4", "respondent_name": "济南市"])
        let forged = record(
            "service_request", by: jinan, -5, key: "y",
            ["global_id": "370102-1", "request_type": "2", "respondent_name": "某公司"])
        for thread in [[report], [report, forged], [forged, report]] {
            #expect(Accusation.nodes(accusedBy: thread, topology: topology) == [node(jinan)])
        }
        // Nor does one make a complaint a report, which would not reach whom it concerns.
        let complaint = record(
            "service_request", by: lixia, 0, key: "370102-1",
            ["global_id": "370102-1", "request_type": "2", "respondent_name": "济南市"])
        let denial = record(
            "service_request", by: taian, 0, key: "y", ["global_id": "370102-1", "request_type": "4"])
        #expect(Accusation.nodes(accusedBy: [complaint, denial], topology: topology).isEmpty)
    }

    @Test func `keeps no owner from writing, by a time to come or a respondent of its own`() {
        let ticketGuard = TicketGuard(LifecycleRules(hierarchy: NodeHierarchy(topology)), topology: topology)
        let forged = record(
            "service_request", by: taian, 1_000_000, key: "y", ["request_type": "4", "respondent_name": "城管局"])
        let dispatch = record("assignment", by: jinan, 10, ["role": "main", "assignee_unit": "城管局"])
        let before = ticketGuard.refusal(of: [dispatch], in: [request])
        #expect(ticketGuard.refusal(of: [dispatch], in: [request, forged]) == before)
    }

    @Test func `while those above, and those to whom it was handed, have their say`() {
        let supervision = record("supervision", by: province, 15, ["level": "yellow_card"])
        #expect(fold.fold([request, supervision]).supervision == .open)
        let designated = fold.fold([request, step("designate", 5, to: taian, by: province)])
        #expect(designated.owner == taian && designated.findings.isEmpty)
        let accepted = [request, step("offer", 5, to: taian, by: jinan), step("accept", 6, to: taian, by: taian)]
        #expect(fold.fold(accepted).owner == taian)
        let byOrigin = accepted + [record("supervision", by: jinan, 15)]
        #expect(fold.fold(byOrigin).supervision == .open, "whose ticket it is may press")
        let givenBack =
            accepted + [
                step("offer", 7, to: jinan, by: taian, id: "u"), step("accept", 8, to: jinan, by: jinan, id: "u"),
                record("ticket_action", by: taian, 9, ["action": "set_phone"]),
            ]
        #expect(fold.fold(givenBack).findings.isEmpty)
    }

    @Test func `is not judged by a topology that does not know its author`() {
        let unknown = record("supervision", by: "440000", 15)
        #expect(fold.fold([request, unknown]).supervision == .open)
    }
}
