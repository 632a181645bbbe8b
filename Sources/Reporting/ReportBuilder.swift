import FederationModel
import LogicalQuery

/// Makes a report of the answers to its questions.
package struct ReportBuilder {
    private typealias Cell = ReportDocument.Cell
    private typealias Row = ReportDocument.Row
    private typealias Column = ReportDocument.Column

    private let questions: ReportQuestions
    private let answers: [Analysis: ResultTable]
    private let names: ReportNames

    /// - Parameter answers: with their totals, by question.
    package init(_ questions: ReportQuestions, _ answers: [Analysis: ResultTable], _ names: ReportNames) {
        self.questions = questions
        self.answers = answers
        self.names = names
    }

    /// - Parameters:
    ///   - coverages: those of all answers.
    ///   - cases: chapters on what is not counted: alerts and situations, typical tickets, advice. The tickets come before the units.
    package func document(
        of node: NodeID, named nodeName: String, topic: String?, coverages: [Coverage],
        cases: [ReportDocument.Chapter] = []
    ) -> ReportDocument {
        let (kind, period) = (questions.kind, questions.period)
        var chapters = questions.chapters.map { chapter($0.section, $0.questions) }
        for chapter in cases {
            let units = chapters.firstIndex { chapter.id == ReportDocument.casesChapter && $0.id == "unit" }
            chapters.insert(chapter, at: units ?? chapters.endIndex)
        }
        chapters.append(basis(coverages))
        return ReportDocument(
            number: kind.number(of: period, topic: topic), kind: kind,
            title: "\(nodeName)12345热线\(topic.map { "“\($0)”" } ?? "")\(kind.title)", node: node.code,
            nodeName: nodeName, period: period.label, from: ShanghaiTime.rfc3339(period.time.lowerBound),
            to: ShanghaiTime.rfc3339(period.time.upperBound), edition: .internal, chapters: chapters)
    }

    private func chapter(
        _ section: ReportSection, _ questions: [ReportQuestions.Role: Analysis]
    ) -> ReportDocument.Chapter {
        let answer = Answer(questions, answers)
        let table =
            switch (section.dimension, section.across) {
            case (let rows?, let columns?): crosstab(section, rows, columns, answer)
            case (let dimension?, nil): division(section, dimension, answer)
            default: measures(section, answer)
            }
        var chapter = ReportDocument.Chapter(section.id, section.title, tables: [table])
        if section.id == "overview" { chapter.paragraphs = summary(table) }
        return chapter
    }

    private func indicators(_ section: ReportSection) -> [Indicator] {
        section.measures.compactMap { name in questions.indicators.first { $0.name == name } }
    }

    // MARK: - Tables

    /// A row for each indicator.
    private func measures(_ section: ReportSection, _ answer: Answer) -> ReportDocument.Table {
        let rows = indicators(section).enumerated().map { index, indicator -> Row in
            let format = indicator.measure.format
            let value = answer.cell(.period, [], index, format)
            var cells = [Cell.text(indicator.reportTitle), value]
            if section.isCompared {
                cells += compared(value, answer, [], index, format, isRate: indicator.measure.unit == .percent)
            }
            return Row(indicator.name, cells)
        }
        return ReportDocument.Table(
            section.id, section.title,
            columns: [Column("indicator", "指标", .text), Column("value", "本期", .decimal)]
                + (section.isCompared ? comparedColumns(.decimal) : []), rows: rows)
    }

    private func comparedColumns(_ format: ReportDocument.Format) -> [Column] {
        [
            Column("previous", "上期", format), Column("previous_growth", "环比", .percent),
            Column("year", "同期", format), Column("year_growth", "同比", .percent),
        ]
    }

    /// Former figures, each with how much it has grown; of rates by how many points it has changed.
    private func compared(
        _ value: Cell, _ answer: Answer, _ key: [String?], _ index: Int, _ format: ReportDocument.Format, isRate: Bool
    ) -> [Cell] {
        [ReportQuestions.Role.previous, .year].flatMap { role -> [Cell] in
            let former = answer.cell(role, key, index, format)
            let difference = value.value.less(former.value)
            return [
                former,
                isRate
                    ? Cell(difference, format: .points) : Cell(difference.percent(of: former.value), format: .percent),
            ]
        }
    }

    /// A row for each value of a dimension, and all as one.
    private func division(
        _ section: ReportSection, _ dimension: Analysis.Dimension, _ answer: Answer
    ) -> ReportDocument.Table {
        let indicators = indicators(section)
        guard let first = indicators.first else {
            return ReportDocument.Table(section.id, section.title, columns: [], rows: [])
        }
        let total = answer.total(.period, 0)
        let isShared = first.measure.unit == .count && section.isCompared
        func cells(_ title: String, _ cell: (ReportQuestions.Role, Int) -> Cell) -> [Cell] {
            var cells = [Cell.text(title)]
            for (index, indicator) in indicators.enumerated() {
                let value = cell(.period, index)
                cells.append(value)
                guard index == 0, section.isCompared else { continue }
                if isShared { cells.append(Cell(value.value.percent(of: total))) }
                for role in [ReportQuestions.Role.previous, .year] {
                    let former = cell(role, index)
                    let difference = value.value.less(former.value)
                    cells += [
                        former,
                        indicator.measure.unit == .percent
                            ? Cell(difference, format: .points) : Cell(difference.percent(of: former.value)),
                    ]
                }
            }
            return cells
        }
        let keys = keys(section, dimension, answer)
        var rows = keys.map { key in
            Row(
                key ?? "",
                cells(key.map { names.title(of: $0, dimension) } ?? "未填") { role, index in
                    answer.cell(role, [key], index, indicators[index].measure.format)
                })
        }
        if answer.hasOthers {
            rows.append(
                Row("others", cells("其他") { role, index in answer.others(role, index, besides: keys) }))
        }
        let hasTotal: Bool
        if case .periods = section.rows { hasTotal = false } else { hasTotal = true }
        if hasTotal {
            rows.append(Row("total", cells("合计") { role, index in answer.totalCell(role, index) }))
        }
        var columns = [Column(dimension.name, dimension.title, .text)]
        for (index, indicator) in indicators.enumerated() {
            columns.append(Column(indicator.name, indicator.reportTitle, indicator.measure.format))
            guard index == 0, section.isCompared else { continue }
            if isShared { columns.append(Column("share", "占比", .percent)) }
            columns += comparedColumns(indicator.measure.format)
        }
        return ReportDocument.Table(
            section.id, section.title, columns: columns, rows: rows, hasTotal: hasTotal,
            chart: section.chart.map { ReportDocument.Chart($0, column: first.name) })
    }

    /// What the rows are about; nil where rows have no value.
    private func keys(
        _ section: ReportSection, _ dimension: Analysis.Dimension, _ answer: Answer
    ) -> [String?] {
        switch section.rows {
        case .measures: return []
        case .periods: return section.periods(to: questions.period).map(\.label)
        case .top: return answer.keys(.period)
        case .codes:
            let codes = names.codes(of: dimension)
            var keys = codes.map(String?.some)
            let found = [ReportQuestions.Role.period, .previous, .year].flatMap { answer.keys($0) }
            let others = Set(found).subtracting(keys)
            keys += others.compactMap(\.self).sorted { $0.precedes($1) }.map(String?.some)
            return others.contains(nil) ? keys + [nil] : keys
        }
    }

    /// Counts by two dimensions, each with all its codes that anything has; the rows with all of theirs.
    private func crosstab(
        _ section: ReportSection, _ dimension: Analysis.Dimension, _ across: Analysis.Dimension, _ answer: Answer
    ) -> ReportDocument.Table {
        let indicators = indicators(section)
        let found = answer.pairs
        func ordered(_ dimension: Analysis.Dimension, _ values: [String?]) -> [String?] {
            let codes = names.codes(of: dimension).map(String?.some)
            let others = Set(values).subtracting(codes)
            return codes + others.compactMap(\.self).sorted { $0.precedes($1) }.map(String?.some)
                + (others.contains(nil) ? [nil] : [])
        }
        let rowKeys = ordered(dimension, found.map(\.0))
        let columnKeys = ordered(across, found.map(\.1))
        func title(_ key: String?, _ dimension: Analysis.Dimension) -> String {
            key.map { names.title(of: $0, dimension) } ?? "未填"
        }
        func row(_ key: String, _ heading: String, _ values: [Int64]) -> Row {
            Row(key, [.text(heading)] + (values + [values.reduce(0, &+)]).map { Cell(.integer($0)) })
        }
        let values = rowKeys.map { row in
            columnKeys.map { column in answer.cell(.period, [row, column], 0, .whole).value.integer ?? 0 }
        }
        var rows = zip(rowKeys, values).map { key, values in row(key ?? "", title(key, dimension), values) }
        rows.append(
            row(
                "total", "合计",
                columnKeys.indices.map { column in values.reduce(0) { $0 &+ $1[column] } }))
        return ReportDocument.Table(
            section.id, "\(section.title)(\(indicators.first?.title ?? ""))",
            columns: [Column(dimension.name, dimension.title, .text)]
                + columnKeys.map { Column($0 ?? "", title($0, across), .whole) } + [Column("total", "合计", .whole)],
            rows: rows, hasTotal: true)
    }

    // MARK: - Words

    private func summary(_ table: ReportDocument.Table) -> [String] {
        let period = questions.period
        let figures = table.rows.map { row -> String in
            let texts = zip(table.columns, row.cells).map { $1.text($0) }
            var text = "\(texts[0]) \(texts[1])"
            if texts.count == 6 {
                let changes = [("环比", 3), ("同比", 5)].compactMap { word, index -> String? in
                    guard let change = row.cells[index].value.number else { return nil }
                    let unit = row.cells[index].format == .points ? "个百分点" : "%"
                    let size = ReportDocument.Format.decimal.text(.real(change.magnitude))
                    return change == 0 ? "\(word)持平" : "\(word)\(change > 0 ? "上升" : "下降") \(size)\(unit)"
                }
                if !changes.isEmpty { text += "(\(changes.joined(separator: ",")))" }
            }
            return text
        }
        var paragraphs = ["\(period.title):\(figures.joined(separator: ";"))。"]
        let days: [(String, CalendarPeriod?)] = [
            ("本期", period), ("上期", PeriodComparison.previous.former(of: period)),
            ("同期", PeriodComparison.year.former(of: period)),
        ]
        let special = days.compactMap { word, period -> String? in
            let titles = period.map { names.specialDates(in: $0) } ?? []
            return titles.isEmpty ? nil : "\(word)含\(titles.joined(separator: "、"))"
        }
        if !special.isEmpty { paragraphs.append("\(special.joined(separator: ";"))。") }
        return paragraphs
    }

    /// 数据口径: window, coverage, quality, definitions, and what came too late.
    private func basis(_ coverages: [Coverage]) -> ReportDocument.Chapter {
        let period = questions.period
        let nodes = Dictionary(grouping: coverages.flatMap(\.nodes), by: \.node).sorted { $0.key < $1.key }
            .map { node, parts in NodePart(node, parts, end: period.time.upperBound) }
        var paragraphs = [
            "数据窗口 \(ShanghaiTime.second(period.time.lowerBound)) 至 \(ShanghaiTime.second(period.time.upperBound));各指标按其口径的期间时间归入。"
        ]
        if !questions.filters.isEmpty {
            paragraphs.append("范围 \(questions.filters.map(words).joined(separator: ";"))。")
        }
        let missing = nodes.filter { !$0.isComplete }
        paragraphs.append(
            missing.isEmpty
                ? "覆盖 \(nodes.count)/\(nodes.count):各节点数据均到期末。"
                : "覆盖 \(nodes.count - missing.count)/\(nodes.count):\(missing.map { "\($0.name)(\($0.node))" }.joined(separator: "、"))数据不完整,其后到达的数据由修订版补入。"
        )
        paragraphs.append("期末之后到达的数据不改变本版;补入后另出修订版,列明变化,原版保留。")
        let coverage = ReportDocument.Table(
            "coverage", "覆盖与数据水位",
            columns: [
                Column("node", "节点", .text), Column("name", "名称", .text), Column("mode", "方式", .text),
                Column("state", "状态", .text), Column("as_of", "数据截至", .text),
                Column("quarantined", "隔离(条)", .whole),
            ],
            rows: nodes.map { part in
                Row(
                    part.node.code,
                    [
                        .text(part.node.code), .text(part.name), .text(part.mode.title), .text(part.state),
                        part.asOf.map { .text(ShanghaiTime.minute($0)) } ?? Cell(.null),
                        Cell(.integer(part.quarantined)),
                    ])
            })
        let quality = measures(questions.quality.section, Answer(questions.quality.questions, answers))
        let definitions = ReportDocument.Table(
            "definitions", "指标口径",
            columns: [
                Column("title", "指标", .text), Column("definition", "定义", .text), Column("clause", "依据", .text),
                Column("numerator", "分子", .text), Column("denominator", "分母", .text),
                Column("exclusions", "不含", .text),
            ],
            rows: questions.indicators.map { indicator in
                Row(
                    indicator.name,
                    [
                        indicator.title, "\(indicator.name) v\(indicator.measure.version)", indicator.clause,
                        indicator.numerator, indicator.denominator ?? "", indicator.exclusions ?? "",
                    ].map { .text($0) })
            })
        return ReportDocument.Chapter(
            "basis", "数据口径", paragraphs: paragraphs, tables: [coverage, quality, definitions])
    }

    private func words(_ filter: Analysis.Filter) -> String {
        "\(filter.field.title) \(filter.comparison.rawValue) \(filter.values.map { names.title(of: $0, filter.field) }.joined(separator: "、"))"
    }

    /// One node over all answers: as bad as in the worst of them. What it says of a time after the period says nothing of the report.
    private struct NodePart {
        let node: NodeID
        let name: String
        let mode: AggregationMode
        let state: String
        let asOf: UnixMilliseconds?
        let quarantined: Int64
        let isComplete: Bool

        init(_ node: NodeID, _ parts: [NodeCoverage], end: UnixMilliseconds) {
            self.node = node
            name = parts.first?.name ?? ""
            mode = parts.contains { $0.mode == .logical } ? .logical : .physical
            let missing =
                parts.first { !$0.state.isAnswered && !$0.state.hasRows } ?? parts.first { !$0.state.isAnswered }
            let times = parts.compactMap(\.asOf)
            asOf = times.count < parts.count ? nil : times.min().map { min($0, end) }
            let isFrozen = parts.contains(where: \.isFrozen)
            isComplete = missing == nil && (isFrozen || asOf.map { $0 >= end } ?? false)
            state =
                missing.map { $0.code ?? $0.state.rawValue }
                ?? (isFrozen ? "封存" : isComplete ? "完整" : "未到期末")
            quarantined = parts.compactMap(\.quarantined).max() ?? 0
        }
    }
}

