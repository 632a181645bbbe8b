import FederationModel
import Foundation
import HTTPTypes
import Hummingbird
import LocalStore
import Logging
import NIOCore
import NodeDesk
import NodeIdentity
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

/// Alerts and tickets on their way to systems outside, over real HTTP, with a clock that is set by hand.
@Suite(.timeLimit(.minutes(15))) struct `What is sent on` {
    /// What a webhook's receiver was sent, and with which status it answers.
    private final class Receiver: Sendable {
        struct Message: Sendable {
            let body: String
            let headers: HTTPFields

            func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }

            /// Whether it is signed as the one whose headers begin with a name.
            func isSigned(_ name: String, by key: WebhookKey) -> Bool {
                header("\(name)-Signature")
                    == "sha256=\(key.signature(of: "\(header("\(name)-Timestamp") ?? "").\(body)"))"
            }
        }

        private let state = Mutex((status: HTTPResponse.Status.ok, messages: [Message]()))

        var messages: [Message] { state.withLock { $0.messages } }

        func answer(_ status: HTTPResponse.Status) { state.withLock { $0.status = status } }

        func take(_ request: Request) async throws -> HTTPResponse.Status {
            let body = String(buffer: try await request.body.collect(upTo: 1 << 20))
            return state.withLock { state in
                state.messages.append(Message(body: body, headers: request.headers))
                return state.status
            }
        }
    }

    private func withReceiver(_ body: @escaping @Sendable (Receiver, Int) async throws -> Void) async throws {
        let receiver = Receiver()
        let router = Router()
        router.post("/hook") { request, _ in try await receiver.take(request) }
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                port.yield(channel.localAddress?.port ?? 0)
                port.finish()
            }, logger: logger)
        let services = ServiceGroup(configuration: .init(services: [application], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            for await port in ports { try await body(receiver, port) }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
        }
    }

    @Test func `as an alert is signed, comes once, and is tried again when it did not get through`() async throws {
        try await withReceiver { receiver, port in
            let folder = try TemporaryFolder()
            try folder.write("0123456789abcdef\n", to: "webhook.key")
            try NodeStore.create(at: folder.path("node.db"), node: node("370100"), epoch: Epoch(counter: 1, nonce: 1))
            let store = try NodeStore(at: folder.path("node.db"))
            defer { try? store.close() }
            let settings = try settings(
                """
                node: "370100"
                alert-webhook: "http://127.0.0.1:\(port)/hook"
                alert-webhook-secret: "\(folder.path("webhook.key"))"
                """)
            let clock = Mutex<UnixMilliseconds>(1_790_000_000_000)
            let desk = NodeDesk(
                LocalNode(settings: settings, store: store), as: .system, clock: { clock.withLock { $0 } },
                announce: { _ in })
            func alert(_ level: String) async throws {
                var judgements = Judgements()
                judgements.found = [
                    Judgements.Found(
                        IntakeRecord(
                            resource: CaseResources.alert.name, key: "GROUP-1",
                            fields: [
                                "alert_id": .text("GROUP-1"), "rule": .text("GROUP"), "rule_version": .integer(1),
                                "level": .text(level), "kind": .text("concentrated"), "place": .text("370102"),
                                "period": .text("2026-09-21"), "decided_at": .integer(1_790_000_000_000),
                                "tickets": .integer(7), "persons": .integer(5), "evidence": .text("{}"),
                                "nodes": .text("370100"),
                            ]), rule: "GROUP", subject: 7, place: "370102", decidedAt: 1_790_000_000_000)
                ]
                _ = try await store.write(judgements, upto: nil, now: clock.withLock { $0 })
                try await store.catchUpConsumers(now: clock.withLock { $0 })
            }
            try await alert("yellow")
            receiver.answer(.internalServerError)
            let refused = try await desk.deliverAlerts()
            #expect(refused.failures.map(\.code) == ["E_DELIVERY_FAILED"])
            #expect(try await desk.deliverAlerts().delivered == 0, "it waits a minute")

            receiver.answer(.ok)
            clock.withLock { $0 += 61_000 }
            #expect(try await desk.deliverAlerts().delivered == 1)
            #expect(try await desk.deliverAlerts().delivered == 0)
            let message = try #require(receiver.messages.last)
            #expect(receiver.messages.count == 2)
            #expect(message.header("Alert-Id") == "GROUP-1")
            #expect(message.isSigned("Alert", by: try WebhookKey.load(from: folder.path("webhook.key"))))
            let document = try #require(
                try JSONSerialization.jsonObject(with: Data(message.body.utf8)) as? [String: Any])
            #expect(document["tickets"] as? Int == 7)
            #expect(document["level"] as? String == "yellow")

            // A higher level is news.
            try await alert("red")
            #expect(try await desk.deliverAlerts().delivered == 1)
            #expect(receiver.messages.last?.body.contains("\"red\"") == true)
        }
    }

    @Test func `to a department is its tickets page by page, each until it got through, and then what changes (7.2.2)`()
        async throws
    {
        try await withReceiver { receiver, port in
            let folder = try TemporaryFolder()
            try NodeStore.create(at: folder.path("node.db"), node: node("370100"), epoch: Epoch(counter: 1, nonce: 1))
            let store = try NodeStore(at: folder.path("node.db"))
            defer { try? store.close() }
            let clock = Mutex<UnixMilliseconds>(1_790_000_000_000)
            let sender = try desk(store, clock: { clock.withLock { $0 } })
            func addTickets(_ numbers: ClosedRange<Int>, _ category: String) async throws {
                let requests = numbers.map { number in
                    let id = "370100-\(category)-\(number)"
                    return IntakeRecord(
                        resource: BuiltInResources.serviceRequest.name, key: id,
                        fields: [
                            "global_id": .text(id), "service_request_id": .text("\(category)-\(number)"),
                            "requested_datetime": .integer(1_790_000_000_000),
                            "channel": .text("01"), "request_type": .text("2"), "urgency": .text("normal"),
                            "acceptance": .text("accepted"), "service_code": .text(category),
                            "reporter_phone": .text("13812345678"),
                        ])
                }
                _ = try await store.intake(requests, now: clock.withLock { $0 })
            }
            func items(_ message: Receiver.Message?) throws -> [String] {
                let page = try JSONSerialization.jsonObject(with: Data((message?.body ?? "{}").utf8)) as? [String: Any]
                return (page?["items"] as? [[String: Any]] ?? []).compactMap { $0["ticket"] as? String }
            }
            try await addTickets(1...130, "03.01")
            try await addTickets(1...1, "04.02")
            let digest = Mutex<[UInt8]>([])
            try await sender.createToken(
                named: "housing", resources: nil, department: .category("03"),
                webhook: "http://127.0.0.1:\(port)/hook", expiresAt: nil
            ) { token, _ in digest.withLock { $0 = token.token.digest } }

            receiver.answer(.serviceUnavailable)
            #expect(try await sender.pushToDepartments().failures.map(\.code) == ["E_DELIVERY_FAILED"])
            let waiting = try await sender.pushToDepartments()
            #expect(waiting.delivered == 0 && waiting.failures.isEmpty, "it waits a minute")
            receiver.answer(.ok)
            clock.withLock { $0 += 61_000 }
            for _ in 0..<4 { _ = try await sender.pushToDepartments() }
            let first = receiver.messages.dropFirst()
            #expect(try first.map { try items($0).count } == [100, 30], "and the other category is nobody's")
            #expect(first.allSatisfy { $0.isSigned("Feed", by: WebhookKey(digest: digest.withLock { $0 })) })
            #expect(first.allSatisfy { !$0.body.contains("13812345678") })

            try await addTickets(131...131, "03.01")
            #expect(try await sender.pushToDepartments().delivered == 1)
            #expect(try items(receiver.messages.last) == ["370100-03.01-131"])
            try await sender.revokeToken(named: "housing")
            try await addTickets(132...132, "03.01")
            #expect(try await sender.pushToDepartments().delivered == 0, "a token that was revoked gets nothing more")
        }
    }

    @Test func `to a unit is the result of its evaluation, also where no ticket has changed (7.2.4-3)`() async throws {
        try await withReceiver { receiver, port in
            let folder = try TemporaryFolder()
            try NodeStore.create(at: folder.path("node.db"), node: node("370100"), epoch: Epoch(counter: 1, nonce: 1))
            let store = try NodeStore(at: folder.path("node.db"))
            defer { try? store.close() }
            let now: UnixMilliseconds = 1_790_000_000_000
            let sender = try desk(store, clock: { now })
            try await sender.createToken(
                named: "housing", resources: nil, department: .unit("市住建局"),
                webhook: "http://127.0.0.1:\(port)/hook", expiresAt: nil
            ) { _, _ in }
            let results = ["市住建局", "市城管局"].map { unit in
                IntakeRecord(
                    resource: CaseResources.evaluationResult.name, key: "370100-units-\(unit)-1",
                    fields: [
                        "evaluation_id": .text("370100-units-\(unit)"), "occurred_at": .integer(now),
                        "scheme": .text("units"), "scheme_version": .integer(1), "period": .text("2026-08"),
                        "evaluatee": .text(unit), "node": .text("370100"), "score": .real(66.67),
                        "detail": .text(
                            #"{"parts": [], "missing": [], "excluded": {}, "upheld": [], "revision": 1}"#),
                    ])
            }
            _ = try await store.intake(results, now: now)
            #expect(try await sender.pushToDepartments().delivered == 1)
            let page = try #require(
                try JSONSerialization.jsonObject(with: Data((receiver.messages.last?.body ?? "").utf8))
                    as? [String: Any])
            let evaluations = page["evaluations"] as? [[String: Any]] ?? []
            #expect(evaluations.map { $0["evaluatee"] as? String } == ["市住建局"])
            #expect(evaluations.first?["score"] as? Double == 66.67)
            #expect(try await sender.pushToDepartments().delivered == 0)
        }
    }

    @Test func `goes to no department over a network in clear`() async throws {
        let folder = try TemporaryFolder()
        try NodeStore.create(at: folder.path("node.db"), node: node("370100"), epoch: Epoch(counter: 1, nonce: 1))
        let store = try NodeStore(at: folder.path("node.db"))
        defer { try? store.close() }
        let error = await #expect(throws: FederationError.self) {
            try await desk(store).createToken(
                named: "housing", resources: nil, department: .unit("住建"), webhook: "http://housing.example.cn/",
                expiresAt: nil
            ) { _, _ in }
        }
        #expect(error?.code == "E_TOKEN_WEBHOOK")
    }

    @Test func `has HMAC-SHA256 as others compute it, and needs a secret that is one`() throws {
        let folder = try TemporaryFolder()
        try folder.write("short", to: "short.key")
        #expect(throws: FederationError.self) { try WebhookKey.load(from: folder.path("short.key")) }
        // echo -n 1.x | openssl dgst -sha256 -hmac 0123456789abcdef
        try folder.write("0123456789abcdef\n", to: "webhook.key")
        let signature = try WebhookKey.load(from: folder.path("webhook.key")).signature(of: "1.x")
        #expect(signature == "fd8cad50b6953efad15ba0fbbbdeaf3d76e8949cf002bfb1d3a956fc259a4c57")
    }
}
