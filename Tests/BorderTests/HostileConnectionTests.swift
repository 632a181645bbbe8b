import ChangeSetFormat
import FederationModel
import Foundation
import NodeIdentity
import PeerTransport
import SyncProtocol
import TestSupport
import Testing

/// The same with requests and handshakes: hellos, bodies, connections and certificates.
extension `A province that a hostile neighbour speaks to` {
    // MARK: - Requests

    @Test func `ends a connection down on which its hello is answered with nonsense, and says hello on the next`()
        async throws
    {
        let answers = [
            frameBytes(.helloReply, length: 2, Array("{}".utf8)),
            frameBytes(.acknowledgement, length: 2, Array("{}".utf8)),
            frameBytes(.changeSet, length: 0, []), frameBytes(.helloReply, length: 1 << 30, []), [0xff, 0, 0, 0, 0],
        ]
        for answer in answers {
            let call = try await city.call()
            try await call.stream.write(answer)
            while try await call.next() != nil {}
        }
        try await expectGood()
    }

    @Test func `lets a newer connection down take over from an older one`() async throws {
        let first = try await city.call()
        let second = try await city.call()
        while try await first.next() != nil {}
        second.stream.cancel()
        try await expectGood()
    }

    @Test func `answers questions for the next frame on the present connection down alone, and one at a time`()
        async throws
    {
        let opened = try await city.post("/v1/link/down/next", [])
        #expect(opened.status == 200)
        let number = try #require(opened.response.head.headers["link-connection"])
        for stranger in ["0", "x", "99999999999999999999"] {
            #expect(try await city.post("/v1/link/down/next", [], connection: stranger).code == "E_SUPERSEDED")
        }
        // What is no frame of a receiver ends the connection.
        let garbage = try await city.post("/v1/link/down/frame", [0xff, 0, 0, 0, 0], connection: number)
        #expect(garbage.status >= 400)
        #expect(try await city.post("/v1/link/down/next", [], connection: number).code == "E_SUPERSEDED")
        // Two questions at once, when the hello is told and nothing else is to be said: one of them is refused, and neither
        // stops the node.
        let again = try await city.post("/v1/link/down/next", [])
        let present = try #require(again.response.head.headers["link-connection"])
        _ = try await city.post("/v1/link/down/next", [], connection: present)
        async let first = city.post("/v1/link/down/next", [], connection: present)
        async let second = city.post("/v1/link/down/next", [], connection: present)
        let codes = try await [first.code, second.code]
        #expect(codes.contains("E_SUPERSEDED"))
        try await expectGood()
    }

    @Test func `refuses a hello that is no JSON, or the wrong JSON`() async throws {
        let deep = String(repeating: "[", count: 100_000)
        for garbage in ["", "{", "[]", "{\"node\": 370100}", "\u{0}\u{1}", deep] {
            let reply = try await city.post("/v1/link/hello", Array(garbage.utf8))
            #expect(reply.status == 400)
            #expect(reply.code == "E_BODY_INVALID")
        }
        #expect(try province.refusals("E_BODY_INVALID", of: city.node) == 6)
        try await expectGood()
    }

    @Test func `refuses a hello that names another node than the certificate`() async throws {
        var hello = city.hello
        hello.node = try province.nextCity().node
        #expect(try await city.say(hello).code == "E_LINK_ADDRESS")
        #expect(try province.refusals("E_LINK_ADDRESS", of: city.node) == 1)
        try await expectGood()
    }

    @Test func `refuses a hello with numbers at the edge of what there is`() async throws {
        for clock in [Int64.min, .max, 0] {
            var hello = city.hello
            hello.clock = clock
            #expect(try await city.say(hello).code == "E_CLOCK_SKEW")
        }
        var extreme = city.hello
        extreme.head = .min
        extreme.schemaRevision = .max
        #expect(try await city.say(extreme).status == 200)
        try await expectGood()
    }

    @Test func `refuses a question of a child`() async throws {
        for path in ["/v1/analysis", "/v1/rows"] {
            let reply = try await city.post(path, Array("{}".utf8))
            #expect(reply.status == 403)
            #expect(reply.code == "E_ANALYSIS_DENIED")
        }
        #expect(try province.refusals("E_ANALYSIS_DENIED", of: city.node) == 2)
        try await expectGood()
    }

