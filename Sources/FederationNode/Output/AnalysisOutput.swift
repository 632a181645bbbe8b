import FederationModel
import LogicalQuery
import NodeDesk

/// A finished answer to an analysis, in the shapes in which it is printed.
struct AnalysisOutput {
    private let answer: AnalysisReport
    private let table: ResultTable
    private let desk: NodeDesk

    /// - Parameter shows: whether its rows may be printed.
    init(_ answer: AnalysisReport, shows: Bool, _ desk: NodeDesk) {
        self.answer = answer
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

        let columns: [String]
        let rows: [[FieldValue]]
        /// Of each row, numerator and denominator of each measure, or its count; of one of several terms all of theirs.
        let parts: [[[Int64]]]
        let others: Summary?
        let total: Summary?
        let definitions: [Definition]
        let comparison: Comparison?
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
            }, coverage: CoverageReport(answer.coverage))
    }

    // MARK: - Rows

    /// Those of the table, then the one of the others and that of all. What stands for a dimension of a summary is its word.
    private var lines: [(cells: [FieldValue], title: String?)] {
        var lines: [(cells: [FieldValue], title: String?)] = table.rows.map { ($0.cells, nil) }
        // Without dimensions there is one row, and nothing to sum up.
        guard !answer.analysis.dimensions.isEmpty else { return lines }
        if let (row, _) = table.others { lines.append((row.cells, "其他")) }
        if let total = table.total { lines.append((total.cells, "合计")) }
        return lines.map { line in
            guard let title = line.title else { return line }
            return ([.text(title)] + line.cells.dropFirst(), title)
        }
    }

    var csv: [[FieldValue]] { [table.columns.map { .text($0.name) }] + lines.map(\.cells) }

    var text: String {
        var text = TextTable(header: table.columns.map(heading))
        for line in lines {
            text.append(
                zip(table.columns, line.cells).map { column, cell in
                    guard line.title == nil, case .dimension(let dimension) = column, case .text(let value) = cell
                    else {
                        return cell.shown
                    }
                    return dimension.text(of: value, desk)
                })
        }
        return text.text
    }

    private func heading(_ column: ResultTable.Column) -> String {
        switch column {
        case .dimension(let dimension): return dimension.title
        case .figure(let figure, let measure):
            guard let indicator = answer.indicators.first(where: { $0.name == measure.name }) else {
                return column.name
            }
            if figure == .value { return indicator.heading }
            let heading = figure.heading(isRate: measure.unit == .percent, answer.comparison?.kind)
            return answer.indicators.count == 1 ? heading : "\(indicator.title)\(heading)"
        case .formerPeriod: return answer.comparison?.kind == .year ? "同期" : "上期"
        case .specialDates: return "特殊日期"
        case .formerSpecialDates: return answer.comparison?.kind == .year ? "同期特殊日期" : "上期特殊日期"
        }
    }

    // MARK: - What stands below

    /// By which definitions the figures are, what they are held against, and which nodes they are of.
    var notes: String {
        ([answer.definitions] + (answer.comparison?.lines ?? []) + [answer.coverage.text]).joined(separator: "\n")
    }
}

extension ResultTable.Figure {
    fileprivate func heading(isRate: Bool, _ comparison: PeriodComparison?) -> String {
        let isYear = comparison == .year
        return switch self {
        case .value: ""
        case .rank: "名次"
        case .share: "占比%"
        case .running: "累计"
        case .former: isYear ? "同期值" : "上期值"
        case .difference: (isYear ? "同比增减" : "环比增减") + (isRate ? "(百分点)" : "")
        case .growth: isYear ? "同比%" : "环比%"
        case .plan: "计划"
        case .planDifference: "与计划差" + (isRate ? "(百分点)" : "")
        case .planRate: "完成%"
        }
    }
}

extension ComparisonReport {
    /// For people.
    fileprivate var lines: [String] {
        var parts = [kind == .year ? "同比" : "环比"]
        if let former {
            parts.append("与 \(ShanghaiTime.second(former.lowerBound)) 至 \(ShanghaiTime.second(former.upperBound)) 比较")
        } else {
            parts.append(kind == .year ? "各行与去年同期比较" : "各行与上一期比较")
        }
        if !specialDates.isEmpty { parts.append("本期含\(specialDates.joined(separator: "、"))") }
        if !formerSpecialDates.isEmpty {
            parts.append("\(kind == .year ? "同期" : "上期")含\(formerSpecialDates.joined(separator: "、"))")
        }
        if isRunning { parts.append("本期尚未结束") }
        if !withoutFormer.isEmpty {
            let names = withoutFormer.map { "\($0.name)(\($0.node))" }
            parts.append("此前无数据的节点 \(names.joined(separator: "、"))")
        }
        let line = parts.joined(separator: "  ")
        return coverage.map { [line, "对比期\($0.text)"] } ?? [line]
    }
}
