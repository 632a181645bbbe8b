import FederationModel
import Foundation
import Hummingbird
import Logging
import NodeDesk
import NodeIdentity
import NodeRuntime
import PeerTransport
import ServiceLifecycle
import Testing

func node(_ code: String) throws -> NodeID { try #require(NodeID(code)) }

func currentMilliseconds() -> UnixMilliseconds { UnixMilliseconds(Date().timeIntervalSince1970 * 1000) }

/// A real server for peers on the loopback interface, with the credentials of an authority made for the test.
struct PeerServer {
    let authority: CertificateAuthority
    let port: Int
    let bundle: ServerTLSBundle
    let counters: HandshakeCounters
    let services: ServiceGroup

    static let code = "370000"

    func credentials(_ code: String, validityDays: Int = 1) throws -> NodeCredentials {
        try authority.makeCredentials(for: node(code), validityDays: validityDays, now: currentMilliseconds())
    }

    /// A client that is `code` and expects `expecting` at the server's port.
    func client(
        _ code: String = "370100", expecting: String = code, credentials: NodeCredentials? = nil,
        limits: PeerLimits = .init()
    ) throws -> PeerClient {
        PeerClient(
            node: try node(expecting), host: "127.0.0.1", port: port,
            credentials: try credentials ?? self.credentials(code), limits: limits)
    }

    /// Waits until a handshake has ended so; the server may count it a little after the client gave up.
    func expectCount(_ outcome: HandshakeOutcome, _ count: Int = 1) async throws {
        try await eventually("\(count) × \(outcome.rawValue)") { counters.snapshot[outcome] == count }
    }
}

/// Runs `body` against a server with these routes, then shuts the server down and waits for its end.
func withPeerServer(
    authority: CertificateAuthority? = nil, credentials: NodeCredentials? = nil,
    configuration: MutualTLSConfiguration = .init(), routes: (Router<PeerRequestContext>) -> Void = { _ in },
    body: @escaping @Sendable (PeerServer) async throws -> Void
) async throws {
    let now = currentMilliseconds()
    let authority = try authority ?? CertificateAuthority(name: "测试根证书", validityDays: 10, now: now)
    let own = try credentials ?? authority.makeCredentials(for: node(PeerServer.code), validityDays: 1, now: now)
    let router = Router(context: PeerRequestContext.self)
    router.get("whoami") { _, context in context.peer.code }
    router.post("echo") { request, _ in
        Response.stream(request) { incoming, outgoing in
            for try await chunk in incoming { try await outgoing.write(Array(chunk.readableBytesView)) }
        }
    }
    routes(router)
    let bundle = try ServerTLSBundle(own)
    let counters = HandshakeCounters()
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let application = Application(
        router: router, server: mutualTLSServer(bundle: bundle, counters: counters, configuration: configuration),
        configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { channel in
            port.yield(channel.localAddress?.port ?? 0)
            port.finish()
        }, logger: logger)
    let services = ServiceGroup(configuration: .init(services: [application], logger: logger))
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await services.run() }
        for await port in ports {
            try await body(
                PeerServer(authority: authority, port: port, bundle: bundle, counters: counters, services: services))
        }
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
    }
}

/// Looks again and again until `condition` holds, for at most ten seconds.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, "\(what): not within 10 s")
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// The code of the error that `body` throws, nil when it does not throw.
func errorCode(_ body: () async throws -> Void) async -> String? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? FederationError)?.code ?? "\(type(of: error))"
    }
}

/// A TCP connection without TLS, for what strangers do.
final class RawConnection {
    private let socket: Int32

    init(port: Int) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
    }

    deinit { close(socket) }

    func send(_ text: String) { _ = text.withCString { write(socket, $0, strlen($0)) } }

    /// Reads to the end: returns when the server has closed the connection.
    func drain() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while read(socket, &buffer, buffer.count) > 0 {}
    }
}
