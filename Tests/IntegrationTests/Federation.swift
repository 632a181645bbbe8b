import FederationModel
import Foundation
import TestSupport
import Testing

/// All suites that start processes: one test at a time, so that two cores suffice and no test is late because of another.
@Suite(.serialized) enum `Real processes` {}

/// What a command printed, and its exit code.
struct CommandResult: Sendable {
    let status: Int32
    let output: String
    let errors: String

    /// The JSON list on stdout.
    func jsonList() throws -> [[String: Any]] {
        try #require(JSONSerialization.jsonObject(with: Data(output.utf8)) as? [[String: Any]], "\(output) \(errors)")
    }

    /// The JSON document on stdout.
    func json() throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any], "\(output) \(errors)")
    }
}

/// A federation of real processes in a folder of its own: real certificates, real SQLite files, real HTTPS on loopback.
/// Everything that it starts is stopped, by process id, when it goes.
///
/// `@unchecked Sendable`: services are started and stopped by one task; commands and signals, which other tasks may send beside
/// it, only read.
final class Federation: @unchecked Sendable {
    struct Node {
        let code: String
        var name = ""
        var parent: String?
        var extra: [String] = []
        var reach = Reach.endpoint
    }

    /// Whether others can dial a node.
    enum Reach {
        case endpoint
        /// Its endpoint is a port at which nobody listens, as behind a firewall.
        case closedPort
        /// The topology gives it no endpoint.
        case noEndpoint
    }

    /// The program under test: the one that was built with the tests, unless FEDERATION_NODE_BINARY names another.
    static let executable =
        ProcessInfo.processInfo.environment["FEDERATION_NODE_BINARY"].map { URL(filePath: $0) }
        ?? repositoryRoot.appending(path: ".build/release/federation-node")

