import FederationModel
import Foundation
import GRDB
import NodeFiles
import Synchronization

/// The connections to one database file, and the one place where SQLite's errors get our codes.
///
/// One writer, several readers (WAL): readers are slowed by a bulk apply, never blocked.
final class StorePool: Sendable {
    let path: String
    private let pool: DatabasePool
    /// For reads that block their thread. Those of the pool are not for them: a task that holds one gives it back on one of the few threads that
    /// tasks have, a thread for each core, and when all of these waited for a reader here none would come back.
    private let blockingReader: DatabaseQueue
    /// Why it is open for reading alone; nil when it is not.
    private let writeFailure: FederationError?
    private let state = Mutex(State())

    private struct State {
        var lastWrite: ContinuousClock.Instant?
        /// What never passes by itself: a damaged file.
        var damage: FederationError?
    }

    /// The codes of what only keeps it from being written to.
    static let passing: Set<String> = ["E_STORE_BUSY", "E_STORE_FULL", "E_STORE_READONLY"]

    /// Where writing is not possible just now, the database is opened for reading alone, and each write throws why.
    ///
    /// - Throws: the codes of `FederationError.init(_:store:)`.
    init(path: String, configuration: Configuration, isReadOnly: Bool = false) throws(FederationError) {
        self.path = path
        var failure: FederationError? = isReadOnly || !FileFacts.mayWrite(path) ? .readOnly(path) : nil
        var opened: DatabasePool?
        if failure == nil {
            do {
                // Even to be opened it may have to be written to (`DatabasePool`).
                opened = try DatabasePool(path: path, configuration: configuration)
            } catch {
                let error = FederationError(error, store: path)
                guard Self.passing.contains(error.code) else { throw error }
                failure = error
            }
        }
        do {
            var (reading, place) = (configuration, path)
            reading.readonly = true
            if let opened {
                pool = opened
            } else {
                (pool, place) = try Self.openForReading(path, reading)
            }
            blockingReader = try DatabaseQueue(path: place, configuration: reading)
        } catch {
            throw FederationError(error, store: path)
        }
        writeFailure = failure
    }

    /// In WAL mode SQLite needs the `-shm` file, and makes it if it must. Where that is not possible and nothing waits in the
    /// `-wal` file, the database alone is whole, and `immutable` (https://sqlite.org/uri.html) does without both: nobody
    /// else has it open, or that file would have its 32 KiB.
    ///
    /// - Returns: it, and by which name SQLite opens it.
    private static func openForReading(
        _ path: String, _ configuration: Configuration
    ) throws -> (pool: DatabasePool, name: String) {
        do {
            return (try DatabasePool(path: path, configuration: configuration), path)
        } catch {
            guard FileFacts.size(of: path + "-wal") ?? 0 == 0, FileFacts.size(of: path + "-shm") ?? 0 < 4_096 else {
                throw error
            }
            let name = URL(filePath: path).absoluteString + "?immutable=1"
            return (try DatabasePool(path: name, configuration: configuration), name)
        }
    }

    // MARK: - Reading and writing

