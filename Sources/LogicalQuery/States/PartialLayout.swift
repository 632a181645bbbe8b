import FederationModel

/// Where the aggregates of an analysis stand in its partial results. Sums stand in the order of the measures; a state that several
/// measures read, such as the 50th and the 90th percentile of the same lengths, is there once.
struct PartialLayout {
    enum Place {
        case sum(Int)
        case state(Int)
    }

    /// A state, by everything that it is made of.
    struct State: Hashable {
        let kind: MergeableState.Kind
        let fact: Fact
        let period: String
        let base: Criterion
        let operand: Operand?
        let criterion: Criterion
    }

    /// Of each measure's aggregates in a row.
    private(set) var places: [[Place]] = []
    private(set) var sumCount = 0
    private(set) var states: [State] = []

    init(_ measures: [Analysis.Measure]) {
        for measure in measures {
            places.append(measure.terms.flatMap { term in term.aggregates.map { place(of: $0, term) } })
        }
    }

    private mutating func place(of aggregate: Aggregate, _ term: Analysis.Measure.Term) -> Place {
        guard let kind = aggregate.function.state else {
            sumCount += 1
            return .sum(sumCount - 1)
        }
        let state = State(
            kind: kind, fact: term.fact, period: term.period, base: term.base.criterion,
            operand: aggregate.function.operand, criterion: aggregate.criterion)
        if let known = states.firstIndex(of: state) { return .state(known) }
        states.append(state)
        return .state(states.count - 1)
    }

    // MARK: - For engines

    /// An aggregate with its place among the sums, or the states, of the analysis.
    struct Placed {
        let place: Int
        let aggregate: Aggregate
    }

    /// The measures that have fact, period and base in common, which one statement can add up.
    struct Statement {
        let term: Analysis.Measure.Term
        fileprivate(set) var sums: [Placed] = []
        fileprivate(set) var states: [Placed] = []
    }

    /// - Precondition: the measures are those of the layout.
    func statements(of measures: [Analysis.Measure]) -> [Statement] {
        var statements: [Statement] = []
        for (measure, places) in zip(measures, places) {
            var rest = places[...]
            for term in measure.terms {
                let index = statements.firstIndex { $0.term.hasSameRows(as: term) } ?? statements.count
                if index == statements.count { statements.append(Statement(term: term)) }
                for aggregate in term.aggregates {
                    switch rest.removeFirst() {
                    case .sum(let place): statements[index].sums.append(Placed(place: place, aggregate: aggregate))
                    case .state(let place):
                        // Another measure may read the same state.
                        guard !statements[index].states.contains(where: { $0.place == place }) else { continue }
                        statements[index].states.append(Placed(place: place, aggregate: aggregate))
                    }
                }
            }
        }
        return statements
    }

    /// What a group says of the measure at `index`: its sums, or its state.
    func part(_ index: Int, of group: PartialResult.Group) -> (sums: [Int64], state: MergeableState?) {
        var sums: [Int64] = []
        for place in places[index] {
            switch place {
            case .sum(let place): sums.append(group.sums[place])
            case .state(let place): return ([], group.states[place])
            }
        }
        return (sums, nil)
    }
}

extension Analysis.Measure.Term {
    /// Whether one statement can add up both.
    func hasSameRows(as other: Self) -> Bool {
        fact == other.fact && period == other.period && base.criterion == other.base.criterion
    }
}
