import FederationModel
import Hummingbird
import NodeDesk
import NodeRuntime
import PeerTransport
import SyncProtocol
import Testing

@Suite(.timeLimit(.minutes(15))) struct `An error between nodes` {
    @Test(arguments: [
        ("E_NOT_A_NEIGHBOUR", 403), ("E_ANALYSIS_DENIED", 403), ("E_FRAME_TOO_LARGE", 413), ("E_BODY_TOO_LARGE", 413),
        ("E_STORE_BUSY", 503), ("E_TOPOLOGY_VERSION", 409), ("E_SUPERSEDED", 409), ("E_BODY_INVALID", 400),
        ("E_NOBODY_KNOWS", 400),
    ])
    func `has a status by its code`(code: String, status: Int) {
        #expect(ErrorMapping.status(of: code).code == status)
    }

    @Test func `arrives as it was sent`() async throws {
        let sent = FederationError("E_STORE_BUSY", "磁盘已满: \"disk\" is full", hint: "make room\\", isRetryable: true)
        let bare = FederationError("E_BODY_INVALID", "not JSON")
        try await withPeerServer(routes: { router in
            router.get("full") { _, _ in ErrorMapping.response(sent) }
            router.get("bare") { _, _ in ErrorMapping.response(bare) }
        }) { server in
            let client = try server.client()
            let full = try await client.request("GET", "/full", deadlineMS: 30_000)
            #expect(full.status == 503)
            #expect(full.head.headers["content-type"] == "application/problem+json")
            #expect(PeerProblem.error(in: full.body, status: full.status) == sent)
            let other = try await client.request("GET", "/bare", deadlineMS: 30_000)
            #expect(PeerProblem.error(in: other.body, status: other.status) == bare)
            await client.shutdown()
        }
    }

    @Test(arguments: [
        "", " ", "null", "[]", "42", "\"E_X\"", "{}", "{\"code\":7}", "{\"code\":\"x\"}", "{\"code\":\"E_x\"}",
        "{\"code\":\"E_A B\"}", "{\"code\":\"E_\\n\"}", "{\"code\":[\"E_X\"]}", "<html>502</html>", "{\"code\":\"E_X\"",
        "\u{0}", "{\"code\":\"E_\(String(repeating: "X", count: 63))\"}", String(repeating: "[", count: 100_000),
    ])
    func `without a usable body is known by its status`(body: String) {
        let error = PeerProblem.error(in: Array(body.utf8), status: 502)
        #expect(error.code == "E_PEER_ANSWER")
        #expect(error.message.contains("502"))
    }

    @Test func `from bytes that are no text is known by its status`() {
        #expect(PeerProblem.error(in: [0xff, 0xfe, 0x00, 0xd8], status: 500).code == "E_PEER_ANSWER")
    }

    @Test func `is shown without what moves a terminal and not at any length`() throws {
        let detail = "\\u001b[2J\\r\\n\\u202e" + String(repeating: "长", count: 100_000)
        let body = "{\"code\":\"E_X\",\"detail\":\"\(detail)\",\"hint\":\"\(detail)\"}"
        let error = PeerProblem.error(in: Array(body.utf8), status: 400)
        #expect(error.code == "E_X")
        for text in [error.message, try #require(error.hint)] {
            #expect(text.unicodeScalars.count == 500)
            #expect(text.hasPrefix("\u{FFFD}[2J\u{FFFD}\u{FFFD}\u{FFFD}长"))
        }
        let refused = try ErrorMapping.refusal(
            in: Array("{\"code\":\"E_OUT\\nOF\",\"message\":\"\(detail)\"}".utf8))
        #expect(refused.code == "E_PEER_ANSWER")
        #expect(refused.message == error.message)
    }

    @Test func `that is a refusal keeps what the sender acts on`() throws {
        let body = "{\"code\":\"E_BUSY\",\"message\":\"wait\",\"retryAfterMS\":700}"
        let refusal = try ErrorMapping.refusal(in: Array(body.utf8))
        #expect(refusal == Refusal(FederationError("E_BUSY", "wait"), retryAfterMS: 700))
        #expect(throws: (any Error).self) { try ErrorMapping.refusal(in: Array("{\"code\":\"E_BUSY\"}".utf8)) }
    }

    @Test func `may pass by itself when the peer says that it is overloaded`() {
        let body = Array("{\"code\":\"E_STORE_BUSY\"}".utf8)
        #expect(PeerProblem.error(in: body, status: 503).isRetryable)
        #expect(!PeerProblem.error(in: body, status: 403).isRetryable)
    }
}
