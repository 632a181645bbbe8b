import FederationModel
import LocalStore
import LogicalQuery

/// Questions from above: only the parent may ask, and each is logged before it is answered, with the size of the answer. So answers
/// are bytes already.
extension NodeDesk {
    /// Answers an analysis of the parent, who is the actor.
    ///
    /// - Throws: `E_ANALYSIS_DENIED`, `E_TOPOLOGY_VERSION`, `E_QUERY_SCOPE`, and what the store throws.
    package func answer(_ request: LogicalRequest) async throws -> [UInt8] {
        try await perform(.answerAnalysis) { now in
            try await answer(to: Question(request), on: request.topologyVersion) { view, peer in
                var (_, answer) = try await view.answer(
                    request.analysis, wanted: request.origins, asker: peer, allowsStale: request.allowsStale,
                    deadlineMS: request.deadlineMS, now: now)
                let minCell = topology.grant(from: id, to: peer).minCell
                if minCell > 0 { answer.suppress(below: minCell, of: request.analysis) }
                return (try WireJSON.encode(answer), answer.partial.groups.count)
            }
        }
    }

    /// Answers the parent, who is the actor, with a page of rows.
    ///
    /// - Throws: as for an analysis, and `E_ROWS_NOT_GRANTED`, `E_FILTER_FIELD`.
    package func answer(_ request: RowRequest) async throws -> [UInt8] {
        try await perform(.answerRows) { now in
            try await answer(to: Question(request), on: request.topologyVersion) { view, peer in
                let (_, answer) = try await view.rows(
                    request.query, wanted: request.origins, asker: peer, reader: request.reader,
                    deadlineMS: request.deadlineMS, now: now)
                return (try WireJSON.encode(answer), answer.rows.count)
            }
        }
    }

    /// Passes a question of a command of this node on to a neighbour, by the connections that the service has.
    ///
    /// - Throws: `E_RELAY_DENIED` for everybody but a command, which shows the node's own certificate; `E_NOT_A_NEIGHBOUR`; what
    ///   asking throws.
    package func relay(_ question: PeerQuestion, to node: NodeID) async throws -> PeerAnswer {
        try await perform(.relayQuestion) { _ in
            try requireOwnCommand()
            guard topology.role(of: node, to: id) != nil else {
                throw FederationError("E_NOT_A_NEIGHBOUR", "node \(node) is no neighbour of \(id)")
            }
            return try await withPeers { try await $0.ask(node, question) }
        }
    }

    /// Whether the actor is a command of this node: before its question is even read.
    ///
    /// - Throws: `E_RELAY_DENIED`.
    package func requireOwnCommand() throws(FederationError) {
        guard actor.identity == .peer(id) else {
            throw FederationError("E_RELAY_DENIED", "node \(id) passes on questions of its own commands alone")
        }
    }

    /// Whether the actor may ask at all: before its question is even read.
    ///
    /// - Throws: `E_ANALYSIS_DENIED`.
    @discardableResult
    package func requireParent() throws(FederationError) -> NodeID {
        guard case .peer(let peer) = actor.identity, topology.role(of: peer, to: id) == .parent else {
            throw FederationError("E_ANALYSIS_DENIED", "whoever asks is not the parent of \(id)")
        }
        return peer
    }

    /// Answers a question and notes it, also when it is refused. What can't be noted is not answered.
    private func answer(
        to question: Question, on version: Int64,
        _ answer: (MergedView, NodeID) async throws -> (body: [UInt8], rows: Int)
    ) async throws -> [UInt8] {
        let peer = try requireParent()
        let ours = topology.version
        guard version == ours else {
            throw FederationError(
                "E_TOPOLOGY_VERSION", "the question was planned on topology version \(version), \(id) is on \(ours)",
                hint: "the node that is behind fetches the release by itself; ask again")
        }
        return try await withView { view in
            do {
                let (body, rows) = try await answer(view, peer)
                try await view.log(question, .answered, peer, rows: rows, bytes: body.count)
                return body
            } catch let error as FederationError {
                try await view.log(question, .answered, peer, outcome: error.code)
                throw error
            }
        }
    }
}
