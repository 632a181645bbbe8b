import Foundation
import Testing

extension `Real processes` {
    /// A disk that is full or can't be written to, and files that are not what they should be.
    @Suite struct `A database in trouble` {
        private static let city = [Federation.Node(code: "370100", name: "济南市")]

        /// Runs lines of bash in which `$NODE` is the program and `$DIR` the node's directory on a small disk of its own, which
        /// `fill` fills up.
        private func onSmallDisk(_ lines: String, _ federation: Federation) async throws -> CommandResult {
            let script = """
                mount -t tmpfs -o size=12m none /mnt && cp -a "$DIR/." /mnt && cd /mnt
                export FEDERATION_NODE_CONFIG=/mnt/node.yaml FEDERATION_NODE_DISK_FLOOR=0
                fill() { dd if=/dev/zero of=/mnt/fill bs=4k 2>/dev/null; true; }
                \(lines)
                """
            return try await Federation.tool([
                "NODE=\(Federation.executable.path)", "DIR=\(federation.path("370100"))", "unshare", "-Urm", "bash",
                "-c",
                script,
            ])
        }

        @Test(.timeLimit(.minutes(15)), .enabled(if: Federation.mayMount))
        func `that can't be written to is still read, and says so where it should be written`() async throws {
            let federation = try await Federation(Self.city)
            try await federation.succeed(["generate", "--tickets", "20", "--requests-only"], at: "370100")
            try await federation.succeed(["ticket", "list"], at: "370100")
            let result = try await onSmallDisk(
                """
                mount -o remount,ro /mnt
                for c in "query --json" "ticket list --json" "status --json" "token list --json"; do
                  "$NODE" $c >/tmp/out.$$ || { echo "failed: $c"; cat /tmp/out.$$; }
                  rm -f /tmp/out.$$
                done
                "$NODE" query --json
                "$NODE" token create --name crm; echo "exit $?"
                """, federation)
            #expect(!result.output.contains("failed"), "\(result.output) \(result.errors)")
            #expect(result.output.contains("[20]"), "\(result.output)")
            #expect(result.output.hasSuffix("exit 1\n"))
            #expect(result.errors.contains("E_STORE_READONLY: the database /mnt/node.db"))
        }

        @Test(.timeLimit(.minutes(15)), .enabled(if: Federation.mayMount))
        func `on a full disk is still read, is not ready, and goes on when there is room`() async throws {
            let federation = try await Federation(Self.city)
            try await federation.succeed(["generate", "--tickets", "20", "--requests-only"], at: "370100")
            try await federation.succeed(["ticket", "list"], at: "370100")
            let result = try await onSmallDisk(
                """
                fill
                "$NODE" query --json || echo "failed: query"
                "$NODE" generate --tickets 3000; echo "generate $?"
                rm /mnt/fill
                "$NODE" serve >/mnt/out 2>/mnt/log &
                until grep -q ^listening /mnt/out; do read -t 0.1 <> <(:) || :; done
                url=$(grep -o 'http://127[^ ]*' /mnt/out)
                ready() { curl -s -o /dev/null -w '%{http_code}\\n' "$url/readyz"; }
                echo "before $(ready)"; fill; echo "full $(ready)"
                "$NODE" status --json | grep -o E_STORE_FULL
                "$NODE" status --check >/dev/null; echo "check $?"
                rm /mnt/fill; echo "after $(ready)"
                kill %1; wait %1; echo "end $?"
                """, federation)
            #expect(!result.output.contains("failed"), "\(result.output) \(result.errors)")
            #expect(
                result.output.contains(
                    "generate 1\nbefore 200\nfull 503\nE_STORE_FULL\ncheck 4\nafter 200\nend 0\n"), "\(result.output)")
            #expect(result.errors.contains("E_STORE_FULL: there is no space left for the database /mnt/node.db"))
        }

        @Test(.timeLimit(.minutes(15)))
        func `of a later release is refused before anything is written`() async throws {
            let federation = try await Federation(Self.city)
            let marked = try await Federation.tool([
                "sqlite3", federation.path("370100/node.db"),
                "INSERT INTO grdb_migrations VALUES ('99 of a later release')",
            ])
            #expect(marked.status == 0)
            for command in [["query"], ["generate", "--tickets", "1"], ["serve"], ["status"]] {
                let result = try await federation.run(command, at: "370100")
                #expect(result.status == 1 && result.errors.hasPrefix("E_STORE_NEWER"), "\(command): \(result.errors)")
            }
        }

        @Test(.timeLimit(.minutes(15)))
        func `that is none is named as damaged, and settings that can't be read are not missing`() async throws {
            let federation = try await Federation(Self.city)
            // Without its write-ahead log, which may hold all of it.
            for suffix in ["-wal", "-shm"] {
                try? FileManager.default.removeItem(atPath: federation.path("370100/node.db\(suffix)"))
            }
            try Data(repeating: 7, count: 8_192).write(to: URL(filePath: federation.path("370100/node.db")))
            let result = try await federation.run(["query"], at: "370100")
            #expect(result.status == 1 && result.errors.hasPrefix("E_STORE_DAMAGED"), "\(result.errors)")
            #expect(result.errors.contains(federation.path("370100/node.db")))
            let folder = try await federation.run(["status", "--config", federation.path("370100")])
            #expect(folder.status == 1 && folder.errors.hasPrefix("E_CONFIG_UNREADABLE"), "\(folder.errors)")
            let none = try await federation.run(["status", "--config", federation.path("none.yaml")])
            #expect(none.status == 1 && none.errors.hasPrefix("E_CONFIG_MISSING"), "\(none.errors)")
        }

        @Test(.timeLimit(.minutes(15)), .enabled(if: Federation.mayMount))
        func `has one service, also where another container mounts its directory`() async throws {
            let federation = try await Federation(Self.city)
            try await federation.serve("370100")
            let second = try await Federation.tool([
                "unshare", "-Urmn", "bash", "-c",
                "mount --bind '\(federation.path("370100"))' /mnt && '\(Federation.executable.path)' serve --config /mnt/node.yaml",
            ])
            #expect(second.status == 1 && second.errors.contains("E_ALREADY_RUNNING"), "\(second.errors)")
        }
    }
}
