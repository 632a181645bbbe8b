import FederationModel
import LogicalQuery
import NodeDesk

/// A finished answer to an analysis, in the shapes in which it is printed.
struct AnalysisOutput {
    private let answer: AnalysisReport
    private let table: ResultTable
    private let explains: Bool
    private let language: Language
    private let desk: NodeDesk

    /// - Parameters:
    ///   - shows: whether its rows may be printed.
    ///   - explains: whether it is told how it came about.
    ///   - language: of everything but JSON, and but the names of columns in CSV.
    init(_ answer: AnalysisReport, shows: Bool, explains: Bool, _ language: Language, _ desk: NodeDesk) {
        self.answer = answer
        self.explains = explains
        self.language = language
        self.desk = desk
        table = shows ? answer.table : answer.table.withoutRows
    }

    // MARK: - JSON

    struct Report: Encodable {
        struct Definition: Encodable {
            let name: String
            let version: Int
        }

        /// Rows as one: all of them, or those that `top` cut off.
        struct Summary: Encodable {
            let row: [FieldValue]
            let parts: [[Int64]]
            /// Of how many rows.
            let rows: Int?
        }

        struct Comparison: Encodable {
            let kind: String
            let from: String?
            let to: String?
            let special: [String]
            let formerSpecial: [String]
            /// Whether a period is not over yet.
            let running: Bool
            /// Nodes that had no rows in the former period.
            let withoutFormer: [String]
            /// That of the former figures, if it is another one.
            let coverage: CoverageReport?
        }

        /// What was left out of the base of a measure.
        struct Quality: Encodable {
            let measure: String
            /// Of the period, by the definition.
            let excluded: Int64
            /// Of all times, without a time in one of these columns.
            let undated: Int64
            let periods: [String]
        }

        struct Step: Encodable {
            let node: String
            let from: String
            let child: String?
            let origins: [String]
            let milliseconds: Int64
            let gap: String?
        }

        /// A node whose engine did not answer, so that SQLite did.
        struct Gap: Encodable {
            let node: String
            let code: String
        }

        let columns: [String]
        let rows: [[FieldValue]]
        /// Of each row, numerator and denominator of each measure, or its count; of one of several terms all of theirs.
        let parts: [[[Int64]]]
        let others: Summary?
        let total: Summary?
        let definitions: [Definition]
        let comparison: Comparison?
        let quality: [Quality]?
        let gaps: [Gap]?
        let explain: [Step]?
        let coverage: CoverageReport
    }

    var report: Report {
        Report(
            columns: table.columns.map(\.name), rows: table.rows.map(\.cells), parts: table.rows.map(\.parts),
            others: table.others.map { .init(row: $0.row.cells, parts: $0.row.parts, rows: $0.count) },
            total: table.total.map { .init(row: $0.cells, parts: $0.parts, rows: nil) },
            definitions: answer.indicators.map { .init(name: $0.name, version: $0.measure.version) },
            comparison: answer.comparison.map { comparison in
                .init(
                    kind: comparison.kind.rawValue,
                    from: comparison.former.map { ShanghaiTime.rfc3339($0.lowerBound) },
                    to: comparison.former.map { ShanghaiTime.rfc3339($0.upperBound) },
                    special: comparison.specialDates, formerSpecial: comparison.formerSpecialDates,
                    running: comparison.isRunning, withoutFormer: comparison.withoutFormer.map(\.node.code),
                    coverage: comparison.coverage.map { CoverageReport($0) })
            },
            quality: answer.leftOut?.map {
                .init(
                    measure: $0.indicator.name, excluded: $0.excluded, undated: $0.undated, periods: $0.periods)
            },
            gaps: gaps.isEmpty ? nil : gaps.map { .init(node: $0.node.code, code: $0.code) },
            explain: explains ? answer.steps.map(Report.Step.init) : nil, coverage: CoverageReport(answer.coverage))
    }

    // MARK: - Rows

    /// Those of the table, then the one of the others and that of all. What stands for a dimension of a summary is its word.
    private var lines: [(cells: [FieldValue], title: String?)] {
        var lines: [(cells: [FieldValue], title: String?)] = table.rows.map { ($0.cells, nil) }
        // Without dimensions there is one row, and nothing to sum up.
        guard !answer.analysis.dimensions.isEmpty else { return lines }
        if let (row, _) = table.others { lines.append((row.cells, language("其他", "others"))) }
        if let total = table.total { lines.append((total.cells, language("合计", "total"))) }
        return lines.map { line in
            guard let title = line.title else { return line }
            return ([.text(title)] + line.cells.dropFirst(), title)
        }
    }

