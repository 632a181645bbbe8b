import FederationModel
import SyncProtocol
import TestSupport
import Testing

@Suite struct `The receiver of a ferry file` {
    private let now = Link.start
    private let sweep = Link.policy().sweepStart

    private func opening(
        _ hello: Hello = Link.hello(), from: Cursor = Link.cursor(100), known: [Seq: UInt64] = [:]
    ) -> FerryOpening {
        FerryOpening(
            hello: hello, heartbeat: Heartbeat(head: hello.head, clock: hello.clock, isLevel: true, origins: [:]),
            reply: Link.reply(nil), from: from,
            known: known.map { FerryOpening.KnownPlace(seq: $0.key, mark: HistoryMark($0.value)) })
    }

    private func receiver(
        _ opening: FerryOpening, policy: LinkPolicy? = Link.policy(), version: Int64 = 1
    ) throws -> FerryReceiver {
        try FerryReceiver(
            opening, node: Link.province, sender: Link.city, topology: Link.stamp(version), policy: policy,
            schemaRevision: 1, now: now)
    }

    /// A receiver that stands at a seq, with a mark.
    private func standing(
        at seq: Seq, mark: UInt64 = 7, madeAt: UnixMilliseconds? = nil, epoch: Epoch = Link.epoch,
        _ opening: FerryOpening
    ) throws -> FerryReceiver {
        var receiver = try receiver(opening)
        try receiver.stand(
            at: ReceiverPlace(cursor: Link.cursor(seq, epoch: epoch), mark: HistoryMark(mark), madeAt: madeAt))
        return receiver
    }

    private func code(_ body: () throws -> Void) -> String? { errorCode(body) }

    @Test func `goes by the rules of a hello, except that a file may be old`() throws {
        func refusal(_ hello: Hello, policy: LinkPolicy? = Link.policy(), version: Int64 = 1) -> String? {
            code { _ = try receiver(opening(hello), policy: policy, version: version) }
        }
        #expect(refusal(Link.hello()) == nil)
        #expect(refusal(Link.hello(clock: now - 400 * 86_400_000)) == nil)
        #expect(refusal(Link.hello(clock: now + 600_000)) == "E_CLOCK_SKEW")
        #expect(refusal(Link.hello(version: 2)) == "E_TOPOLOGY_VERSION")
        #expect(refusal(Link.hello(), version: 2) == "E_TOPOLOGY_VERSION")
        #expect(refusal(Link.hello(), policy: nil) == "E_NOT_A_NEIGHBOUR")
        #expect(refusal(Link.hello(range: ProtocolRange(min: 8, max: 9))) == "E_PROTOCOL_VERSION")
        var astray = Link.hello()
        astray.node = Link.county
        #expect(refusal(astray) == "E_LINK_ADDRESS")
    }

    @Test func `takes what starts at its cursor, passes over what is here, and refuses the rest`() throws {
        var receiver = try standing(at: 100, opening(known: [100: 7]))
        func verdict(_ from: Seq, _ to: Seq) throws -> FerryReceiver.Verdict {
            try receiver.verdict(on: Link.header(Link.cursor(from), Link.cursor(to)), now: now)
        }
        #expect(try verdict(50, 80) == .isHere)
        #expect(try verdict(80, 100) == .isHere)
        #expect(try verdict(100, 110) == .apply)
        #expect(code { _ = try verdict(110, 120) } == "E_OUT_OF_STEP")
        #expect(code { _ = try verdict(90, 110) } == "E_OUT_OF_STEP", "a part of it is here")
        receiver.onMoved(to: Link.cursor(110))
        #expect(try verdict(110, 120) == .apply)
        #expect(try verdict(100, 110) == .isHere)
    }

