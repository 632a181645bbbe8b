import ArgumentParser
import FederationModel
import NodeDesk

struct InboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inbox",
        abstract:
            "What other nodes did to this node's tickets: supervision, transfers, alerts, conflicts, rows put aside at receivers.",
        discussion: """
            Each item has a cursor; --since goes on behind one. A system beside the node asks the same by GET /v1/inbox with its \
            token.

            EXAMPLE
              federation-node inbox --since 120 --limit 50 --json
            """)

    @OptionGroup var node: NodeOptions

    @Option(help: "Go on behind this cursor.")
    var since: Int64 = 0

    @Option(help: "At most so many items, 1 to 1000.")
    var limit = 100

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let desk = try node.desk()
        let items = try await desk.inbox(after: since, limit: limit)
        if json { return try Output.json(InboxPage(items, after: since)) }
        var table = TextTable(header: ["游标", "类型", "工单", "节点", "时间", "说明"])
        for item in items {
            let title =
                switch item.kind {
                case "conflict": "冲突"
                case "quarantine": "隔离"
                default: BuiltInResources.named(ResourceName(item.kind))?.title ?? item.kind
                }
            table.append([
                "\(item.cursor)", title, item.ticket ?? "–",
                NodeID(item.node).flatMap { desk.topology.node($0)?.name } ?? item.node, ShanghaiTime.minute(item.at),
                detail(of: item),
            ])
        }
        try Output.line(table.text)
    }

    private func detail(of item: InboxItem) -> String {
        switch item.kind {
        case "quarantine" where item.key == nil: "\(item.detail ?? "0") 条"
        case "alert":
            [item.detail.flatMap { AlertLevel(rawValue: $0)?.title }, item.key].compactMap(\.self).joined(
                separator: " ")
        default: item.detail ?? ""
        }
    }
}
