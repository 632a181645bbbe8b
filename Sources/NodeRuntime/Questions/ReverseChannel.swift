import ChangeSetFormat
import FederationModel
import NodeDesk

/// The parent's end of the reverse channel: its questions go down over connections that the child opens, because it is the one behind a
/// firewall.
///
/// The child keeps one request open (`next`) whose answer is a question, takes that up, and asks for the next one at once; it brings
/// each answer by a request of its own. So several questions are under way at one time, none of them waits behind rows that
/// flow down, and nothing is a stream, so whatever buffers between the nodes does no harm.
package actor ReverseChannel {
    /// What goes down.
    enum Item: Sendable {
        case question(Int, PeerQuestion.Route, body: [UInt8], deadlineMS: Int)
        /// Nobody waits for the answer any more.
        case takenBack(Int)
        case nothing
    }

    private struct Open {
        let question: PeerQuestion
        let end: ContinuousClock.Instant
        let asker: CheckedContinuation<PeerAnswer?, any Error>
        var isHandedOver = false
        /// Whether its answer is arriving: there is one, once.
        var isAnswered = false
    }

    private struct Waiting {
        let id: Int
        let continuation: CheckedContinuation<Item?, Never>
    }

    private let child: NodeID
    /// Numbers start at the clock, so that a restarted node does not give one out again.
    private var lastID = Int(wallClock())
    /// The number of the child's present session; nil when it has none.
    private var session: Int?
    private var waiting: Waiting?
    private var isStopped = false
    /// Whether the connection stands by which the child has asked last; nil once it has broken, until the child asks again.
    private var isConnected: (@Sendable () -> Bool)?
    /// When the session ends, unless the child asks for the next question before.
    private var expectedBy = ContinuousClock.now
    private var open: [Int: Open] = [:]
    /// Those that were not handed over yet, in order.
    private var line: [Int] = []
    private var takenBack: [Int] = []

    /// Questions that a child works on at one time.
    static let questionsMax = 16
    /// Questions that wait for that.
    private static let lineMax = 64
    /// How long a child's request is kept open: less than proxies do.
    private static let waitMax = Duration.seconds(10)
    /// How long a question waits for a child that is between two requests.
    private static let pickUpMax = Duration.seconds(2)
    /// A child that does not ask for so long has gone: six heartbeats.
    private static let silenceMax = Duration.milliseconds(6 * SyncLimits.heartbeatInterval)
    /// The same after its connection broke.
    private static let breakMax = Duration.seconds(2)

    package init(child: NodeID) { self.child = child }

    // MARK: - For whoever asks

    /// Whether the child can be asked, and how many questions are open.
    package var figures: (isOpen: Bool, questions: Int) { (isThere(), open.count) }

    /// - Returns: nil when the child is not there, or has not taken the question up: nobody has read it.
    /// - Throws: `E_PEER_BUSY`, `E_PEER_TIMEOUT`, `E_PEER_BROKEN`, `E_PEER_RESPONSE_TOO_LARGE`; `CancellationError`.
    package func ask(_ question: PeerQuestion) async throws -> PeerAnswer? {
        guard isThere() else { return nil }
        guard line.count < Self.lineMax else {
            throw FederationError(
                "E_PEER_BUSY", "\(open.count) questions to node \(child) are open already", hint: "ask again later",
                isRetryable: true)
        }
        let id = nextID()
        let watching = Task { await watch(id) }
        defer { watching.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { asker in
                open[id] = Open(
                    question: question, end: .now + .milliseconds(question.deadlineMS), asker: asker)
                line.append(id)
                handOver()
            }
        } onCancel: {
            Task { await settle(id, .failure(CancellationError())) }
        }
    }

    // MARK: - For the routes

    /// The child asks for the next question.
    ///
    /// - Parameters:
    ///   - number: of its session; nil begins one, and ends the one before: the child was started anew.
    ///   - isConnected: whether an answer can still reach it.
    /// - Returns: the session's number with what there is; nil when that session is over.
    func next(_ number: Int?, isConnected: @escaping @Sendable () -> Bool) async -> (session: Int, item: Item)? {
        guard !isStopped else { return nil }
        if number == nil {
            endSession()
            session = nextID()
        }
        guard let present = session, number ?? present == present else { return nil }
        // Its earlier request has been lost on the way.
        release(.nothing)
        let id = nextID()
        let limit = Task {
            try await Task.sleep(for: Self.waitMax)
            if waiting?.id == id { release(.nothing) }
        }
        defer { limit.cancel() }
        let item = await withCheckedContinuation { continuation in
            waiting = Waiting(id: id, continuation: continuation)
            self.isConnected = isConnected
            handOver()
        }
        return item.map { (present, $0) }
    }

    /// The child begins to answer a question.
    ///
    /// - Returns: false when nobody waits for it, or it is answered already.
    func beginAnswer(to question: Int, session number: Int) -> Bool {
        guard number == session, let asked = open[question], asked.isHandedOver, !asked.isAnswered else { return false }
        open[question]?.isAnswered = true
        return true
    }

    func answer(_ question: Int, with answer: Result<PeerAnswer, FederationError>) {
        settle(question, answer.map { $0 }.mapError { $0 })
    }

    /// Ends the channel: the node stops, or the child is none any more. Nothing that waits may hold the node up.
    package func stop() {
        isStopped = true
        endSession()
    }

    /// The child has gone, or has begun another session.
    private func endSession() {
        session = nil
        release(nil)
        let error = FederationError(
            "E_PEER_BROKEN", "node \(child) has gone while it had a question to answer",
            hint: "see whether its service runs, and ask again", isRetryable: true)
        for (id, asked) in open { settle(id, asked.isHandedOver ? .failure(error) : .success(nil)) }
        takenBack = []
    }

    // MARK: - The line

    private func nextID() -> Int {
        lastID += 1
        return lastID
    }

    private var underWay: Int { open.values.count { $0.isHandedOver } }

    /// Lets the child's request go with what there is for it.
    private func release(_ item: Item?) {
        waiting?.continuation.resume(returning: item)
        waiting = nil
        expectedBy = .now + Self.silenceMax
    }

    private func handOver() {
        guard waiting != nil else { return }
        if let id = takenBack.popLast() { return release(.takenBack(id)) }
        guard let id = line.first, underWay < Self.questionsMax, let asked = open[id] else { return }
        line.removeFirst()
        open[id]?.isHandedOver = true
        let left = (asked.end - .now) / .milliseconds(1)
        release(.question(id, asked.question.route, body: asked.question.body, deadlineMS: max(1, Int(left))))
    }

    /// Whether the child waits for a question, or is about to.
    private func isThere() -> Bool {
        if let isConnected, !isConnected() {
            release(.nothing)
            self.isConnected = nil
            expectedBy = .now + Self.breakMax
        }
        if waiting == nil, session != nil, .now > expectedBy { endSession() }
        return session != nil && isConnected != nil
    }

    private func settle(_ id: Int, _ result: Result<PeerAnswer?, any Error>) {
        guard let asked = open.removeValue(forKey: id) else { return }
        line.removeAll { $0 == id }
        asked.asker.resume(with: result)
        if asked.isHandedOver, !asked.isAnswered, session != nil { takenBack.append(id) }
        handOver()
    }

    /// Looks after a question until it is settled: after its time, and whether the child is still there.
    private func watch(_ id: Int) async {
        let takeUpBy = ContinuousClock.now + Self.pickUpMax
        while let asked = open[id] {
            let now = ContinuousClock.now
            if now >= asked.end {
                let error = FederationError(
                    "E_PEER_TIMEOUT", "node \(child) did not answer within the deadline",
                    hint: "it is connected but slow; look at its load and its log", isRetryable: true)
                return settle(id, .failure(error))
            }
            if !asked.isHandedOver, now >= takeUpBy, underWay < Self.questionsMax {
                return settle(id, .success(nil))
            }
            _ = isThere()
            guard (try? await Task.sleep(for: min(.milliseconds(250), asked.end - now))) != nil else { return }
        }
    }
}