    var csv: [[FieldValue]] { [table.columns.map { .text($0.name) }] + lines.map(\.cells) }

    /// The figures, then what was asked, how they are defined and which nodes they are of.
    var sheets: [Workbook.Sheet] {
        let figures = lines.map { line in
            zip(table.columns, line.cells).map { column, cell -> Workbook.Cell in
                switch (column, cell) {
                case (.dimension(let dimension), .text(let value)) where line.title == nil:
                    .text(dimension.text(of: value, language, desk))
                case (.figure(let figure, let measure), _): Workbook.Cell(cell, figure.format(measure.unit))
                default: Workbook.Cell(cell)
                }
            }
        }
        let definitions = answer.indicators.map { indicator in
            [
                indicator.title(in: language), "\(indicator.name) v\(indicator.measure.version)", indicator.clause,
                indicator.numerator, indicator.denominator ?? "", indicator.exclusions ?? "",
            ].map { Workbook.Cell.text($0) }
        }
        let above: [[Workbook.Cell]] =
            [[.heading(language("条件", "conditions")), .text(answer.analysis.conditions)], []]
            + [
                [
                    language("指标", "indicator"), language("口径", "definition"), language("条款", "clause"),
                    language("分子", "numerator"), language("分母", "denominator"), language("不含", "without"),
                ].map { .heading($0) }
            ] + definitions
            + (comparisonLines + qualityLines + gapLines + stepLines).map { [.text($0)] } + [[]]
        return [
            .init(name: language("数据", "data"), rows: [table.columns.map { .heading(heading($0)) }] + figures),
            answer.coverage.sheet(above, language),
        ]
    }

    var text: String {
        var text = TextTable(header: table.columns.map(heading))
        for line in lines {
            text.append(
                zip(table.columns, line.cells).map { column, cell in
                    guard line.title == nil, case .dimension(let dimension) = column, case .text(let value) = cell
                    else {
                        return cell.shown
                    }
                    return dimension.text(of: value, language, desk)
                })
        }
        return text.text
    }

    private func heading(_ column: ResultTable.Column) -> String {
        let isYear = answer.comparison?.kind == .year
        switch column {
        case .dimension(let dimension): return dimension.title(in: language)
        case .figure(let figure, let measure):
            guard let indicator = answer.indicators.first(where: { $0.name == measure.name }) else {
                return column.name
            }
            if figure == .value { return indicator.heading(in: language) }
            let heading = figure.heading(isRate: measure.unit == .percent, isYear, language)
            if answer.indicators.count == 1 { return heading }
            return indicator.title(in: language) + language("", ": ") + heading
        case .formerPeriod: return isYear ? language("同期", "year before") : language("上期", "period before")
        case .specialDates: return language("特殊日期", "special dates")
        case .formerSpecialDates:
            return isYear
                ? language("同期特殊日期", "special dates, year before")
                : language("上期特殊日期", "special dates, period before")
        }
    }

    // MARK: - What stands below

    /// By which definitions the figures are, what they are held against, and which nodes they are of.
    var notes: String {
        ([definitions] + comparisonLines + qualityLines + gapLines + stepLines + [answer.coverage.text(in: language)])
            .joined(separator: "\n")
    }

    private var definitions: String {
        let definitions = answer.indicators.map {
            "\($0.title(in: language)) \($0.name) v\($0.measure.version)"
        }
        return "\(language("口径", "definitions")) \(definitions.joined(separator: language.comma))"
    }

    private var comparisonLines: [String] { answer.comparison?.lines(in: language) ?? [] }

    private var qualityLines: [String] {
        (answer.leftOut ?? []).map {
            let periods = $0.periods.joined(separator: language.comma)
            return language(
                "数据质量 \($0.indicator.title)  按口径不计 \($0.excluded) 条  无期间时间(\(periods)) \($0.undated) 条",
                "quality \($0.indicator.english)  \($0.excluded) rows excluded  \($0.undated) without \(periods)")
        }
    }

    /// Where another engine than SQLite should have answered, each reason once.
    private var gaps: [(node: NodeID, code: String)] {
        var gaps: [(node: NodeID, code: String)] = []
        for step in answer.steps {
            guard let code = step.gap, !gaps.contains(where: { $0 == (step.node, code) }) else { continue }
            gaps.append((step.node, code))
        }
        return gaps
    }

    private func name(_ node: NodeID) -> String { "\(node) \(desk.topology.name(of: node) ?? "")" }

