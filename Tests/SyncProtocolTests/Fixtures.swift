import ChangeSetFormat
import FederationModel
import SyncProtocol
import TestSupport

/// A city that sends to its province, as both ends see it.
enum Link {
    static let province = node("370000")
    static let city = node("370100")
    static let county = node("370102")
    static let start: UnixMilliseconds = 1_900_000_000_000
    static let epoch = Epoch(counter: 1, nonce: 0xabc)

    static let catalog = Array(BuiltInResources.all.prefix(3))
    static let resources = catalog.map(\.name)

    private static func node(_ code: String) -> NodeID {
        guard let node = NodeID(code) else { preconditionFailure(code) }
        return node
    }

    /// - Parameter granted: the resources that are copied up.
    static func topology(version: Int64 = 1, granted: [ResourceName] = resources) -> Topology {
        func node(_ id: NodeID, _ parent: NodeID?) -> TopologyNode {
            TopologyNode(
                id: id, name: id.code, parent: parent, region: id.code, endpoint: nil,
                modes: Dictionary(uniqueKeysWithValues: granted.map { ($0, .physical) }), defaultMode: .logical)
        }
        return Topology(
            name: "shandong", version: version, nodes: [node(province, nil), node(city, province), node(county, city)])
    }

    static func policy(version: Int64 = 1, granted: [ResourceName] = resources) -> LinkPolicy {
        let topology = topology(version: version, granted: granted)
        guard let policy = LinkPolicy(from: city, to: province, topology: topology, resources: catalog) else {
            preconditionFailure("no edge")
        }
        return policy
    }

    static func cursor(
        _ seq: Seq, sweep: SweepPosition = .complete, epoch: Epoch = epoch, version: Int64 = 1
    ) -> Cursor {
        Cursor(epoch: epoch, seq: seq, revision: LinkRevision(topology: version, policy: 0), sweep: sweep)
    }

    static func stamp(_ version: Int64) -> TopologyStamp { TopologyStamp(version: version, digest: nil) }

    static func sender(head: Seq = 100) -> LinkSender {
        LinkSender(policy: policy(), topology: stamp(1), epoch: epoch, head: head, schemaRevision: 1, seed: 1)
    }

    static func receiver(cursor: Cursor? = nil) -> LinkReceiver {
        LinkReceiver(
            node: province, sender: city, topology: stamp(1), policy: policy(), schemaRevision: 1, cursor: cursor,
            now: start)
    }

    static func hello(
        range: ProtocolRange = .supported, version: Int64 = 1, head: Seq = 100, clock: UnixMilliseconds = start,
        epoch: Epoch = epoch
    ) -> Hello {
        Hello(
            node: city, receiver: province, protocolRange: range, capabilities: Capability.all, schemaRevision: 1,
            topology: stamp(version), revision: LinkRevision(topology: version, policy: 0), epoch: epoch, head: head,
            clock: clock)
    }

    static func reply(_ cursor: Cursor?, protocolVersion: Int = 1, version: Int64 = 1) -> HelloReply {
        HelloReply(
            protocolVersion: protocolVersion, capabilities: Capability.all, schemaRevision: 1, topologyVersion: version,
            clock: start, cursor: cursor)
    }

    static func header(
        _ from: Cursor, _ to: Cursor, head: Seq? = nil, sender: NodeID = city, createdAt: UnixMilliseconds = start
    ) -> ChangeSetHeader {
        ChangeSetHeader(
            sender: sender, receiver: province, start: from, end: to, head: head ?? to.seq, schemaRevision: 1,
            rowCount: 1, payloadBytes: 10, createdAt: createdAt)
    }

    static func prepared(_ id: Int, _ from: Cursor, _ to: Cursor, rows: Int = 1, head: Seq? = nil) -> PreparedChangeSet
    {
        PreparedChangeSet(id: id, start: from, end: to, head: head ?? to.seq, rows: rows, bytes: 10)
    }

    static func request(
        from start: Cursor, rowsMax: Int, evenIfEmpty: Bool = false, hasMark: Bool = true
    ) -> PrepareRequest {
        PrepareRequest(from: start, rowsMax: rowsMax, evenIfEmpty: evenIfEmpty, hasMark: hasMark, schemaRevision: 1)
    }

    static func applied(_ cursor: Cursor, rows: Int = 1) -> Acknowledgement {
        Acknowledgement(cursor: cursor, applied: rows, skipped: 0, quarantined: 0)
    }
}

extension [LinkDirective] {
    /// Without timers and notes: what the dialogue is about.
    var actions: [LinkDirective] {
        filter {
            switch $0 {
            case .wake, .note: false
            default: true
            }
        }
    }

    var wake: UnixMilliseconds? {
        compactMap { if case .wake(let at) = $0 { at } else { nil } }.last
    }
}
