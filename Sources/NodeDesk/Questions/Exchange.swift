import FederationModel
import LocalStore
import LogicalQuery

/// Why a child gave no answer that counts.
struct ChildFailure: Error {
    let code: String

    var state: CoverageState {
        ["E_ANALYSIS_DENIED", "E_ANALYSIS_NOT_GRANTED", "E_NOT_A_NEIGHBOUR", "E_ROWS_NOT_GRANTED"].contains(code)
            ? .denied : .unreachable
    }
}

/// What the log keeps of a question.
struct Question: Sendable {
    let kind: QueryLogEntry.Kind
    let resource: ResourceName
    let text: String
    let columns: String
    let origins: Int
    let began = wallClock()

    init(_ request: LogicalRequest) {
        kind = .analysis
        resource = BuiltInResources.serviceRequest.name
        text = request.analysis.conditions
        columns = request.analysis.columns.joined(separator: ",")
        origins = request.origins.count
    }

    init(_ request: RowRequest) {
        kind = .rows
        resource = request.query.resource.name
        text = request.query.conditions
        columns = request.query.columns.map(\.name).joined(separator: ",")
        origins = request.origins.count
    }
}

extension MergedView {
    private static let ownTroubles: Set<String> = ["E_CREDENTIALS", "E_FILE_READ"]

    /// Sends a question to a child and checks what comes back.
    ///
    /// - Returns: the answer, and the bytes that it had.
    /// - Throws: `ChildFailure`; `CancellationError` when nobody waits any more; what reading this node's credentials throws.
    func exchange<Answer: Decodable>(
        _ type: Answer.Type, _ child: NodeID, _ route: PeerQuestion.Route, _ request: some Encodable, deadlineMS: Int64,
        check: (Answer) throws -> Void
    ) async throws -> (answer: Answer, bytes: Int) {
        let answer: PeerAnswer
        do {
            answer = try await peers.ask(
                child, PeerQuestion(route, body: try WireJSON.encode(request), deadlineMS: Int(deadlineMS)))
        } catch let error as FederationError {
            // A node without credentials can ask nobody.
            if Self.ownTroubles.contains(error.code) { throw error }
            throw ChildFailure(code: error.code)
        }
        do {
            let value = try answer.value(type)
            try check(value)
            return (value, answer.body.count)
        } catch {
            throw ChildFailure(code: (error as? FederationError)?.code ?? "E_PEER_ANSWER")
        }
    }

    /// What stands for a child that gave no answer: each of its origins with the time at which it was last heard.
    func missing(_ origins: [NodeID], _ failure: ChildFailure) async -> [NodeReport] {
        let heard = (try? await store.freshness()) ?? [:]
        return origins.map { NodeReport(node: $0, state: failure.state, asOf: heard[$0]?.asOf, code: failure.code) }
    }

    /// Notes a question that travelled, and how large its answer was.
    func log(
        _ question: Question, _ direction: QueryLogEntry.Direction, _ peer: NodeID, rows: Int = 0, bytes: Int = 0,
        outcome: String = "ok"
    ) async throws {
        try await store.log(
            QueryLogEntry(
                at: question.began, direction: direction, peer: peer, kind: question.kind,
                resource: question.resource, question: question.text, columns: question.columns,
                origins: question.origins, rows: rows, bytes: bytes, outcome: outcome,
                durationMS: wallClock() - question.began))
    }
}
