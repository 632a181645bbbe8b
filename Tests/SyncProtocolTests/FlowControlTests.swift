import ChangeSetFormat
import FederationModel
import SyncProtocol
import Testing

@Suite struct `What waits at a receiver` {
    private let now = Link.start

    @Test func `is bounded over all links, and the last half is for those that hold nothing`() {
        var budget = ReceivingBudget()
        func takes(_ bytes: Int, _ sender: NodeID) -> Bool { budget.take(bytes, from: sender) }
        let (city, county, half) = (Link.city, Link.county, SyncLimits.nodeQueueBytesMax / 2)
        #expect(takes(half, city))
        #expect(!takes(1, city))
        #expect(takes(half, county))
        #expect(budget.total == SyncLimits.nodeQueueBytesMax)
        #expect(!takes(1, Link.province))
        budget.release(half, from: city)
        #expect(takes(1, Link.province))
        #expect(!takes(1, county), "more than half is held, some of it by this link")
        #expect(budget.total == half + 1)
        budget.release(half, from: county)
        budget.release(1, from: Link.province)
        #expect(budget == ReceivingBudget())
        budget.release(5, from: city)
        #expect(budget.total == 0)
    }

    @Test(arguments: [
        (LinkCode.queueFull, SyncLimits.busyPause, LinkState.behind),
        (LinkCode.diskFloor, SyncLimits.diskFloorPause, LinkState.paused),
    ])
    func `is refused with a pause, which the sender keeps, and then it goes on without having failed`(
        code: String, pause: Int64, receiverState: LinkState
    ) {
        var receiver = Link.receiver(cursor: Link.cursor(40))
        _ = receiver.onHello(Link.hello(), connection: 1, cursor: Link.cursor(40), now: now)
        let obstacle = FederationError(code, "no room", isRetryable: true)
        let header = Link.header(Link.cursor(40), Link.cursor(41), head: 41)
        let answer = receiver.onChangeSet(
            id: 1, header: header, bytes: 10, obstacle: obstacle, connection: 1, now: now)
        guard case .refuse(let refusal)? = answer.last else {
            Issue.record("no refusal: \(answer)")
            return
        }
        #expect(answer.first == .discard([1]))
        #expect(refusal.code == code && refusal.retryAfterMS == pause && refusal.cursor == Link.cursor(40))
        #expect(receiver.summary(now: now).state == receiverState && receiver.summary(now: now).lastError?.code == code)

        var sender = Link.sender(head: 41)
        _ = sender.onStart(now: now)
        _ = sender.onHelloReply(Link.reply(Link.cursor(40)), now: now)
        _ = sender.onStreamOpened(now: now)
        _ = sender.onEcho(now: now)
        _ = sender.onPrepared(Link.prepared(1, Link.cursor(40), Link.cursor(41)), now: now)
        let rows = sender.onRefused(refusal, now: now)
        #expect(rows.actions.isEmpty)
        #expect(sender.state == .paused && sender.summary.lastError?.code == code)
        #expect(sender.onWake(now: now + pause - 1).actions.allSatisfy { $0 == .heartbeat(isLevel: false) })
        let again = sender.onWake(now: now + pause).actions
        guard case .prepare(let request)? = again.last else {
            Issue.record("it does not go on: \(again)")
            return
        }
        #expect(request.from == Link.cursor(40) && request.rowsMax == SyncLimits.rowsInitial / 2)
        _ = sender.onPrepared(Link.prepared(2, Link.cursor(40), Link.cursor(41)), now: now + pause)
        _ = sender.onAcknowledged(Link.applied(Link.cursor(41)), now: now + pause)
        #expect(sender.state == .level && sender.summary.lastError == nil)

        let taken = receiver.onChangeSet(id: 2, header: header, bytes: 10, connection: 1, now: now + pause)
        #expect(taken == [.apply(2)])
        _ = receiver.onApplied(Link.applied(Link.cursor(41)), now: now + pause)
        #expect(receiver.summary(now: now + pause).lastError == nil)
    }
}

@Suite struct `An initial load` {
    /// One row a millisecond: what a slow disk stores.
    @Test func `of 50,000 rows lets what is new pass within seconds`() {
        var pair = SimulatedPair(seed: 7, applyRate: 1)
        let (live, load) = pair.initialLoad(rows: 50_000)
        #expect(load > 50_000, "it takes its time: \(load) ms")
        #expect(live < 8_000, "the slowest new row took \(live) ms")
        #expect(pair.problems == [])
    }
}
