import Foundation
import TestSupport
import Testing

extension `Real processes` {
    /// What commands and the service do when what they write to is closed, full, gone, or something else than a file.
    @Suite struct `Output` {
        private static let pair = Array(Federation.qilu.prefix(2))
        private static let city = [Federation.Node(code: "370100", name: "济南市")]

        /// Runs a line of bash in which `$NODE` is the program and `$DIR` the folder of the federation.
        private func bash(_ line: String, _ federation: Federation) async throws -> CommandResult {
            try await Federation.tool([
                "NODE=\(Federation.executable.path)", "DIR=\(federation.folder.path)",
                "FEDERATION_NODE_CONFIG=\(federation.path("370100/node.yaml"))", "bash", "-c", line,
            ])
        }

        @Test(.timeLimit(.minutes(15)), arguments: [">/dev/full", ">&-"])
        func `that can't be written is a failure with a code, and nothing is kept that nobody saw`(
            redirection: String
        ) async throws {
            let federation = try await Federation(Self.city)
            for command in ["query --json", "status", "ticket list", "--help", "--version"] {
                let result = try await bash("\"$NODE\" \(command) \(redirection)", federation)
                #expect(result.status == 1, "\(command)")
                #expect(result.errors.hasPrefix("E_OUTPUT_WRITE"), "\(command): \(result.errors)")
            }
            for format in ["", "--json"] {
                let token = try await bash("\"$NODE\" token create --name crm \(format) \(redirection)", federation)
                #expect(token.status == 1 && token.errors.hasPrefix("E_OUTPUT_WRITE"))
                let numbers = try await bash("\"$NODE\" ticket numbers --seat 1 \(format) \(redirection)", federation)
                #expect(numbers.status == 1 && numbers.errors.hasPrefix("E_OUTPUT_WRITE"))
            }
            #expect(try await federation.sql("SELECT count(*) FROM api_token", at: "370100") == "0")
            #expect(try await federation.sql("SELECT max(last) FROM ticket_number", at: "370100") == "0")
        }

        @Test(.timeLimit(.minutes(15)))
        func `into a pipe whose reader has read enough ends quietly, but shows a token to somebody or makes none`()
            async throws
        {
            let federation = try await Federation(Self.city)
            let list = try await bash("\"$NODE\" resource list --json | true; exit ${PIPESTATUS[0]}", federation)
            #expect(list.status == 0 && list.errors.isEmpty)
            let token = try await bash(
                "(sleep 1; \"$NODE\" token create --name crm) | true; exit ${PIPESTATUS[0]}", federation)
            #expect(token.status == 1 && token.errors.hasPrefix("E_OUTPUT_WRITE"))
            #expect(try await federation.sql("SELECT count(*) FROM api_token", at: "370100") == "0")
        }

        @Test(
            .timeLimit(.minutes(15)),
            arguments: ["2>/dev/full", "2>&-", ">&- 2>&-", "2> >(head -1 >/dev/null)", "2> >(exec sleep 10)"])
        func `that the service can't log to does not end it`(redirection: String) async throws {
            let federation = try await Federation(Self.pair)
            let process = Process()
            process.executableURL = URL(filePath: "/bin/bash")
            process.arguments = [
                "-c", "exec '\(Federation.executable.path)' serve --set log-level=trace \(redirection)",
            ]
            process.environment = ["FEDERATION_NODE_CONFIG": federation.path("370100/node.yaml")]
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            defer {
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
            }
            try await federation.waitUntil("it serves and calls its parent", seconds: 30) {
                let status = try await federation.succeed(["status", "--json"], at: "370100").json()
                return status["serving"] as? Bool == true
                    && status[list: "links"].contains { $0["state"] as? String == "unreachable" }
            }
            #expect(process.isRunning)
            kill(process.processIdentifier, SIGTERM)
            try await federation.waitUntil("it has ended", seconds: 15) { !process.isRunning }
            #expect(process.terminationReason == .exit && process.terminationStatus == 0)
        }

        @Test(.timeLimit(.minutes(15)), arguments: [SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2])
        func `and a signal that asks for nothing else leave the service running`(signal: Int32) async throws {
            let federation = try await Federation(Self.pair)
            try await federation.serve("370100")
            try federation.signal("370100", signal)
            #expect(try await federation.get("/healthz", from: "370100").hasPrefix("HTTP/1.1 200"))
            #expect(try await federation.stop("370100") == 0)
        }

