import FederationModel
import Foundation
import LocalStore
import RecordIntake

/// A file of records that is to be taken in.
package struct ImportRequest: Sendable {
    package var path: String
    package var mappingPath: String
    /// What a row of the file is, above all.
    package var resource: ResourceName
    /// Where rejected rows go; nil for FILE.rejects.csv in the node's directory.
    package var rejectsPath: String?
    /// Whether it is only read and checked.
    package var isDryRun: Bool

    package init(
        path: String, mappingPath: String, resource: ResourceName, rejectsPath: String? = nil, isDryRun: Bool = false
    ) {
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
    package var read = 0
    package var accepted = 0
    package var unchanged = 0
    package var rejected = 0
    /// Nil when no row was rejected.
    package var rejectsFile: String?
    package var rejectedByCode: [String: Int] = [:]
    package var milliseconds = 0
}

extension NodeDesk {
    /// Imports a file. A bad row stops nothing: it goes to the rejects file. What was read before a file turned out to be damaged
    /// is stored.
    ///
    /// - Parameter progress: gets the share of the file that is read, 0 to 1, and the rows, now and then.
    /// - Throws: `E_MAPPING…`, `E_REFERENCE_RECORD`, `E_IMPORT_READ`, `E_CSV_HEADER`, `E_REJECTS_WRITE`, and what the store
    ///   throws.
    package func importFile(
        _ request: ImportRequest, progress: (Double, Int) -> Void = { _, _ in }
    ) async throws -> ImportReport {
        try await perform(.importFile) { _ in
            let mapping = try Mapping.read(path: request.mappingPath, lists: reference.lists)
            guard mapping.resources.contains(request.resource) else {
                throw FederationError(
                    "E_MAPPING", "\(mapping.path) makes no records of \(request.resource)",
                    hint: "it makes \(mapping.resources.map(\.text).joined(separator: ", "))")
            }
            if let reference = ReferenceResources.all.map(\.name).first(where: mapping.resources.contains) {
                throw FederationError(IntakeRefusal.reference(reference))
            }
            let name = URL(filePath: request.path).lastPathComponent
            let rejects = URL(filePath: settings.directory).appending(path: "\(name).rejects.csv").path
            var run = ImportRun(
                desk: self, importer: try Importer(mapping: mapping, origin: id, path: request.path),
                rejectsPath: request.rejectsPath ?? rejects, isDryRun: request.isDryRun,
                report: ImportReport(resource: request.resource))
            return try await run.run(progress)
        }
    }

    /// Stores records that were invented for trials, unguarded, in one durable transaction.
    ///
    /// - Returns: how many were not here before.
    package func store(invented records: [IntakeRecord]) async throws -> Int {
        try await perform(.storeInvented) { now in
            let report = try await commit(\.head) { try await store.intake(records, now: now) }
            return report.outcomes.count { $0 == .accepted }
        }
    }
}

/// Reads a file and stores its records batch by batch. One batch is stored while the next is read.
private struct ImportRun {
    private let desk: NodeDesk
    private let importer: Importer
    private let rejectsPath: String
    private let isDryRun: Bool
    private var report: ImportReport
    private var rejects: RejectsWriter?
    private var storing: Task<[(row: IntakeRow, outcome: IntakeOutcome)], any Error>?

    init(desk: NodeDesk, importer: Importer, rejectsPath: String, isDryRun: Bool, report: ImportReport) {
        self.desk = desk
        self.importer = importer
        self.rejectsPath = rejectsPath
        self.isDryRun = isDryRun
        self.report = report
    }

    /// Records in one durable transaction: enough that waiting for the disk does not count, few enough to hold two of them.
    private static let batchRecords = 8_000

    mutating func run(_ progress: (Double, Int) -> Void) async throws -> ImportReport {
        let started = ContinuousClock.now
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
                    progress(Double(importer.bytesRead) / Double(max(1, importer.bytesTotal)), report.read)
                }
            }
        } catch let error as FederationError where error.code == "E_IMPORT_READ" {
            // What was read before the damage is taken.
            try await store(batch)
            try await settle()
            throw error
        }
        try await store(batch)
        try await settle()
        try rejects?.close()
        report.milliseconds = Int((ContinuousClock.now - started) / .milliseconds(1))
        return report
    }

    /// Waits until the batch before is stored, and begins with this one.
    private mutating func store(_ batch: [IntakeRow]) async throws {
        try await settle()
        guard !isDryRun else {
            report.accepted += batch.count
            return
        }
        guard !batch.isEmpty else { return }
        storing = Task { [desk, isGuarded = importer.mapping.isGuarded] in
            let now = desk.clock()
            let result = try await desk.commit(\.head) {
                try await desk.store.intake(
                    rows: batch.map { (try? $0.result.get()) ?? [] }, isGuarded: isGuarded, now: now)
            }
            return Array(zip(batch, result.outcomes).map { (row: $0, outcome: $1) })
        }
    }

    /// Waits until everything is stored that was begun, and counts what became of it.
    private mutating func settle() async throws {
        let stored = try await storing?.value ?? []
        storing = nil
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
        let file = try rejects ?? RejectsWriter(path: rejectsPath)
        rejects = file
        report.rejectsFile = rejectsPath
        try file.write(row)
    }
}
