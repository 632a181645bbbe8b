import FederationModel

/// A value in a declaration.
package indirect enum Operand: Hashable, Sendable {
    case column(String)
    case text(String)
    /// Also a length of time, in milliseconds.
    case number(Int64)
    /// The time of the question (`now`), `Analysis.asOf`.
    case asOf
    case plus(Operand, Operand)
    case minus(Operand, Operand)
    /// The first that is there.
    case coalesce(Operand, Operand)
    /// The working time between two times, in milliseconds; below 0 where the second is earlier.
    case workingTime(Operand, Operand)
}

/// What is true of a row or not; nothing is unknown: a comparison with a value that is missing is false.
package indirect enum Criterion: Hashable, Sendable {
    case always
    case all([Criterion])
    case any([Criterion])
    case not(Criterion)
    case compare(Operand, Comparison, Operand)
    case isMissing(Operand)

    package enum Comparison: String, Hashable, Sendable, CaseIterable {
        case equal = "="
        case unequal = "<>"
        case less = "<"
        case atMost = "<="
        case more = ">"
        case atLeast = ">="
    }

    /// The columns that it reads.
    var columns: [String] {
        switch self {
        case .always: []
        case .all(let parts), .any(let parts): parts.flatMap(\.columns)
        case .not(let part): part.columns
        case .compare(let left, _, let right): left.columns + right.columns
        case .isMissing(let operand): operand.columns
        }
    }

    /// What is left to be asked of rows whose time `period` is before now.
    func settled(_ period: String) -> Criterion {
        switch self {
        case .compare(.column(period), .less, .asOf), .compare(.column(period), .atMost, .asOf): .always
        case .all(let parts): .all(parts.map { $0.settled(period) }.filter { $0 != .always })
        case .always, .any, .not, .compare, .isMissing: self
        }
    }
}

extension Operand {
    var columns: [String] {
        switch self {
        case .column(let name): [name]
        case .text, .number, .asOf: []
        case .plus(let a, let b), .minus(let a, let b), .coalesce(let a, let b), .workingTime(let a, let b):
            a.columns + b.columns
        }
    }
}

/// A condition on the rows of a fact, as it was declared: `status = 'closed' and not merged`. An empty one is always true.
///
/// The language: columns of the fact; texts in single quotes; whole numbers, with `s`, `min`, `h` or `d` right behind them lengths of time (`24h`);
/// `now`; `+`, `-`, `coalesce(a, b)`, `working(a, b)` for the working time between two times; `=`, `<>`, `<`, `<=`, `>`, `>=`, `in (…)`, `is null`, `is not null`; `and`, `or`, `not`,
/// parentheses. A column alone means that it is 1.
package struct Condition: Hashable, Sendable {
    package let text: String
    package let criterion: Criterion

    /// - Throws: `E_INDICATOR_INVALID`, `E_ANALYSIS_UNKNOWN` for a column that the fact does not have.
    package init(_ text: String, on fact: Fact) throws(FederationError) {
        try self.init(text) { fact.kind(of: $0) }
    }

    init(_ text: String, kinds: (String) -> Fact.Kind?) throws(FederationError) {
        var parser = try DeclarationParser(text)
        criterion = try parser.condition(kinds)
        self.text = text
    }
}

/// What is made of the rows of a fact, as it was declared: `count`, `count where score5 = '5'`, `sum(talk_seconds)`, `least(…)`,
/// `greatest(…)`, `p90(closed_at - dispatched_at)` with any percent from 1 to 99, `persons where merged`.
package struct Aggregate: Hashable, Sendable {
    package enum Function: Hashable, Sendable {
        case count
        case sum(Operand)
        case least(Operand)
        case greatest(Operand)
        /// The value below which so many percent of the rows' lengths lie.
        case quantile(Int, Operand)
        /// How many different persons the tickets, or calls, are of.
        case persons

        /// Of what is no sum, the state that it is read from.
        package var state: MergeableState.Kind? {
            switch self {
            case .count, .sum: nil
            case .least: .least
            case .greatest: .greatest
            case .quantile: .distribution
            case .persons: .distinct
            }
        }

        /// What the rows are asked for; nil where they are counted.
        package var operand: Operand? {
            switch self {
            case .count, .persons: nil
            case .sum(let operand), .least(let operand), .greatest(let operand), .quantile(_, let operand): operand
            }
        }
    }

    package let text: String
    package let function: Function
    package let criterion: Criterion

    /// - Throws: as `Condition`.
    package init(_ text: String, on fact: Fact) throws(FederationError) {
        var parser = try DeclarationParser(text)
        (function, criterion) = try parser.aggregate { fact.kind(of: $0) }
        guard function != .persons || !fact.person.isEmpty else {
            throw FederationError("E_INDICATOR_INVALID", "the rows of \(fact.name) are of no person")
        }
        self.text = text
    }

    var columns: [String] { (function.operand?.columns ?? []) + criterion.columns }
}
