import ArgumentParser
import FederationModel
import Foundation
import LocalStore
import NodeRuntime
import RecordIntake

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import records from CSV or JSON Lines: UTF-8 or GB18030, plain, gzip or zstd.",
        discussion: """
            A bad row never stops an import: it goes to the rejects file with its number, field and reason. Importing the \
            same file twice changes nothing.

            EXAMPLE
              federation-node import --resource service_request --mapping mappings/us311-boston.yaml boston.csv.gz
            """)

    @OptionGroup var node: NodeOptions

    @Option(help: "The resource that a row of the file is, above all; the mapping may make others of it too.")
    var resource: String

    @Option(help: "The mapping file (docs/importing.md).", completion: .file())
    var mapping: String

    @Option(help: "Where rejected rows go; else FILE.rejects.csv beside the database.", completion: .file())
    var rejects: String?

    @Flag(help: "Read and check, store nothing.")
    var dryRun = false

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(help: "The file.", completion: .file())
    var file: String

    func run() async throws {
        let local = try node.open()
        let mapping = try Mapping.read(path: mapping, lists: local.reference.lists)
        guard mapping.resources.contains(ResourceName(resource)) else {
            throw FederationError(
                "E_MAPPING", "\(mapping.path) makes no records of \(resource)",
                hint: "it makes \(mapping.resources.map(\.text).joined(separator: ", "))")
        }
        var run = ImportRun(
            local: local, importer: try Importer(mapping: mapping, origin: local.id, path: file),
            rejectsPath: rejects ?? defaultRejects(local), dryRun: dryRun, report: ImportReport(resource: resource))
        let report = try await run.run()
        if json {
            try Output.json(report)
        } else {
            print(report.text)
        }
    }

    private func defaultRejects(_ local: LocalNode) -> String {
        let name = URL(filePath: file).lastPathComponent
        return URL(filePath: local.settings.directory).appending(path: "\(name).rejects.csv").path
    }
}

struct ImportReport: Encodable {
    let resource: String
    var read = 0
    var accepted = 0
    var unchanged = 0
    var rejected = 0
    var rejectsFile: String?
    var rejectedByCode: [String: Int] = [:]
    var seconds = 0.0

    var text: String {
        var text = "\(resource): read \(read), accepted \(accepted), unchanged \(unchanged), rejected \(rejected)"
        for (code, count) in rejectedByCode.sorted(by: { $0.key < $1.key }) { text += "\n  \(code)  \(count)" }
        if let rejectsFile { text += "\n  see \(rejectsFile)" }
        return text
    }
}

/// Reads a file, stores its records batch by batch, and rings the service after each.
private struct ImportRun {
    let local: LocalNode
    let importer: Importer
    let rejectsPath: String
    let dryRun: Bool
    var report: ImportReport
    private var rejects: RejectsWriter?

    init(local: LocalNode, importer: Importer, rejectsPath: String, dryRun: Bool, report: ImportReport) {
        self.local = local
        self.importer = importer
        self.rejectsPath = rejectsPath
        self.dryRun = dryRun
        self.report = report
    }

    /// Source rows in one durable transaction.
    private static let batchRows = 5_000

    mutating func run() async throws -> ImportReport {
        let started = ContinuousClock.now
        var progress = ProgressBar("import")
        var batch: [(row: IntakeRow, records: [IntakeRecord])] = []
        while let row = try importer.next() {
            report.read += 1
            switch row.result {
            case .success(let records):
                batch.append((row, records))
                if batch.count == Self.batchRows { try await store(&batch) }
            case .failure(let rejection): try reject(row, code: rejection.code)
            }
            if report.read % 1_000 == 0 {
                progress.show(
                    Double(importer.bytesRead) / Double(max(1, importer.bytesTotal)), "\(report.read) rows")
            }
        }
        try await store(&batch)
        try rejects?.close()
        progress.finish()
        let elapsed = ContinuousClock.now - started
        report.seconds =
            (Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18).rounded(toPlaces: 3)
        return report
    }

    private mutating func store(_ batch: inout [(row: IntakeRow, records: [IntakeRecord])]) async throws {
        defer { batch = [] }
        guard !batch.isEmpty else { return }
        guard !dryRun else {
            report.accepted += batch.count
            return
        }
        let result = try await local.store.intake(
            rows: batch.map(\.records), isGuarded: importer.mapping.isGuarded, now: wallClock())
        Doorbell.ring(databasePath: local.settings.databasePath)
        for (source, outcome) in zip(batch, result.outcomes) {
            switch outcome {
            case .accepted: report.accepted += 1
            case .unchanged: report.unchanged += 1
            case .refused(let refusal): try reject(source.row.refused(refusal), code: refusal.code)
            }
        }
    }

    private mutating func reject(_ row: IntakeRow, code: String) throws {
        report.rejected += 1
        report.rejectedByCode[code, default: 0] += 1
        let file = try rejects ?? RejectsWriter(path: rejectsPath)
        rejects = file
        report.rejectsFile = rejectsPath
        try file.write(row)
    }
}

extension Double {
    func rounded(toPlaces places: Int) -> Double {
        let factor = (0..<places).reduce(1.0) { factor, _ in factor * 10 }
        return (self * factor).rounded() / factor
    }
}
