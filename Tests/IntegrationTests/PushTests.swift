import Foundation
import TestSupport
import Testing

extension `Real processes` {
    /// A local ticket system that pushes what it has, batch by batch, and repeats the batch that got no answer.
    @Suite struct `A local system that pushes` {
        private static let batches = 20
        private static let batchRecords = 500
        private static let tickets = batches * batchRecords

        @Test(.timeLimit(.minutes(15)))
        func `and is killed in the middle of a batch repeats it: no ticket twice, none lost`() async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            try await federation.serve("370000")
            try await federation.serve("370100")
            let system = try await LocalSystem(
                federation, pause: "0.2", batches: Self.batches, records: Self.batchRecords)
            for part in 1...3 {
                let process = try system.start()
                try await federation.waitUntil("part \(part) has been pushed", seconds: 30) {
                    try await federation.count("service_request", at: "370100") >= Self.tickets * part / 5
                }
                try await federation.waitUntil("a batch is under way", seconds: 10) { system.isInTheMiddle }
                system.kill(process)
                #expect(
                    try await federation.count("service_request", at: "370100") < Self.tickets, "the kill came too late"
                )
            }
            try await system.finish()
            let metrics = try PrometheusText(body(of: try await federation.get("/metrics", from: "370100")))
            #expect(metrics.samples["federation_intake_requests_total{status=\"400\"}"] ?? 0 > 0, "no batch was cut")
            #expect(metrics.samples["federation_intake_records_total{outcome=\"accepted\"}"] == Double(Self.tickets))
            try await expectAll(of: federation)
        }

        @Test(.timeLimit(.minutes(15)))
        func `at a node that is killed in the middle of a batch repeats it: no ticket twice, none lost`() async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            try await federation.serve("370000")
            try await federation.serve("370100")
            let system = try await LocalSystem(federation, batches: Self.batches, records: Self.batchRecords)
            let process = try system.start()
            for part in 1...3 {
                try await federation.waitUntil("part \(part) has been pushed", seconds: 30) {
                    try await federation.count("service_request", at: "370100") >= Self.tickets * part / 5
                }
                try await federation.stop("370100", signal: SIGKILL)
                #expect(
                    try await federation.count("service_request", at: "370100") < Self.tickets, "the kill came too late"
                )
                try await federation.serve("370100")
            }
            try await system.wait(for: process)
            try await expectAll(of: federation)
        }

        @Test(.timeLimit(.minutes(15)))
        func `sees its ticket at the province at once, and nothing of it once its token is revoked`() async throws {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            try await federation.serve("370000")
            try await federation.serve("370100")
            try await federation.waitUntilLevel("370000")
            let system = try await LocalSystem(federation, batches: 2, records: 1)
            #expect(try await system.push(0) == "200")
            // Far below any heartbeat: nothing polls.
            try await federation.waitUntil("the ticket is at the province", seconds: 2) {
                try await federation.count("service_request", at: "370000") == 1
            }
            #expect(try await federation.sql("SELECT ext FROM service_request", at: "370000") == #"{"地方":[1,2.50]}"#)
            try await federation.succeed(["token", "revoke", "test"], at: "370100")
            #expect(try await system.push(1) == "401")
            let list = try await federation.succeed(["token", "list"], at: "370100").output
            #expect(list.contains("已吊销"))
            #expect(!list.contains("fnt_"))
            #expect(
                try await federation.sql(
                    "SELECT count(*) FROM api_token WHERE hex(digest) LIKE '%666E745F%'", at: "370100") == "0")
        }

        @Test(.timeLimit(.minutes(15)))
        func `on another machine comes in by TLS with its token, and to nothing else`() async throws {
            let federation = try await Federation([Federation.Node(code: "370100")])
            let settings = try String(contentsOfFile: federation.path("370100/node.yaml"), encoding: .utf8)
            try federation.write(settings + "intake-listen: \"127.0.0.1:0\"\n", to: "370100/node.yaml")
            try await federation.serve("370100")
            let system = try await LocalSystem(federation, batches: 1, records: 1)
            let line = try String(contentsOfFile: federation.path("370100/serve.out"), encoding: .utf8)
            let port = try #require(line.firstMatch(of: /https:\/\/127\.0\.0\.1:(\d+) \(local systems\)/)).1
            let curl = [
                "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", federation.path("ca/ca.pem"),
                "--connect-to", "n370100.node.invalid:\(port):127.0.0.1:\(port)",
            ]
            let answer = try await Federation.tool(
                curl + system.arguments(batch: 0) + ["https://n370100.node.invalid:\(port)\(LocalSystem.path)"])
            #expect(answer.output == "200")
            let metrics = try await Federation.tool(curl + ["https://n370100.node.invalid:\(port)/metrics"])
            #expect(metrics.output == "404")
            #expect(try await federation.count("service_request", at: "370100") == 1)
        }

        /// What docs/importing.md tells people to type.
        @Test(.timeLimit(.minutes(15))) func `finds the manual's example to run as it is written`() async throws {
            let federation = try await Federation([Federation.Node(code: "370100")])
            try await federation.serve("370100")
            let manual = try String(
                contentsOf: repositoryRoot.appending(path: "docs/importing.md"), encoding: .utf8)
            let chapter = try #require(manual.components(separatedBy: "\n## ").first { $0.hasPrefix("Pushing") })
            let blocks = chapter.matches(of: /```sh\n([\s\S]*?)```/).map { String($0.1) }
            #expect(blocks.count >= 2)
            let port = try federation.localPort("370100")
            let script = blocks.joined(separator: "\n").replacing("127.0.0.1:7470", with: "127.0.0.1:\(port)")
            try federation.write("set -euo pipefail\n" + script, to: "example.sh")
            let folder = Federation.executable.deletingLastPathComponent().path
            let result = try await Federation.tool([
                "PATH=\(folder):/usr/local/bin:/usr/bin:/bin",
                "FEDERATION_NODE_CONFIG=\(federation.path("370100/node.yaml"))", "bash",
                federation.path("example.sh"),
            ])
            #expect(result.status == 0, "\(result.output) \(result.errors)")
            #expect(result.output.contains("\"accepted\":1"))
            #expect(try await federation.count("service_request", at: "370100") >= 1)
            #expect(try await federation.count("assignment", at: "370100") >= 1)
        }

        private func expectAll(of federation: Federation) async throws {
            try await federation.waitUntil("all of it is at the province", seconds: 30) {
                try await federation.count("service_request", at: "370000") == Self.tickets
            }
            for code in ["370100", "370000"] {
                #expect(try await federation.count("service_request", at: code) == Self.tickets)
                let distinct = "SELECT count(DISTINCT global_id) FROM service_request"
                #expect(try await federation.sql(distinct, at: code) == "\(Self.tickets)")
            }
        }

        private func body(of answer: String) -> Substring {
            answer[(answer.firstRange(of: "\r\n\r\n")?.upperBound ?? answer.startIndex)...]
        }
    }
}

