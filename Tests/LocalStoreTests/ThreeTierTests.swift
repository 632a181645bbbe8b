import FederationModel
import LocalStore
import RecordIntake
import Testing

@Suite struct `A ticket's history` {
    /// Random legal histories reach the county in random order, some records twice, and go on to city and province in
    /// change-sets of random sizes at random moments. Each node folds whenever it likes.
    @Test(arguments: 0..<8)
    func `in any order, with duplicates, through three tiers gives the state that it gives in order at one node`(
        seed: Int
    ) async throws {
        let threads = Array(
            TicketGenerator(
                seed: UInt64(seed), origin: lixia, region: "370102", from: noon, days: 40, tickets: 25, showcase: true))
        let reference = try TemporaryStore(lixia)
        for thread in threads {
            for record in thread { _ = try await reference.store.intake([record], now: noon) }
        }
        let expected = try await states(reference.store)
        #expect(expected.count == 25)

        let (county, city, top) = (try TemporaryStore(lixia), try TemporaryStore(jinan), try TemporaryStore(province))
        let up = policy(from: lixia, to: jinan)
        let further = policy(from: jinan, to: province)
        var chance = SplitMix64(seed: UInt64(seed) &+ 1_000)
        var records = threads.flatMap { $0 }
        records += records.filter { _ in chance.next() % 4 == 0 }
        records.shuffle(using: &chance)
        while !records.isEmpty {
            let count = min(records.count, Int(chance.next() % 12) + 1)
            _ = try await county.store.intake(Array(records.suffix(count)), now: noon)
            records.removeLast(count)
            let rowsMax = Int(chance.next() % 20) + 1
            switch chance.next() % 6 {
            case 0: try await carry(county.store, city.store, policy: up, rowsMax: rowsMax)
            case 1: try await carry(city.store, top.store, policy: further, rowsMax: rowsMax)
            case 2: try await city.store.catchUpConsumers()
            case 3: try await top.store.catchUpConsumers()
            case 4: _ = try await county.store.advanceConsumers()
            default: break
            }
        }
        try await carry(county.store, city.store, policy: up)
        try await carry(city.store, top.store, policy: further)
        for node in [county, city, top] {
            let found = try await states(node.store)
            #expect(found == expected, "at \(node.store.node)")
        }
    }

    private func states(_ store: NodeStore) async throws -> [[FieldValue]] {
        try await store.catchUpConsumers()
        return try await store.rows(sql: "SELECT * FROM ticket_state ORDER BY global_id", arguments: [])
    }
}
