import FederationModel
import LocalStore
import SyncProtocol
import Verification

/// What must hold when nothing moves any more.
extension Federation {
    func isAtRest() async throws -> Bool { try await unrest() == nil }

    /// Why it is not at rest; nil when it is.
    func unrest() async throws -> String? {
        for id in order {
            guard let node = nodes[id] else { continue }
            guard node.isUp, !node.isAdopting, node.topology.version == topology.current.version else {
                return "\(id) stands on topology \(node.topology.version)"
            }
            for end in ends(node.sending) where end.sender.state != .level {
                return "\(end.edge) sender: \(end.sender.summary)"
            }
            for end in ends(node.receiving) {
                let summary = end.receiver.summary(now: node.clock(now))
                if summary.state != .level || summary.lagRows != 0 { return "\(end.edge) receiver: \(summary)" }
            }
        }
        for id in order {
            if let lost = try await nodes[id]?.store.lostRows().first { return "\(lost.key) lacks rows that \(id) has" }
        }
        for id in order {
            guard let node = nodes[id] else { continue }
            // Nothing else is put aside here: what forgers write is refused or without effect.
            if let row = try await node.store.quarantinedRows(limit: 1).first {
                return "\(id) has put aside \(row.resource) \(row.key): \(row.rule)"
            }
            for consumer in try await node.store.consumerStatus() where consumer.lagRows > 0 {
                return "\(consumer.name) of \(id) is behind"
            }
        }
        return nil
    }

    func checkAll() async throws {
        var own: [NodeID: [String: Look]] = [:]
        var held: [NodeID: [String: Look]] = [:]
        for (id, node) in nodes {
            let looks = try await node.looks()
            held[id] = Dictionary(uniqueKeysWithValues: looks.map { ($0.id, $0) })
            own[id] = held[id]?.filter { $0.value.origin == id }
        }
        checkOwn(own)
        try await checkKnown()
        try checkHeld(held, own)
        try await checkAnswers()
        try await checkFingerprints()
    }

    /// What a node took in is there as it was taken in, unless the node went back.
    private func checkOwn(_ own: [NodeID: [String: Look]]) {
        for id in order where !ledger.restored.contains(id) {
            let written = ledger.written[id] ?? [:]
            for (row, fields) in written.sorted(by: { $0.key < $1.key }) where own[id]?[row]?.fields != fields {
                problem("\(id) took in \(row) and has lost it, or changed it")
            }
        }
    }

    /// What anybody held when a node went back has come back to its origin, or has been written anew there.
    private func checkKnown() async throws {
        var versions: [NodeID: [String: Int64]] = [:]
        for (id, node) in nodes { versions[id] = try await node.versions() }
        for (row, version) in ledger.known.sorted(by: { $0.key < $1.key }) {
            guard let origin = NodeID(String(row.split(separator: " ")[1])) else { continue }
            // What was written under a wrong clock is issued anew, under an earlier version.
            let least = kind.hasClockJumps ? 1 : version
            if versions[origin]?[row] ?? 0 < least { problem("\(origin) has lost \(row), which somebody held") }
        }
    }

    /// Each node holds exactly what the reference says.
    private func checkHeld(_ held: [NodeID: [String: Look]], _ own: [NodeID: [String: Look]]) throws {
        let links = topology.current.edges.map { ($0.sender, $0.receiver) }
        // Two nodes above a ticket that know of each other's records must see them; they need not come to know of each other.
        if Reference.next(held, own, links, topology.current) == held { return }
        guard let expected = Reference.held(own, links, topology.current) else {
            return problem("the reference does not come to rest")
        }
        for id in order {
            let (have, want) = (held[id] ?? [:], expected[id] ?? [:])
            for row in Set(have.keys).union(want.keys).sorted() where have[row] != want[row] {
                let what = have[row] == nil ? "lacks" : want[row] == nil ? "still holds" : "has otherwise"
                problem("\(id) \(what) \(row)\(difference(have[row], want[row]))")
            }
        }
    }

    private func difference(_ have: Look?, _ want: Look?) -> String {
        guard let have, let want else { return "" }
        if have.version != want.version { return " (version \(have.version), not \(want.version))" }
        let columns = Set(have.fields.keys).union(want.fields.keys).filter { have.fields[$0] != want.fields[$0] }
        return " (\(columns.sorted().joined(separator: ", ")))"
    }

    private func checkAnswers() async throws {
        for id in order {
            guard let node = nodes[id] else { continue }
            let origins = topology.current.subtree(of: id)
            let answer = try await count(at: node, of: origins, topology.current)
            check(answer, at: node, topology.current)
            let silent = Set(origins).subtracting(answer.claims.keys)
            if !silent.isEmpty { problem("an answer at \(id) never becomes whole: \(silent.sorted())") }
        }
    }

    /// Both ends of each link come to the same fingerprints.
    private func checkFingerprints() async throws {
        for edge in topology.current.edges {
            guard let sender = nodes[edge.sender], let receiver = nodes[edge.receiver],
                let policy = sender.store.standing.outgoing[edge.receiver]
            else { continue }
            let scope = VerificationScope(
                sender: edge.sender, receiver: edge.receiver, topologyVersion: topology.current.version)
            let granted = try await sender.store.partedRanges(of: policy, scope).map(\.total)
            let received = try await receiver.store.partedRanges(of: policy, scope).map(\.total)
            if granted != received { problem("the fingerprints of \(edge) differ") }
        }
    }
}
