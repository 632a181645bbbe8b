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

    @Option(
        help:
            "Where rejected rows go, in place of those of the import before; else FILE.rejects.csv beside the database.",
        completion: .file())
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
        if let reference = ReferenceResources.all.map(\.name).first(where: mapping.resources.contains) {
            throw FederationError(IntakeRefusal.reference(reference))
        }
        var run = try ImportRun(
            local: local, importer: try Importer(mapping: mapping, origin: local.id, path: file),
            rejectsPath: rejects ?? defaultRejects(local), dryRun: dryRun, report: ImportReport(resource: resource))
        let failure = await run.run()
        // What was done stands, and is told, also when the rest could not be done.
        if json {
            try Output.json(run.report)
        } else {
            try Output.line(run.report.text)
        }
        if let failure { throw failure }
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
    let dryRun: Bool
    var report: ImportReport
    private let rejectsPath: String
    private let rejects: RejectsWriter
    private var storing: Task<[(row: IntakeRow, outcome: IntakeOutcome)], any Error>?

    /// - Throws: when the rejects file can't be written: before anything is stored.
    init(local: LocalNode, importer: Importer, rejectsPath: String, dryRun: Bool, report: ImportReport) throws {
        self.local = local
        self.importer = importer
        self.rejectsPath = rejectsPath
        rejects = try RejectsWriter(path: rejectsPath)
        self.dryRun = dryRun
        self.report = report
    }

    /// Records in one durable transaction: enough that waiting for the disk does not count, few enough to hold two of them.
    private static let batchRecords = 8_000

    /// - Returns: why it ended before the file did; nil when it did not.
    mutating func run() async -> (any Error)? {
        let started = ContinuousClock.now
        var failure: (any Error)?
        do {
            try await takeAll()
        } catch {
            failure = error
        }
        do {
            try await settle()
            if report.rejected > 0 { try rejects.close() }
        } catch {
            failure = failure ?? error
        }
        let elapsed = ContinuousClock.now - started
        report.seconds =
            (Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18).rounded(toPlaces: 3)
        return failure
    }

    private mutating func takeAll() async throws {
        var progress = ProgressBar("import")
        defer { progress.finish() }
        var batch: [IntakeRow] = []
        var recordsInBatch = 0
        do {
            while let row = try importer.next() {
                report.read += 1
                switch row.result {
                case .success(let records):
                    batch.append(row)
                    recordsInBatch += records.count
                    if recordsInBatch >= Self.batchRecords {
                        try await store(batch)
                        (batch, recordsInBatch) = ([], 0)
                    }
                case .failure(let rejection): try reject(row, code: rejection.code)
                }
                if report.read % 1_000 == 0 {
                    progress.show(
                        Double(importer.bytesRead) / Double(max(1, importer.bytesTotal)), "\(report.read) rows")
                }
            }
        } catch let error as FederationError where error.code == "E_IMPORT_READ" {
            // What was read before the damage is taken.
            try await store(batch)
            throw error
        }
        try await store(batch)
    }

    /// Waits until the batch before is stored, and begins with this one.
    private mutating func store(_ batch: [IntakeRow]) async throws {
        try await settle()
        guard !dryRun else {
            report.accepted += batch.count
            return
        }
        guard !batch.isEmpty else { return }
        storing = Task { [local, isGuarded = importer.mapping.isGuarded] in
            let result = try await local.store.intake(
                rows: batch.map { (try? $0.result.get()) ?? [] }, isGuarded: isGuarded, now: wallClock())
            Doorbell.ring(databasePath: local.settings.databasePath)
            return Array(zip(batch, result.outcomes).map { (row: $0, outcome: $1) })
        }
    }

    /// Waits until everything is stored that was begun, and counts what became of it.
    private mutating func settle() async throws {
        defer { storing = nil }
        let stored = try await storing?.value ?? []
        for (row, outcome) in stored {
            switch outcome {
            case .accepted: report.accepted += 1
            case .unchanged: report.unchanged += 1
            case .refused(let refusal): try reject(row.refused(refusal), code: refusal.code)
            }
        }
    }

    private mutating func reject(_ row: IntakeRow, code: String) throws {
        report.rejected += 1
        report.rejectedByCode[code, default: 0] += 1
        report.rejectsFile = rejectsPath
        try rejects.write(row)
    }
}

extension Double {
    func rounded(toPlaces places: Int) -> Double {
        let factor = (0..<places).reduce(1.0) { factor, _ in factor * 10 }
        return (self * factor).rounded() / factor
    }
}
