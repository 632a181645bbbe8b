import FederationModel
import Foundation
import TestSupport
import Testing

extension `Real processes` {
    @Suite struct `Generating tickets` {
        private static let city = [Federation.Node(code: "370100", name: "济南市")]

        @Test func `to a file takes constant memory and leaves the store alone`() async throws {
            let federation = try await Federation(Self.city)
            // Kept in memory, these tickets would take well over 1 GiB.
            let command =
                "ulimit -v 1000000; mkfifo '\(federation.path("pipe"))'; wc -c <'\(federation.path("pipe"))' & "
                + "exec '\(Federation.executable.path)' generate --tickets 150000 --days 365 "
                + "--out '\(federation.path("pipe"))' --config '\(federation.path("370100/node.yaml"))'"
            let process = Process()
            process.executableURL = URL(filePath: "/bin/bash")
            process.arguments = ["-c", command]
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            try await federation.waitUntil("150000 tickets are made", seconds: 120) { !process.isRunning }
            #expect(process.terminationStatus == 0)
            #expect(try await federation.count("service_request", at: "370100") == 0)
        }

        @Test func `to a file and importing it gives the same tickets as generating into the store`() async throws {
            let federation = try await Federation(Self.city)
            let file = federation.path("tickets.csv")
            try await federation.succeed(["generate", "--tickets", "400", "--out", file], at: "370100")
            let mapping = repositoryRoot.appending(path: "mappings/generated-tickets.yaml").path
            let report = try await federation.succeed(
                ["import", "--resource", "service_request", "--mapping", mapping, file, "--json"], at: "370100"
            ).json()
            #expect(report["accepted"] as? Int == 400)
            let again = try await federation.succeed(
                ["generate", "--tickets", "400", "--requests-only", "--json"], at: "370100"
            ).json()
            #expect(again["changed"] as? Int == 0)
        }

        @Test func `with dirt counts the faults that it makes`() async throws {
            let federation = try await Federation(Self.city)
            let report = try await federation.succeed(
                ["generate", "--tickets", "2000", "--dirt", "0.2", "--calls", "--json"], at: "370100"
            ).json()
            let faults = try #require(report["dirt"] as? [String: Int])
            #expect(faults.count == 18)
            #expect((300...500).contains(faults.values.reduce(0, +)))
            let second = try #require(faults["two_numbers"])
            #expect(try await federation.count("service_request", at: "370100") == 2_000 + second)
            #expect(
                try await federation.count(
                    "service_request", at: "370100", where: "region_code = '370199'") == faults["unknown_region"])
        }

        @Test func `live runs for its time, or until a signal, and says what it wrote`() async throws {
            let federation = try await Federation(Self.city)
            let report = try await federation.succeed(
                ["generate", "--live", "--rate", "50", "--speed", "100000", "--for", "3", "--json"], at: "370100"
            ).json()
            let tickets = try #require(report["tickets"] as? Int)
            #expect((80...230).contains(tickets))
            #expect(try await federation.count("service_request", at: "370100") == tickets)
            #expect(try await federation.count("closure", at: "370100") > 0)
            for signal in [SIGTERM, SIGINT] {
                let process = Process()
                process.executableURL = Federation.executable
                process.arguments = [
                    "generate", "--live", "--rate", "50", "--seed", "\(signal)", "--json", "--config",
                    federation.path("370100/node.yaml"),
                ]
                let output = Pipe()
                process.standardOutput = output
                process.standardInput = FileHandle.nullDevice
                let before = try await federation.count("service_request", at: "370100")
                try process.run()
                try await federation.waitUntil("tickets come in", seconds: 30) {
                    try await federation.count("service_request", at: "370100") > before
                }
                kill(process.processIdentifier, signal)
                try await federation.waitUntil("it has ended", seconds: 15) { !process.isRunning }
                #expect(process.terminationReason == .exit && process.terminationStatus == 0)
                let said = try #require(
                    JSONSerialization.jsonObject(with: output.fileHandleForReading.readDataToEndOfFile())
                        as? [String: Any])
                #expect(
                    try await federation.count("service_request", at: "370100") == before
                        + (said["tickets"] as? Int ?? 0))
            }
        }

        @Test(arguments: [
            ["--dirt", "1.5"], ["--live", "--out", "x"], ["--rate", "0"], ["--speed", "0.5"], ["--mix", "C"],
            ["--out", "x", "--calls"], ["--days", "0"],
        ])
        func `refuses what it can't do as wrong usage`(flags: [String]) async throws {
            let federation = try await Federation(Self.city)
            #expect(try await federation.run(["generate"] + flags, at: "370100").status == 64)
        }
    }
}
