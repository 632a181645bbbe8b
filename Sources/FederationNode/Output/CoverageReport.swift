import FederationModel
import Foundation
import LogicalQuery
import NodeDesk

/// The coverage of an answer in JSON.
struct CoverageReport: Encodable {
    struct Node: Encodable {
        let node: String
        let name: String
        let mode: String
        let state: String
        let asOf: String?
        let rows: Int64?
        /// Changes from which tickets' states were not derived yet when it answered.
        let lagRows: Int64?
        /// Rows of it that were put aside, and are in no answer therefore.
        let quarantined: Int64?
        /// Why it gave no answer.
        let code: String?
        /// When it gave the answer that stands for the one that it does not give now, and how long ago that was.
        let answeredAt: String?
        let ageSeconds: Int64?
        /// Groups of fewer rows than so many, and some others, are not in its answer.
        let minCell: Int64?
        /// Whether a policy holds some of the node's tickets back.
        let filtered: Bool
        /// Whether the node was detached, and this is what it left.
        let frozen: Bool
        /// Columns that the node does not give, where rows were asked for.
        let withheld: [String]?
    }

    let complete: Bool
    let answered: Int
    let expected: Int
    /// Changes from which this node had not derived tickets' states yet.
    let lagRows: Int64?
    let nodes: [Node]

    init(_ coverage: Coverage, withheld: [String: [String]]? = nil) {
        complete = coverage.complete
        answered = coverage.answered
        expected = coverage.expected
        lagRows = coverage.lagRows
        nodes = coverage.nodes.map { node in
            Node(
                node: node.node.code, name: node.name, mode: node.mode.rawValue, state: node.state.rawValue,
                asOf: node.asOf.map { ShanghaiTime.rfc3339($0) }, rows: node.rows, lagRows: node.lagRows,
                quarantined: node.quarantined, code: node.code,
                answeredAt: node.answeredAt.map { ShanghaiTime.rfc3339($0) },
                ageSeconds: node.ageMS.map { $0 / 1_000 }, minCell: node.minCell,
                filtered: node.isFiltered, frozen: node.isFrozen, withheld: withheld.map { $0[node.node.code] ?? [] })
        }
    }
}

extension Coverage {
    private static let connectionCodes: Set<String> = [
        "E_PEER_UNREACHABLE", "E_PEER_TIMEOUT", "E_PEER_BROKEN", "E_PEER_CLOSED", "E_PEER_NOT_CONNECTED",
    ]

    func text(in language: Language) -> String {
        var text = "\(language("覆盖", "coverage")) \(answered)/\(expected)"
        for node in nodes {
            let word = node.state.hasRows ? language("截至", "as of") : language("最近联系", "last seen")
            let freshness = node.asOf.map { "\(word) \(ShanghaiTime.second($0))" } ?? language("从未联系", "never seen")
            // What did answer, and not so that it could be used, is not out of reach.
            let isReached = node.state == .unreachable && node.code.map { !Self.connectionCodes.contains($0) } ?? false
            let state = isReached ? language("未作答", "no answer") : node.state.title(in: language)
            var parts = [node.node.code, node.name, node.mode.title(in: language), state, freshness]
            if let rows = node.rows { parts.append("\(rows) \(language("件", "rows"))") }
            parts += node.remarks(in: language)
            text += "\n  \(parts.joined(separator: "  "))"
        }
        if let lagRows {
            text += language(
                "\n本节点工单状态滞后 \(lagRows) 行，数字按已归并部分计算；见 status",
                "\nstates of tickets here lag by \(lagRows) rows, and figures are of what is folded; see status")
        }
        if !complete {
            let names = missing.map { "\($0.name)(\($0.node))" }
            text += "\n\(language("缺失", "missing")) \(names.joined(separator: language.comma))"
        }
        return text
    }

    /// The second sheet of a workbook: what was asked and how it is defined, then who is in the answer.
    ///
    /// - Parameter rows: what stands above the coverage.
    func sheet(_ rows: [[Workbook.Cell]], _ language: Language) -> Workbook.Sheet {
        let header = [
            language("节点", "node"), language("名称", "name"), language("方式", "mode"), language("状态", "state"),
            language("截至", "as of"), language("件数", "rows"), language("说明", "remarks"),
        ].map { Workbook.Cell.heading($0) }
        let lines = nodes.map { node -> [Workbook.Cell] in
            [
                .text(node.node.code), .text(node.name), .text(node.mode.title(in: language)),
                .text(node.state.title(in: language)),
                node.asOf.map { .text(ShanghaiTime.second($0)) } ?? .empty,
                node.rows.map { .number(Double($0), .whole) } ?? .empty,
                .text(node.remarks(in: language).joined(separator: language("；", "; "))),
            ]
        }
        let above: [Workbook.Cell] = [
            .heading("\(language("覆盖", "coverage")) \(answered)/\(expected)"),
            .text(complete ? language("完整", "complete") : language("不完整", "incomplete")),
        ]
        return .init(name: language("口径与覆盖", "definitions and coverage"), rows: rows + [above, header] + lines)
    }
}

extension NodeCoverage {
    /// What is to be known of its part, for people.
    fileprivate func remarks(in language: Language) -> [String] {
        var parts: [String] = []
        if let code { parts.append(code) }
        if let lag = lagRows {
            parts.append(language("工单状态滞后 \(lag) 行", "states of tickets lag by \(lag) rows"))
        }
        if let quarantined {
            parts.append(language("隔离 \(quarantined) 条，未计入", "\(quarantined) rows put aside, not counted"))
        }
        if let time = answeredAt, let age = ageMS {
            let (time, age) = (ShanghaiTime.second(time), Self.length(age, language))
            parts.append(language("\(time) 的答复(\(age)前)", "answer of \(time) (\(age) ago)"))
        }
        if let least = minCell {
            parts.append(
                language("小于 \(least) 的分组未提供，不在合计内", "groups below \(least) are not given, nor in totals"))
        }
        if isFrozen { parts.append(language("已封存", "frozen")) }
        if isFiltered { parts.append(language("按策略仅提供部分工单", "its policy gives a part of its tickets")) }
        return parts
    }

    private static func length(_ milliseconds: Int64, _ language: Language) -> String {
        let minutes = milliseconds / 60_000
        return switch minutes {
        case 0: language("不到 1 分钟", "less than 1 min")
        case ..<120: "\(minutes) \(language("分钟", "min"))"
        case ..<2_880: "\(minutes / 60) \(language("小时", "h"))"
        default: "\(minutes / 1_440) \(language("天", "d"))"
        }
    }

    /// How old what it answered before is, in milliseconds; nil where it answers now.
    fileprivate var ageMS: Int64? { answeredAt.map { max(0, wallClock() - $0) } }
}

extension FieldValue {
    /// How a table shows it.
    var shown: String {
        switch self {
        case .null: "–"
        case .text(let text): text
        case .integer(let integer): String(integer)
        case .real(let real): String(real.rounded(toPlaces: 2))
        }
    }
}

extension CoverageState {
    fileprivate func title(in language: Language) -> String {
        switch self {
        case .ok: language("正常", "ok")
        case .late: language("滞后", "late")
        case .unreachable: language("不可达", "unreachable")
        case .stale: language("陈旧", "stale")
        case .denied: language("未授权", "denied")
        case .bootstrapping: language("初始化", "bootstrapping")
        }
    }
}

extension AggregationMode {
    fileprivate func title(in language: Language) -> String { language(title, rawValue) }
}
