import Foundation
import Simulation
import Testing

/// A slice of the campaigns of `scripts/simulate.sh`, which replays a seed that fails here.
@Suite struct `A federation to which anything may happen` {
    @Test(arguments: [0..<10, 10..<20] as [Range<UInt64>])
    func `comes to rest with nothing lost, nothing counted twice and nothing told to whom it is not granted`(
        seeds: Range<UInt64>
    ) async throws {
        let ground = try Ground()
        for seed in seeds {
            let federation = try Federation(seed: seed, ground: ground)
            try await federation.run()
            #expect(federation.problems == [], "scripts/simulate.sh --seeds 1 --first \(seed)")
        }
    }
}
