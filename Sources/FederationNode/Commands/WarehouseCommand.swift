import ArgumentParser
import FederationModel
import NodeDesk
import Synchronization

struct WarehouseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "warehouse",
        abstract: "The node's facts on ClickHouse, where analyses run that outgrow one machine.",
        discussion: """
            With `analysis-engine: clickhouse` the service exports what can be counted, without personal data, and questions are answered \
            there. Where it is away, or can't answer a question, SQLite does, and the answer says so.

            EXAMPLE
              federation-node warehouse status --config /srv/370000/node.yaml
            """,
        subcommands: [Status.self, Backfill.self, Verify.self])

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "How far the export is, and what each shard has.",
            discussion:
                "Exit code 3: questions are answered from SQLite now.\n\nEXAMPLE\n  federation-node warehouse status --json"
        )

        @OptionGroup var node: NodeOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let status = try await node.desk().warehouseStatus()
            try StatusDocument(status).show(json: json)
            if !status.isUsable { throw ExitCode(3) }
        }
    }

    struct Backfill: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the tables anew and export everything.",
            discussion: """
                The service does so by itself where it must. Until it is done, SQLite answers.

                EXAMPLE
                  federation-node warehouse backfill --config /srv/370000/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let bar = Mutex(ProgressBar("backfill"))
            let status = try await node.desk().backfillWarehouse { rows, total in
                bar.withLock { $0.show(Double(rows) / Double(max(1, total)), "\(rows) / \(total) rows") }
            }
            bar.withLock { $0.finish() }
            try StatusDocument(status).show(json: json)
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compare what is there with the database: each fact, each node.",
            discussion: """
                Exit code 1: something differs. `warehouse backfill` mends it.

                EXAMPLE
                  federation-node warehouse verify --json
                """)

        @OptionGroup var node: NodeOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let comparisons = try await node.desk().verifyWarehouse()
            let isEqual = comparisons.allSatisfy(\.isEqual)
            if json {
                try Output.json(VerifyDocument(equal: isEqual, facts: comparisons.map(VerifyDocument.Line.init)))
            } else {
                var table = TextTable(header: ["事实", "节点", "SQLite 行数", "ClickHouse 行数", "结果"])
                for one in comparisons {
                    table.append([
                        one.fact, one.holder, "\(one.rows)", "\(one.exportedRows)", one.isEqual ? "一致" : "不一致",
                    ])
                }
                try Output.line(table.text)
            }
            if !isEqual { throw ExitCode(1) }
        }
    }

    private struct StatusDocument: Encodable {
        struct Shard: Encodable {
            let address: String
            let rows: [String: Int64]?
            let error: Problem?
        }

        let usable: Bool
        let cursor: Int64?
        let lagRows: Int64
        let schema: String?
        let shards: [Shard]
        /// What the service's export met last, and when; absent when it gets on.
        let lastError: Problem?
        let lastErrorAt: String?

        init(_ status: WarehouseStatus) {
            usable = status.isUsable
            cursor = status.cursor
            lagRows = status.lagRows
            schema = status.schema
            shards = status.shards.map { shard in
                Shard(
                    address: shard.address,
                    rows: shard.rows.map { Dictionary($0.map { ($0.fact, $0.rows) }, uniquingKeysWith: { $1 }) },
                    error: shard.failure.map { Problem($0) })
            }
            lastError = status.failure.map { Problem($0.error) }
            lastErrorAt = status.failure.map { ShanghaiTime.rfc3339($0.at) }
        }

        func show(json: Bool) throws {
            if json { return try Output.json(self) }
            let position = cursor.map { "已导出至序号 \($0)，落后 \(lagRows) 条变更" } ?? "尚无可用数据，问题由 SQLite 回答"
            try Output.line("\(position)  结构 \(schema ?? "–")")
            for shard in shards {
                let rows = shard.rows?.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
                try Output.line("分片 \(shard.address)  \(rows?.joined(separator: "、") ?? "无应答")")
            }
            if let lastError, let lastErrorAt {
                try Output.line("服务导出受阻(\(lastErrorAt.prefix(19))) \(lastError.code): \(lastError.message)")
                if let hint = lastError.hint { try Output.line("  → \(hint)") }
            }
        }
    }

    private struct VerifyDocument: Encodable {
        struct Line: Encodable {
            let fact: String
            let node: String
            let rows: Int64
            let exported: Int64
            let equal: Bool

            init(_ one: WarehouseComparison) {
                fact = one.fact
                node = one.holder
                rows = one.rows
                exported = one.exportedRows
                equal = one.isEqual
            }
        }

        let equal: Bool
        let facts: [Line]
    }
}
