import FederationModel
import Foundation
import Glibc
import NodeIdentity
import PeerTransport
import Synchronization
import TestSupport
import Testing

/// A real node of its own process, for a whole suite. Each test acts as another of its cities, so that what one city does
/// wrong does not count against the next one.
final class Province: Sendable {
    @TaskLocal static var current: Province?

    static let node = "370000"
    private static let cities = (1...60).map { String(370_000 + $0 * 100) }

    let authority: CertificateAuthority
    let port: Int
    let localPort: Int
    private let folder: URL
    private let process: Process
    private let citiesGiven = Mutex(0)

    private init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "border-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        port = try BareConnection.freePort()
        localPort = try BareConnection.freePort()
        let (folder, port, localPort) = (folder.path, port, localPort)
        var topology = "version: 1\nname: 边界\nnodes:\n"
        topology += "  - {code: \"\(Self.node)\", name: 山东省, endpoint: \"https://127.0.0.1:\(port)\"}\n"
        for city in Self.cities { topology += "  - {code: \"\(city)\", name: 市\(city), parent: \"\(Self.node)\"}\n" }
        try topology.write(toFile: folder + "/topology.yaml", atomically: true, encoding: .utf8)
        try Self.run("ca", "init", "--dir", folder + "/ca")
        try Self.run(
            "init", "--node", Self.node, "--topology", folder + "/topology.yaml", "--dir", folder + "/node",
            "--local-listen", "127.0.0.1:\(localPort)")
        try Self.run(
            "ca", "issue", "--ca", folder + "/ca", "--node", Self.node, "--out", folder + "/node/credentials")
        authority = try CertificateAuthority.load(from: folder + "/ca")
        process = Self.command("serve", "--config", folder + "/node/node.yaml")
        _ = FileManager.default.createFile(atPath: folder + "/log", contents: nil)
        process.standardError = FileHandle(forWritingAtPath: folder + "/log")
    }

    static func started() throws -> Province {
        let province = try Province()
        let output = Pipe()
        province.process.standardOutput = output
        try province.process.run()
        let pid = province.process.processIdentifier
        // Ends the wait for the first line of a node that does not come up.
        let alarm = DispatchWorkItem { kill(pid, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + 30, execute: alarm)
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        alarm.cancel()
        guard line.hasPrefix("listening") else {
            throw FederationError("E_TEST", "the province does not start: \(province.log)")
        }
        return province
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    var isRunning: Bool { process.isRunning }

    var log: String { (try? String(contentsOf: folder.appending(path: "log"), encoding: .utf8)) ?? "" }

    /// A city that no test has acted as yet.
    func nextCity() throws -> City {
        let number = citiesGiven.withLock { number in
            number += 1
            return number
        }
        let node = try #require(NodeID(Self.cities[number - 1]))
        return try City(node, of: self, credentials: credentials(of: node))
    }

    func credentials(
        of node: NodeID, by authority: CertificateAuthority? = nil, validityDays: Int = 1, now: UnixMilliseconds = now()
    ) throws -> PeerCredentials {
        let issued = try (authority ?? self.authority).makeCredentials(for: node, validityDays: validityDays, now: now)
        return PeerCredentials(
            certificateChainPEM: issued.certificateChainPEM, privateKeyPEM: issued.privateKeyPEM,
            trustRootsPEM: self.authority.certificatePEM + "\n")
    }

    // MARK: - What it says of itself

    /// How many messages of `peer` it has refused with `code`.
    func refusals(_ code: String, of peer: NodeID) throws -> Int {
        try metric("federation_refusals_total{code=\"\(code)\",peer=\"\(peer)\",direction=\"receiving\"}")
    }

    func handshakes(_ outcome: String) throws -> Int {
        try metric("federation_handshakes_total{outcome=\"\(outcome)\"}")
    }

    /// 0 when there is no such sample.
    private func metric(_ sample: String) throws -> Int {
        let connection = try BareConnection(port: localPort)
        connection.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        let page = try #require(connection.readToEnd())
        try #require(page.hasPrefix("HTTP/1.1 200"))
        let line = page.split(whereSeparator: \.isNewline).first { $0.hasPrefix(sample + " ") }
        return line.flatMap { Int($0.dropFirst(sample.count + 1)) } ?? 0
    }

    /// Rows of an origin in any state, read from its file by SQLite's own shell; rows put aside count too.
    func storedRows(of origin: NodeID) throws -> Int {
        let tables = BuiltInResources.all.map(\.name.text) + ["quarantine"]
        let counts = tables.map { "(SELECT count(*) FROM \"\($0)\" WHERE origin = '\(origin)')" }
        let sql = "SELECT " + counts.joined(separator: " + ")
        let path = folder.appending(path: "node/node.db").path
        let shell = Self.tool("sqlite3", "-readonly", path, sql)
        return try #require(Int(Self.output(of: shell).trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    /// Speaks TLS with it as someone who has no certificate; OpenSSL's client waits until the province has closed.
    func connectWithoutCertificate() throws {
        let client = Self.tool("openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-quiet", "-ign_eof")
        client.standardInput = FileHandle.nullDevice
        client.standardError = FileHandle.nullDevice
        client.standardOutput = FileHandle.nullDevice
        try client.run()
        client.waitUntilExit()
    }

    /// What the province has noted about the freshness of an origin; nil when it has noted nothing.
    func freshness(of origin: NodeID) throws -> Int64? {
        let path = folder.appending(path: "node/node.db").path
        let sql = "SELECT as_of FROM origin_freshness WHERE origin = '\(origin)'"
        let text = try Self.output(of: Self.tool("sqlite3", "-readonly", path, sql))
        return Int64(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Asks for the number of tickets by origin, as a person would.
    ///
    /// - Returns: the exit code: 0, or 3 when nodes are missing.
    func query() throws -> Int32 {
        let process = Self.command(
            "query", "--best-effort", "--by", "origin", "--config", folder.appending(path: "node/node.yaml").path)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -1
    }

    // MARK: - Commands

    private static func command(_ arguments: String...) -> Process {
        #if DEBUG
            let configuration = "debug"
        #else
            let configuration = "release"
        #endif
        let process = Process()
        process.executableURL = repositoryRoot.appending(path: ".build/\(configuration)/federation-node")
        process.arguments = arguments
        return process
    }

    private static func tool(_ arguments: String...) -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        return process
    }

    private static func run(_ arguments: String...) throws {
        let process = command()
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        _ = try output(of: process)
    }

    private static func output(of process: Process) throws -> String {
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw FederationError("E_TEST", "\(process.arguments ?? []) ends with \(process.terminationStatus)")
        }
        return String(decoding: data, as: UTF8.self)
    }
}

func now() -> UnixMilliseconds { UnixMilliseconds(Date().timeIntervalSince1970 * 1_000) }

/// Runs a province around a whole suite.
struct RunningProvince: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let province = try await onOwnThread { try Province.started() }
        defer { province.stop() }
        try await Province.$current.withValue(province) { try await function() }
    }
}

extension Trait where Self == RunningProvince {
    static var runningProvince: RunningProvince { RunningProvince() }
}
