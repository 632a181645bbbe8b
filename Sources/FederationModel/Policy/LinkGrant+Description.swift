extension LinkGrant {
    /// Whether it gives every row as it is.
    package var isWhole: Bool { self == LinkGrant() }

    /// What it gives, a line for each resource that it restricts, for people.
    package var lines: [String] {
        var lines = tickets.isEmpty ? [] : ["工单: \(tickets.words.joined(separator: ","))"]
        for (resource, treatments) in treatments.sorted(by: { $0.key < $1.key }) where !treatments.isEmpty {
            let fields = treatments.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.title)" }
            lines.append("\(resource): \(fields.joined(separator: ","))")
        }
        if !rowQueries.isEmpty { lines.append("可查明细: \(rowQueries.sorted().map(\.text).joined(separator: ","))") }
        if minCell > 0 { lines.append("小于 \(minCell) 的分组不提供") }
        return lines
    }
}

extension GrantFilter {
    fileprivate var words: [String] {
        var words: [String] = []
        if !regions.isEmpty { words.append("区划 \(regions.joined(separator: "/"))") }
        if !serviceCodes.isEmpty { words.append("问题分类 \(serviceCodes.joined(separator: "/"))") }
        if !requestTypes.isEmpty { words.append("诉求类型 \(requestTypes.joined(separator: "/"))") }
        if !units.isEmpty { words.append("承办单位 \(units.joined(separator: "/"))") }
        if let confidential { words.append(confidential ? "仅保密" : "不含保密") }
        if let from { words.append("自 \(ShanghaiTime.second(from)) 起") }
        return words
    }
}
