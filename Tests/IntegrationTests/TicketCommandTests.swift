import FederationModel
import Foundation
import TestSupport
import Testing

extension `Real processes` {
    /// People without another ticket system: `ticket add`, `event`, `show`, `list`, `numbers`.
    @Suite struct `Ticket commands` {
        @Test(.timeLimit(.minutes(15)))
        func `take a county's ticket through all eight stages, which the province sees`() async throws {
            let nodes =
                Array(Federation.qilu.prefix(2)) + [Federation.Node(code: "370102", name: "历下区", parent: "370100")]
            let federation = try await Federation(nodes)
            for node in nodes { try await federation.serve(node.code) }
            let added = try await federation.succeed(
                [
                    "ticket", "add", "--channel", "电话", "--type", "2", "--title", "路灯不亮", "--accepted",
                    "2025-09-30 09:00", "--json",
                ], at: "370102"
            ).json()
            #expect(added["number"] as? String == "37010220250930010000018")
            let id = try #require(added["id"] as? String)
            #expect(id.hasPrefix("370102-"))
            for event in Self.life { try await federation.succeed(["ticket", "event", id] + event, at: "370102") }
            try await federation.waitUntil("the last event is at the province", seconds: 30) {
                try await federation.count("evaluation", at: "370000") == 1
            }
            let shown = try await federation.succeed(["ticket", "show", id], at: "370000").output
            let stages = shown.split(separator: "\n").compactMap { $0.firstMatch(of: /^[●○] (\S+)/)?.1 }
            #expect(stages == ["受理", "派单", "办理", "答复", "督办", "办结", "回访", "评价"])
            #expect(shown.contains("○ 督办  –"))
            #expect(shown.contains("● 派单  2025-09-30 09:10  历下区  市住建局  主办  时限 2025-10-14 18:00"))
            #expect(shown.contains("状态 已评价"))
            #expect(!shown.contains("冲突"))
            let json = try await federation.succeed(
                ["ticket", "show", "37010220250930010000018", "--json"], at: "370000"
            ).json()
            #expect(json["id"] as? String == id)
            #expect(json["conflicts"] as? [String] == [])
            let counts = json["stages"] as? [String: Int]
            #expect(counts == ["受理": 1, "派单": 1, "办理": 1, "答复": 1, "督办": 0, "办结": 1, "回访": 1, "评价": 1])
        }

        private static let life = [
            ["queue", "--at", "2025-09-30 09:05"],
            ["dispatch", "--at", "2025-09-30 09:10", "--unit", "市住建局", "--due", "2025-10-14 18:00"],
            ["acknowledge", "--at", "2025-09-30 09:30", "--unit", "市住建局"],
            ["handle", "--at", "2025-09-30 14:00", "--unit", "市住建局", "--field", "contacted=是"],
            ["reply", "--at", "2025-09-30 15:00", "--field", "content_public=已更换灯泡"],
            ["apply-closure", "--at", "2025-09-30 15:10"],
            ["close", "--at", "2025-09-30 15:30", "--field", "result=已修复"],
            ["call-back", "--at", "2025-10-01 10:00", "--field", "reached=接通", "--field", "resolved=已解决"],
            ["evaluate", "--at", "2025-10-01 10:05", "--field", "score5=满意"],
        ]

