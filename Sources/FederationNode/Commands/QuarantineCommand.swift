import ArgumentParser
import FederationModel
import NodeDesk

struct QuarantineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "Rows of neighbours that were put aside because they break a rule.",
        discussion: """
            They hold nothing up. A later good version of the same row takes its place by itself, and each start of the service tries all of \
            them again.

            EXAMPLE
              federation-node quarantine list
            """,
        subcommands: [List.self, Show.self, Retry.self, Drop.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List them, oldest first; or what receivers have put aside of the rows that went from here.",
            discussion: """
                EXAMPLE
                  federation-node quarantine list --config /srv/370000/node.yaml
                  federation-node quarantine list --elsewhere
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "At most so many.")
        var limit = 100

        @Flag(
            help:
                "Rows of this node, or that came through it, which other nodes have put aside: the newest 100 of each link."
        )
        var elsewhere = false

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            if elsewhere { return try await listElsewhere() }
            let rows = try await node.desk().quarantine(limit: limit)
            if json { return try Output.json(rows.map { QuarantineDocument($0) }) }
            var table = TextTable(header: ["编号", "链路", "资源", "来源", "主键", "信息项", "规则", "说明"])
            for row in rows {
                table.append([
                    "\(row.id)", row.sender, row.resource, row.origin, row.key, row.field, row.rule, row.detail,
                ])
            }
            try Output.line(table.text)
        }

        private func listElsewhere() async throws {
            let rows = try await node.desk().quarantineElsewhere().prefix(limit)
            if json { return try Output.json(Array(rows)) }
            var table = TextTable(header: ["节点", "资源", "来源", "主键", "信息项", "规则"])
            for row in rows {
                table.append([
                    row.node.code, row.resource.text, row.origin.code, row.key.printable, row.field, row.rule,
                ])
            }
            try Output.line(table.text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one of them: which fields it has and what is wrong, never a value.",
            discussion: "EXAMPLE\n  federation-node quarantine show 17 --config /srv/370000/node.yaml")

        @OptionGroup var node: NodeOptions

        @Argument(help: "Its number, as `list` shows it.")
        var id: Int64

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let (row, fields) = try await node.desk().quarantined(id)
            let shapes = fields.mapValues(\.shape)
            if json { return try Output.json(QuarantineDocument(row, fields: shapes)) }
            var lines = [
                "隔离记录 \(row.id)  链路 \(row.sender)  资源 \(row.resource)  来源 \(row.origin)  主键 \(row.key.printable)",
                "接收时间 \(ShanghaiTime.second(row.receivedAt))", "原因 \(row.rule)  \(row.field)  \(row.detail)",
            ]
            lines += shapes.sorted { $0.key < $1.key }.map { "  \($0.key)  \($0.value)" }
            try Output.line(lines.joined(separator: "\n"))
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Try them again; those that break a rule still stay.",
            discussion: "EXAMPLE\n  federation-node quarantine retry 17 18\n  federation-node quarantine retry --all")

        @OptionGroup var node: NodeOptions

        @Argument(help: "Their numbers.")
        var ids: [Int64] = []

        @Flag(help: "All that are put aside.")
        var all = false

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard all != !ids.isEmpty else { throw ValidationError("name rows by their numbers, or say --all") }
        }

        func run() async throws {
            let retry = try await node.desk().retryQuarantined(all ? nil : ids)
            if json {
                try Output.json(["taken": retry.taken, "kept": retry.kept])
            } else {
                try Output.line("已入库 \(retry.taken) 条，仍隔离 \(retry.kept) 条")
            }
            if retry.kept > 0 { throw ExitStatus.different }
        }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give them up. The sender sends a row again only when it changes it.",
            discussion: "EXAMPLE\n  federation-node quarantine drop 17 --config /srv/370000/node.yaml")

        @OptionGroup var node: NodeOptions

        @Argument(help: "Their numbers.")
        var ids: [Int64]

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let dropped = try await node.desk().dropQuarantined(ids)
            if json { try Output.json(["dropped": dropped]) } else { try Output.line("已放弃 \(dropped) 条") }
        }
    }
}

/// A row that was put aside, in JSON.
private struct QuarantineDocument: Encodable {
    let id: String
    let link: String
    let resource: String
    let origin: String
    let key: String
    let field: String
    let rule: String
    let detail: String
    let receivedAt: String
    /// What kind of value each field has; only where one row is shown.
    let fields: [String: String]?

    init(_ row: QuarantinedRow, fields: [String: String]? = nil) {
        id = "\(row.id)"
        link = row.sender
        resource = row.resource
        origin = row.origin
        key = row.key
        field = row.field
        rule = row.rule
        detail = row.detail
        receivedAt = ShanghaiTime.rfc3339(row.receivedAt)
        self.fields = fields
    }
}

extension FieldValue {
    /// What it is like, without saying it.
    fileprivate var shape: String {
        switch self {
        case .null: "null"
        case .integer: "integer"
        case .real: "real"
        case .text(let text): "text, \(text.count) characters"
        }
    }
}