    private var gapLines: [String] {
        gaps.map { node, code in
            let reason = WarehouseGap(rawValue: code)?.title(in: language) ?? code
            return language(
                "引擎 \(name(node))  ClickHouse 未作答：\(reason)（\(code)），改由 SQLite 计算",
                "engine \(name(node))  ClickHouse did not answer: \(reason) (\(code)); SQLite did")
        }
    }

    private var stepLines: [String] {
        guard explains else { return [] }
        return answer.steps.map { step in
            let source = step.source.title(in: language) + (step.child.map { " \(name($0))" } ?? "")
            let origins = step.origins.map(\.code).joined(separator: language.comma)
            return language(
                "执行 \(name(step.node))  \(source)  来源 \(origins)  \(step.milliseconds) 毫秒",
                "step \(name(step.node))  \(source)  origins \(origins)  \(step.milliseconds) ms")
        }
    }
}

extension AnalysisOutput.Report.Step {
    init(_ step: AnswerStep) {
        node = step.node.code
        from = step.source.rawValue
        child = step.child?.code
        origins = step.origins.map(\.code)
        milliseconds = step.milliseconds
        gap = step.gap
    }
}

extension WarehouseGap {
    fileprivate func title(in language: Language) -> String {
        switch self {
        case .away: language("无法连接或拒绝执行", "not reached, or the statement was refused")
        case .behind: language("尚未导出完毕", "not exported to the end")
        case .granted: language("上级提问，须按共享策略取数", "asked by a node that may not count everything")
        case .dataset: language("涉及外部数据集", "an external data set is counted")
        case .workingTime: language("涉及工作时长", "working time is counted")
        }
    }
}

extension AnswerStep.Source {
    fileprivate func title(in language: Language) -> String {
        switch self {
        case .rows: language("本节点数据", "own rows")
        case .copy: language("汇聚副本", "copies")
        case .rollup: language("汇总块", "rollup")
        case .warehouse: "ClickHouse"
        case .child: language("询问下级", "child")
        case .remembered: language("下级先前答复", "former answer of child")
        default: rawValue
        }
    }
}

extension ResultTable.Figure {
    /// How a workbook shows it.
    fileprivate func format(_ unit: Analysis.Measure.Unit) -> Workbook.Format {
        switch self {
        case .rank: .whole
        case .share, .growth, .planRate: .percent
        case .value, .running, .former, .plan: unit == .count ? .whole : unit == .percent ? .percent : .decimal
        // Of rates these are percentage points.
        case .difference, .planDifference: unit == .count ? .whole : .decimal
        }
    }

    fileprivate func heading(isRate: Bool, _ isYear: Bool, _ language: Language) -> String {
        let points = isRate ? language("(百分点)", ", points") : ""
        return switch self {
        case .value: ""
        case .rank: language("名次", "rank")
        case .share: language("占比%", "share, %")
        case .running: language("累计", "running")
        case .former: isYear ? language("同期值", "year before") : language("上期值", "period before")
        case .difference: (isYear ? language("同比增减", "on the year") : language("环比增减", "on the period")) + points
        case .growth: isYear ? language("同比%", "on the year, %") : language("环比%", "on the period, %")
        case .plan: language("计划", "plan")
        case .planDifference: language("与计划差", "off the plan") + points
        case .planRate: language("完成%", "of the plan, %")
        }
    }
}

extension ComparisonReport {
    /// For people.
    fileprivate func lines(in language: Language) -> [String] {
        let isYear = kind == .year
        let before = isYear ? language("同期", "year before") : language("上期", "period before")
        var parts = [isYear ? language("同比", "on the year") : language("环比", "on the period")]
        if let former {
            let (from, to) = (ShanghaiTime.second(former.lowerBound), ShanghaiTime.second(former.upperBound))
            parts.append(language("与 \(from) 至 \(to) 比较", "against \(from) to \(to)"))
        } else {
            parts.append(
                isYear
                    ? language("各行与去年同期比较", "each row against the same period of the year before")
                    : language("各行与上一期比较", "each row against the period before"))
        }
        if !specialDates.isEmpty {
            parts.append(language("本期含", "with ") + specialDates.joined(separator: language.comma))
        }
        if !formerSpecialDates.isEmpty {
            parts.append(before + language("含", " with ") + formerSpecialDates.joined(separator: language.comma))
        }
        if isRunning { parts.append(language("本期尚未结束", "the period is not over yet")) }
        if !withoutFormer.isEmpty {
            let names = withoutFormer.map { "\($0.name)(\($0.node))" }.joined(separator: language.comma)
            parts.append(language("此前无数据的节点", "nodes without former rows") + " \(names)")
        }
        let line = parts.joined(separator: "  ")
        return coverage.map { [line, language("对比期", "former ") + $0.text(in: language)] } ?? [line]
    }
}
