import FederationModel

/// How many rows of the base of each measure an answer leaves out, and why: questions of the same kind as the answer's, so they are
/// asked of the same nodes in the same way.
package struct LeftOut: Sendable {
    /// Rows of the period that the definition excludes.
    package let excluded: Analysis
    /// Rows, of all times, that the definition would count if they had a time in the column of the period: they are in no period.
    package let undated: Analysis

    /// - Throws: as `Analysis.init`.
    package init(of analysis: Analysis) throws(FederationError) {
        func question(
            _ from: UnixMilliseconds?, _ to: UnixMilliseconds?, _ counted: (Analysis.Measure.Term) -> String
        ) throws(FederationError) -> Analysis {
            try Analysis(
                measures: analysis.measures.map { measure throws(FederationError) in
                    try Analysis.Measure(
                        measure.name, version: measure.version, unit: .count,
                        terms: measure.terms.map { term throws(FederationError) in
                            try Analysis.Measure.Term(
                                term.fact, period: term.period, base: "", numerator: "count where \(counted(term))")
                        })
                }, filters: analysis.filters, from: from, to: to, asOf: analysis.asOf,
                regionsAsOf: analysis.regionsAsOf)
        }
        excluded = try question(analysis.from, analysis.to) {
            $0.base.criterion == .always ? "0 = 1" : "not (\($0.base.text))"
        }
        undated = try question(nil, nil) {
            "\($0.period) is null and (\($0.base.criterion.withoutComparisons(of: $0.period).text()))"
        }
    }
}

extension Criterion {
    /// Without what compares a column: what remains is whether the row would be meant whatever the column said.
    fileprivate func withoutComparisons(of column: String) -> Criterion {
        switch self {
        case .always, .isMissing: self
        case .all(let parts): .all(parts.map { $0.withoutComparisons(of: column) })
        case .any(let parts): .any(parts.map { $0.withoutComparisons(of: column) })
        case .not(let part): part.compares(column) ? .always : self
        case .compare(let left, _, let right): (left.columns + right.columns).contains(column) ? .always : self
        }
    }

    private func compares(_ column: String) -> Bool {
        switch self {
        case .always, .isMissing: false
        case .all(let parts), .any(let parts): parts.contains { $0.compares(column) }
        case .not(let part): part.compares(column)
        case .compare(let left, _, let right): (left.columns + right.columns).contains(column)
        }
    }
}
