import FederationModel
import LocalStore
import Verification

extension NodeDesk {
    /// Makes the comparisons that are due today and have not been made. Each link is compared by one end: with its parent by the child,
    /// which is the one that can reach the other; between peers by the receiver.
    ///
    /// - Returns: one report for each direction that was due; what kept it from being compared is in it.
    package func verifyDueLinks(by schedule: ComparisonSchedule) async throws -> [VerificationReport] {
        try await perform(.verifyLinks) { now in
            let made = try await store.linkVerifications()
            let due = ownComparisons.filter { peer, direction in
                schedule.isDue(at: id, last: made[peer.id]?[direction]?.at, now: now)
            }
            guard !due.isEmpty else { return [] }
            return try await withPeers { clients in
                var reports: [VerificationReport] = []
                for (peer, direction) in due {
                    let scope = scope(of: peer.id, direction, resource: nil)
                    reports.append(try await verify(peer, direction, scope, repairs: false, clients, now: clock()))
                }
                return reports
            }
        }
    }

    private var ownComparisons: [(peer: TopologyNode, direction: LinkDirection)] {
        topology.neighbours(of: id).flatMap { code -> [(TopologyNode, LinkDirection)] in
            guard let peer = topology.node(code), let role = topology.role(of: code, to: id) else { return [] }
            return switch role {
            case .parent: [(peer, .sending), (peer, .receiving)]
            case .peer: [(peer, .receiving)]
            case .child: []
            }
        }
    }
}
