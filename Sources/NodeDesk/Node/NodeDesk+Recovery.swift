import ConfigurationFiles
import FederationModel
import LocalStore
import Verification

/// What a node got back of what it had lost, and what it could not get back.
package struct RecoveryReport: Sendable {
    /// A neighbour that held copies.
    package struct Source: Sendable {
        package let peer: TopologyNode
        package let state: LinkState
        /// Rows that it holds still and that this node lacks.
        package let outstanding: Int
        /// Whether both ends were held against each other afterwards and are equal.
        package let isProved: Bool
        /// What keeps its rows from coming, or both ends from being compared.
        package let error: FederationError?
        /// Whether its link carries only some of the tickets.
        package let isFiltered: Bool

        package var isDone: Bool { outstanding == 0 && isProved }
    }

    package let sources: [Source]
    package let returned: [ReturnedRows]
    /// Resources of which no neighbour holds copies (逻辑接入): nobody can say how many rows are lost.
    package let notCopied: [ResourceName]
    /// Whether a treated field came back as the neighbour has it: masked, as a token, or without a value.
    package let treatments: [ResourceName: [String: FieldTreatment]]

    package var rows: Int { returned.reduce(0) { $0 + $1.rows } }

    /// Whether everything is here that this node ever had, as far as that can be known.
    package var isComplete: Bool {
        sources.allSatisfy { $0.isDone && !$0.isFiltered } && notCopied.isEmpty
            && returned.allSatisfy(\.treated.isEmpty)
    }
}

extension NodeDesk {
    private static let recoveryPollMS = 300

    /// Gets back what neighbours hold of this node's own rows (design rule 6): waits until they have found out what is lost here and have
    /// given it back, and then proves that both ends hold the same. The links of the running service carry it.
    ///
    /// - Parameters:
    ///   - peer: one neighbour, by its code or the beginning of its name; nil for all that get rows from here.
    ///   - patience: how long it waits, milliseconds; what has not come by then is in the report.
    ///   - progress: told how many rows have come back, and how many have not as far as the neighbours know.
    /// - Throws: `E_RECOVERY_NO_SERVICE`, `E_NODE_UNKNOWN`, `E_NODE_AMBIGUOUS`, `E_NOT_A_NEIGHBOUR`.
    package func recover(
        from peer: String?, patience: Int64, progress: (_ returned: Int, _ outstanding: Int) -> Void
    ) async throws -> RecoveryReport {
        try await perform(.recover) { now in
            let peers = try recoverySources(peer)
            let isServing = Doorbell.ring(databasePath: settings.databasePath)
            guard isServing else {
                throw FederationError(
                    "E_RECOVERY_NO_SERVICE", "the service of node \(id) does not run, and its links bring the rows",
                    hint: "start `federation-node serve`, then repeat this command")
            }
            let begin = try await store.beginRecovery(now: now)
            return try await withPeers { clients in
                var proofs: [NodeID: VerificationReport] = [:]
                while true {
                    let links = try await sendingLinks(to: peers)
                    let returned = try await store.returnedRows(since: begin)
                    progress(returned.reduce(0) { $0 + $1.rows }, links.values.reduce(0) { $0 + $1.lost })
                    for peer in peers where links[peer.id].map({ $0.state == .level && $0.lost == 0 }) ?? false {
                        if proofs[peer.id]?.isSettled == true { continue }
                        let scope = scope(of: peer.id, .sending, resource: nil)
                        proofs[peer.id] = try await verify(peer, .sending, scope, repairs: true, clients, now: clock())
                    }
                    let isOver = peers.allSatisfy { links[$0.id]?.lost == 0 && proofs[$0.id]?.isSettled == true }
                    if isOver || clock() - now >= patience { return try await report(peers, proofs, since: begin) }
                    try await Task.sleep(for: .milliseconds(Self.recoveryPollMS))
                }
            }
        }
    }

    private func recoverySources(_ name: String?) throws -> [TopologyNode] {
        if let name {
            let peer = try node(named: name)
            guard standing.outgoing[peer.id] != nil else {
                throw FederationError("E_NOT_A_NEIGHBOUR", "node \(peer.id) gets no rows from \(id)")
            }
            return [peer]
        }
        return topology.neighbours(of: id).filter { standing.outgoing[$0] != nil }.compactMap { topology.node($0) }
    }

    private func sendingLinks(to peers: [TopologyNode]) async throws -> [NodeID: LinkReport] {
        let wanted = Set(peers.map(\.id))
        return Dictionary(
            try await LinkReport.all(of: local, now: clock()).filter {
                $0.direction == .sending && wanted.contains($0.peer.id)
            }.map { ($0.peer.id, $0) }
        ) { $1 }
    }

    private func report(
        _ peers: [TopologyNode], _ proofs: [NodeID: VerificationReport], since begin: UnixMilliseconds
    ) async throws -> RecoveryReport {
        let links = try await sendingLinks(to: peers)
        let policies = peers.compactMap { standing.outgoing[$0.id] }
        let copied = policies.reduce(into: Set<ResourceName>()) {
            $0.formUnion($1.wholeResources.subtracting($1.withheld))
        }
        var treatments: [ResourceName: [String: FieldTreatment]] = [:]
        for policy in policies { treatments.merge(policy.grant.treatments) { $0.merging($1) { first, _ in first } } }
        return RecoveryReport(
            sources: peers.map { peer in
                let (link, proof) = (links[peer.id], proofs[peer.id])
                return RecoveryReport.Source(
                    peer: peer, state: link?.state ?? .connecting, outstanding: link?.lost ?? 0,
                    isProved: proof?.isProof == true, error: proof?.error ?? link?.error,
                    isFiltered: standing.outgoing[peer.id]?.grant.tickets.isEmpty == false)
            }, returned: try await store.returnedRows(since: begin),
            notCopied: store.resources.filter { resource in
                switch resource.flow {
                case .byMode, .byModeAndDown: !copied.contains(resource.name)
                // What concerns this node alone lies with nobody else; what concerns others came back from them.
                case .down, .everywhere, .withTickets, .byAudience: false
                }
            }.map(\.name), treatments: treatments)
    }
}

extension VerificationReport {
    /// Whether both ends hold the same now.
    fileprivate var isProof: Bool { isEqual || isRepairDone }

    /// Whether asking again would say nothing else.
    fileprivate var isSettled: Bool { isProof || error.map { !$0.isRetryable } ?? false }
}
