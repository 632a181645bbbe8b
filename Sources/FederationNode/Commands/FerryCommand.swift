import ArgumentParser
import FederationModel
import NodeDesk

extension FerryExport.Start: ExpressibleByArgument {}

/// A file in place of a connection.
struct SyncExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write what a link would carry into a file, sealed for the neighbour, to be carried there by hand.",
        discussion: """
            The file holds the changes that the neighbour has not confirmed, and how far this node has come with its changes. Only the \
            neighbour can read it, and it can tell that this node wrote it. It may get lost, come twice or come late: what counts is where \
            the receiver stands.

            The first file needs the neighbour's certificate (node.pem, which is no secret); later it is known from the neighbour's own \
            files.

            EXAMPLE
              federation-node sync export --peer 370000 --out up.ferry --certificate 370000.pem --config /srv/370100/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Option(help: "The neighbour: a code or the beginning of a name.")
    var peer: String

    @Option(help: "The file to write.", completion: .file())
    var out: String

    @Option(
        help: ArgumentHelp(
            "Where it goes on: behind what the neighbour has confirmed; behind the last file, for lines over which nothing comes back; or at the beginning."
        ))
    var from = FerryExport.Start.confirmed

    @Option(help: "A file with the neighbour's certificate; else the one that it has shown last.", completion: .file())
    var certificate: String?

    @OptionGroup var replacing: ReplaceOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        var progress = ProgressBar("export")
        let report = try await node.desk().exportFerry(
            FerryExport(
                peer: peer, path: out, existing: replacing.existing, start: from, certificatePath: certificate)
        ) { fraction, rows in progress.show(fraction, "\(rows) rows") }
        progress.finish()
        let document = Document(report, file: out)
        if json { try Output.json(document) } else { try Output.line(document.text(name: report.peer.name)) }
    }

    private struct Document: Encodable {
        let peer: String
        let file: String
        let bytes: Int
        let rows: Int
        let changeSets: Int
        let returned: Int
        let from: FerryCursor?
        let upto: FerryCursor
        let acknowledged: FerryCursor?

        init(_ report: FerryExportReport, file: String) {
            peer = report.peer.id.code
            self.file = file
            bytes = report.bytes
            rows = report.rows
            changeSets = report.changeSets
            returned = report.returned
            from = report.from.sweep == .complete ? FerryCursor(report.from) : nil
            upto = FerryCursor(report.upto)
            acknowledged = report.acknowledged.map { FerryCursor($0) }
        }

        func text(name: String) -> String {
            var lines = ["\(file.printable)  发往 \(name)(\(peer))  \(bytes) 字节"]
            lines.append("\(rows) 行，\(changeSets) 个变更集，\(from.map { "自游标 \($0.seq)" } ?? "全量") 至 \(upto.seq)")
            if returned > 0 { lines.append("交还对方已失 \(returned) 行") }
            lines.append(acknowledged.map { "回执：已收至对方游标 \($0.seq)" } ?? "回执：尚未收到对方数据")
            return lines.joined(separator: "\n")
        }
    }
}

struct SyncImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take in a file that a neighbour has written with `sync export`.",
        discussion: """
            Rows go in by the same rules as over a connection, each change-set with the cursor in one transaction; also while the service \
            runs. What is here already is passed over. A file of anybody else, for anybody else, or altered in any byte is refused \
            before anything of it is used.

            EXAMPLE
              federation-node sync import up.ferry --config /srv/370000/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Argument(help: "The file.", completion: .file())
    var file: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        var progress = ProgressBar("import")
        let report = try await node.desk().importFerry(path: file) { fraction, rows in
            progress.show(fraction, "\(rows) rows")
        }
        progress.finish()
        let document = Document(report)
        if json { try Output.json(document) } else { try Output.line(document.text(name: report.peer.name)) }
    }

    private struct Document: Encodable {
        let peer: String
        let createdAt: String
        let bytes: Int64
        let applied: Int
        let skipped: Int
        let quarantined: Int
        let changeSets: Int
        let changeSetsSkipped: Int
        let replayed: Bool
        let cursor: FerryCursor?
        let confirmed: FerryCursor?
        let lost: Int
        let adopted: Int
        let passedOn: Int
        let newEpoch: String?

        init(_ report: FerryImportReport) {
            peer = report.peer.id.code
            createdAt = ShanghaiTime.rfc3339(report.createdAt)
            bytes = report.bytes
            applied = report.applied
            skipped = report.skipped
            quarantined = report.quarantined
            changeSets = report.changeSets
            changeSetsSkipped = report.changeSetsSkipped
            replayed = report.isReplay
            cursor = report.cursor.map { FerryCursor($0) }
            confirmed = report.confirmed.map { FerryCursor($0) }
            lost = report.lost
            adopted = report.adopted
            passedOn = report.passedOn
            newEpoch = report.newEpoch?.description
        }

        func text(name: String) -> String {
            var lines = ["来自 \(name)(\(peer))  \(createdAt.prefix(19))  \(bytes) 字节"]
            if replayed {
                lines.append("其中 \(changeSetsSkipped) 个变更集此前均已收到，未作更改")
            } else {
                lines.append("写入 \(applied) 行，\(changeSets) 个变更集；已有 \(skipped) 行，\(changeSetsSkipped) 个变更集")
            }
            if quarantined > 0 { lines.append("隔离 \(quarantined) 行，见 quarantine list") }
            lines.append(cursor.map { "游标 \($0.seq)" } ?? "尚未收到对方数据")
            lines.append(confirmed.map { "对方已确认至本节点 \($0.seq)" } ?? "对方尚未确认本节点数据")
            if lost > 0 { lines.append("发送方已失 \(lost) 行，由本节点保留；下次 sync export 交还") }
            if adopted + passedOn > 0 { lines.append("收回本节点所失 \(adopted) 行，转交 \(passedOn) 行") }
            if let newEpoch { lines.append("本节点数据库早于对方所收，已启用新纪元 \(newEpoch)") }
            return lines.joined(separator: "\n")
        }
    }
}

/// A cursor as the two commands print it.
private struct FerryCursor: Encodable {
    let epoch: String
    let seq: Seq
    /// Where a sweep stands; null when it is complete.
    let sweep: String?

    init(_ cursor: Cursor) {
        epoch = cursor.epoch.description
        seq = cursor.seq
        sweep = cursor.sweep == .complete ? nil : "\(cursor.sweep)"
    }
}
