import FederationModel
import LocalStore
import Verification

/// What one direction of a link came to when both ends were held against each other.
package struct VerificationReport: Sendable {
    /// Rows of one resource and origin that differ.
    package struct Difference: Sendable {
        package let resource: ResourceName
        package let origin: NodeID
        /// In the order of their keys.
        package let rows: [DifferingRow]
    }

    package let peer: TopologyNode
    package let direction: LinkDirection
    package var differences: [Difference] = []
    /// What was compared, by resource and origin, as this end has it.
    package var totals: [RangeTotal] = []
    /// Whether more differs than is listed.
    package var isCut = false
    /// Of requests and answers.
    package var bytes = 0
    /// Rows that were sent again, given back or let go of.
    package var repaired = 0
    /// Whether both ends were found equal after the repair.
    package var isRepairDone = false
    /// Why nothing can be said.
    package var error: FederationError?

    package var isEqual: Bool { error == nil && differences.isEmpty && !isCut }
}

extension NodeDesk {
    /// How long a repair is waited for, milliseconds.
    private static let repairWait: Int64 = 30_000

    /// Proves with neighbours that both ends of their links hold the same rows, in both directions.
    ///
    /// - Parameters:
    ///   - peer: the code of a neighbour or the beginning of its name; nil for all.
    ///   - repairs: whether what differs is brought together.
    /// - Throws: `E_NODE_UNKNOWN`, `E_NODE_AMBIGUOUS`, `E_NOT_A_NEIGHBOUR`, `E_RESOURCE_UNKNOWN`. What keeps one link from being compared is
    ///   in its report.
    package func verify(peer: String?, resource: String?, repairs: Bool) async throws -> [VerificationReport] {
        try await perform(.verifyLinks) { now in
            let resource = resource.map { ResourceName($0) }
            if let resource, BuiltInResources.named(resource) == nil {
                throw FederationError(
                    "E_RESOURCE_UNKNOWN", "there is no resource \(resource)",
                    hint: "see `federation-node resource list`")
            }
            let peers =
                try peer.map { [try neighbour(named: $0)] }
                ?? topology.neighbours(of: id).compactMap { topology.node($0) }
            return try await withPeers { clients in
                var reports: [VerificationReport] = []
                for peer in peers {
                    for direction in [LinkDirection.receiving, .sending] {
                        let scope = scope(of: peer.id, direction, resource: resource)
                        reports.append(
                            try await verify(peer, direction, scope, repairs: repairs, clients, now: now))
                    }
                }
                return reports
            }
        }
    }

    /// Holds the records of one node and one day against those of its supplier, and fetches what is missing (5.1-4).
    ///
    /// - Parameters:
    ///   - origin: whose records: the code of a node or the beginning of its name.
    ///   - day: its number (`CivilDate`) in Shanghai, by the time at which what a record tells of happened.
    /// - Throws: `E_NODE_UNKNOWN`, `E_NODE_AMBIGUOUS`, `E_NO_SUPPLIER`.
    package func reconcile(origin: String, day: Int64) async throws -> VerificationReport {
        try await perform(.verifyLinks) { now in
            let origin = try node(named: origin)
            guard let supplier = topology.supplier(of: origin.id, to: id), let peer = topology.node(supplier) else {
                throw FederationError(
                    "E_NO_SUPPLIER", "no neighbour supplies records of \(origin.id) to \(id)",
                    hint: "name a node below this one, or a peer")
            }
            let scope = VerificationScope(
                sender: supplier, receiver: id, origin: origin.id, topologyVersion: topology.version,
                schemaRevision: store.schemaRevision, from: ShanghaiTime.midnight(ofDay: day),
                to: ShanghaiTime.midnight(ofDay: day + 1))
            return try await withPeers { clients in
                try await verify(peer, .receiving, scope, repairs: true, clients, now: now)
            }
        }
    }

