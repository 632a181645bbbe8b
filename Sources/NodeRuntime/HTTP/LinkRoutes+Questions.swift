import FederationModel
import Hummingbird
import LogicalQuery
import NIOCore
import NodeDesk
import Verification

/// Questions of neighbours.
extension LinkRoutes {
    /// Most bytes of a question. Filter values are the most of it.
    private static let questionBytesMax = 8 << 20

    func analysis(_ request: Request, peer: NodeID) async -> Response {
        await answer(LogicalRequest.self, request, peer) { try await $0.answer($1) }
    }

    func rows(_ request: Request, peer: NodeID) async -> Response {
        await answer(RowRequest.self, request, peer) { try await $0.answer($1) }
    }

    /// One step of a comparison of what both ends of a link hold.
    func verification(_ request: Request, peer: NodeID) async -> Response {
        await answering(peer) {
            let desk = desk.acting(as: .peer(peer))
            let question = try await decode(VerificationRequest.self, request, max: Self.questionBytesMax)
            return try json(try await desk.answer(question))
        }
    }

    private func answer<Question: Decodable>(
        _ type: Question.Type, _ request: Request, _ peer: NodeID,
        _ answer: (NodeDesk, Question) async throws -> [UInt8]
    ) async -> Response {
        await answering(peer) {
            let desk = desk.acting(as: .peer(peer))
            try desk.requireParent()
            let question = try await decode(type, request, max: Self.questionBytesMax)
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: .init(byteBuffer: ByteBuffer(bytes: try await answer(desk, question))))
        }
    }
}
