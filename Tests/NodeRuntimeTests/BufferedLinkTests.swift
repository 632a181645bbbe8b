import FederationModel
import Foundation
import Hummingbird
import LocalStore
import Logging
import NodeDesk
import NodeIdentity
import NodeRuntime
import PeerTransport
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

/// Which half of a stream is held back until it has ended.
enum BufferedHalf: CaseIterable {
    case request
    case response
}

/// Holds one half of a stream back, as a proxy between two nodes may do.
private struct BufferingProxy<Context: RequestContext>: RouterMiddleware {
    let half: BufferedHalf

    private static var streams: [String] { ["/v1/link/stream", "/v1/link/down"] }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard Self.streams.contains(request.uri.path) else { return try await next(request, context) }
        switch half {
        case .request:
            var held = request
            held.body = .init(buffer: try await request.body.collect(upTo: 1 << 24))
            return try await next(held, context)
        case .response:
            let answer = try await next(request, context)
            var held = answer
            held.body = ResponseBody { writer in
                let buffer = HeldBody()
                try await answer.body.write(buffer)
                try await writer.write(buffer.bytes.withLock { $0 })
                try await writer.finish(nil)
            }
            return held
        }
    }
}

private final class HeldBody: ResponseBodyWriter {
    let bytes = Mutex(ByteBuffer())

    func write(_ buffer: ByteBuffer) async throws {
        bytes.withLock { held in _ = held.writeImmutableBuffer(buffer) }
    }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

/// A province that serves behind a proxy that buffers, and its city.
private struct BufferedPair {
    let province: NodeID
    let city: NodeID
    let topology: Topology
    let stores: [NodeID: NodeStore]
    let signals: [NodeID: ChangeSignal]
    let metrics = LinkMetrics()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let folder: TemporaryFolder
    private let authority: CertificateAuthority
    private let now = UnixMilliseconds(Date().timeIntervalSince1970 * 1_000)

    init() throws {
        (province, city) = (node("370000"), node("370100"))
        topology = Topology(
            name: "test", version: 1,
            nodes: [
                TopologyNode(id: province, name: "省", parent: nil, region: "370000", endpoint: nil),
                TopologyNode(id: city, name: "市", parent: province, region: "370100", endpoint: nil),
            ])
        folder = try TemporaryFolder()
        authority = try CertificateAuthority(name: "test", validityDays: 1, now: now)
        var stores: [NodeID: NodeStore] = [:]
        for node in [province, city] {
            let path = folder.path("\(node).db")
            try NodeStore.create(at: path, node: node, epoch: Epoch(counter: 1, nonce: 1))
            let store = try NodeStore(at: path)
            try store.publish(Standing(node: node, topology: topology))
            stores[node] = store
        }
        self.stores = stores
        signals = [province: ChangeSignal(), city: ChangeSignal()]
    }

