import FederationModel

/// The protocol versions that a node speaks, both ends included.
package struct ProtocolRange: Codable, Hashable, Sendable, CustomStringConvertible {
    package let min: Int
    package let max: Int

    /// What this release speaks.
    package static let supported = ProtocolRange(min: 1, max: 1)

    package init(min: Int, max: Int) {
        self.min = min
        self.max = max
    }

    package func contains(_ version: Int) -> Bool { min <= version && version <= max }

    /// The highest version that both speak; nil when there is none.
    package func common(with other: ProtocolRange) -> Int? {
        let highest = Swift.min(max, other.max)
        return highest >= Swift.max(min, other.min) ? highest : nil
    }

    package var description: String { "\(min) to \(max)" }
}

/// The sender's first message on every connection: who it is, what it stands on, and from which life its seqs are.
///
/// Who the sender may be is decided from its certificate alone; `node` only has to agree with it.
package struct Hello: Codable, Hashable, Sendable {
    package var node: NodeID
    /// Whom the sender means to talk to; a wrong address in a topology file shows here.
    package var receiver: NodeID
    package var protocolRange: ProtocolRange
    /// Optional features that the sender can use; none is inferred from a version number.
    package var capabilities: [String]
    package var schemaRevision: Int
    /// The topology that the sender stands on.
    package var topology: TopologyStamp
    /// Under what it sends: the topology version in which the policy of this link was last changed, and the release of the
    /// sender's catalog in which what that grants was.
    package var revision: LinkRevision
    package var epoch: Epoch
    /// The sender's own seq now.
    package var head: Seq
    /// The sender's clock.
    package var clock: UnixMilliseconds

    package init(
        node: NodeID, receiver: NodeID, protocolRange: ProtocolRange = .supported, capabilities: [String],
        schemaRevision: Int, topology: TopologyStamp, revision: LinkRevision, epoch: Epoch, head: Seq,
        clock: UnixMilliseconds
    ) {
        self.node = node
        self.receiver = receiver
        self.protocolRange = protocolRange
        self.capabilities = capabilities
        self.schemaRevision = schemaRevision
        self.topology = topology
        self.revision = revision
        self.epoch = epoch
        self.head = head
        self.clock = clock
    }

    private enum CodingKeys: String, CodingKey {
        case node, receiver, capabilities, epoch, head, clock
        case protocolRange = "protocol"
        case schemaRevision = "schema"
        case topologyVersion = "topology"
        case topologyDigest
        case since
        case policyRevision = "policy"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        node = try container.decode(NodeID.self, forKey: .node)
        receiver = try container.decode(NodeID.self, forKey: .receiver)
        protocolRange = try container.decode(ProtocolRange.self, forKey: .protocolRange)
        capabilities = try container.decode([String].self, forKey: .capabilities)
        schemaRevision = try container.decode(Int.self, forKey: .schemaRevision)
        let version = try container.decode(Int64.self, forKey: .topologyVersion)
        topology = TopologyStamp(
            version: version, digest: try container.decodeIfPresent(String.self, forKey: .topologyDigest))
        // A node of an earlier release sweeps with each topology version.
        revision = LinkRevision(
            topology: try container.decodeIfPresent(Int64.self, forKey: .since) ?? version,
            policy: try container.decode(Int64.self, forKey: .policyRevision))
        epoch = try container.decode(Epoch.self, forKey: .epoch)
        head = try container.decode(Seq.self, forKey: .head)
        clock = try container.decode(UnixMilliseconds.self, forKey: .clock)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(node, forKey: .node)
        try container.encode(receiver, forKey: .receiver)
        try container.encode(protocolRange, forKey: .protocolRange)
        try container.encode(capabilities, forKey: .capabilities)
        try container.encode(schemaRevision, forKey: .schemaRevision)
        try container.encode(topology.version, forKey: .topologyVersion)
        try container.encodeIfPresent(topology.digest, forKey: .topologyDigest)
        try container.encode(revision.topology, forKey: .since)
        try container.encode(revision.policy, forKey: .policyRevision)
        try container.encode(epoch, forKey: .epoch)
        try container.encode(head, forKey: .head)
        try container.encode(clock, forKey: .clock)
    }
}

/// The receiver's answer to a hello that it accepts.
package struct HelloReply: Codable, Hashable, Sendable {
    /// The version that both use on this connection.
    package var protocolVersion: Int
    package var capabilities: [String]
    package var schemaRevision: Int
    package var topologyVersion: Int64
    package var clock: UnixMilliseconds
    /// The receiver's durable cursor, which is the truth about where to go on (design rule 5); nil before the first
    /// change-set was ever applied.
    package var cursor: Cursor?
    /// The history mark of `cursor`, as the change-set that took it there brought it; nil when it brought none.
    package var mark: HistoryMark?
    /// Rows that the receiver got from the sender and that the sender no longer has; nil when there are none.
    package var lost: Int?
    /// Rows of the sender that are put aside at the receiver; nil when there are none.
    package var quarantinedTotal: Int?
    /// The newest rows that came from the sender and are put aside, here or at nodes to which they went on from here, at most
    /// `SyncLimits.putAsideRowsMax`; nil when there are none.
    package var putAside: [PutAsideRow]?

    package init(
        protocolVersion: Int, capabilities: [String], schemaRevision: Int, topologyVersion: Int64,
        clock: UnixMilliseconds, cursor: Cursor?, mark: HistoryMark? = nil, lost: Int? = nil,
        quarantinedTotal: Int? = nil, putAside: [PutAsideRow]? = nil
    ) {
        self.quarantinedTotal = quarantinedTotal
        self.putAside = putAside
        self.mark = mark
        self.lost = lost
        self.protocolVersion = protocolVersion
        self.capabilities = capabilities
        self.schemaRevision = schemaRevision
        self.topologyVersion = topologyVersion
        self.clock = clock
        self.cursor = cursor
    }

    private enum CodingKeys: String, CodingKey {
        case capabilities, clock, cursor, mark, lost, quarantinedTotal, putAside
        case protocolVersion = "protocol"
        case schemaRevision = "schema"
        case topologyVersion = "topology"
    }
}
