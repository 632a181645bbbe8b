import FederationModel

/// Records as nodes write them: tickets, and what is done about them, also about those of others and also what nobody may.
struct RandomRecords {
    /// In the order of the topology.
    let nodes: [NodeID]
    let names: [String]

    func any(of node: NodeID, using random: inout SplitMix64) -> IntakeRecord {
        // Nodes also write about tickets of others, which they may have or not.
        let isOther = Int.random(in: 0..<4, using: &random) == 0
        let origin = isOther ? nodes.randomElement(using: &random) ?? node : node
        let number = Int.random(in: 1...12, using: &random)
        func any(_ values: [String?]) -> FieldValue {
            (values.randomElement(using: &random) ?? nil).map { .text($0) } ?? .null
        }
        if Int.random(in: 0..<3, using: &random) == 0 {
            let target = nodes.randomElement(using: &random) ?? node
            return Self.stage(
                "transfer", of: number, origin: origin, after: Int64.random(in: 1...2, using: &random),
                [
                    "transfer_id": .text("t"), "step": any(["offer", "designate", "accept"]),
                    "to_node": .text(target.code),
                ])
        }
        if Int.random(in: 0..<6, using: &random) == 0 {
            // Some name their ticket, in one spelling or the other; of the others each is named by one ticket.
            let call = Int.random(in: 1...18, using: &random)
            var record = Self.call(call, origin: node)
            if call <= 6 { record.fields["linked_request"] = any(["\(origin)-\(number)", "\(number)", nil]) }
            return record
        }
        let minute = 10 + Int64((nodes.firstIndex(of: node) ?? 0) * 10) + Int64.random(in: 0...3, using: &random)
        if Int.random(in: 0..<4, using: &random) == 0 {
            return Self.stage(
                "assignment", of: number, origin: origin, after: minute,
                [
                    "role": .text("main"), "assignee_unit": any(["住建局", "城管局", "水务局"]),
                    "due_datetime": .integer(Federation.start),
                ])
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            return Self.stage(
                "ticket_action", of: number, origin: origin, after: minute,
                ["action": .text("set_confidential"), "target": any(["none", "name_hidden", "reporter_protected"])])
        }
        if origin != node || Bool.random(using: &random) {
            var record = Self.stage(
                "handling", of: number, origin: origin, after: Int64.random(in: 1...2, using: &random),
                ["contacted": .integer(1)])
            record.fields["measures"] = any(["已联系13812348000", nil])
            record.fields["actor"] = any(["王五", nil])
            return record
        }
        var record = Self.ticket(number, origin: node)
        record.fields["region_code"] = any(["370102", "370103", "370104001", nil])
        record.fields["service_code"] = any(["0101", "02", nil])
        record.fields["request_type"] = any(["1", "2", "4"])
        record.fields["confidential"] = any(["none", "name_hidden", nil])
        record.fields["requested_datetime"] = .integer(Federation.start + Int64.random(in: -1...0, using: &random))
        record.fields["respondent_name"] = any(names + ["某公司", nil])
        record.fields["call_id"] = any(["\(node)-call-\(number + 6)", "call-\(number + 6)", nil, nil])
        record.fields["reporter_name"] = any(["张三", "李四光", nil])
        record.fields["reporter_phone"] = any(["13812348000", "0531-12343456", nil])
        record.fields["description"] = any(["请拨13812348000找我", nil])
        return record
    }

    static func ticket(_ number: Int, origin: NodeID) -> IntakeRecord {
        let id = "\(origin)-\(number)"
        return IntakeRecord(
            resource: "service_request", key: id,
            fields: [
                "global_id": .text(id), "service_request_id": .text("\(number)"),
                "requested_datetime": .integer(Federation.start), "channel": .text("01"), "request_type": .text("2"),
                "urgency": .text("normal"), "title": .text("路灯不亮"), "acceptance": .text("accepted"),
                "lat": .real(36.65),
            ])
    }

    private static func call(_ number: Int, origin: NodeID) -> IntakeRecord {
        IntakeRecord(
            resource: "call_record", key: "\(origin)-call-\(number)",
            fields: [
                "direction": .text("inbound"), "arrival": .integer(Federation.start), "disposition": .text("connected"),
                "caller": .text("13812348000"),
            ])
    }

    private static func stage(
        _ resource: ResourceName, of number: Int, origin: NodeID, after minutes: Int64, _ fields: Fields
    ) -> IntakeRecord {
        let id = "\(origin)-\(number)"
        return IntakeRecord(
            resource: resource, key: "\(id).\(resource).\(minutes)",
            fields: [
                "global_id": .text(id), "ticket_origin": .text(origin.code),
                "occurred_at": .integer(Federation.start + minutes * 60_000), "round": .integer(1),
            ].merging(fields) { $1 })
    }
}
