import FederationModel
import HTTPTypes
import Hummingbird
import NIOCore
import NodeDesk
import RecordIntake

/// What a local system may ask: to take its records in. Who it is, its token says.
package struct IntakeRoutes: Sendable {
    private let desk: NodeDesk
    private let gate: IntakeGate
    let metrics: IntakeMetrics
    private let bodySeconds: Int

    /// - Parameter bodySeconds: from a request's head to the end of its body.
    package init(
        desk: NodeDesk, gate: IntakeGate, metrics: IntakeMetrics, bodySeconds: Int = IntakeLimits.bodySeconds
    ) {
        self.desk = desk
        self.gate = gate
        self.metrics = metrics
        self.bodySeconds = bodySeconds
    }

    /// - Parameter isPrivate: whether nobody else can read along: loopback, or TLS.
    package func add(to router: Router<BasicRequestContext>, isPrivate: Bool) {
        router.post("/v1/resources/{name}/records") { request, context in
            await push(
                request, resource: ResourceName(context.parameters.get("name") ?? ""), isPrivate: isPrivate)
        }
        router.get("/v1/inbox") { request, _ in
            do {
                return try await inbox(request, isPrivate: isPrivate)
            } catch {
                return Self.response(to: error)
            }
        }
        router.get("/v1/department/tickets") { request, _ in
            do {
                return try await department(request, isPrivate: isPrivate)
            } catch {
                return Self.response(to: error)
            }
        }
        router.get("/v1/department/tickets/unsatisfied") { request, _ in
            do {
                try Self.require(isPrivate)
                let (desk, department) = try await desk.authenticateDepartment(token: try Self.token(of: request))
                return try Self.json(UnsatisfiedPage(try await desk.unsatisfied(department)))
            } catch {
                return Self.response(to: error)
            }
        }
        router.get("/v1/department/tickets/logical") { request, _ in
            do {
                return try await logicalDepartment(request, isPrivate: isPrivate)
            } catch {
                return Self.response(to: error)
            }
        }
    }

    /// A page of the tickets of the department whose token it is (7.2.2).
    private func department(_ request: Request, isPrivate: Bool) async throws -> Response {
        try Self.require(isPrivate)
        let (since, limit) = try Self.page(of: request, else: 50)
        let (desk, department) = try await desk.authenticateDepartment(token: try Self.token(of: request))
        return try Self.json(try await desk.departmentFeed(department, after: since, limit: limit))
    }

    /// The same of what logical children hold.
    private func logicalDepartment(_ request: Request, isPrivate: Bool) async throws -> Response {
        try Self.require(isPrivate)
        let (_, limit) = try Self.page(of: request, else: 50)
        let (desk, department) = try await desk.authenticateDepartment(token: try Self.token(of: request))
        let after = request.uri.queryParameters["after"].map(String.init)
        return try Self.json(try await desk.logicalDepartmentTickets(department, after: after, limit: limit))
    }

    private static func json(_ page: some Encodable) throws -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: try WireJSON.encode(page))))
    }

    /// Where a page begins, and how much it has.
    private static func page(of request: Request, else standard: Int64) throws -> (since: Int64, limit: Int) {
        let query = request.uri.queryParameters
        func number(_ name: String, else standard: Int64) throws -> Int64 {
            guard let text = query[name[...]] else { return standard }
            guard let number = Int64(text) else {
                throw FederationError("E_INBOX_LIMIT", "`\(name)` is not a whole number")
            }
            return number
        }
        return (try number("since", else: 0), Int(clamping: try number("limit", else: standard)))
    }

    private func inbox(_ request: Request, isPrivate: Bool) async throws -> Response {
        try Self.require(isPrivate)
        let (since, limit) = try Self.page(of: request, else: 100)
        let items = try await desk.authenticate(token: try Self.token(of: request)).inbox(after: since, limit: limit)
        return try Self.json(InboxPage(items, after: since))
    }

    private static func require(_ isPrivate: Bool) throws(FederationError) {
        guard isPrivate else {
            throw FederationError(
                "E_TLS_REQUIRED", "records and tokens must not cross a network in clear",
                hint: "use the address of `intake-listen`, or let `local-listen` be a loopback address")
        }
    }

    private static func token(of request: Request) throws(FederationError) -> String {
        guard let token = request.headers[.authorization].flatMap(bearer) else {
            throw FederationError(
                "E_TOKEN_MISSING", "the request shows no token", hint: "send `Authorization: Bearer TOKEN`")
        }
        return token
    }

    private static func response(to error: any Error) -> Response {
        let error = error as? FederationError ?? .store(error)
        var response = ErrorMapping.response(error)
        if error.isRetryable { response.headers[.retryAfter] = "\(IntakeLimits.retryAfterSeconds)" }
        if response.status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }

    private func push(_ request: Request, resource: ResourceName, isPrivate: Bool) async -> Response {
        let incoming = IncomingBody(request)
        var isBodyOpen = true
        let started = ContinuousClock.now
        var response: Response
        do {
            let pass = try gate.enter()
            try Self.require(isPrivate)
            let (desk, form, encoding) = try await admit(request, resource: resource)
            var body = try await read(incoming, pass: pass)
            isBodyOpen = false
            if encoding != .identity {
                body = try encoding.unpack(body, bytesMax: IntakeLimits.bodyBytesMax)
                try pass.take(bytes: body.count)
            }
            let rows = try pushedRows(body, format: form, rowsMax: IntakeLimits.recordsMax)
            var report = try await desk.push(rows, of: body, resource: resource)
            report.milliseconds = Int((ContinuousClock.now - started) / .milliseconds(1))
            metrics.count(report)
            response = Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: .init(byteBuffer: ByteBuffer(string: report.json)))
        } catch {
            response = Self.response(to: error)
            if isBodyOpen { response.leave(incoming) }
        }
        metrics.count(status: response.status.code)
        return response
    }

    /// Everything that can be known before the body is read.
    private func admit(
        _ request: Request, resource: ResourceName
    ) async throws -> (desk: NodeDesk, format: PushFormat, encoding: BodyEncoding) {
        let desk = try await desk.authenticate(token: try Self.token(of: request), for: resource)
        let form = (
            desk, try Self.format(request.headers[.contentType]), try Self.encoding(request.headers[.contentEncoding])
        )
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > IntakeLimits.bodyBytesMax {
            throw BodyEncoding.tooLarge(IntakeLimits.bodyBytesMax)
        }
        return form
    }

    /// RFC 6750, section 2.1.
    private static func bearer(_ header: String) -> String? {
        let words = header.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        return String(words[1])
    }

    private static func format(_ header: String?) throws(FederationError) -> PushFormat {
        switch header?.split(separator: ";").first?.lowercased().filter({ $0 != " " }) {
        case "application/json": return .json
        case "application/x-ndjson", "application/jsonl": return .jsonLines
        default:
            throw FederationError(
                "E_CONTENT_TYPE", "the body is of no type that this route takes",
                hint: "send application/json (an array) or application/x-ndjson (an object a line)")
        }
    }

    private static func encoding(_ header: String?) throws(FederationError) -> BodyEncoding {
        guard let encoding = BodyEncoding(rawValue: header?.lowercased() ?? "identity") else {
            throw FederationError(
                "E_CONTENT_TYPE", "the body is packed in a way that this route does not take",
                hint: "send it as it is, or with Content-Encoding gzip or zstd")
        }
        return encoding
    }

    /// The whole body, within the limits of bytes and time.
    private func read(_ incoming: IncomingBody, pass: IntakeGate.Pass) async throws -> [UInt8] {
        try await withThrowingTaskGroup(of: [UInt8].self) { group in
            group.addTask {
                var body: [UInt8] = []
                while let chunk = try await incoming.next() {
                    try pass.take(bytes: chunk.readableBytes)
                    guard body.count + chunk.readableBytes <= IntakeLimits.bodyBytesMax else {
                        throw BodyEncoding.tooLarge(IntakeLimits.bodyBytesMax)
                    }
                    body += chunk.readableBytesView
                }
                // What a cancelled task has read is not known to be the whole.
                try Task.checkCancellation()
                return body
            }
            group.addTask {
                try await Task.sleep(for: .seconds(bodySeconds))
                throw FederationError(
                    "E_BODY_SLOW", "the body did not arrive within \(bodySeconds) seconds",
                    hint: "send smaller batches")
            }
            defer { group.cancelAll() }
            do {
                return try await group.next() ?? []
            } catch {
                throw error as? FederationError
                    ?? FederationError(
                        "E_BODY_CUT", "the connection ended before the body did", hint: "send the same batch again")
            }
        }
    }
}