/// A ticket system as a process of its own: a shell that pushes one file after the other with curl, each until it is
/// answered with 200, and notes which it is through with. It can be killed, and goes on where it was.
private final class LocalSystem {
    static let path = "/v1/resources/service_request/records"

    private let federation: Federation
    private let token: String

    /// - Parameter pause: seconds that it waits in the middle of each body.
    init(_ federation: Federation, pause: String = "0", batches: Int, records: Int) async throws {
        self.federation = federation
        token = try await federation.succeed(["token", "create", "--name", "test"], at: "370100").output
            .trimmingCharacters(in: .newlines)
        try FileManager.default.createDirectory(
            atPath: federation.path("batches"), withIntermediateDirectories: true)
        for batch in 0..<batches {
            let lines = (0..<records).map { number in
                """
                {"key":"\(batch)-\(number)","service_request_id":"\(batch)-\(number)","channel":"01","request_type":"2",\
                "requested_datetime":"2025-09-30T10:02:00+08:00","urgency":"normal","acceptance":"accepted",\
                "title":"路灯不亮","description":"\(String(repeating: "夜间", count: 100))","ext":{"地方":[1,2.50]}}

                """
            }
            try federation.write(lines.joined(), to: String(format: "batches/%03d", batch))
        }
        let url = "http://127.0.0.1:$port\(Self.path)"
        try federation.write(
            """
            middle=\(federation.path("middle"))
            for batch in \(federation.path("batches"))/*; do
              grep -qsx "$batch" \(federation.path("done")) && continue
              while true; do
                port=$(sed -n 's,.* http://127.0.0.1:\\([0-9]*\\) .*,\\1,p' \(federation.path("370100/serve.out")))
                code=$({ head -c 100000 "$batch"; touch "$middle"; sleep \(pause); rm "$middle"; tail -c +100001 "$batch"; } |
                  curl -s -o /dev/null -w '%{http_code}' --max-time 20 -H 'Authorization: Bearer \(token)' \\
                  -H 'Content-Type: application/x-ndjson' -H 'Expect:' -X POST -T - "\(url)")
                [ "$code" = 200 ] && break
                sleep 0.02
              done
              echo "$batch" >> \(federation.path("done"))
            done

            """, to: "push.sh")
    }

    /// curl's arguments for one batch.
    func arguments(batch: Int) -> [String] {
        [
            "-H", "Authorization: Bearer \(token)", "-H", "Content-Type: application/x-ndjson", "--data-binary",
            "@" + federation.path(String(format: "batches/%03d", batch)),
        ]
    }

    /// One batch, once.
    ///
    /// - Returns: the HTTP status.
    func push(_ batch: Int) async throws -> String {
        let url = "http://127.0.0.1:\(try federation.localPort("370100"))\(Self.path)"
        return try await Federation.tool(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}"] + arguments(batch: batch) + [url]
        ).output
    }

    /// Foundation gives it a process group of its own, so that a kill reaches its curl too.
    func start() throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["bash", federation.path("push.sh")]
        process.standardInput = FileHandle.nullDevice
        try process.run()
        try #require(getpgid(process.processIdentifier) == process.processIdentifier)
        return process
    }

    /// Whether it has sent a part of a batch and not yet the rest.
    var isInTheMiddle: Bool { FileManager.default.fileExists(atPath: federation.path("middle")) }

    func kill(_ process: Process) {
        Glibc.kill(-process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: federation.path("middle"))
    }

    func wait(for process: Process) async throws {
        try await federation.waitUntil("the system has pushed all", seconds: 60) { !process.isRunning }
        try #require(process.terminationStatus == 0)
    }

    func finish() async throws { try await wait(for: start()) }
}
