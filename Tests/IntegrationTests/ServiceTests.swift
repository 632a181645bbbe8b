import Foundation
import Testing

@Suite(.serialized) struct `The service and its commands` {
    @Test(.timeLimit(.minutes(2)))
    func `SIGTERM ends a service with open links at once and with exit code 0`() async throws {
        let federation = try await Federation(Array(Federation.qilu.prefix(2)))
        try await federation.serve("370000")
        try await federation.serve("370100")
        try await federation.waitUntilLevel("370000")
        #expect(try await federation.stop("370000", seconds: 5) == 0)
        #expect(try await federation.stop("370100", seconds: 5) == 0)
    }

    @Test(.timeLimit(.minutes(2)))
    func `status says why a link is down, from local state alone`() async throws {
        let federation = try await Federation(Array(Federation.qilu.prefix(2)))
        try await federation.serve("370100")
        try await federation.waitUntil("the city has tried", seconds: 20) {
            let link = try await federation.succeed(["status", "--json"], at: "370100").json()[list: "links"][0]
            return link["state"] as? String == "unreachable"
        }
        let report = try await federation.succeed(["status", "--json"], at: "370100").json()
        let error = report[list: "links"][0][object: "lastError"]
        #expect(error["code"] as? String == "E_PEER_UNREACHABLE")
        #expect(error["hint"] is String)
        #expect(report["serving"] as? Bool == true)
        try await federation.stop("370100")
        #expect(try await federation.succeed(["status", "--json"], at: "370100").json()["serving"] as? Bool == false)
    }

    @Test(.timeLimit(.minutes(2)))
    func `what a command writes is on the parent at once, and health and metrics answer`() async throws {
        let federation = try await Federation(Array(Federation.qilu.prefix(2)))
        try await federation.serve("370000")
        try await federation.serve("370100")
        try await federation.waitUntilLevel("370000")
        try await federation.succeed(["generate", "--tickets", "1"], at: "370100")
        // Far below any heartbeat: nothing polls.
        try await federation.waitUntil("the ticket is at the province", seconds: 2) {
            try await federation.count("service_request", at: "370000") == 1
        }
        #expect(try await federation.get("/healthz", from: "370000").hasPrefix("HTTP/1.1 200"))
        #expect(try await federation.get("/readyz", from: "370000").hasPrefix("HTTP/1.1 200"))
        let page = try await federation.get("/metrics", from: "370000")
        let metrics = page[(page.firstRange(of: "\r\n\r\n")?.upperBound ?? page.startIndex)...]
        #expect(metrics.contains("federation_link_lag_rows{peer=\"370100\",role=\"child\",direction=\"receiving\"} 0"))
        for line in metrics.split(separator: "\n") where !line.hasPrefix("#") {
            #expect(
                line.wholeMatch(of: /[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+/) != nil, "\(line)")
        }
    }

    @Test func `a second service on the same data directory is refused`() async throws {
        let federation = try await Federation([Federation.Node(code: "370000")])
        try await federation.serve("370000")
        let second = try await federation.run(["serve"], at: "370000")
        #expect(second.status == 1)
        #expect(second.errors.contains("E_ALREADY_RUNNING"))
    }

    @Test func `wrong usage is 64, an error begins with its code, and a bad topology names file and line`() async throws
    {
        let federation = try await Federation([Federation.Node(code: "370000")])
        #expect(try await federation.run(["query", "--no-such-flag"], at: "370000").status == 64)
        let unknown = try await federation.run(["query", "--measure", "happiness"], at: "370000")
        #expect(unknown.status == 1)
        #expect(unknown.errors.hasPrefix("E_ANALYSIS_UNKNOWN"))
        let invalid = Federation.repository.appending(path: "topology/examples/invalid")
        for file in try FileManager.default.contentsOfDirectory(at: invalid, includingPropertiesForKeys: nil)
        where file.pathExtension == "yaml" {
            let result = try await federation.run(["topology", "validate", file.path])
            #expect(result.status == 1)
            #expect(result.errors.contains("\(file.lastPathComponent):"), "\(result.errors)")
            #expect(result.errors.contains("E_TOPOLOGY_"))
        }
    }
}