extension Response {
    /// Answers although the request's body is not read to its end: what still comes is dropped, within limits, so that the
    /// client gets to read the answer; then the connection ends. A client that sends 100 MB can't make this node read them.
    fileprivate mutating func leave(_ incoming: IncomingBody) {
        headers[.connection] = "close"
        let whole = body
        body = ResponseBody(contentLength: body.contentLength) { writer in
            try await whole.write(writer)
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    var dropped = 0
                    // An error means that the client is gone: there is nothing left to wait for.
                    while dropped < IntakeLimits.lingerBytes, let chunk = try? await incoming.next() {
                        dropped += chunk.readableBytes
                    }
                }
                group.addTask { try? await Task.sleep(for: .seconds(IntakeLimits.lingerSeconds)) }
                await group.next()
                group.cancelAll()
            }
            throw CancellationError()
        }
    }
}

/// A request's body, which may be iterated only once: read, and after a refusal in the middle dropped from there.
///
/// `@unchecked Sendable`: the task that drops begins when the one that read has ended.
private final class IncomingBody: @unchecked Sendable {
    private var iterator: RequestBody.AsyncIterator

    init(_ request: Request) { iterator = request.body.makeAsyncIterator() }

    func next() async throws -> ByteBuffer? { try await iterator.next() }
}
