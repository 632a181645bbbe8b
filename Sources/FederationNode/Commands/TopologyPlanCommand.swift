import ArgumentParser
import FederationModel
import LocalStore
import NodeRuntime
import Zstandard

struct TopologyPlan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what a new topology file would add, retract and send again on each link of this node.",
        discussion: """
            Nothing is changed. Bytes are estimated from a sample of the rows.

            EXAMPLE
              federation-node topology plan new-topology.yaml --config /srv/370100/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Argument(help: "The new topology file.", completion: .file())
    var file: String

    @Flag(help: "Exit with 4 when anything would change.")
    var detailedExitcode = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let local = try node.open()
        let new = try readTopology(path: file)
        var links: [Link] = []
        for neighbour in new.neighbours(of: local.id) where new.role(of: neighbour, to: local.id) != .child {
            guard let next = try await local.policy(from: local.id, to: neighbour, in: new) else { continue }
            let plans = try await local.store.plan(
                from: local.policy(from: local.id, to: neighbour), to: next, now: wallClock(),
                compressor: ZstandardCompressor())
            links.append(Link(peer: neighbour.code, resources: plans.map(Resource.init)))
        }
        if json {
            try Output.json(Report(topology: new.version, links: links))
        } else {
            var table = TextTable(header: ["链路", "资源", "新增", "撤回", "重发", "估计字节"])
            for link in links {
                for row in link.resources {
                    table.append([
                        link.peer, row.resource, "\(row.added)", "\(row.retracted)", "\(row.again)", "\(row.bytes)",
                    ])
                }
            }
            try Output.line(table.text)
        }
        if detailedExitcode, links.contains(where: { $0.resources.contains { $0.added + $0.retracted > 0 } }) {
            throw ExitCode(4)
        }
    }

    private struct Report: Encodable {
        let topology: Int64
        let links: [Link]
    }

    private struct Link: Encodable {
        let peer: String
        let resources: [Resource]
    }

    private struct Resource: Encodable {
        let resource: String
        let added: Int64
        let retracted: Int64
        let again: Int64
        let bytes: Int64

        init(_ plan: PolicyPlan) {
            resource = plan.resource.text
            added = plan.added
            retracted = plan.retracted
            again = plan.again
            bytes = plan.bytes
        }
    }
}

struct TopologyDeletions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deletions",
        abstract: "List the deletions of copies whose resource went over from copy to query.",
        discussion: "EXAMPLE\n  federation-node topology deletions --json --config /srv/370000/node.yaml")

    @OptionGroup var node: NodeOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let records = try await node.open().store.deletions()
        if json {
            try Output.json(records.map(Deletion.init))
            return
        }
        var table = TextTable(header: ["时间", "节点", "资源", "行数", "摘要", "拓扑版本"])
        for record in records {
            table.append([
                ShanghaiTime.second(record.at), record.sender.code, record.resource.text, "\(record.rows)",
                record.digest,
                "\(record.topology)",
            ])
        }
        try Output.line(table.text)
    }

    private struct Deletion: Encodable {
        let sender: String
        let resource: String
        let rows: Int64
        let digest: String
        let topology: Int64
        let at: String

        init(_ record: DeletionRecord) {
            sender = record.sender.code
            resource = record.resource.text
            rows = record.rows
            digest = record.digest
            topology = record.topology
            at = ShanghaiTime.rfc3339(record.at)
        }
    }
}
