import FederationModel
import Foundation
import Hummingbird
import NodeDesk
import NodeRuntime
import PeerTransport
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

/// The real client against the real server: requests, streams, their limits and their ends.
@Suite(.timeLimit(.minutes(15))) struct PeerClientTests {
    @Test func `a request carries its body and headers and brings back the response's`() async throws {
        try await withPeerServer { router in
            router.post("reverse") { request, _ in
                let body = try await request.body.collect(upTo: 1 << 20)
                let name = try #require(HTTPFields.Element.Name("X-Note"))
                let note = try #require(request.headers[name])
                let header = try #require(HTTPFields.Element.Name("X-Note-Back"))
                return Response(
                    status: .accepted, headers: [header: note],
                    body: .init(byteBuffer: .init(bytes: body.readableBytesView.reversed())))
            }
        } body: { server in
            let client = try server.client(expecting: PeerServer.code)
            for count in [0, 3, 500_000] {
                let body = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
                let response = try await client.request(
                    "POST", "/reverse", headers: ["X-Note": "数"], body: body, deadlineMS: 5000)
                #expect(response.status == 202)
                #expect(response.head.headers["x-note-back"] == "数")
                #expect(response.body == body.reversed())
            }
            #expect(server.counters.snapshot[.accepted] == 1)  // one connection for all
        }
    }

    @Test func `a stream is answered while its body is still open`() async throws {
        try await withPeerServer { server in
            let stream = try await server.client(expecting: PeerServer.code).openStream("/echo", deadlineMS: 5000)
            #expect(stream.status == 200)
            for round in 0..<200 {
                let chunk = Array("change \(round)\n".utf8)
                try await stream.write(chunk)
                #expect(try await stream.next() == chunk)
            }
            stream.finish()
            #expect(try await stream.next() == nil)
        }
    }

    @Test func `a fast writer waits for a slow reader and nothing is lost`() async throws {
        try await withPeerServer { server in
            let stream = try await server.client(expecting: PeerServer.code).openStream("/echo", deadlineMS: 5000)
            let block = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let written = Mutex(0)
            async let writing: Void = {
                for _ in 0..<800 {
                    try await stream.write(block)
                    written.withLock { $0 += block.count }
                }
                stream.finish()
            }()
            // 80 MB do not fit into the buffers on the way: a writer that does not wait is far ahead of the reader.
            var (received, ahead) = (0, 0)
            while let chunk = try await stream.next() {
                ahead = max(ahead, written.withLock { $0 } - received)
                for (offset, byte) in chunk.enumerated() where byte != block[(received + offset) % block.count] {
                    Issue.record("byte \(received + offset) differs")
                    break
                }
                received += chunk.count
            }
            try await writing
            #expect(received == 800 * block.count)
            #expect(ahead < 30_000_000)
        }
    }

    @Test func `a stream with traffic outlives the idle timeout`() async throws {
        var configuration = MutualTLSConfiguration()
        configuration.idleTimeout = .seconds(5)
        try await withPeerServer(configuration: configuration) { server in
            let stream = try await server.client(expecting: PeerServer.code).openStream("/echo", deadlineMS: 5000)
            let end = ContinuousClock.now + .seconds(6)
            while ContinuousClock.now < end {
                try await stream.write([1])
                #expect(try await stream.next() == [1])
            }
            // Nobody writes any more: now it is cut.
            #expect(await errorCode { _ = try await stream.next() } == "E_PEER_BROKEN")
        }
    }

    @Test func `a refused stream tells its status and its body`() async throws {
        try await withPeerServer { router in
            router.post("refuse") { _, _ in Response(status: .conflict, body: .init(byteBuffer: .init(string: "why"))) }
        } body: { server in
            let client = try server.client(expecting: PeerServer.code)
            let stream = try await client.openStream("/refuse", deadlineMS: 5000)
            #expect(stream.status == 409)
            #expect(try await stream.next() == Array("why".utf8))
            #expect(try await stream.next() == nil)
            #expect(await errorCode { try await stream.write([1]) } == "E_PEER_BROKEN")
        }
    }

    @Test func `a server that ends a stream early ends it for the client`() async throws {
        try await withPeerServer { router in
            router.post("once") { request, _ in
                Response.stream(request) { incoming, outgoing in
                    for try await _ in incoming { return try await outgoing.write([7]) }
                }
            }
            router.post("fail") { request, _ in
                Response.stream(request) { incoming, _ in
                    for try await _ in incoming { throw HTTPError(.internalServerError) }
                }
            }
        } body: { server in
            let client = try server.client(expecting: PeerServer.code)
            let once = try await client.openStream("/once", deadlineMS: 5000)
            try await once.write([1])
            #expect(try await once.next() == [7])
            #expect(try await once.next() == nil)
            let fail = try await client.openStream("/fail", deadlineMS: 5000)
            try await fail.write([1])
            #expect(await errorCode { _ = try await fail.next() } == "E_PEER_BROKEN")
        }
    }

    @Test func `a shutdown ends open streams cleanly and at once`() async throws {
        try await withPeerServer { server in
            let client = try server.client(expecting: PeerServer.code)
            let streams = try await [
                client.openStream("/echo", deadlineMS: 5000), client.openStream("/echo", deadlineMS: 5000),
            ]
            try await streams[0].write([1])
            #expect(try await streams[0].next() == [1])
            let took = try await ContinuousClock().measure {
                await server.services.triggerGracefulShutdown()
                for stream in streams { #expect(try await stream.next() == nil) }
                try await eventually("the port is closed") {
                    await errorCode { _ = try await client.request("GET", "/whoami", deadlineMS: 500) } != nil
                }
            }
            #expect(took < .seconds(8), "before its patience is over")
        }
    }

    @Test func `cancelling the caller ends the transfer on both sides at once`() async throws {
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        try await withPeerServer { router in
            router.post("wait") { request, _ in
                Response.stream(request) { incoming, _ in
                    defer { end.finish() }
                    for try await _ in incoming {}
                }
            }
            router.get("never") { _, _ in
                try await gracefulShutdown()
                return "late"
            }
        } body: { server in
            let client = try server.client(expecting: PeerServer.code)
            let stream = try await client.openStream("/wait", deadlineMS: 5000)
            let reading = Task { try await stream.next() }
            reading.cancel()
            await #expect(throws: CancellationError.self) { try await reading.value }
            for await _ in ends {}

            let request = Task { try await client.request("GET", "/never", deadlineMS: 60_000) }
            try await eventually("the request's connection") { server.counters.snapshot[.accepted] == 2 }
            request.cancel()
            let took = await ContinuousClock().measure {
                await #expect(throws: CancellationError.self) { try await request.value }
            }
            #expect(took < .seconds(30), "long before its deadline")
        }
    }

    @Test func `a response over the limit and a late one are ended`() async throws {
        try await withPeerServer { router in
            router.get("large") { _, _ in ByteBuffer(repeating: 1, count: 1001) }
            router.get("fits") { _, _ in ByteBuffer(repeating: 1, count: 1000) }
            router.get("late") { _, _ in
                try await gracefulShutdown()
                return "late"
            }
            router.post("late") { _, _ in
                try await gracefulShutdown()
                return "late"
            }
        } body: { server in
            var limits = PeerLimits()
            limits.responseBytesMax = 1000
            let client = try server.client(expecting: PeerServer.code, limits: limits)
            #expect(try await client.request("GET", "/fits", deadlineMS: 5000).body.count == 1000)
            #expect(
                await errorCode { _ = try await client.request("GET", "/large", deadlineMS: 5000) }
                    == "E_PEER_RESPONSE_TOO_LARGE")
            let took = await ContinuousClock().measure {
                #expect(
                    await errorCode { _ = try await client.request("GET", "/late", deadlineMS: 200) }
                        == "E_PEER_TIMEOUT")
                #expect(
                    await errorCode { _ = try await client.openStream("/late", deadlineMS: 200) } == "E_PEER_TIMEOUT")
            }
            #expect(took > .milliseconds(350))
        }
    }

    @Test func `an unreachable peer is told from a lost one`() async throws {
        try await withPeerServer { server in
            let client = try server.client(expecting: PeerServer.code)
            let stream = try await client.openStream("/echo", deadlineMS: 5000)
            await client.shutdown()
            #expect(await errorCode { _ = try await stream.next() } == "E_PEER_CLOSED")
            #expect(await errorCode { _ = try await client.request("GET", "/", deadlineMS: 500) } == "E_PEER_CLOSED")
            await client.shutdown()

            let closed = PeerClient(
                node: node("370001"), host: "127.0.0.1", port: 1, credentials: try server.credentials("370100"))
            let error = await #expect(throws: FederationError.self) {
                try await closed.request("GET", "/", deadlineMS: 5000)
            }
            #expect(error?.code == "E_PEER_UNREACHABLE")
            #expect(error?.isRetryable == true)
            let nameless = PeerClient(
                node: node("370001"), host: "no-such-host.invalid", port: 1,
                credentials: try server.credentials("370100"))
            #expect(
                await errorCode { _ = try await nameless.request("GET", "/", deadlineMS: 5000) } == "E_PEER_UNREACHABLE"
            )
        }
    }

    @Test(arguments: [
        ("GET", "whoami", [:]), ("GET", "/a\r\nX: y", [:]), ("GET\n", "/", [:]), ("GET", "/", ["x": "a\r\nb: c"]),
    ])
    func `nothing can be smuggled into a request's head`(method: String, path: String, headers: [String: String])
        async throws
    {
        try await withPeerServer { server in
            let client = try server.client(expecting: PeerServer.code)
            #expect(
                await errorCode { _ = try await client.request(method, path, headers: headers, deadlineMS: 500) }
                    == "E_PEER_REQUEST")
        }
    }

    @Test func `many requests at once all come back`() async throws {
        try await withPeerServer { server in
            let client = try server.client(expecting: PeerServer.code)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<100 {
                    group.addTask { try await client.request("GET", "/whoami", deadlineMS: 20_000).status }
                }
                for try await status in group { #expect(status == 200) }
            }
        }
    }

    @Test func `a client's thread ends with the client and its last stream`() async throws {
        @Sendable func threads() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count {
                (try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)) == "peer-990000\n"
            }
        }
        try await withPeerServer { server in
            try server.bundle.replace(with: server.credentials("990000"))
            var client: PeerClient? = try server.client(expecting: "990000")
            var stream: PeerStream? = try await client?.openStream("/echo", deadlineMS: 5000)
            client = nil
            try await stream?.write([5])
            #expect(try await stream?.next() == [5])
            #expect(try threads() == 1)
            stream = nil
            try await eventually("the thread is gone") { try threads() == 0 }
        }
    }
}
