import ChangeSetFormat
import FederationModel
import SyncProtocol
import Testing

/// A line on which one change-set takes minutes, or that breaks before it is through.
@Suite struct `A slow line` {
    private let now = Link.start
    private let lost = FederationError("E_CONNECTION_LOST", "gone", isRetryable: true)

    /// A link with one change-set in flight since `now`, and much more to send.
    private func sending() -> LinkSender {
        var link = Link.sender()
        _ = link.onStart(now: now)
        _ = link.onHelloReply(Link.reply(Link.cursor(40)), now: now)
        _ = link.onStreamOpened(now: now)
        _ = link.onEcho(now: now)
        _ = link.onPrepared(Link.prepared(1, Link.cursor(40), Link.cursor(41)), now: now)
        return link
    }

    /// How many rows the next connection begins with.
    private func rowsAfterwards(_ link: inout LinkSender, _ now: UnixMilliseconds) -> Int? {
        _ = link.onWake(now: now + SyncLimits.backOffMax)
        _ = link.onHelloReply(Link.reply(Link.cursor(40)), now: now)
        _ = link.onStreamOpened(now: now)
        // What was asked for on the former connection.
        _ = link.onPrepared(Link.prepared(9, Link.cursor(41), Link.cursor(42)), now: now)
        for case .prepare(let request) in link.onEcho(now: now) { return request.rowsMax }
        return nil
    }

    @Test func `is waited for as long as the receiver says that something arrives`() {
        var link = sending()
        var time = now
        for _ in 0..<100 {
            time += SyncLimits.acknowledgementTimeout - 1
            #expect(!link.onProgress(now: time).contains(.disconnect))
            #expect(link.summary.lastContact == time)
        }
        #expect(link.state == .behind)
        #expect(link.onWake(now: time + SyncLimits.acknowledgementTimeout).contains(.disconnect))
        #expect(link.summary.lastError?.code == LinkCode.acknowledgementTimeout)
    }

    @Test func `gets a quarter of the rows after what did not get through, whatever ended the connection`() {
        var silent = sending()
        _ = silent.onWake(now: now + SyncLimits.acknowledgementTimeout)
        #expect(rowsAfterwards(&silent, now + 100_000) == SyncLimits.rowsInitial / 4)
        var broken = sending()
        for share in [4, 16, 64, 256, 500, 500] {
            _ = broken.onDisconnected(lost, now: now)
            #expect(rowsAfterwards(&broken, now + 100_000) == max(1, SyncLimits.rowsInitial / share))
            _ = broken.onPrepared(Link.prepared(1, Link.cursor(40), Link.cursor(41)), now: now)
        }
        var idle = Link.sender()
        _ = idle.onStart(now: now)
        _ = idle.onHelloReply(Link.reply(Link.cursor(40)), now: now)
        _ = idle.onStreamOpened(now: now)
        _ = idle.onEcho(now: now)
        _ = idle.onDisconnected(lost, now: now)
        #expect(rowsAfterwards(&idle, now + 100_000) == SyncLimits.rowsInitial, "nothing was in flight")
    }

    @Test func `gets smaller change-sets when each takes long`() {
        var sizer = BatchSizer()
        sizer.onAcknowledged(limit: sizer.rows, isFull: true, roundTrip: SyncLimits.roundTripMax)
        #expect(sizer.rows == SyncLimits.rowsInitial)
        sizer.onAcknowledged(limit: sizer.rows, isFull: true, roundTrip: SyncLimits.roundTripMax + 1)
        #expect(sizer.rows == SyncLimits.rowsInitial / 2)
    }

    @Test func `is heard of by a sender that knows the word, at most each 2.5 seconds`() {
        var link = Link.receiver(cursor: Link.cursor(100))
        _ = link.onHello(Link.hello(), connection: 1, cursor: Link.cursor(100), now: now)
        #expect(link.onProgress(connection: 1, now: now) == [.progress])
        #expect(link.onProgress(connection: 1, now: now + SyncLimits.progressInterval - 1) == [])
        #expect(link.onProgress(connection: 1, now: now + SyncLimits.progressInterval) == [.progress])
        #expect(link.onProgress(connection: 2, now: now + 100_000) == [])
        #expect(link.onProgress(connection: 1, now: now + 100_000) == [.progress])
        #expect(link.summary(now: now + 100_000).state != .unreachable, "what arrives is heard")

        var former = Link.hello()
        former.capabilities = []
        _ = link.onHello(former, connection: 2, cursor: Link.cursor(100), now: now + 200_000)
        #expect(link.onProgress(connection: 2, now: now + 200_000) == [])
        #expect(link.summary(now: now + 200_000).lastContact == now + 200_000)
    }
}

@Suite struct `A sender with many bad rows` {
    private let now = Link.start

    @Test func `hears how many its receiver has put aside`() {
        var receiver = Link.receiver(cursor: Link.cursor(100))
        receiver.onQuarantineChanged(7)
        guard
            case .reply(let reply, 1)? = receiver.onHello(
                Link.hello(), connection: 1, cursor: Link.cursor(100), now: now
            ).last
        else {
            Issue.record("no reply")
            return
        }
        #expect(reply.quarantinedTotal == 7)
        var sender = Link.sender()
        _ = sender.onStart(now: now)
        _ = sender.onHelloReply(reply, now: now)
        #expect(sender.summary.quarantined == 7)
        _ = sender.onStreamOpened(now: now)
        _ = sender.onEcho(now: now)
        _ = sender.onCommitted(head: 101, now: now)
        _ = sender.onPrepared(Link.prepared(1, Link.cursor(100), Link.cursor(101), head: 101), now: now)
        let report = Acknowledgement(
            cursor: Link.cursor(101), applied: 0, skipped: 0, quarantined: 1, quarantinedTotal: 8)
        _ = sender.onAcknowledged(report, now: now)
        #expect(sender.summary.quarantined == 8 && sender.state == .level)
    }

    @Test func `is paused when they are too many, says so at both ends, and is tried again`() {
        var receiver = Link.receiver(cursor: Link.cursor(100))
        _ = receiver.onHello(Link.hello(), connection: 1, cursor: Link.cursor(100), now: now)
        _ = receiver.onChangeSet(
            id: 1, header: Link.header(Link.cursor(100), Link.cursor(101)), bytes: 10, connection: 1, now: now)
        let error = FederationError(LinkCode.quarantineFull, "too many", hint: "look", isRetryable: true)
        guard case .refuse(let refusal)? = receiver.onApplyRefused(error, now: now).last else {
            Issue.record("no refusal")
            return
        }
        #expect(refusal.code == LinkCode.quarantineFull && refusal.retryAfterMS == SyncLimits.quarantinePause)
        #expect(receiver.summary(now: now).state == .paused)

        var sender = Link.sender()
        _ = sender.onStart(now: now)
        _ = sender.onHelloReply(Link.reply(Link.cursor(90)), now: now)
        _ = sender.onStreamOpened(now: now)
        _ = sender.onEcho(now: now)
        _ = sender.onPrepared(Link.prepared(1, Link.cursor(90), Link.cursor(100)), now: now)
        var told = refusal
        told.cursor = Link.cursor(90)
        _ = sender.onRefused(told, now: now)
        _ = sender.onEcho(now: now + 1)
        #expect(sender.state == .paused && sender.summary.lastError?.code == LinkCode.quarantineFull)
        let again = sender.onWake(now: now + SyncLimits.quarantinePause).actions
        #expect(again.contains { if case .prepare = $0 { true } else { false } })
    }
}
