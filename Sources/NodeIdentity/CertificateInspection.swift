import FederationModel
import Foundation
import SwiftASN1
import X509

/// What a node's certificate says, for `cert status` and for the log.
package struct CertificateSummary: Hashable, Sendable {
    package let node: NodeID
    /// Hexadecimal, as `openssl x509 -serial` prints it.
    package let serial: String
    package let notBefore: UnixMilliseconds
    package let notAfter: UnixMilliseconds

    /// - Returns: nil unless the certificate names exactly one node.
    init?(_ certificate: Certificate) {
        guard let node = CertificateInspection.node(of: certificate) else { return nil }
        self.node = node
        serial = certificate.serialNumber.bytes.map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return byte < 16 ? "0" + digits : digits
        }.joined()
        notBefore = certificate.notValidBefore.milliseconds
        notAfter = certificate.notValidAfter.milliseconds
    }
}

package enum CertificateInspection {
    /// The node that a certificate (DER) names.
    ///
    /// - Returns: nil when it does not parse or does not carry exactly one node URI: two would leave open which one
    ///   decides.
    package static func node(ofCertificateDER bytes: [UInt8]) -> NodeID? {
        (try? Certificate(derEncoded: bytes)).flatMap(node(of:))
    }

    static func node(of certificate: Certificate) -> NodeID? {
        guard let names = try? certificate.extensions.subjectAlternativeNames else { return nil }
        let uris = names.compactMap { name -> String? in
            if case .uniformResourceIdentifier(let uri) = name { uri } else { nil }
        }
        guard uris.count == 1 else { return nil }
        return CertificateNames.nodeID(fromURISAN: uris[0])
    }

    static func certificates(inPEM text: String) throws -> [Certificate] {
        try PEMDocument.parseMultiple(pemString: text).map { try Certificate(pemDocument: $0) }
    }
}

/// Why a certificate is not accepted, as far as the certificate itself tells.
///
/// TLS libraries refuse an expired certificate and one of a foreign authority with the same words, but the people who
/// must act are different ones: the first needs a new certificate, the second was enrolled in another federation.
package enum CertificateRefusal: String, Hashable, Sendable, CaseIterable {
    case unreadable
    /// Not signed by one of our authorities, whatever name its issuer bears.
    case foreignAuthority
    case notYetValid
    case expired
    /// Ours and in time, but it does not name exactly one node.
    case noNode

    /// - Returns: nil when nothing here speaks against the certificate.
    package static func reason(
        ofCertificateDER bytes: [UInt8], trustRootsPEM: String, now: UnixMilliseconds
    ) -> CertificateRefusal? {
        guard let certificate = try? Certificate(derEncoded: bytes) else { return .unreadable }
        let roots = (try? CertificateInspection.certificates(inPEM: trustRootsPEM)) ?? []
        guard roots.contains(where: { $0.publicKey.isValidSignature(certificate.signature, for: certificate) }) else {
            return .foreignAuthority
        }
        if now < certificate.notValidBefore.milliseconds { return .notYetValid }
        if now > certificate.notValidAfter.milliseconds { return .expired }
        return CertificateInspection.node(of: certificate) == nil ? .noNode : nil
    }
}
