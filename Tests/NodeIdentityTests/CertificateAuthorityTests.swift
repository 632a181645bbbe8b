import FederationModel
import Foundation
import NodeIdentity
import TestSupport
import Testing

private let now: UnixMilliseconds = 1_767_225_600_000
private let day: Int64 = 86_400_000

private func authority(_ name: String = "测试根证书") throws -> CertificateAuthority {
    try CertificateAuthority(name: name, validityDays: 3650, now: now)
}

/// A directory that is gone after the test.
private final class Scratch {
    let path = NSTemporaryDirectory() + "identity-\(UUID().uuidString)"
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func mode(of file: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path + "/" + file)
        return try #require(attributes[.posixPermissions] as? Int)
    }
}

private func der(_ pem: String) throws -> [UInt8] {
    let base64 = pem.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()
    return Array(try #require(Data(base64Encoded: base64)))
}

@Test func `a node's certificate names the node and ends in time`() throws {
    let credentials = try authority().makeCredentials(for: node("370100"), validityDays: 90, now: now)
    #expect(credentials.node == node("370100"))
    #expect(credentials.summary.notAfter == now + 90 * day)
    #expect(credentials.summary.notBefore == now - 300_000)
    #expect(credentials.summary.serial.count >= 16)
}

@Test func `a certificate never outlives its authority`() throws {
    let short = try CertificateAuthority(name: "短", validityDays: 10, now: now)
    let credentials = try short.makeCredentials(for: node("370100"), validityDays: 90, now: now)
    #expect(credentials.summary.notAfter == now + 10 * day)
}

@Test func `two certificates never share a serial`() throws {
    let authority = try authority()
    let serials = try (0..<20).map { _ in
        try authority.makeCredentials(for: node("370100"), validityDays: 1, now: now).summary.serial
    }
    #expect(Set(serials).count == 20)
}

@Test func `a request that was changed on its way is refused`() throws {
    let pem = try NodeKey().requestPEM
    let lines = pem.split(separator: "\n").map(String.init)
    var bytes = try der(pem)
    bytes[bytes.count - 1] ^= 1
    let forged = ([lines[0], Data(bytes).base64EncodedString(), lines[lines.count - 1]]).joined(separator: "\n")
    for request in [forged, "", "-----BEGIN CERTIFICATE REQUEST-----", pem.replacing("REQUEST", with: "")] {
        #expect(
            errorCode { _ = try authority().issue(to: node("370100"), requestPEM: request, validityDays: 1, now: now) }
                == "E_CSR_INVALID")
    }
}

@Test func `an authority is saved once, privately, and read again`() throws {
    let scratch = Scratch()
    let authority = try authority()
    try authority.save(to: scratch.path)
    #expect(try scratch.mode(of: "ca-key.pem") == 0o600)
    #expect(try scratch.mode(of: "ca.pem") == 0o644)
    #expect(try CertificateAuthority.load(from: scratch.path).certificatePEM == authority.certificatePEM)
    #expect(errorCode { try authority.save(to: scratch.path) } == "E_FILE_EXISTS")
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted() == ["ca-key.pem", "ca.pem"])
}

@Test func `an authority whose key belongs to another is refused`() throws {
    let (first, second) = (Scratch(), Scratch())
    try authority().save(to: first.path)
    try authority().save(to: second.path)
    try FileManager.default.removeItem(atPath: first.path + "/ca.pem")
    try FileManager.default.copyItem(atPath: second.path + "/ca.pem", toPath: first.path + "/ca.pem")
    #expect(errorCode { _ = try CertificateAuthority.load(from: first.path) } == "E_CA_INVALID")
    #expect(errorCode { _ = try CertificateAuthority.load(from: first.path + "/none") } == "E_FILE_READ")
}

@Test func `credentials are saved privately and replaced at a renewal`() throws {
    let scratch = Scratch()
    let authority = try authority()
    try authority.makeCredentials(for: node("370100"), validityDays: 1, now: now).save(to: scratch.path)
    try authority.makeCredentials(for: node("370100"), validityDays: 90, now: now).save(to: scratch.path)
    let read = try NodeCredentials.load(from: scratch.path)
    #expect(read.summary.notAfter == now + 90 * day)
    #expect(try scratch.mode(of: "node-key.pem") == 0o600)
    #expect(
        try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted() == [
            "ca.pem", "node-key.pem", "node.pem",
        ])
}

@Test func `credentials that do not fit together are refused`() throws {
    let authority = try authority()
    let a = try authority.makeCredentials(for: node("370100"), validityDays: 1, now: now)
    let b = try authority.makeCredentials(for: node("370200"), validityDays: 1, now: now)
    let broken: [(String, String, String)] = [
        (a.certificateChainPEM, b.privateKeyPEM, a.trustRootsPEM), (a.certificateChainPEM, a.privateKeyPEM, ""),
        (a.trustRootsPEM, a.privateKeyPEM, a.trustRootsPEM), ("", "", ""),
        (a.certificateChainPEM, "x", a.trustRootsPEM),
    ]
    for (chain, key, roots) in broken {
        #expect(
            errorCode { _ = try NodeCredentials(certificateChainPEM: chain, privateKeyPEM: key, trustRootsPEM: roots) }
                == "E_CREDENTIALS")
    }
}

