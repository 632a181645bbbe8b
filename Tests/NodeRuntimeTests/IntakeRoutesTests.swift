import FederationModel
import Foundation
import LocalStore
import NodeRuntime
import TestSupport
import Testing
import Zstandard

@Suite struct `Pushing records` {
    @Test func `answers what became of each, and again changes nothing`() async throws {
        try await withIntakeServer { server in
            let token = try await server.token()
            let batch =
                "[\(pushed("1")),\(pushed("2", title: "")),{\"key\":\"3\"},5,\(pushed("4").replacing("title", with: "titel"))]"
            let first = try await server.push(batch, token: token)
            #expect(first.status == 200)
            #expect(first.headers["content-type"] == "application/json")
            #expect(try first.outcomes() == ["accepted", "accepted", "rejected", "rejected", "rejected"])
            let json = try first.json()
            #expect(json["resource"] as? String == "service_request")
            #expect(json["read"] as? Int == 5)
            #expect(json["accepted"] as? Int == 2)
            #expect(json["rejected"] as? Int == 3)
            let results = try #require(json["results"] as? [[String: Any]])
            #expect(results[0]["key"] as? String == "370100-1")
            #expect(results.map { $0["index"] as? Int } == [0, 1, 2, 3, 4])
            #expect(
                results.map { $0["code"] as? String } == [
                    nil, nil, "E_FIELD_MISSING", "E_RECORD_JSON", "E_FIELD_UNKNOWN",
                ])
            #expect(!first.body.contains("路灯"))

            let head = try await server.store.head()
            let second = try await server.push(batch, token: token)
            #expect(try second.outcomes() == ["unchanged", "unchanged", "rejected", "rejected", "rejected"])
            #expect(try await server.store.head() == head)
            let third = try await server.push("[\(pushed("1", title: "修好了"))]", token: token)
            #expect(try third.outcomes() == ["accepted"])
            #expect(try await server.count() == 2)
            #expect(server.metrics.records == ["accepted": 3, "unchanged": 2, "rejected": 6])
            #expect(server.metrics.requests == [200: 3])
        }
    }

    @Test func `says which records were put back, and which of one request took the place of others`() async throws {
        try await withIntakeServer { server in
            let token = try await server.token()
            func changes(_ answer: HTTPAnswer) throws -> [String?] {
                try #require(answer.json()["results"] as? [[String: Any]]).map { $0["change"] as? String }
            }
            _ = try await server.push("[\(pushed("1"))]", token: token)
            let answer = try await server.push(
                "[\(pushed("1", title: "修好了")),\(pushed("2")),\(pushed("2", title: "又坏了")),\(pushed("3"))]",
                token: token)
            #expect(try changes(answer) == ["replaced", "collapsed", "new", "new"])
            let json = try answer.json()
            #expect(["accepted", "new", "changed", "collapsed"].map { json[$0] as? Int } == [4, 2, 1, 1])
            #expect(try await server.count() == 3)
        }
    }

    @Test func `takes JSON Lines, and packed bodies`() async throws {
        try await withIntakeServer { server in
            let token = try await server.token()
            let lines = "\(pushed("1"))\n{\"key\": broken\n\n\(pushed("2"))\n"
            let answer = try await server.push(
                lines, token: token, headers: ["Content-Type: application/x-ndjson; charset=utf-8"])
            #expect(try answer.outcomes() == ["accepted", "rejected", "accepted"])
            let packed = try ZstandardCompressor().compress(Array(lines.utf8))
            let headers = ["Content-Type: application/x-ndjson", "Content-Encoding: zstd"]
            let again = try await server.push(packed, token: token, headers: headers)
            #expect(try again.outcomes() == ["unchanged", "rejected", "unchanged"])
            let cut = try await server.push(packed.dropLast(1), token: token, headers: headers)
            #expect(cut.status == 400)
            #expect(cut.code == "E_BODY_INVALID")
        }
    }

    @Test func `rejects what the catalog does not allow by field and code`() async throws {
        try await withIntakeServer { server in
            let token = try await server.token()
            let records = [
                pushed("1").replacing("\"01\"", with: "\"no such channel\""),
                pushed("2").replacing("\"urgency\":\"normal\",", with: ""),
                pushed("3", title: String(repeating: "长", count: 700)),
                pushed("4").replacing(
                    "\"title\":", with: "\"ext\":{\"x\":\"\(String(repeating: "x", count: 100_000))\"},\"title\":"),
                pushed("5"),
            ]
            let answer = try await server.push("[\(records.joined(separator: ","))]", token: token)
            let results = try #require(answer.json()["results"] as? [[String: Any]])
            #expect(
                results.map { "\($0["field"] ?? "") \($0["code"] ?? $0["status"] ?? "")" } == [
                    "channel E_FIELD_CODE", "urgency E_FIELD_MISSING", "title E_FIELD_TOO_LONG", "ext E_FIELD_TOO_LONG",
                    " accepted",
                ])
            #expect(!answer.body.contains("no such channel"))
        }
    }

    @Test func `of a thread is guarded by the state machine, in the order of the batch, also when it is repeated`()
        async throws
    {
        try await withIntakeServer { server in
            let token = try await server.token()
            func push(_ resource: String, _ lines: [String]) async throws -> HTTPAnswer {
                let envelope = #""global_id":"370100-1","occurred_at":"2025-09-30T1"#
                return try await server.push(
                    lines.map { "{\(envelope)\($0)}" }.joined(separator: "\n"), token: token,
                    path: "/v1/resources/\(resource)/records", headers: ["Content-Type: application/x-ndjson"])
            }
            #expect(try await server.push("[\(pushed("1"))]", token: token).outcomes() == ["accepted"])
            let assignments = [
                #"1:00:00Z","key":"d1","assignee_unit":"城管局","role":"main","due_datetime":"2025-10-14T18:00:00Z""#,
                #"1:01:00Z","key":"d2","assignee_unit":"环保局","role":"main","due_datetime":"2025-10-14T18:00:00Z""#,
            ]
            let first = try await push("assignment", assignments)
            #expect(try first.outcomes() == ["accepted", "rejected"])
            #expect(first.body.contains("E_STATE_TWO_MAIN"))
            #expect(try await push("assignment", assignments).outcomes() == ["unchanged", "rejected"])
            let signed = try await push(
                "acknowledgement", [#"2:00:00Z","key":"a1","unit":"环保局""#, #"2:00:00Z","key":"a2","unit":"城管局""#])
            #expect(try signed.outcomes() == ["rejected", "accepted"])
            #expect(signed.body.contains("E_STATE_ACK_FOREIGN"))
            #expect(!signed.body.contains("环保局"))
        }
    }

    @Test func `rings for the links at once`() async throws {
        try await withIntakeServer { server in
            let heads = server.signal.heads()
            let token = try await server.token()
            #expect(try await server.push("[\(pushed("1"))]", token: token).status == 200)
            let head = try await server.store.head()
            for await rung in heads {
                #expect(rung == head)
                break
            }
        }
    }

    /// Ten systems at once, two of them with the same tickets.
    @Test func `by many at one time stores each record once`() async throws {
        try await withIntakeServer { server in
            let token = try await server.token()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for system in 0..<10 {
                    group.addTask {
                        let connection = try server.connect()
                        for batch in 0..<5 {
                            let keys = (0..<20).map { "\(max(1, system))-\(batch)-\($0)" }
                            let body = Array("[\(keys.map { pushed($0) }.joined(separator: ","))]".utf8)
                            try await connection.send(
                                HTTPConnection.head(
                                    IntakeServer.path,
                                    [
                                        "Authorization: Bearer \(token)", "Content-Type: application/json",
                                        "Content-Length: \(body.count)",
                                    ]) + body)
                            #expect(try await connection.answer().status == 200)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await server.count() == 900)
            #expect(server.metrics.records == ["accepted": 900, "unchanged": 100])
        }
    }
}

@Suite struct `A token` {
    @Test func `that is missing, wrong, expired, revoked or for something else opens nothing`() async throws {
        try await withIntakeServer { server in
            let good = try await server.token("good")
            let expired = try await server.token("expired", expiresAt: 1)
            let revoked = try await server.token("revoked")
            try await server.store.revokeToken(named: "revoked", now: 1)
            let other = try await server.token("other", ["reply"])
            for (token, status, code) in [
                ("fnt_" + String(repeating: "A", count: 43), 401, "E_TOKEN_INVALID"), ("x", 401, "E_TOKEN_INVALID"),
                ("", 401, "E_TOKEN_MISSING"), (good + "x", 401, "E_TOKEN_INVALID"),
                (String(good.dropLast()), 401, "E_TOKEN_INVALID"), (good + " x", 401, "E_TOKEN_MISSING"),
                (expired, 401, "E_TOKEN_EXPIRED"), (revoked, 401, "E_TOKEN_INVALID"), (other, 403, "E_TOKEN_RESOURCE"),
                (good, 200, nil),
            ] {
                let answer = try await server.push("[\(pushed("1"))]", token: token)
                #expect(answer.status == status)
                #expect(answer.code == code)
                #expect(answer.headers["www-authenticate"] == (status == 401 ? "Bearer" : nil))
                if status != 200 { #expect(answer.headers["content-type"] == "application/problem+json") }
            }
            let unknown = try await server.push("[]", token: good, path: "/v1/resources/tickets/records")
            #expect(unknown.status == 404)
            #expect(unknown.code == "E_RESOURCE_UNKNOWN")
            #expect(try await server.count() == 1)
            #expect(server.metrics.requests == [401: 8, 403: 1, 404: 1, 200: 1])
        }
    }

    @Test func `crosses no network in clear`() async throws {
        try await withIntakeServer(isPrivate: false) { server in
            let answer = try await server.push("[\(pushed("1"))]", token: try await server.token())
            #expect(answer.status == 403)
            #expect(answer.code == "E_TLS_REQUIRED")
            #expect(try await server.count() == 0)
        }
    }
}

@Suite struct `A hostile push` {
    struct Attack: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let body: String
        /// Nil where only the record in it is rejected.
        let code: String?

        init(_ testDescription: String, _ body: String, _ code: String?) {
            self.testDescription = testDescription
            self.body = body
            self.code = code
        }
    }

    private static let attacks = [
        Attack("nothing", "", "E_BODY_INVALID"), Attack("no JSON", "not json", "E_BODY_INVALID"),
        Attack("half an array", "[{\"key\":\"1\"}", "E_BODY_INVALID"), Attack("a NUL", "\u{0}", "E_BODY_INVALID"),
        Attack("null", "null", "E_BODY_INVALID"), Attack("a NUL in an array", "[\u{0}]", nil),
        Attack("half a surrogate pair", "[\"\\ud800\"]", nil),
        Attack("a million brackets", String(repeating: "[", count: 1_000_000), "E_BODY_INVALID"),
        Attack(
            "a deep record",
            "[" + String(repeating: "[", count: 500_000) + String(repeating: "]", count: 500_000) + "]", nil),
        Attack("a huge number", "[{\"key\":\(String(repeating: "9", count: 1_000_000))}]", nil),
        Attack(
            "too many records", "[\(String(repeating: "5,", count: IntakeLimits.recordsMax))5]", "E_BATCH_TOO_LARGE"),
    ]

    @Test(arguments: attacks)
    func `is refused with its code, or record by record, and stores nothing`(attack: Attack) async throws {
        try await withIntakeServer { server in
            let answer = try await server.push(attack.body, token: try await server.token())
            #expect(answer.code == attack.code)
            let statuses = ["E_BODY_INVALID": 400, "E_BATCH_TOO_LARGE": 413]
            #expect(answer.status == attack.code.map { statuses[$0] } ?? 200)
            if attack.code == nil { #expect(try answer.outcomes() == ["rejected"]) }
            #expect(try await server.count() == 0)
        }
    }

    @Test func `of invalid UTF-8 rejects the record that has it`() async throws {
        try await withIntakeServer { server in
            let parts = pushed("1", title: "X").split(separator: "X").map { Array($0.utf8) }
            let bad = parts[0] + [0xe4, 0xb8] + parts[1]
            let body = Array("[".utf8) + bad + Array(",\(pushed("2"))]".utf8)
            let answer = try await server.push(body, token: try await server.token())
            #expect(try answer.outcomes() == ["rejected", "accepted"])
        }
    }

    @Test(arguments: [
        ["Content-Type: text/plain"], [], ["Content-Type: application/xml"],
        ["Content-Type: application/json", "Content-Encoding: br"],
    ])
    func `of another type is refused`(headers: [String]) async throws {
        try await withIntakeServer { server in
            let answer = try await server.push("[]", token: try await server.token(), headers: headers)
            #expect(answer.status == 415)
            #expect(answer.code == "E_CONTENT_TYPE")
        }
    }

    /// The client gives up when nobody reads any more; it must have got the answer all the same.
    @Test(arguments: [true, false])
    func `of 100 MB is refused without reading it`(isLengthKnown: Bool) async throws {
        try await withIntakeServer { server in
            let connection = try server.connect()
            let token = try await server.token()
            let length = isLengthKnown ? "Content-Length: 100000000" : "Transfer-Encoding: chunked"
            try await connection.send(
                HTTPConnection.head(
                    IntakeServer.path, ["Authorization: Bearer \(token)", "Content-Type: application/json", length]))
            let megabyte = [UInt8](repeating: 0x20, count: 1 << 20)
            let chunk = isLengthKnown ? megabyte : Array("100000\r\n".utf8) + megabyte + Array("\r\n".utf8)
            var sent = 0
            while sent < 95, (try? await connection.send(chunk)) != nil { sent += 1 }
            #expect(sent < 40, "the server has read \(sent) MB")
            let answer = try? await connection.answer()
            // Over loopback the answer arrives before the reset; a client that went on sending may see only that.
            if let answer {
                #expect(answer.status == 413)
                #expect(answer.code == "E_BODY_TOO_LARGE")
            }
            try await eventually("it is counted") { server.metrics.requests == [413: 1] }
        }
    }

    @Test func `of 100 MB tells a client that looks before it sends`() async throws {
        try await withIntakeServer { server in
            let connection = try server.connect()
            try await connection.send(
                HTTPConnection.head(
                    IntakeServer.path,
                    [
                        "Authorization: Bearer \(try await server.token())", "Content-Type: application/json",
                        "Content-Length: 100000000",
                    ]))
            let answer = try await connection.answer()
            #expect(answer.status == 413)
            #expect(answer.headers["connection"] == "close")
            try await connection.end()
        }
    }

    @Test func `that is cut off in the middle stores nothing, and its repetition stores each record once`() async throws
    {
        try await withIntakeServer { server in
            let token = try await server.token()
            let body = "[\((0..<100).map { pushed("\($0)") }.joined(separator: ","))]"
            for cut in [1, body.utf8.count / 2, body.utf8.count - 1] {
                let connection = try server.connect()
                try await connection.send(
                    HTTPConnection.head(
                        IntakeServer.path,
                        [
                            "Authorization: Bearer \(token)", "Content-Type: application/json",
                            "Content-Length: \(body.utf8.count)",
                        ]) + Array(body.utf8.prefix(cut)))
            }
            try await eventually("the cut ones are over") { server.metrics.requests == [400: 3] }
            #expect(try await server.count() == 0)
            #expect(try await server.push(body, token: token).status == 200)
            #expect(try await server.push(body, token: token).status == 200)
            #expect(try await server.count() == 100)
        }
    }

    @Test func `that is too slow is ended`() async throws {
        try await withIntakeServer(bodySeconds: 1) { server in
            let connection = try server.connect()
            try await connection.send(
                HTTPConnection.head(
                    IntakeServer.path,
                    [
                        "Authorization: Bearer \(try await server.token())", "Content-Type: application/json",
                        "Content-Length: 100",
                    ]) + Array("[".utf8))
            let answer = try await connection.answer()
            #expect(answer.status == 408)
            #expect(answer.code == "E_BODY_SLOW")
            try await connection.end()
        }
    }
}

@Suite struct `A full intake` {
    @Test func `asks to come again, and takes the same batch when there is room`() async throws {
        let gate = IntakeGate(requestsMax: 1)
        try await withIntakeServer(gate: gate) { server in
            let token = try await server.token()
            let batch = "[\(pushed("1"))]"
            let other = try gate.enter()
            let busy = try await server.push(batch, token: token)
            withExtendedLifetime(other) {}
            #expect(busy.status == 429)
            #expect(busy.code == "E_INTAKE_BUSY")
            #expect(busy.headers["retry-after"] == "\(IntakeLimits.retryAfterSeconds)")
            #expect(try await server.count() == 0)
        }
        try await withIntakeServer(gate: gate) { server in
            let token = try await server.token()
            #expect(try await server.push("[\(pushed("1"))]", token: token).status == 200)
            #expect(try await server.count() == 1)
        }
    }

    /// Most clients look for the answer only when they have sent all of their body.
    @Test func `lets a client that sends on read why it was refused`() async throws {
        try await withIntakeServer(gate: IntakeGate(bytesMax: 2_000)) { server in
            let token = try await server.token()
            let body = [UInt8](repeating: 0x20, count: IntakeLimits.bodyBytesMax)
            let connection = try server.connect()
            try await connection.send(
                HTTPConnection.head(
                    IntakeServer.path,
                    [
                        "Authorization: Bearer \(token)", "Content-Type: application/json",
                        "Content-Length: \(body.count)",
                    ]))
            try await connection.send(body)
            let answer = try await connection.answer()
            #expect(answer.status == 429)
            #expect(answer.code == "E_INTAKE_BUSY")
        }
    }

    @Test func `counts the bytes that it holds, and gives them back`() async throws {
        try await withIntakeServer(gate: IntakeGate(bytesMax: 2_000)) { server in
            let token = try await server.token()
            let large = "[\(pushed("1", title: String(repeating: "x", count: 2_000)))]"
            let answer = try await server.push(large, token: token)
            #expect(answer.status == 429)
            for number in 0..<20 {
                #expect(try await server.push("[\(pushed("\(number)"))]", token: token).status == 200)
            }
        }
    }
}
