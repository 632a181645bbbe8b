import FederationModel
import NIOCore
import NIOSSL
import NodeIdentity
import Synchronization

/// The server's certificate, key and trust roots, exchangeable while it runs.
///
/// A connection keeps what it started with; the next one meets the new bundle. A new bundle also has new session ticket
/// keys, so nobody resumes a session of the old one. To shut a peer out, replace the bundle and close its connections.
package final class ServerTLSBundle: Sendable {
    struct Content: Sendable {
        let context: NIOSSLContext
        let trustRootsPEM: String
    }

    private let content: Mutex<Content>

    /// - Throws: `E_CREDENTIALS` when the TLS library refuses them.
    package init(_ credentials: NodeCredentials) throws(FederationError) {
        content = Mutex(try Self.content(of: credentials))
    }

    /// - Throws: `E_CREDENTIALS`; the old ones then stay in use.
    package func replace(with credentials: NodeCredentials) throws(FederationError) {
        let new = try Self.content(of: credentials)
        content.withLock { $0 = new }
    }

    var current: Content { content.withLock { $0 } }

    private static func content(of credentials: NodeCredentials) throws(FederationError) -> Content {
        do {
            let chain = try NIOSSLCertificate.fromPEMBytes(Array(credentials.certificateChainPEM.utf8))
            let key = try NIOSSLPrivateKey(bytes: Array(credentials.privateKeyPEM.utf8), format: .pem)
            let roots = try NIOSSLCertificate.fromPEMBytes(Array(credentials.trustRootsPEM.utf8))
            var configuration = TLSConfiguration.makeServerConfigurationWithMTLS(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key),
                trustRoots: .certificates(roots))
            // The library's default is TLS 1.0.
            configuration.minimumTLSVersion = .tlsv13
            configuration.applicationProtocols = ["http/1.1"]
            configuration.sendCANameList = true
            // How long a closing connection waits for the other side's goodbye; the default of 5 s would hold up shutdown.
            configuration.shutdownTimeout = .milliseconds(500)
            return Content(
                context: try NIOSSLContext(configuration: configuration), trustRootsPEM: credentials.trustRootsPEM)
        } catch {
            throw FederationError(
                "E_CREDENTIALS", "the TLS library refuses the node's certificate files: \(error)",
                hint: "see federation-node cert status")
        }
    }
}
