import FederationModel
import Yams

/// The policies of a node: what it gives to its parent and to each peer.
extension TopologyReader {
    mutating func peerGrants(_ entry: Entry) -> [NodeID: (grant: LinkGrant, line: Int)] {
        var grants: [NodeID: (grant: LinkGrant, line: Int)] = [:]
        for (key, entry) in entries(of: entry.value, in: "`peer-policies`", keys: nil) ?? [:] {
            guard let peer = NodeID(key) else {
                note(
                    "BAD_CODE", line: entry.line, "\(quoted(key)) in `peer-policies` is not a node code",
                    "write the code of a peer in quotes, such as \"370900\"")
                continue
            }
            grants[peer] = (grant(entry, keys: ["filter", "fields"]), entry.line)
        }
        return grants
    }

    /// - Parameter keys: what a policy can say of a resource. Only a parent asks.
    mutating func grant(
        _ entry: Entry, keys partKeys: [String] = ["filter", "fields", "row-queries", "min-cell"]
    ) -> LinkGrant {
        var grant = LinkGrant()
        let keys = BuiltInResources.all.map(\.name.text)
        for (key, entry) in entries(of: entry.value, in: "`\(entry.key)`", keys: keys, kind: "resource") ?? [:] {
            guard let resource = BuiltInResources.named(ResourceName(key)),
                let parts = entries(of: entry.value, in: "the policy of \(key)", keys: partKeys)
            else { continue }
            if let filter = parts["filter"], !filter.isNull {
                if resource.name == BuiltInResources.serviceRequest.name {
                    grant.tickets = ticketFilter(filter)
                } else {
                    note(
                        "BAD_FILTER", line: filter.line, "\(key) can't have a filter of its own",
                        resource.isThreadRecord
                            ? "remove it: records of a ticket follow the filter of `service_request`"
                            : "remove it, and set `modes: { \(key): logical }` if its rows must not leave")
                }
            }
            if let fields = parts["fields"], !fields.isNull {
                grant.treatments[resource.name] = treatments(fields, resource)
            }
            if let rows = parts["row-queries"], !rows.isNull, isGranted(rows) { grant.rowQueries.insert(resource.name) }
            if let cell = parts["min-cell"], !cell.isNull {
                if resource.name != BuiltInResources.serviceRequest.name {
                    note(
                        "BAD_MIN_CELL", line: cell.line, "`min-cell` is for all that the parent counts",
                        "write it once, under `service_request`")
                }
                grant.minCell = minCell(cell)
            }
        }
        return grant
    }

    private mutating func isGranted(_ entry: Entry) -> Bool {
        guard let text = text(entry) else { return false }
        if text != "true" && text != "false" {
            note(
                "BAD_ROW_QUERIES", line: entry.line, "`row-queries` is neither `true` nor `false`",
                "write `row-queries: true` if the parent may ask for rows of a resource in logical mode")
        }
        return text == "true"
    }

    private mutating func minCell(_ entry: Entry) -> Int64 {
        guard let text = text(entry) else { return 0 }
        guard let number = Int64(text), (2...1_000).contains(number) else {
            note(
                "BAD_MIN_CELL", line: entry.line, "`min-cell` is no whole number from 2 to 1000",
                "write the smallest group that may be shown, such as 5")
            return 0
        }
        return number
    }

    private mutating func treatments(_ entry: Entry, _ resource: ResourceDefinition) -> [String: FieldTreatment] {
        var treatments: [String: FieldTreatment] = [:]
        let columns = resource.columns.map(\.name)
        for (key, entry) in entries(of: entry.value, in: resource.name.text, keys: columns, kind: "field") ?? [:] {
            guard let text = text(entry), let column = resource.column(named: key) else { continue }
            guard let treatment = FieldTreatment(rawValue: text) else {
                note(
                    "BAD_TREATMENT", line: entry.line, "unknown treatment \(quoted(text)) of \(resource.name).\(key)",
                    suggestion(for: text, among: FieldTreatment.allCases.map(\.rawValue)))
                continue
            }
            if let objection = treatment.objection(to: column) {
                let others = FieldTreatment.allCases.filter { $0 != .keep && $0.objection(to: column) == nil }
                note(
                    "BAD_TREATMENT", line: entry.line,
                    "\(resource.name).\(key) can't be treated by `\(text)`: \(objection)",
                    "use \((others + [.keep]).map { "`\($0.rawValue)`" }.joined(separator: " or "))")
            } else {
                treatments[key] = treatment
            }
        }
        return treatments.filter { $0.value != .keep }
    }

    private mutating func ticketFilter(_ entry: Entry) -> GrantFilter {
        var filter = GrantFilter()
        let keys = ["region", "service-code", "request-type", "unit", "confidential", "from"]
        let conditions = entries(of: entry.value, in: "`filter`", keys: keys) ?? [:]
        if let entry = conditions["region"] {
            filter.regions = values(entry, "a region code of 6 to 12 digits, such as \"370102\"") { NodeID($0) != nil }
        }
        if let entry = conditions["service-code"] {
            filter.serviceCodes = values(entry, "the beginning of a service code") { (1...200).contains($0.utf8.count) }
        }
        if let entry = conditions["request-type"] {
            let codes = CodeList.named("request_type")?.entries.map(\.code) ?? []
            filter.requestTypes = values(entry, "one of the codes \(codes.joined(separator: ", "))", codes.contains)
        }
        if let entry = conditions["unit"] {
            filter.units = values(entry, "the name or code of a unit") { (1...200).contains($0.utf8.count) }
        }
        if let entry = conditions["confidential"] {
            filter.confidential = values(entry, "`true` or `false`") { ["true", "false"].contains($0) }.first.map {
                $0 == "true"
            }
        }
        if let entry = conditions["from"] {
            filter.from = values(entry, "a time such as \"2025-01-01T00:00:00+08:00\"") {
                ShanghaiTime.parse($0) != nil
            }.first.flatMap { ShanghaiTime.parse($0) }
        }
        return filter
    }

    /// One value or a list of them. An empty list would grant nothing by what looks like no condition, so it is refused.
    private mutating func values(_ entry: Entry, _ expected: String, _ isValid: (String) -> Bool) -> [String] {
        let nodes = entry.value.sequence.map { Array($0) } ?? [entry.value]
        let values = nodes.compactMap { text(Entry(key: entry.key, value: $0)) }
        guard !values.isEmpty, values.allSatisfy(isValid) else {
            note("BAD_FILTER", line: entry.line, "`\(entry.key)` of a filter is not valid", "write \(expected)")
            return []
        }
        return values
    }
}
