import ArgumentParser
import ConfigurationFiles
import FederationModel
import Foundation
import NodeDesk

struct TopologyApply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Publish a topology: sign it at the top node; every other node fetches and adopts it by itself.",
        discussion: """
            No process restarts and no file is copied. Links that it does not change go on as they are. A node that is away follows \
            when it comes back. See first what it will do with `topology plan`.

            EXAMPLE
              federation-node topology apply new-topology.yaml --wait 60 --config /srv/370000/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Argument(help: "The new topology file, with a `version` above the present one.", completion: .file())
    var file: String

    @OptionGroup var release: ReleaseOptions

    func run() async throws {
        let text: String
        do {
            text = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw FederationError(
                "E_FILE_READ", "\(file) can't be read", hint: "check that it exists and is UTF-8 text")
        }
        _ = try readTopology(path: file)
        let plan = try await node.desk().publishTopology(text, isConfirmed: release.confirm)
        try await release.report(plan, node)
    }
}

struct TopologyRollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Publish what an earlier release said again, as a new release.",
        discussion: "EXAMPLE\n  federation-node topology rollback 3 --wait 60 --config /srv/370000/node.yaml")

    @OptionGroup var node: NodeOptions

    @Argument(help: "The release to go back to; see `topology history`.")
    var version: Int64

    @OptionGroup var release: ReleaseOptions

    func run() async throws {
        let plan = try await node.desk().rollBackTopology(to: version, isConfirmed: release.confirm)
        try await release.report(plan, node)
    }
}

/// What publishing a release has in common.
struct ReleaseOptions: ParsableArguments {
    @Flag(help: "Do also what can't be undone.")
    var confirm = false

    @Option(help: "Wait so many seconds until every node stands on it and is level; exit with 3 when one does not.")
    var wait: Int?

    @Flag(help: "Print JSON.")
    var json = false

    private static let interval = Duration.milliseconds(100)

    func report(_ plan: TopologyPlan, _ node: NodeOptions) async throws {
        // Opened anew: the desk that has published goes by the former topology.
        let desk = try node.desk()
        var reports = try await desk.topologyReports()
        if let wait {
            let end = ContinuousClock.now + .seconds(wait)
            while !reports.allSatisfy(\.isLevel), ContinuousClock.now < end {
                try await Task.sleep(for: Self.interval)
                reports = try await desk.topologyReports()
            }
        }
        if json {
            try Output.json(
                Report(
                    published: plan.version, plan: TopologyPlanReport(plan),
                    nodes: reports.map(TopologyNodeReport.init)))
        } else {
            try Output.line(TopologyPlanReport.text(plan))
            try Output.line("已发布版本 \(plan.version)")
            if wait != nil { try Output.line(TopologyNodeReport.table(reports)) }
        }
        if wait != nil, !reports.allSatisfy(\.isLevel) { throw ExitCode(3) }
    }

    private struct Report: Encodable {
        let published: Int64
        let plan: TopologyPlanReport
        let nodes: [TopologyNodeReport]
    }
}

struct TopologyStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show on which release each node at and below this one stands.",
        discussion: "EXAMPLE\n  federation-node topology status --config /srv/370000/node.yaml")

    @OptionGroup var node: NodeOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let desk = try node.desk()
        let reports = try await desk.topologyReports()
        if json {
            try Output.json(
                Report(published: desk.topology.version, nodes: reports.map(TopologyNodeReport.init)))
        } else {
            try Output.line("版本 \(desk.topology.version)")
            try Output.line(TopologyNodeReport.table(reports))
        }
    }

    private struct Report: Encodable {
        let published: Int64
        let nodes: [TopologyNodeReport]
    }
}

/// What a node says of its topology, as JSON and as a line of a table.
struct TopologyNodeReport: Encodable {
    let node: String
    let name: String
    let version: Int64?
    let reportedAt: String?
    let level: Bool
    let draining: Bool

    init(_ report: TopologyReport) {
        node = report.node.id.code
        name = report.node.name
        version = report.version
        reportedAt = report.reportedAt.map(ShanghaiTime.rfc3339)
        level = report.isLevel
        draining = report.node.isDraining
    }

    static func table(_ reports: [TopologyReport]) -> String {
        var table = TextTable(header: ["节点", "名称", "版本", "一致", "截至"])
        for report in reports {
            table.append([
                report.node.id.code, report.node.name + (report.node.isDraining ? "(撤出中)" : ""),
                report.version.map { "\($0)" } ?? "–", report.isLevel ? "是" : "否",
                report.reportedAt.map(ShanghaiTime.second) ?? "–",
            ])
        }
        return table.text
    }
}

struct TopologyHistory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "List the topology releases that this node has adopted.",
        discussion: "EXAMPLE\n  federation-node topology history --config /srv/370000/node.yaml")

    @OptionGroup var node: NodeOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let releases = try await node.desk().releases()
        if json {
            try Output.json(releases.map(Release.init))
            return
        }
        var table = TextTable(header: ["版本", "发布时间", "采用时间", "签名"])
        for adopted in releases {
            table.append([
                "\(adopted.release.version)", ShanghaiTime.second(adopted.release.publishedAt),
                ShanghaiTime.second(adopted.adoptedAt), adopted.release.signature == nil ? "本地文件" : "有",
            ])
        }
        try Output.line(table.text)
    }

    private struct Release: Encodable {
        let version: Int64
        let publishedAt: String
        let adoptedAt: String
        let signed: Bool

        init(_ adopted: AdoptedRelease) {
            version = adopted.release.version
            publishedAt = ShanghaiTime.rfc3339(adopted.release.publishedAt)
            adoptedAt = ShanghaiTime.rfc3339(adopted.adoptedAt)
            signed = adopted.release.signature != nil
        }
    }
}

struct TopologyDiff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show what changed between two releases: nodes and links.",
        discussion: "EXAMPLE\n  federation-node topology diff 2 3 --config /srv/370000/node.yaml")

    @OptionGroup var node: NodeOptions

    @Argument(help: "The earlier release; see `topology history`.")
    var from: Int64

    @Argument(help: "The later one; the one in force if it is not given.")
    var to: Int64?

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let report = Report(try await node.desk().topologyChange(from: from, to: to))
        if json { try Output.json(report) } else { try Output.line(report.text) }
    }

    private struct Report: Encodable {
        let from: Int64
        let to: Int64
        let added: [String]
        let removed: [String]
        let changed: [String]
        let links: [Link]

        struct Link: Encodable {
            let sender: String
            let receiver: String
            let change: String
        }

        init(_ change: TopologyChange) {
            let (old, new) = (change.old, change.new)
            from = old.version
            to = new.version
            added = new.nodes.filter { !old.contains($0.id) }.map(\.id.code)
            removed = old.nodes.filter { !new.contains($0.id) }.map(\.id.code)
            changed = new.nodes.filter { node in old.node(node.id).map { $0 != node } ?? false }.map(\.id.code)
            links = change.links.map {
                Link(sender: $0.edge.sender.code, receiver: $0.edge.receiver.code, change: $0.change.rawValue)
            }
        }

        var text: String {
            var lines = ["版本 \(from) → \(to)"]
            if !added.isEmpty { lines.append("新增节点 \(added.joined(separator: " "))") }
            if !removed.isEmpty { lines.append("移除节点 \(removed.joined(separator: " "))") }
            if !changed.isEmpty { lines.append("变更节点 \(changed.joined(separator: " "))") }
            for link in links {
                let title = LinkChange(rawValue: link.change)?.title ?? link.change
                lines.append("链路 \(link.sender) → \(link.receiver) \(title)")
            }
            return lines.joined(separator: "\n")
        }
    }
}