    @Test func `refuses a body that is too large`() async throws {
        let body = [UInt8](repeating: 0x20, count: SyncLimits.controlFrameBytesMax + 1)
        let reply = try await city.post("/v1/link/hello", body)
        #expect(reply.status == 413)
        #expect(reply.code == "E_BODY_TOO_LARGE")
        try await expectGood()
    }

    @Test func `refuses frames of a connection that it did not give out`() async throws {
        for number in ["", "0", "-1", "99999999999999999999", "one"] {
            let reply = Reply(
                response: try await city.client.request(
                    "POST", "/v1/link/frame", headers: ["Link-Connection": number], body: Frame(.probe).encoded,
                    deadlineMS: 20_000))
            #expect(reply.status == 409)
            #expect(reply.code == "E_SUPERSEDED")
        }
        try await expectGood()
    }

    @Test func `survives a thousand quick hellos`() async throws {
        let hello = city.hello
        for _ in 0..<1_000 { #expect(try await city.say(hello).status == 200) }
        try await expectGood()
    }

    @Test func `pauses a neighbour that is wrong too often, and no other one`() async throws {
        var hello = city.hello
        hello.topology = TopologyStamp(version: 99, digest: nil)
        var codes: [String: Int] = [:]
        for _ in 0..<200 { codes[try await city.say(hello).code ?? "none", default: 0] += 1 }
        let before = SyncLimits.misbehaviourMax + 1
        #expect(codes == ["E_TOPOLOGY_VERSION": before, "E_TOO_MANY_ERRORS": 200 - before])
        // Now a good hello waits too, and is told for how long.
        let paused = try await city.say(city.hello)
        #expect(paused.code == "E_TOO_MANY_ERRORS")
        #expect((1...Int(SyncLimits.misbehaviourPause)).contains(paused.retryAfterMS ?? 0))
        #expect(try await expectGood(of: province.nextCity()))
    }

    // MARK: - Handshakes

    @Test func `refuses a node without a certificate`() async throws {
        let before = try province.handshakes("noCertificate")
        try province.connectWithoutCertificate()
        #expect(try province.handshakes("noCertificate") == before + 1)
        try await expectGood()
    }

    @Test func `refuses a certificate that has expired`() async throws {
        let old = try province.credentials(of: city.node, validityDays: 1, now: now() - 3 * 86_400_000)
        try await expectNoHandshake(old, "expired")
    }

    @Test func `refuses a certificate that is not valid yet`() async throws {
        let early = try province.credentials(of: city.node, now: now() + 86_400_000)
        try await expectNoHandshake(early, "notYetValid")
    }

    @Test func `refuses a certificate of another authority`() async throws {
        let foreign = try CertificateAuthority(name: "Hotline federation CA", validityDays: 10, now: now())
        try await expectNoHandshake(try province.credentials(of: city.node, by: foreign), "foreignAuthority")
    }

    @Test func `lets a node that is not in its topology in and takes nothing from it`() async throws {
        let stranger = try #require(NodeID("110000"))
        let outsider = try City(stranger, of: province, credentials: province.credentials(of: stranger))
        for path in ["/v1/link/hello", "/v1/link/stream", "/v1/link/frame"] {
            let reply = try await outsider.post(path, Array(JSONEncoder().encode(outsider.hello)))
            #expect(reply.status == 403)
            #expect(reply.code == "E_NOT_A_NEIGHBOUR")
        }
        #expect(try province.refusals("E_NOT_A_NEIGHBOUR", of: stranger) == 3)
        try await expectGood()
    }

    @Test func `closes a connection that does not speak TLS`() async throws {
        let before = try province.handshakes("notTLS")
        let plain = try BareConnection(port: province.port)
        plain.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(plain.readToEnd() != nil)
        #expect(try province.handshakes("notTLS") == before + 1)
        try await expectGood()
    }

    @Test(.timeLimit(.minutes(15)))
    func `closes a connection that takes too long over its handshake`() async throws {
        let before = try province.handshakes("timedOut")
        let slow = try (0..<20).map { _ in try BareConnection(port: province.port) }
        for connection in slow { connection.send("\u{16}") }
        try await expectGood()
        let read = try await onOwnThread { slow.map { $0.readToEnd() } }
        #expect(read.allSatisfy { $0 == "" })
        #expect(try province.handshakes("timedOut") == before + slow.count)
    }
}
