import ConfigurationFiles
import FederationModel
import Foundation
import LocalStore
import RecordIntake

/// A file of records that is to be taken in.
package struct ImportRequest: Sendable {
    package var path: String
    /// Nil for a data set whose file has the headings of its registration.
    package var mappingPath: String?
    /// What a row of the file is, above all.
    package var resource: ResourceName
    /// Where rejected rows go; nil for FILE.rejects.csv in the node's directory.
    package var rejectsPath: String?
    /// Whether it is only read and checked.
    package var isDryRun: Bool
    /// How the file is written, as far as neither it nor the mapping says that.
    package var format: SourceFormat

    package init(
        path: String, mappingPath: String?, resource: ResourceName, rejectsPath: String? = nil, isDryRun: Bool = false,
        format: SourceFormat = SourceFormat()
    ) {
        self.format = format
        self.path = path
        self.mappingPath = mappingPath
        self.resource = resource
        self.rejectsPath = rejectsPath
        self.isDryRun = isDryRun
    }
}

/// What became of an import's rows.
package struct ImportReport: Hashable, Sendable {
    package let resource: ResourceName
    /// What the file turned out to be.
    package let form: SourceForm
    /// Its number, by which it can be undone; nil for a trial.
    package var intake: Int64?
    package var counts = IntakeCounts()
    /// Tickets of the source's import before that are not in this file; nil when that was none, or nothing is to be taken from that.
    package var absent: Int?
    /// The numbers of the first rows that have the key of an earlier row.
    package var repeatedRows: [Int] = []
    /// Values that were written as `="…"` and were taken without that.
    package var unwrapped = 0
    /// Nil when no row was rejected.
    package var rejectsFile: String?
    package var rejectedByCode: [String: Int] = [:]
    /// Lines of totals under the table, which are no rows.
    package var totalLines = 0
    package var milliseconds = 0
}

extension NodeDesk {
    /// Imports a file. A bad row stops nothing: it goes to the rejects file. What was read before a file turned out to be damaged
    /// is stored.
    ///
    /// - Returns: what became of the rows, also when the file could not be taken to its end, and why not.
    /// - Parameter progress: gets the share of the file that is read, 0 to 1, and the rows, now and then.
    /// - Throws: `E_MAPPING…`, `E_REFERENCE_RECORD`, `E_IMPORT_…`, `E_CSV_HEADER`, `E_REJECTS_WRITE`, and what the store
    ///   throws.
    package func importFile(
        _ request: ImportRequest, progress: (Double, Int) -> Void = { _, _ in }
    ) async throws -> (report: ImportReport, failure: (any Error)?) {
        try await perform(.importFile) { _ in
            let datasets = try registrations().map(\.dataset)
            let mapping = try mapping(of: request, datasets)
            guard mapping.resources.contains(request.resource) else {
                throw FederationError(
                    "E_MAPPING", "\(mapping.path) makes no records of \(request.resource)",
                    hint: "it makes \(mapping.resources.map(\.text).joined(separator: ", "))")
            }
            if let reference = mapping.resources.first(where: { BuiltInResources.named($0)?.isReference == true }) {
                throw FederationError(RowRejection.reference(reference))
            }
            let name = request.path == "-" ? "stdin" : URL(filePath: request.path).lastPathComponent
            let rejects = URL(filePath: settings.directory).appending(path: "\(name).rejects.csv").path
            let importer: Importer
            do {
                importer = try Importer(mapping: mapping, origin: id, path: request.path, format: request.format)
            } catch let error as FederationError where error.code == "E_IMPORT_READ" {
                throw error.telling(of: IntakeCounts(), isTrial: request.isDryRun)
            }
            var run = try ImportRun(
                desk: self, importer: importer, datasets: datasets, rejectsPath: request.rejectsPath ?? rejects,
                isDryRun: request.isDryRun, report: ImportReport(resource: request.resource, form: importer.form))
            if !request.isDryRun {
                try await run.begin(source: mapping.source, file: name)
            }
            let failure = await run.run(progress)
            return (run.report, failure)
        }
    }

