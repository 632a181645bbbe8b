/// What a node gives of the rows that somebody asks for and that stay where they are (逻辑接入): the same filter and
/// treatments as for copies, and personal fields never in clear, whatever the policy leaves unsaid.
///
/// Its filter is that of copies in the words of the model: rows that come from a child's answer are in no table.
extension LinkGrant {
    /// How `column` leaves in an answer. Personal fields are masked (domain model 5.1, level 3) and sensitive ones left out
    /// (level 4) unless the policy says how else to hide them; what can't be masked is left out.
    package func rowTreatment(of column: ColumnDefinition, in resource: ResourceName) -> FieldTreatment {
        if let declared = treatments[resource]?[column.name], declared != .keep { return declared }
        if column.level < .personal { return .keep }
        return column.level == .sensitive || FieldTreatment.mask.objection(to: column) != nil ? .drop : .mask
    }
}

extension GrantFilter {
    /// Whether a ticket with these values of `ownColumns` is given, as far as they tell: a filter that `isFolded` asks for more.
    package func gives(_ value: (String) -> FieldValue) -> Bool {
        func begins(_ column: String, _ beginnings: [String]) -> Bool {
            // Bytes, as SQLite compares: Swift's own prefixes look through Unicode's equivalences.
            guard !beginnings.isEmpty else { return true }
            guard let text = value(column).text else { return false }
            return beginnings.contains { text.utf8.starts(with: $0.utf8) }
        }
        let isConfidential = value("confidential").text ?? "none" != "none"
        if let confidential, isConfidential != confidential { return false }
        if let from, value("requested_datetime").integer.map({ $0 >= from }) != true { return false }
        if !requestTypes.isEmpty, value("request_type").text.map(requestTypes.contains) != true { return false }
        return begins("region_code", regions.map { RegionRange($0).prefix }) && begins("service_code", serviceCodes)
    }
}
