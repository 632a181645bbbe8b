import Crypto
import FederationModel
import Foundation
import NodeFiles
import SwiftASN1
import X509

/// The federation's own certificate authority: the one root that nodes trust.
///
/// P-256 with SHA-256. It signs node certificates only (`pathlen:0`), and every name in them comes from its operator's
/// decision, never from the request.
package struct CertificateAuthority: Sendable {
    /// The root certificate, PEM: what every node keeps as its trust root.
    package let certificatePEM: String
    private let certificate: Certificate
    private let key: P256.Signing.PrivateKey

    /// Certificates begin a little in the past, because the clocks of two machines never agree exactly.
    private static let clockToleranceSeconds: TimeInterval = 300

    /// Makes a new key and its self-signed certificate.
    ///
    /// - Parameter name: for people only, e.g. 山东省热线联邦根证书.
    package init(name: String, validityDays: Int, now: UnixMilliseconds) throws {
        let key = P256.Signing.PrivateKey()
        let subject = try DistinguishedName { CommonName(name) }
        let start = Date(milliseconds: now)
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
            notValidBefore: start.addingTimeInterval(-Self.clockToleranceSeconds),
            notValidAfter: start.addingTimeInterval(Double(validityDays) * 86_400),
            issuer: subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: .init(key.publicKey))
            },
            issuerPrivateKey: .init(key))
        try self.init(certificate: certificate, key: key)
    }

    private init(certificate: Certificate, key: P256.Signing.PrivateKey) throws {
        self.certificate = certificate
        self.key = key
        certificatePEM = try certificate.serializeAsPEM().pemString
    }

    // MARK: - On disk

    /// Reads `ca.pem` and `ca-key.pem`.
    ///
    /// - Throws: `E_FILE_READ`; `E_CA_INVALID` when one of them cannot be used or they do not belong together.
    package static func load(from directory: String) throws(FederationError) -> CertificateAuthority {
        let certificateText = try PrivateFiles.read(directory + "/ca.pem")
        let keyText = try PrivateFiles.read(directory + "/ca-key.pem")
        do {
            let key = try P256.Signing.PrivateKey(pemRepresentation: keyText)
            let certificate = try Certificate(pemEncoded: certificateText)
            guard certificate.publicKey == .init(key.publicKey) else {
                throw CertificateError(reason: "the key is not the certificate's key")
            }
            return try CertificateAuthority(certificate: certificate, key: key)
        } catch {
            throw FederationError(
                "E_CA_INVALID", "the certificate authority in \(directory) cannot be used: \(error)",
                hint: "restore ca.pem and ca-key.pem from a backup")
        }
    }

    /// Writes `ca.pem` (0644) and `ca-key.pem` (0600), the key first.
    ///
    /// - Throws: `E_FILE_EXISTS` when there is an authority already: replacing it would cut off every node it enrolled.
    package func save(to directory: String) throws(FederationError) {
        try PrivateFiles.makeFolder(directory)
        let certificate = try OutputFile(directory + "/ca.pem", mode: .readableByAll)
        try certificate.write(Array((certificatePEM + "\n").utf8))
        try OutputFile.write(key.pemRepresentation + "\n", to: directory + "/ca-key.pem")
        try certificate.commit()
    }

    // MARK: - Issuing

    /// Signs a certificate for `node`.
    ///
    /// Of the request only the public key is used, after its proof of possession. The certificate never outlives the
    /// authority's own.
    ///
    /// - Returns: the certificate, PEM.
    /// - Throws: `E_CSR_INVALID` when the request does not parse, its signature is wrong or its key is not P-256.
    package func issue(
        to node: NodeID, requestPEM: String, validityDays: Int, now: UnixMilliseconds
    ) throws -> String {
        let publicKey = try Self.provenKey(of: requestPEM)
        let start = Date(milliseconds: now)
        let end = min(start.addingTimeInterval(Double(validityDays) * 86_400), certificate.notValidAfter)
        let issued = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: publicKey,
            notValidBefore: start.addingTimeInterval(-Self.clockToleranceSeconds), notValidAfter: end,
            issuer: certificate.subject, subject: try DistinguishedName { CommonName(node.code) },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                // Key agreement: ferry files are sealed for the key (`SealedFile`).
                Critical(KeyUsage(digitalSignature: true, keyAgreement: true))
                try ExtendedKeyUsage([.serverAuth, .clientAuth])
                SubjectAlternativeNames([
                    .uniformResourceIdentifier(CertificateNames.uri(of: node)),
                    .dnsName(CertificateNames.dnsName(of: node)),
                ])
                SubjectKeyIdentifier(hash: publicKey)
                AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: certificate.publicKey).keyIdentifier)
            },
            issuerPrivateKey: .init(key))
        return try issued.serializeAsPEM().pemString
    }

    /// Makes a key and a certificate for `node` at once, where authority and node share a machine (tests, quickstart).
    package func makeCredentials(
        for node: NodeID, validityDays: Int, now: UnixMilliseconds
    ) throws -> NodeCredentials {
        let key = try NodeKey()
        let issued = try issue(to: node, requestPEM: key.requestPEM, validityDays: validityDays, now: now)
        return try NodeCredentials(
            certificateChainPEM: issued, privateKeyPEM: key.privateKeyPEM, trustRootsPEM: certificatePEM)
    }

    /// Writes the credentials of `node` into `directory`, which may hold some already.
    ///
    /// Those of the same node and of this authority are renewed: they get a new certificate and keep their key. Any others
    /// are left as they are.
    ///
    /// - Parameter replacing: puts a new key there in any case.
    /// - Throws: `E_FILE_EXISTS` for credentials that are no earlier ones of this node.
    package func makeCredentials(
        for node: NodeID, in directory: String, replacing: Bool, validityDays: Int, now: UnixMilliseconds
    ) throws -> NodeCredentials {
        let files = ["node-key.pem", "node.pem", "ca.pem"].map { "\(directory)/\($0)" }
        guard !replacing, let existing = files.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            let credentials = try makeCredentials(for: node, validityDays: validityDays, now: now)
            try credentials.save(to: directory)
            return credentials
        }
        guard let old = try? NodeCredentials.load(from: directory), old.node == node, isIssuer(of: old) else {
            throw FederationError(
                "E_FILE_EXISTS",
                "\(existing) is there already and belongs to no credentials of node \(node) from this authority",
                hint: "name another directory, or give --force to replace key and certificate")
        }
        let request = try NodeKey(privateKeyPEM: old.privateKeyPEM).requestPEM
        let renewed = try NodeCredentials(
            certificateChainPEM: issue(to: node, requestPEM: request, validityDays: validityDays, now: now),
            privateKeyPEM: old.privateKeyPEM, trustRootsPEM: old.trustRootsPEM)
        try renewed.saveCertificate(to: directory)
        return renewed
    }

    private func isIssuer(of credentials: NodeCredentials) -> Bool {
        let chain = try? CertificateInspection.certificates(inPEM: credentials.certificateChainPEM)
        return chain?.first.map { certificate.publicKey.isValidSignature($0.signature, for: $0) } ?? false
    }

    private static func provenKey(of requestPEM: String) throws(FederationError) -> Certificate.PublicKey {
        guard let request = try? CertificateSigningRequest(pemEncoded: requestPEM),
            P256.Signing.PublicKey(request.publicKey) != nil,
            request.publicKey.isValidSignature(request.signature, for: request)
        else {
            throw FederationError(
                "E_CSR_INVALID", "the certificate request is not a P-256 request signed with its own key",
                hint: "make a new one on the node")
        }
        return request.publicKey
    }
}

/// Why something read from a certificate or key file cannot be used; becomes the text of a `FederationError`.
struct CertificateError: Error, CustomStringConvertible {
    let reason: String
    var description: String { reason }
}

extension Date {
    init(milliseconds: UnixMilliseconds) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
    var milliseconds: UnixMilliseconds { UnixMilliseconds((timeIntervalSince1970 * 1000).rounded()) }
}
