import FederationModel
import NodeFiles

extension NodeStore {
    /// What stands in the way of taking records in: no space, no right to write, a damaged file, a lock that does not end;
    /// nil when nothing does.
    package func writeProblem() async -> FederationError? {
        if let obstacle = space.obstacleToIntake(at: pool.path) { return obstacle }
        return await pool.writeProblem()
    }

    /// The same as far as the files tell it, without a write.
    package var fileProblem: FederationError? {
        StorePool.problem(at: pool.path) ?? space.obstacleToIntake(at: pool.path)
    }

    /// Bytes that are free where a database lies; nil when the system does not say.
    package static func freeBytes(at path: String) -> Int64? { FileFacts.freeBytes(at: path) }

    /// Bytes of the database, of what waits in its WAL, and free where they lie.
    package var sizes: StoreSizes {
        StoreSizes(
            database: FileFacts.size(of: pool.path) ?? 0, wal: FileFacts.size(of: pool.path + "-wal") ?? 0,
            free: FileFacts.freeBytes(at: pool.path))
    }
}

extension FederationError {
    /// An error that left the store, as everyone else reports it.
    package static func ofStore(_ error: any Error) -> FederationError {
        error as? FederationError
            ?? FederationError(
                "E_STORE_IO", "the database can't be used: \(type(of: error))",
                hint: "report it with the version (`--version`)", isRetryable: true)
    }
}
