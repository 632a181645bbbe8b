import FederationModel
import Hummingbird
import LocalStore
import LogicalQuery
import NIOCore

/// Questions from above: only the parent may ask, and each is logged before it is answered.
extension LinkRoutes {
    /// Most bytes of a question. Filter values are the most of it.
    private static let questionBytesMax = 8 << 20

    func analysis(_ request: Request, peer: NodeID) async -> Response {
        await answering(peer) {
            try requireParent(peer)
            let question = try await decode(LogicalRequest.self, request, max: Self.questionBytesMax)
            try requireTopology(question.topologyVersion)
            return try await logged(Question(question), peer) {
                let (_, answer) = try await view.answer(
                    question.analysis, wanted: question.origins, deadlineMS: question.deadlineMS, now: wallClock())
                return (try WireJSON.encode(answer), answer.partial.groups.count)
            }
        }
    }

    func rows(_ request: Request, peer: NodeID) async -> Response {
        await answering(peer) {
            try requireParent(peer)
            let question = try await decode(RowRequest.self, request, max: Self.questionBytesMax)
            try requireTopology(question.topologyVersion)
            return try await logged(Question(question), peer) {
                let (_, answer) = try await view.rows(
                    question.query, wanted: question.origins, asker: peer, reader: question.reader,
                    deadlineMS: question.deadlineMS, now: wallClock())
                return (try WireJSON.encode(answer), answer.rows.count)
            }
        }
    }

    private func requireParent(_ peer: NodeID) throws(FederationError) {
        guard view.store.standing.topology.role(of: peer, to: node) == .parent else {
            throw FederationError("E_ANALYSIS_DENIED", "node \(peer) is not the parent of \(node)")
        }
    }

    private func requireTopology(_ version: Int64) throws(FederationError) {
        let ours = view.store.standing.topology.version
        guard version == ours else {
            throw FederationError(
                "E_TOPOLOGY_VERSION",
                "the question was planned on topology version \(version), \(node) is on \(ours)",
                hint: "the node that is behind fetches the release by itself; ask again")
        }
    }

    /// Answers a question and notes it, also when it is refused. What can't be noted is not answered.
    private func logged(
        _ question: Question, _ peer: NodeID, _ answer: () async throws -> (body: [UInt8], rows: Int)
    ) async throws -> Response {
        do {
            let (body, rows) = try await answer()
            try await view.log(question, .answered, peer, rows: rows, bytes: body.count)
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: .init(byteBuffer: ByteBuffer(bytes: body)))
        } catch let error as FederationError {
            try await view.log(question, .answered, peer, outcome: error.code)
            throw error
        }
    }
}
