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

    var text: String {
        var text = "覆盖 \(answered)/\(expected)"
        for node in nodes {
            let word = node.state.hasRows ? "截至" : "最近联系"
            let freshness = node.asOf.map { "\(word) \(ShanghaiTime.second($0))" } ?? "从未联系"
            // What did answer, and not so that it could be used, is not out of reach.
            let isReached = node.state == .unreachable && node.code.map { !Self.connectionCodes.contains($0) } ?? false
            let state = isReached ? "未作答" : node.state.title
            var parts = [node.node.code, node.name, node.mode.title, state, freshness]
            if let rows = node.rows { parts.append("\(rows) 件") }
            parts += node.remarks
            text += "\n  \(parts.joined(separator: "  "))"
        }
        if let lagRows { text += "\n本节点工单状态滞后 \(lagRows) 行，数字按已归并部分计算；见 status" }
        if !complete {
            let names = missing.map { "\($0.name)(\($0.node))" }
            text += "\n缺失 \(names.joined(separator: "、"))"
        }
        return text
    }
}

extension Coverage {
    /// The second sheet of a workbook: what was asked and how it is defined, then who is in the answer.
    ///
    /// - Parameter rows: what stands above the coverage.
    func sheet(_ rows: [[Workbook.Cell]]) -> Workbook.Sheet {
        let header = ["节点", "名称", "方式", "状态", "截至", "件数", "说明"].map { Workbook.Cell.heading($0) }
        let lines = nodes.map { node -> [Workbook.Cell] in
            [
                .text(node.node.code), .text(node.name), .text(node.mode.title), .text(node.state.title),
                node.asOf.map { .text(ShanghaiTime.second($0)) } ?? .empty,
                node.rows.map { .number(Double($0), .whole) } ?? .empty, .text(node.remarks.joined(separator: "；")),
            ]
        }
        return .init(
            name: "口径与覆盖",
            rows: rows + [[.heading("覆盖 \(answered)/\(expected)"), .text(complete ? "完整" : "不完整")], header] + lines)
    }
}

extension NodeCoverage {
    /// What is to be known of its part, for people.
    fileprivate var remarks: [String] {
        var parts: [String] = []
        if let code { parts.append(code) }
        if let lag = lagRows { parts.append("工单状态滞后 \(lag) 行") }
        if let quarantined { parts.append("隔离 \(quarantined) 条，未计入") }
        if let time = answeredAt, let age = ageMS {
            parts.append("\(ShanghaiTime.second(time)) 的答复(\(Self.length(age))前)")
        }
        if let least = minCell { parts.append("小于 \(least) 的分组未提供，不在合计内") }
        if isFrozen { parts.append("已封存") }
        if isFiltered { parts.append("按策略仅提供部分工单") }
        return parts
    }

    private static func length(_ milliseconds: Int64) -> String {
        let minutes = milliseconds / 60_000
        return switch minutes {
        case 0: "不到 1 分钟"
        case ..<120: "\(minutes) 分钟"
        case ..<2_880: "\(minutes / 60) 小时"
        default: "\(minutes / 1_440) 天"
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
    fileprivate var title: String {
        switch self {
        case .ok: "正常"
        case .late: "滞后"
        case .unreachable: "不可达"
        case .stale: "陈旧"
        case .denied: "未授权"
        case .bootstrapping: "初始化"
        }
    }
}
