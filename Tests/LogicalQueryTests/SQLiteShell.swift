import FederationModel
import Foundation
import LogicalQuery
import TestSupport
import Testing

/// SQLite's command-line shell as an engine: the statements as compiled, their values bound by the shell.
enum SQLiteShell {
    static let path = ["/usr/bin/sqlite3", "/usr/local/bin/sqlite3"].first(where: FileManager.default.isExecutableFile)

    static func run(_ analyses: [Analysis], on tables: Tables, origins: [String] = ["370100"]) throws -> [PartialResult]
    {
        let queries = analyses.map { SQLiteDialect.compile($0, origins: origins.map(node)) }
        let output = try execute(script(queries.flatMap(\.self), tables))
        var blocks = output.components(separatedBy: "#END\n").dropLast()[...]
        #expect(blocks.count == queries.reduce(0) { $0 + $1.count })
        return try zip(queries, analyses).map { queries, analysis in
            var partial = PartialResult(for: analysis)
            for query in queries {
                for line in (blocks.popFirst() ?? "").split(separator: "\n") {
                    let cells = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
                    let key = cells.prefix(query.keyCount).map { $0 == "NULL" ? FieldValue.null : .text($0) }
                    let sums = try cells.dropFirst(query.keyCount).map { FieldValue.integer(try #require(Int64($0))) }
                    try partial.add(key + sums, of: query)
                }
            }
            return partial
        }
    }

    private static func literal(_ value: FieldValue?) -> String {
        switch value {
        case nil, .null?: "NULL"
        case .text(let text)?: "'\(text)'"
        case .integer(let number)?: "\(number)"
        case .real(let number)?: "\(number)"
        }
    }

    private static let states = [
        "status", "round", "unit", "owner", "resolved", "supervision", "category", "score", "returns", "extensions",
        "held",
        "suspended", "dispatched_at", "due_at", "acknowledged_at", "replied_at", "closed_at", "called_back_at",
        "evaluated_at", "merge_target", "merged_into",
    ]

    private static func script(_ queries: [CompiledQuery], _ tables: Tables) -> String {
        var lines = [".bail on", ".nullvalue NULL", ".parameter init", "BEGIN;"]
        func insert(_ columns: [String], _ row: Tables.Row, into table: String) {
            lines.append("INSERT INTO \(table) VALUES (\(columns.map { literal(row[$0]) }.joined(separator: ", ")));")
        }
        let texts: Set = [
            "status", "unit", "owner", "resolved", "supervision", "category", "merge_target", "merged_into",
        ]
        lines.append(
            """
            CREATE TABLE ticket_state(global_id TEXT PRIMARY KEY, \
            \(states.map { "\($0) \(texts.contains($0) ? "TEXT" : "INTEGER")" }.joined(separator: ", ")));
            """)
        for (ticket, state) in tables.states {
            insert(["global_id"] + states, state.merging(["global_id": .text(ticket)]) { $1 }, into: "ticket_state")
        }
        let resources = BuiltInResources.ticketResources + [BuiltInResources.callRecord]
        for resource in resources {
            let columns = ["origin", "key", "deleted"] + resource.columns.map(\.name)
            let declared = resource.columns.map { column -> String in
                let type =
                    switch column.type.storage {
                    case .text: "TEXT"
                    case .integer: "INTEGER"
                    case .real: "REAL"
                    }
                return "\"\(column.name)\" \(type)"
            }
            lines.append(
                "CREATE TABLE \(resource.name)(origin TEXT, key TEXT, deleted INTEGER, \(declared.joined(separator: ", ")));"
            )
            if resource.isTicketRecord {
                lines.append("CREATE INDEX \(resource.name)_id ON \(resource.name)(global_id);")
            }
            for row in tables.rows[resource.name] ?? [] { insert(columns, row, into: resource.name.text) }
        }
        lines.append("COMMIT;")
        for query in queries {
            lines.append("DELETE FROM temp.sqlite_parameters;")
            for (index, value) in query.arguments.enumerated() {
                lines.append("INSERT INTO temp.sqlite_parameters VALUES ('?\(index + 1)', \(literal(value)));")
            }
            lines += [query.sql + ";", ".print #END"]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func execute(_ script: String) throws -> String {
        let folder = try TemporaryFolder("query")
        let file = folder.url.appending(path: "query.sql")
        try Data(script.utf8).write(to: file)
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: try #require(path))
        shell.arguments = ["-batch", "-init", "/dev/null", ":memory:"]
        shell.standardInput = try FileHandle(forReadingFrom: file)
        let output = Pipe()
        shell.standardOutput = output
        try shell.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }
}
