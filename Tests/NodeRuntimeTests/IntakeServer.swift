import FederationModel
import Foundation
import Hummingbird
import LocalStore
import Logging
import NodeIdentity
import NodeRuntime
import ServiceLifecycle
import Testing

/// A real server for pushed records on the loopback interface, with a store of its own.
struct IntakeServer: Sendable {
    let store: NodeStore
    let metrics: IntakeMetrics
    let port: Int
    let signal: ChangeSignal

    static let path = "/v1/resources/service_request/records"

    /// Makes a token that may write `resources`, or all.
    func token(
        _ name: String = "crm", _ resources: [ResourceName]? = nil, expiresAt: UnixMilliseconds? = nil
    ) async throws -> String {
        let secret = APITokenSecret()
        try await store.add(
            APIToken(
                name: name, digest: secret.digest, resources: resources, createdAt: currentMilliseconds(),
                expiresAt: expiresAt))
        return secret.text
    }

    func connect() throws -> HTTPConnection { try HTTPConnection(port: port) }

    /// One request on a connection of its own.
    func push(
        _ body: String, token: String, path: String = path, headers: [String] = ["Content-Type: application/json"]
    ) async throws -> HTTPAnswer {
        try await push(Array(body.utf8), token: token, path: path, headers: headers)
    }

    func push(
        _ body: [UInt8], token: String, path: String = path, headers: [String] = ["Content-Type: application/json"]
    ) async throws -> HTTPAnswer {
        let connection = try connect()
        try await connection.send(
            HTTPConnection.head(path, ["Authorization: Bearer \(token)", "Content-Length: \(body.count)"] + headers))
        // A server that refuses does not take all of it.
        try? await connection.send(body)
        return try await connection.answer()
    }

    func count() async throws -> Int { try await store.rowCounts(of: "service_request").values.reduce(0, +) }
}

/// A ticket as a local system writes it.
func pushed(_ key: String, title: String = "路灯不亮") -> String {
    """
    {"key":"\(key)","service_request_id":"\(key)","requested_datetime":"2025-09-30T10:02:00+08:00","channel":"01",\
    "request_type":"2","urgency":"normal","acceptance":"accepted","title":"\(title)"}
    """
}

/// Runs `body` against a server, then shuts it down and waits for its end.
func withIntakeServer(
    gate: IntakeGate = IntakeGate(), bodySeconds: Int = IntakeLimits.bodySeconds, isPrivate: Bool = true,
    _ body: @escaping @Sendable (IntakeServer) async throws -> Void
) async throws {
    let folder = try TemporaryFolder()
    try NodeStore.create(
        at: folder.path("node.db"), node: try node("370100"), epoch: Epoch(counter: 1, nonce: 1))
    let store = try NodeStore(at: folder.path("node.db"))
    defer { try? store.close() }
    let (metrics, signal) = (IntakeMetrics(), ChangeSignal())
    let router = Router()
    IntakeRoutes(
        desk: try desk(store) { signal.ring(head: $0) }, gate: gate, metrics: metrics, bodySeconds: bodySeconds
    ).add(to: router, isPrivate: isPrivate)
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
        for await port in ports {
            try await body(IntakeServer(store: store, metrics: metrics, port: port, signal: signal))
        }
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
    }
}

/// An answer of HTTP/1.1, whole.
struct HTTPAnswer: Sendable {
    let status: Int
    /// Names in lower case.
    let headers: [String: String]
    let body: String

    func json() throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any], "\(body)")
    }

    /// The code of a problem.
    var code: String? { (try? json())?["code"] as? String }

    /// `status` of each record.
    func outcomes() throws -> [String] {
        try #require(json()["results"] as? [[String: Any]]).compactMap { $0["status"] as? String }
    }
}

/// A plain connection on which a test writes HTTP byte by byte. Blocking calls run on threads of their own.
final class HTTPConnection: @unchecked Sendable {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var patience = timeval(tv_sec: 15, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
    }

    deinit { close(descriptor) }

    static func head(_ path: String, _ headers: [String], method: String = "POST") -> [UInt8] {
        Array("\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\(headers.map { $0 + "\r\n" }.joined())\r\n".utf8)
    }

    /// - Throws: when the other side takes no more.
    func send(_ bytes: [UInt8]) async throws {
        try await onThread { [descriptor] in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { throw CocoaError(.fileWriteUnknown) }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// The next answer, by its `Content-Length`.
    func answer() async throws -> HTTPAnswer {
        try await onThread { [descriptor] in
            var bytes: [UInt8] = []
            var byte: UInt8 = 0
            while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
                guard recv(descriptor, &byte, 1, 0) == 1 else { throw CocoaError(.fileReadUnknown) }
                bytes.append(byte)
            }
            let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
            var headers: [String: String] = [:]
            for line in lines.dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
                if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
            }
            var body = [UInt8](repeating: 0, count: headers["content-length"].flatMap { Int($0) } ?? 0)
            var read = 0
            while read < body.count {
                let count = body.withUnsafeMutableBytes {
                    recv(descriptor, $0.baseAddress?.advanced(by: read), $0.count - read, 0)
                }
                guard count > 0 else { throw CocoaError(.fileReadUnknown) }
                read += count
            }
            let status = lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            return HTTPAnswer(status: status, headers: headers, body: String(decoding: body, as: UTF8.self))
        }
    }

    /// Waits for the server to close the connection.
    func end() async throws {
        try await onThread { [descriptor] in
            var buffer = [UInt8](repeating: 0, count: 4_096)
            while recv(descriptor, &buffer, buffer.count, 0) > 0 {}
        }
    }
}

private func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}
