import FederationModel
import LocalStore

extension NodeDesk {
    /// The imports, and what tokens have pushed by the hour; the latest first.
    package func intakes(limit: Int) async throws -> [IntakeEntry] {
        try await perform(.listIntakes) { _ in try await store.intakes(limit: limit) }
    }

    /// - Throws: `E_INTAKE_UNKNOWN`.
    package func intake(_ number: Int64) async throws -> IntakeEntry {
        try await perform(.listIntakes) { _ in try await store.intakeEntry(number) }
    }

    /// Brings back what rows were before an intake, here and, as new versions, everywhere.
    ///
    /// - Parameter isTrial: whether it is only counted what would be done.
    /// - Throws: `E_INTAKE_UNKNOWN`, `E_INTAKE_UNDONE`, `E_INTAKE_FORGOTTEN`.
    package func undo(intake number: Int64, isTrial: Bool) async throws -> UndoReport {
        try await perform(.undoIntake) { now in
            if isTrial { return try await store.undo(intake: number, isTrial: true, now: now) }
            return try await commit(\.head) { try await store.undo(intake: number, isTrial: false, now: now) }
        }
    }
}