        @Test(.timeLimit(.minutes(15)))
        func `to a name that is taken is refused unless the command is told to replace it`() async throws {
            let federation = try await Federation(Self.pair)
            let export = ["change-set", "export", "--peer", "370000", "--out"]
            try await federation.succeed(export + [federation.path("first.fcs")], at: "370100")
            try federation.write(
                "message_id,user,title,created_at\n1001,A1,路灯不亮,2025/9/1 8:30:00\n1002,A2,噪声,2025/9/2 8:30:00\n",
                to: "records.csv")
            let commands = [
                ["generate", "--tickets", "1", "--out"], export,
                ["import", "suggest", federation.path("records.csv"), "--out"],
                ["change-set", "inspect", federation.path("first.fcs"), "--sqlite"],
            ]
            for command in commands {
                let node = ["change-set", "generate"].contains(command[0]) && command[1] != "inspect" ? "370100" : nil
                try federation.write("by hand", to: "taken")
                let refused = try await federation.run(command + [federation.path("taken")], at: node)
                #expect(refused.status == 1 && refused.errors.hasPrefix("E_FILE_EXISTS"), "\(command)")
                #expect(try String(contentsOfFile: federation.path("taken"), encoding: .utf8) == "by hand")
                try await federation.succeed(command + [federation.path("taken"), "--force"], at: node)
                let mode = try FileManager.default.attributesOfItem(atPath: federation.path("taken"))[.posixPermissions]
                #expect(mode as? Int == 0o600, "\(command)")
                // A pipe is written to; a device would be treated alike.
                let pipe = federation.path("pipe")
                let through = try await bash(
                    "mkfifo '\(pipe)'; cat '\(pipe)' | wc -c & \"$NODE\" "
                        + (command + [pipe, "--force"]).map { "'\($0)'" }.joined(separator: " ")
                        + " >/dev/null 2>&1; s=$?; wait; [ -p '\(pipe)' ] && rm '\(pipe)' && exit $s", federation)
                #expect(through.status == 0, "\(command): \(through.errors)")
                let count = Int(through.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
                #expect(count > 0, "\(command)")
            }
        }

        @Test(.timeLimit(.minutes(15)))
        func `of rejected rows replaces no file but one of rejected rows`() async throws {
            let federation = try await Federation(Self.city)
            let mapping = repositoryRoot.appending(path: "mappings/generated-tickets.yaml").path
            let source = federation.path("tickets.csv")
            try await federation.succeed(["generate", "--tickets", "20", "--out", source], at: "370100")
            let before = try Data(contentsOf: URL(filePath: source))
            let arguments = ["import", "--resource", "service_request", "--mapping", mapping, source, "--rejects"]
            let refused = try await federation.run(arguments + [source], at: "370100")
            #expect(refused.status == 1 && refused.errors.hasPrefix("E_FILE_EXISTS"))
            #expect(try Data(contentsOf: URL(filePath: source)) == before)
            #expect(try await federation.count("service_request", at: "370100") == 0)
        }

        @Test(.timeLimit(.minutes(15)))
        func `of an import that fails in the middle says what was done`() async throws {
            let federation = try await Federation(Self.city)
            let mapping = repositoryRoot.appending(path: "mappings/generated-tickets.yaml").path
            let source = federation.path("tickets.csv")
            try await federation.succeed(["generate", "--tickets", "20000", "--out", source], at: "370100")
            let packed = try await Federation.tool([
                "bash", "-c", "gzip -c '\(source)' | head -c 1200000 >'\(source).gz'",
            ])
            #expect(packed.status == 0)
            let result = try await federation.run(
                ["import", "--resource", "service_request", "--mapping", mapping, "\(source).gz", "--json"],
                at: "370100")
            #expect(result.status == 1 && result.errors.contains("E_IMPORT_READ"))
            let accepted = try #require(result.json()["accepted"] as? Int)
            #expect(accepted > 0)
            #expect(try await federation.count("service_request", at: "370100") == accepted)
        }

        @Test(.timeLimit(.minutes(15)))
        func `with records is for the node's user alone, in a folder that was there too`() async throws {
            let federation = try await Federation(Self.city)
            func mode(_ name: String) throws -> Int {
                let attributes = try FileManager.default.attributesOfItem(atPath: federation.path(name))
                return try #require(attributes[.posixPermissions] as? Int)
            }
            let result = try await bash(
                """
                umask 022; mkdir -m 755 "$DIR/empty" "$DIR/full"; touch "$DIR/full/other"
                for d in empty full; do "$NODE" init --node 370100 --topology "$DIR/topology.yaml" --dir "$DIR/$d" || exit 1; done
                """, federation)
            #expect(result.status == 0, "\(result.errors)")
            #expect(try mode("empty") == 0o700)
            #expect(try mode("full") == 0o755)
            #expect(result.errors.contains("E_READABLE_BY_OTHERS: \(federation.path("full"))"))
            for folder in ["empty", "full"] {
                for file in ["node.db", "node.yaml"] { #expect(try mode("\(folder)/\(file)") == 0o600) }
            }
            let key = "370100/credentials/node-key.pem"
            for file in [key, "370100/node.db"] {
                try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: federation.path(file))
            }
            try await federation.serve("370100")
            let log = try String(contentsOfFile: federation.path("370100/serve.log"), encoding: .utf8)
            for file in [key, "370100/node.db"] {
                #expect(try mode(file) == 0o600)
                #expect(log.contains("E_READABLE_BY_OTHERS: \(federation.path(file))"))
            }
        }

        @Test(.timeLimit(.minutes(15)))
        func `of init and ca issue leaves what is there`() async throws {
            let federation = try await Federation(Self.city)
            try FileManager.default.removeItem(atPath: federation.path("370100/node.db"))
            let settings = try String(contentsOfFile: federation.path("370100/node.yaml"), encoding: .utf8)
            let again = try await federation.run([
                "init", "--node", "370100", "--topology", federation.path("topology.yaml"), "--dir",
                federation.path("370100"),
            ])
            #expect(again.status == 1 && again.errors.hasPrefix("E_FILE_EXISTS"))
            #expect(try String(contentsOfFile: federation.path("370100/node.yaml"), encoding: .utf8) == settings)
            let folder = federation.path("370100/credentials")
            func text(_ name: String) throws -> String {
                try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            }
            let (key, certificate) = (try text("node-key.pem"), try text("node.pem"))
            let issue = ["ca", "issue", "--ca", federation.path("ca"), "--out", folder, "--node"]
            let foreign = try await federation.run(issue + ["370200"])
            #expect(foreign.status == 1 && foreign.errors.hasPrefix("E_FILE_EXISTS"))
            #expect(try text("node.pem") == certificate)
            try await federation.succeed(issue + ["370100"])
            #expect(try text("node-key.pem") == key && text("node.pem") != certificate)
            try await federation.succeed(issue + ["370100", "--force"])
            #expect(try text("node-key.pem") != key)
        }
    }
}
