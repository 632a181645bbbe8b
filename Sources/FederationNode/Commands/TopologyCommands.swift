import ArgumentParser
import ConfigurationFiles
import FederationModel
import Foundation
import NodeDesk

struct TopologyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topology", abstract: "The federation's tree and its links.",
        discussion: "EXAMPLE\n  federation-node topology graph",
        subcommands: [
            Validate.self, Show.self, Graph.self, TopologyPlanCommand.self, TopologyApply.self, TopologyStatus.self,
            TopologyHistory.self, TopologyDiff.self, TopologyRollback.self, TopologyDeletions.self,
        ])

    struct Validate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a topology file and name everything that is wrong, with its line.",
            discussion: "EXAMPLE\n  federation-node topology validate topology/examples/qilu.yaml")

        @Argument(help: "The file.", completion: .file())
        var file: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let (topology, problems) = check()
            if json {
                try Output.json(
                    Report(valid: problems.isEmpty, nodes: topology?.nodes.count, problems: problems))
            } else if let topology {
                try Output.line("\(file): \(topology.nodes.count) nodes, version \(topology.version)")
            } else {
                Output.note(problems.map(\.description).joined(separator: "\n"))
            }
            if !problems.isEmpty { throw ExitCode(1) }
        }

        private func check() -> (Topology?, [FileProblem]) {
            do {
                return (try TopologyFile.read(path: file), [])
            } catch {
                return (nil, error.problems)
            }
        }

        private struct Report: Encodable {
            let valid: Bool
            let nodes: Int?
            let problems: [FileProblem]
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show this node's topology: codes, names, modes, endpoints.",
            discussion: "EXAMPLE\n  federation-node topology show --config /srv/370000/node.yaml")

        @OptionGroup var source: TopologySource

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let topology = try source.read()
            if json {
                try Output.json(Report(topology))
                return
            }
            var table = TextTable(header: ["编码", "名称", "上级", "方式", "对等节点", "地址"])
            for node in topology.nodes {
                let mode = node.parent == nil ? "–" : node.defaultMode.title
                table.append([
                    node.id.code, node.name, node.parent?.code ?? "–", mode,
                    node.peers.isEmpty ? "–" : node.peers.sorted().map(\.code).joined(separator: ","),
                    node.endpoint ?? "–",
                ])
            }
            try Output.line(table.text)
            for node in topology.detached { try Output.line("已封存 \(node.id) \(node.name)  原上级 \(node.parent)") }
            for node in topology.nodes where node.isDraining { try Output.line("撤出中 \(node.id) \(node.name)") }
            for node in topology.nodes {
                if let parent = node.parent { try Self.show(node.grant, from: node.id, to: parent) }
                for (peer, grant) in node.peerGrants.sorted(by: { $0.key < $1.key }) {
                    try Self.show(grant, from: node.id, to: peer)
                }
            }
        }

        private static func show(_ grant: LinkGrant, from sender: NodeID, to receiver: NodeID) throws {
            guard !grant.isWhole else { return }
            try Output.line("\n\(sender) → \(receiver)")
            for line in grant.lines { try Output.line("  \(line)") }
        }

        private struct Report: Encodable {
            struct Node: Encodable {
                let code: String
                let name: String
                let parent: String?
                let region: String
                let mode: String
                let modes: [String: String]
                let peers: [String]
                let endpoint: String?
                let draining: Bool
                let policy: [String]
                let peerPolicies: [String: [String]]
            }

            struct Detached: Encodable {
                let code: String
                let name: String
                let parent: String
            }

            let name: String
            let version: Int64
            let nodes: [Node]
            let detached: [Detached]

            init(_ topology: Topology) {
                detached = topology.detached.map {
                    Detached(code: $0.id.code, name: $0.name, parent: $0.parent.code)
                }
                name = topology.name
                version = topology.version
                nodes = topology.nodes.map { node in
                    Node(
                        code: node.id.code, name: node.name, parent: node.parent?.code, region: node.region,
                        mode: node.defaultMode.rawValue,
                        modes: Dictionary(uniqueKeysWithValues: node.modes.map { ($0.key.text, $0.value.rawValue) }),
                        peers: node.peers.sorted().map(\.code), endpoint: node.endpoint, draining: node.isDraining,
                        policy: node.grant.lines,
                        peerPolicies: Dictionary(
                            uniqueKeysWithValues: node.peerGrants.map { ($0.key.code, $0.value.lines) }))
                }
            }
        }
    }

    struct Graph: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Draw the topology as a tree, in Mermaid or in DOT.",
            discussion: "EXAMPLE\n  federation-node topology graph --file topology/examples/qilu.yaml --format mermaid")

        enum Format: String, ExpressibleByArgument, CaseIterable {
            case tree, mermaid, dot
        }

        @OptionGroup var source: TopologySource

        @Option(help: "tree, mermaid or dot.")
        var format = Format.tree

        @Flag(help: "Print JSON: the drawing as text.")
        var json = false

        func run() async throws {
            let topology = try source.read()
            let drawing =
                switch format {
                case .tree: TopologyTree.text(topology)
                case .mermaid: TopologyTree.mermaid(topology)
                case .dot: TopologyTree.dot(topology)
                }
            if json {
                try Output.json(["format": format.rawValue, "graph": drawing])
            } else {
                try Output.text(drawing)
            }
        }
    }
}

/// A topology file named as such, or what a node stands on.
struct TopologySource: ParsableArguments {
    @OptionGroup var node: NodeOptions

    @Argument(help: "A topology file, in place of what the node stands on.", completion: .file())
    var path: String?

    @Option(help: "The same as the argument.", completion: .file())
    var file: String?

    func read() throws -> Topology {
        if let path = path ?? file { return try readTopology(path: path) }
        return try node.desk().topology
    }
}
