import FederationModel

extension PartialResult {
    /// Takes away what a few rows stand behind, so that nobody is told apart in statistics: every group in which something that was
    /// counted, or what all of its rows are more than some of them (98 of 100 in time are 2 that are not), is less than `least`, and not 0.
    ///
    /// Whoever has a total, by asking for it or by asking for a coarser level, could subtract the groups that are shown from it. So
    /// further groups go, the smallest first, until in each sum over dimensions and their coarser levels no or at least two groups are
    /// gone, and together they are not small either (complementary suppression). Where there are more such sums than `marginsMax`
    /// nothing is given. It hinders nobody from subtracting two questions that differ by a filter or a period, nor from solving the
    /// equations of several dimensions together, which may tell a group that no single sum tells; each question is in both logs.
    ///
    /// - Parameter least: 2 or more.
    /// - Returns: how many groups it took away.
    mutating func suppress(below least: Int64, of analysis: Analysis) -> Int {
        let numbers = RowNumbers(analysis)
        let counts = groups.mapValues(numbers.of)
        func isSmall(_ counts: [Int64]) -> Bool {
            numbers.areMissing || counts.contains { (1..<least).contains($0) }
        }
        var gone = Set(counts.filter { isSmall($0.value) }.map(\.key))
        guard !gone.isEmpty else { return 0 }
        guard groups.keys.reduce(0, { $0 + analysis.marginCount(of: $1) }) <= Self.marginsMax else {
            let all = groups.count
            remove(Array(groups.keys))
            return all
        }
        var lines: [[Margin]: [[ExactText?]]] = [:]
        for key in groups.keys {
            for line in analysis.margins(of: key) { lines[line, default: []].append(key) }
        }
        var isStable = false
        while !isStable {
            isStable = true
            for keys in lines.values {
                let hidden = keys.filter(gone.contains)
                guard !hidden.isEmpty,
                    let place = numbers.places.first(where: { place in
                        Self.isTold(hidden.compactMap { counts[$0]?[place] }, least)
                    })
                else { continue }
                let shown = keys.filter { !gone.contains($0) && counts[$0].map { $0[place] > 0 } == true }
                let next = shown.min { a, b in
                    let (first, second) = (counts[a]?[place] ?? 0, counts[b]?[place] ?? 0)
                    return first == second ? a.precedes(b) : first < second
                }
                guard let next else { continue }
                gone.insert(next)
                isStable = false
            }
        }
        remove(gone)
        return gone.count
    }

    private static let marginsMax = 1_000_000

    /// Whether the sum of some groups would tell one of them, or is small itself.
    private static func isTold(_ counts: [Int64], _ least: Int64) -> Bool {
        let values = counts.filter { $0 > 0 }
        return !values.isEmpty
            && (values.count == 1 || values.reduce(0, { $0.addingReportingOverflow($1).partialValue }) < least)
    }
}

/// The numbers of rows, or of persons, among what is told of a group.
private struct RowNumbers {
    private var sums: [Int] = []
    private var states: [Int] = []
    /// Where some of a number of rows are told: those are the others.
    private var rests: [(all: Int, some: Int)] = []
    /// Whether something has no number of rows beside it that would tell how many stand behind it.
    private(set) var areMissing = false

    var places: Range<Int> { 0..<sums.count + states.count + rests.count }

    init(_ analysis: Analysis) {
        var counts: [(term: Analysis.Measure.Term, criterion: Criterion, place: Int)] = []
        for (measure, places) in zip(analysis.measures, PartialLayout(analysis.measures).places) {
            var rest = places[...]
            for term in measure.terms {
                var isCounted = false
                for aggregate in term.aggregates {
                    switch (rest.removeFirst(), aggregate.function) {
                    case (.sum(let place), .count):
                        sums.append(place)
                        counts.append((term, aggregate.criterion, place))
                        isCounted = true
                    case (.state(let place), .quantile), (.state(let place), .persons):
                        states.append(place)
                        isCounted = true
                    default: break
                    }
                }
                if !isCounted { areMissing = true }
            }
        }
        for all in counts where all.criterion == .always {
            rests += counts.filter { $0.criterion != .always && $0.term.hasSameRows(as: all.term) }.map {
                (all.place, $0.place)
            }
        }
    }

    func of(_ group: PartialResult.Group) -> [Int64] {
        sums.map { group.sums[$0] }
            + states.map { place in
                switch group.states[place] {
                case .distribution(let lengths): lengths.count
                case .distinct(let persons): persons.estimate
                case .least, .greatest: 0
                }
            } + rests.map { group.sums[$0.all] - group.sums[$0.some] }
    }
}

/// What is said of one dimension by a sum: over groups of one value, of all that lie in something, or of all.
private enum Margin: Hashable {
    case value(ExactText?)
    case within(String)
    case all
}

extension Analysis {
    private func choices(of key: [ExactText?]) -> [[Margin]] {
        zip(dimensions, key).map { dimension, value in
            [.value(value), .all] + dimension.coarser(value?.text).map { .within($0) }
        }
    }

    fileprivate func marginCount(of key: [ExactText?]) -> Int { choices(of: key).reduce(1) { $0 * $1.count } }

    /// The sums that a group is part of.
    fileprivate func margins(of key: [ExactText?]) -> [[Margin]] {
        choices(of: key).reduce([[]]) { margins, choices in
            margins.flatMap { margin in choices.map { margin + [$0] } }
        }
    }
}

extension Analysis.Dimension {
    /// What a value lies in by coarser dimensions of its kind, each with its kind so that two don't meet.
    fileprivate func coarser(_ value: String?) -> [String] {
        guard let value else { return [] }
        if let unit = calendarUnit {
            guard let day = CalendarPeriod(unit, value)?.firstDay else { return [] }
            return CalendarPeriod.Unit.allCases.map { "\($0) \(CalendarPeriod($0, containing: day).label)" }
        }
        switch (self.value, codes) {
        case (_, .regions): return [2, 4, 6, 9].filter { $0 < value.utf8.count }.map { String(value.prefix($0)) }
        case (_, .services), (.axis, _):
            let parts = value.split(separator: ".")
            return (1..<max(1, parts.count)).map { parts.prefix($0).joined(separator: ".") }
        case (.time(.hourOfWeek), _): return [String(value.prefix(1)), String(value.suffix(2))]
        default: return []
        }
    }
}

extension [ExactText?] {
    fileprivate func precedes(_ other: [ExactText?]) -> Bool {
        for (first, second) in zip(self, other) where first != second {
            return (first?.text ?? "").precedes(second?.text ?? "")
        }
        return false
    }
}
