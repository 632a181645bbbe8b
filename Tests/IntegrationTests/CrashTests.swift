import FederationModel
import Foundation
import Testing

extension `Real processes` {
    /// kill -9 in the middle of an initial load.
    @Suite struct `A node that is killed in the middle of an initial load` {
        private static let tickets = 20_000

        @Test(.timeLimit(.minutes(15)), arguments: [("370100", 1), ("370000", 2)] as [(String, UInt64)])
        func `has every ticket once and the states of an undisturbed run after its restart`(
            victim: String, seed: UInt64
        ) async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            try await federation.succeed(["generate", "--tickets", "\(Self.tickets)"], at: "370100")
            let total = try await federation.countRecords(at: "370100")
            // The first half: what is under way when the city is killed may still arrive.
            var chance = SplitMix64(seed: seed)
            let moments = (0..<4).map { _ in Int.random(in: 1..<total / 2, using: &chance) }.sorted()
            try await federation.serve("370000")
            try await federation.serve("370100")
            for moment in moments {
                try await federation.waitUntil("\(moment) of \(total) records are there", seconds: 60) {
                    try await federation.countRecords(at: "370000") >= moment
                }
                try await federation.stop(victim, signal: SIGKILL)
                #expect(try await federation.countRecords(at: "370000") < total, "the kill came after the load")
                try await federation.serve(victim)
            }
            try await federation.waitUntilLevel("370000", seconds: 120)
            #expect(try await federation.count("service_request", at: "370000") == Self.tickets)
            #expect(
                try await federation.sql("SELECT count(DISTINCT \"key\") FROM service_request", at: "370000")
                    == "\(Self.tickets)"
            )
            #expect(try await federation.countRecords(at: "370000") == total)
            // The city folds its own records, undisturbed by any link.
            for node in ["370000", "370100"] {
                try await federation.waitUntil("\(node) has folded all of them", seconds: 60) {
                    let consumers = try await federation.succeed(["status", "--json"], at: node).json()[
                        list: "consumers"]
                    return consumers.allSatisfy { $0["lagRows"] as? Int == 0 }
                }
            }
            let states = "SELECT * FROM ticket_state ORDER BY global_id"
            let (copied, own) = (
                try await federation.sql(states, at: "370000"), try await federation.sql(states, at: "370100")
            )
            #expect(own.split(separator: "\n").count == Self.tickets)
            #expect(copied == own)
        }
    }
}
