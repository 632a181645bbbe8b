import ChangeSetFormat
import FederationModel
import Foundation
import HTTPTypes
import Hummingbird
import LocalStore
import Logging
import NodeDesk
import NodeRuntime
import PeerTransport
import SyncProtocol
import Synchronization
import TestSupport
import Testing
import Zstandard

/// A province that holds as much as it may, or has too little of its disk left, and a city that sends: real routes and stores.
@Suite(.timeLimit(.minutes(15))) struct `A receiver without room` {
    private static let (province, city) = (node(PeerServer.code), node("370100"))
    private static let topology = Topology(
        name: "test", version: 1,
        nodes: [
            TopologyNode(id: province, name: "省", parent: nil, region: "370000", endpoint: nil),
            TopologyNode(id: city, name: "市", parent: province, region: "370100", endpoint: nil),
        ])

    private final class Disk: Sendable {
        private let free = Mutex<Int64>(1_000)
        var bytes: Int64 {
            get { free.withLock { $0 } }
            set { free.withLock { $0 = newValue } }
        }
    }

    private static func store(_ id: NodeID, _ folder: TemporaryFolder, space: DiskSpace? = nil) throws -> NodeStore {
        let path = folder.path("\(id).db")
        try NodeStore.create(at: path, node: id, epoch: Epoch(counter: 1, nonce: 1))
        let store = try NodeStore(at: path, space: space)
        try store.publish(Standing(node: id, topology: topology))
        return store
    }

    private static let recording = IntakeRecord(
        resource: "recording", key: "r1", fields: ["uri": .text("file:///1")])

    /// What the city gets for its one change-set, where each frame is a request of its own.
    private struct Sending: Sendable {
        let client: PeerClient
        let number: String
        let changeSet: [UInt8]
        let store: NodeStore

        func send() async throws -> (status: Int, retryAfter: String?, kind: FrameKind?, refusal: Refusal?) {
            let response = try await client.request(
                "POST", "/v1/link/frame", headers: ["Link-Connection": number],
                body: Frame(.changeSet, changeSet).encoded, deadlineMS: 20_000)
            var reader = FrameReader(writtenBy: .receiver)
            reader.append(response.body)
            let frame = try reader.next()
            let refusal = frame?.kind == .refusal ? try WireJSON.decode(Refusal.self, frame?.body ?? []) : nil
            return (response.status, response.head.headers["retry-after"], frame?.kind, refusal)
        }
    }

    private func withLink(
        space: DiskSpace? = nil, queues: ReceivingQueues = ReceivingQueues(),
        _ body: @escaping @Sendable (Sending) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let (above, below) = (
            try Self.store(Self.province, folder, space: space), try Self.store(Self.city, folder)
        )
        _ = try await below.intake([Self.recording], now: currentMilliseconds())
        let policy = try #require(
            LinkPolicy(from: Self.city, to: Self.province, topology: Self.topology, resources: BuiltInResources.all))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let link = IncomingLink(
            sender: Self.city, store: above, policy: policy, cursor: nil, signal: ChangeSignal(),
            completions: ChangeSignal(), metrics: LinkMetrics(), queues: queues,
            statuses: LinkStatusWriter(store: above, peer: Self.city, direction: .receiving, logger: logger),
            logger: logger)
        let desk = try desk(above)
        try await withPeerServer { router in
            LinkRoutes(links: LinkRegistry(incoming: [Self.city: link]), desk: desk, metrics: LinkMetrics())
                .add(to: router)
        } body: { server in
            let client = try server.client(Self.city.code, expecting: PeerServer.code)
            let head = try await below.head()
            let hello = Hello(
                node: Self.city, receiver: Self.province, capabilities: [],
                schemaRevision: BuiltInResources.schemaRevision, topology: Self.topology.stamp,
                revision: policy.revision, epoch: below.epoch, head: head, clock: currentMilliseconds())
            let greeted = try await client.request(
                "POST", "/v1/link/hello", body: try WireJSON.encode(hello), deadlineMS: 20_000)
            try #require(greeted.status == 200)
            let start = Cursor(
                epoch: below.epoch, seq: head, revision: policy.revision, sweep: policy.sweepStart)
            let prepared = try await below.prepareChangeSet(
                from: start, policy: policy, rowsMax: 100, now: currentMilliseconds(),
                compressor: ZstandardCompressor())
            guard case .changeSet(let changeSet) = prepared else {
                Issue.record("nothing to send")
                return
            }
            try await body(
                Sending(
                    client: client, number: greeted.head.headers["link-connection"] ?? "", changeSet: changeSet.bytes,
                    store: above))
        }
        for store in [above, below] { try store.close() }
    }

    @Test func `asks for patience with 429, and takes the same change-set once others have made room`() async throws {
        let queues = ReceivingQueues()
        let half = SyncLimits.nodeQueueBytesMax / 2
        for other in ["370200", "370300"] { #expect(queues.take(half, from: node(other))) }
        try await withLink(queues: queues) { city in
            let refused = try await city.send()
            #expect(refused.status == 429 && refused.retryAfter == "1" && refused.kind == .refusal)
            #expect(refused.refusal?.code == "E_QUEUE_FULL" && refused.refusal?.retryAfterMS == 1_000)
            #expect(try await city.store.rowCounts(of: "recording").isEmpty)
            queues.release(half, from: node("370200"))
            let taken = try await city.send()
            #expect(taken.status == 200 && taken.kind == .acknowledgement && taken.retryAfter == nil)
            #expect(try await city.store.rowCounts(of: "recording") == [Self.city.code: 1])
            #expect(queues.take(half, from: node("370400")), "what is stored holds no room any more")
        }
    }

    @Test func `keeps the last of its disk for its own records: 507, until there is room`() async throws {
        let disk = Disk()
        try await withLink(space: DiskSpace(floor: 800) { disk.bytes }) { city in
            disk.bytes = 799
            let refused = try await city.send()
            #expect(refused.status == 507 && refused.retryAfter == "10")
            #expect(refused.refusal?.code == "E_DISK_FLOOR" && refused.refusal?.isPatient == true)
            #expect(try await city.store.rowCounts(of: "recording").isEmpty)
            #expect(await city.store.writeProblem() == nil)
            _ = try await city.store.intake([Self.recording], now: currentMilliseconds())

            disk.bytes = 99
            let own = await errorCode {
                _ = try await city.store.intake([Self.recording], now: currentMilliseconds())
            }
            #expect(own == "E_STORE_FULL")
            #expect(await city.store.writeProblem()?.code == "E_STORE_FULL")

            disk.bytes = 800
            let taken = try await city.send()
            #expect(taken.status == 200 && taken.kind == .acknowledgement)
        }
    }
}

extension Refusal {
    fileprivate var isPatient: Bool { retryAfterMS == SyncLimits.diskFloorPause && message.contains("370000") }
}
