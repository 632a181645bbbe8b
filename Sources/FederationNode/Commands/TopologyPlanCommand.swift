import ArgumentParser
import ConfigurationFiles
import FederationModel
import Foundation
import NodeDesk

struct TopologyPlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what a new topology would do, link by link over the whole federation.",
        discussion: """
            Nothing is changed. Rows are counted as far as they are here; bytes are estimated from a sample of them.

            EXAMPLE
              federation-node topology plan new-topology.yaml --config /srv/370000/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Argument(help: "The new topology file.", completion: .file())
    var file: String

    @Flag(help: "Exit with 4 when anything would change.")
    var detailedExitcode = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let plan = try await node.desk().plan(try readTopology(path: file))
        if json {
            try Output.json(TopologyPlanReport(plan))
        } else {
            try Output.line(TopologyPlanReport.text(plan))
        }
        if detailedExitcode, plan.changesAnything { throw ExitCode(4) }
    }
}

/// A plan as JSON and as a table.
struct TopologyPlanReport: Encodable {
    private let version: Int64
    private let current: Int64
    private let links: [Link]
    private let irreversible: [Purge]
    private let frozen: [String]
    private let openTickets: [OpenTickets]

    private struct Link: Encodable {
        let sender: String
        let receiver: String
        let change: String
        let resource: String?
        let added: Int64
        let retracted: Int64
        let resent: Int64
        let bytes: Int64
        let newlyVisible: [String]
        let exact: Bool
    }

    private struct Purge: Encodable {
        let what = "purge"
        let node: String
        let name: String
        let rows: Int64
    }

    private struct OpenTickets: Encodable {
        let node: String
        let tickets: Int
    }

    init(_ plan: TopologyPlan) {
        version = plan.version
        current = plan.current
        links = plan.entries.map { entry in
            Link(
                sender: entry.edge.sender.code, receiver: entry.edge.receiver.code, change: entry.change.rawValue,
                resource: entry.resource?.text, added: entry.added, retracted: entry.retracted, resent: entry.resent,
                bytes: entry.bytes, newlyVisible: entry.newlyVisible, exact: entry.isExact)
        }
        irreversible = plan.purges.map { Purge(node: $0.node.id.code, name: $0.node.name, rows: $0.rows) }
        frozen = plan.frozen.map(\.id.code)
        openTickets = plan.openTickets.sorted { $0.key < $1.key }.map {
            OpenTickets(node: $0.key.code, tickets: $0.value)
        }
    }

    static func text(_ plan: TopologyPlan) -> String {
        guard plan.changesAnything else { return "版本 \(plan.current) → \(plan.version):各链路不变" }
        var table = TextTable(header: ["链路", "变化", "资源", "新增", "撤回", "重发", "估计字节", "新可见"])
        var links: Set<LinkEdge> = []
        for entry in plan.entries {
            // Of a link on which nothing is to be counted, one line says enough.
            let isFirst = links.insert(entry.edge).inserted
            guard isFirst || entry.added + entry.retracted + entry.resent > 0 else { continue }
            table.append([
                "\(entry.edge.sender) → \(entry.edge.receiver)", entry.change.title, entry.resource?.text ?? "–",
                (entry.isExact ? "" : "≥") + "\(entry.added)", "\(entry.retracted)", "\(entry.resent)",
                "\(entry.bytes)",
                entry.newlyVisible.joined(separator: ","),
            ])
        }
        var lines = ["版本 \(plan.current) → \(plan.version)", table.text]
        for node in plan.frozen { lines.append("封存 \(node.id) \(node.name):其数据保留并注明") }
        for purge in plan.purges {
            lines.append("不可撤销 清除 \(purge.node.id) \(purge.node.name):本节点 \(purge.rows) 行,须 --confirm")
        }
        for (node, count) in plan.openTickets.sorted(by: { $0.key < $1.key }) {
            lines.append("未办结 \(node) 承办 \(count) 件:先用 transfer hand-over 移交")
        }
        return lines.joined(separator: "\n")
    }
}

extension LinkChange {
    var title: String {
        switch self {
        case .added: "新增"
        case .removed: "撤销"
        case .swept: "重整"
        case .rerouted: "改道"
        case .same: "不变"
        }
    }
}

struct TopologyDeletions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deletions",
        abstract: "List the deletions of copies that a topology no longer gives to this node.",
        discussion: "EXAMPLE\n  federation-node topology deletions --json --config /srv/370000/node.yaml")

    @OptionGroup var node: NodeOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let records = try await node.desk().deletions()
        if json {
            try Output.json(records.map(Deletion.init))
            return
        }
        var table = TextTable(header: ["时间", "节点", "资源", "行数", "摘要", "拓扑版本"])
        for record in records {
            table.append([
                ShanghaiTime.second(record.at), record.origin.code, record.resource.text, "\(record.rows)",
                record.digest,
                "\(record.topology)",
            ])
        }
        try Output.line(table.text)
    }

    private struct Deletion: Encodable {
        let origin: String
        let resource: String
        let rows: Int64
        let digest: String
        let topology: Int64
        let at: String

        init(_ record: DeletionRecord) {
            origin = record.origin.code
            resource = record.resource.text
            rows = record.rows
            digest = record.digest
            topology = record.topology
            at = ShanghaiTime.rfc3339(record.at)
        }
    }
}
