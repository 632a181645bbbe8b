import ArgumentParser
import FederationModel
import LogicalQuery
import NodeDesk

struct RollupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollup",
        abstract: "What is kept of questions, so that they are answered at once when they are asked again.",
        discussion: """
            Of a question with --from and --to the node keeps what it found for each whole month and day. What has changed since is found \
            anew from the rows, so an answer is never old.

            EXAMPLE
              federation-node rollup status --config /srv/370000/node.yaml
            """,
        subcommands: [Status.self, Rebuild.self])

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "How much is kept, and how much of it is good.",
            discussion: "EXAMPLE\n  federation-node rollup status --json")

        @OptionGroup var node: NodeOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let status = try await node.desk().rollupStatus()
            if json {
                return try Output.json([
                    "questions": Int64(status.questions), "blocks": Int64(status.blocks), "good": Int64(status.good),
                    "bytes": status.bytes,
                ])
            }
            try Output.line(
                "问题 \(status.questions) 个，汇总块 \(status.blocks) 个（有效 \(status.good) 个），共 \(status.bytes / 1_024) KiB")
        }
    }

    struct Rebuild: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget what is kept; each question finds it anew from the rows.",
            discussion: "EXAMPLE\n  federation-node rollup rebuild --config /srv/370000/node.yaml")

        @OptionGroup var node: NodeOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let forgotten = try await node.desk().forgetRollups()
            if json { try Output.json(["forgotten": forgotten]) } else { try Output.line("已清除汇总块 \(forgotten) 个") }
        }
    }
}
