import FederationModel
import LocalStore
import LogicalQuery
import PeerTransport

/// Why a child gave no answer that counts.
struct ChildFailure: Error {
    let code: String

    var state: CoverageState {
        ["E_ANALYSIS_DENIED", "E_NOT_A_NEIGHBOUR", "E_ROWS_NOT_GRANTED"].contains(code) ? .denied : .unreachable
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
    /// Sends a question to a child and checks what comes back.
    ///
    /// - Returns: the answer, and the bytes that it had.
    /// - Throws: `ChildFailure`; `CancellationError` when nobody waits any more; what reading this node's credentials throws.
    func exchange<Answer: Decodable>(
        _ type: Answer.Type, _ child: NodeID, _ path: String, _ request: some Encodable, deadlineMS: Int64,
        check: (Answer) throws -> Void
    ) async throws -> (answer: Answer, bytes: Int) {
        let client = try client(for: child)
        do {
            let response = try await client.request(
                "POST", path, headers: ["Content-Type": "application/json"], body: try WireJSON.encode(request),
                deadlineMS: Int(deadlineMS))
            guard response.status == 200 else { throw PeerProblem.error(in: response.body, status: response.status) }
            let answer = try WireJSON.decode(type, response.body)
            try check(answer)
            return (answer, response.body.count)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw ChildFailure(code: (error as? FederationError)?.code ?? "E_PEER_ANSWER")
        }
    }

    /// A child that the topology does not say how to reach gives no answer; a node without credentials can ask nobody.
    private func client(for child: NodeID) throws -> PeerClient {
        do {
            return try peers.client(for: child)
        } catch {
            guard error.code == "E_PEER_NO_ENDPOINT" else { throw error }
            throw ChildFailure(code: error.code)
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
