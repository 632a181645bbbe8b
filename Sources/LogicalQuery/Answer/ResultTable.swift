import FederationModel

/// The finished answer to an analysis: the dimensions, then the figures of each measure.
package struct ResultTable: Hashable, Sendable {
    package enum Column: Hashable, Sendable {
        case dimension(Analysis.Dimension)
        case figure(Figure, of: Analysis.Measure)
        /// The label of the period that a row is held against.
        case formerPeriod
        /// What days of a row's period are called that are not like others, and days of its former one.
        case specialDates
        case formerSpecialDates

        /// As JSON and CSV call it. No indicator's name has a colon.
        package var name: String {
            switch self {
            case .dimension(let dimension): dimension.name
            case .figure(.value, let measure): measure.name
            case .figure(let figure, let measure): "\(measure.name):\(figure.rawValue)"
            case .formerPeriod: "period:former"
            case .specialDates: "special"
            case .formerSpecialDates: "special:former"
            }
        }
    }

    /// What is told of a measure. All but `value`, `former`, `running` and `plan` is computed from these as they are printed, so that
    /// anybody can check it.
    package enum Figure: String, Sendable, CaseIterable {
        case value
        /// Its place by the measure, the most first; equal values share one.
        case rank
        /// In percent of that of all rows. Of counts alone.
        case share
        /// That of all rows so far as one, by the rows' other dimensions if one is a period.
        case running
        /// That of the former period.
        case former
        /// Value less former; of a rate in percentage points.
        case difference
        /// The difference in percent of the former value; not of rates.
        case growth
        case plan
        case planDifference = "plan_difference"
        /// The value in percent of the plan; not of rates.
        case planRate = "plan_rate"
    }

    package struct Row: Hashable, Sendable {
        package let cells: [FieldValue]
        /// The sums behind each measure; none of a measure that is read from a state.
        package let parts: [[Int64]]

        package init(cells: [FieldValue], parts: [[Int64]]) {
            self.cells = cells
            self.parts = parts
        }
    }

    package let columns: [Column]
    package let rows: [Row]
    /// Those that `top` cut off as one (其他), and how many they are; nil where it cut off none.
    package var others: (row: Row, count: Int)? { cutOff.map { ($0, cutOffCount) } }
    /// All rows as one, where it was asked for.
    package let total: Row?
    private let cutOff: Row?
    private let cutOffCount: Int

    package init(columns: [Column], rows: [Row], others: Row? = nil, othersCount: Int = 0, total: Row? = nil) {
        self.columns = columns
        self.rows = rows
        self.total = total
        cutOff = others
        cutOffCount = othersCount
    }

    package var withoutRows: ResultTable { ResultTable(columns: columns, rows: []) }
}

/// What is told besides the values.
package struct TableExtras: Sendable {
    package var showsShare = false
    package var showsRank = false
    package var showsRunning = false
    package var showsTotal = false
    /// With the former figures by the keys of the rows.
    package var comparison: (Comparison, former: PartialResult)?
    package var plan: PlanValues?
    package var specialDates = SpecialDates([])
    /// What figures per 10,000 residents go by; without it they are n/a.
    package var residents: Residents?

    package init() {}
}

extension PartialResult {
    /// The table after the last merge. Rows are in the order of their dimensions, tickets without a value last; with `top` or ranks
    /// those with the most of the first measure come first, n/a last. Beyond `top` they are one row, merged and not added up.
    ///
    /// Without dimensions it has one row, also when nobody answered. A row that only the former period has is there with its zeros.
    ///
    /// - Precondition: the partial is one of this analysis.
    /// - Throws: `E_ANALYSIS_ANSWER` when a sum of rows overflows.
    package func table(
        for analysis: Analysis, _ extras: TableExtras = TableExtras()
    ) throws(FederationError) -> ResultTable {
        try TableMaker(self, analysis, extras).table()
    }
}

private struct TableMaker {
    private let partial: PartialResult
    private let analysis: Analysis
    private let extras: TableExtras
    private let layout: PartialLayout
    private let former: PartialResult?
    /// All rows as one.
    private var total: Line

    /// A row on its way: what it is about, what its rows come to, and those of its former period.
    private struct Line {
        var key: [ExactText?]
        var group: PartialResult.Group
        var former: PartialResult.Group?
        var rank: Int64?
        var running: PartialResult.Group?
        var isOne = true
        /// Those that live where it is about; nil where nobody knows.
        var residents: Int64?
        var formerResidents: Int64?
    }

