import FederationModel

/// What the policies and audiences along all links grant, by walking from row to row. It shares nothing with the store: no
/// SQL, no seq, no log.
package enum Reference {
    /// By node, what is held there once nothing moves any more.
    ///
    /// - Returns: nil when it does not come to rest.
    package static func held(
        _ own: [NodeID: [String: Look]], _ links: [(NodeID, NodeID)], _ topology: Topology
    ) -> [NodeID: [String: Look]]? {
        var held = own
        for _ in 0..<30 {
            let next = next(held, own, links, topology)
            if next == held { return held }
            held = next
        }
        return nil
    }

    /// What is held after everybody has sent what he grants.
    package static func next(
        _ held: [NodeID: [String: Look]], _ own: [NodeID: [String: Look]], _ links: [(NodeID, NodeID)],
        _ topology: Topology
    ) -> [NodeID: [String: Look]] {
        var next = own
        for (sender, receiver) in links {
            for row in granted(held[sender] ?? [:], from: sender, to: receiver, topology) {
                next[receiver, default: [:]][row.id] = row
            }
        }
        return next
    }

    package static func granted(
        _ rows: [String: Look], from sender: NodeID, to receiver: NodeID, _ topology: Topology
    ) -> [Look] {
        let grant = topology.grant(from: sender, to: receiver)
        let audiences = audiences(rows, at: sender, topology)
        let tickets = tickets(rows, topology)
        return rows.values.compactMap { row -> Look? in
            guard topology.supplier(of: row.origin, to: receiver) == sender else { return nil }
            let mine = Self.tickets(of: row, among: tickets)
            let isInFilter = row.isCall || grant.tickets.isEmpty || mine.contains { passes($0, grant.tickets) }
            let isWhole = topology.mode(of: row.resource, from: sender, to: receiver) == .physical && isInFilter
            let audience = audiences[row.fields["global_id"]?.text ?? ""] ?? []
            guard isWhole || isBehind(audience, from: sender, to: receiver, topology) else { return nil }
            if mine.contains(where: { accuses($0, receiver, topology) }) { return nil }
            return Look(
                resource: row.resource, origin: row.origin, key: row.key, version: row.version,
                fields: treated(row.fields, grant.treatments[row.resource] ?? [:]))
        }
    }

    /// The ticket of a record, or those that a call is linked with.
    package static func tickets(of row: Look, among tickets: [String: Fields]) -> [Fields] {
        guard row.isCall else { return tickets[row.fields["global_id"]?.text ?? ""].map { [$0] } ?? [] }
        let linked = row.fields["linked_request"]?.text ?? ""
        return tickets.filter { id, ticket in
            if [linked, "\(row.origin)-\(linked)"].contains(id) { return true }
            let names = [row.key, row.key.replacing("\(row.origin)-", with: "")]
            return ticket["origin"] == .text(row.origin.code) && ticket["respondent_name"] != nil
                && names.contains(ticket["call_id"]?.text ?? "")
        }.map(\.value)
    }

    /// Whether a ticket is a report against a node that did not take it in itself.
    package static func accuses(_ ticket: Fields, _ node: NodeID, _ topology: Topology) -> Bool {
        let name = topology.node(node)?.name ?? ""
        let names = [name, "\(name.prefix(1))**"]
        return (ticket["request_type"] == .text("4") || ticket["confidential"] == .text("reporter_protected"))
            && names.contains(ticket["respondent_name"]?.text ?? "") && ticket["origin"] != .text(node.code)
    }

    package static func isBehind(
        _ audience: Set<NodeID>, from sender: NodeID, to receiver: NodeID, _ topology: Topology
    ) -> Bool { audience.contains { topology.nextHop(from: sender, to: $0) == receiver } }

    /// By ticket, who must see it as far as the rows tell.
    package static func audiences(
        _ rows: [String: Look], at here: NodeID, _ topology: Topology
    ) -> [String: Set<NodeID>] {
        Dictionary(grouping: rows.values) { $0.fields["global_id"]?.text ?? "" }.mapValues { thread in
            TicketAudience.nodes(
                of: thread.map { look in
                    let columns = TicketColumn.allCases.filter { look.fields[$0.rawValue] != nil }
                    return TicketEvent(
                        .init(look.resource, columns: columns), origin: look.origin.code, key: look.key,
                        version: look.version, fields: look.fields)
                }, at: here, topology: topology)
        }
    }

    /// Requests, each with what its thread decides.
    package static func tickets(_ rows: [String: Look], _ topology: Topology) -> [String: Fields] {
        let threads = Dictionary(grouping: rows.values) { $0.fields["global_id"]?.text ?? "" }
        return threads.compactMapValues { thread in
            guard let request = thread.first(where: { $0.resource == "service_request" }) else { return nil }
            var fields = request.fields
            fields["origin"] = .text(request.origin.code)
            let state = TicketFold(LifecycleRules(hierarchy: NodeHierarchy(topology))).fold(
                thread.compactMap { look in
                    TicketGuard.forms[look.resource].map {
                        TicketEvent(
                            $0, origin: look.origin.code, key: look.key, version: look.version, fields: look.fields)
                    }
                })
            fields["unit"] = state.unit.map { .text($0) }
            fields["confidential"] = .text(state.confidential.rawValue)
            return fields
        }
    }

    package static func passes(_ ticket: Fields, _ filter: GrantFilter) -> Bool {
        func begins(_ column: String, _ beginnings: [String]) -> Bool {
            beginnings.isEmpty
                || ticket[column]?.text.map { text in beginnings.contains { text.hasPrefix($0) } } ?? false
        }
        let isConfidential = (ticket["confidential"]?.text ?? "none") != "none"
        return begins("region_code", filter.regions.map { String($0.reversed().drop { $0 == "0" }.reversed()) })
            && begins("service_code", filter.serviceCodes)
            && (filter.requestTypes.isEmpty || filter.requestTypes.contains(ticket["request_type"]?.text ?? ""))
            && (filter.units.isEmpty || filter.units.contains(ticket["unit"]?.text ?? ""))
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
