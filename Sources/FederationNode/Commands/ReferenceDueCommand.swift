import ArgumentParser
import FederationModel
import NodeDesk

extension ReferenceCommand {
    /// Lets an administrator try the table of limits before tickets depend on it.
    struct Due: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what the time limits of a request would be, and by which rules.",
            discussion: """
                EXAMPLE
                  federation-node reference due 2025-09-30T10:00:00+08:00 --urgency normal --config /srv/370100/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "When it is dispatched, RFC 3339.")
        var start: String

        @Option(help: "诉求类型, a code of list request_type.")
        var requestType: String?

        @Option(help: "紧急程度, a code of list urgency.")
        var urgency: String?

        @Option(help: "问题分类, a code of list service_code.")
        var category: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            guard let time = ShanghaiTime.parse(start) else {
                throw ValidationError("\(start) is not a time like 2025-09-30T10:00:00+08:00")
            }
            let report = DueDocument(
                try await node.desk().limits(
                    requestType: requestType, urgency: urgency, category: category, from: time))
            if json { try Output.json(report) } else { print(report.text) }
        }
    }
}

/// The limits of one request, and the due dates that follow.
private struct DueDocument: Encodable {
    struct Line: Encodable {
        let name: String
        let title: String
        let limit: String
        let due: String
    }

    let rules: [String]
    let lines: [Line]
    let yearsWithoutNotice: [Int]

    init(_ report: LimitReport) {
        rules = report.rules
        lines = report.lines.map {
            Line(
                name: $0.step.rawValue, title: $0.step.title, limit: $0.limit.text, due: ShanghaiTime.rfc3339($0.due))
        }
        yearsWithoutNotice = report.yearsWithoutNotice
    }

    var text: String {
        var table = TextTable(header: ["环节", "时限", "到期"])
        for line in lines { table.append([line.title, line.limit, line.due]) }
        var text = "规则 \(rules.isEmpty ? "无" : rules.joined(separator: " > "))\n\(table.text)"
        if !yearsWithoutNotice.isEmpty {
            text += "\n无 \(yearsWithoutNotice.map(String.init).joined(separator: "、")) 年放假安排,该年仅按周末计算"
        }
        return text
    }
}

extension LimitReport.Step {
    fileprivate var title: String {
        switch self {
        case .accept: "签收"
        case .return: "退单"
        case .handling: "办理"
        case .extension: "延期至多"
        }
    }
}
