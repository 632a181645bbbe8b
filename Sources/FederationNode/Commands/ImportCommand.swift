import ArgumentParser
import FederationModel
import Foundation
import LocalStore
import NodeRuntime
import RecordIntake

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import records from CSV or JSON Lines: UTF-8 or GB18030, plain, gzip or zstd.",
        discussion: """
            EXAMPLE
              federation-node import suggest boston.csv.gz --out boston.yaml
              federation-node import --resource service_request --mapping boston.yaml boston.csv.gz --dry-run
              federation-node import --resource service_request --mapping boston.yaml boston.csv.gz

            `federation-node import file --help` tells the options of an import.
            """,
        subcommands: [ImportFileCommand.self, ImportSuggestCommand.self], defaultSubcommand: ImportFileCommand.self)
}

struct ImportFileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "file",
        abstract: "Import a file by a mapping; the word `file` may be left out.",
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
        let mapping = try Mapping.read(path: mapping)
        guard mapping.resources.contains(ResourceName(resource)) else {
            throw FederationError(
                "E_MAPPING", "\(mapping.path) makes no records of \(resource)",
                hint: "it makes \(mapping.resources.map(\.text).joined(separator: ", "))")
        }
        let report = try await ImportRun(
            local: local, importer: try Importer(mapping: mapping, origin: local.id, path: file),
            rejectsPath: rejects ?? defaultRejects(local), dryRun: dryRun
        ).run(resource: resource)
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

/// Reads a file, stores its records batch by batch, and rings the service after each. One batch is stored while the next
/// is read.
private struct ImportRun {
    let local: LocalNode
    let importer: Importer
    let rejectsPath: String
    let dryRun: Bool

    /// Records in one durable transaction: enough that waiting for the disk does not count, few enough to hold two of them.
    private static let batchRecords = 8_000

    func run(resource: String) async throws -> ImportReport {
        let started = ContinuousClock.now
        var report = ImportReport(resource: resource)
        var progress = ProgressBar("import")
        var rejects: RejectsWriter?
        var writer = BatchWriter(node: dryRun ? nil : local)
        var batch: [[IntakeRecord]] = []
        var recordsInBatch = 0
        do {
            while let row = try importer.next() {
                report.read += 1
                switch row.result {
                case .success(let records):
                    batch.append(records)
                    recordsInBatch += records.count
                    if recordsInBatch >= Self.batchRecords {
                        try await writer.store(batch)
                        (batch, recordsInBatch) = ([], 0)
                    }
                case .failure(let rejection):
                    report.rejected += 1
                    report.rejectedByCode[rejection.code, default: 0] += 1
                    if rejects == nil {
                        rejects = try RejectsWriter(path: rejectsPath)
                        report.rejectsFile = rejectsPath
                    }
                    try rejects?.write(row)
                }
                if report.read % 1_000 == 0 {
                    progress.show(
                        Double(importer.bytesRead) / Double(max(1, importer.bytesTotal)), "\(report.read) rows")
                }
            }
        } catch let error as FederationError where error.code == "E_IMPORT_READ" {
            // What was read before the damage is taken.
            try await writer.store(batch)
            try await writer.finish()
            throw error
        }
        try await writer.store(batch)
        try await writer.finish()
        report.accepted = writer.changed
        report.unchanged = report.read - report.rejected - report.accepted
        try rejects?.close()
        progress.finish()
        let elapsed = ContinuousClock.now - started
        report.seconds =
            (Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18).rounded(toPlaces: 3)
        return report
    }
}

/// Stores batches of rows, one beside the reading of the next.
private struct BatchWriter {
    /// Where they go; nil for a dry run, which counts every row as changed.
    let node: LocalNode?
    /// Rows that changed anything. A row is unchanged when all the records that it became were here already.
    private(set) var changed = 0
    private var storing: Task<Int, any Error>?

    init(node: LocalNode?) { self.node = node }

    /// Waits until the batch before is stored, and begins with this one.
    mutating func store(_ batch: [[IntakeRecord]]) async throws {
        try await finish()
        guard let node else {
            changed += batch.count
            return
        }
        guard !batch.isEmpty else { return }
        storing = Task {
            let result = try await node.store.intake(batch.flatMap { $0 }, now: wallClock())
            Doorbell.ring(databasePath: node.settings.databasePath)
            var next = 0
            return batch.count { records in
                defer { next += records.count }
                return result.changed[next..<next + records.count].contains(true)
            }
        }
    }

    /// Waits until everything is stored.
    mutating func finish() async throws {
        changed += try await storing?.value ?? 0
        storing = nil
    }
}

extension Double {
    func rounded(toPlaces places: Int) -> Double {
        let factor = (0..<places).reduce(1.0) { factor, _ in factor * 10 }
        return (self * factor).rounded() / factor
    }
}
