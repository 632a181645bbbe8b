import ArgumentParser
import FederationModel
import NodeRuntime

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
            let local = try node.open()
            let question = LimitQuestion(
                requestType: requestType, urgency: urgency, category: category, node: local.id)
            let report = DueReport(local.reference, question, start: time)
            if json { try Output.json(report) } else { try Output.line(report.text) }
        }
    }
}

/// The limits of one request, and the due dates that follow.
private struct DueReport: Encodable {
    struct Line: Encodable {
        let name: String
        let title: String
        let limit: String
        let due: String
    }

    let rules: [String]
    let lines: [Line]
    /// Years of which no notice is known: their holidays were taken for working days.
    let yearsWithoutNotice: [Int]

    init(_ reference: ReferenceData, _ question: LimitQuestion, start: UnixMilliseconds) {
        let limits = reference.limits.limits(for: question)
        var lines: [Line] = []
        var latest = start
        func add(
            _ name: String, _ title: String, _ limit: TimeLimit?, from: UnixMilliseconds, isExtension: Bool = false
        ) {
            guard let limit else { return }
            let due =
                isExtension
                ? limit.extending(due: from, counting: limits.counting, calendar: reference.calendar)
                : limit.due(start: from, counting: limits.counting, calendar: reference.calendar)
            latest = max(latest, due)
            lines.append(Line(name: name, title: title, limit: limit.text, due: ShanghaiTime.rfc3339(due)))
        }
        add("accept", "签收", limits.accept, from: start)
        add("return", "退单", limits.returning, from: start)
        add("handling", "办理", limits.handling, from: start)
        if let handling = limits.handling {
            let due = handling.due(start: start, counting: limits.counting, calendar: reference.calendar)
            add("extension", "延期至多", limits.extensionTotal, from: due, isExtension: true)
        }
        rules = limits.rules
        self.lines = lines
        yearsWithoutNotice = reference.calendar.yearsWithoutNotice(from: start, to: latest)
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
