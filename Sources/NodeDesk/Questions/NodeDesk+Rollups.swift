import FederationModel
import LocalStore

extension NodeDesk {
    package func rollupStatus() async throws -> RollupStatus {
        try await perform(.showRollups) { _ in try await store.rollupStatus() }
    }

    /// - Returns: how many blocks were kept.
    package func forgetRollups() async throws -> Int {
        try await perform(.forgetRollups) { _ in
            let status = try await store.rollupStatus()
            try await store.forgetRollups()
            return status.blocks
        }
    }
}