    @Test func `before anything has come takes a sweep alone`() throws {
        var receiver = try receiver(opening())
        try receiver.stand(at: nil)
        let start = Link.cursor(100, sweep: sweep)
        #expect(try receiver.verdict(on: Link.header(start, Link.cursor(100)), now: now) == .apply)
        #expect(
            code { _ = try receiver.verdict(on: Link.header(Link.cursor(90), Link.cursor(100)), now: now) }
                == "E_OUT_OF_STEP")
    }

    @Test func `takes nothing of a writer that does not know where it stands`() throws {
        let header = Link.header(Link.cursor(100), Link.cursor(110))
        let anew = Link.header(Link.cursor(120, sweep: sweep), Link.cursor(120))
        let blind = try standing(at: 100, opening(Link.hello(head: 120), known: [50: 1]))
        #expect(code { _ = try blind.verdict(on: header, now: now) } == "E_OUT_OF_STEP")
        #expect(
            code { _ = try blind.verdict(on: anew, now: now) } == "E_OUT_OF_STEP", "nor its statement of everything")
        let knowing = try standing(at: 100, opening(Link.hello(head: 120), known: [100: 7]))
        #expect(try knowing.verdict(on: header, now: now) == .apply)
        #expect(try knowing.verdict(on: anew, now: now) == .apply)
        // Marks that one side does not have decide nothing.
        var unmarked = opening(known: [:])
        unmarked.known = [FerryOpening.KnownPlace(seq: 100, mark: nil)]
        #expect(try standing(at: 100, unmarked).verdict(on: header, now: now) == .apply)
    }

    @Test func `refuses a writer with another past`() throws {
        #expect(code { _ = try standing(at: 100, opening(known: [100: 8])) } == "E_HISTORY_DIFFERS")
        // Made after the change-set that brought the cursor, by a database that has not come so far.
        let shorter = opening(Link.hello(head: 90), known: [80: 1])
        #expect(code { _ = try standing(at: 100, madeAt: now - 1, shorter) } == "E_HISTORY_DIFFERS")
        #expect(code { _ = try standing(at: 100, madeAt: now, shorter) } == nil, "made before: an old file")
        #expect(code { _ = try standing(at: 100, madeAt: nil, shorter) } == nil)
    }

    @Test func `goes on under a higher epoch alone, with a sweep`() throws {
        let next = Epoch(counter: 2, nonce: 5)
        let ahead = try standing(at: 100, opening(Link.hello(head: 10, epoch: next)))
        #expect(!ahead.isSameEpoch)
        let start = Link.cursor(10, sweep: sweep, epoch: next)
        #expect(try ahead.verdict(on: Link.header(start, Link.cursor(10, epoch: next)), now: now) == .apply)
        #expect(code { _ = try standing(at: 9, epoch: next, opening()) } == "E_EPOCH")
        let twin = Epoch(counter: 1, nonce: 5)
        #expect(code { _ = try standing(at: 9, epoch: twin, opening()) } == "E_EPOCH")
    }

    @Test func `is level with the file's end alone`() throws {
        var receiver = try standing(at: 100, opening(from: Link.cursor(100), known: [100: 7]))
        #expect(receiver.isLevel(behind: nil))
        #expect(!receiver.isLevel(behind: Link.cursor(110)))
        receiver.onMoved(to: Link.cursor(110))
        #expect(receiver.isLevel(behind: Link.cursor(110)))
        #expect(!receiver.isLevel(behind: nil))
    }

    @Test func `of a link: a cursor that a file has moved ends the session, and the next hello names it`() {
        var link = Link.receiver(cursor: Link.cursor(100))
        _ = link.onHello(Link.hello(), connection: 1, cursor: Link.cursor(100), now: now)
        _ = link.onChangeSet(
            id: 1, header: Link.header(Link.cursor(100), Link.cursor(105)), bytes: 10, connection: 1, now: now)
        let moved = FederationError("E_CURSOR_MOVED", "", isRetryable: true)
        #expect(link.onApplyRefused(moved, now: now) == [.end(connection: 1)])
        guard
            case .reply(let reply, 2)? = link.onHello(
                Link.hello(), connection: 2, cursor: Link.cursor(103), now: now
            ).last
        else {
            Issue.record("no reply")
            return
        }
        #expect(reply.cursor == Link.cursor(103))
    }
}
