import Crypto
import FederationModel
import Foundation
import NodeFiles
import SwiftASN1
import X509

/// A file that only one node can read, and of which that node can tell who wrote it.
///
/// HPKE (RFC 9180, base mode, DHKEM(P-256), HKDF-SHA256, AES-256-GCM) to the key of the receiver's certificate, and an ECDSA
/// signature by that of the sender over everything before it. Layout: docs/wire-format.md.
///
/// A node has one key, which its certificate vouches for; a second one for encryption would need an enrolment, a renewal and a
/// revocation of its own. Signing and key agreement with one P-256 key do not weaken each other (Degabriele and others, CT-RSA 2012).
package enum SealedFile {
    static let magic = Array("FSF1".utf8)

    /// Bytes of the header. It holds two codes, three short texts and a certificate chain; a chain takes about 1 KiB a certificate.
    package static let headerBytesMax = 64 << 10
    /// Bytes of a chunk before it is sealed: what a reader holds at once. Small enough for any machine, large enough that the 37
    /// bytes around it do not count.
    package static let chunkBytes = 256 << 10
    static let tagBytes = 16
    static let signatureBytesMax = 128
    static let ciphersuite = HPKE.Ciphersuite.P256_SHA256_AES_GCM_256

    /// What comes after the header: each a byte, a length of four bytes (big-endian) and as many bytes.
    enum Part: UInt8 {
        case chunk = 1
        /// The last one, so that a file that was cut between two chunks is not taken for a whole one.
        case lastChunk = 2
        /// Over the SHA-256 of everything before it; nothing follows.
        case signature = 3
    }

    /// Ties the secret to the two nodes.
    static func info(from sender: NodeID, to receiver: NodeID) -> Data {
        Data("federation sealed file 1\n\(sender)\n\(receiver)".utf8)
    }

    /// Ties a chunk to its header and its kind; its place is HPKE's own sequence number.
    static func binding(_ headerDigest: SHA256.Digest, _ part: Part) -> [UInt8] {
        Array(headerDigest) + [part.rawValue]
    }

    static func prefix(_ part: Part, _ count: Int) -> [UInt8] { [part.rawValue] + bigEndian(count) }

    static func bigEndian(_ count: Int) -> [UInt8] { withUnsafeBytes(of: UInt32(count).bigEndian) { Array($0) } }
}

/// What a sealed file says in clear, so that whoever carries it knows where it belongs. Nothing of its content is in it.
package struct SealedFileHeader: Codable, Hashable, Sendable {
    /// Of the layout.
    package let format: Int
    package let sender: NodeID
    package let receiver: NodeID
    /// By the sender's clock, ms since 1970 UTC.
    package let createdAt: UnixMilliseconds
    /// The sender's, PEM.
    package let certificates: String
    /// SHA-256 of the receiver's public key (X9.63): tells a file for a key that the receiver no longer has.
    package let receiverKey: Data
    /// HPKE's encapsulated key.
    package let encapsulatedKey: Data

    private enum CodingKeys: String, CodingKey {
        case format, sender, receiver, certificates
        case createdAt = "created"
        case receiverKey = "key"
        case encapsulatedKey = "encapsulated"
    }
}

/// A certificate that another node has shown, checked: it was issued by the federation's authority, is valid, and names that node.
package struct PeerCertificate: Sendable {
    package let node: NodeID
    /// With the chain behind it.
    package let pem: String
    package let notAfter: UnixMilliseconds
    let key: P256.Signing.PublicKey

    /// - Parameters:
    ///   - node: whom it must name.
    ///   - times: when it must be valid.
    /// - Throws: `E_FERRY_CERTIFICATE`.
    package init(
        pem: String, of node: NodeID, trustRootsPEM: String, validAt times: [UnixMilliseconds]
    ) throws(FederationError) {
        guard let certificate = try? CertificateInspection.certificates(inPEM: pem).first,
            let key = P256.Signing.PublicKey(certificate.publicKey)
        else { throw Self.failure(of: node, "it can't be read") }
        var serializer = DER.Serializer()
        guard (try? serializer.serialize(certificate)) != nil else { throw Self.failure(of: node, "it can't be read") }
        for time in times {
            let reason = CertificateRefusal.reason(
                ofCertificateDER: serializer.serializedBytes, trustRootsPEM: trustRootsPEM, now: time)
            switch reason {
            case nil: continue
            case .foreignAuthority: throw Self.failure(of: node, "it is not of this federation's authority")
            case .expired:
                let end = ShanghaiTime.rfc3339(certificate.notValidAfter.milliseconds)
                throw Self.failure(of: node, "it ended on \(end)")
            case .notYetValid: throw Self.failure(of: node, "it is not valid yet")
            case .noNode: throw Self.failure(of: node, "it does not name exactly one node")
            case .unreadable: throw Self.failure(of: node, "it can't be read")
            }
        }
        guard let named = CertificateInspection.node(of: certificate), named == node else {
            throw Self.failure(of: node, "it names another node")
        }
        self.node = node
        self.pem = pem
        self.key = key
        notAfter = certificate.notValidAfter.milliseconds
    }

    private static func failure(of node: NodeID, _ reason: String) -> FederationError {
        FederationError(
            "E_FERRY_CERTIFICATE", "the certificate of \(node) is not accepted: \(reason)",
            hint: "get its present node.pem, which is no secret, and name it with --certificate")
    }
}

extension FederationError {
    static func ferryFormat(_ path: String, _ reason: String) -> FederationError {
        FederationError(
            "E_FERRY_FORMAT", "\(path) is no ferry file that this node can read: \(reason)",
            hint: "a ferry file is made by `federation-node sync export`")
    }

    static func ferryTruncated(_ path: String) -> FederationError {
        FederationError(
            "E_FERRY_TRUNCATED", "\(path) ends early", hint: "copy it again, or let its sender export it again")
    }

    static func ferryAltered(_ path: String, _ reason: String) -> FederationError {
        FederationError(
            "E_FERRY_ALTERED", "\(path) is not as its sender wrote it: \(reason)",
            hint: "copy it again, or let its sender export it again")
    }
}
