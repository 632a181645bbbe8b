import FederationModel
import Foundation
import LocalStore
import NodeDesk
import TestSupport
import Testing

@Suite struct `A deadline` {
    private let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

    /// A store has four readers: each that were not interrupted would be one less.
    @Test(.timeLimit(.minutes(15))) func `interrupts SQL, and the reader is free for the next`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("node.db")
        let node = try #require(NodeID("370100"))
        try NodeStore.create(at: path, node: node, epoch: Epoch(counter: 1, nonce: 1))
        let store = try NodeStore(at: path)
        defer { try? store.close() }
        for _ in 0..<6 {
            let rows = try await within(milliseconds: 30) { try await store.rows(sql: endless, arguments: []) }
            #expect(rows == nil)
        }
        #expect(try await store.head() == 0)
    }

    /// As when the connection is gone over which it was asked.
    @Test(.timeLimit(.minutes(15))) func `is not needed by a question that was given up: its SQL ends too`()
        async throws
    {
        let folder = try TemporaryFolder()
        let path = folder.path("node.db")
        try NodeStore.create(
            at: path, node: try #require(NodeID("370100")), epoch: Epoch(counter: 1, nonce: 1))
        let store = try NodeStore(at: path)
        defer { try? store.close() }
        for _ in 0..<6 {
            let (runs, running) = AsyncStream.makeStream(of: Void.self)
            let question = Task { [endless] in
                try await within(milliseconds: 600_000) {
                    running.yield()
                    return try await store.rows(sql: endless, arguments: [])
                }
            }
            for await _ in runs { break }
            question.cancel()
            await #expect(throws: CancellationError.self) { try await question.value }
        }
        #expect(try await store.head() == 0)
    }

    @Test func `gives what was ready in time, and throws what failed`() async throws {
        struct Fault: Error {}
        #expect(try await within(milliseconds: 60_000) { 1 } == 1)
        await #expect(throws: Fault.self) { try await within(milliseconds: 60_000) { throw Fault() } as Int? }
    }
}
