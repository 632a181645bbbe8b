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
