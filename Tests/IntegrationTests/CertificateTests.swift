import Foundation
import Testing

extension `Real processes` {
    @Suite struct `The certificate of a running node` {
        private static let pair = Array(Federation.qilu.prefix(2))

        private func issue(_ federation: Federation, _ node: String = "370100", to folder: String? = nil) async throws {
            try await federation.succeed([
                "ca", "issue", "--ca", federation.path("ca"), "--node", node, "--out",
                folder ?? federation.path("370100/credentials"), "--force",
            ])
        }

        private func status(_ federation: Federation) async throws -> (disk: String, served: [String: Any], exit: Int32)
        {
            let result = try await federation.run(["cert", "status", "--json"], at: "370100")
            let json = try result.json()
            return (
                try #require(json["serial"] as? String), try #require(json[list: "served"].first), result.status
            )
        }

        @Test(.timeLimit(.minutes(15)))
        func `is replaced by a renewed one without a restart, and by no bad one`() async throws {
            let federation = try await Federation(Self.pair)
            try await federation.serve("370000")
            try await federation.serve("370100")
            try await federation.waitUntilLevel("370100")
            let first = try await status(federation)
            #expect(first.exit == 0 && first.served["serial"] as? String == first.disk)

            try await issue(federation)
            try federation.signal("370100", SIGHUP)
            let renewed = try await status(federation).disk
            #expect(renewed != first.disk)
            try await federation.waitUntil("the renewed one is in use", seconds: 10) {
                try await status(federation).served["serial"] as? String == renewed
            }
            let link = try #require(
                String(contentsOfFile: federation.path("370100/node.yaml"), encoding: .utf8)
                    .firstMatch(of: /listen: "(127[^"]*)"/)?.1)
            let shown = try await Federation.tool([
                "bash", "-c",
                "openssl s_client -connect \(link) </dev/null 2>/dev/null | openssl x509 -noout -serial",
            ])
            #expect(shown.output == "serial=\(renewed)\n")
            // The parent accepts what the node shows as a client now.
            try await federation.stop("370000")
            try await federation.serve("370000")
            try await federation.waitUntilLevel("370100")

            let folder = federation.path("370100/credentials")
            let good = try ["node.pem", "node-key.pem"].map {
                try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8)
            }
            // Of another node, then with a key that is not its own, then half written.
            try await issue(federation, "370000", to: federation.path("other"))
            let other = try String(contentsOfFile: federation.path("other/node.pem"), encoding: .utf8)
            let otherKey = try String(contentsOfFile: federation.path("other/node-key.pem"), encoding: .utf8)
            for (certificate, key) in [(other, otherKey), (good[0], otherKey), (String(good[0].prefix(300)), good[1])] {
                try federation.write(certificate, to: "370100/credentials/node.pem")
                try federation.write(key, to: "370100/credentials/node-key.pem")
                try federation.signal("370100", SIGHUP)
                try await federation.waitUntil("the bad one is named", seconds: 10) {
                    let report = try await federation.succeed(["status", "--json"], at: "370100").json()
                    return report[list: "certificates"].first?["problem"] is String
                }
                #expect(try await federation.run(["status", "--check"], at: "370100").status == 4)
                try federation.write(good[0], to: "370100/credentials/node.pem")
                try federation.write(good[1], to: "370100/credentials/node-key.pem")
                try federation.signal("370100", SIGHUP)
                try await federation.waitUntil("the good one is there again", seconds: 10) {
                    let status = try await status(federation)
                    return status.exit == 0 && status.served["serial"] as? String == renewed
                }
            }
            let page = try await federation.get("/metrics", from: "370100")
            let expiry = try #require(
                page.firstMatch(of: /federation_certificate_expiry_seconds\{certificate="node"\} (\d+)/)?.1)
            #expect((364 * 86_400...365 * 86_400).contains(Int(expiry) ?? 0))
            try await federation.waitUntilLevel("370100")
        }

        @Test(.timeLimit(.minutes(15)))
        func `is not needed for a question that asks nobody`() async throws {
            let federation = try await Federation(Self.pair)
            for node in ["370000", "370100"] {
                try FileManager.default.removeItem(atPath: federation.path("\(node)/credentials"))
            }
            try await federation.succeed(["generate", "--tickets", "3", "--requests-only"], at: "370100")
            let (result, json) = try await federation.query(at: "370100")
            #expect(result.status == 0 && (json["rows"] as? [[Int]]) == [[3]])
        }
    }

    @Suite struct `Addresses` {
        @Test(
            .timeLimit(.minutes(15)),
            arguments: [
                ("https://[::1]:24999", "[::1]:24999"), ("https://127.0.0.1:24999", "127.0.0.1:24999"),
                ("https://hotline.example:24999", "*:24999"),
            ])
        func `that init writes are those of the endpoint on this machine, else all`(
            endpoint: String, listen: String
        ) async throws {
            let federation = try await Federation([])
            try federation.write(
                "version: 1\nname: t\nnodes:\n  - {code: \"370100\", name: 济南市, endpoint: \"\(endpoint)\"}\n",
                to: "t.yaml")
            try await federation.succeed([
                "init", "--node", "370100", "--topology", federation.path("t.yaml"), "--dir", federation.path("n"),
            ])
            let settings = try String(contentsOfFile: federation.path("n/node.yaml"), encoding: .utf8)
            #expect(settings.contains("\nlisten: \"\(listen)\"\n"))
            try await federation.succeed([
                "init", "--node", "370100", "--topology", federation.path("t.yaml"), "--dir", federation.path("m"),
                "--listen", "10.1.2.3:7370",
            ])
            #expect(
                try String(contentsOfFile: federation.path("m/node.yaml"), encoding: .utf8).contains(
                    "\"10.1.2.3:7370\""))
        }

        @Test(.timeLimit(.minutes(15)))
        func `that are taken are named, each by itself`() async throws {
            let federation = try await Federation([Federation.Node(code: "370100", name: "济南市")])
            try await federation.serve("370100")
            let port = try federation.localPort("370100")
            try await federation.succeed([
                "init", "--node", "370100", "--topology", federation.path("topology.yaml"), "--dir",
                federation.path("n"),
                "--listen", "127.0.0.1:0", "--local-listen", "127.0.0.1:\(port)",
            ])
            let second = try await federation.run([
                "serve", "--config", federation.path("n/node.yaml"), "--set",
                "credentials=\(federation.path("370100/credentials"))",
            ])
            #expect(second.status == 1 && second.errors.contains("E_LISTEN: can't listen on 127.0.0.1:\(port): "))
            #expect(!second.errors.contains("127.0.0.1:0"))
        }
    }
}