@Test func `expired, foreign and nameless certificates are told apart`() throws {
    let ours = try authority()
    let foreign = try authority()  // the same name, another key
    let good = try ours.makeCredentials(for: node("370100"), validityDays: 1, now: now)
    let other = try foreign.makeCredentials(for: node("370100"), validityDays: 1, now: now)
    func reason(_ pem: String, at time: UnixMilliseconds = now) throws -> CertificateRefusal? {
        CertificateRefusal.reason(ofCertificateDER: try der(pem), trustRootsPEM: ours.certificatePEM, now: time)
    }
    #expect(try reason(good.certificateChainPEM) == nil)
    #expect(try reason(good.certificateChainPEM, at: now + 2 * day) == .expired)
    #expect(try reason(good.certificateChainPEM, at: now - day) == .notYetValid)
    #expect(try reason(other.certificateChainPEM) == .foreignAuthority)
    #expect(try reason(other.certificateChainPEM, at: now + 2 * day) == .foreignAuthority)
    #expect(try reason(ours.certificatePEM) == .noNode)
    #expect(
        CertificateRefusal.reason(ofCertificateDER: [1, 2, 3], trustRootsPEM: ours.certificatePEM, now: now)
            == .unreadable)
}

@Test(arguments: [
    "urn:federation-node:", "urn:federation-node:3701", "urn:federation-node:37010a", "370100",
    "URN:federation-node:370100", "urn:federation-node:370100 ", "urn:federation-node:３７０１００",
])
func `only the exact form of the URI is a node`(uri: String) {
    #expect(CertificateNames.nodeID(fromURISAN: uri) == nil)
}

@Test func `the URI of a node reads back`() throws {
    let id = node("370100")
    #expect(CertificateNames.nodeID(fromURISAN: CertificateNames.uri(of: id)) == id)
    #expect(CertificateNames.dnsName(of: id) == "n370100.node.invalid")
}

private let openssl = "/usr/bin/openssl"

@Test(.enabled(if: FileManager.default.isExecutableFile(atPath: openssl)))
func `openssl accepts what the authority issues, for both ends of a connection`() throws {
    let scratch = Scratch()
    let start = UnixMilliseconds(Date().timeIntervalSince1970 * 1000)
    let authority = try CertificateAuthority(name: "山东省热线联邦", validityDays: 3650, now: start)
    try authority.makeCredentials(for: node("370100"), validityDays: 90, now: start).save(to: scratch.path)
    for purpose in ["sslserver", "sslclient"] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: openssl)
        process.arguments = [
            "verify", "-x509_strict", "-purpose", purpose, "-verify_hostname", "n370100.node.invalid", "-CAfile",
            scratch.path + "/ca.pem", scratch.path + "/node.pem",
        ]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}

@Test func `credentials in a directory are renewed with their key, replaced only when told, and others are left alone`()
    throws
{
    let (scratch, authority) = (Scratch(), try authority())
    func issue(_ code: String, by issuer: CertificateAuthority, replacing: Bool = false) throws -> NodeCredentials {
        try issuer.makeCredentials(
            for: node(code), in: scratch.path, replacing: replacing, validityDays: 90, now: now)
    }
    let first = try issue("370100", by: authority)
    let renewed = try issue("370100", by: authority)
    #expect(renewed.privateKeyPEM == first.privateKeyPEM && renewed.summary.serial != first.summary.serial)
    #expect(try NodeCredentials.load(from: scratch.path).certificateChainPEM == renewed.certificateChainPEM)
    #expect(errorCode { _ = try issue("370200", by: authority) } == "E_FILE_EXISTS")
    let other = try CertificateAuthority(name: "别处", validityDays: 10, now: now)
    #expect(errorCode { _ = try issue("370100", by: other) } == "E_FILE_EXISTS")
    #expect(try NodeCredentials.load(from: scratch.path).certificateChainPEM == renewed.certificateChainPEM)
    #expect(try issue("370100", by: authority, replacing: true).privateKeyPEM != first.privateKeyPEM)
}

@Test(arguments: [
    (365, 0, CertificateValidity.State.valid), (365, 334, .valid), (365, 336, .ending), (365, 365, .ended),
    (365, -1, .notYetValid),
    (30, 19, .valid), (30, 21, .ending),
])
func `a certificate is to be renewed 30 days before its end, a short-lived one after two thirds of its life`(
    life: Int64, age: Int64, state: CertificateValidity.State
) {
    let validity = CertificateValidity(notBefore: now, notAfter: now + life * day)
    #expect(validity.state(now: now + age * day) == state)
}

@Test func `credentials that other nodes would not accept now are told apart from good ones`() throws {
    let credentials = try authority().makeCredentials(for: node("370100"), validityDays: 10, now: now)
    #expect(credentials.problem(now: now) == nil)
    #expect(credentials.problem(now: now + 11 * day)?.code == "E_CREDENTIALS")
    #expect(credentials.problem(now: now - day)?.code == "E_CREDENTIALS")
    let stranger = try NodeCredentials(
        certificateChainPEM: credentials.certificateChainPEM, privateKeyPEM: credentials.privateKeyPEM,
        trustRootsPEM: authority("别处").certificatePEM)
    #expect(stranger.problem(now: now)?.code == "E_CREDENTIALS")
}
