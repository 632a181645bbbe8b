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
}

extension Operand {
    var columns: [String] {
        switch self {
        case .column(let name): [name]
        case .text, .number, .asOf: []
        case .plus(let a, let b), .minus(let a, let b), .coalesce(let a, let b): a.columns + b.columns
        }
    }
}

/// A condition on the rows of a fact, as it was declared: `status = 'closed' and not merged`. An empty one is always true.
///
/// The language: columns of the fact; texts in single quotes; whole numbers, with `s`, `min`, `h` or `d` right behind them lengths of time (`24h`);
/// `now`; `+`, `-`, `coalesce(a, b)`; `=`, `<>`, `<`, `<=`, `>`, `>=`, `in (…)`, `is null`, `is not null`; `and`, `or`, `not`,
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

/// What is added up over the rows of a fact, as it was declared: `count`, `count where score5 = '5'`, `sum(talk_seconds)`.
package struct Aggregate: Hashable, Sendable {
    package let text: String
    /// Nil counts the rows.
    package let summed: Operand?
    package let criterion: Criterion

    /// - Throws: as `Condition`.
    package init(_ text: String, on fact: Fact) throws(FederationError) {
        var parser = try DeclarationParser(text)
        (summed, criterion) = try parser.aggregate { fact.kind(of: $0) }
        self.text = text
    }

    var columns: [String] { (summed?.columns ?? []) + criterion.columns }
}