    /// Whether this user may mount file systems of his own in a namespace of his own.
    static let mayMount: Bool = {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/unshare")
        process.arguments = ["-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    /// 山东省 with 济南 and 青岛 by copy and 淄博 by query.
    static let qilu = [
        Node(code: "370000", name: "山东省"), Node(code: "370100", name: "济南市", parent: "370000"),
        Node(code: "370200", name: "青岛市", parent: "370000"),
        Node(code: "370300", name: "淄博市", parent: "370000", extra: ["mode: logical"]),
    ]

    let folder: URL
    private var processes: [String: Process] = [:]
    private var ports: [ReservedPort] = []

    /// The lines of a node in the topology file.
    private func lines(of node: Node) throws -> String {
        var lines = "  - code: \"\(node.code)\"\n    name: \(node.name.isEmpty ? node.code : node.name)\n"
        if node.reach != .noEndpoint {
            let port = try ReservedPort()
            ports.append(port)
            lines += "    endpoint: https://127.0.0.1:\(port.number)\n"
        }
        if let parent = node.parent { lines += "    parent: \"\(parent)\"\n" }
        for line in node.extra { lines += "    \(line)\n" }
        return lines
    }

    /// Makes the data directory and the certificate of a node of the topology file as it is now.
    func setUp(_ node: Node) async throws {
        try await succeed(
            [
                "init", "--node", node.code, "--topology", path("topology.yaml"), "--dir", path(node.code),
                "--local-listen", "127.0.0.1:0",
            ] + (node.reach == .endpoint ? [] : ["--listen", "127.0.0.1:0"]))
        try await succeed([
            "ca", "issue", "--ca", path("ca"), "--node", node.code, "--out", path("\(node.code)/credentials"),
        ])
    }

    init(_ nodes: [Node]) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "federation-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var topology = "version: 1\nname: test\nnodes:\n"
        for node in nodes { topology += try lines(of: node) }
        try write(topology, to: "topology.yaml")
        try await succeed(["ca", "init", "--dir", path("ca")])
        for node in nodes { try await setUp(node) }
    }

    // MARK: - The topology

    /// Publishes an edited topology file at the top node and, if it is to be waited for, until every node stands on it.
    @discardableResult
    func apply(
        version: Int, _ flags: [String] = ["--wait", "60"], edit: (String) throws -> String
    ) async throws -> [String: Any] {
        let text = try String(contentsOfFile: path("topology.yaml"), encoding: .utf8)
        let edited = try edit(text).replacing(/version: \d+/, with: "version: \(version)")
        try write(edited, to: "topology.yaml")
        return try await succeed(
            ["topology", "apply", path("topology.yaml"), "--json"] + flags, at: "370000"
        ).json()
    }

    /// Applies a topology with one more node, sets that up and starts it.
    func join(_ node: Node, version: Int) async throws {
        let added = try lines(of: node)
        try await apply(version: version, []) { $0 + added }
        try await setUp(node)
        try await serve(node.code)
    }

    /// Gives a stopped node the empty database of a node that was just set up.
    func replaceDatabase(_ code: String) async throws {
        try await succeed([
            "init", "--node", code, "--topology", path("topology.yaml"), "--dir", path("\(code)-afresh"),
        ])
        for end in ["", "-wal", "-shm", "-history"] {
            try? FileManager.default.removeItem(atPath: path("\(code)/node.db\(end)"))
        }
        try FileManager.default.moveItem(atPath: path("\(code)-afresh/node.db"), toPath: path("\(code)/node.db"))
    }

    /// Keeps the database of a stopped node as it is, for `putBackDatabase`.
    func keepDatabase(_ code: String) throws {
        for end in ["", "-wal"] where FileManager.default.fileExists(atPath: path("\(code)/node.db\(end)")) {
            try FileManager.default.copyItem(
                atPath: path("\(code)/node.db\(end)"), toPath: path("\(code)/kept.db\(end)"))
        }
    }

    func putBackDatabase(_ code: String) throws {
        for end in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: path("\(code)/node.db\(end)"))
            let kept = path("\(code)/kept.db\(end)")
            if FileManager.default.fileExists(atPath: kept) {
                try FileManager.default.moveItem(atPath: kept, toPath: path("\(code)/node.db\(end)"))
            }
        }
    }

    /// How often a node's log says something.
    func logCount(_ text: String, of code: String) throws -> Int {
        try String(contentsOfFile: path("\(code)/serve.log"), encoding: .utf8).split(separator: "\n").count {
            $0.contains(text)
        }
    }

    deinit {
        for process in processes.values where process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(at: folder)
    }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    func write(_ text: String, to name: String) throws {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    }

    // MARK: - Services

    /// Starts a node and waits until it listens.
    ///
    /// - Parameter verifyAt: when it compares its links by itself; a test must not depend on the time of the day.
    func serve(_ code: String, verifyAt: String = "off") async throws {
        let output = path("\(code)/serve.out")
        try Data().write(to: URL(filePath: output))
        let process = Process()
        process.executableURL = Self.executable
        process.arguments = ["serve", "--config", path("\(code)/node.yaml")]
        process.environment = ProcessInfo.processInfo.environment.merging(["FEDERATION_NODE_VERIFY_AT": verifyAt]) {
            $1
        }
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: output))
        let log = path("\(code)/serve.log")
        if !FileManager.default.fileExists(atPath: log) { try Data().write(to: URL(filePath: log)) }
        let logHandle = try FileHandle(forWritingTo: URL(filePath: log))
        try logHandle.seekToEnd()
        process.standardError = logHandle
        process.standardInput = FileHandle.nullDevice
        try process.run()
        processes[code] = process
        do {
            try await waitUntil("\(code) listens", seconds: 60) {
                try #require(process.isRunning, "\(code) has ended")
                return try String(contentsOfFile: output, encoding: .utf8).hasPrefix("listening")
            }
        } catch {
            Issue.record("\(code) says last: \(try String(contentsOfFile: log, encoding: .utf8).suffix(500))")
            throw error
        }
    }

    /// Sends a signal and waits for the end.
    ///
    /// - Returns: the exit code, or the signal that ended it.
    @discardableResult
    func stop(_ code: String, signal: Int32 = SIGTERM, seconds: Double = 15) async throws -> Int32 {
        let process = try #require(processes[code])
        kill(process.processIdentifier, signal)
        try await waitUntil("\(code) has ended", seconds: seconds) { !process.isRunning }
        processes[code] = nil
        return process.terminationStatus
    }

    /// Sends a signal to a running service.
    func signal(_ code: String, _ signal: Int32) throws {
        kill(try #require(processes[code]).processIdentifier, signal)
    }

    /// The port for this machine, out of the `listening` line.
    func localPort(_ code: String) throws -> Int {
        let line = try String(contentsOfFile: path("\(code)/serve.out"), encoding: .utf8)
        let match = try #require(line.firstMatch(of: /http:\/\/127\.0\.0\.1:(\d+)/))
        return try #require(Int(match.1))
    }

    /// A page of the plain HTTP listener: the whole answer, status line and headers first.
    func get(_ page: String, from code: String) async throws -> String {
        let port = try localPort(code)
        return try await onOwnThread {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var patience = timeval(tv_sec: 10, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            let connected = withLoopback(port: port) { connect(descriptor, $0, $1) }
            guard connected == 0 else { throw CocoaError(.fileReadUnknown) }
            let request = Array("GET \(page) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
            guard send(descriptor, request, request.count, 0) == request.count else {
                throw CocoaError(.fileReadUnknown)
            }
            var answer: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 { answer += buffer[..<count] }
            return String(decoding: answer, as: UTF8.self)
        }
    }

    // MARK: - Commands

    func run(_ arguments: [String], at code: String? = nil) async throws -> CommandResult {
        let all = arguments + (code.map { ["--config", path("\($0)/node.yaml")] } ?? [])
        return try await Self.run(Self.executable, all)
    }

    /// Runs a command to its end. One that takes two minutes hangs, and is killed.
    private static func run(_ executable: URL, _ arguments: [String]) async throws -> CommandResult {
        try await onOwnThread {
            let process = Process()
            process.executableURL = executable
            process.arguments = arguments
            let (output, errors) = (Pipe(), Pipe())
            process.standardOutput = output
            process.standardError = errors
            process.standardInput = FileHandle.nullDevice
            try process.run()
            let pid = process.processIdentifier
            let limit = DispatchWorkItem { kill(pid, SIGKILL) }
            DispatchQueue.global().asyncAfter(deadline: .now() + 120, execute: limit)
            defer { limit.cancel() }
            // What commands say on stderr is small, so it may wait in its pipe while stdout is read.
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            let problems = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return CommandResult(status: process.terminationStatus, output: text, errors: problems)
        }
    }

    @discardableResult
    func succeed(_ arguments: [String], at code: String? = nil) async throws -> CommandResult {
        let result = try await run(arguments, at: code)
        try #require(result.status == 0, "\(arguments): \(result.errors)")
        return result
    }

    func query(
        _ arguments: [String] = [], at code: String
    ) async throws -> (result: CommandResult, json: [String: Any]) {
        let result = try await run(["query", "--json"] + arguments, at: code)
        return (result, try result.json())
    }

    /// Like `query`, and its rows count all tickets that are there: those with them that 诉求量 leaves out, because they were merged or
    /// not accepted.
    func tickets(
        _ arguments: [String] = [], at code: String
    ) async throws -> (result: CommandResult, json: [String: Any]) {
        let counts = ["count", "merged_count", "not_accepted_count"]
        var (result, json) = try await query(counts.flatMap { ["--measure", $0] } + arguments, at: code)
        json["rows"] = (json["rows"] as? [[Any]])?.map { row in
            Array(row.dropLast(counts.count)) + [row.suffix(counts.count).reduce(0) { $0 + ($1 as? Int ?? 0) }]
        }
        return (result, json)
    }

    /// What a command of the system prints.
    static func tool(_ arguments: [String]) async throws -> CommandResult {
        try await run(URL(filePath: "/usr/bin/env"), arguments)
    }

    /// Values of a node's database, read by the sqlite3 shell.
    func sql(_ statement: String, at code: String) async throws -> String {
        let result = try await Self.tool([
            "sqlite3", "-readonly", "-cmd", ".timeout 10000", path("\(code)/node.db"), statement,
        ])
        try #require(result.status == 0, "sqlite3: \(statement): \(result.errors)")
        return result.output.trimmingCharacters(in: .newlines)
    }

    func count(_ resource: String, at code: String, where condition: String = "deleted = 0") async throws -> Int {
        Int(try await sql("SELECT count(*) FROM \(resource) WHERE \(condition)", at: code)) ?? -1
    }

    /// The live records of all tickets, those of their threads included.
    func countRecords(at code: String) async throws -> Int {
        let counts = BuiltInResources.ticketResources.map { "(SELECT count(*) FROM \($0.name) WHERE deleted = 0)" }
        return try #require(Int(try await sql("SELECT \(counts.joined(separator: " + "))", at: code)))
    }

    // MARK: - Waiting

    /// Waits until every link of a node says that it is level.
    func waitUntilLevel(_ code: String, seconds: Double = 60) async throws {
        try await waitUntil("\(code) is level", seconds: seconds) {
            let status = try await self.succeed(["status", "--json"], at: code).json()
            return status[list: "links"].allSatisfy { $0["state"] as? String == "level" && $0["lagRows"] as? Int == 0 }
        }
    }

    /// Polls a condition, the way a person would look again, until it holds.
    func waitUntil(_ what: String, seconds: Double, _ condition: () async throws -> Bool) async throws {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while try await !condition() {
            try Task.checkCancellation()
            try #require(Date() < deadline, "not within \(seconds) s: \(what)")
            try await onOwnThread { _ = poll(nil, 0, 20) }
        }
    }
}

/// A port of the loopback address that nobody else gets as long as this lives.
///
/// It is bound and never listens, so the node can listen on it (both with SO_REUSEADDR, socket(7)), time and again, while
/// the system hands it to no other process; and who connects while the node is down is refused as usual.
private final class ReservedPort {
    let number: Int
    private let descriptor: Int32

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let bound = withLoopback(port: 0) { bind(descriptor, $0, $1) }
        // Only now: with it from the beginning, a port that another test holds in the same way could be shared.
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let named = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        self.descriptor = descriptor
        number = Int(in_port_t(bigEndian: address.sin_port))
        try #require(bound == 0 && named == 0 && number > 0, "no port of the loopback address is free")
    }

    deinit { close(descriptor) }
}

private func withLoopback<Value>(port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
}

extension [String: Any] {
    subscript(object key: String) -> [String: Any] { self[key] as? [String: Any] ?? [:] }
    subscript(list key: String) -> [[String: Any]] { self[key] as? [[String: Any]] ?? [] }
}
