import Foundation
import Testing

extension `Real processes` {
    /// Links by file, where there is no network (网闸).
    @Suite struct Ferry {
        /// The province listens where nobody looks for it: both services run, and no connection comes about.
        private func listen(_ federation: Federation, apart: Bool) throws {
            let path = federation.path("370000/node.yaml")
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let kept = federation.path("370000/node.yaml.kept")
            if apart {
                try text.write(toFile: kept, atomically: true, encoding: .utf8)
                let edited = text.replacing(/(?m)^listen: .*$/, with: "listen: 127.0.0.1:0")
                try #require(edited != text)
                try edited.write(toFile: path, atomically: true, encoding: .utf8)
            } else {
                try String(contentsOfFile: kept, encoding: .utf8).write(toFile: path, atomically: true, encoding: .utf8)
            }
        }

        private func generate(_ federation: Federation, _ tickets: Int, from day: String) async throws {
            try await federation.succeed(
                ["generate", "--tickets", "\(tickets)", "--from", day, "--days", "1"], at: "370100")
        }

        /// Exports at one node and imports at the other.
        @discardableResult
        private func carry(
            _ federation: Federation, from sender: String, to receiver: String, file: String, _ options: [String] = []
        ) async throws -> (exported: [String: Any], imported: [String: Any]) {
            let path = federation.path(file)
            let exported = try await federation.succeed(
                ["sync", "export", "--peer", receiver, "--out", path, "--json"] + options, at: sender
            ).json()
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int == exported["bytes"] as? Int)
            let imported = try await federation.succeed(["sync", "import", path, "--json"], at: receiver).json()
            return (exported, imported)
        }

        private func isEqual(_ federation: Federation) async throws -> Bool {
            try await federation.countRecords(at: "370000") == federation.countRecords(at: "370100")
        }

        @Test(.timeLimit(.minutes(15)))
        func `two services without a network stay equal by files, also after a restore, and go on over a network`()
            async throws
        {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            try listen(federation, apart: true)
            try await generate(federation, 200, from: "2025-09-30")
            for code in ["370000", "370100"] { try await federation.serve(code) }

            // There and back.
            let certificate = ["--certificate", federation.path("370000/credentials/node.pem")]
            let up = federation.path("1.ferry")
            let refused = try await federation.run(["sync", "export", "--peer", "370000", "--out", up], at: "370100")
            #expect(refused.status == 1 && refused.errors.hasPrefix("E_FERRY_CERTIFICATE"))
            #expect(!FileManager.default.fileExists(atPath: up))
            let first = try await carry(federation, from: "370100", to: "370000", file: "1.ferry", certificate)
            #expect(first.exported["rows"] as? Int == first.imported["applied"] as? Int)
            #expect(try await isEqual(federation))
            let back = try await carry(federation, from: "370000", to: "370100", file: "2.ferry")
            #expect(back.imported[object: "confirmed"]["seq"] as? Int == first.exported[object: "upto"]["seq"] as? Int)

            let again = try await federation.succeed(["sync", "import", up, "--json"], at: "370000").json()
            #expect(again["replayed"] as? Bool == true && again["applied"] as? Int == 0)
            let inspected = try await federation.succeed(["change-set", "inspect", up, "--json"]).json()
            #expect(inspected["sender"] as? String == "370100" && inspected["receiver"] as? String == "370000")
            let astray = try await federation.run(["sync", "import", up], at: "370100")
            #expect(astray.status == 1 && astray.errors.hasPrefix("E_FERRY_ADDRESS"))
            for code in ["370000", "370100"] {
                try await federation.waitUntil("status of \(code) says so", seconds: 30) {
                    try await federation.succeed(["status", "--json"], at: code).json()[list: "links"]
                        .allSatisfy { $0["state"] as? String == "ferried" && $0["ferriedAt"] is String }
                }
            }
            #expect(try await federation.run(["status", "--check"], at: "370100").status == 0)

            // The sender goes back to a backup: nothing goes, and it gets back what it lost.
            let backup = federation.path("backup.db")
            try await federation.succeed(["backup", "create", "--out", backup], at: "370100")
            try await generate(federation, 100, from: "2025-10-09")
            try await carry(federation, from: "370100", to: "370000", file: "3.ferry")
            let held = try await federation.countRecords(at: "370000")
            try await federation.stop("370100")
            try await federation.succeed(["backup", "restore", backup], at: "370100")
            try await federation.serve("370100")
            #expect(try await federation.countRecords(at: "370100") < held)
            let whole = try await carry(federation, from: "370100", to: "370000", file: "4.ferry")
            #expect(whole.imported["lost"] as? Int ?? 0 > 0)
            #expect(try await federation.countRecords(at: "370000") == held)
            let returned = try await carry(federation, from: "370000", to: "370100", file: "5.ferry")
            #expect(returned.imported["adopted"] as? Int == whole.imported["lost"] as? Int)
            let last = try await carry(federation, from: "370100", to: "370000", file: "6.ferry")
            #expect(last.imported["lost"] as? Int == 0)
            #expect(try await isEqual(federation))
            #expect(try await federation.countRecords(at: "370100") == held)

            // Then there is a network, and a file beside it.
            try await federation.stop("370000")
            try listen(federation, apart: false)
            try await federation.serve("370000")
            for code in ["370000", "370100"] { try await federation.waitUntilLevel(code) }
            try await generate(federation, 50, from: "2025-10-10")
            try await carry(federation, from: "370100", to: "370000", file: "7.ferry")
            try await generate(federation, 50, from: "2025-10-11")
            for code in ["370000", "370100"] { try await federation.waitUntilLevel(code) }
            #expect(try await isEqual(federation))
            try await federation.waitUntil("both are proved equal", seconds: 30) {
                try await federation.run(["sync", "verify"], at: "370000").status == 0
            }
            // What the network has confirmed is noted twice a second.
            try await federation.waitUntil("a file has nothing to carry", seconds: 10) {
                let path = federation.path("\(UUID().uuidString).ferry")
                return try await federation.succeed(
                    ["sync", "export", "--peer", "370000", "--out", path, "--json"], at: "370100"
                ).json()["rows"] as? Int == 0
            }
        }
    }
}