        @Test(.timeLimit(.minutes(15)))
        func `refuse what is illegal with its code, and what is incomplete as wrong usage`() async throws {
            let federation = try await Federation([Federation.Node(code: "370102")])
            func run(_ arguments: String...) async throws -> CommandResult {
                try await federation.run(["ticket"] + arguments, at: "370102")
            }
            let incomplete = try await run("add", "--channel", "01")
            #expect(incomplete.status == 64 && incomplete.errors.contains("request_type"))
            let unknown = try await run("add", "--channel", "鸽子", "--type", "2", "--title", "x")
            #expect(unknown.status == 64 && unknown.errors.contains("E_FIELD_CODE"))
            #expect(!unknown.errors.contains("鸽子"), "a value is never repeated")
            #expect(try await federation.count("service_request", at: "370102") == 0)

            let id = try await add(to: federation)
            let early = try await run("event", id, "close")
            #expect(early.status == 1 && early.errors.hasPrefix("E_STATE_CLOSE_WITHOUT_REPLY"))
            #expect(try await federation.count("closure", at: "370102") == 0)
            let unit = try await run("event", id, "dispatch")
            #expect(unit.status == 64 && unit.errors.contains("assignee_unit"))
            let word = try await run("event", id, "dispach", "--unit", "a")
            #expect(word.status == 64 && word.errors.contains("`dispatch`"))
            let field = try await run("event", id, "handle", "--field", "unti=a")
            #expect(field.status == 64 && field.errors.contains("`unit`"))
            let fixed = try await run("event", id, "withdraw", "--field", "closure_kind=closed")
            #expect(fixed.status == 64)
            let nobody = try await run("event", "370102-0", "handle", "--unit", "a")
            #expect(nobody.status == 1 && nobody.errors.hasPrefix("E_TICKET_UNKNOWN"))
        }

        @Test(.timeLimit(.minutes(15)))
        func `draw the second round apart, and merge only into a ticket that is there`() async throws {
            let federation = try await Federation([Federation.Node(code: "370102")])
            let first = try await add(to: federation, "--accepted", "2025-09-30 09:00")
            for event in Self.life { try await federation.succeed(["ticket", "event", first] + event, at: "370102") }
            let again = ["rework", "--unit", "市城管局", "--due", "2025-10-20 18:00", "--at", "2025-10-02 09:00"]
            try await federation.succeed(["ticket", "event", first] + again, at: "370102")
            let shown = try await federation.succeed(["ticket", "show", first], at: "370102").output
            let lines = shown.split(separator: "\n")
            let border = try #require(lines.firstIndex { $0.contains("第 2 轮 重办") })
            #expect(lines[border + 1].hasPrefix("● 派单  2025-10-02 09:00"))
            #expect(shown.contains("红牌"), "its time limit has passed")
            let overdue = try await federation.succeed(["ticket", "list", "--overdue", "--json"], at: "370102")
            #expect(overdue.output.contains(first))

            let second = try await add(to: federation)
            let number = try await federation.sql(
                "SELECT service_request_id FROM service_request WHERE global_id = '\(first)'", at: "370102")
            let nowhere = try await federation.run(
                ["ticket", "event", second, "merge", "--field", "target=N"], at: "370102")
            #expect(nowhere.errors.hasPrefix("E_TICKET_UNKNOWN"))
            try await federation.succeed(
                ["ticket", "event", second, "merge", "--field", "target=\(number)"], at: "370102")
            #expect(
                try await federation.succeed(["ticket", "show", second], at: "370102").output.contains("并入 \(first)"))
            let dead = try await federation.run(["ticket", "event", second, "queue"], at: "370102")
            #expect(dead.errors.hasPrefix("E_STATE_MERGED"))
        }

