import ChangeSetFormat
import FederationModel
import Foundation
import HTTPTypes
import Hummingbird
import LocalStore
import NIOCore
import ServiceLifecycle
import SyncProtocol

/// What other nodes may ask of this one, over mutual TLS. Who they are is decided by their certificate alone.
package struct LinkRoutes: Sendable {
    let node: NodeID
    let topology: Topology
    let links: [NodeID: IncomingLink]
    let view: MergedView
    let metrics: LinkMetrics

    package init(
        node: NodeID, topology: Topology, links: [NodeID: IncomingLink], view: MergedView, metrics: LinkMetrics
    ) {
        self.node = node
        self.topology = topology
        self.links = links
        self.view = view
        self.metrics = metrics
    }

    package func add(to router: Router<PeerRequestContext>) {
        router.post("/v1/link/hello") { request, context in await hello(request, peer: context.peer) }
        router.post("/v1/link/stream") { request, context in await stream(request, peer: context.peer) }
        router.post("/v1/link/frame") { request, context in await frame(request, peer: context.peer) }
        router.post("/v1/analysis") { request, context in await analysis(request, peer: context.peer) }
        router.post("/v1/rows") { request, context in await rows(request, peer: context.peer) }
    }

    // MARK: - Links

    private func hello(_ request: Request, peer: NodeID) async -> Response {
        await answering(peer) {
            let link = try link(of: peer)
            let hello = try await decode(Hello.self, request, max: SyncLimits.controlFrameBytesMax)
            switch await link.hello(hello) {
            case .accepted(let reply, let connection):
                return try json(reply, headers: [.linkConnection: "\(connection)"])
            case .refused(let refusal):
                return try json(refusal, status: .conflict, headers: [.linkRefusal: refusal.code])
            }
        }
    }

    /// One long request: frames of the sender in its body, frames of the receiver in its response.
    private func stream(_ request: Request, peer: NodeID) async -> Response {
        await answering(peer) {
            let link = try link(of: peer)
            let connection = try connection(of: request)
            guard let frames = await link.frames(of: connection) else { throw FederationError.noSuchConnection }
            return Response.stream(request) { body, writer in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await read(body, link: link, connection: connection) }
                    for await frame in frames { try await writer.write(frame.encoded) }
                    group.cancelAll()
                }
            }
        }
    }

    private func read(_ body: RequestBody, link: IncomingLink, connection: Int) async {
        var reader = FrameReader(writtenBy: .sender)
        do {
            for try await chunk in body {
                reader.append(chunk.readableBytesView)
                while let frame = try reader.next() { await link.take(frame, connection: connection) }
            }
            await link.disconnected(nil, connection: connection)
        } catch let error as FederationError {
            await link.refuseUnreadable(error, connection: connection)
            await link.disconnected(error, connection: connection)
        } catch is CancellationError {
            await link.disconnected(nil, connection: connection)
        } catch {
            await link.disconnected(
                FederationError("E_PEER_BROKEN", "the connection of node \(link.sender) broke", isRetryable: true),
                connection: connection)
        }
    }

    /// The fallback: one frame a request, and the frame that answers it.
    private func frame(_ request: Request, peer: NodeID) async -> Response {
        await answering(peer) {
            let link = try link(of: peer)
            let connection = try connection(of: request)
            guard let frames = await link.frames(of: connection) else { throw FederationError.noSuchConnection }
            var reader = FrameReader(writtenBy: .sender)
            var answer: [UInt8] = []
            for try await chunk in request.body {
                reader.append(chunk.readableBytesView)
                guard let frame = try reader.next() else { continue }
                await link.take(frame, connection: connection)
                if frame.kind == .goodbye { break }
                var replies = frames.makeAsyncIterator()
                if let reply = await replies.next() { answer = reply.encoded }
                break
            }
            return Response(
                status: .ok, headers: [.contentType: "application/octet-stream"],
                body: .init(byteBuffer: ByteBuffer(bytes: answer)))
        }
    }

    // MARK: - Helpers

    private func link(of peer: NodeID) throws(FederationError) -> IncomingLink {
        guard let link = links[peer] else {
            throw FederationError(
                "E_NOT_A_NEIGHBOUR", "node \(peer) may send nothing to \(node)",
                hint: "an edge between them must be in the topology of both")
        }
        return link
    }

    private func connection(of request: Request) throws(FederationError) -> Int {
        guard let connection = request.headers[.linkConnection].flatMap({ Int($0) }) else {
            throw FederationError.noSuchConnection
        }
        return connection
    }

    /// Runs a route; an error becomes a problem with its code, and is counted by it.
    func answering(_ peer: NodeID, _ body: () async throws -> Response) async -> Response {
        do {
            return try await body()
        } catch {
            let error = error as? FederationError ?? .store(error)
            metrics.count(error.code, direction: .receiving, peer: peer)
            return ErrorMapping.response(error)
        }
    }

    func decode<T: Decodable>(_ type: T.Type, _ request: Request, max: Int) async throws -> T {
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: max)
        } catch {
            throw FederationError("E_BODY_TOO_LARGE", "the body has more than \(max) bytes")
        }
        do {
            return try WireJSON.decode(type, Array(body.readableBytesView))
        } catch let error as FederationError {
            throw error
        } catch {
            throw FederationError("E_BODY_INVALID", "the body is not the JSON that this route takes")
        }
    }

    func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) throws -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(
            status: status, headers: headers,
            body: .init(byteBuffer: ByteBuffer(bytes: try WireJSON.encode(value))))
    }
}

extension HTTPField.Name {
    /// Names the connection of a link that a request belongs to, as the hello's answer gave it out.
    fileprivate static var linkConnection: HTTPField.Name { HTTPField.Name("Link-Connection") ?? .via }
    /// On an answer that is a `Refusal`.
    fileprivate static var linkRefusal: HTTPField.Name { HTTPField.Name("Link-Refusal") ?? .via }
}

extension FederationError {
    fileprivate static var noSuchConnection: FederationError {
        FederationError(
            "E_SUPERSEDED", "this connection is not the link's present one", hint: "say hello again", isRetryable: true)
    }
}
