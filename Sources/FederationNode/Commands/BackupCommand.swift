import ArgumentParser
import FederationModel
import NodeDesk

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the database of this node, and put a copy back.",
        discussion: """
            The database alone is in it; keep node.yaml, the topology and credentials/ as well.

            EXAMPLE
              federation-node backup create --out /backup/370100.db --config /srv/370100/node.yaml
            """,
        subcommands: [Create.self, Restore.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy the database into one file, while the node runs on.",
            discussion:
                "EXAMPLE\n  federation-node backup create --out /backup/370100.db --config /srv/370100/node.yaml")

        @OptionGroup var node: NodeOptions

        @Option(help: "The file to make; one that is there is never replaced.")
        var out: String

        @Flag(help: "Print JSON.")
        var json = false

        private struct Document: Encodable {
            let file: String
            let epoch: String
            let head: Int64
        }

        func run() async throws {
            let (epoch, head) = try await node.desk().backUp(to: out)
            if json {
                try Output.json(Document(file: out, epoch: epoch.description, head: head))
            } else {
                try Output.line("已备份到 \(out.printable)")
            }
        }
    }

    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a backup in the place of the database of a stopped node.",
            discussion: """
                The database from before is kept beside it. The node goes on under a new epoch: its links sweep, and its neighbours give \
                back what it had sent them since the backup was made.

                EXAMPLE
                  federation-node backup restore /backup/370100.db --config /srv/370100/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "The backup.")
        var file: String

        @Flag(help: "Print JSON.")
        var json = false

        private struct Document: Encodable {
            let epoch: String
            let kept: String?
        }

        func run() async throws {
            let restored = try await NodeDesk.restore(
                file, settings: try node.load(), as: .system, now: wallClock())
            if json {
                try Output.json(Document(epoch: restored.epoch.description, kept: restored.kept))
            } else {
                let kept = restored.kept.map { "；原数据库保留为 \($0.printable)" } ?? ""
                try Output.line("已恢复，新纪元 \(restored.epoch)\(kept)")
            }
        }
    }
}