        /// The worked example of domain model 3.4, over the national holidays.
        @Test(.timeLimit(.minutes(15)))
        func `take time limits, names of places and the warning card from the reference data`() async throws {
            let federation = try await Federation([Federation.Node(code: "370102")])
            func event(_ id: String, _ event: String...) async throws {
                try await federation.succeed(["ticket", "event", id] + event, at: "370102")
            }
            let id = try await add(to: federation, "--accepted", "2025-09-30 09:00", "--region", "历下区")
            try await event(id, "dispatch", "--unit", "市住建局", "--at", "2025-09-30 10:00")
            let limits = try await federation.sql(
                "SELECT limit_days, limit_kind, accept_deadline FROM assignment", at: "370102")
            #expect(limits == "5|working_days|\(try milliseconds("2025-10-09T23:59:59.999+08:00"))")
            var shown = try await federation.succeed(["ticket", "show", id], at: "370102").output
            #expect(shown.contains("● 派单  2025-09-30 10:00") && shown.contains("时限 2025-10-14 23:59"))
            #expect(shown.contains(/● 受理 .* 历下区/))
            let place = try await federation.sql("SELECT region_code FROM service_request", at: "370102")
            #expect(place == "370102")

            try await event(id, "acknowledge", "--unit", "市住建局", "--at", "2025-09-30 11:00")
            try await event(id, "extend", "--by", "5 working_days", "--at", "2025-10-09 09:00")
            try await event(id, "decide-extension", "--field", "decision=同意", "--at", "2025-10-13 09:00")
            shown = try await federation.succeed(["ticket", "show", id], at: "370102").output
            #expect(shown.contains("  时限 2025-10-21 23:59  超期") && shown.contains("红牌"))
            #expect(!shown.contains("冲突"))
            try await event(id, "extend", "--by", "1 working_days", "--at", "2025-10-13 10:00")
            try await event(id, "decide-extension", "--field", "decision=驳回", "--at", "2025-10-13 11:00")
            shown = try await federation.succeed(["ticket", "show", id], at: "370102").output
            #expect(shown.contains("  时限 2025-10-21 23:59"), "what was refused moves nothing")

            let two = try await federation.run(
                ["ticket", "add", "--channel", "01", "--type", "2", "--title", "x", "--region", "市中区"], at: "370102")
            #expect(two.status == 64 && two.errors.contains("2 codes have that name"))
            let odd = try await federation.run(["ticket", "event", id, "handle", "--by", "1 hours"], at: "370102")
            #expect(odd.status == 64 && odd.errors.contains("--by"))
        }

        @Test(.timeLimit(.minutes(15)))
        func `show the yellow card as early as the rules say`() async throws {
            let federation = try await Federation([Federation.Node(code: "370102")])
            let id = try await add(to: federation)
            let inTenDays = ShanghaiTime.rfc3339(Int64(Date.now.timeIntervalSince1970 * 1_000) + 10 * 86_400_000)
            try await federation.succeed(
                ["ticket", "event", id, "dispatch", "--unit", "市住建局", "--due", inTenDays], at: "370102")
            func card() async throws -> String? {
                try await federation.succeed(["ticket", "show", id, "--json"], at: "370102").json()["card"] as? String
            }
            #expect(try await card() == "none")
            let file = federation.path("370102/reference.yaml")
            let early = try String(contentsOfFile: file, encoding: .utf8).replacing(
                "yellow_days: 1", with: "yellow_days: 30")
            try early.write(toFile: file, atomically: true, encoding: .utf8)
            #expect(try await card() == "yellow")
            #expect(try await federation.succeed(["ticket", "show", id], at: "370102").output.contains("黄牌"))
        }

        /// Each kind once at least, where it is legal.
        @Test(.timeLimit(.minutes(15)))
        func `record every kind of event`() async throws {
            let federation = try await Federation([Federation.Node(code: "370102")])
            let due = ["--due", "2030-01-01 18:00"]
            let dispatched = [["queue"], ["dispatch", "--unit", "市住建局"] + due]
            let handled =
                dispatched + [
                    ["acknowledge", "--unit", "市住建局"], ["handle", "--unit", "市住建局", "--field", "contacted=1"],
                ]
            let lives: [[[String]]] = [
                dispatched + [
                    ["return", "--unit", "市住建局", "--reason", "非本单位职责"], ["decide-return", "--field", "decision=驳回"],
                ],
                handled + [
                    ["extend", "--field", "requested_until=2030-02-01 18:00"],
                    ["decide-extension", "--field", "decision=同意", "--due", "2030-02-01 18:00"], ["suspend"],
                    ["resume"],
                    ["supervise", "--field", "level=书面", "--unit", "市住建局"],
                    ["end-supervision", "--field", "outcome=已整改"], ["reply"], ["apply-closure"],
                    ["send-back"], ["reply"], ["hold"], ["apply-closure"], ["close"], ["enter-callback"],
                    ["call-back", "--field", "reached=接通"], ["evaluate", "--field", "score5=5"], ["archive"],
                ],
                handled + [["terminate", "--field", "review=通过"]],
                [
                    ["set-confidential", "--field", "target=隐名"], ["set-category", "--field", "target=03.02"],
                    ["set-phone", "--field", "value=0531-12345"], ["withdraw"],
                ],
            ]
            for life in lives {
                let id = try await add(to: federation)
                for event in life { try await federation.succeed(["ticket", "event", id] + event, at: "370102") }
                let shown = try await federation.succeed(["ticket", "show", id], at: "370102").output
                #expect(!shown.contains("冲突"), "\(shown)")
            }
            let ended = try await federation.sql(
                "SELECT outcome, closed_datetime > occurred_at FROM supervision", at: "370102")
            #expect(ended.hasPrefix("已整改|"), "one record, completed")
            let again = try await federation.run(
                ["ticket", "event", try await add(to: federation), "end-supervision"], at: "370102")
            #expect(again.errors.hasPrefix("E_STATE_NOTHING_OPEN"))
        }

