import FederationModel
import LocalStore
import Testing

@Suite struct `The tokens of a node` {
    private let temporary: TemporaryStore
    private var store: NodeStore { temporary.store }

    init() throws { temporary = try TemporaryStore(jinan) }

    private func token(_ name: String, _ resources: [ResourceName]? = nil) -> APIToken {
        APIToken(name: name, digest: [1, 2, 0, 255], resources: resources, createdAt: noon, expiresAt: noon + 1)
    }

    @Test func `are kept as they were made, by name`() async throws {
        try await store.add(token("b", ["reply", "closure"]))
        try await store.add(token("a"))
        #expect(try await store.apiTokens() == [token("a"), token("b", ["reply", "closure"])])
    }

    @Test func `have a name of their own, also after they were revoked`() async throws {
        try await store.add(token("a"))
        try await store.revokeToken(named: "a", now: noon)
        try await store.revokeToken(named: "a", now: noon + 5)
        #expect(try await store.apiTokens().map(\.revokedAt) == [noon])
        let error = await #expect(throws: FederationError.self) { try await store.add(token("a", ["reply"])) }
        #expect(error?.code == "E_TOKEN_EXISTS")
        #expect(try await store.apiTokens().first?.resources == nil)
        let unknown = await #expect(throws: FederationError.self) {
            try await store.revokeToken(named: "c", now: noon)
        }
        #expect(unknown?.code == "E_TOKEN_UNKNOWN")
    }

    @Test func `are bounded in number`() async throws {
        for number in 0..<NodeStore.apiTokensMax { try await store.add(token("\(number)")) }
        let error = await #expect(throws: FederationError.self) { try await store.add(token("more")) }
        #expect(error?.code == "E_TOKEN_TOO_MANY")
    }
}
