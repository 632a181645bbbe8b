import FederationModel
import Foundation
import NodeIdentity
import TestSupport

/// What is signed, and counts for nothing before its signature holds.
let signedTargets = [
    FuzzTarget("ferry-file", read: readFerryFile),
    FuzzTarget("topology-release", read: readRelease),
]

/// Of this process alone, so that no key lies in the repository. The corpus has a word in place of the certificate.
private enum Identity {
    static let certificateWord = "@CERTIFICATE@"
    static let credentials = Result {
        let authority = try CertificateAuthority(name: "fuzz", validityDays: 30, now: Federation.now)
        return try [Federation.province, Federation.city].map {
            try authority.makeCredentials(for: $0, validityDays: 30, now: Federation.now)
        }
    }

    /// The bytes with the city's certificate, as it stands in a JSON text.
    static func certified(_ bytes: some Collection<UInt8>) throws -> [UInt8] {
        let certificate = try credentials.get()[1].certificateChainPEM.replacing("\n", with: "\\n")
        return Array(Data(bytes)).replacing(Array(certificateWord.utf8), with: Array(certificate.utf8))
    }
}

/// A whole file; or its header, a line end, and what comes behind it.
private func readFerryFile(_ bytes: [UInt8]) throws {
    var file = bytes
    if !bytes.starts(with: Array("FSF1".utf8)) {
        let parts = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
        let header = try Identity.certified(parts[0])
        file = Array("FSF1".utf8) + withUnsafeBytes(of: UInt32(header.count).bigEndian) { Array($0) } + header
        if parts.count > 1 { file += parts[1] }
    }
    try withFile(file) { path in
        let reader = try SealedFileReader(path: path)
        _ = try reader.verify(for: Identity.credentials.get()[0], now: Federation.now)
        throw BrokenPromise("a ferry file is taken that nobody has signed")
    }
}

private func readRelease(_ bytes: [UInt8]) throws {
    guard let release = try readJSON(TopologyRelease.self, Identity.certified(bytes)), let signature = release.signature
    else { return }
    _ = try ReleaseSignature.verify(
        signature, of: release.signedBytes, at: release.publishedAt,
        trustRootsPEM: Identity.credentials.get()[0].trustRootsPEM)
    throw BrokenPromise("a release is taken that nobody has signed")
}