    private func mapping(of request: ImportRequest, _ datasets: [ExternalDataset]) throws -> Mapping {
        if let path = request.mappingPath {
            return try Mapping.read(
                path: path, lists: reference.lists.adding(datasets.flatMap(\.lists)),
                region: topology.node(id)?.region ?? id.code, datasets: datasets.map(\.definition))
        }
        guard let dataset = datasets.first(where: { $0.name == request.resource.text }) else {
            throw FederationError(
                "E_MAPPING", "\(request.resource) is no external data set that is registered here",
                hint: "give --mapping FILE, or register it with `dataset register`")
        }
        return try Mapping.of(dataset, lists: reference.lists)
    }

    /// Stores records that were invented for trials, unguarded, in one durable transaction.
    ///
    /// - Returns: how many were not here before.
    package func store(invented records: [IntakeRecord]) async throws -> Int {
        try await perform(.storeInvented) { now in
            let report = try await commit(\.head) { try await store.intake(records, now: now) }
            return report.outcomes.count(where: \.isAccepted)
        }
    }
}

/// Reads a file and stores its records batch by batch. One batch is stored while the next is read.
private struct ImportRun {
    private let desk: NodeDesk
    private let importer: Importer
    private let datasets: [ResourceName: ExternalDataset]
    private let rejectsPath: String
    private let isDryRun: Bool
    private(set) var report: ImportReport
    private let rejects: RejectsWriter
    private var storing: Task<[(row: IntakeRow, outcome: IntakeOutcome)], any Error>?
    private var seen = SeenRows()
    /// Of a source whose later rows count: those that fell onto an earlier one.
    private var collapsed: Set<Int> = []

    /// - Throws: when the rejects file can't be written: before anything is stored.
    init(
        desk: NodeDesk, importer: Importer, datasets: [ExternalDataset], rejectsPath: String, isDryRun: Bool,
        report: ImportReport
    ) throws {
        self.datasets = Dictionary(uniqueKeysWithValues: datasets.map { ($0.definition.name, $0) })
        rejects = try RejectsWriter(path: rejectsPath)
        self.desk = desk
        self.importer = importer
        self.rejectsPath = rejectsPath
        self.isDryRun = isDryRun
        self.report = report
    }

    /// Records in one durable transaction: enough that waiting for the disk does not count, few enough to hold two of them.
    private static let batchRecords = 4_000

    /// Gives it its number.
    mutating func begin(source: String, file: String) async throws {
        report.intake = try await desk.store.beginImport(
            source: source, resource: report.resource, file: file, now: desk.clock())
    }

    /// - Returns: why it ended before the file did; nil when it did not.
    mutating func run(_ progress: (Double, Int) -> Void) async -> (any Error)? {
        let started = ContinuousClock.now
        var failure: (any Error)?
        do {
            try await takeAll(progress)
        } catch {
            failure = error
        }
        do {
            try await settle()
            if report.counts.rejected > 0 {
                try rejects.close()
            } else if failure == nil {
                rejects.discard()
            }
            if let intake = report.intake {
                let absent = try await desk.store.endImport(
                    intake, report.counts, tickets: seen.tickets, now: desk.clock())
                if importer.mapping.closure == .snapshot { report.absent = absent }
            }
        } catch {
            failure = failure ?? error
        }
        if let error = failure as? FederationError, error.code == "E_IMPORT_READ" {
            failure = error.telling(of: report.counts, isTrial: isDryRun)
        }
        report.unwrapped = importer.unwrapped
        report.totalLines = importer.totalLines
        report.milliseconds = Int((ContinuousClock.now - started) / .milliseconds(1))
        return failure
    }

