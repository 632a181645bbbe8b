import FederationModel
import Foundation
import Hummingbird
import LocalStore
import Logging
import LogicalQuery
import NodeDesk
import NodeRuntime
import PeerTransport
import TestSupport
import Testing

/// A parent's end of the reverse channel against children that do as they like: real TLS, real routes.
@Suite(.timeLimit(.minutes(15))) struct `The reverse channel at the border` {
    private static let childCode = "370100"

    /// A child, request by request.
    private struct Child: Sendable {
        let client: PeerClient

        struct Item {
            let status: Int
            let session: String
            let question: String?
            let route: String?
            let body: String
        }

        func next(_ session: String? = nil) async throws -> Item {
            let response = try await client.request(
                "POST", "/v1/questions/next", headers: session.map { ["Question-Session": $0] } ?? [:],
                deadlineMS: 20_000)
            let headers = response.head.headers
            return Item(
                status: response.status, session: headers["question-session"] ?? "",
                question: headers["question"], route: headers["question-route"],
                body: String(decoding: response.body, as: UTF8.self))
        }

        /// - Returns: the status of the parent's answer to that.
        func answer(_ item: Item, _ body: [UInt8], status: String = "200") async throws -> Int {
            let headers = [
                "Question-Session": item.session, "Question": item.question ?? "0", "Answer-Status": status,
            ]
            return try await client.request(
                "POST", "/v1/questions/answer", headers: headers, body: body, deadlineMS: 20_000
            ).status
        }
    }

    private struct Parent: Sendable {
        let channel: ReverseChannel
        let registry: LinkRegistry
        let store: NodeStore
        let server: PeerServer

        func child(_ code: String = childCode) throws -> Child {
            Child(client: try server.client(code, expecting: PeerServer.code))
        }

        func ask(
            _ text: String = "{}", _ route: PeerQuestion.Route = .analysis, deadlineMS: Int = 20_000
        ) async throws -> PeerAnswer? {
            try await channel.ask(PeerQuestion(route, body: Array(text.utf8), deadlineMS: deadlineMS))
        }

        /// Begins to ask, and returns what the child gets of it.
        func ask(
            _ text: String = "{}", fetchedBy child: Child, _ session: String? = nil
        ) async throws -> (answer: Task<PeerAnswer?, any Error>, item: Child.Item) {
            async let item = child.next(session)
            // A child that has no session yet is asked nothing.
            try await eventually("the child waits") { await channel.figures.isOpen }
            let answer = Task { try await ask(text) }
            return (answer, try await item)
        }
    }

    /// Runs `body` with the province's server; 370100 and 370300 are its children, 370200 is none.
    private func withParent(_ body: @escaping @Sendable (Parent) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        try NodeStore.create(
            at: folder.path("node.db"), node: node(PeerServer.code), epoch: Epoch(counter: 1, nonce: 1))
        let store = try NodeStore(at: folder.path("node.db"))
        let province = node(PeerServer.code)
        func city(_ code: String) -> TopologyNode {
            TopologyNode(
                id: node(code), name: code, parent: province, region: code, endpoint: nil, defaultMode: .logical)
        }
        try store.publish(
            Standing(
                node: province,
                topology: Topology(
                    name: "border", version: 1,
                    nodes: [
                        TopologyNode(id: province, name: "省", parent: nil, region: "370000", endpoint: nil),
                        city("370100"), city("370300"),
                    ])))
        let channel = ReverseChannel(child: node(Self.childCode))
        let registry = LinkRegistry(
            channels: [node(Self.childCode): channel, node("370300"): ReverseChannel(child: node("370300"))])
        let desk = try desk(store)
        try await withPeerServer { router in
            LinkRoutes(links: registry, desk: desk, metrics: LinkMetrics()).add(to: router)
        } body: { server in
            try await body(Parent(channel: channel, registry: registry, store: store, server: server))
            await channel.stop()
        }
        try store.close()
    }

    @Test func `leads to nobody before the child has opened it, and then with all that the child needs`() async throws {
        try await withParent { parent in
            #expect(try await parent.ask() == nil)
            let child = try parent.child()
            let (answer, item) = try await parent.ask("{\"a\":1}", fetchedBy: child)
            #expect(item.status == 200 && item.route == "/v1/analysis" && item.body == "{\"a\":1}")
            #expect(try await child.answer(item, Array("no".utf8), status: "403") == 200)
            let got = try #require(try await answer.value)
            #expect(got.status == 403 && got.body == Array("no".utf8))
            #expect(try await child.answer(item, [], status: "200") == 409, "there is one answer")
        }
    }

    @Test func `no question waits behind a slow one`() async throws {
        try await withParent { parent in
            let child = try parent.child()
            let (slow, first) = try await parent.ask("slow", fetchedBy: child)
            let (quick, second) = try await parent.ask("quick", fetchedBy: child, first.session)
            #expect(try await child.answer(second, Array("2".utf8)) == 200)
            #expect(try await quick.value?.body == Array("2".utf8))
            #expect(try await child.answer(first, Array("1".utf8)) == 200)
            #expect(try await slow.value?.body == Array("1".utf8))
        }
    }

    @Test func `what nobody waits for any more is taken back`() async throws {
        try await withParent { parent in
            let child = try parent.child()
            let (answer, item) = try await parent.ask(fetchedBy: child)
            answer.cancel()
            await #expect(throws: CancellationError.self) { try await answer.value }
            let word = try await child.next(item.session)
            #expect(word.status == 200 && word.question == item.question && word.route == nil)
            #expect(try await child.answer(item, []) == 409)
        }
    }

    @Test func `a child that begins anew has forgotten its questions, and its former session is over`() async throws {
        try await withParent { parent in
            let child = try parent.child()
            let (answer, item) = try await parent.ask(fetchedBy: child)
            async let fresh = child.next()
            #expect(await errorCode { _ = try await answer.value } == "E_PEER_BROKEN")
            #expect(try await child.next(item.session).status == 409)
            #expect(try await child.answer(item, []) == 409)
            async let other = parent.ask()
            #expect(try await child.answer(try await fresh, []) == 200)
            #expect(try await other?.status == 200)
        }
    }

    @Test func `ends with the node that asks: nothing waits any more, and nobody can begin anew`() async throws {
        try await withParent { parent in
            let child = try parent.child()
            let (answer, item) = try await parent.ask(fetchedBy: child)
            async let waiting = child.next(item.session)
            try await eventually("it waits again") { await parent.channel.figures.isOpen }
            await parent.channel.stop()
            #expect(try await waiting.status == 409)
            #expect(try await child.next().status == 409)
            #expect(await errorCode { _ = try await answer.value } == "E_PEER_BROKEN")
            #expect(try await parent.ask() == nil)
        }
    }

    @Test func `a child works on 16 questions at one time, and 64 more wait`() async throws {
        try await withParent { parent in
            let child = try parent.child()
            var (_, item) = try await parent.ask(fetchedBy: child)
            let first = item
            var tasks: [Task<PeerAnswer?, any Error>] = []
            for _ in 2...16 {
                tasks.append(Task { try await parent.ask() })
                item = try await child.next(item.session)
            }
            tasks += (1...64).map { _ in Task { try await parent.ask() } }
            try await eventually("the others wait") { await parent.channel.figures.questions == 80 }
            #expect(await errorCode { _ = try await parent.ask() } == "E_PEER_BUSY")
            #expect(try await child.answer(first, []) == 200)
            #expect(try await child.next(item.session).route == "/v1/analysis")
            for task in tasks { task.cancel() }
        }
    }

    @Test func `nobody fetches or answers what another node was asked`() async throws {
        try await withParent { parent in
            let child = try parent.child()
            let (answer, item) = try await parent.ask(fetchedBy: child)
            for (code, expected) in [("370200", 403), ("370300", 409), ("370000", 403)] {
                let stranger = try parent.child(code)
                #expect(try await stranger.next(item.session).status == expected, "\(code)")
                #expect(try await stranger.answer(item, Array("forged".utf8)) == expected, "\(code)")
            }
            #expect(try await child.answer(item, Array("mine".utf8)) == 200)
            #expect(try await answer.value?.body == Array("mine".utf8))
        }
    }

    @Test func `an answer that is too large is cut off, and its node is missing`() async throws {
        try await withParent { parent in
            let child = try parent.child()
            let (answer, item) = try await parent.ask(fetchedBy: child)
            let large = [UInt8](repeating: 0x20, count: (16 << 20) + 1)
            #expect(try await child.answer(item, large) == 413)
            #expect(await errorCode { _ = try await answer.value } == "E_PEER_RESPONSE_TOO_LARGE")
        }
    }

    @Test(arguments: ["", "{}", "[", String(repeating: "[", count: 100_000), #"{"partial":1,"nodes":[]}"#, "\u{0}"])
    func `an answer that is none leaves its node missing, and named`(garbage: String) async throws {
        try await withParent { parent in
            let child = try parent.child()
            let view = MergedView(
                store: parent.store,
                peers: PeerClients(store: parent.store, way: parent.registry) { () throws(FederationError) in
                    throw FederationError("E_CREDENTIALS", "nobody is dialled")
                })
            async let item = child.next()
            try await eventually("the child waits") { await parent.channel.figures.isOpen }
            async let answer = view.answer(
                try Analysis(measures: [.count], asOf: currentMilliseconds()), wanted: [node(Self.childCode)],
                deadlineMS: 10_000, now: currentMilliseconds())
            #expect(try await child.answer(try await item, Array(garbage.utf8)) == 200)
            let (_, found) = try await answer
            #expect(found.nodes.map(\.node.code) == [Self.childCode] && found.nodes.map(\.state) == [.unreachable])
            #expect(found.nodes[0].code?.hasPrefix("E_") == true && found.partial.groups.isEmpty)
        }
    }

    @Test(arguments: ["0", "-1", "x", "", "99999999999999999999"])
    func `a header that is no number is refused`(number: String) async throws {
        try await withParent { parent in
            let child = try parent.child()
            #expect(try await child.next(number).status == 400)
            let (answer, item) = try await parent.ask(fetchedBy: child)
            #expect(try await child.answer(item, [], status: number) == 400)
            #expect(await errorCode { _ = try await answer.value } == "E_PEER_ANSWER")
        }
    }

    @Test func `a question is passed on for a command of the node itself alone`() async throws {
        try await withParent { parent in
            func relay(as code: String, to child: String) async throws -> String {
                let headers = [
                    "Question-Node": child, "Question-Route": "/v1/analysis", "Question-Deadline": "1000",
                ]
                let response = try await parent.child(code).client.request(
                    "POST", "/v1/relay", headers: headers, body: Array("{}".utf8), deadlineMS: 10_000)
                #expect(response.status != 200)
                return String(decoding: response.body, as: UTF8.self)
            }
            for code in ["370100", "370200"] {
                let denied = try await relay(as: code, to: "370300")
                #expect(denied.contains("E_RELAY_DENIED"))
            }
            let stranger = try await relay(as: PeerServer.code, to: "370200")
            #expect(stranger.contains("E_NOT_A_NEIGHBOUR"))
        }
    }
}
