import ChangeSetFormat
import FederationModel

/// What a receiver checks before it lets a neighbour's hello or change-set in: pure functions of what both ends know.
struct ReceivingRules: Hashable, Sendable {
    let node: NodeID
    let sender: NodeID
    /// The topology that this node stands on.
    let topology: TopologyStamp
    /// What the sender may send; nil when the topology has no such edge.
    let policy: LinkPolicy?

    /// - Throws: `E_LINK_ADDRESS`, `E_PROTOCOL_VERSION`, `E_TOPOLOGY_VERSION`, `E_TOPOLOGY_DIFFERS`, `E_NOT_A_NEIGHBOUR`,
    ///   `E_CLOCK_SKEW`.
    /// - Returns: the protocol version of the connection.
    func check(_ hello: Hello, now: UnixMilliseconds) throws(FederationError) -> Int {
        try checkAddress("a hello", sender: hello.node, receiver: hello.receiver)
        guard let version = ProtocolRange.supported.common(with: hello.protocolRange) else {
            throw .protocolVersion(ours: .supported, at: node, theirs: "\(hello.protocolRange)", node: sender)
        }
        // Before the edge: a node that the newer topology has brought in is told which version is missing here. The revision
        // under which it sends is the sender's word: only it knows since when it grants what it grants.
        guard hello.topology.version == topology.version else {
            throw .topologyVersion(ours: topology.version, at: node, theirs: hello.topology.version, node: sender)
        }
        guard !hello.topology.contradicts(topology) else {
            throw .topologyDiffers(version: topology.version, at: node, node: sender)
        }
        guard policy != nil else {
            throw FederationError(
                LinkCode.notANeighbour,
                "\(sender) is not a neighbour of \(node) in topology version \(topology.version)",
                hint: "add the edge to the topology file if it should be there")
        }
        try checkClock(hello.clock, now: now)
        return version
    }

    /// The same rules for a sender that has said under which revision it sends.
    ///
    /// - Parameter policy: of which both releases know every resource.
    func under(_ revision: LinkRevision, of policy: LinkPolicy?) -> ReceivingRules {
        ReceivingRules(node: node, sender: sender, topology: topology, policy: policy?.at(revision))
    }

    /// Everything about a change-set but its place in the stream.
    func check(
        _ header: ChangeSetHeader, epoch: Epoch, policy: LinkPolicy, expected: Cursor?, now: UnixMilliseconds
    ) throws(FederationError) {
        try checkAddress("a change-set", sender: header.sender, receiver: header.receiver)
        guard header.start.epoch == epoch else {
            throw FederationError(
                LinkCode.epoch, "a change-set of \(sender) is of epoch \(header.start.epoch), its hello of \(epoch)")
        }
        guard header.start.revision == policy.revision else {
            throw .topologyVersion(ours: policy.revision, at: node, theirs: header.start.revision, node: sender)
        }
        try checkClock(header.createdAt, now: now)
        // It may stand still in one case: where this node has no such cursor yet, and it sets one.
        guard header.end != header.start || header.start != expected, header.end.seq >= header.start.seq,
            policy.isOnward(from: header.start.sweep, to: header.end.sweep)
        else {
            throw FederationError(
                LinkCode.noProgress, "a change-set of \(sender) does not take the cursor onwards",
                hint: "run the same release on both nodes")
        }
    }

    private func checkAddress(_ what: String, sender: NodeID, receiver: NodeID) throws(FederationError) {
        guard sender == self.sender, receiver == node else {
            throw FederationError(
                LinkCode.address, "\(what) from \(sender) to \(receiver) has come from \(self.sender) to \(node)",
                hint: "look at the endpoints in the topology file")
        }
    }

    /// Whether the clock of the sender, which shows `theirs`, is near enough to this node's.
    func agree(on theirs: UnixMilliseconds, now: UnixMilliseconds) -> Bool {
        let (difference, overflow) = now.subtractingReportingOverflow(theirs)
        return !overflow && difference.magnitude <= SyncLimits.clockSkewMax.magnitude
    }

    private func checkClock(_ theirs: UnixMilliseconds, now: UnixMilliseconds) throws(FederationError) {
        guard agree(on: theirs, now: now) else {
            throw FederationError(
                LinkCode.clockSkew, "the clock of \(sender) shows \(theirs), that of \(node) \(now) ms since 1970 UTC",
                hint: "set both clocks by the same time server")
        }
    }
}

extension LinkPolicy {
    /// Whether a change-set may start at `start` when the receiver's cursor is `cursor` (design rules 5 and 6).
    ///
    /// Exactly there; or with a new sweep, because that states everything that there is: in another epoch at any seq, in
    /// the same one under a newer policy or at a higher seq (the sender has removed the tombstones in between).
    func accepts(start: Cursor, after cursor: Cursor?) -> Bool {
        guard let cursor, cursor.epoch == start.epoch else { return start.sweep == sweepStart }
        if start == cursor { return true }
        return start.sweep == sweepStart && start.seq >= cursor.seq && start.revision >= cursor.revision
            && (start.seq, start.revision) != (cursor.seq, cursor.revision)
    }

    /// Whether both positions exist under this policy and the second is not before the first.
    func isOnward(from start: SweepPosition, to end: SweepPosition) -> Bool {
        guard let start = rank(start), let end = rank(end) else { return false }
        if start.resource != end.resource { return start.resource < end.resource }
        guard let after = start.after else { return true }
        return end.after.map { after <= $0 } ?? false
    }

    /// The place of a resource in the sweep and the row in it; `complete` stands behind the last resource.
    private func rank(_ position: SweepPosition) -> (resource: Int, after: RowKey?)? {
        switch position {
        case .complete: (resources.count, nil)
        case .at(let resource, let after): resources.firstIndex(of: resource).map { ($0, after) }
        }
    }
}
