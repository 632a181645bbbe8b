import CCurl
import FederationModel
import Synchronization

/// One request and its response, between the tasks that use it and the thread that moves its bytes.
///
/// All state is behind one lock. A task that has to wait leaves a continuation; whoever changes something resumes all
/// waiters of that direction, and they look again.
final class Transfer: Sendable {
    struct Request: Sendable {
        enum Body: Sendable {
            case whole([UInt8])
            case streamed
        }
        let method: String
        let path: String
        let headers: [String: String]
        let body: Body
        let deadlineMS: Int

        /// Keeps one request one request: no line may be smuggled into its head.
        ///
        /// - Throws: `E_PEER_REQUEST`.
        func validate() throws(FederationError) {
            let texts = [method, path] + headers.keys + headers.values
            guard path.hasPrefix("/"), texts.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } }) else {
                throw FederationError(
                    "E_PEER_REQUEST", "the request's path or a header holds what HTTP does not allow there")
            }
        }
    }

    private typealias Waiter = CheckedContinuation<Void, Never>

    private struct State {
        var head: PeerResponseHead?
        var headLines: [String] = []
        var headBytes = 0
        var incoming: [UInt8] = []
        var outgoing: [UInt8] = []
        /// How much of `outgoing` libcurl has taken.
        var taken = 0
        var isWritingFinished = false
        var isSendingPaused = false
        var isReceivingPaused = false
        var result: Result<Void, any Error>?
        var readers: [Waiter] = []
        var writers: [Waiter] = []

        var unsent: Int { outgoing.count - taken }
    }

    let request: Request
    private let endpoint: PeerEndpoint
    private let limits: PeerLimits
    private let loop: CurlLoop
    private let state = Mutex(State())

    init(request: Request, endpoint: PeerEndpoint, limits: PeerLimits, loop: CurlLoop) {
        self.request = request
        self.endpoint = endpoint
        self.limits = limits
        self.loop = loop
    }

    // MARK: - For tasks

    func head() async throws -> PeerResponseHead {
        while true {
            let found: PeerResponseHead? = try state.withLock { state in
                if let head = state.head { return head }
                if case .failure(let error) = state.result { throw error }
                if case .success = state.result { throw Self.broken(endpoint, "it sent no response") }
                return nil
            }
            if let found { return found }
            await waitToRead { $0.head != nil }
        }
    }

    /// The rest of the body, once all of it is here. Its size was bounded as it came in.
    func wholeBody() async throws -> [UInt8] {
        while true {
            let body: [UInt8]? = try state.withLock { state in
                try state.result.map { try $0.get() }.map { state.incoming }
            }
            if let body { return body }
            await waitToRead { _ in false }
        }
    }

    func next() async throws -> [UInt8]? {
        while true {
            enum Step { case chunk([UInt8], resume: Bool), ended, wait }
            let step: Step = try state.withLock { state in
                if !state.incoming.isEmpty {
                    let chunk = state.incoming
                    state.incoming = []
                    defer { state.isReceivingPaused = false }
                    return .chunk(chunk, resume: state.isReceivingPaused)
                }
                guard let result = state.result else { return .wait }
                try result.get()
                return .ended
            }
            switch step {
            case .chunk(let chunk, let resume):
                if resume { loop.post(.resume(self)) }
                return chunk
            case .ended: return nil
            case .wait: await waitToRead { !$0.incoming.isEmpty }
            }
        }
    }

    func write(_ bytes: [UInt8]) async throws {
        while true {
            enum Step { case taken(resume: Bool), wait }
            let step: Step = try state.withLock { state in
                if let result = state.result {
                    try result.get()
                    throw Self.broken(endpoint, "it ended the stream")
                }
                guard !state.isWritingFinished else {
                    throw FederationError("E_PEER_REQUEST", "the stream to \(endpoint.node) is finished already")
                }
                guard state.unsent < limits.streamBufferBytes else { return .wait }
                state.outgoing.append(contentsOf: bytes)
                defer { state.isSendingPaused = false }
                return .taken(resume: state.isSendingPaused)
            }
            switch step {
            case .taken(let resume):
                if resume { loop.post(.resume(self)) }
                return
            case .wait: await waitToWrite()
            }
        }
    }

    func finishWriting() {
        let resume = state.withLock { state in
            state.isWritingFinished = true
            defer { state.isSendingPaused = false }
            return state.isSendingPaused
        }
        if resume { loop.post(.resume(self)) }
    }

    private func waitToRead(until isReady: @Sendable (borrowing State) -> Bool) async {
        await withCheckedContinuation { waiter in
            let isReady = state.withLock { state in
                if isReady(state) || state.result != nil { return true }
                state.readers.append(waiter)
                return false
            }
            if isReady { waiter.resume() }
        }
    }

    private func waitToWrite() async {
        await withCheckedContinuation { waiter in
            let isReady = state.withLock { state in
                if state.unsent < limits.streamBufferBytes || state.result != nil { return true }
                state.writers.append(waiter)
                return false
            }
            if isReady { waiter.resume() }
        }
    }

    // MARK: - For the thread

    var hasHead: Bool { state.withLock { $0.head != nil } }
    var isSendingPaused: Bool { state.withLock { $0.isSendingPaused } }
    var isEnded: Bool { state.withLock { $0.result != nil } }

    /// The first result stands: what a cancelled or oversized transfer meets afterwards is only its consequence.
    func end(_ result: Result<Void, any Error>) {
        let waiters = state.withLock { state in
            if state.result == nil { state.result = result }
            defer {
                state.readers = []
                state.writers = []
            }
            return state.readers + state.writers
        }
        waiters.forEach { $0.resume() }
    }

    /// One header line with its line end, the status line and the closing empty line included.
    ///
    /// - Returns: false to end the transfer.
    func receiveHeaderLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let line = String(decoding: bytes, as: UTF8.self).trimmingLineEnd
        let (isWithinLimit, readers): (Bool, [Waiter]) = state.withLock { state in
            state.headBytes += bytes.count
            guard state.headBytes <= limits.headerBytesMax else { return (false, []) }
            guard line.isEmpty else {
                if state.head == nil { state.headLines.append(line) }
                return (true, [])
            }
            defer { state.headLines = [] }
            // An interim response (100 to 199) is followed by the real one.
            guard let head = PeerResponseHead(lines: state.headLines), head.status >= 200 else { return (true, []) }
            state.head = head
            defer { state.readers = [] }
            return (true, state.readers)
        }
        readers.forEach { $0.resume() }
        if !isWithinLimit { end(.failure(tooLarge("headers", limits.headerBytesMax))) }
        return isWithinLimit
    }

    /// - Returns: what libcurl expects of a write callback: the count, or "pause", or anything else to end the transfer.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        enum Step { case taken([Waiter]), pause, tooLarge }
        let step: Step = state.withLock { state in
            switch request.body {
            case .whole:
                guard state.incoming.count + bytes.count <= limits.responseBytesMax else { return .tooLarge }
                state.incoming.append(contentsOf: bytes)
                return .taken([])
            case .streamed:
                guard state.incoming.count < limits.streamBufferBytes else {
                    state.isReceivingPaused = true
                    return .pause
                }
                state.incoming.append(contentsOf: bytes)
                defer { state.readers = [] }
                return .taken(state.readers)
            }
        }
        switch step {
        case .taken(let readers):
            readers.forEach { $0.resume() }
            return bytes.count
        case .pause: return Int(CURL_WRITEFUNC_PAUSE)
        case .tooLarge:
            end(.failure(tooLarge("response", limits.responseBytesMax)))
            return -1
        }
    }

    /// - Returns: what libcurl expects of a read callback: the count, 0 at the end, or "pause".
    func supply(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        let (count, writers): (Int, [Waiter]) = state.withLock { state in
            guard state.unsent > 0 else {
                if state.isWritingFinished { return (0, []) }
                state.isSendingPaused = true
                return (Int(CURL_READFUNC_PAUSE), [])
            }
            let count = min(buffer.count, state.unsent)
            state.outgoing.withUnsafeBytes {
                buffer.copyMemory(from: .init(rebasing: $0[state.taken..<state.taken + count]))
            }
            state.taken += count
            // The taken part is cut off now and then, so that a writer that never lets the buffer run dry is paid for.
            if state.unsent == 0 || state.taken >= limits.streamBufferBytes {
                state.outgoing.removeFirst(state.taken)
                state.taken = 0
            }
            guard state.unsent < limits.streamBufferBytes else { return (count, []) }
            defer { state.writers = [] }
            return (count, state.writers)
        }
        writers.forEach { $0.resume() }
        return count
    }

    private static func broken(_ endpoint: PeerEndpoint, _ reason: String) -> FederationError {
        FederationError("E_PEER_BROKEN", "the connection to \(endpoint.place) is over: \(reason)", isRetryable: true)
    }

    private func tooLarge(_ what: String, _ limit: Int) -> FederationError {
        FederationError(
            "E_PEER_RESPONSE_TOO_LARGE", "the \(what) of \(endpoint.place) exceeds \(limit) bytes",
            hint: "the transfer was ended; check that both nodes run compatible versions")
    }
}

extension PeerResponseHead {
    /// - Returns: nil unless the first line is an HTTP status line.
    fileprivate init?(lines: [String]) {
        guard let first = lines.first, first.hasPrefix("HTTP/"),
            let status = first.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = String(
                line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" })
        }
        self.init(status: status, headers: headers)
    }
}

extension String {
    fileprivate var trimmingLineEnd: String {
        var text = self[...]
        while let last = text.last, last.isNewline { text.removeLast() }
        return String(text)
    }
}
