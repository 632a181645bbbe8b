import ArgumentParser
import ChangeSetFormat
import FederationModel
import Foundation
import NodeDesk
import NodeFiles
import NodeIdentity

struct ChangeSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "change-set", abstract: "Look into what travels over a link.",
        discussion: "EXAMPLE\n  federation-node change-set export --peer 370000 --out first.fcs",
        subcommands: [Inspect.self, Export.self])

    struct Inspect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print header, resources, row counts and columns of a change-set.",
            discussion: """
                Of a ferry file (`sync export`) it prints from whom to whom it goes and when it was written: nothing else is in clear.

                EXAMPLE
                  federation-node change-set inspect first.fcs --sqlite first.db
                """)

        @Argument(help: "The file.", completion: .file())
        var file: String

        @Option(help: "Write its rows into a new SQLite database.", completion: .file())
        var sqlite: String?

        @OptionGroup var replacing: ReplaceOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            if let (header, bytes) = try NodeDesk.inspectFerry(path: file) {
                let ferry = Ferry(
                    sender: header.sender.code, receiver: header.receiver.code, bytes: bytes,
                    createdAt: ShanghaiTime.rfc3339(header.createdAt))
                return json ? try Output.json(ferry) : try Output.line(ferry.text)
            }
            let report = Report(
                try NodeDesk.inspectChangeSet(
                    path: file, database: sqlite, existing: replacing.existing))
            if json { try Output.json(report) } else { try Output.line(report.text) }
        }

        private struct Ferry: Encodable {
            let sender: String
            let receiver: String
            let bytes: Int64
            let createdAt: String

            var text: String { "ferry file \(sender) -> \(receiver), made \(createdAt)\n\(bytes) bytes, sealed" }
        }

        private struct Report: Encodable {
            struct Block: Encodable {
                let resource: String
                let kind: String
                let rows: Int
                let columns: [String]
            }

            let sender: String
            let receiver: String
            let epoch: String
            let start: Seq
            let upto: Seq
            let head: Seq
            let revision: String
            let sweep: String?
            let schemaRevision: Int
            let rows: Int
            let bytes: Int
            let payloadBytes: Int
            let createdAt: String
            let resources: [Block]

            init(_ changeSet: (header: ChangeSetHeader, blocks: [DecodedBlock], bytes: Int)) {
                let header = changeSet.header
                sender = header.sender.code
                receiver = header.receiver.code
                epoch = header.start.epoch.description
                start = header.start.seq
                upto = header.end.seq
                head = header.head
                revision = header.start.revision.description
                sweep =
                    header.start.sweep == header.end.sweep ? nil : "from \(header.start.sweep) to \(header.end.sweep)"
                schemaRevision = header.schemaRevision
                rows = header.rowCount
                bytes = changeSet.bytes
                payloadBytes = header.payloadBytes
                createdAt = ShanghaiTime.rfc3339(header.createdAt)
                resources = changeSet.blocks.map {
                    Block(
                        resource: $0.resource.name.text, kind: "\($0.kind)", rows: $0.rowCount,
                        columns: $0.columns.map(\.name))
                }
            }

            var text: String {
                var lines = [
                    "\(sender) -> \(receiver), epoch \(epoch), revision \(revision), schema \(schemaRevision)",
                    "seq \(start) to \(upto) of \(head), made \(createdAt)",
                    "\(rows) rows, \(bytes) bytes, \(payloadBytes) before compression",
                ]
                if let sweep { lines.append("sweep \(sweep)") }
                for block in resources {
                    lines.append(
                        "\(block.resource) (\(block.kind)): \(block.rows) rows: \(block.columns.joined(separator: ", "))"
                    )
                }
                return lines.joined(separator: "\n")
            }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the change-set that a first contact with a neighbour would begin with.",
            discussion: """
                It shows what the link grants; nothing is sent, and no cursor moves.

                EXAMPLE
                  federation-node change-set export --peer 370000 --out first.fcs --config /srv/370100/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "The neighbour: a code or the beginning of a name.")
        var peer: String

        @Option(help: "The file to write.", completion: .file())
        var out: String

        @OptionGroup var replacing: ReplaceOptions

        @Option(help: "At most so many rows.")
        var rows = 1_000

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let (header, bytes) = try await node.desk().firstChangeSet(to: peer, rowsMax: rows)
            try OutputFile.write(bytes, to: out, existing: replacing.existing)
            let report = Report(file: out, rows: header.rowCount, bytes: bytes.count)
            if json {
                try Output.json(report)
            } else {
                try Output.line("\(out): \(report.rows) rows, \(report.bytes) bytes")
            }
        }

        private struct Report: Encodable {
            let file: String
            let rows: Int
            let bytes: Int
        }
    }
}
