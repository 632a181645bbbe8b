import ArgumentParser
import FederationModel
import NodeDesk

struct LinkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "link", abstract: "The links with the neighbours, and what only a person can decide about them.",
        discussion: """
            EXAMPLE
              federation-node link list --config /srv/370000/node.yaml
            """,
        subcommands: [List.self, AcceptLoss.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the links with their state, and what is wrong with them.",
            discussion: """
                EXAMPLE
                  federation-node link list --json --config /srv/370000/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try node.desk()
            let links = try await desk.links().map(LinkDocument.init)
            if json { return try Output.json(links) }
            try Output.line(LinkDocument.table(links, areLastKnown: !desk.isServing) + links.map(\.troubles).joined())
        }
    }

    struct AcceptLoss: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let go of rows that a neighbour once sent and no longer has.",
            discussion: """
                A neighbour whose database was set up afresh, whose older one was put back, or whose rows were deleted past the \
                program, may lack rows that this node got from it. They are kept here, and the link is not level, until it has them \
                again or somebody decides that they are to go. This can't be undone: this node may have the only copy.

                EXAMPLE
                  federation-node link accept-loss --peer 370100 --rows 50 --config /srv/370000/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "The neighbour that has lost them.")
        var peer: String

        @Option(help: "How many rows, as `link list` says.")
        var rows: Int

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            guard rows > 0 else { throw ValidationError("--rows must be above 0") }
            let neighbour = try await node.desk().acceptLoss(of: peer, rows: rows)
            if json { return try Output.json(Document(peer: neighbour.id.code, rows: rows)) }
            try Output.line("已确认 \(neighbour.name)(\(neighbour.id)) 失去 \(rows) 行，本节点不再保留")
        }

        private struct Document: Encodable {
            let peer: String
            let rows: Int
        }
    }
}
