import FederationModel
import LogicalQuery
import NodeDesk
import Verification

/// Answers the questions of other nodes, by whatever way they came: who asks is the node whose certificate was verified on the
/// connection that brought the question.
package struct QuestionHandler: Sendable {
    private let desk: NodeDesk
    private let metrics: LinkMetrics

    package init(desk: NodeDesk, metrics: LinkMetrics) {
        self.desk = desk
        self.metrics = metrics
    }

    /// Whether a node may ask that at all: known before its question is read.
    ///
    /// - Throws: `E_ANALYSIS_DENIED`.
    func admit(_ route: PeerQuestion.Route, from peer: NodeID) throws(FederationError) {
        switch route {
        case .analysis, .rows: try desk.acting(as: .peer(peer)).requireParent()
        // With whom something is compared is in the question.
        case .verification: break
        }
    }

    /// - Returns: a refusal for what can't be answered, which is counted.
    func answer(_ route: PeerQuestion.Route, _ body: [UInt8], from peer: NodeID) async -> PeerAnswer {
        do {
            try admit(route, from: peer)
            return PeerAnswer(status: 200, body: try await value(route, body, at: desk.acting(as: .peer(peer))))
        } catch {
            return refusal(error as? FederationError ?? .store(error), of: peer)
        }
    }

    func refusal(_ error: FederationError, of peer: NodeID) -> PeerAnswer {
        metrics.count(error.code, direction: .receiving, peer: peer)
        return ErrorMapping.answer(error)
    }

    private func value(_ route: PeerQuestion.Route, _ body: [UInt8], at desk: NodeDesk) async throws -> [UInt8] {
        switch route {
        case .analysis: try await desk.answer(try message(LogicalRequest.self, in: body))
        case .rows: try await desk.answer(try message(RowRequest.self, in: body))
        case .verification:
            try WireJSON.encode(try await desk.answer(try message(VerificationRequest.self, in: body)))
        }
    }

    /// - Throws: what the message itself refuses; `E_BODY_INVALID`.
    private func message<Message: Decodable>(_ type: Message.Type, in body: [UInt8]) throws -> Message {
        do {
            return try WireJSON.decode(type, body)
        } catch let error as FederationError {
            throw error
        } catch {
            throw FederationError("E_BODY_INVALID", "the body is not the JSON that this route takes")
        }
    }
}
