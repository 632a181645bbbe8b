import FederationModel
import Foundation
import Hummingbird
import NodeIdentity
import NodeRuntime
import PeerTransport
import Synchronization
import TestSupport
import Testing

private let openssl = "/usr/bin/openssl"
private let hasOpenSSL = FileManager.default.isExecutableFile(atPath: openssl)

private func runOpenSSLClient(port: Int, _ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: openssl)
    process.arguments = ["s_client", "-connect", "127.0.0.1:\(port)"] + arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
}

/// Who is let in, and what those who are not are told.
@Suite(.timeLimit(.minutes(15))) struct MutualTLSTests {
    @Test func `a handler sees the node that the certificate names`() async throws {
        try await withPeerServer { server in
            for code in ["370100", "370102000000"] {
                let response = try await server.client(code, expecting: PeerServer.code)
                    .request("GET", "/whoami", deadlineMS: 30_000)
                #expect(response.status == 200)
                #expect(response.body == Array(code.utf8))
            }
            #expect(server.counters.snapshot == [.accepted: 2])
        }
    }

    @Test func `an expired certificate is refused and both sides say why`() async throws {
        try await withPeerServer { server in
            let expired = try server.authority.makeCredentials(
                for: node("370100"), validityDays: 1, now: currentMilliseconds() - 2 * 86_400_000)
            let client = try server.client(expecting: PeerServer.code, credentials: expired)
            let error = await #expect(throws: FederationError.self) {
                try await client.request("GET", "/whoami", deadlineMS: 30_000)
            }
            #expect(error?.code == "E_PEER_CERTIFICATE")
            #expect(error?.message.contains("expired") == true)
            try await server.expectCount(.expired)
        }
    }

    @Test func `a certificate of another authority with our name is refused and both sides say why`() async throws {
        try await withPeerServer { server in
            let foreign = try CertificateAuthority(name: "测试根证书", validityDays: 10, now: currentMilliseconds())
                .makeCredentials(for: node("370100"), validityDays: 1, now: currentMilliseconds())
            let mixed = try NodeCredentials(
                certificateChainPEM: foreign.certificateChainPEM, privateKeyPEM: foreign.privateKeyPEM,
                trustRootsPEM: server.authority.certificatePEM)
            let client = try server.client(expecting: PeerServer.code, credentials: mixed)
            let error = await #expect(throws: FederationError.self) {
                try await client.request("GET", "/whoami", deadlineMS: 30_000)
            }
            #expect(error?.code == "E_PEER_CERTIFICATE")
            #expect(error?.message.contains("authority") == true)
            try await server.expectCount(.foreignAuthority)
        }
    }

    @Test(.enabled(if: hasOpenSSL))
    func `a client without a certificate and one with TLS 1_2 are refused and counted apart`() async throws {
        try await withPeerServer { server in
            try runOpenSSLClient(port: server.port, "-tls1_3")
            try await server.expectCount(.noCertificate)
            try runOpenSSLClient(port: server.port, "-tls1_2")
            try await server.expectCount(.oldProtocol)
        }
    }

    @Test func `plain HTTP and port scans are counted and closed`() async throws {
        try await withPeerServer { server in
            let plain = try RawConnection(port: server.port)
            plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            plain.drain()
            try await server.expectCount(.notTLS)
            let noise = try RawConnection(port: server.port)
            noise.send("SSH-2.0-OpenSSH_9.2\r\n\r\n")
            noise.drain()
            try await server.expectCount(.notTLS, 2)
            _ = try RawConnection(port: server.port)
            try await server.expectCount(.abandoned)
        }
    }

    @Test func `a connection that never starts TLS is closed`() async throws {
        var configuration = MutualTLSConfiguration()
        configuration.handshakeTimeout = .milliseconds(100)
        try await withPeerServer(configuration: configuration) { server in
            try RawConnection(port: server.port).drain()
            try await server.expectCount(.timedOut)
        }
    }

    @Test func `a client sends nothing to a node that is not the expected one`() async throws {
        let requests = Mutex(0)
        try await withPeerServer { router in
            router.post("intake") { _, _ in
                requests.withLock { $0 += 1 }
                return HTTPResponse.Status.ok
            }
        } body: { server in
            let client = try server.client(expecting: "370001")
            #expect(
                await errorCode { _ = try await client.request("POST", "/intake", body: [1], deadlineMS: 30_000) }
                    == "E_PEER_IDENTITY")
            #expect(
                await errorCode { _ = try await client.openStream("/intake", deadlineMS: 30_000) } == "E_PEER_IDENTITY")
        }
        // The server has shut down, so nothing is still on its way.
        #expect(requests.withLock { $0 } == 0)
    }

    @Test func `a client refuses an expired server and one of another authority`() async throws {
        let now = currentMilliseconds()
        let authority = try CertificateAuthority(name: "甲", validityDays: 10, now: now - 5 * 86_400_000)
        let expired = try authority.makeCredentials(
            for: node(PeerServer.code), validityDays: 1, now: now - 2 * 86_400_000)
        try await withPeerServer(authority: authority, credentials: expired) { server in
            let client = try server.client(expecting: PeerServer.code)
            let error = await #expect(throws: FederationError.self) {
                try await client.request("GET", "/whoami", deadlineMS: 30_000)
            }
            #expect(error?.code == "E_PEER_CERTIFICATE")
            #expect(error?.message.contains("expired") == true)

            let stranger = try CertificateAuthority(name: "乙", validityDays: 10, now: now)
                .makeCredentials(for: node("370100"), validityDays: 1, now: now)
            let foreign = try server.client(expecting: PeerServer.code, credentials: stranger)
            let other = await #expect(throws: FederationError.self) {
                try await foreign.request("GET", "/whoami", deadlineMS: 30_000)
            }
            #expect(other?.code == "E_PEER_CERTIFICATE")
            #expect(other?.message.contains("authority") == true)
            try await server.expectCount(.refusedByClient, 2)
        }
    }

    @Test func `a new bundle serves new connections while the old ones go on`() async throws {
        try await withPeerServer { server in
            let old = try server.client(expecting: PeerServer.code)
            #expect(try await old.request("GET", "/whoami", deadlineMS: 30_000).status == 200)
            try server.bundle.replace(with: server.credentials("370001"))
            #expect(try await old.request("GET", "/whoami", deadlineMS: 30_000).status == 200)
            let new = try server.client(expecting: PeerServer.code)
            #expect(
                await errorCode { _ = try await new.request("GET", "/whoami", deadlineMS: 30_000) } == "E_PEER_IDENTITY"
            )
            let renamed = try server.client(expecting: "370001")
            #expect(try await renamed.request("GET", "/whoami", deadlineMS: 30_000).status == 200)
        }
    }

    @Test func `oversized and too many headers are refused`() async throws {
        try await withPeerServer { server in
            let client = try server.client(expecting: PeerServer.code)
            let long = ["x-long": String(repeating: "a", count: 20_000)]
            let many = Dictionary(uniqueKeysWithValues: (0..<100).map { ("x-\($0)", "a") })
            for headers in [long, many] {
                #expect(try await client.request("GET", "/whoami", headers: headers, deadlineMS: 30_000).status == 400)
            }
        }
    }
}
