import Crypto
import FederationModel
import NodeFiles
import SwiftASN1
import X509

/// A new private key and the request for its certificate: what a node makes before it enrols.
package struct NodeKey: Sendable {
    /// PKCS #8, PEM. It never leaves the node.
    package let privateKeyPEM: String
    /// PKCS #10 (RFC 2986), PEM. It names nobody: who the node is says the authority.
    package let requestPEM: String

    package init() throws { try self.init(P256.Signing.PrivateKey()) }

    /// A request for another certificate of a key that is in use.
    init(privateKeyPEM: String) throws { try self.init(P256.Signing.PrivateKey(pemRepresentation: privateKeyPEM)) }

    private init(_ key: P256.Signing.PrivateKey) throws {
        privateKeyPEM = key.pemRepresentation
        requestPEM = try CertificateSigningRequest(
            version: .v1, subject: DistinguishedName(), privateKey: .init(key), attributes: .init(),
            signatureAlgorithm: .ecdsaWithSHA256
        ).serializeAsPEM().pemString
    }
}

/// What a node needs to speak TLS with others: its certificate, its key and whom it trusts. All PEM, with a line end.
package struct NodeCredentials: Sendable {
    /// The node's certificate first, then intermediates if there are any.
    package let certificateChainPEM: String
    package let privateKeyPEM: String
    /// The federation's authorities; usually one, two while the authority is being replaced.
    package let trustRootsPEM: String
    /// What the node's certificate says.
    package let summary: CertificateSummary

    package var node: NodeID { summary.node }

    /// Takes the three parts when they fit together: the key is the certificate's, the certificate names one node, the
    /// roots parse. Whether the certificate is valid now is asked of `CertificateRefusal`, because a node with an expired
    /// certificate must still start to be helped.
    ///
    /// - Throws: `E_CREDENTIALS`.
    package init(certificateChainPEM: String, privateKeyPEM: String, trustRootsPEM: String) throws(FederationError) {
        self.certificateChainPEM = certificateChainPEM.withLineEnd
        self.privateKeyPEM = privateKeyPEM.withLineEnd
        self.trustRootsPEM = trustRootsPEM.withLineEnd
        do {
            let chain = try CertificateInspection.certificates(inPEM: certificateChainPEM)
            let key = try P256.Signing.PrivateKey(pemRepresentation: privateKeyPEM)
            guard let own = chain.first, own.publicKey == .init(key.publicKey) else {
                throw CertificateError(reason: "the private key is not the certificate's key")
            }
            guard try !CertificateInspection.certificates(inPEM: trustRootsPEM).isEmpty else {
                throw CertificateError(reason: "there is no trusted authority")
            }
            guard let summary = CertificateSummary(own) else {
                throw CertificateError(reason: "the certificate does not name exactly one node")
            }
            self.summary = summary
        } catch {
            throw FederationError(
                "E_CREDENTIALS", "the node's certificate files cannot be used: \(error)",
                hint: "issue them again with federation-node ca issue, or put back all three files from one copy")
        }
    }

    /// Reads `node.pem`, `node-key.pem` and `ca.pem`.
    ///
    /// - Throws: `E_FILE_READ`, `E_CREDENTIALS`.
    package static func load(from directory: String) throws(FederationError) -> NodeCredentials {
        try NodeCredentials(
            certificateChainPEM: PrivateFiles.read(directory + "/node.pem"),
            privateKeyPEM: PrivateFiles.read(directory + "/node-key.pem"),
            trustRootsPEM: PrivateFiles.read(directory + "/ca.pem"))
    }

    /// Writes `node-key.pem` (0600), `node.pem` and `ca.pem` (0644), replacing what is there.
    ///
    /// A crash in between leaves a key and a certificate that do not fit; `load` then says so.
    package func save(to directory: String) throws(FederationError) {
        try PrivateFiles.makeFolder(directory)
        try OutputFile.write(privateKeyPEM, to: directory + "/node-key.pem", existing: .isReplaced)
        try saveCertificate(to: directory)
        try OutputFile.write(
            trustRootsPEM, to: directory + "/ca.pem", existing: .isReplaced, mode: .readableByAll)
    }

    /// Writes `node.pem` alone: a renewal, whose key is there already.
    func saveCertificate(to directory: String) throws(FederationError) {
        try OutputFile.write(
            certificateChainPEM, to: directory + "/node.pem", existing: .isReplaced, mode: .readableByAll)
    }
}

extension String {
    /// A PEM block needs its line end before the next one follows.
    fileprivate var withLineEnd: String { hasSuffix("\n") ? self : self + "\n" }
}
