import Foundation
import TestSupport
import Testing

extension `Real processes` {
    /// A short run of what scripts/campaign-kills.sh does at length, so that neither it nor what it proves gets lost.
    @Suite struct `A campaign of kills` {
        @Test(.timeLimit(.minutes(15))) func `finds each acknowledged record once and both ends of each link equal`()
            async throws
        {
            let script = repositoryRoot.appending(path: "scripts/campaign-kills.sh").path
            let result = try await Federation.tool([
                "NODE=\(Federation.executable.path)", script, "--kills", "15", "--seed", "1",
            ])
            #expect(
                result.status == 0 && result.output.hasPrefix("equal: 1"), "\(result.output) \(result.errors)")
        }
    }
}
