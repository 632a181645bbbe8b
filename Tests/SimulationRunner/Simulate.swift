import ArgumentParser
import FederationModel
import Foundation
import Simulation

/// Runs histories of whole federations, one seed after the other.
@main
struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Runs the simulation of whole federations; see docs/reliability.md.",
        discussion: "simulate --seeds 100 --first 0")

    @Option(help: "How many federations.")
    var seeds: UInt64

    @Option(help: "The first seed.")
    var first: UInt64 = 0

    @Option(help: "Lines of a failing history that are printed.")
    var trace = 60

    @Flag(help: "Go on after a seed that fails.")
    var keepGoing = false

    func run() async throws {
        let began = ContinuousClock.now
        let ground = try Ground()
        var counts = Federation.Counts()
        var failed: [UInt64] = []
        for seed in first..<first + seeds {
            let federation = try Federation(seed: seed, ground: ground)
            try await Self.run(federation)
            counts += federation.counts
            if (seed - first + 1).isMultiple(of: 100) {
                say("\(seed - first + 1) federations, \(failed.count) failed, \(ContinuousClock.now - began)")
            }
            guard !federation.problems.isEmpty else { continue }
            failed.append(seed)
            say("seed \(seed) fails:")
            for problem in federation.problems { say("  \(problem)") }
            if !keepGoing {
                // Once more, with what happened.
                let again = try Federation(seed: seed, ground: ground, traceLines: trace)
                try await Self.run(again)
                say("the last of what happened:")
                for line in again.trace.last { say("  \(line)") }
                if again.problems != federation.problems {
                    say("the second run came to something else: \(again.problems)")
                }
                say("replay it: scripts/simulate.sh --seeds 1 --first \(seed)")
                throw ExitCode.failure
            }
        }
        say(
            """
            \(seeds) federations from seed \(first): \(failed.count) failed\(failed.isEmpty ? "" : " \(failed)"), \
            \(ContinuousClock.now - began); \(counts)
            """)
        if !failed.isEmpty { throw ExitCode.failure }
    }

    private static func run(_ federation: Federation) async throws {
        do {
            try await federation.run()
        } catch {
            federation.problem("stopped by \(error)")
        }
    }
}

/// At once, also into a file: a campaign lasts for hours.
private func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