    init(_ partial: PartialResult, _ analysis: Analysis, _ extras: TableExtras) throws(FederationError) {
        self.partial = partial
        self.analysis = analysis
        self.extras = extras
        layout = PartialLayout(analysis.measures)
        former = extras.comparison?.former
        total = Line(
            key: Array(repeating: nil, count: partial.keyCount), group: try partial.merged(partial.groups.keys),
            former: try former.map { former throws(FederationError) in try former.merged(former.groups.keys) },
            isOne: false)
        total.residents = extras.residents?.count(of: [], in: analysis)
        total.formerResidents = extras.comparison?.0.questions.first.flatMap { extras.residents?.count(of: [], in: $0) }
    }

    func table() throws(FederationError) -> ResultTable {
        var lines = keys.map { key in
            var line = Line(key: key, group: partial.groups[key] ?? partial.emptyGroup)
            line.residents = extras.residents?.count(of: key, in: analysis)
            if let comparison = extras.comparison?.0, comparison.hasFormer(key) {
                line.formerResidents = formerResidents(of: key, comparison)
                line.former = former?.groups[key] ?? partial.emptyGroup
            }
            return line
        }
        sort(&lines)
        if extras.showsRank { rank(&lines) }
        if extras.showsRunning { try addUp(&lines) }
        let shown = lines.prefix(analysis.top ?? lines.count)
        let rest = lines.dropFirst(shown.count).map(\.key)
        var others: Line?
        if !rest.isEmpty {
            others = Line(
                key: total.key, group: try partial.merged(rest),
                former: try former.map { former throws(FederationError) in try former.merged(rest) }, isOne: false)
        }
        return ResultTable(
            columns: columns, rows: shown.map(row), others: others.map(row), othersCount: rest.count,
            total: extras.showsTotal ? row(total) : nil)
    }

    private func formerResidents(of key: [ExactText?], _ comparison: Comparison) -> Int64? {
        guard let place = analysis.dimensions.firstIndex(where: { $0.calendarUnit != nil }),
            let period = comparison.formerPeriod(of: key)
        else { return comparison.questions.first.flatMap { extras.residents?.count(of: key, in: $0) } }
        var former = key
        former[place] = ExactText(period.label)
        return extras.residents?.count(of: former, in: analysis)
    }

    private var keys: Set<[ExactText?]> {
        partial.keyCount == 0 ? [[]] : Set(partial.groups.keys).union(former?.groups.keys ?? [:].keys)
    }

    // MARK: - Order

    private func sort(_ lines: inout [Line]) {
        let isRanked = analysis.top != nil || extras.showsRank
        let ordered = lines.map { (line: $0, value: value(of: 0, $0.group, $0.residents)) }.sorted { a, b in
            if isRanked, let order = Self.isMore(a.value, than: b.value) { return order }
            return Self.precedes(a.line.key, b.line.key)
        }
        lines = ordered.map(\.line)
    }

