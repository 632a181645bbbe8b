import FederationModel
import LocalStore
import LogicalQuery
import NodeDesk
import TestSupport
import Testing

@Suite struct `An answer from copies` {
    private let county = TestSupport.node("370102")

    /// What the city has heard of its county.
    private func note(_ freshness: OriginFreshness, at node: TestNode) async throws {
        let store = node.desk.local.store
        let policy = try #require(store.standing.incoming[county])
        _ = try await store.save(freshness: [county: freshness], under: policy, now: node.clock.now)
    }

    /// The coverage of an answer of the city when its county was heard so many milliseconds ago.
    private func coverage(
        _ node: TestNode, heard age: Int64, allowsStale: Bool = false
    ) async throws -> Coverage {
        try await note(OriginFreshness(asOf: node.clock.now - age, complete: true), at: node)
        return try await node.desk.ask(AnalysisQuestion(), allowsStale: allowsStale, deadlineMS: 10_000).coverage
    }

    @Test func `names a source that has not been heard for longer than its update cycle allows, and is incomplete`()
        async throws
    {
        let node = try TestNode()
        for (age, state) in [
            (0, CoverageState.ok), (30_000, .ok), (30_001, .late), (300_000, .late), (300_001, .stale),
            (30 * 86_400_000, .stale),
        ] {
            let coverage = try await coverage(node, heard: Int64(age))
            #expect(coverage.nodes.map(\.state) == [state], "\(age) ms")
            #expect(coverage.complete == (state != .stale))
            #expect(coverage.nodes[0].asOf == node.clock.now - Int64(age))
        }
    }

    @Test func `is complete with a stale source for who allows it, and for nobody with one that is being filled`()
        async throws
    {
        let node = try TestNode()
        let stale = try await coverage(node, heard: 600_000, allowsStale: true)
        #expect(stale.complete && stale.answered == 1 && stale.missing.isEmpty)
        #expect(stale.nodes.map(\.state) == [.stale])
        try await note(OriginFreshness(asOf: node.clock.now, complete: false), at: node)
        let filling = try await node.desk.ask(AnalysisQuestion(), allowsStale: true, deadlineMS: 10_000).coverage
        #expect(!filling.complete && filling.missing.map(\.state) == [.bootstrapping])
    }

    @Test func `is incomplete as long as a neighbour holds rows that this node has lost`() async throws {
        let node = try TestNode()
        func ask(lost: Int) async throws -> Coverage {
            try await node.desk.local.store.save(
                LinkStatus(peer: TestSupport.node("370000"), direction: .sending, state: .behind, lost: lost))
            return try await coverage(node, heard: 0)
        }
        let restored = try await ask(lost: 40)
        #expect(!restored.complete && restored.missing.map(\.node) == [node.desk.id])
        #expect(restored.missing.map(\.state) == [.bootstrapping] && restored.missing[0].asOf == nil)
        let whole = try await ask(lost: 0)
        #expect(whole.complete && whole.nodes.map(\.node) == [county])
    }

    @Test func `of rows has those of a stale source, and says so`() async throws {
        let node = try TestNode()
        try await note(OriginFreshness(asOf: node.clock.now - 600_000, complete: true), at: node)
        let page = try await node.desk.ask(RowQuestion(resource: "service_request"), deadlineMS: 10_000)
        #expect(!page.coverage.complete && page.coverage.nodes.map(\.state) == [.stale])
    }
}
