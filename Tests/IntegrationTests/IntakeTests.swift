import Foundation
import TestSupport
import Testing

extension `Real processes` {
    /// What a hotline hands in by night, and what comes back to it.
    @Suite struct `A hotline that imports by night` {
        private static let mapping = """
            source: crm
            key: NO
            time_formats: ["yyyy-MM-dd HH:mm:ss"]
            optional_columns: [CLOSED]
            records:
              - resource: service_request
                fields:
                  service_request_id: NO
                  requested_datetime: OPENED
                  channel: {value: "01"}
                  request_type: {value: "2"}
                  urgency: {value: normal}
                  acceptance: {value: accepted}
                  title: TITLE
                  region_code: {column: REGION, titles_of: region, default: own}
              - resource: closure
                when: CLOSED
                fields: {occurred_at: CLOSED, closure_kind: {value: closed}}

            """

        /// A city and its province, level, with the mapping in place.
        private func pair() async throws -> Federation {
            let federation = try await Federation(Array(Federation.qilu.prefix(2)))
            try federation.write(Self.mapping, to: "crm.yaml")
            for code in ["370000", "370100"] { try await federation.serve(code) }
            try await federation.waitUntilLevel("370000")
            return federation
        }

        private func importRows(_ rows: String, _ options: [String] = [], at federation: Federation) async throws
            -> CommandResult
        {
            try federation.write("NO,OPENED,TITLE,REGION,CLOSED\n" + rows, to: "crm.csv")
            return try await federation.run(
                [
                    "import", "--resource", "service_request", "--mapping", federation.path("crm.yaml"),
                    federation.path("crm.csv"), "--json",
                ] + options, at: "370100")
        }

        @Test(.timeLimit(.minutes(15)))
        func `undoes a wrong file everywhere, and the corrected one goes in`() async throws {
            let federation = try await pair()
            let right = "1,2025-09-30 09:00:00,路灯,历下区,2025-10-01 09:00:00\n"
            #expect(try await importRows(right, at: federation).json()["new"] as? Int == 1)
            let wrong = "1,2025-09-30 09:00:00,错误,,\n2,2025-09-30 10:00:00,错误,,\n"
            let trial = try await importRows(wrong, ["--dry-run"], at: federation).json()
            #expect(trial["new"] as? Int == 1 && trial["reopened"] as? Int == 1 && trial["intake"] == nil)
            let report = try await importRows(wrong, at: federation).json()
            let number = try #require(report["intake"] as? Int)
            #expect(report["new"] as? Int == 1 && report["reopened"] as? Int == 1)
            let atProvince = "SELECT count(*), min(title), max(region_code) FROM service_request WHERE deleted = 0"
            try await federation.waitUntil("the wrong file is at the province", seconds: 20) {
                try await federation.sql(atProvince, at: "370000") == "2|错误|370100"
            }
            let list = try await federation.succeed(["import", "list", "--json"], at: "370100").jsonList()
            #expect(list.map { $0["number"] as? Int } == [number, number - 1] && list[0]["source"] as? String == "crm")
            let counted = try await federation.succeed(
                ["import", "undo", "\(number)", "--dry-run", "--json"], at: "370100"
            ).json()
            #expect(counted["removed"] as? Int == 1 && counted["restored"] as? Int == 2)
            try await federation.succeed(["import", "undo", "\(number)"], at: "370100")
            try await federation.waitUntil("the province has what was before", seconds: 20) {
                let closures = try await federation.count("closure", at: "370000")
                return try await federation.sql(atProvince, at: "370000") == "1|路灯|370102" && closures == 1
            }
            #expect(
                try await federation.run(["import", "undo", "\(number)"], at: "370100").errors.hasPrefix("E_INTAKE"))
            let again = try await importRows(right + "2,2025-09-30 10:00:00,井盖,历下区,\n", at: federation).json()
            // The tombstone of the second is there.
            #expect(again["changed"] as? Int == 1 && again["unchanged"] as? Int == 1)
            try await federation.waitUntil("the corrected file is at the province", seconds: 20) {
                try await federation.count("service_request", at: "370000") == 2
            }
        }