    /// Answers one step of a comparison that a neighbour makes, who is the actor.
    ///
    /// - Throws: `E_NOT_A_NEIGHBOUR`, `E_TOPOLOGY_VERSION`, `E_VERIFY_REQUEST`, `E_VERIFY_NOT_READY`.
    package func answer(_ request: VerificationRequest) async throws -> VerificationAnswer {
        try await perform(.answerVerification) { now in
            let (peer, policy) = try policy(for: request.scope)
            try request.check()
            let isSender = policy.sender == id
            if isSender { try store.requireReady(request.position, policy) }
            var answer = VerificationAnswer()
            if !isSender {
                answer.position = try await store.position(in: policy.sender)
                if answer.position == nil { throw FederationError.notReady(policy) }
            }
            switch request.step {
            case .totals(let totals):
                answer.ranges = try await differing(totals, policy, request.scope)
                if answer.ranges.isEmpty, request.scope.isWhole, let seq = (answer.position ?? request.position)?.seq {
                    try await store.note(
                        differences: 0, at: seq, with: peer, isSender ? .sending : .receiving, now: now)
                }
            case .outcome(let differences):
                if request.scope.isWhole {
                    try await store.note(
                        differences: differences, at: 0, with: peer, isSender ? .sending : .receiving, now: now)
                }
            case .parts(let parted):
                let ranges = parted.ranges
                let here = try await store.fingerprints(of: ranges, policy: policy, request.scope)
                answer.ranges = zip(ranges, zip(parted.parts, here)).filter { $1.0.fingerprint != $1.1 }.map(\.0)
            case .rows(let range, let asked):
                try await compare(asked, in: range, policy, request, &answer)
            case .resend(let resource, let origin, let keys):
                guard isSender else { throw FederationError.notYours }
                (answer.changed, answer.head) = try await commit(\.1) {
                    try await store.resend(keys, of: resource, origin: origin, policy: policy, now: now)
                }
            case .release(let resource, let origin, let withdrawn, let lost):
                guard !isSender else { throw FederationError.notYours }
                (answer.changed, answer.head) = try await commit(\.1) {
                    try await store.release(
                        withdrawn: withdrawn, lost: lost, of: resource, origin: origin, from: policy.sender, now: now)
                }
            }
            return answer
        }
    }

    // MARK: - One link

    func verify(
        _ peer: TopologyNode, _ direction: LinkDirection, _ scope: VerificationScope, repairs: Bool,
        _ clients: PeerClients, now: UnixMilliseconds
    ) async throws -> VerificationReport {
        var report = VerificationReport(peer: peer, direction: direction)
        guard let policy = direction == .sending ? standing.outgoing[peer.id] : standing.incoming[peer.id] else {
            return report
        }
        do {
            var verifier = LinkVerifier(
                store: store, peers: clients, policy: policy, scope: scope)
            let seq = try await verifier.compare()
            report.differences = verifier.found
            report.totals = verifier.totals
            report.isCut = verifier.isCut
            try await note(&verifier, at: seq, with: peer.id, direction, now: now)
            report.bytes = verifier.bytes
            if repairs && !report.differences.isEmpty {
                let (rows, head) = try await verifier.repair(now: now) { try await commit(\.1, $0) }
                report.repaired = rows
                report.bytes = verifier.bytes
                guard try await hasArrived(head, at: direction, peer.id) else { return report }
                // That they are equal now is proved, not concluded.
                var again = LinkVerifier(store: store, peers: clients, policy: policy, scope: scope)
                let seq = try await again.compare()
                try await note(&again, at: seq, with: peer.id, direction, now: clock())
                report.bytes += again.bytes
                report.isRepairDone = again.found.isEmpty && !again.isCut
            }
        } catch let error as FederationError {
            report.error = error
        }
        return report
    }

    /// Keeps the outcome for `status` at both ends, unless only a part was compared.
    private func note(
        _ verifier: inout LinkVerifier, at seq: Seq, with peer: NodeID, _ direction: LinkDirection,
        now: UnixMilliseconds
    ) async throws {
        guard verifier.scope.isWhole else { return }
        await verifier.tellDifferences()
        try await store.note(differences: verifier.rowsFound, at: seq, with: peer, direction, now: now)
    }

