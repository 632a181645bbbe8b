import FederationModel

/// A request to another node, whatever way it takes there.
package struct PeerQuestion: Sendable {
    /// What one node may ask another. Who gets an answer is decided where it is asked, from the asker's certificate alone.
    package enum Route: String, Sendable {
        case analysis = "/v1/analysis"
        case rows = "/v1/rows"
        case verification = "/v1/verification"
    }

    package let route: Route
    /// JSON.
    package let body: [UInt8]
    /// For all of it, there and back.
    package let deadlineMS: Int

    /// Most bytes of a body. Filter values are the most of it.
    package static let bytesMax = 8 << 20
    /// Longest time that anybody works for another node, milliseconds: a step of a comparison of a million rows needs minutes.
    package static let deadlineMax = 600_000

    package init(_ route: Route, body: [UInt8], deadlineMS: Int) {
        self.route = route
        self.body = body
        self.deadlineMS = deadlineMS
    }
}

/// What came back: a refusal too is an answer.
package struct PeerAnswer: Sendable {
    /// HTTP's.
    package let status: Int
    package let body: [UInt8]

    /// Most bytes of a body.
    package static let bytesMax = 16 << 20

    package init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }

    /// - Throws: what the other node refused with; a `DecodingError` when it answered something else.
    func value<Value: Decodable>(_ type: Value.Type) throws -> Value {
        guard status == 200 else { throw PeerProblem.error(in: body, status: status) }
        return try WireJSON.decode(type, body)
    }
}

/// A way to another node beside dialling it.
package protocol QuestionWay: Sendable {
    /// - Returns: nil when it does not lead there now, and the question has reached nobody.
    /// - Throws: `E_PEER_…`; `CancellationError` when nobody waits any more.
    func ask(_ node: NodeID, _ question: PeerQuestion) async throws -> PeerAnswer?
}

/// Headers of a question and its answer where they are no request of their own. Names in lower case, as `PeerResponseHead` has them.
package enum QuestionHeader {
    /// Of the connections that belong together, from the first request of a child that was started until it goes.
    package static let session = "question-session"
    /// The number of a question.
    package static let question = "question"
    /// A `PeerQuestion.Route`; a question without one is taken back.
    package static let route = "question-route"
    /// Milliseconds that are left for it.
    package static let deadline = "question-deadline"
    /// Whom it is for.
    package static let node = "question-node"
    /// The status of the answer in the body.
    package static let status = "answer-status"
}
