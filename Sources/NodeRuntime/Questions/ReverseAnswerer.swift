import FederationModel
import Logging
import NodeDesk
import PeerTransport
import SyncProtocol
import Synchronization

/// The child's end of the reverse channel: asks its parent for questions, as long as the node runs, and answers them as those that come in
/// by requests.
///
/// Who asks is the node whose certificate this end has verified when it dialled.
package struct ReverseAnswerer: Sendable {
    private let client: PeerClient
    private let handler: QuestionHandler
    private let logger: Logger

    /// How long the parent may take to say that there is no question: six times as long as it should.
    private static let nextDeadlineMS = 60_000
    /// Between two tries at a parent whose release has no reverse channel.
    private static let unknownPause = Duration.seconds(60)

    private var parent: NodeID { client.endpoint.node }

    package init(client: PeerClient, handler: QuestionHandler, logger: Logger) {
        self.client = client
        self.handler = handler
        self.logger = logger
    }

    /// Returns when its task is cancelled.
    package func run() async {
        var backOff = BackOff(seed: UInt64.random(in: 0...UInt64.max))
        while !Task.isCancelled {
            do {
                guard try await converse({ backOff.reset() }) else {
                    try await Task.sleep(for: Self.unknownPause)
                    continue
                }
            } catch {
                logger.debug(
                    "no questions come from the parent",
                    metadata: ["peer": "\(parent)", "reason": "\(FederationError.transport(error, parent))"])
            }
            try? await Task.sleep(for: .milliseconds(backOff.next()))
        }
    }

    /// One session, until it breaks.
    ///
    /// - Returns: false when the parent knows nothing of it.
    private func converse(_ heard: () -> Void) async throws -> Bool {
        let answers = Answers()
        defer { answers.cancelAll() }
        var session: String?
        while true {
            let response = try await client.request(
                "POST", "/v1/questions/next", headers: session.map { [QuestionHeader.session: $0] } ?? [:],
                deadlineMS: Self.nextDeadlineMS)
            if response.status == 404 { return false }
            guard (200...299).contains(response.status) else {
                throw PeerProblem.error(in: response.body, status: response.status)
            }
            heard()
            let headers = response.head.headers
            session = headers[QuestionHeader.session] ?? session
            guard let session, let question = headers[QuestionHeader.question] else { continue }
            guard let route = headers[QuestionHeader.route] else {
                answers.cancel(question)
                continue
            }
            let deadlineMS = headers[QuestionHeader.deadline].flatMap { Int($0) } ?? 0
            let isTaken = answers.start(question) { [self] in
                await answer(
                    route, response.body, question, session,
                    deadlineMS: min(max(1, deadlineMS), PeerQuestion.deadlineMax))
            }
            if !isTaken {
                let error = FederationError("E_PEER_BUSY", "too many questions at one time", isRetryable: true)
                await bring(handler.refusal(error, of: parent), question, session, deadlineMS: 10_000)
            }
        }
    }

    /// An answer that would come too late is none.
    private func answer(
        _ route: String, _ body: [UInt8], _ question: String, _ session: String, deadlineMS: Int
    ) async {
        let began = ContinuousClock.now
        let answer = try? await within(milliseconds: Int64(deadlineMS)) { [handler, parent] in
            guard let route = PeerQuestion.Route(rawValue: route) else {
                let error = FederationError("E_NO_ROUTE", "there is nothing to be asked by that name")
                return handler.refusal(error, of: parent)
            }
            return await handler.answer(route, body, from: parent)
        }
        guard let answer, !Task.isCancelled else { return }
        let left = .milliseconds(deadlineMS) - (ContinuousClock.now - began)
        await bring(answer, question, session, deadlineMS: max(1, Int(left / .milliseconds(1))))
    }

    private func bring(_ answer: PeerAnswer, _ question: String, _ session: String, deadlineMS: Int) async {
        let headers = [
            "Content-Type": "application/json", QuestionHeader.session: session, QuestionHeader.question: question,
            QuestionHeader.status: "\(answer.status)",
        ]
        do {
            let response = try await client.request(
                "POST", "/v1/questions/answer", headers: headers, body: answer.body, deadlineMS: deadlineMS)
            guard response.status == 200 else { throw PeerProblem.error(in: response.body, status: response.status) }
        } catch {
            logger.info(
                "an answer did not reach the parent",
                metadata: ["peer": "\(parent)", "reason": "\(FederationError.transport(error, parent))"])
        }
    }
}

/// The answers that are being made in one session.
private final class Answers: Sendable {
    private let tasks = Mutex<[String: Task<Void, Never>]>([:])

    /// - Returns: false when there are twice as many as the parent asks at one time; some may be ending because it took them back.
    func start(_ question: String, _ work: @escaping @Sendable () async -> Void) -> Bool {
        tasks.withLock { tasks in
            guard tasks.count < 2 * ReverseChannel.questionsMax, tasks[question] == nil else { return false }
            tasks[question] = Task { [weak self] in
                await work()
                self?.ended(question)
            }
            return true
        }
    }

    func cancel(_ question: String) { tasks.withLock { $0[question] }?.cancel() }

    func cancelAll() { for task in tasks.withLock({ Array($0.values) }) { task.cancel() } }

    private func ended(_ question: String) { tasks.withLock { $0[question] = nil } }
}