/// The answers to the questions of one chapter.
private struct Answer {
    private let tables: [ReportQuestions.Role: ResultTable]
    private let rows: [ReportQuestions.Role: [[String?]: ResultTable.Row]]
    private let dimensions: Int
    private let measures: [Analysis.Measure]

    init(_ questions: [ReportQuestions.Role: Analysis], _ answers: [Analysis: ResultTable]) {
        tables = questions.compactMapValues { answers[$0] }
        let dimensions = questions[.period]?.dimensions.count ?? 0
        rows = tables.mapValues { table in
            Dictionary(
                table.rows.map { row in (row.cells.prefix(dimensions).map(\.text), row) },
                uniquingKeysWith: { first, _ in first })
        }
        self.dimensions = dimensions
        measures = questions[.period]?.measures ?? []
    }

    var hasOthers: Bool { tables[.period]?.others != nil }

    func keys(_ role: ReportQuestions.Role) -> [String?] { tables[role]?.rows.map { $0.cells.first?.text } ?? [] }

    /// The keys of a table of two dimensions.
    var pairs: [(String?, String?)] {
        tables[.period]?.rows.filter { $0.cells.count > 1 }.map { ($0.cells[0].text, $0.cells[1].text) } ?? []
    }

    /// The figure of a row; 0, or n/a of a rate, where there is no such row, and n/a where there is no such period.
    func cell(
        _ role: ReportQuestions.Role, _ key: [String?], _ measure: Int, _ format: ReportDocument.Format
    ) -> ReportDocument.Cell {
        guard tables[role] != nil else { return .init(.null, format: dimensions == 0 ? format : nil) }
        return cell(rows[role]?[key], measure, dimensions == 0 ? format : nil)
    }