        @Test(.timeLimit(.minutes(15)))
        func `hand a ticket to another node, which gives it a number of its own`() async throws {
            let nodes = [
                Federation.Node(code: "370100", name: "济南市"),
                Federation.Node(code: "370102", name: "历下区", parent: "370100"),
            ]
            let federation = try await Federation(nodes)
            for node in nodes { try await federation.serve(node.code) }
            let id = try await add(to: federation)
            try await federation.waitUntil("the ticket is at the city", seconds: 30) {
                try await federation.count("service_request", at: "370100") == 1
            }
            let early = try await federation.run(["ticket", "event", id, "transfer-accept"], at: "370100")
            #expect(early.status == 1 && early.errors.hasPrefix("E_STATE_NO_OFFER"))
            let back = try await federation.run(["ticket", "event", id, "transfer-return"], at: "370100")
            #expect(back.status == 1 && back.errors.hasPrefix("E_STATE_NO_OFFER"))
            try await federation.succeed(
                ["ticket", "event", id, "transfer-offer", "--field", "to_node=370100", "--field", "kind=县转市"],
                at: "370102")
            try await federation.waitUntil("the offer is at the city", seconds: 30) {
                try await federation.count("transfer", at: "370100") == 1
            }
            try await federation.succeed(["ticket", "event", id, "transfer-accept"], at: "370100")
            let number = try await federation.sql(
                "SELECT target_request_id FROM transfer WHERE step = 'accept'", at: "370100")
            #expect(number.hasPrefix("370100") && number.count == 23)
            let shown = try await federation.succeed(["ticket", "show", number], at: "370100").output
            #expect(shown.contains("全局标识 \(id)") && shown.contains("接收方工单编号 \(number)"))
            #expect(shown.contains("承办归属节点 济南市"))
        }