    private mutating func takeAll(_ progress: (Double, Int) -> Void) async throws {
        var batch: [IntakeRow] = []
        var recordsInBatch = 0
        do {
            while let row = try importer.next() {
                report.counts.read += 1
                switch row.result {
                case .success(let content):
                    guard try meet(row) else { break }
                    batch.append(row)
                    recordsInBatch += content.records.count
                    if recordsInBatch >= Self.batchRecords {
                        try await store(batch)
                        (batch, recordsInBatch) = ([], 0)
                    }
                case .failure(let rejection): try reject(row, code: rejection.code)
                }
                if report.counts.read % 1_000 == 0 {
                    progress(Double(importer.bytesRead) / Double(max(1, importer.bytesTotal)), report.counts.read)
                }
            }
        } catch let error as FederationError where error.code == "E_IMPORT_READ" {
            // What was read before the damage is taken.
            try await store(batch)
            throw error
        }
        try await store(batch)
    }

    /// Checks this batch while the one before is stored, waits for that one, and begins to store this one.
    private mutating func store(_ batch: [IntakeRow]) async throws {
        guard !batch.isEmpty else { return try await settle() }
        let rows = desk.store.check(
            batch.map { row in
                var content = (try? row.result.get()) ?? SourceRow([])
                content.records = content.records.map { record in
                    datasets[record.resource]?.stored(record, origin: desk.id) ?? record
                }
                return content
            }, isGuarded: importer.mapping.isGuarded,
            // Of others the importer has held the fields against the declaration.
            areFieldsRight: importer.mapping.resources.allSatisfy { datasets[$0] == nil })
        try await settle()
        storing = Task { [desk, isDryRun, intake = report.intake] in
            let now = desk.clock()
            let outcomes =
                isDryRun
                ? try await desk.store.trial(of: rows, now: now)
                : try await desk.commit(\.head) {
                    try await desk.store.intake(
                        rows, of: intake.map { .number($0) }, now: now)
                }.outcomes
            return Array(zip(batch, outcomes).map { (row: $0, outcome: $1) })
        }
    }

    /// - Returns: whether the row is to be stored: not if it says again what an earlier row of the file said, or where each
    ///   row is a ticket of its own and it says something else of one.
    private mutating func meet(_ row: IntakeRow) throws -> Bool {
        guard let identity = row.identity else { return true }
        let meeting = seen.meet(identity, number: row.number)
        guard meeting != .new else { return true }
        if report.repeatedRows.count < Self.rowsNamedMax { report.repeatedRows.append(row.number) }
        if case .contradicted(let first) = meeting {
            if importer.mapping.closure == .snapshot {
                let refusal = RowRejection.repeated(first: first)
                try reject(row.refused(refusal), code: refusal.code)
                return false
            }
            collapsed.insert(row.number)
            report.counts.collapsed += 1
            return true
        }
        report.counts.collapsed += 1
        return false
    }

    /// A report names no more rows than a person looks at.
    private static let rowsNamedMax = 5

    /// Waits until everything is stored that was begun, and counts what became of it.
    private mutating func settle() async throws {
        defer { storing = nil }
        let stored = try await storing?.value ?? []
        for (row, outcome) in stored {
            let isCounted = collapsed.remove(row.number) == nil
            switch outcome {
            case .accepted(let change): if isCounted { report.counts.changes[change, default: 0] += 1 }
            case .unchanged: if isCounted { report.counts.unchanged += 1 }
            case .refused(let refusal): try reject(row.refused(refusal), code: refusal.code)
            }
        }
    }

    private mutating func reject(_ row: IntakeRow, code: String) throws {
        report.counts.rejected += 1
        report.rejectedByCode[code, default: 0] += 1
        report.rejectsFile = rejectsPath
        try rejects.write(row)
    }
}

extension FederationError {
    /// Tells of damage to a file what became of the rows before it.
    fileprivate func telling(of counts: IntakeCounts, isTrial: Bool) -> FederationError {
        let taken = counts.accepted + counts.unchanged + counts.collapsed
        let fate =
            taken == 0
            ? "no row was taken" : isTrial ? "\(taken) rows would be taken" : "\(taken) rows before that were taken"
        return FederationError(code, "\(message); \(fate)", hint: hint)
    }
}
