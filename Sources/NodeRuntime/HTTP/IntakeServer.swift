import FederationModel
import Foundation
import HummingbirdCore
import HummingbirdTLS
import NIOCore
import NIOSSL

/// The server for local systems on other machines: pushes only, over TLS. They show a token in place of a certificate.
///
/// - Parameter tls: from `serverTLS(certificatePath:keyPath:)`.
func intakeServer(tls: TLSConfiguration) throws -> HTTPServerBuilder {
    try .tls(.http1(configuration: .init(idleTimeout: IntakeLimits.idleTimeout)), tlsConfiguration: tls)
}

/// TLS 1.2 or later: systems of an office are older than nodes.
///
/// - Throws: `E_CREDENTIALS` when the files are no certificate chain and its key.
func serverTLS(certificatePath: String, keyPath: String) throws(FederationError) -> TLSConfiguration {
    do {
        let chain = try NIOSSLCertificate.fromPEMFile(certificatePath)
        let key = try NIOSSLPrivateKey(file: keyPath, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        configuration.shutdownTimeout = .milliseconds(500)
        // Says now, and not at the first connection, that the two do not belong together.
        _ = try NIOSSLContext(configuration: configuration)
        return configuration
    } catch {
        throw FederationError(
            "E_CREDENTIALS", "\(certificatePath) and \(keyPath) are no certificate and its key: \(error)",
            hint: "correct `intake-certificate` and `intake-key`")
    }
}
