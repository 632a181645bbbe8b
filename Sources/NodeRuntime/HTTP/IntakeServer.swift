import FederationModel
import Foundation
import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import NodeFiles
import NodeIdentity
import Synchronization

/// The certificate that `intake-listen` shows, exchangeable while it runs. A connection keeps what it started with.
final class IntakeTLSBundle: Sendable {
    struct Content: Sendable {
        let chainPEM: String
        let keyPEM: String
        let context: NIOSSLContext
        let validity: CertificateValidity
    }

    private let content: Mutex<Content>

    init(_ content: Content) { self.content = Mutex(content) }

    var current: Content { content.withLock { $0 } }

    func replace(with new: Content) { content.withLock { $0 = new } }

    /// TLS 1.2 or later: systems of an office are older than nodes.
    ///
    /// - Throws: `E_FILE_READ`; `E_CREDENTIALS` when the files are no certificate chain and its key.
    static func content(certificatePath: String, keyPath: String) throws(FederationError) -> Content {
        let (chainPEM, keyPEM) = (try PrivateFiles.read(certificatePath), try PrivateFiles.read(keyPath))
        do {
            let chain = try NIOSSLCertificate.fromPEMBytes(Array(chainPEM.utf8))
            let key = try NIOSSLPrivateKey(bytes: Array(keyPEM.utf8), format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["http/1.1"]
            configuration.shutdownTimeout = .milliseconds(500)
            guard let validity = CertificateValidity(ofFirstInPEM: chainPEM) else {
                throw NIOSSLError.failedToLoadCertificate
            }
            // Says now, and not at the first connection, that the two do not belong together.
            return Content(
                chainPEM: chainPEM, keyPEM: keyPEM, context: try NIOSSLContext(configuration: configuration),
                validity: validity)
        } catch {
            throw FederationError(
                "E_CREDENTIALS", "\(certificatePath) and \(keyPath) are no certificate and its key: \(error)",
                hint: "correct `intake-certificate` and `intake-key`")
        }
    }
}

/// The server for local systems on other machines: pushes only, over TLS. They show a token in place of a certificate.
func intakeServer(bundle: IntakeTLSBundle) -> HTTPServerBuilder {
    HTTPServerBuilder { responder in
        IntakeTLSChannel(
            http: HTTP1Channel(responder: responder, configuration: .init(idleTimeout: IntakeLimits.idleTimeout)),
            bundle: bundle)
    }
}

/// Hummingbird's own TLS channel builds its TLS context once.
private struct IntakeTLSChannel: ServerChildChannel {
    let http: HTTP1Channel
    let bundle: IntakeTLSBundle

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: bundle.current.context))
        }.flatMap { http.setup(channel: channel, logger: logger) }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async { await http.handle(value: value, logger: logger) }
}
