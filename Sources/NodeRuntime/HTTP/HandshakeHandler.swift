import FederationModel
import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import NIOTLS
import NodeDesk
import NodeIdentity

/// Waits for one connection's handshake, judges and counts it, and puts HTTP behind it.
///
/// HTTP's handlers come only now, so nothing of a stranger's reaches them. The handshake's event comes before the first
/// decrypted byte, so nothing of a peer's is missed.
final class HandshakeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let counters: HandshakeCounters
    private let timeout: TimeAmount
    private let trustRootsPEM: String
    private let logger: Logger
    private let established: EventLoopPromise<MutualTLSChannel.Established>
    private let setUpHTTP: (any Channel) -> EventLoopFuture<HTTP1Channel.Value>
    private var timer: Scheduled<Void>?
    private var isJudged = false

    init(
        counters: HandshakeCounters, timeout: TimeAmount, trustRootsPEM: String, logger: Logger,
        established: EventLoopPromise<MutualTLSChannel.Established>,
        setUpHTTP: @escaping (any Channel) -> EventLoopFuture<HTTP1Channel.Value>
    ) {
        self.counters = counters
        self.timeout = timeout
        self.trustRootsPEM = trustRootsPEM
        self.logger = logger
        self.established = established
        self.setUpHTTP = setUpHTTP
    }

    func handlerAdded(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            self.refuse(.timedOut, context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted(negotiatedProtocol: _):
            accept(context)
        case is ChannelShouldQuiesceEvent where !isJudged:
            refuse(.abandoned, context)
        case ChannelEvent.inputClosed where isJudged:
            // A client of ours that sends no more reads no more either; nobody shall go on working for it.
            context.fireUserInboundEventTriggered(event)
            return context.close(promise: nil)
        default:
            break
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard isJudged else {
            refuse(outcome(of: error, context), context)
            return
        }
        context.fireErrorCaught(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        refuse(.abandoned, context)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        refuse(.abandoned, context)
    }

    private func accept(_ context: ChannelHandlerContext) {
        guard !isJudged else { return }
        guard let bytes = certificate(context), let peer = CertificateInspection.node(ofCertificateDER: bytes) else {
            refuse(.noNode, context)
            return
        }
        judge(.accepted, context)
        setUpHTTP(context.channel).map { MutualTLSChannel.Established(peer: peer, http: $0) }.cascade(to: established)
    }

    private func refuse(_ outcome: HandshakeOutcome, _ context: ChannelHandlerContext) {
        guard !isJudged else { return }
        judge(outcome, context)
        established.fail(ChannelError.ioOnClosedChannel)
        context.close(promise: nil)
    }

    private func judge(_ outcome: HandshakeOutcome, _ context: ChannelHandlerContext) {
        isJudged = true
        timer?.cancel()
        timer = nil
        counters.count(outcome)
        logger.debug(
            "TLS handshake",
            metadata: [
                "outcome": "\(outcome.rawValue)",
                "address": "\(context.channel.remoteAddress?.description ?? "unknown")",
            ])
    }

    private func certificate(_ context: ChannelHandlerContext) -> [UInt8]? {
        try? context.pipeline.syncOperations.nioSSL_peerCertificate()?.toDERBytes()
    }

    /// BoringSSL's reason codes are only to be had as text. It does not tell an expired certificate from a foreign one,
    /// so those are looked at again.
    private func outcome(of error: any Error, _ context: ChannelHandlerContext) -> HandshakeOutcome {
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return certificate(context).map(refusal(of:)) ?? .other
        }
        return Self.reasons.first { text.contains($0.text) }?.outcome ?? .other
    }

    private func refusal(of certificate: [UInt8]) -> HandshakeOutcome {
        return
            switch CertificateRefusal.reason(
                ofCertificateDER: certificate, trustRootsPEM: trustRootsPEM, now: wallClock())
        {
        case .expired: .expired
        case .notYetValid: .notYetValid
        case .foreignAuthority: .foreignAuthority
        case .noNode: .noNode
        case .unreadable, nil: .other
        }
    }

    private static let reasons: [(text: String, outcome: HandshakeOutcome)] = [
        ("PEER_DID_NOT_RETURN_A_CERTIFICATE", .noCertificate),
        ("UNSUPPORTED_PROTOCOL", .oldProtocol),
        ("HTTP_REQUEST", .notTLS),
        ("HTTPS_PROXY_REQUEST", .notTLS),
        ("WRONG_VERSION_NUMBER", .notTLS),
        ("eofDuringHandshake", .abandoned),
        ("EOF during handshake", .abandoned),
        ("reset by peer", .abandoned),
        // A client that gives up sends its alert unencrypted where we expect encrypted bytes, or as a proper alert.
        ("BAD_PACKET_LENGTH", .refusedByClient),
        ("DECRYPTION_FAILED_OR_BAD_RECORD_MAC", .refusedByClient),
        ("ALERT", .refusedByClient),
    ]
}
