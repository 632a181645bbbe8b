import ArgumentParser
import FederationModel
import LogicalQuery
import NodeDesk

struct QueryLog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "List the questions that this node asked its children or answered its parent.",
        discussion: """
            Newest first. Of an answer only its size is kept. Entries are kept for three years; when there are more than \
            a million the oldest go, but none before it is 180 days old.

            EXAMPLE
              federation-node query log --since 2025-09-30 --json --config /srv/370300/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Option(help: "Only since then: 2025-09-30, or RFC 3339.")
    var since: String?

    @Option(help: "At most so many.")
    var limit = 100

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let desk = try node.desk()
        let entries = try await desk.queryLog(since: try since.map { try parseTime($0) }, limit: limit)
        if json {
            try Output.json(entries.map(Entry.init))
            return
        }
        var table = TextTable(header: ["时间", "方向", "节点", "类型", "资源", "条件", "行数", "字节", "毫秒", "结果"])
        for entry in entries {
            table.append([
                ShanghaiTime.second(entry.at), entry.direction.title,
                "\(entry.peer) \(desk.topology.node(entry.peer)?.name ?? "")", entry.kind.title, entry.resource.text,
                entry.question.isEmpty ? "–" : entry.question.printable, "\(entry.rows)", "\(entry.bytes)",
                "\(entry.durationMS)", entry.outcome,
            ])
        }
        print(table.text)
    }

    private struct Entry: Encodable {
        let time: String
        let direction: String
        let peer: String
        let kind: String
        let resource: String
        let question: String
        let columns: [String]
        let origins: Int
        let rows: Int
        let bytes: Int
        let outcome: String
        let durationMS: Int64

        init(_ entry: QueryLogEntry) {
            time = ShanghaiTime.rfc3339(entry.at)
            direction = entry.direction.rawValue
            peer = entry.peer.code
            kind = entry.kind.rawValue
            resource = entry.resource.text
            question = entry.question
            columns = entry.columns.split(separator: ",").map(String.init)
            origins = entry.origins
            rows = entry.rows
            bytes = entry.bytes
            outcome = entry.outcome
            durationMS = entry.durationMS
        }
    }
}

extension QueryLogEntry.Direction {
    fileprivate var title: String {
        switch self {
        case .asked: "询问"
        case .answered: "应答"
        }
    }
}

extension QueryLogEntry.Kind {
    fileprivate var title: String {
        switch self {
        case .analysis: "分析"
        case .rows: "明细"
        }
    }
}
