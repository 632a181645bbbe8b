import ArgumentParser
import FederationModel
import NodeDesk

struct ConflictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conflict", abstract: "What is contradictory in the threads of tickets.", subcommands: [List.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List conflict records, with the rule by which the state went on.",
            discussion: """
                EXAMPLE
                  federation-node conflict list --code E_STATE_NOT_OWNER --config /srv/370000/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "Only those of one kind; docs/operating.md lists them.")
        var code: String?

        @Option(help: "At most so many.")
        var limit = 100

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let kind = try code.map { word in
                guard let kind = TicketFinding.Code(rawValue: word) else {
                    throw ValidationError("--code \(word) is not a kind of conflict")
                }
                return kind
            }
            guard limit >= 0 else { throw ValidationError("--limit must not be negative") }
            let desk = try node.desk()
            let conflicts = try await desk.conflicts(code: kind, limit: limit)
            if json {
                try Output.json(conflicts.map(Line.init))
                return
            }
            var table = TextTable(header: ["全局标识", "冲突", "说明", "记录", "节点", "发生时间", "处理规则"])
            for conflict in conflicts {
                let finding = conflict.finding
                table.append([
                    conflict.globalID, finding.code.rawValue, finding.code.title,
                    BuiltInResources.named(finding.event.resource)?.title ?? finding.event.resource.text,
                    NodeID(finding.event.origin).flatMap { desk.topology.node($0)?.name } ?? finding.event.origin,
                    conflict.occurredAt.map(ShanghaiTime.minute) ?? "–", finding.code.resolution,
                ])
            }
            print(table.text)
        }
    }
}

private struct Line: Encodable {
    let id: String
    let code: String
    let title: String
    let resource: String
    let node: String
    let key: String
    let occurredAt: String?
    let resolution: String

    init(_ conflict: TicketConflict) {
        id = conflict.globalID
        code = conflict.finding.code.rawValue
        title = conflict.finding.code.title
        resource = conflict.finding.event.resource.text
        node = conflict.finding.event.origin
        key = conflict.finding.event.key
        occurredAt = conflict.occurredAt.map { ShanghaiTime.rfc3339($0) }
        resolution = conflict.finding.code.resolution
    }
}
