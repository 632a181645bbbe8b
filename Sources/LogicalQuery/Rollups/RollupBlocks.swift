import FederationModel

/// A bounded question cut into whole months, whole days and what is left at its ends. What was found for a month or a day, and what all of
/// them come to, is kept until something of it changes: that is what a rollup is here.
///
/// Nothing is declared beforehand, so each question that is asked again is a rollup, with whatever dimensions, filters and states it has.
package struct RollupBlocks: Sendable {
    /// How long a block is; each has the dimension by which the rows of several are told apart.
    package enum Length: String, CaseIterable, Sendable {
        case month, day

        var dimension: Analysis.Dimension {
            switch self {
            case .month: .month
            case .day: .day
            }
        }
    }

    package struct Block: Hashable, Sendable {
        package let length: Length
        /// Days of Asia/Shanghai, counted from 1970-01-01.
        package let days: Range<Int64>

        /// What its dimension says of it.
        package var label: String {
            String(CivilDate.text(dayNumber: days.lowerBound).prefix(length == .month ? 7 : 10))
        }
    }

    /// In the order of time.
    package let blocks: [Block]
    /// The days of all of them, where they are several: what they come to is kept as one too, as long as none of these days changes. So a
    /// question that is asked again reads one for its whole period, with each of its groups once.
    package var whole: Range<Int64>? {
        guard let first = blocks.first, let last = blocks.last, blocks.count > 1 else { return nil }
        return first.days.lowerBound..<last.days.upperBound
    }
    /// Before the first block and behind the last.
    package let ends: [Range<UnixMilliseconds>]

    /// What has come due by now is no block's before its days are over.
    ///
    /// - Returns: nil where nothing can be kept: a question without a beginning or an end, one of less than a day, or one that asks
    ///   what is so now. Where its now is the end of its period, as in a report, it will be the same question tomorrow. External data sets
    ///   have times of which nobody notes a change.
    package init?(_ analysis: Analysis) {
        guard let from = analysis.from, let to = analysis.to,
            !analysis.readsNow(ofPastDays: true) || analysis.asOf == to,
            analysis.facts.allSatisfy({ $0.dataset == nil })
        else { return nil }
        let next = ShanghaiTime.dayNumber(from)
        let first = ShanghaiTime.midnight(ofDay: next) == from ? next : next + 1
        let today = ShanghaiTime.dayNumber(analysis.asOf)
        let end = min(ShanghaiTime.dayNumber(to), analysis.readsNow(ofPastDays: false) ? today : .max)
        guard first < end, end - first <= Self.daysMax else { return nil }
        var blocks: [Block] = []
        var day = first
        while day < end {
            let date = CivilDate.date(dayNumber: day)
            let month = day + Int64(CivilDate.daysInMonth(date.month, year: date.year))
            let isMonth = date.day == 1 && month <= end
            blocks.append(Block(length: isMonth ? .month : .day, days: day..<(isMonth ? month : day + 1)))
            day = isMonth ? month : day + 1
        }
        self.blocks = blocks
        let inner = ShanghaiTime.midnight(ofDay: first)..<ShanghaiTime.midnight(ofDay: end)
        ends = [from..<inner.lowerBound, inner.upperBound..<to].filter { !$0.isEmpty }
    }

    /// A question of fifty years has no need to be quick.
    private static let daysMax: Int64 = 18_300
}

extension Analysis {
    /// Whether its answer depends on the time of the question.
    ///
    /// - Parameter arePast: whether the days that are asked for lie before it, so that the period of each row has come.
    fileprivate func readsNow(ofPastDays arePast: Bool) -> Bool {
        measures.contains {
            $0.terms.contains { term in
                let base = arePast ? term.base.criterion.settled(term.period) : term.base.criterion
                return base.readsNow || term.aggregates.contains(where: \.readsNow)
            }
        }
    }

    /// The same question of another period, cut to nothing, with the dimension of blocks of a length behind its own unless it has that.
    ///
    /// - Returns: nil where it has no room for one more.
    package func restricted(
        to period: Range<UnixMilliseconds>, by length: RollupBlocks.Length? = nil
    ) -> (analysis: Analysis, place: Int)? {
        let place = length.map { dimensions.firstIndex(of: $0.dimension) ?? dimensions.count } ?? dimensions.count
        let added = length.map { place == dimensions.count ? [$0.dimension] : [] } ?? []
        let analysis = try? Analysis(
            measures: measures, dimensions: dimensions + added, filters: filters, from: period.lowerBound,
            to: period.upperBound,
            asOf: asOf, regionsAsOf: regionsAsOf)
        return analysis.map { ($0, place) }
    }
}

extension PartialResult {
    /// The groups of each block by its label, as those of `analysis`.
    ///
    /// - Parameter place: where the label is in a key; behind the question's own dimensions it goes.
    /// - Throws: as `add`.
    package func byBlock(_ place: Int, of analysis: Analysis) throws(FederationError) -> [String: PartialResult] {
        var blocks: [String: PartialResult] = [:]
        for (key, group) in groups {
            guard let label = key[place]?.text else { continue }
            try blocks[label, default: PartialResult(for: analysis)].add(
                key: Array(key.prefix(analysis.dimensions.count)), group)
        }
        return blocks
    }
}

extension Aggregate {
    fileprivate var readsNow: Bool { criterion.readsNow || function.operand?.readsNow == true }
}

extension Criterion {
    fileprivate var readsNow: Bool {
        switch self {
        case .always: false
        case .all(let parts), .any(let parts): parts.contains(where: \.readsNow)
        case .not(let part): part.readsNow
        case .compare(let left, _, let right): left.readsNow || right.readsNow
        case .isMissing(let operand): operand.readsNow
        }
    }
}

extension Operand {
    fileprivate var readsNow: Bool {
        switch self {
        case .asOf: true
        case .column, .text, .number: false
        case .plus(let a, let b), .minus(let a, let b), .coalesce(let a, let b), .workingTime(let a, let b):
            a.readsNow || b.readsNow
        }
    }
}
