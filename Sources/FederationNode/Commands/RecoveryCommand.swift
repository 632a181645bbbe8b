import ArgumentParser
import FederationModel
import NodeDesk

/// `node rebuild`: a node whose machine was lost with its database.
struct RecoveryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild", abstract: "Get back what neighbours hold of this node's records.",
        discussion: """
            For a node that has lost its database and has no backup: make a data directory with `init`, put its credentials (or new ones) there, \
            start `serve`, then run this. It waits until each neighbour that gets records from here has noticed what is \
            missing and has given it back, and until both ends are proved to be equal. It says what could not come back: fields \
            that the link masks or leaves out, resources of which nobody has copies, tickets that the policy does not send.

            It also takes back rows that were deleted in the database past the program, as long as a neighbour keeps them (对端已失).

            Exits with 3 when not everything is back.

            EXAMPLE
              federation-node node rebuild --from 370000 --config /srv/370100/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Option(help: "A neighbour; all that get records from here if it is left out.")
    var from: String?

    @Option(help: "Seconds to wait at most.")
    var wait: Int64 = 3_600

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        guard (1...604_800).contains(wait) else { throw ValidationError("--wait must be 1 to 604800 seconds") }
        var bar = ProgressBar("rebuild")
        let report = try await node.desk().recover(from: from, patience: wait * 1_000) { returned, outstanding in
            bar.show(
                Double(returned) / Double(max(1, returned + outstanding)), "\(returned) / \(returned + outstanding)")
        }
        bar.finish()
        let document = RecoveryDocument(report)
        if json { try Output.json(document) } else { try Output.line(document.text) }
        if !report.isComplete { throw ExitCode(3) }
    }
}

/// What `node rebuild` came to.
private struct RecoveryDocument: Encodable {
    struct Source: Encodable {
        let peer: String
        let name: String
        let state: LinkState
        let outstanding: Int
        let proved: Bool
        let filtered: Bool
        let error: Problem?
    }

    struct Resource: Encodable {
        let resource: String
        let peer: String
        let rows: Int
        let fields: [Field]
    }

    /// A column that came back as the neighbour has it.
    struct Field: Encodable {
        let column: String
        /// `mask`, `token` or `drop`.
        let treatment: String
        let rows: Int
    }

    let complete: Bool
    let rows: Int
    let sources: [Source]
    let resources: [Resource]
    /// Of which no neighbour holds copies.
    let notCopied: [String]

    init(_ report: RecoveryReport) {
        complete = report.isComplete
        rows = report.rows
        sources = report.sources.map {
            Source(
                peer: $0.peer.id.code, name: $0.peer.name, state: $0.state, outstanding: $0.outstanding,
                proved: $0.isProved, filtered: $0.isFiltered, error: $0.error.map(Problem.init))
        }
        resources = report.returned.map { returned in
            Resource(
                resource: returned.resource.text, peer: returned.receiver.code, rows: returned.rows,
                fields: returned.treated.sorted { $0.key < $1.key }.map { column, rows in
                    Field(
                        column: column,
                        treatment: (report.treatments[returned.resource]?[column] ?? .mask).rawValue, rows: rows)
                })
        }
        notCopied = report.notCopied.map(\.text)
    }

    var text: String {
        var lines = ["取回 \(rows) 行\(complete ? "，已全部恢复" : "")"]
        lines += resources.map { "  \($0.resource)  \($0.rows) 行  来自 \($0.peer)" }
        var missing: [String] = []
        for resource in resources {
            for field in resource.fields {
                let title = FieldTreatment(rawValue: field.treatment)?.title ?? field.treatment
                missing.append("  \(resource.resource).\(field.column)  \(field.rows) 行为对端所存的值（\(title)）")
            }
        }
        if !notCopied.isEmpty { missing.append("  没有邻居保存副本（逻辑接入）: \(notCopied.joined(separator: ", "))") }
        for source in sources {
            let name = "\(source.name)(\(source.peer))"
            if source.filtered { missing.append("  \(name) 只保存策略提供的工单") }
            if source.outstanding > 0 { missing.append("  \(name) 尚有 \(source.outstanding) 行未归还") }
            if !source.proved {
                missing.append("  \(name) 尚未核对一致\(source.error.map { "  \($0.code): \($0.message)" } ?? "")")
            }
        }
        if !missing.isEmpty { lines += ["未能恢复:"] + missing }
        return lines.joined(separator: "\n")
    }
}
