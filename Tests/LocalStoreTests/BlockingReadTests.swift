import FederationModel
import LocalStore
import TestSupport
import Testing

@Suite struct `Reads that block their thread` {
    /// Many more of both kinds than there are readers and threads: when one kind waited for the other all would stand still.
    @Test(.timeLimit(.minutes(15))) func `never wait for tasks, which need that thread`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("node.db")
        try NodeStore.create(at: path, node: node("370100"), epoch: Epoch(counter: 1, nonce: 1))
        let store = try NodeStore(at: path)
        defer { try? store.close() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<32 {
                group.addTask {
                    for _ in 0..<20 {
                        #expect(try await store.head() == 0)
                        _ = try store.standingMarks()
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
