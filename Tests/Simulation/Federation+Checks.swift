import FederationModel
import LocalStore
import LogicalQuery
import SyncProtocol

/// What must hold at every moment.
extension Federation {
    struct Before {
        let cursor: Cursor?
        /// Live rows.
        let live: [String: Int64]
    }

    func applying(_ end: ReceivingEnd) async throws -> Before {
        Before(
            cursor: try await end.node.store.cursor(of: end.sender),
            live: try await end.node.versions(isLive: true))
    }

    /// - Parameter life: of the sender, when it sent.
    func checkApplied(_ report: ApplyReport, _ before: Before, life: Int, _ end: ReceivingEnd) async throws {
        if let former = before.cursor, former.epoch == report.cursor.epoch, report.cursor.seq < former.seq {
            problem("the cursor of \(end.edge) went back from \(former) to \(report.cursor)")
        }
        let live = try await end.node.versions(isLive: true)
        for id in live.keys.sorted() where before.live[id] == nil && !ledger.ever.contains(id) {
            problem("\(end.node.id) holds \(id), which its origin never wrote")
        }
        let gone = before.live.keys.filter { live[$0] == nil }
        guard !gone.isEmpty, let sender = nodes[end.sender], sender.life == life else { return }
        let known = try await sender.versions()
        for id in gone.sorted() where known[id] == nil && !sender.pruned.contains(id) {
            problem("\(end.node.id) deleted \(id), of which \(sender.id) knows nothing")
        }
    }

    /// What is no longer awaited from a supplier has gone at its origin, or in its sight; or that has gone back and does not know it.
    func checkSettled(_ before: [String: Int64], _ end: ReceivingEnd) async throws {
        guard !before.isEmpty else { return }
        let live = try await end.node.versions(isLive: true)
        for id in before.keys.filter({ live[$0] == nil }).sorted() {
            guard let origin = NodeID(String(id.split(separator: " ")[1])), !ledger.restored.contains(origin),
                let node = nodes[origin], !node.pruned.contains(id)
            else { continue }
            if try await node.versions()[id] == nil {
                problem("\(end.node.id) let go of \(id), of which \(origin) knows nothing")
            }
        }
    }

    /// A question at any node counts no ticket twice, and where it says that an origin is complete up to a time, all that the origin
    /// took in until then is counted.
    func checkView(at node: SimulatedNode) async throws {
        guard node.isUp else { return }
        counts.views += 1
        let topology = node.topology
        let answer = try await count(at: node, of: topology.subtree(of: node.id), topology)
        check(answer, at: node, topology)
    }

    struct Count {
        var number: Int64 = 0
        var tickets: [String] = []
        /// By origin, up to when all of it is said to be there.
        var claims: [NodeID: UnixMilliseconds] = [:]
    }

    func check(_ answer: Count, at node: SimulatedNode, _ topology: Topology) {
        if answer.number != answer.tickets.count {
            problem("\(node.id) counts \(answer.number) tickets where there are \(answer.tickets.count)")
        }
        let tickets = Set(answer.tickets)
        if tickets.count != answer.tickets.count { problem("\(node.id) counts a ticket twice") }
        // A clock that was wrong has given tickets times that are wrong.
        if kind.hasClockJumps { return }
        for (origin, time) in answer.claims.sorted(by: { $0.key < $1.key }) where !isFiltered(origin, node, topology) {
            for (ticket, takenIn) in ledger.tickets[origin, default: [:]].sorted(by: { $0.key < $1.key })
            where takenIn <= time && !tickets.contains(ticket) {
                problem("\(node.id) says that \(origin) is whole, and \(ticket) is not in the answer")
            }
        }
    }

    /// Whether a filter lies on the way to anybody who may answer for `origin`: the way may lead over a peer.
    private func isFiltered(_ origin: NodeID, _ node: SimulatedNode, _ topology: Topology) -> Bool {
        let below = topology.chain(from: origin).prefix { $0 != node.id }
        return (below + [node.id]).flatMap { topology.hops(of: origin, to: $0) }.contains {
            !topology.grant(from: $0.sender, to: $0.receiver).tickets.isEmpty
        }
    }

    /// What the nodes of the plan count together. A node that stands on another topology gives no answer.
    func count(at node: SimulatedNode, of origins: [NodeID], _ topology: Topology) async throws -> Count {
        // All that are here, merged ones and those not accepted with them: this is about rows that are missing.
        let tickets = try Analysis.Measure(
            "tickets", version: 1, unit: .count, terms: [.init(.ticket, base: "", numerator: "count")])
        let analysis = try Analysis(measures: [tickets], asOf: Self.start)
        let plan = try QueryPlan(
            topology: topology, node: node.id, resources: analysis.resourcesNeeded, wanted: origins)
        var count = Count()
        for query in SQLiteDialect.compile(analysis, origins: plan.local) {
            for row in try await node.store.rows(sql: query.sql, arguments: query.arguments) {
                count.number += row[query.keyCount].integer ?? 0
            }
        }
        let codes = plan.local.map { "'\($0)'" }.joined(separator: ", ")
        count.tickets = try await node.store.rows(
            sql: "SELECT \"key\" FROM service_request WHERE deleted = 0 AND origin IN (\(codes))", arguments: []
        ).map { $0[0].text ?? "" }
        let freshness = try await node.store.freshness()
        for origin in plan.local {
            if origin == node.id {
                count.claims[origin] = node.clock(now)
            } else if let copy = freshness[origin], copy.complete {
                count.claims[origin] = copy.asOf
            }
        }
        for (child, origins) in plan.delegated.sorted(by: { $0.key < $1.key }) {
            guard let below = nodes[child], below.isUp, below.topology.version == topology.version else { continue }
            let part = try await self.count(at: below, of: origins, topology)
            count.number += part.number
            count.tickets += part.tickets
            count.claims.merge(part.claims) { $1 }
        }
        return count
    }
}
