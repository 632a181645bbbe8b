import FederationModel
import Foundation
import Hummingbird
import LocalStore
import Logging
import NodeIdentity
import NodeRuntime
import PeerTransport
import ServiceLifecycle
import Synchronization
import Testing

/// Which half of a stream is held back until it has ended.
enum BufferedHalf: CaseIterable {
    case request
    case response
}

/// Holds one half of a stream back, as a proxy between two nodes may do.
private struct BufferingProxy<Context: RequestContext>: RouterMiddleware {
    let half: BufferedHalf

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.uri.path == "/v1/link/stream" else { return try await next(request, context) }
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

@Suite struct `A link with something between the nodes that buffers` {
    @Test(.timeLimit(.minutes(1)), arguments: BufferedHalf.allCases)
    func `falls back to one request a change-set and becomes level`(half: BufferedHalf) async throws {
        let nodes = ["370000", "370100"].compactMap { NodeID($0) }
        let (province, city) = (nodes[0], nodes[1])
        let topology = Topology(
            name: "test", version: 1,
            nodes: [
                TopologyNode(id: province, name: "省", parent: nil, region: "370000", endpoint: nil),
                TopologyNode(id: city, name: "市", parent: province, region: "370100", endpoint: nil),
            ])
        let policy = try #require(
            LinkPolicy(from: city, to: province, topology: topology, resources: BuiltInResources.all))
        let folder = FileManager.default.temporaryDirectory.appending(path: "buffered-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let stores = try nodes.map { node in
            let path = folder.appending(path: "\(node).db").path
            try NodeStore.create(at: path, node: node, epoch: Epoch(counter: 1, nonce: 1))
            return try NodeStore(at: path)
        }
        let now = UnixMilliseconds(Date().timeIntervalSince1970 * 1_000)
        let records = (1...700).map { number in
            IntakeRecord(
                resource: "recording", key: "r\(number)", fields: ["uri": .text("file:///\(number)")])
        }
        _ = try await stores[1].intake(records, now: now)

        let authority = try CertificateAuthority(name: "test", validityDays: 1, now: now)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let metrics = LinkMetrics()
        let signal = ChangeSignal()
        let provinceCredentials = try authority.makeCredentials(for: province, validityDays: 1, now: now)
        let incoming = IncomingLink(
            sender: city, store: stores[0], topology: topology, policy: policy, cursor: nil, signal: signal,
            completions: ChangeSignal(), metrics: metrics,
            statuses: LinkStatusWriter(store: stores[0], peer: city, direction: .receiving, logger: logger),
            logger: logger)
        let router = Router(context: PeerRequestContext.self)
        router.middlewares.add(BufferingProxy(half: half))
        LinkRoutes(
            node: province, topology: topology, links: [city: incoming],
            view: MergedView(
                store: stores[0], topology: topology,
                peers: PeerClients(topology: topology, credentials: provinceCredentials),
                regions: ReferenceData.builtIn.regions), metrics: metrics
        ).add(to: router)
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let server = Application(
            router: router,
            server: mutualTLSServer(bundle: try ServerTLSBundle(provinceCredentials), counters: HandshakeCounters()),
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { port.yield($0.localAddress?.port ?? 0) }, logger: logger)

        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            var iterator = ports.makeAsyncIterator()
            let bound = try #require(await iterator.next())
            let client = PeerClient(
                node: province, host: "127.0.0.1", port: bound,
                credentials: try authority.makeCredentials(for: city, validityDays: 1, now: now))
            let link = OutgoingLink(
                store: stores[1], policy: policy, line: DialedLine(client), signal: ChangeSignal(),
                completions: ChangeSignal(), metrics: metrics, head: try await stores[1].head(), logger: logger)
            group.addTask { try await link.run() }
            for await _ in signal.heads() {
                if try await stores[0].rowCounts(of: "recording")["370100"] == 700 { break }
            }
            group.cancelAll()
            await client.shutdown()
        }
        #expect(try await stores[0].cursor(of: city)?.sweep == .complete)
        for store in stores { try store.close() }
    }
}
