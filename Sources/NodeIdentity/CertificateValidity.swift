import FederationModel
import Foundation
import X509

/// How a certificate stands in time.
package struct CertificateValidity: Hashable, Sendable {
    package enum State: String, Sendable {
        case notYetValid
        case valid
        /// It should be renewed by now.
        case ending
        case ended
    }

    package let notBefore: UnixMilliseconds
    package let notAfter: UnixMilliseconds

    package init(notBefore: UnixMilliseconds, notAfter: UnixMilliseconds) {
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// Of the first certificate of a PEM chain.
    ///
    /// - Returns: nil when there is none.
    package init?(ofFirstInPEM text: String) {
        guard let first = try? CertificateInspection.certificates(inPEM: text).first else { return nil }
        self.init(notBefore: first.notValidBefore.milliseconds, notAfter: first.notValidAfter.milliseconds)
    }

    /// How long before its end it should be renewed: 30 days, or a third of the life of one that lives less than 90.
    package var renewalLead: Int64 { min(30 * 86_400_000, (notAfter - notBefore) / 3) }

    package func state(now: UnixMilliseconds) -> State {
        if now < notBefore { return .notYetValid }
        if now >= notAfter { return .ended }
        return now >= notAfter - renewalLead ? .ending : .valid
    }
}

extension CertificateSummary {
    package var validity: CertificateValidity { CertificateValidity(notBefore: notBefore, notAfter: notAfter) }
}

extension NodeCredentials {
    /// Why other nodes would not accept them now; nil when nothing here speaks against them.
    package func problem(now: UnixMilliseconds) -> FederationError? {
        let reason: String? =
            switch summary.validity.state(now: now) {
            case .notYetValid: "the certificate is valid only from \(ShanghaiTime.rfc3339(summary.notBefore)) on"
            case .ended: "the certificate ended on \(ShanghaiTime.rfc3339(summary.notAfter))"
            case .valid, .ending: isIssuedByTrusted ? nil : "the certificate is not signed by an authority of ca.pem"
            }
        return reason.map {
            FederationError(
                "E_CREDENTIALS", $0, hint: "issue one with `federation-node ca issue`, or put back the old files")
        }
    }

    /// Directly, or by an intermediate of the chain.
    private var isIssuedByTrusted: Bool {
        guard let chain = try? CertificateInspection.certificates(inPEM: certificateChainPEM),
            let roots = try? CertificateInspection.certificates(inPEM: trustRootsPEM), let own = chain.first
        else { return false }
        return (roots + chain.dropFirst()).contains { $0.publicKey.isValidSignature(own.signature, for: own) }
    }
}
