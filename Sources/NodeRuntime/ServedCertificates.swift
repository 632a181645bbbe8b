import ConfigurationFiles
import FederationModel
import LocalStore
import Logging
import NodeDesk
import NodeIdentity
import ServiceLifecycle
import Synchronization
import UnixSignals

/// The certificates that the running node shows: to other nodes on both sides of a connection, and to local systems.
///
/// They are taken from the disk again when they change there, and only if they are good: a bad set (half written, of another
/// key or node, ended) is named in the log and in `cert status`, and the last good one stays in use. Connections that are open
/// keep what they began with.
package final class ServedCertificates: Sendable {
    let bundle: ServerTLSBundle
    /// Nil where `intake-listen` is off.
    let intake: IntakeTLSBundle?
    private let local: LocalNode
    private let logger: Logger
    private let state: Mutex<State>

    private struct State {
        var credentials: NodeCredentials
        /// What the disk has and can't be used, by use.
        var problems: [CertificateNote.Use: FederationError] = [:]
        /// What was said last of a certificate's end.
        var warned: [CertificateNote.Use: CertificateValidity.State] = [:]
    }

    /// - Throws: `E_CREDENTIALS`, `E_CREDENTIALS_NODE`, `E_FILE_READ`: without a first set there is nothing to serve with. One
    ///   that has ended is one: the node must start to be helped.
    package init(_ local: LocalNode, logger: Logger) throws(FederationError) {
        self.local = local
        self.logger = logger
        let credentials = try Self.credentials(of: local)
        state = Mutex(State(credentials: credentials))
        bundle = try ServerTLSBundle(credentials)
        intake = local.settings.intakeListen == nil ? nil : IntakeTLSBundle(try Self.intakeContent(of: local))
    }

    package var current: NodeCredentials { state.withLock { $0.credentials } }

    /// When the certificates end that are shown now.
    var validities: [(use: CertificateNote.Use, validity: CertificateValidity)] {
        [(.node, current.summary.validity)] + (intake.map { [(.intake, $0.current.validity)] } ?? [])
    }

    /// Looks at the files, and takes what is new and good.
    func reload(into peers: PeerClients) async {
        let now = wallClock()
        attempt(.node) { () throws(FederationError) in
            let new = try Self.credentials(of: local)
            let old = current
            guard
                new.certificateChainPEM != old.certificateChainPEM || new.privateKeyPEM != old.privateKeyPEM
                    || new.trustRootsPEM != old.trustRootsPEM
            else { return nil }
            if let problem = new.problem(now: now) { throw problem }
            try bundle.replace(with: new)
            peers.replace(new)
            state.withLock { $0.credentials = new }
            return new.summary.validity
        }
        if let intake {
            attempt(.intake) { () throws(FederationError) in
                let new = try Self.intakeContent(of: local)
                guard new.chainPEM != intake.current.chainPEM || new.keyPEM != intake.current.keyPEM else { return nil }
                guard [.valid, .ending].contains(new.validity.state(now: now)) else {
                    throw FederationError(
                        "E_CREDENTIALS", "the certificate of `intake-certificate` is not valid now", hint: "renew it")
                }
                intake.replace(with: new)
                return new.validity
            }
        }
        warn(now: now)
        await save()
    }

    /// - Parameter take: takes the new set and returns how long it is good; nil when the disk has what is in use.
    private func attempt(
        _ use: CertificateNote.Use, _ take: () throws(FederationError) -> CertificateValidity?
    ) {
        do {
            let taken = try take()
            state.withLock { $0.problems[use] = nil }
            guard let taken else { return }
            logger.notice(
                "a renewed certificate is in use",
                metadata: ["certificate": "\(use.rawValue)", "validUntil": "\(ShanghaiTime.rfc3339(taken.notAfter))"])
        } catch {
            guard state.withLock({ $0.problems.updateValue(error, forKey: use) }) != error else { return }
            logger.warning(
                "a certificate on the disk can't be used; the one before stays in use",
                metadata: ["certificate": "\(use.rawValue)", "code": "\(error.code)", "reason": "\(error)"])
        }
    }

    /// Once for each step towards its end.
    private func warn(now: UnixMilliseconds) {
        for (use, validity) in validities {
            let step = validity.state(now: now)
            guard state.withLock({ $0.warned.updateValue(step, forKey: use) }) != step, step != .valid else { continue }
            logger.warning(
                "a certificate in use must be renewed",
                metadata: [
                    "certificate": "\(use.rawValue)", "state": "\(step.rawValue)",
                    "validUntil": "\(ShanghaiTime.rfc3339(validity.notAfter))",
                ])
        }
    }

    /// For `status` and `cert status`, which are other processes.
    private func save() async {
        let problems = state.withLock { $0.problems }
        var notes = [
            CertificateNote(
                use: .node, serial: current.summary.serial, notBefore: current.summary.notBefore,
                notAfter: current.summary.notAfter, problem: problems[.node]?.description)
        ]
        if let validity = intake?.current.validity {
            notes.append(
                CertificateNote(
                    use: .intake, serial: nil, notBefore: validity.notBefore, notAfter: validity.notAfter,
                    problem: problems[.intake]?.description))
        }
        do {
            try await local.store.save(notes)
        } catch {
            logger.warning("what certificates are in use can't be noted", metadata: ["reason": "\(error)"])
        }
    }

    private static func credentials(of local: LocalNode) throws(FederationError) -> NodeCredentials {
        let credentials = try NodeCredentials.load(from: local.settings.credentialsPath)
        guard credentials.node == local.id else {
            throw FederationError(
                "E_CREDENTIALS_NODE", "the certificate is of node \(credentials.node), this is \(local.id)",
                hint: "issue one for this node")
        }
        return credentials
    }

    private static func intakeContent(of local: LocalNode) throws(FederationError) -> IntakeTLSBundle.Content {
        try IntakeTLSBundle.content(
            certificatePath: local.settings.intakeCertificatePath, keyPath: local.settings.intakeKeyPath)
    }
}

/// Looks at the certificate files at SIGHUP and every 15 seconds: a handful of small files.
struct CertificateService: Service {
    let certificates: ServedCertificates
    let peers: PeerClients

    private static let interval = Duration.seconds(15)

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        await certificates.reload(into: peers)
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in signals { await certificates.reload(into: peers) } }
                group.addTask {
                    while (try? await Task.sleep(for: Self.interval)) != nil { await certificates.reload(into: peers) }
                }
            }
        }
    }
}