    func totalCell(_ role: ReportQuestions.Role, _ measure: Int) -> ReportDocument.Cell {
        guard let table = tables[role] else { return .init(.null) }
        return cell(table.total, measure, nil)
    }

    func total(_ role: ReportQuestions.Role, _ measure: Int) -> FieldValue { totalCell(role, measure).value }

    /// What is not in the rows that are shown; of former periods, of counts alone.
    func others(_ role: ReportQuestions.Role, _ measure: Int, besides keys: [String?]) -> ReportDocument.Cell {
        if role == .period { return cell(tables[.period]?.others?.row, measure, nil) }
        guard measures[measure].unit == .count, let total = total(role, measure).integer else { return .init(.null) }
        let shown = keys.reduce(0) { $0 + (cell(role, [$1], measure, .whole).value.integer ?? 0) }
        return .init(.integer(total - shown))
    }

    private func cell(
        _ row: ResultTable.Row?, _ measure: Int, _ format: ReportDocument.Format?
    ) -> ReportDocument.Cell {
        let isCount = measures[measure].unit == .count
        guard let row else { return .init(isCount ? .integer(0) : .null, format: format) }
        let parts = row.parts[measure]
        return .init(
            row.cells[dimensions + measure], parts: isCount || parts.count < 2 ? nil : parts, format: format)
    }
}

extension Indicator {
    /// Percentages say so in each cell.
    fileprivate var reportTitle: String { measure.unit == .percent ? title : heading }
}

extension Analysis.Measure {
    fileprivate var format: ReportDocument.Format {
        switch unit {
        case .count: .whole
        case .percent: .percent
        case .hours, .minutes, .seconds, .perTenThousand: .decimal
        }
    }
}
