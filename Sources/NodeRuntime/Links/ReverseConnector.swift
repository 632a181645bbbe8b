import FederationModel
import NodeDesk
import SyncProtocol
import Synchronization

/// The way down: the child opens each connection (a *reverse connection*), because it is the one behind a firewall, and the sender on
/// this side takes it when it is ready. One at a time; a newer one takes over.
///
/// It is one long request, or, where something between the nodes buffers, many short ones: the child asks for the next
/// frame, and brings its own.
package final class ReverseConnector: LinkConnector {
    fileprivate struct ReverseConnection {
        let number: Int
        let stream: AsyncStream<Frame>
        let frames: AsyncStream<Frame>.Continuation
        var isProbed = false
        /// How often the child has asked for a frame, and whether it waits for one.
        var questions = 0
        var isAsked = false
        var user: User?
    }

    /// The connection of the link that it serves.
    fileprivate struct User {
        let hello: Hello
        let connection: Int
        let input: OutgoingLink.Inputs
        var isAnswered = false
    }

    fileprivate struct State {
        var lastNumber = 0
        var present: ReverseConnection?
        /// A connection that waits for one.
        var waiting: User?
    }

    private let receiver: NodeID
    private let state = Mutex(State())

    /// How long a child may take to answer the hello on its own connection.
    private static let helloTimeout: Int64 = 20_000

    /// How long a child that asks for the next frame is kept waiting: less than proxies do.
    private static let questionTimeout: Int64 = 10_000

    package init(receiver: NodeID) { self.receiver = receiver }

    // MARK: - For the link

    package func connect(_ hello: Hello, connection: Int, input: OutgoingLink.Inputs) async {
        let user = User(hello: hello, connection: connection, input: input)
        let greeted = state.withLock { state in
            // One that served an earlier connection has ended with it.
            if state.present?.user != nil { state.end() }
            state.waiting = user
            return state.greet()
        }
        if let greeted { limitAnswer(to: greeted) }
    }

    package func openStream(number: String, connection: Int, input: OutgoingLink.Inputs) -> LinkChannel {
        input.yield(.streamOpened(connection: connection))
        let channel = useRequests(number: number, connection: connection, input: input)
        channel.send(Frame(.probe))
        return channel
    }

    package func useRequests(number: String, connection: Int, input: OutgoingLink.Inputs) -> LinkChannel {
        let frames = state.withLock { state in
            state.present.flatMap { $0.user?.connection == connection ? $0.frames : nil }
        }
        if let frames { return LinkChannel(outgoing: frames) }
        // It has ended meanwhile, and the link hears of it by its input.
        let (_, nowhere) = AsyncStream.makeStream(of: Frame.self)
        nowhere.finish()
        return LinkChannel(outgoing: nowhere)
    }

    // MARK: - For the route

    /// The child has opened a connection.
    ///
    /// - Returns: its number, and the frames that go down on it until it ends.
    func answer() -> (number: Int, frames: AsyncStream<Frame>) {
        let (frames, continuation) = AsyncStream.makeStream(of: Frame.self)
        let (number, greeted) = state.withLock { state in
            state.end(.superseded)
            state.lastNumber += 1
            state.present = ReverseConnection(number: state.lastNumber, stream: frames, frames: continuation)
            return (state.lastNumber, state.greet())
        }
        if let greeted { limitAnswer(to: greeted) }
        return (number, frames)
    }

    /// The next frame down on one that is made of requests; an echo when there is nothing to say for a while.
    ///
    /// - Returns: nil when it is not the present one, or is asked already.
    func next(of number: Int) async -> Frame? {
        let asked = state.withLock { state -> (stream: AsyncStream<Frame>, question: Int)? in
            guard let reverse = state.present, reverse.number == number, !reverse.isAsked else { return nil }
            state.present?.isAsked = true
            state.present?.questions += 1
            return (reverse.stream, reverse.questions + 1)
        }
        guard let asked else { return nil }
        let limit = Task { [weak self] in
            try await Task.sleep(for: .milliseconds(Self.questionTimeout))
            self?.sayNothing(number, question: asked.question)
        }
        defer {
            limit.cancel()
            state.withLock { state in if state.present?.number == number { state.present?.isAsked = false } }
        }
        for await frame in asked.stream { return frame }
        return nil
    }

    private func sayNothing(_ number: Int, question: Int) {
        state.withLock { state in
            guard let reverse = state.present, reverse.number == number, reverse.isAsked, reverse.questions == question
            else { return }
            reverse.frames.yield(Frame(.echo))
        }
    }

    /// A frame of the child. What comes on one that was taken over is dropped.
    func take(_ frame: Frame, number: Int) {
        state.withLock { state in
            guard let reverse = state.present, reverse.number == number else { return }
            guard frame.kind != .goodbye else { return state.end(.peerEnded(receiver)) }
            if frame.kind == .probe, !reverse.isProbed {
                state.present?.isProbed = true
                reverse.frames.yield(Frame(.echo))
                return
            }
            guard let user = reverse.user else { return state.end() }  // Nothing else is to be said before the hello.
            guard !user.isAnswered else {
                user.input.yield(.frame(frame, connection: user.connection))
                return
            }
            if frame.kind == .helloReply, let reply = try? WireJSON.decode(HelloReply.self, frame.body) {
                state.present?.user?.isAnswered = true
                user.input.yield(.helloReply(reply, connection: user.connection, number: ""))
            } else if frame.kind == .refusal, let refusal = try? ErrorMapping.refusal(in: frame.body) {
                user.input.yield(.helloRefused(refusal, connection: user.connection))
                state.end()
            } else {
                state.end(.unreadable(frame.kind, of: receiver))
            }
        }
    }

    /// The connection broke, or the child has ended it.
    func ended(_ error: FederationError?, number: Int) {
        state.withLock { state in
            if state.present?.number == number { state.end(error ?? .peerEnded(receiver)) }
        }
    }

    private func limitAnswer(to number: Int) {
        Task { [weak self] in
            try? await Task.sleep(for: .milliseconds(Self.helloTimeout))
            self?.giveUp(number)
        }
    }

    private func giveUp(_ number: Int) {
        state.withLock { state in
            guard let reverse = state.present, reverse.number == number, reverse.user?.isAnswered == false else {
                return
            }
            state.end(
                FederationError("E_PEER_TIMEOUT", "node \(receiver) has not answered a hello", isRetryable: true))
        }
    }
}

extension ReverseConnector.State {
    /// Brings a connection that waits and a reverse connection that is free together: its first frame down is the hello.
    ///
    /// - Returns: its number if that has just happened.
    fileprivate mutating func greet() -> Int? {
        guard let user = waiting, let reverse = present, reverse.user == nil else { return nil }
        waiting = nil
        self.present?.user = user
        var hello = user.hello
        // It may have waited for days.
        hello.clock = wallClock()
        guard let body = try? WireJSON.encode(hello) else { return nil }
        reverse.frames.yield(Frame(.hello, body))
        return reverse.number
    }

    /// Ends the reverse connection; the connection of the link that it serves hears why.
    fileprivate mutating func end(_ error: FederationError? = nil) {
        guard let reverse = present else { return }
        self.present = nil
        reverse.frames.finish()
        guard let user = reverse.user, let error else { return }
        user.input.yield(
            user.isAnswered
                ? .disconnected(error, connection: user.connection)
                : .connectFailed(error, connection: user.connection))
    }
}

extension FederationError {
    fileprivate static var superseded: FederationError {
        FederationError("E_SUPERSEDED", "a newer connection has taken over", isRetryable: true)
    }
}
