import FederationModel

extension Condition {
    /// The same of the ticket of a row: `ticket.` stands in front of each column. Columns that only tickets have are then no columns.
    package var ofTicket: String { criterion.text { "ticket.\($0)" } }
}

extension Criterion {
    /// As it is declared.
    ///
    /// - Parameter column: what a column is called.
    func text(_ column: (String) -> String = { $0 }) -> String {
        switch self {
        case .always: "0 = 0"
        case .all(let parts): parts.isEmpty ? "0 = 0" : parts.map { "(\($0.text(column)))" }.joined(separator: " and ")
        case .any(let parts): parts.isEmpty ? "0 = 1" : parts.map { "(\($0.text(column)))" }.joined(separator: " or ")
        case .not(let part): "not (\(part.text(column)))"
        case .compare(let left, let comparison, let right):
            "\(left.text(column)) \(comparison.rawValue) \(right.text(column))"
        case .isMissing(let operand): "\(operand.text(column)) is null"
        }
    }
}

extension Operand {
    fileprivate func text(_ column: (String) -> String) -> String {
        switch self {
        case .column(let name): column(name)
        case .text(let text): "'\(text)'"
        // A number is written small, and its unit makes it large.
        case .number(let number):
            number % 86_400_000 == 0 && number > 0
                ? "\(number / 86_400_000)d"
                : number % 1_000 == 0 && number > 0
                    ? "\(number / 1_000)s" : "\(number)"
        case .asOf: "now"
        case .plus(let a, let b): "\(a.text(column)) + \(b.text(column))"
        case .minus(let a, let b): "\(a.text(column)) - \(b.text(column))"
        case .coalesce(let a, let b): "coalesce(\(a.text(column)), \(b.text(column)))"
        case .workingTime(let a, let b): "working(\(a.text(column)), \(b.text(column)))"
        }
    }
}
