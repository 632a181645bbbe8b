import FederationModel
import Foundation
import NodeFiles
import NodeIdentity
import TestSupport
import Testing

@Suite struct `A sealed file` {
    private let now: UnixMilliseconds = 1_790_000_000_000
    private let folder: TemporaryFolder
    private let authority: CertificateAuthority
    private let jinan = node("370100")
    private let province = node("370000")
    private let sender: NodeCredentials
    private let receiver: NodeCredentials

    init() throws {
        folder = try TemporaryFolder("sealed")
        authority = try CertificateAuthority(name: "根", validityDays: 3_650, now: now)
        sender = try authority.makeCredentials(for: jinan, validityDays: 30, now: now)
        receiver = try authority.makeCredentials(for: province, validityDays: 30, now: now)
    }

    private func certificate(of credentials: NodeCredentials) throws -> PeerCertificate {
        try PeerCertificate(
            pem: credentials.certificateChainPEM, of: credentials.node, trustRootsPEM: credentials.trustRootsPEM,
            validAt: [now])
    }

    @discardableResult
    private func seal(
        _ content: [[UInt8]], to name: String, from credentials: NodeCredentials? = nil,
        for other: NodeCredentials? = nil
    ) throws -> String {
        let path = folder.path(name)
        let writer = try SealedFileWriter(
            path: path, existing: .isKept, from: credentials ?? sender, to: try certificate(of: other ?? receiver),
            now: now)
        for part in content { try writer.write(part) }
        try writer.finish()
        return path
    }

    private func open(_ path: String, as credentials: NodeCredentials? = nil, at time: UnixMilliseconds? = nil) throws
        -> [UInt8]
    {
        let reader = try SealedFileReader(path: path)
        _ = try reader.verify(for: credentials ?? receiver, now: time ?? now)
        var content: [UInt8] = []
        while let chunk = try reader.next() { content += chunk }
        return content
    }

    private func open(_ bytes: [UInt8]) throws -> [UInt8] {
        let path = folder.path("bytes")
        try Data(bytes).write(to: URL(filePath: path))
        return try open(path)
    }

    @Test(arguments: [0, 1, (256 << 10) - 1, 256 << 10, (256 << 10) + 1, 1 << 20])
    func `brings every byte to the one that it is for, in chunks`(size: Int) throws {
        let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let path = try seal([Array(content.prefix(size / 3)), Array(content.dropFirst(size / 3))], to: "\(size)")
        #expect(try open(path) == content)
        let text = try Data(contentsOf: URL(filePath: path))
        #expect(size < 100 || text.range(of: Data(content.prefix(50))) == nil, "nothing is in clear")
    }

    @Test func `says in clear from whom to whom it goes, and when it was written`() throws {
        let header = try SealedFileReader(path: try seal([[1, 2, 3]], to: "file")).header
        #expect(header.sender == jinan && header.receiver == province && header.createdAt == now)
    }

    @Test func `that was altered in any byte is refused`() throws {
        let bytes = Array(try Data(contentsOf: URL(filePath: seal([Array("一件工单".utf8)], to: "file"))))
        for place in bytes.indices {
            var altered = bytes
            altered[place] ^= UInt8(1 << (place % 8))
            let code = errorCode { _ = try open(altered) } ?? "taken"
            #expect(code.hasPrefix("E_"), "byte \(place): \(code)")
        }
    }

    @Test func `that was cut at any length, or is longer, is refused`() throws {
        let bytes = Array(try Data(contentsOf: URL(filePath: seal([Array("一件工单".utf8)], to: "file"))))
        for length in 0..<bytes.count {
            #expect(errorCode { _ = try open(Array(bytes.prefix(length))) } == "E_FERRY_TRUNCATED", "\(length)")
        }
        #expect(errorCode { _ = try open(bytes + [0]) } == "E_FERRY_ALTERED")
    }

