import ChangeSetFormat
import FederationModel
import Foundation
import GRDB
import LocalStore
import TestSupport
import Zstandard

import struct FederationModel.Cursor

let province = node("370000")
let jinan = node("370100")
let qingdao = node("370200")
let lixia = node("370102")
let noon: UnixMilliseconds = 1_790_000_000_000

let qilu = Topology(
    name: "test", version: 1,
    nodes: [
        TopologyNode(id: province, name: "山东省", parent: nil, region: "370000", endpoint: nil),
        TopologyNode(id: jinan, name: "济南市", parent: province, region: "370100", endpoint: nil),
        TopologyNode(id: qingdao, name: "青岛市", parent: province, region: "370200", endpoint: nil),
        TopologyNode(id: lixia, name: "历下区", parent: jinan, region: "370102", endpoint: nil),
    ])

/// A store in a folder of its own, removed with it.
final class TemporaryStore: Sendable {
    let store: NodeStore
    let path: String
    private let folder: TemporaryFolder

    init(
        _ node: NodeID, epoch: Epoch = Epoch(counter: 1, nonce: 42),
        resources: [ResourceDefinition] = BuiltInResources.all,
        topology: Topology = Topology(name: "", version: 0, nodes: []), isFiltered: Bool = false,
        consumers: [any FeedConsumer] = NodeStore.builtInConsumers,
        threadKinds: [any ThreadKind] = NodeStore.builtInThreadKinds
    ) throws {
        folder = try TemporaryFolder("store")
        path = folder.path("node.db")
        try NodeStore.create(at: path, node: node, epoch: epoch, resources: resources)
        store = try NodeStore(at: path, resources: resources, consumers: consumers, threadKinds: threadKinds) { _ in
            "~" + String(repeating: "0f", count: 16)
        }
        try store.publish(Standing(node: node, topology: topology, resources: resources))
        if isFiltered { try store.logScope(isFolded: true) }
    }

    deinit { try? store.close() }
}

extension TemporaryStore {
    /// Changes the database past the program, over a connection of its own.
    func tamper(_ statements: String) throws {
        let other = try DatabaseQueue(path: path)
        try other.write { try $0.execute(sql: statements) }
        try other.close()
    }
}

func policy(from sender: NodeID, to receiver: NodeID, topology: Topology = qilu) -> LinkPolicy {
    guard let policy = LinkPolicy(from: sender, to: receiver, topology: topology, resources: BuiltInResources.all)
    else { preconditionFailure("a test asks for a link that is not there") }
    return policy
}

func ticket(_ number: Int, origin: NodeID = jinan, title: String = "路灯不亮", at time: UnixMilliseconds = noon)
    -> IntakeRecord
{
    let id = "\(origin)-\(number)"
    return IntakeRecord(
        resource: "service_request", key: id,
        fields: [
            "global_id": .text(id), "service_request_id": .text("\(number)"), "requested_datetime": .integer(time),
            "channel": .text("01"), "request_type": .text("2"), "urgency": .text("normal"), "title": .text(title),
            "acceptance": .text("accepted"), "lat": .real(36.65),
        ])
}

func stage(
    _ resource: ResourceName, of number: Int, origin: NodeID = jinan, after minutes: Int64,
    _ fields: [String: FieldValue]
) -> IntakeRecord {
    let id = "\(origin)-\(number)"
    return IntakeRecord(
        resource: resource, key: "\(id).\(resource).\(minutes)",
        fields: [
            "global_id": .text(id), "ticket_origin": .text(origin.code),
            "occurred_at": .integer(noon + minutes * 60_000),
            "round": .integer(1),
        ].merging(fields) { $1 })
}

/// Carries everything from one store to another, change-set by change-set, the way the protocol does.
///
/// - Returns: the reports of all change-sets that were applied.
@discardableResult
func carry(
    _ sender: NodeStore, _ receiver: NodeStore, policy: LinkPolicy, rowsMax: Int = 1_000,
    receivedAt: UnixMilliseconds = noon
) async throws -> [ApplyReport] {
    let compressor = ZstandardCompressor()
    var reports: [ApplyReport] = []
    while true {
        let start = try await startCursor(sender, receiver, policy: policy)
        let prepared = try await sender.prepareChangeSet(
            from: start, policy: policy, rowsMax: rowsMax, now: noon, compressor: compressor)
        guard case .changeSet(let outgoing) = prepared else { return reports }
        let incoming = try IncomingChangeSet(
            bytes: outgoing.bytes, policy: policy, resources: receiver.resources, now: receivedAt)
        reports.append(try await receiver.apply(incoming, policy: policy, now: receivedAt))
    }
}

/// The next change-set, of five rows at most unless more are asked for.
func changeSet(
    _ sender: NodeStore, from start: Cursor, policy: LinkPolicy, rowsMax: Int = 5
) async throws -> OutgoingChangeSet {
    let prepared = try await sender.prepareChangeSet(
        from: start, policy: policy, rowsMax: rowsMax, evenIfEmpty: true, now: noon, compressor: ZstandardCompressor())
    guard case .changeSet(let outgoing) = prepared else { preconditionFailure("an empty change-set was asked for") }
    return outgoing
}

func startCursor(_ sender: NodeStore, _ receiver: NodeStore, policy: LinkPolicy) async throws -> Cursor {
    let durable = try await receiver.cursor(of: sender.node)
    if let durable, durable.epoch == sender.epoch, durable.revision == policy.revision { return durable }
    let seq = durable?.epoch == sender.epoch ? durable?.seq : nil
    let head = try await sender.head()
    return Cursor(epoch: sender.epoch, seq: seq ?? head, revision: policy.revision, sweep: policy.sweepStart)
}

extension NodeStore {
    /// Adopts a topology with all its steps.
    ///
    /// - Returns: the copies that were deleted.
    @discardableResult
    func adopt(_ topology: Topology) async throws -> [DeletionRecord] {
        let release = TopologyRelease(version: topology.version, text: "", publishedAt: noon)
        try await adopt([(release, topology)], after: standing.topology, known: [], now: noon)
        let adopted = Standing(
            node: node, topology: topology, revisions: try linkRevisions(), resources: resources)
        var deleted: [DeletionRecord] = []
        while let records = try await performAdoptionStep(under: adopted, now: noon) { deleted += records }
        try publish(adopted)
        return deleted
    }

    /// Every row of every table, for a comparison of before and after.
    func dump() async throws -> [String: [[FieldValue]]] {
        let names = try await rows(sql: "SELECT name FROM sqlite_master WHERE type = 'table'", arguments: [])
        var dump: [String: [[FieldValue]]] = [:]
        for name in names.compactMap({ $0[0].text }) {
            dump[name] = try await rows(sql: "SELECT * FROM \"\(name)\"", arguments: [])
        }
        return dump
    }

    func count(_ resource: String, where condition: String = "deleted = 0") async throws -> Int64? {
        try await rows(sql: "SELECT count(*) FROM \"\(resource)\" WHERE \(condition)", arguments: [])[0][0].integer
    }
}

/// The resources of a release that takes longer titles than this one.
let longTitles = BuiltInResources.all.map { resource in
    guard resource.name == "service_request" else { return resource }
    return ResourceDefinition(
        resource.name, resource.title, stage: resource.stage,
        columns: resource.columns.map { column in
            guard column.name == "title" else { return column }
            return ColumnDefinition("title", column.title, level: column.level, bytesMax: 100_000)
        }, indexes: resource.indexes, flow: resource.flow, thread: resource.thread)
}
