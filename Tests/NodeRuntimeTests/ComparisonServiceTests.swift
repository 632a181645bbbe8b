import ConfigurationFiles
import FederationModel
import Hummingbird
import LocalStore
import Logging
import NodeDesk
import NodeIdentity
import NodeRuntime
import PeerTransport
import Synchronization
import TestSupport
import Testing
import Verification
import Zstandard

/// A city compares its link with the province by itself: real TLS, real stores, a clock that is set by hand.
@Suite(.timeLimit(.minutes(15))) struct `The nightly comparison` {
    private static let jinan = TestSupport.node("370100")
    private static let province = TestSupport.node(PeerServer.code)
    private let schedule: ComparisonSchedule

    init() throws { schedule = ComparisonSchedule(at: try #require(DailyTime("02:00"))) }

    private static func topology(port: Int) -> Topology {
        Topology(
            name: "nightly", version: 1,
            nodes: [
                TopologyNode(
                    id: province, name: "山东省", parent: nil, region: "370000", endpoint: "https://127.0.0.1:\(port)"),
                TopologyNode(id: jinan, name: "济南市", parent: province, region: "370100", endpoint: nil),
            ])
    }

    private static func ticket(_ number: Int) -> IntakeRecord {
        IntakeRecord(
            resource: "service_request", key: "370100-\(number)",
            fields: [
                "global_id": .text("370100-\(number)"), "service_request_id": .text("\(number)"),
                "requested_datetime": .integer(1_750_000_000_000), "channel": .text("01"), "request_type": .text("2"),
                "urgency": .text("normal"), "acceptance": .text("accepted"), "title": .text("路灯不亮"),
            ])
    }

    private struct Pair: Sendable {
        let city: NodeStore
        let above: NodeStore
        let service: ComparisonService
        let clock: HandClock

        /// Brings everything to the other end, in both directions.
        func carry() async throws {
            for (sender, receiver) in [(city, above), (above, city)] {
                let policy = try #require(sender.standing.outgoing[receiver.node])
                let head = try await sender.head()
                let start =
                    try await receiver.cursor(of: sender.node)
                    ?? Cursor(epoch: sender.epoch, seq: head, revision: policy.revision, sweep: policy.sweepStart)
                let prepared = try await sender.prepareChangeSet(
                    from: start, policy: policy, rowsMax: 1_000, evenIfEmpty: true, now: clock.now,
                    compressor: ZstandardCompressor())
                guard case .changeSet(let changeSet) = prepared else { continue }
                let incoming = try IncomingChangeSet(
                    bytes: changeSet.bytes, policy: policy, resources: receiver.resources, now: clock.now)
                _ = try await receiver.apply(incoming, policy: policy, now: clock.now)
            }
        }

        func outcome(at store: NodeStore, _ direction: LinkDirection) async throws -> LinkVerification? {
            let peer = store.node == city.node ? above.node : city.node
            return try await store.linkVerifications()[peer]?[direction]
        }
    }

    private final class HandClock: Sendable {
        private let time: Mutex<UnixMilliseconds>
        init(_ text: String) { time = Mutex(ShanghaiTime.parse(text) ?? 0) }
        var now: UnixMilliseconds { time.withLock { $0 } }
        func set(_ text: String) {
            if let new = ShanghaiTime.parse(text) { time.withLock { $0 = new } }
        }
    }

    private func withPair(_ body: @escaping @Sendable (Pair) async throws -> Void) async throws {
        let (below, up) = (try TemporaryFolder(), try TemporaryFolder())
        func store(_ node: NodeID, _ folder: TemporaryFolder) throws -> NodeStore {
            try NodeStore.create(at: folder.path("node.db"), node: node, epoch: Epoch(counter: 1, nonce: 1))
            return try NodeStore(at: folder.path("node.db"))
        }
        let (city, above) = (try store(Self.jinan, below), try store(Self.province, up))
        let clock = HandClock("2026-09-30T09:00:00+08:00")
        try await withPeerServer { router in
            guard let desk = try? desk(above, clock: { clock.now }) else { return }
            LinkRoutes(links: LinkRegistry(), desk: desk, metrics: LinkMetrics()).add(to: router)
        } body: { server in
            for store in [city, above] {
                try store.publish(Standing(node: store.node, topology: Self.topology(port: server.port)))
            }
            let credentials = try server.credentials("370100")
            let desk = try desk(
                city, peers: PeerClients(store: city) { () throws(FederationError) in credentials },
                clock: { clock.now })
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let service = ComparisonService(desk: desk, schedule: schedule, logger: logger)
            _ = try await city.intake((1...30).map { Self.ticket($0) }, now: clock.now)
            try await body(Pair(city: city, above: above, service: service, clock: clock))
        }
        withExtendedLifetime((below, up)) {}
    }

    @Test func `is made once in a night and shown at both ends`() async throws {
        try await withPair { pair in
            try await pair.carry()
            #expect(await pair.service.turn())
            #expect(try await pair.outcome(at: pair.city, .sending) == nil, "it is nine in the morning")
            pair.clock.set("2026-10-01T04:30:00+08:00")
            #expect(await pair.service.turn())
            let night = pair.clock.now
            for (store, direction) in [
                (pair.city, LinkDirection.sending), (pair.city, .receiving), (pair.above, .receiving),
                (pair.above, .sending),
            ] {
                #expect(try await pair.outcome(at: store, direction)?.equalAt == night, "\(store.node) \(direction)")
            }
            pair.clock.set("2026-10-01T04:40:00+08:00")
            #expect(await pair.service.turn())
            #expect(try await pair.outcome(at: pair.city, .sending)?.at == night, "once is enough")
            pair.clock.set("2026-10-02T04:30:00+08:00")
            #expect(await pair.service.turn())
            #expect(try await pair.outcome(at: pair.city, .sending)?.equalAt == pair.clock.now)
        }
    }

    @Test func `finds what differs, and both ends show how much`() async throws {
        try await withPair { pair in
            try await pair.carry()
            _ = try await pair.above.release(
                withdrawn: (1...3).map { "370100-\($0)" }, lost: [], of: "service_request", origin: Self.jinan,
                from: Self.jinan,
                now: pair.clock.now)
            pair.clock.set("2026-10-01T04:30:00+08:00")
            #expect(await pair.service.turn())
            for (store, direction) in [(pair.city, LinkDirection.sending), (pair.above, .receiving)] {
                let outcome = try await pair.outcome(at: store, direction)
                #expect(outcome?.differences == 3 && outcome?.equalAt == nil, "\(store.node)")
            }
            #expect(try await pair.outcome(at: pair.city, .receiving)?.differences == 0)
        }
    }

    @Test func `is tried again through the night while the link is not ready, and then left until the next`()
        async throws
    {
        try await withPair { pair in
            pair.clock.set("2026-10-01T04:10:00+08:00")
            #expect(await pair.service.turn() == false, "nothing has been sent yet")
            try await pair.carry()
            #expect(await pair.service.turn())
            #expect(try await pair.outcome(at: pair.city, .sending)?.equalAt == pair.clock.now)
        }
        try await withPair { pair in
            try await pair.carry()
            pair.clock.set("2026-10-01T08:30:00+08:00")
            #expect(await pair.service.turn())
            #expect(try await pair.outcome(at: pair.city, .sending) == nil, "the night is over")
        }
    }
}