    func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try told { try blockingReader.read(body) }
    }

    func read<Value: Sendable>(_ body: @Sendable (Database) throws -> Value) async throws -> Value {
        do {
            return try await pool.read(body)
        } catch {
            throw failure(error)
        }
    }

    func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
        if let writeFailure { throw writeFailure }
        let value = try told { try pool.write(body) }
        noteWrite()
        return value
    }

    func write<Value: Sendable>(_ body: @Sendable (Database) throws -> Value) async throws -> Value {
        if let writeFailure { throw writeFailure }
        do {
            let value = try await pool.write(body)
            noteWrite()
            return value
        } catch {
            throw failure(error)
        }
    }

    func writeWithoutTransaction<Value: Sendable>(
        _ body: @Sendable (Database) throws -> Value
    ) async throws -> Value {
        if let writeFailure { throw writeFailure }
        do {
            let value = try await pool.writeWithoutTransaction(body)
            noteWrite()
            return value
        } catch {
            throw failure(error)
        }
    }

    /// Brings what waits in the `-wal` file into the database. SQLite does that when the last connection is closed, unless that
    /// one was for reading (https://sqlite.org/wal.html, "Read-Only Databases").
    func emptyLog() throws {
        try told { try pool.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) } }
    }

    /// - Throws: `E_STORE_NEWER` for a database that a later release has changed.
    func migrate(by migrator: DatabaseMigrator) throws {
        let (isDone, isNewer) = try read { db in
            (try migrator.hasCompletedMigrations(db), try migrator.hasBeenSuperseded(db))
        }
        guard !isNewer else { throw FederationError.newer(path) }
        guard !isDone else { return }
        if let writeFailure { throw writeFailure }
        try told { try migrator.migrate(pool) }
    }

    /// Copies the database as it stands at one moment (https://sqlite.org/backup.html).
    func copy(to target: DatabaseQueue) throws { try told { try pool.backup(to: target) } }

    /// The one that writes last: SQLite empties the log then.
    func close() throws {
        try told {
            try blockingReader.close()
            try pool.close()
        }
    }

    // MARK: - Health

    /// What stands in the way of writing; nil when nothing does.
    ///
    /// A write that succeeded a moment ago proves it; else one is tried that changes nothing.
    func writeProblem() async -> FederationError? {
        if let damage = state.withLock({ $0.damage }) { return damage }
        if let problem = Self.problem(at: path) { return problem }
        if let last = state.withLock({ $0.lastWrite }), ContinuousClock.now - last < .seconds(5) { return nil }
        do {
            try await write { db in try db.execute(sql: "UPDATE main.node SET value = value WHERE name = 'seq'") }
            return nil
        } catch {
            return FederationError(error, store: path)
        }
    }

    /// What the files themselves say, without opening them.
    static func problem(at path: String) -> FederationError? {
        if !FileFacts.mayWrite(path) { return .readOnly(path) }
        return FileFacts.freeBytes(at: path).map { $0 < freeBytesMin } == true ? .full(path) : nil
    }

    /// Below it nothing more is taken in with certainty.
    private static let freeBytesMin: Int64 = 1 << 20

    private func noteWrite() { state.withLock { $0.lastWrite = .now } }

    // MARK: - Errors

    private func told<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw failure(error)
        }
    }

    private func failure(_ error: any Error) -> any Error {
        guard error is DatabaseError else { return error }
        let failure = FederationError(error, store: path)
        if failure.code == FederationError.damagedCode { state.withLock { $0.damage = failure } }
        return failure
    }
}

extension FederationError {
    fileprivate static let damagedCode = "E_STORE_DAMAGED"
    static let statementRefusedCode = "E_STORE_REFUSED"

    /// SQLite's error as one of ours: what it is, of which database, and what to do. An error that is ours already, and one
    /// that is not SQLite's, stays what it is.
    ///
    /// SQLite's own words about a statement are left out: they may hold a value.
    init(_ error: any Error, store path: String) {
        if let error = error as? FederationError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            self.init("E_STORE_IO", "the database \(path) can't be used: \(type(of: error))", isRetryable: true)
            return
        }
        let detail = "SQLite \(error.extendedResultCode)"
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(
                "E_STORE_BUSY", "the database \(path) is in use by another process (\(detail))",
                hint: "try again; see which process holds it for so long", isRetryable: true)
        case .SQLITE_FULL: self = .full(path)
        case .SQLITE_READONLY: self = .readOnly(path)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT:
            self.init(
                Self.damagedCode, "the database \(path) is damaged, or is none (\(detail))",
                hint: "stop the node, keep a copy of the file, and put back a backup; see the disk's own log",
                isRetryable: true)
        // What SQLite can't make or map on a full disk is an input-output error to it.
        case _ where StorePool.problem(at: path) != nil: self = StorePool.problem(at: path) ?? .full(path)
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            self.init(
                "E_STORE_IO", "the database \(path) can't be opened (\(detail))",
                hint: "check the rights of the file and its folder, and how many files the process may open",
                isRetryable: true)
        case .SQLITE_IOERR, .SQLITE_NOMEM:
            self.init(
                "E_STORE_IO", "the database \(path) can't be read or written (\(detail))",
                hint: "see the log of the system for its disk and memory", isRetryable: true)
        default:
            self.init(
                Self.statementRefusedCode, "the database \(path) refused a statement of this program (\(detail))",
                hint: "report it with the version (`--version`)", isRetryable: true)
        }
    }

    static func full(_ path: String) -> FederationError {
        FederationError(
            "E_STORE_FULL", "there is no space left for the database \(path)",
            hint: "make room on its disk; what waits goes on by itself", isRetryable: true)
    }

    fileprivate static func readOnly(_ path: String) -> FederationError {
        FederationError(
            "E_STORE_READONLY", "the database \(path) or its folder can't be written to",
            hint: "check the rights, and whether the disk is mounted for reading alone", isRetryable: true)
    }

    static func newer(_ path: String) -> FederationError {
        FederationError(
            "E_STORE_NEWER", "the database \(path) was changed by a later release than this one",
            hint: "run that release or a later one; `federation-node --version` tells which this is")
    }
}
