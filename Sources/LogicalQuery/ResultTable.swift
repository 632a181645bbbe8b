import FederationModel

/// The finished answer to an analysis: the dimensions, then the measures.
package struct ResultTable: Hashable, Sendable, Codable {
    package let columns: [String]
    package let rows: [[FieldValue]]
    /// The sums behind each row's measures; none of a measure that is read from a state.
    package let parts: [[[Int64]]]

    package init(columns: [String], rows: [[FieldValue]], parts: [[[Int64]]]) {
        self.columns = columns
        self.rows = rows
        self.parts = parts
    }

    package var withoutRows: ResultTable { ResultTable(columns: columns, rows: [], parts: []) }
}

extension PartialResult {
    /// The table after the last merge. Rows are in the order of their dimensions, tickets without a value last; with
    /// `top`, those with the most of the first measure come first, n/a last, and the others are cut off.
    ///
    /// Without dimensions it has one row, also when nobody answered.
    ///
    /// - Precondition: the partial is one of this analysis.
    package func table(for analysis: Analysis) -> ResultTable {
        var groups = groups
        if groups.isEmpty && keyCount == 0 { groups[[]] = emptyGroup }
        let layout = PartialLayout(analysis.measures)
        var rows = groups.map { key, group in
            let parts = analysis.measures.indices.map { layout.part($0, of: group) }
            return (
                key: key, parts: parts.map(\.sums),
                cells: zip(analysis.measures, parts).map { $0.value(of: $1.sums[...], $1.state) }
            )
        }
        rows.sort { a, b in
            if analysis.top != nil, let order = Self.isMore(a.cells[0], than: b.cells[0]) { return order }
            return Self.precedes(a.key, b.key)
        }
        let shown = rows.prefix(analysis.top ?? rows.count)
        return ResultTable(
            columns: analysis.columns,
            rows: shown.map { row in row.key.map { $0.map { .text($0.text) } ?? .null } + row.cells },
            parts: shown.map(\.parts))
    }

    /// Whether `a` comes before `b` by number, the larger first; nil when they are equal.
    private static func isMore(_ a: FieldValue, than b: FieldValue) -> Bool? {
        if a.rank == b.rank { return nil }
        guard let first = a.rank else { return false }
        guard let second = b.rank else { return true }
        return first > second
    }

    private static func precedes(_ a: [ExactText?], _ b: [ExactText?]) -> Bool {
        for (first, second) in zip(a, b) where first != second {
            guard let first else { return false }
            guard let second else { return true }
            return first < second
        }
        return false
    }
}

extension FieldValue {
    /// Its place when rows are ordered by it; nil for what has no number and comes last.
    fileprivate var rank: Double? {
        switch self {
        case .null, .text: nil
        case .integer(let integer): Double(integer)
        case .real(let real): real
        }
    }
}
