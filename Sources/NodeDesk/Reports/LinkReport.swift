import ChangeSetFormat
import FederationModel
import LocalStore
import Verification

/// One direction of one link as `status` and `/metrics` show it, from local state alone: it works when the peer is down
/// and when the service is not running.
package struct LinkReport: Sendable {
    package let peer: TopologyNode
    /// What the peer is to this node.
    package let role: LinkRole
    package let direction: LinkDirection
    package let state: LinkState
    package let modes: [ResourceName: AggregationMode]
    package let cursor: Seq
    package let lagRows: Int64
    package let lagSeconds: Double
    package let lastContact: UnixMilliseconds?
    /// When a file was last written for the peer, or taken from it (`sync export`, `sync import`); nil when none ever was.
    package let ferriedAt: UnixMilliseconds?
    package let error: FederationError?
    /// Rows of the sender that are put aside at the receiver.
    package let quarantined: Int
    /// Rows that the receiver got from the sender and that the sender no longer has.
    package let lost: Int
    /// How both ends stood when they were last held against each other; nil when they never were.
    package let verification: LinkVerification?

    /// Contact older than this means that the peer is gone, whatever the last state was: four heartbeats were missed. The
    /// link itself gives up after three, if its service runs to notice.
    private static let silentAfter: Int64 = 4 * SyncLimits.heartbeatInterval

    /// Every link that the topology gives this node, whether it has ever been up or not.
    package static func all(of local: LocalNode, now: UnixMilliseconds) async throws -> [LinkReport] {
        let statuses = try await local.store.linkStatuses()
        let quarantine = try await local.store.quarantineCounts()
        let held = try await local.store.lostRows()
        let verifications = try await local.store.linkVerifications()
        let head = try await local.store.head()
        let ferries = try await local.store.ferryPeers()
        var reports: [LinkReport] = []
        let standing = local.standing
        for neighbour in standing.topology.neighbours(of: local.id) {
            guard let peer = standing.topology.node(neighbour),
                let role = standing.topology.role(of: neighbour, to: local.id)
            else { continue }
            let directions: [LinkDirection] =
                switch role {
                case .parent, .peer: [.sending, .receiving]
                case .child: [.receiving, .sending]
                }
            for direction in directions {
                var status = statuses.first { $0.peer == neighbour && $0.direction == direction }
                let policy = direction == .sending ? standing.outgoing[neighbour] : standing.incoming[neighbour]
                let ferriedAt = direction == .sending ? ferries[neighbour]?.exportedAt : ferries[neighbour]?.importedAt
                if let ferry = ferries[neighbour], status.carriedByHand(since: ferriedAt, now: now) {
                    status = try await local.store.ferryStatus(
                        of: neighbour, direction, ferry, at: ferriedAt ?? 0, head: head)
                }
                // A row that this node wrote since counts too, also while the service is down.
                var lagRows =
                    (status?.lagRows ?? 0) + (direction == .sending ? max(0, head - (status?.head ?? head)) : 0)
                if lagRows > 0, let policy, direction == .sending {
                    lagRows = min(
                        lagRows, try await local.store.rowsWaiting(after: head - lagRows, policy: policy) ?? lagRows)
                }
                let copied = policy?.wholeResources ?? []
                let modes = local.store.resources.filter { !$0.isReference || copied.contains($0.name) }.map {
                    ($0.name, copied.contains($0.name) ? AggregationMode.physical : .logical)
                }
                reports.append(
                    LinkReport(
                        peer: peer, role: role, direction: direction, status: status,
                        modes: Dictionary(uniqueKeysWithValues: modes), lagRows: lagRows,
                        quarantined: direction == .receiving ? quarantine[neighbour] ?? 0 : status?.quarantined ?? 0,
                        lost: direction == .receiving ? held[neighbour] ?? 0 : status?.lost ?? 0,
                        verification: verifications[neighbour]?[direction], ferriedAt: ferriedAt, at: local.id, now: now
                    ))
            }
        }
        return reports
    }

    private init(
        peer: TopologyNode, role: LinkRole, direction: LinkDirection, status: LinkStatus?,
        modes: [ResourceName: AggregationMode], lagRows: Int64, quarantined: Int, lost: Int,
        verification: LinkVerification?, ferriedAt: UnixMilliseconds?, at id: NodeID, now: UnixMilliseconds
    ) {
        self.ferriedAt = ferriedAt
        self.verification = verification
        self.lost = lost
        self.peer = peer
        self.role = role
        self.direction = direction
        self.modes = modes
        self.quarantined = quarantined
        cursor = status?.cursor ?? 0
        lastContact = status?.lastContact
        let (sender, receiver) = direction == .sending ? (id, peer.id) : (peer.id, id)
        let loss = lost > 0 ? FederationError.rowsLost(lost, by: sender, at: receiver) : nil
        guard let status else {
            state = .connecting
            self.lagRows = 0
            lagSeconds = 0
            error = loss
            return
        }
        let isSilent = Self.isSilent(status, now: now)
        let isGone = isSilent && status.state.needsContact
        state = isGone ? .unreachable : status.state
        error =
            status.error
            ?? (isGone
                ? FederationError(
                    "E_LINK_SILENT", "\(peer.id) has not been heard",
                    hint: "see whether its service runs and reaches this node") : loss)
        self.lagRows = lagRows
        // A neighbour that is not heard is no idle one.
        let isFine = state == .level || state == .ferried && direction == .sending
        lagSeconds = lagRows == 0 && isFine ? 0 : Double(max(0, now - (status.levelAt ?? now))) / 1_000
    }

    fileprivate static func isSilent(_ status: LinkStatus, now: UnixMilliseconds) -> Bool {
        now - (status.lastContact ?? 0) > silentAfter
    }
}

extension LinkStatus? {
    /// Whether what is known of the link has come by files: nothing has been heard over a connection since the last one.
    fileprivate func carriedByHand(since ferriedAt: UnixMilliseconds?, now: UnixMilliseconds) -> Bool {
        guard let ferriedAt else { return false }
        guard let status = self else { return true }
        return status.state != .refused && LinkReport.isSilent(status, now: now)
            && ferriedAt >= status.lastContact ?? 0
    }
}

extension NodeStore {
    /// What files say of one direction of a link.
    fileprivate func ferryStatus(
        of peer: NodeID, _ direction: LinkDirection, _ ferry: FerryPeer, at time: UnixMilliseconds, head: Seq
    ) async throws -> LinkStatus {
        let cursor = direction == .sending ? try await confirmation(of: peer) : try await cursor(of: peer)?.seq ?? 0
        return LinkStatus(
            peer: peer, direction: direction, state: .ferried, cursor: cursor, head: head,
            lagRows: direction == .sending ? head - cursor : 0, levelAt: time,
            lost: direction == .sending ? ferry.lost : 0, quarantined: direction == .sending ? ferry.quarantined : 0)
    }
}
