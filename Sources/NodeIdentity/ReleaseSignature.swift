import Crypto
import FederationModel
import Foundation
import SwiftASN1
import X509

/// A node's signature under something that is passed on from neighbour to neighbour, who need not be trusted with it.
package enum ReleaseSignature {
    /// Signs with the node's own key: ECDSA with P-256 and SHA-256.
    ///
    /// - Throws: `E_CREDENTIALS`.
    package static func sign(
        _ bytes: [UInt8], with credentials: NodeCredentials
    ) throws(FederationError) -> TopologyRelease.Signature {
        do {
            let key = try P256.Signing.PrivateKey(pemRepresentation: credentials.privateKeyPEM)
            let signature = try key.signature(for: Data(bytes))
            return TopologyRelease.Signature(
                certificate: credentials.certificateChainPEM, value: signature.derRepresentation.base64EncodedString())
        } catch {
            throw FederationError(
                "E_CREDENTIALS", "the node's key can't sign", hint: "see `federation-node cert status`")
        }
    }

    /// Checks a signature and says whose it is.
    ///
    /// The certificate must have been valid when it signed, not now: a node that was away for a year must be able to follow what was
    /// published meanwhile.
    ///
    /// - Throws: `E_TOPOLOGY_SIGNATURE`.
    package static func verify(
        _ signature: TopologyRelease.Signature, of bytes: [UInt8], at time: UnixMilliseconds, trustRootsPEM: String
    ) throws(FederationError) -> NodeID {
        guard let certificate = try? CertificateInspection.certificates(inPEM: signature.certificate).first,
            let node = CertificateInspection.node(of: certificate)
        else { throw failure("its certificate can't be read") }
        var serializer = DER.Serializer()
        guard (try? serializer.serialize(certificate)) != nil else { throw failure("its certificate can't be read") }
        if let reason = CertificateRefusal.reason(
            ofCertificateDER: serializer.serializedBytes, trustRootsPEM: trustRootsPEM, now: time)
        {
            throw failure("its certificate is not accepted (\(reason.rawValue))")
        }
        guard let key = P256.Signing.PublicKey(certificate.publicKey), let data = Data(base64Encoded: signature.value),
            let value = try? P256.Signing.ECDSASignature(derRepresentation: data),
            key.isValidSignature(value, for: Data(bytes))
        else { throw failure("it was altered, or signed by another key") }
        return node
    }

    private static func failure(_ reason: String) -> FederationError {
        FederationError(
            "E_TOPOLOGY_SIGNATURE", "the signature of a topology release does not hold: \(reason)",
            hint: "publish the release again at the top node")
    }
}
