import Testing

@Suite struct `A federation with policies` {
    @Test(arguments: 0..<60 as Range<UInt64>)
    func `lets each node hold exactly what policies and audiences grant, sends nothing more, and counts nothing twice`(
        seed: UInt64
    ) async throws {
        var federation = try RandomFederation(seed: seed)
        for _ in 0..<60 { try await federation.step() }
        try await federation.settle()
        try await federation.check()
        try await federation.checkCounts()
        try await federation.checkFingerprints()
    }
}
