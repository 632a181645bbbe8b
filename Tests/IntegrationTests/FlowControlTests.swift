import Foundation
import TestSupport
import Testing

extension `Real processes` {
    /// A receiver that has no room, and a sender that does not get on.
    @Suite struct `Flow control` {
        private static let two = Array(Federation.qilu.prefix(2))

        /// The province's database lies on a small disk of its own.
        @Test(.timeLimit(.minutes(15)), .enabled(if: Federation.mayMount, "needs to mount a file system"))
        func `with too little of the disk left rows of others wait, own records do not, and all goes on by itself`()
            async throws
        {
            let federation = try await Federation(Self.two)
            try await federation.succeed(["generate", "--tickets", "20", "--requests-only"], at: "370100")
            let script = """
                mount -t tmpfs -o size=64m none /mnt && cp -a "$DIR/370000/." /mnt
                P=/mnt/node.yaml C="$DIR/370100/node.yaml"
                echo "disk-floor: 32" >>$P
                pause() { read -t 0.2 <> <(:) || :; }
                "$NODE" serve --config $P >/mnt/out 2>/mnt/log & province=$!
                until grep -q ^listening /mnt/out; do pause; done
                "$NODE" serve --config $C >"$DIR/out" 2>"$DIR/log" & city=$!
                tickets() { "$NODE" query --config $P --json --best-effort | tr -d '\\n ' | grep -o '"rows":\\[\\[[0-9]*'; }
                shows() { "$NODE" status --config $1 --json | tr -d '\\n ' | grep -o '"state":"paused"' >/dev/null &&
                          "$NODE" status --config $1 --json | grep -q E_DISK_FLOOR; }
                until [ "$(tickets)" = '"rows":[[20' ]; do pause; done
                free=$(df --output=avail -m /mnt | tail -1)
                dd if=/dev/zero of=/mnt/fill bs=1M count=$((free - 16)) 2>/dev/null
                "$NODE" generate --tickets 30 --requests-only --from 2025-01-01 --config $C >/dev/null
                until shows $C; do pause; done; echo "sender paused"
                until shows $P; do pause; done; echo "receiver paused"
                "$NODE" generate --tickets 5 --requests-only --config $P >/dev/null; echo "own $?"
                echo "meanwhile $(tickets)"
                rm /mnt/fill
                until [ "$(tickets)" = '"rows":[[55' ]; do pause; done; echo "all"
                kill $province $city; wait
                """
            let result = try await Federation.tool([
                "NODE=\(Federation.executable.path)", "DIR=\(federation.folder.path)", "unshare", "-Urm", "bash", "-c",
                script,
            ])
            #expect(
                result.output == "sender paused\nreceiver paused\nown 0\nmeanwhile \"rows\":[[25\nall\n",
                "\(result.output) \(result.errors)")
        }

        /// It is stopped in the middle of its initial load, with change-sets on their way.
        @Test(.timeLimit(.minutes(15)))
        func `a child that does not get on does not hold up its siblings`() async throws {
            let cities = ["370100", "370200", "370400"]
            let federation = try await Federation(
                [Self.two[0]] + cities.map { Federation.Node(code: $0, parent: "370000") })
            let slow = 30_000
            for (city, tickets) in zip(cities, [1_500, 1_500, slow]) {
                try await federation.succeed(["generate", "--tickets", "\(tickets)", "--requests-only"], at: city)
            }
            try await federation.serve("370000")
            try await federation.serve("370400")
            try await federation.waitUntil("it has begun", seconds: 60) {
                try await federation.count("service_request", at: "370000") > 0
            }
            try federation.signal("370400", SIGSTOP)
            let begun = try await federation.count("service_request", at: "370000")
            try #require(begun < slow, "it was through already")
            for city in cities.prefix(2) { try await federation.serve(city) }
            try await federation.waitUntil("the others are there", seconds: 60) {
                try await federation.count("service_request", at: "370000", where: "origin <> '370400'") == 3_000
            }
            // What is new passes too.
            try await federation.succeed(
                ["generate", "--tickets", "10", "--requests-only", "--from", "2025-01-01"], at: "370100")
            try await federation.waitUntil("what is new is there", seconds: 20) {
                try await federation.count("service_request", at: "370000", where: "origin = '370100'") == 1_510
            }
            let late = try await federation.count("service_request", at: "370000", where: "origin = '370400'")
            #expect(late < slow, "it was not slow at all")
            try federation.signal("370400", SIGCONT)
            try await federation.waitUntil("the slow one is there", seconds: 60) {
                try await federation.count("service_request", at: "370000") == slow + 3_010
            }
        }
    }
}
