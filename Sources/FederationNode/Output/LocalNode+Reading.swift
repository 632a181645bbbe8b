import LocalStore
import NodeRuntime

extension LocalNode {
    /// Before tickets are shown: brings what is derived from their records up to date, or says that it is not.
    func catchUp() async throws {
        if let problem = try await store.catchUpForReading(now: wallClock()) {
            Output.note("what follows may lack the newest changes: \(problem)")
        }
    }
}