        @Test(.timeLimit(.minutes(15)))
        func `learns what the province did, by a command and by HTTP, each once`() async throws {
            let federation = try await pair()
            #expect(try await importRows("1,2025-09-30 09:00:00,路灯,历下区,\n", at: federation).status == 0)
            try await federation.waitUntil("the ticket is at the province", seconds: 20) {
                try await federation.count("service_request", at: "370000") == 1
            }
            try await federation.succeed(
                ["ticket", "event", "370100-1", "supervise", "--field", "level=written"], at: "370000")
            try await federation.waitUntil("the city has it in its inbox", seconds: 20) {
                let page = try await federation.succeed(["inbox", "--json"], at: "370100").json()
                return page[list: "items"].count == 1
            }
            let token = try await federation.succeed(["token", "create", "--name", "crm"], at: "370100").output
                .trimmingCharacters(in: .newlines)
            let url = "http://127.0.0.1:\(try federation.localPort("370100"))/v1/inbox?since="
            func ask(_ since: String, _ token: String) async throws -> (status: String, page: [String: Any]) {
                let answer = try await Federation.tool([
                    "curl", "-s", "-w", "\n%{http_code}", "-H", "Authorization: Bearer \(token)", url + since,
                ])
                let parts = answer.output.split(separator: "\n")
                let page = try JSONSerialization.jsonObject(with: Data(try #require(parts.first).utf8))
                return (String(try #require(parts.last)), try #require(page as? [String: Any]))
            }
            let (status, page) = try await ask("0", token)
            let item = try #require(page[list: "items"].first)
            #expect(status == "200" && item["kind"] as? String == "supervision")
            #expect(item["ticket"] as? String == "370100-1" && item["node"] as? String == "370000")
            let next = try #require(page["next"] as? Int)
            #expect(try await ask("\(next)", token).page[list: "items"].isEmpty)
            #expect(try await ask("0", "fnt_wrong").status == "401")
            #expect(try await ask("x", token).page["code"] as? String == "E_INBOX_LIMIT")
        }

        @Test(.timeLimit(.minutes(15)))
        func `is told by the exit code when most of a file is refused, and a clean file leaves no rejects`()
            async throws
        {
            let federation = try await Federation([Federation.Node(code: "370100")])
            try federation.write(Self.mapping, to: "crm.yaml")
            let bad = "1,gestern,t,,\n2,2025-09-30 10:00:00,t,火星,\n3,2025-09-30 10:00:00,t,,\n"
            let rejects = federation.path("rejects.csv")
            let refused = try await importRows(bad, ["--rejects", rejects], at: federation)
            #expect(refused.status == 1 && refused.errors.hasPrefix("E_IMPORT_REJECTS"))
            let report = try refused.json()
            #expect(report["rejected"] as? Int == 2)
            #expect(FileManager.default.fileExists(atPath: rejects))
            #expect(!refused.errors.contains("火星"))
            let allowed = try await importRows(bad, ["--rejects", rejects, "--max-rejects", "67"], at: federation)
            #expect(allowed.status == 0)
            let clean = try await importRows("3,2025-09-30 10:00:00,t,,\n", ["--rejects", rejects], at: federation)
            #expect(clean.status == 0 && !FileManager.default.fileExists(atPath: rejects))
        }

        @Test(.timeLimit(.minutes(15)), .enabled(if: Federation.mayMount, "needs to mount a file system"))
        func `is told when a pipe does not fit on the disk, which keeps a tenth of its room and no file`() async throws
        {
            let federation = try await Federation([Federation.Node(code: "370100")])
            try federation.write(Self.mapping, to: "crm.yaml")
            let script = """
                mount -t tmpfs -o size=20m none /mnt && export TMPDIR=/mnt
                import() { "$NODE" import --resource service_request --mapping "$MAP" "$@" 2>&1; echo "exit $?"; }
                rows() { echo NO,OPENED,TITLE,REGION; yes "1,2025-09-30 09:00:00,t," | head -c "$1"; }
                rows 40m | import -
                mkfifo "$DIR/fifo"; rows 40m >"$DIR/fifo" & import "$DIR/fifo"; wait
                ls -A /mnt; df --output=used -k /mnt | tail -1
                printf 'NO,OPENED,TITLE,REGION\n2,2025-09-30 09:00:00,t,\n' | import -
                dd if=/dev/zero of=/mnt/fill bs=1M count=19 2>/dev/null
                printf 'NO,OPENED,TITLE,REGION\n3,2025-09-30 09:00:00,t,\n' | import -
                TMPDIR=/nowhere import - <"$MAP"
                """
            let result = try await Federation.tool([
                "NODE=\(Federation.executable.path)", "DIR=\(federation.path("370100"))",
                "MAP=\(federation.path("crm.yaml"))",
                "FEDERATION_NODE_CONFIG=\(federation.path("370100/node.yaml"))", "unshare", "-Urm", "bash", "-c",
                script,
            ])
            let lines = result.output.split(separator: "\n").map(String.init)
            let refused = lines.filter { $0.hasPrefix("E_IMPORT_ROOM: ") }
            #expect(refused.count == 4, "\(result.output)")
            #expect(refused.prefix(2).allSatisfy { $0.contains("2 MiB stay free") }, "\(refused)")
            #expect(lines.filter { $0.hasPrefix("exit ") } == ["exit 1", "exit 1", "exit 0", "exit 1", "exit 1"])
            // No name and no bytes are left.
            let afterSecond = lines.indices.filter { lines[$0].hasPrefix("exit ") }.dropFirst().first.map {
                lines[$0 + 1]
            }
            #expect(afterSecond?.trimmingCharacters(in: .whitespaces) == "0", "\(result.output)")
        }
    }
}