    func store(_ node: NodeID) throws -> NodeStore { try #require(stores[node]) }

    private func policy(from sender: NodeID, to receiver: NodeID) throws -> LinkPolicy {
        try #require(LinkPolicy(from: sender, to: receiver, topology: topology, resources: BuiltInResources.all))
    }

    func incoming(at receiver: NodeID, from sender: NodeID) throws -> IncomingLink {
        let store = try store(receiver)
        return IncomingLink(
            sender: sender, store: store, policy: try policy(from: sender, to: receiver),
            cursor: nil, signal: try #require(signals[receiver]), completions: ChangeSignal(),
            metrics: metrics,
            statuses: LinkStatusWriter(store: store, peer: sender, direction: .receiving, logger: logger),
            logger: logger)
    }

    func outgoing(at sender: NodeID, to receiver: NodeID, connector: any LinkConnector) async throws -> OutgoingLink {
        let store = try store(sender)
        return OutgoingLink(
            store: store, policy: try policy(from: sender, to: receiver), connector: connector, signal: ChangeSignal(),
            completions: ChangeSignal(), metrics: metrics, head: try await store.head(), logger: logger,
            onNewEpoch: { _, _ in }, onPassedOn: {})
    }

    /// Runs the province's server and what `services` makes with the city's client, until the receiver has `count` rows.
    func run(
        _ half: BufferedHalf, links: [NodeID: IncomingLink] = [:], reverse: [NodeID: ReverseConnector] = [:],
        services: (PeerClient) async throws -> [any Service], until count: Int, of resource: ResourceName,
        at receiver: NodeID
    ) async throws {
        let credentials = try authority.makeCredentials(for: province, validityDays: 1, now: now)
        let router = Router(context: PeerRequestContext.self)
        router.middlewares.add(BufferingProxy(half: half))
        LinkRoutes(
            links: LinkRegistry(incoming: links, reverse: reverse),
            desk: try desk(try store(province)), metrics: metrics
        ).add(to: router)
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let server = Application(
            router: router,
            server: mutualTLSServer(bundle: try ServerTLSBundle(credentials), counters: HandshakeCounters()),
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { port.yield($0.localAddress?.port ?? 0) }, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            var iterator = ports.makeAsyncIterator()
            let bound = try #require(await iterator.next())
            let client = PeerClient(
                node: province, host: "127.0.0.1", port: bound,
                credentials: try authority.makeCredentials(for: city, validityDays: 1, now: now))
            for service in try await services(client) { group.addTask { try await service.run() } }
            for await _ in try #require(signals[receiver]).heads() {
                let counts = try await store(receiver).rowCounts(of: resource)
                if counts.values.reduce(0, +) == count { break }
            }
            group.cancelAll()
            await client.shutdown()
        }
    }

    func close() throws { for store in stores.values { try store.close() } }
}

@Suite struct `A link with something between the nodes that buffers` {
    @Test(.timeLimit(.minutes(15)), arguments: BufferedHalf.allCases)
    func `falls back to one request a change-set and becomes level`(half: BufferedHalf) async throws {
        let pair = try BufferedPair()
        let records = (1...700).map { number in
            IntakeRecord(resource: "recording", key: "r\(number)", fields: ["uri": .text("file:///\(number)")])
        }
        _ = try await pair.store(pair.city).intake(records, now: 1_790_000_000_000)
        let incoming = try pair.incoming(at: pair.province, from: pair.city)
        try await pair.run(
            half, links: [pair.city: incoming],
            services: { [try await pair.outgoing(at: pair.city, to: pair.province, connector: DialingConnector($0))] },
            until: 700, of: "recording", at: pair.province)
        #expect(try await pair.store(pair.province).cursor(of: pair.city)?.sweep == .complete)
        try pair.close()
    }

    @Test(.timeLimit(.minutes(15)), arguments: BufferedHalf.allCases)
    func `falls back to requests of the child for what flows down`(half: BufferedHalf) async throws {
        let pair = try BufferedPair()
        let records = (1...700).map { number in
            IntakeRecord(
                resource: "code_list_entry", key: "c\(number)",
                fields: [
                    "release": .integer(1), "list": .text("channel"), "code": .text("x\(number)"),
                    "list_title": .text("渠道"), "title": .text("电话"),
                ])
        }
        _ = try await pair.store(pair.province).intake(records, now: 1_790_000_000_000)
        let connector = ReverseConnector(receiver: pair.city)
        let down = try pair.incoming(at: pair.city, from: pair.province)
        try await pair.run(
            half, reverse: [pair.city: connector],
            services: {
                [
                    try await pair.outgoing(at: pair.province, to: pair.city, connector: connector),
                    DownLink(link: down, client: $0),
                ]
            }, until: 700, of: "code_list_entry", at: pair.city)
        #expect(try await pair.store(pair.city).cursor(of: pair.province)?.sweep == .complete)
        try pair.close()
    }
}
