import FederationModel
import HTTPTypes
import Hummingbird
import NIOCore
import NodeDesk

/// Questions of neighbours, and those that wait for a child behind a firewall to fetch them.
extension LinkRoutes {
    func addQuestions(to router: Router<PeerRequestContext>) {
        router.post("/v1/analysis") { await question(.analysis, $0, $1) }
        router.post("/v1/rows") { await question(.rows, $0, $1) }
        router.post("/v1/verification") { await question(.verification, $0, $1) }
        router.post("/v1/questions/next") { await nextQuestion($0, $1) }
        router.post("/v1/questions/answer") { await takeAnswer($0, $1) }
        router.post("/v1/relay") { await relay($0, $1) }
    }

    private func question(
        _ route: PeerQuestion.Route, _ request: Request, _ context: PeerRequestContext
    ) async -> Response {
        await answering(context.peer) {
            try questions.admit(route, from: context.peer)
            let body = try await collect(request, max: PeerQuestion.bytesMax)
            return try await asLongAsConnected(context) {
                response(await questions.answer(route, body, from: context.peer))
            }
        }
    }

    // MARK: - The reverse channel

    /// The child asks for the next question; a first request, without a session, begins one.
    private func nextQuestion(_ request: Request, _ context: PeerRequestContext) async -> Response {
        await answering(context.peer) {
            let channel = try channel(of: context.peer)
            let session = try request.headers[.session].map(Self.number)
            guard let (present, item) = await channel.next(session, isConnected: { context.isConnected }) else {
                throw FederationError.noSuchSession
            }
            var headers: HTTPFields = [.session: "\(present)"]
            switch item {
            case .nothing:
                return Response(status: .noContent, headers: headers)
            case .takenBack(let question):
                headers[.question] = "\(question)"
                return Response(status: .ok, headers: headers)
            case .question(let question, let route, let body, let deadlineMS):
                headers[.question] = "\(question)"
                headers[.route] = route.rawValue
                headers[.deadline] = "\(deadlineMS)"
                headers[.contentType] = "application/json"
                return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: body)))
            }
        }
    }

    /// The child brings an answer, whose status is in a header.
    private func takeAnswer(_ request: Request, _ context: PeerRequestContext) async -> Response {
        await answering(context.peer) {
            let channel = try channel(of: context.peer)
            let (session, question) = (
                try Self.number(request.headers[.session] ?? ""), try Self.number(request.headers[.question] ?? "")
            )
            guard await channel.beginAnswer(to: question, session: session) else { throw FederationError.noSuchSession }
            do {
                let status = try Self.number(request.headers[.status] ?? "")
                let body = try await collect(request, max: PeerAnswer.bytesMax)
                await channel.answer(question, with: .success(PeerAnswer(status: status, body: body)))
            } catch {
                await channel.answer(question, with: .failure(.noAnswer(of: context.peer, because: error)))
                throw error
            }
            return Response(status: .ok)
        }
    }

    private func channel(of child: NodeID) throws(FederationError) -> ReverseChannel {
        guard let channel = links.channel(to: child) else { throw notANeighbour(child) }
        return channel
    }

    // MARK: - Commands of this node

    /// Passes a command's question on to a neighbour, by the connections that this service has.
    private func relay(_ request: Request, _ context: PeerRequestContext) async -> Response {
        await answering(context.peer) {
            let desk = desk.acting(as: .peer(context.peer))
            guard let route = request.headers[.route].flatMap(PeerQuestion.Route.init),
                let node = request.headers[.node].flatMap(NodeID.init)
            else { throw FederationError.badHeader }
            let deadlineMS = try Self.number(request.headers[.deadline] ?? "")
            try desk.requireOwnCommand()
            let question = PeerQuestion(
                route, body: try await collect(request, max: PeerQuestion.bytesMax),
                deadlineMS: min(deadlineMS, PeerQuestion.deadlineMax))
            return try await asLongAsConnected(context) {
                let answer = try await desk.relay(question, to: node)
                return Response(
                    status: .ok, headers: [.contentType: "application/json", .status: "\(answer.status)"],
                    body: .init(byteBuffer: ByteBuffer(bytes: answer.body)))
            }
        }
    }

    // MARK: - Helpers

    private func response(_ answer: PeerAnswer) -> Response {
        Response(
            status: .init(code: answer.status),
            headers: [.contentType: answer.status == 200 ? "application/json" : "application/problem+json"],
            body: .init(byteBuffer: ByteBuffer(bytes: answer.body)))
    }

    private static func number(_ text: String) throws(FederationError) -> Int {
        guard let number = Int(text), number > 0 else { throw .badHeader }
        return number
    }

    /// Ends the work when nobody waits for it any more. An end of the connection resumes nothing by itself, so it is looked at.
    private func asLongAsConnected(
        _ context: PeerRequestContext, _ work: @escaping @Sendable () async throws -> Response
    ) async throws -> Response {
        try await withThrowingTaskGroup(of: Response.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await work() }
            group.addTask {
                while context.isConnected { try await Task.sleep(for: .milliseconds(250)) }
                throw FederationError("E_PEER_ENDED", "node \(context.peer) no longer waits for an answer")
            }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }
}

extension HTTPField.Name {
    private static func named(_ text: String) -> HTTPField.Name { HTTPField.Name(text) ?? .via }
    fileprivate static var session: HTTPField.Name { named(QuestionHeader.session) }
    fileprivate static var question: HTTPField.Name { named(QuestionHeader.question) }
    fileprivate static var route: HTTPField.Name { named(QuestionHeader.route) }
    fileprivate static var deadline: HTTPField.Name { named(QuestionHeader.deadline) }
    fileprivate static var node: HTTPField.Name { named(QuestionHeader.node) }
    fileprivate static var status: HTTPField.Name { named(QuestionHeader.status) }
}

extension FederationError {
    fileprivate static var noSuchSession: FederationError {
        FederationError(
            "E_SUPERSEDED", "nobody waits for that any more", hint: "ask for the next question without a session",
            isRetryable: true)
    }

    fileprivate static var badHeader: FederationError {
        FederationError("E_QUESTION_HEADER", "a header of the question is missing, or no number above 0")
    }

    fileprivate static func noAnswer(of child: NodeID, because error: any Error) -> FederationError {
        switch (error as? FederationError)?.code {
        case "E_BODY_TOO_LARGE":
            FederationError(
                "E_PEER_RESPONSE_TOO_LARGE", "node \(child) answered with more than \(PeerAnswer.bytesMax) bytes")
        case "E_QUESTION_HEADER":
            FederationError("E_PEER_ANSWER", "node \(child) answered without a status")
        default:
            FederationError("E_PEER_BROKEN", "the answer of node \(child) broke off", isRetryable: true)
        }
    }
}
