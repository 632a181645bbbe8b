import FederationModel

// Questions as people write them, for the log.

extension Analysis {
    /// What selects the rows, as it is typed: `request_type=3 from=2025-09-30 00:00:00`.
    package var conditions: String {
        conditionText(filters.map { ($0.field.name, $0.comparison, $0.values) }, from, to)
    }

    package var columns: [String] { dimensions.map(\.name) + measures.map(\.name) }
}

extension RowQuery {
    /// What selects the rows, as it is typed.
    package var conditions: String {
        conditionText(filters.map { ($0.field, $0.comparison, $0.values) }, from, to)
    }
}

private func conditionText(
    _ filters: [(field: String, comparison: FilterOperator, values: [String])], _ from: UnixMilliseconds?,
    _ to: UnixMilliseconds?
) -> String {
    var words = filters.map { "\($0.field)\($0.comparison.rawValue)\($0.values.joined(separator: ","))" }
    if let from { words.append("from=\(ShanghaiTime.second(from))") }
    if let to { words.append("to=\(ShanghaiTime.second(to))") }
    return words.joined(separator: " ")
}
