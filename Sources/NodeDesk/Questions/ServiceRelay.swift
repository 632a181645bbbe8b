import ConfigurationFiles
import FederationModel
import NodeIdentity
import PeerTransport
import Synchronization

/// The way of a command: through the running service of its node, which has the connections that children hold open to it.
///
/// The command shows the node's own certificate to the listener for other nodes. So whoever may use the node's key may ask, and
/// nobody else on the machine, with no secret, socket or listener for that alone.
final class ServiceRelay: QuestionWay {
    private let settings: NodeSettings
    private let credentials: @Sendable () throws(FederationError) -> NodeCredentials
    private let kept = Mutex<PeerClient?>(nil)

    init(
        _ settings: NodeSettings, credentials: @escaping @Sendable () throws(FederationError) -> NodeCredentials
    ) {
        self.settings = settings
        self.credentials = credentials
    }

    /// - Returns: nil when the service does not run, or listens elsewhere than the settings say.
    /// - Throws: as the protocol says; `E_CREDENTIALS`, `E_FILE_READ`.
    func ask(_ node: NodeID, _ question: PeerQuestion) async throws -> PeerAnswer? {
        guard settings.listen.port != 0, Doorbell.isHeard(databasePath: settings.databasePath) else { return nil }
        let headers = [
            "Content-Type": "application/json", QuestionHeader.node: node.code,
            QuestionHeader.route: question.route.rawValue, QuestionHeader.deadline: "\(question.deadlineMS)",
        ]
        let response: PeerResponse
        do {
            response = try await client().request(
                "POST", "/v1/relay", headers: headers, body: question.body, deadlineMS: question.deadlineMS)
        } catch let error as FederationError where ["E_PEER_UNREACHABLE", "E_PEER_IDENTITY"].contains(error.code) {
            return nil
        }
        // A release that has no such route.
        if response.status == 404 { return nil }
        guard response.status == 200, let status = response.head.headers[QuestionHeader.status].flatMap({ Int($0) })
        else { throw PeerProblem.error(in: response.body, status: response.status) }
        return PeerAnswer(status: status, body: response.body)
    }

    private func client() throws(FederationError) -> PeerClient {
        if let client = kept.withLock({ $0 }) { return client }
        let client = PeerClient(
            node: settings.node, host: settings.listen.localHost, port: settings.listen.port,
            credentials: try credentials())
        return kept.withLock { kept in
            let used = kept ?? client
            kept = used
            return used
        }
    }
}
