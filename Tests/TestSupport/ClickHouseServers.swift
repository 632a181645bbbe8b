import FederationModel
import Foundation
import PeerTransport

/// Real ClickHouse servers on loopback, each a shard of the cluster `federation`, with their data in a folder of their own. They are
/// stopped, by process id, when this goes.
///
/// `@unchecked Sendable`: servers are started and stopped by one task; what others ask beside it only reads.
package final class ClickHouseServers: @unchecked Sendable {
    /// Tests that need them are skipped elsewhere.
    package static let areInstalled = FileManager.default.isExecutableFile(atPath: server)

    package static let user = "node"
    package static let password = "geheim"
    private static let server = "/usr/sbin/clickhouse-server"
    /// The server closes what it inherits, by which Foundation knows that a process lives: it would wait for this one, and for no other
    /// until then. So a shell stands between them, which ends the server when its input ends, also with the tests. It can't wait for the end:
    /// a test's threads have SIGCHLD blocked, and so has what they start.
    private static let shell = #""$@" </dev/null & read -r _; kill -9 $!"#

    private struct Ports {
        let http: Int
        let tcp: Int
    }

    private let folder: TemporaryFolder
    private let ports: [Ports]
    private var processes: [Int: (shell: Process, input: Pipe)] = [:]

    package init(shards: Int) async throws {
        folder = try TemporaryFolder("clickhouse")
        ports = try (0..<shards).map { _ in Ports(http: try freePort(), tcp: try freePort()) }
        for shard in 0..<shards {
            try FileManager.default.createDirectory(atPath: folder.path("\(shard)"), withIntermediateDirectories: true)
            try folder.write(configuration(of: shard), to: "\(shard)/config.xml")
            try folder.write(Self.users, to: "\(shard)/users.xml")
        }
        for shard in 0..<shards { try await start(shard) }
    }

    deinit {
        for (shell, input) in processes.values {
            try? input.fileHandleForWriting.close()
            shell.waitUntilExit()
        }
    }

    /// By HTTP.
    package var addresses: [String] { ports.map { "http://127.0.0.1:\($0.http)" } }

    package func start(_ shard: Int) async throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [
            "-c", Self.shell, "sh", Self.server, "--config-file=\(folder.path("\(shard)/config.xml"))",
        ]
        process.currentDirectoryURL = URL(filePath: folder.path("\(shard)"))
        let input = Pipe()
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        processes[shard] = (process, input)
        try await eventually("shard \(shard) answers", within: 60) {
            (try? await ask("SELECT 1", of: shard)) == "1\n"
        }
    }

    package func stop(_ shard: Int) async throws {
        guard let (shell, input) = processes.removeValue(forKey: shard) else { return }
        try input.fileHandleForWriting.close()
        try await eventually("shard \(shard) ends") { !shell.isRunning }
    }

    /// - Parameter input: rows that it inserts, as its format has them.
    /// - Returns: the answer, tab-separated.
    @discardableResult
    package func ask(_ sql: String, of shard: Int = 0, input: String? = nil) async throws -> String {
        var parameters = ["max_query_size": "33554432", "optimize_move_to_prewhere": "0"]
        if input != nil { parameters["query"] = sql }
        let query = parameters.map { name, value in
            "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")"
        }.joined(separator: "&")
        let url = "\(addresses[shard])/?\(query)"
        let answer = try await onOwnThread {
            try OutsideTransfer.ask(
                Array((input ?? sql).utf8),
                headers: ["X-ClickHouse-User": Self.user, "X-ClickHouse-Key": Self.password], of: url,
                timeoutSeconds: 60, answerBytesMax: 64 << 20)
        }
        let text = String(decoding: answer.body, as: UTF8.self)
        guard answer.status == 200 else { throw FederationError("E_TEST", "\(text.prefix(2_000))\n\(sql)") }
        return text
    }

    private func configuration(of shard: Int) -> String {
        let shards = ports.map { port in
            """
            <shard><replica><host>127.0.0.1</host><port>\(port.tcp)</port><user>\(Self.user)</user>
            <password>\(Self.password)</password></replica></shard>
            """
        }.joined(separator: "\n")
        let path = folder.path("\(shard)")
        return """
            <yandex>
            <logger><level>warning</level><log>\(path)/log</log><errorlog>\(path)/errors</errorlog></logger>
            <http_port>\(ports[shard].http)</http_port><tcp_port>\(ports[shard].tcp)</tcp_port>
            <listen_host>127.0.0.1</listen_host>
            <path>\(path)/data/</path><tmp_path>\(path)/tmp/</tmp_path>
            <format_schema_path>\(path)/schemas/</format_schema_path><user_files_path>\(path)/files/</user_files_path>
            <mark_cache_size>67108864</mark_cache_size><timezone>UTC</timezone>
            <users_config>users.xml</users_config><default_profile>default</default_profile>
            <default_database>default</default_database>
            <remote_servers><federation>\(shards)</federation></remote_servers>
            </yandex>
            """
    }

    private static let users = """
        <yandex><profiles><default><max_threads>2</max_threads></default></profiles><quotas><default/></quotas>
        <users><\(user)><password>\(password)</password><networks><ip>127.0.0.1</ip></networks>
        <profile>default</profile><quota>default</quota></\(user)></users></yandex>
        """
}

/// A port of the loopback address that was free a moment ago.
private func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let found = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
        }
    }
    guard found else { throw FederationError("E_TEST", "no port of the loopback address is free") }
    return Int(in_port_t(bigEndian: address.sin_port))
}