    /// Whether `a` comes before `b` by number, the larger first; nil when they are equal.
    private static func isMore(_ a: FieldValue, than b: FieldValue) -> Bool? {
        if a.number == b.number { return nil }
        guard let first = a.number else { return false }
        guard let second = b.number else { return true }
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

    /// - Precondition: the most come first.
    private func rank(_ lines: inout [Line]) {
        var former: (value: Double, rank: Int64)?
        for index in lines.indices {
            guard let value = value(of: 0, lines[index].group, lines[index].residents).number else { continue }
            let rank = former.flatMap { $0.value == value ? $0.rank : nil } ?? Int64(index + 1)
            lines[index].rank = rank
            former = (value, rank)
        }
    }

    private func addUp(_ lines: inout [Line]) throws(FederationError) {
        let period = analysis.dimensions.firstIndex { $0.calendarUnit != nil }
        var sums: [[ExactText?]: PartialResult.Group] = [:]
        for index in lines.indices {
            var series = total.key
            if let period {
                series = lines[index].key
                series[period] = nil
            }
            var running = sums[series] ?? partial.emptyGroup
            try running.merge(lines[index].group)
            sums[series] = running
            lines[index].running = running
        }
    }

    // MARK: - Columns

    private var columns: [ResultTable.Column] {
        var columns = analysis.dimensions.map { ResultTable.Column.dimension($0) }
        for (index, measure) in analysis.measures.enumerated() {
            columns += figures(of: measure, isFirst: index == 0).map { .figure($0, of: measure) }
        }
        if let comparison = extras.comparison?.0 {
            if comparison.former == nil, analysis.dimensions.contains(where: { $0.calendarUnit != nil }) {
                columns += [.formerPeriod, .specialDates, .formerSpecialDates]
            }
        }
        return columns
    }

    private func figures(of measure: Analysis.Measure, isFirst: Bool) -> [ResultTable.Figure] {
        let isRate = measure.unit == .percent
        var figures: [ResultTable.Figure] = [.value]
        if extras.showsRank && isFirst { figures.append(.rank) }
        if extras.showsShare && measure.unit == .count { figures.append(.share) }
        if extras.showsRunning { figures.append(.running) }
        if extras.comparison != nil { figures += [.former, .difference] + (isRate ? [] : [.growth]) }
        if extras.plan != nil { figures += [.plan, .planDifference] + (isRate ? [] : [.planRate]) }
        return figures
    }

    // MARK: - Cells

    private func row(_ line: Line) -> ResultTable.Row {
        let place = Dictionary(uniqueKeysWithValues: analysis.measures.enumerated().map { ($1.name, $0) })
        let cells = columns.map { column -> FieldValue in
            switch column {
            case .dimension(let dimension):
                return analysis.dimensions.firstIndex(of: dimension).flatMap { line.key[$0] }
                    .map { .text($0.text) } ?? .null
            case .figure(let figure, let measure):
                let index = place[measure.name] ?? 0
                let value = value(of: index, line.group, line.residents)
                lazy var before = line.former.map { self.value(of: index, $0, line.formerResidents) } ?? .null
                lazy var planned: FieldValue = line.isOne ? plan(of: measure, line.key) : .null
                switch figure {
                case .value: return value
                case .rank: return line.rank.map { .integer($0) } ?? .null
                case .share: return value.percent(of: self.value(of: index, total.group, total.residents))
                case .running: return line.running.map { self.value(of: index, $0, nil) } ?? .null
                case .former: return before
                case .difference: return value.less(before)
                case .growth: return value.less(before).percent(of: before)
                case .plan: return planned
                case .planDifference: return value.less(planned)
                case .planRate: return value.percent(of: planned)
                }
            case .formerPeriod: return extras.comparison?.0.formerPeriod(of: line.key).map { .text($0.label) } ?? .null
            case .specialDates: return special(extras.comparison?.0.period(of: line.key))
            case .formerSpecialDates: return special(extras.comparison?.0.formerPeriod(of: line.key))
            }
        }
        return ResultTable.Row(
            cells: cells, parts: analysis.measures.indices.map { layout.part($0, of: line.group).sums })
    }

    private func special(_ period: CalendarPeriod?) -> FieldValue {
        let titles = period.map { extras.specialDates.titles(in: $0.days) } ?? []
        return titles.isEmpty ? .null : .text(titles.joined(separator: "、"))
    }

    private func plan(of measure: Analysis.Measure, _ key: [ExactText?]) -> FieldValue {
        extras.plan?.value(of: measure, analysis, key) ?? .null
    }

    /// What a group says of the measure at `index`.
    private func value(of index: Int, _ group: PartialResult.Group, _ residents: Int64?) -> FieldValue {
        let part = layout.part(index, of: group)
        return analysis.measures[index].value(of: part.sums[...], part.state, residents: residents)
    }
}

extension FieldValue {
    /// Nil for what is no number.
    package var number: Double? {
        switch self {
        case .null, .text: nil
        case .integer(let integer): Double(integer)
        case .real(let real): real
        }
    }

    /// N/a where one of the two is.
    package func less(_ other: FieldValue) -> FieldValue {
        if case .integer(let value) = self, case .integer(let other) = other {
            let (difference, overflow) = value.subtractingReportingOverflow(other)
            return overflow ? .null : .integer(difference)
        }
        guard let value = number, let other = other.number else { return .null }
        return .rounded(value - other)
    }

    /// To two decimals; n/a where one of the two is, or the other is 0.
    package func percent(of other: FieldValue) -> FieldValue {
        guard let value = number, let other = other.number, other != 0 else { return .null }
        return .rounded(value * 100 / other)
    }

    private static func rounded(_ value: Double) -> FieldValue { .real((value * 100).rounded() / 100) }
}