    /// Waits until the receiver has what the sender's feed held at `head`.
    private func hasArrived(_ head: Seq, at direction: LinkDirection, _ peer: NodeID) async throws -> Bool {
        let end = clock() + Self.repairWait
        repeat {
            let reached =
                direction == .sending
                ? try await store.confirmation(of: peer) : try await store.cursor(of: peer)?.seq ?? 0
            if reached >= head { return true }
            try await Task.sleep(for: .milliseconds(50))
        } while clock() < end
        return false
    }

    func scope(of peer: NodeID, _ direction: LinkDirection, resource: ResourceName?) -> VerificationScope {
        let (sender, receiver) = direction == .sending ? (id, peer) : (peer, id)
        return VerificationScope(
            sender: sender, receiver: receiver, resource: resource, topologyVersion: topology.version,
            schemaRevision: store.schemaRevision)
    }

    /// - Throws: `E_NODE_UNKNOWN`, `E_NODE_AMBIGUOUS`, `E_NOT_A_NEIGHBOUR`.
    func neighbour(named text: String) throws -> TopologyNode {
        let node = try node(named: text)
        guard topology.role(of: node.id, to: id) != nil else {
            throw FederationError("E_NOT_A_NEIGHBOUR", "node \(node.id) is no neighbour of \(id)")
        }
        return node
    }

    // MARK: - Answers

    private func policy(for scope: VerificationScope) throws(FederationError) -> (peer: NodeID, policy: LinkPolicy) {
        guard case .peer(let peer) = actor.identity, Set([scope.sender, scope.receiver]) == [id, peer],
            let policy = scope.sender == id ? standing.outgoing[peer] : standing.incoming[peer]
        else {
            throw FederationError(
                "E_NOT_A_NEIGHBOUR", "whoever asks may compare with \(id) only what flows between the two")
        }
        guard scope.topologyVersion == topology.version else {
            throw FederationError(
                "E_TOPOLOGY_VERSION",
                "the comparison goes by topology version \(scope.topologyVersion), \(id) is on \(topology.version)",
                hint: "the node that is behind fetches the release by itself; ask again")
        }
        return (peer, policy.known(at: min(store.schemaRevision, scope.schemaRevision ?? Self.firstComparedSchema)))
    }

    /// That of the release which compared first and did not say it.
    private static let firstComparedSchema = 6

    /// Of what the asker has and what is here, the resources and origins that differ; of those that both know.
    private func differing(
        _ totals: [RangeTotal], _ policy: LinkPolicy, _ scope: VerificationScope
    ) async throws -> [KeyRange] {
        let asked = Dictionary(totals.map { ($0.range, $0.fingerprint) }) { $1 }
        let here = Dictionary(
            try await store.partedRanges(of: policy, scope).map { ($0.range, $0.total.fingerprint) }
        ) { $1 }
        return Set(asked.keys).union(here.keys)
            .filter { asked[$0] != here[$0] && policy.resources.contains($0.resource) }
            .sorted { ($0.resource, $0.origin) < ($1.resource, $1.origin) }
    }

    private func compare(
        _ asked: [RowStatement], in range: KeyRange, _ policy: LinkPolicy, _ request: VerificationRequest,
        _ answer: inout VerificationAnswer
    ) async throws {
        let head = try await store.head()
        let (here, position) = try await store.rows(
            in: range, limit: VerificationRequest.rowsMax, of: policy, request.scope)
        var asked = asked
        if here.count == VerificationRequest.rowsMax, let last = here.last?.key {
            answer.upTo = last
            asked.removeAll { last.utf8.lexicographicallyPrecedes($0.key.utf8) }
        }
        guard policy.sender == id, let seen = request.position?.seq else {
            answer.position = position
            answer.rows = differences(granted: asked, received: here)
            return
        }
        answer.rows = differences(granted: here, received: asked)
        let verdicts = try await store.verdicts(
            on: answer.rows.map(\.key), of: range.resource, origin: range.origin, policy: policy,
            seen: min(head, seen))
        for (index, verdict) in verdicts.enumerated() { answer.rows[index].verdict = verdict }
    }
}

extension FederationError {
    fileprivate static var notYours: FederationError {
        FederationError("E_VERIFY_REQUEST", "rows are sent again by their sender, and let go of by their receiver")
    }
}
