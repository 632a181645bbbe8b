import ChangeSetFormat
import FederationModel
import Foundation
import HTTPTypes
import Hummingbird
import LocalStore
import NIOCore
import NodeDesk
import ServiceLifecycle
import SyncProtocol

/// What other nodes may ask of this one, over mutual TLS. Who they are is decided by their certificate alone.
package struct LinkRoutes: Sendable {
    let links: LinkRegistry
    let desk: NodeDesk
    let metrics: LinkMetrics
    let questions: QuestionHandler
    /// Takes releases that a neighbour brings.
    let adopt: @Sendable ([TopologyRelease]) async throws -> Void

    package init(
        links: LinkRegistry, desk: NodeDesk, metrics: LinkMetrics,
        adopt: @escaping @Sendable ([TopologyRelease]) async throws -> Void = { _ in }
    ) {
        self.links = links
        self.desk = desk
        self.metrics = metrics
        questions = QuestionHandler(desk: desk, metrics: metrics)
        self.adopt = adopt
    }

    var node: NodeID { desk.id }

    package func add(to router: Router<PeerRequestContext>) {
        router.post("/v1/link/hello") { request, context in await hello(request, peer: context.peer) }
        router.post("/v1/link/stream") { request, context in await stream(request, peer: context.peer) }
        router.post("/v1/link/down") { request, context in await down(request, peer: context.peer) }
        router.post("/v1/link/down/next") { request, context in await next(request, peer: context.peer) }
        router.post("/v1/link/down/frame") { request, context in await frameUp(request, peer: context.peer) }
        router.post("/v1/link/frame") { request, context in await frame(request, peer: context.peer) }
        router.get("/v1/topology/releases") { request, context in await releases(request, peer: context.peer) }
        router.post("/v1/topology/releases") { request, context in await takeReleases(request, peer: context.peer) }
        addQuestions(to: router)
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
                    group.addTask {
                        do throws(FederationError) {
                            try await read(body, writtenBy: .sender, peer: peer) {
                                await link.progress(connection: connection)
                            } take: {
                                await link.take($0, connection: connection)
                            }
                            await link.disconnected(nil, connection: connection)
                        } catch {
                            if error.code != "E_PEER_BROKEN" {
                                await link.refuseUnreadable(error, connection: connection)
                            }
                            await link.disconnected(error, connection: connection)
                        }
                    }
                    for await frame in frames { try await writer.write(frame.encoded) }
                    group.cancelAll()
                }
            }
        }
    }

    /// The same the other way round, on a connection that the child opens: frames of the sender in the response, frames of
    /// the receiver in the body.
    private func down(_ request: Request, peer: NodeID) async -> Response {
        await answering(peer) {
            let connector = try reverse(of: peer)
            return Response.stream(request) { body, writer in
                let (number, frames) = connector.answer()
                defer { connector.ended(nil, number: number) }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        do throws(FederationError) {
                            try await read(body, writtenBy: .receiver, peer: peer) {
                                connector.take($0, number: number)
                            }
                            connector.ended(nil, number: number)
                        } catch {
                            connector.ended(error, number: number)
                        }
                    }
                    for await frame in frames { try await writer.write(frame.encoded) }
                    group.cancelAll()
                }
            }
        }
    }

    /// The fallback of that: one frame of the sender a request. The first one, without a number, opens the connection.
    private func next(_ request: Request, peer: NodeID) async -> Response {
        await answering(peer) {
            let connector = try reverse(of: peer)
            let isNew = request.headers[.linkConnection] == nil
            let number = isNew ? connector.answer().number : try connection(of: request)
            guard let frame = await connector.next(of: number) else { throw FederationError.noSuchConnection }
            return octets(frame.encoded, headers: [.linkConnection: "\(number)"])
        }
    }

    /// And one frame of the receiver.
    private func frameUp(_ request: Request, peer: NodeID) async -> Response {
        await answering(peer) {
            let (connector, number) = (try reverse(of: peer), try connection(of: request))
            do throws(FederationError) {
                try await read(request.body, writtenBy: .receiver, peer: peer) { connector.take($0, number: number) }
            } catch {
                connector.ended(error, number: number)
                throw error
            }
            return octets([])
        }
    }

    private func reverse(of peer: NodeID) throws(FederationError) -> ReverseConnector {
        guard let connector = links.reverse(to: peer) else { throw notANeighbour(peer) }
        return connector
    }

    private func octets(_ bytes: [UInt8], headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "application/octet-stream"
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// Cuts a body into frames until it ends, or this node does.
    ///
    /// - Parameter progress: is called when a part of a frame has arrived.
    /// - Throws: what `FrameReader.next` throws, and `E_PEER_BROKEN`.
    private func read(
        _ body: RequestBody, writtenBy writer: FrameReader.Writer, peer: NodeID, progress: () async -> Void = {},
        take: (Frame) async -> Void
    ) async throws(FederationError) {
        var reader = FrameReader(writtenBy: writer)
        do {
            for try await chunk in body {
                reader.append(chunk.readableBytesView)
                while let frame = try reader.next() { await take(frame) }
                if reader.isInFrame { await progress() }
            }
        } catch let error as FederationError {
            throw error
        } catch is CancellationError {
        } catch {
            throw FederationError("E_PEER_BROKEN", "the connection of node \(peer) broke", isRetryable: true)
        }
    }

    /// The fallback: one frame a request, and the frame that answers it.
    private func frame(_ request: Request, peer: NodeID) async -> Response {
        await answering(peer) {
            let link = try link(of: peer)
            let connection = try connection(of: request)
            guard let frames = await link.frames(of: connection) else { throw FederationError.noSuchConnection }
            var reader = FrameReader(writtenBy: .sender)
            var response = octets([])
            for try await chunk in request.body {
                reader.append(chunk.readableBytesView)
                guard let frame = try reader.next() else { continue }
                await link.take(frame, connection: connection)
                if frame.kind == .goodbye { break }
                var replies = frames.makeAsyncIterator()
                if let reply = await replies.next() { response = answer(reply) }
                break
            }
            return response
        }
    }

    /// A refusal that asks for patience has the status and the header that HTTP has for it.
    private func answer(_ frame: Frame) -> Response {
        var response = octets(frame.encoded)
        guard frame.kind == .refusal, let refusal = try? WireJSON.decode(Refusal.self, frame.body),
            let pause = refusal.retryAfterMS
        else { return response }
        response.status = ErrorMapping.status(of: refusal.code)
        response.headers[.retryAfter] = "\((pause + 999) / 1_000)"
        return response
    }

    // MARK: - Helpers

    private func link(of peer: NodeID) throws(FederationError) -> IncomingLink {
        guard let link = links.incoming(from: peer) else {
            throw notANeighbour(peer)
        }
        return link
    }

    func notANeighbour(_ peer: NodeID) -> FederationError {
        FederationError(
            "E_NOT_A_NEIGHBOUR", "node \(peer) may send nothing to \(node) and gets nothing from it",
            hint: "an edge between them must be in the topology of both")
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
        let body = try await collect(request, max: max)
        do {
            return try WireJSON.decode(type, body)
        } catch let error as FederationError {
            throw error
        } catch {
            throw FederationError("E_BODY_INVALID", "the body is not the JSON that this route takes")
        }
    }

    /// - Throws: `E_BODY_TOO_LARGE`, `E_PEER_BROKEN`.
    func collect(_ request: Request, max: Int) async throws(FederationError) -> [UInt8] {
        do {
            return Array(try await request.body.collect(upTo: max).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw FederationError("E_BODY_TOO_LARGE", "the body has more than \(max) bytes")
        } catch {
            throw FederationError("E_PEER_BROKEN", "the connection broke before the body was here", isRetryable: true)
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
