import Testing

@Suite struct SimulationTests {
    /// Whatever happens to messages, connections, processes and policies: in the end the receiver holds exactly what the
    /// sender grants, and on the way no rule of the cursor was broken.
    @Test func `random histories converge`() {
        var (applied, refused) = (0, 0)
        var requests: [HeldHalf: Int] = [:]
        for seed in UInt64(1)...400 {
            var pair = SimulatedPair(seed: seed)
            let problems = pair.run().prefix(4).joined(separator: "; ")
            #expect(problems == "", "seed \(seed)")
            applied += pair.appliedCount
            refused += pair.refusedCount
            for half in pair.requestsUsed { requests[half, default: 0] += 1 }
        }
        // The histories reach what they are meant to reach.
        #expect(applied > 400 * 20)
        #expect(refused > 100)
        for half in HeldHalf.allCases { #expect(requests[half, default: 0] > 25, "\(half)") }
    }

    @Test(arguments: Mutant.allCases) func `a broken rule is noticed`(_ mutant: Mutant) {
        let caught = (UInt64(1)...100).first { seed in
            var pair = SimulatedPair(seed: seed, mutant: mutant)
            return !pair.run().isEmpty
        }
        #expect(caught != nil, "\(mutant) was not noticed in 100 seeds")
    }
}