        @Test(.timeLimit(.minutes(15)))
        func `give no number twice when many draw at the same time`() async throws {
            let federation = try await Federation([Federation.Node(code: "370102")])
            let config = ["--config", federation.path("370102/node.yaml")]
            let day = ["--date", "2025-09-30"]
            async let blocks = Self.lines(of: 8, ["ticket", "numbers", "--seat", "1", "--count", "40"] + day + config)
            async let singles = Self.lines(of: 8, ["ticket", "numbers", "--seat", "2", "--count", "1"] + day + config)
            let drawn = try await blocks + singles
            #expect(drawn.count == 328 && Set(drawn).count == 328)
            #expect(drawn.allSatisfy { $0.hasPrefix("3701022025093001") && $0.count == 23 })

            // What a seat used comes in later, as it is; a number that two tickets carry names neither.
            let first = try await add(to: federation, "--number", drawn[0])
            let second = try await add(to: federation, "--number", drawn[0])
            let shown = try await federation.run(["ticket", "show", drawn[0]], at: "370102")
            #expect(shown.status == 1 && shown.errors.hasPrefix("E_TICKET_AMBIGUOUS"))
            #expect(shown.errors.contains(first) && shown.errors.contains(second))
            let both = try await federation.succeed(["ticket", "list", "--number", drawn[0]], at: "370102").output
            #expect(both.contains(first) && both.contains(second))
            let odd = try await add(to: federation, "--number", "250930090000-000017")
            #expect(
                try await federation.succeed(["ticket", "show", "250930090000-000017"], at: "370102").output.contains(
                    odd))
        }

        @Test(.timeLimit(.minutes(15)))
        func `ask a person at a terminal, field by field, and store what was confirmed`() async throws {
            let federation = try await Federation([Federation.Node(code: "370102")])
            // 受理渠道 twice (the first is none), 诉求类型, 标题 (first empty), 紧急程度 by default, optional fields left empty.
            let answers = ["77", "1", "求助", "", "路灯不亮", ""] + Array(repeating: "", count: 8) + ["是"]
            let (status, said) = try await atTerminal(
                ["ticket", "add"], answers: answers, federation)
            #expect(status == 0, "\(said)")
            #expect(said.contains("此项必填") && said.contains("标题: 路灯不亮"))
            let row = try await federation.sql(
                "SELECT channel, request_type, title, urgency, acceptance FROM service_request", at: "370102")
            #expect(row == "01|2|路灯不亮|normal|accepted")

            let id = try await federation.sql("SELECT global_id FROM service_request", at: "370102")
            let (_, refused) = try await atTerminal(
                ["ticket", "event", id, "dispatch"], answers: ["市住建局", "", "也许", "", "否"], federation)
            #expect(refused.contains("无效，需要“是”或“否”") && refused.contains("E_CANCELLED"))
            #expect(refused.contains("  办理时限: 20") && refused.contains("  时限数: 5\n  时限单位: 工作日"))
            #expect(try await federation.count("assignment", at: "370102") == 0)
        }

        // MARK: - Helpers

        private func milliseconds(_ time: String) throws -> Int64 { try #require(ShanghaiTime.parse(time)) }

        private func add(to federation: Federation, _ more: String...) async throws -> String {
            let arguments = ["ticket", "add", "--channel", "01", "--type", "2", "--title", "路灯不亮", "--json"]
            let added = try await federation.succeed(arguments + more, at: "370102").json()
            return try #require(added["id"] as? String)
        }

        /// What so many processes print that run at the same time.
        private static func lines(of processes: Int, _ arguments: [String]) async throws -> [String] {
            try await withThrowingTaskGroup { group in
                for _ in 0..<processes {
                    group.addTask { try await Federation.tool([Federation.executable.path] + arguments) }
                }
                return try await group.reduce(into: [String]()) { lines, result in
                    try #require(result.status == 0, "\(result.errors)")
                    lines += result.output.split(separator: "\n").map(String.init)
                }
            }
        }

        /// Runs a command whose input is a terminal, with everything typed ahead.
        ///
        /// - Returns: the exit code, and what it said on stderr.
        private func atTerminal(
            _ arguments: [String], answers: [String], _ federation: Federation
        ) async throws -> (status: Int32, said: String) {
            let all = arguments + ["--config", federation.path("370102/node.yaml")]
            return try await onOwnThread {
                // pts(4): the master is unlocked and says its number. Swift does not import posix_openpt and its kin.
                let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
                defer { close(master) }
                var (lock, number) = (Int32(0), UInt32(0))
                guard master >= 0, ioctl(master, 0x4004_5431, &lock) == 0, ioctl(master, 0x8004_5430, &number) == 0
                else { throw CocoaError(.fileReadUnknown) }
                let slave = FileHandle(
                    fileDescriptor: open("/dev/pts/\(number)", O_RDWR | O_NOCTTY), closeOnDealloc: true)
                let text = Array((answers.joined(separator: "\n") + "\n").utf8)
                guard write(master, text, text.count) == text.count else { throw CocoaError(.fileWriteUnknown) }
                let process = Process()
                process.executableURL = Federation.executable
                process.arguments = all
                process.standardInput = slave
                process.standardOutput = FileHandle.nullDevice
                let errors = Pipe()
                process.standardError = errors
                try process.run()
                let pid = process.processIdentifier
                let limit = DispatchWorkItem { kill(pid, SIGKILL) }
                DispatchQueue.global().asyncAfter(deadline: .now() + 30, execute: limit)
                defer { limit.cancel() }
                let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                return (process.terminationStatus, said)
            }
        }
    }
}
