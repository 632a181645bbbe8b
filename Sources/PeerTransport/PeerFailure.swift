import CCurl
import FederationModel

/// What libcurl said when a transfer failed, put into words for the person who must act.
struct PeerFailure {
    let code: CURLcode
    let text: String
    /// OpenSSL's X509_V_ERR number for the peer's certificate, see `refusedByUs`.
    let verification: Int

    static func timeout(_ endpoint: PeerEndpoint) -> FederationError {
        FederationError(
            "E_PEER_TIMEOUT", "\(endpoint.place) did not answer within the deadline",
            hint: "it is connected but slow; look at its load and its log", isRetryable: true)
    }

    func error(for endpoint: PeerEndpoint) -> FederationError {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            unreachable(endpoint, "the host name does not resolve", hint: "check the peer's address and the DNS")
        case CURLE_COULDNT_CONNECT:
            unreachable(
                endpoint, "the connection was refused or found no way",
                hint: "check that the node runs there, the address, and the firewalls between")
        // libcurl says "Operation timed out" only once the connection and its TLS stand.
        case CURLE_OPERATION_TIMEDOUT where text.hasPrefix("Operation timed out"):
            Self.timeout(endpoint)
        case CURLE_OPERATION_TIMEDOUT:
            unreachable(
                endpoint, "no connection within the time limit",
                hint: "a firewall may drop the packets, or the machine is off")
        case CURLE_PEER_FAILED_VERIFICATION:
            refusedByUs(endpoint)
        case CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CIPHER:
            FederationError(
                "E_PEER_CERTIFICATE", "this node's own certificate files cannot be used: \(text)",
                hint: "see federation-node cert status; issue them again if need be")
        case _ where text.contains("alert"):
            refusedByPeer(endpoint)
        case CURLE_SSL_CONNECT_ERROR:
            unreachable(
                endpoint, "what answers there does not speak TLS 1.3 (\(text))",
                hint: "check host and port; it may be another service or a proxy in between")
        default:
            FederationError(
                "E_PEER_BROKEN",
                "the connection to \(endpoint.place) was lost: \(text.isEmpty ? "libcurl error \(code.rawValue)" : text)",
                isRetryable: true)
        }
    }

    private func unreachable(_ endpoint: PeerEndpoint, _ reason: String, hint: String) -> FederationError {
        FederationError(
            "E_PEER_UNREACHABLE", "cannot reach \(endpoint.place): \(reason)", hint: hint, isRetryable: true)
    }

    /// The numbers are of openssl/x509_vfy.h: 9 is X509_V_ERR_CERT_NOT_YET_VALID, 10 X509_V_ERR_CERT_HAS_EXPIRED. libcurl
    /// sets 1 (unspecified) when the certificate is good and its names are others.
    private func refusedByUs(_ endpoint: PeerEndpoint) -> FederationError {
        switch verification {
        case 0, 1:
            FederationError(
                "E_PEER_IDENTITY", "the node at \(endpoint.host):\(endpoint.port) is not \(endpoint.node)",
                hint: "its certificate names another node; check the peer's address in the topology")
        case 9:
            certificate(
                endpoint, "is not valid yet", hint: "compare the clocks of both machines")
        case 10:
            certificate(
                endpoint, "has expired",
                hint: "that node must renew its certificate (federation-node cert status there)")
        default:
            certificate(
                endpoint, "is not signed by this federation's authority (\(text))",
                hint: "that node was enrolled elsewhere, or this node's ca.pem is not the current one")
        }
    }

    private func certificate(_ endpoint: PeerEndpoint, _ what: String, hint: String) -> FederationError {
        FederationError("E_PEER_CERTIFICATE", "the certificate of \(endpoint.place) \(what)", hint: hint)
    }

    /// In TLS 1.3 the peer judges our certificate after we believe the handshake done, and tells by an alert (RFC 8446, 6.2).
    private func refusedByPeer(_ endpoint: PeerEndpoint) -> FederationError {
        let (reason, hint) =
            if text.contains("expired") {
                ("it has expired", "renew this node's certificate, or compare the clocks")
            } else if text.contains("unknown ca") {
                ("its authority is not theirs", "this node was enrolled in another federation, or their ca.pem is old")
            } else {
                (text, "see federation-node cert status here, and the peer's log")
            }
        return FederationError(
            "E_PEER_CERTIFICATE", "\(endpoint.place) refuses this node's certificate: \(reason)", hint: hint)
    }
}