    @Test func `whose chunks were taken out or exchanged is refused`() throws {
        let chunk = 256 << 10
        let bytes = Array(
            try Data(contentsOf: URL(filePath: seal([[UInt8](repeating: 7, count: 3 * chunk)], to: "file"))))
        let header = 8 + bytes[4..<8].reduce(0) { $0 << 8 | Int($1) }
        let part = 5 + chunk + 16
        let parts = (0..<3).map { Array(bytes[header + $0 * part..<header + ($0 + 1) * part]) }
        let (head, tail) = (Array(bytes[..<header]), Array(bytes[(header + 3 * part)...]))
        func code(_ order: [Int]) -> String? { errorCode { _ = try open(head + order.flatMap { parts[$0] } + tail) } }
        #expect(code([0, 1, 2]) == nil)
        for order in [[1, 0, 2], [0, 2], [0, 0, 1, 2], [2], [0, 1], [0, 2, 1]] {
            #expect(code(order) == "E_FERRY_ALTERED", "\(order)")
        }
    }

    @Test func `for another node, or for a key that was replaced, is refused`() throws {
        let qingdao = try authority.makeCredentials(for: node("370200"), validityDays: 30, now: now)
        let path = try seal([[1]], to: "file")
        #expect(errorCode { _ = try open(path, as: qingdao) } == "E_FERRY_ADDRESS")
        let renewed = try authority.makeCredentials(for: province, validityDays: 30, now: now)
        #expect(errorCode { _ = try open(path, as: renewed) } == "E_FERRY_KEY")
    }

    @Test func `of a stranger, or with a certificate that has ended, is refused`() throws {
        let others = try CertificateAuthority(name: "根", validityDays: 3_650, now: now)
        let stranger = try others.makeCredentials(for: jinan, validityDays: 30, now: now)
        #expect(errorCode { _ = try open(try seal([[1]], to: "stranger", from: stranger)) } == "E_FERRY_CERTIFICATE")
        let path = try seal([[1]], to: "file")
        #expect(errorCode { _ = try open(path, at: now + 31 * 86_400_000) } == "E_FERRY_CERTIFICATE")
        #expect(errorCode { _ = try open(path, at: now + 29 * 86_400_000) } == nil)
    }

    @Test func `is sealed only for a certificate of this federation that names the receiver and is valid`() throws {
        func code(_ pem: String, of node: NodeID, at time: UnixMilliseconds) -> String? {
            errorCode {
                _ = try PeerCertificate(pem: pem, of: node, trustRootsPEM: sender.trustRootsPEM, validAt: [time])
            }
        }
        let pem = receiver.certificateChainPEM
        #expect(code(pem, of: province, at: now) == nil)
        #expect(code(pem, of: jinan, at: now) == "E_FERRY_CERTIFICATE")
        #expect(code(pem, of: province, at: now + 31 * 86_400_000) == "E_FERRY_CERTIFICATE")
        #expect(code(pem, of: province, at: now - 86_400_000) == "E_FERRY_CERTIFICATE")
        #expect(code("no certificate", of: province, at: now) == "E_FERRY_CERTIFICATE")
        #expect(code(authority.certificatePEM, of: province, at: now) == "E_FERRY_CERTIFICATE")
        let others = try CertificateAuthority(name: "根", validityDays: 3_650, now: now)
        let foreign = try others.makeCredentials(for: province, validityDays: 30, now: now)
        #expect(code(foreign.certificateChainPEM, of: province, at: now) == "E_FERRY_CERTIFICATE")
    }

    @Test func `that announces more than it may is refused before any of it is held`() throws {
        let bytes = Array(try Data(contentsOf: URL(filePath: seal([[1]], to: "file"))))
        let header = 8 + bytes[4..<8].reduce(0) { $0 << 8 | Int($1) }
        for place in [4, header + 1] {
            var lying = bytes
            lying.replaceSubrange(place..<place + 4, with: [0x7f, 0xff, 0xff, 0xff])
            #expect(errorCode { _ = try open(lying) } == "E_FERRY_TOO_LARGE")
        }
    }

    @Test func `is there whole or not at all, and replaces nothing unasked`() throws {
        let path = folder.path("file")
        do {
            let writer = try SealedFileWriter(
                path: path, existing: .isKept, from: sender, to: try certificate(of: receiver), now: now)
            try writer.write([UInt8](repeating: 1, count: 1 << 20))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("")).isEmpty)
        try folder.write("something", to: "file")
        #expect(errorCode { try seal([[1]], to: "file") } == "E_FILE_EXISTS")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "something")
        #expect(errorCode { _ = try open("/dev/null") } == "E_FILE_MISSING")
        #expect(errorCode { _ = try open(path) } == "E_FERRY_FORMAT")
    }
}
