import Foundation
import Testing

/// kill -9 in the middle of an initial load.
@Suite(.serialized) struct `A node that is killed in the middle of an initial load` {
    private static let tickets = 20_000

    @Test(.timeLimit(.minutes(5)), arguments: ["370100", "370000"])
    func `has every ticket once and the states of an undisturbed run after its restart`(victim: String) async throws {
        let federation = try await Federation(Array(Federation.qilu.prefix(2)))
        try await federation.succeed(["generate", "--tickets", "\(Self.tickets)"], at: "370100")
        try await federation.serve("370000")
        try await federation.serve("370100")
        var kills = 0
        for share in [2, 30, 60, 90] {
            // All records of the threads count: the tickets themselves come first.
            let goal = Self.tickets * 5 * share / 100
            try await federation.waitUntil("\(share) % are there", seconds: 60) {
                try await Int(federation.sql("SELECT value FROM node WHERE name = 'seq'", at: "370000")) ?? 0 >= goal
            }
            let cursor = try await federation.sql(
                "SELECT coalesce(sweep_resource, 'complete') FROM link_cursor", at: "370000")
            if cursor != "complete" { kills += 1 }
            try await federation.stop(victim, signal: SIGKILL)
            try await federation.serve(victim)
        }
        #expect(kills > 0, "at least one kill hit the load")
        try await federation.waitUntilLevel("370000", seconds: 120)
        #expect(try await federation.count("service_request", at: "370000") == Self.tickets)
        #expect(
            try await federation.sql("SELECT count(DISTINCT \"key\") FROM service_request", at: "370000")
                == "\(Self.tickets)"
        )
        // The city folds its own records, undisturbed by any link.
        for node in ["370000", "370100"] { try await federation.succeed(["query"], at: node) }
        let states = "SELECT * FROM ticket_state ORDER BY global_id"
        let (copied, own) = (
            try await federation.sql(states, at: "370000"), try await federation.sql(states, at: "370100")
        )
        #expect(own.split(separator: "\n").count == Self.tickets)
        #expect(copied == own)
    }
}
