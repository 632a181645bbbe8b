import ChangeSetFormat
import FederationModel
import SyncProtocol
import Testing

/// A sender whose link stands: how it stays in contact, and what changes it.
@Suite struct StandingLinkTests {
    private let now = Link.start

    /// A link that stands level on seq 100, with nothing outstanding.
    private func level() -> LinkSender {
        var link = Link.sender()
        _ = link.onStart(now: now)
        _ = link.onHelloReply(Link.reply(Link.cursor(100)), now: now)
        _ = link.onStreamOpened(now: now)
        _ = link.onEcho(now: now)
        return link
    }

    @Test func `an idle link sends heartbeats and gives up when they are not echoed`() {
        var link = level()
        var time = now
        // The first was sent when the link became level.
        for _ in 1..<SyncLimits.heartbeatsMissedMax {
            time += SyncLimits.heartbeatInterval
            #expect(link.onWake(now: time).actions == [.heartbeat(isLevel: true)])
        }
        time += SyncLimits.heartbeatInterval
        #expect(link.onWake(now: time).actions == [.disconnect])
        #expect(link.state == .unreachable)
        #expect(link.summary.lastError?.code == LinkCode.silent)
    }

    @Test func `echoed heartbeats keep the link`() {
        var link = level()
        for beat in Int64(1)...10 {
            let time = now + beat * SyncLimits.heartbeatInterval
            #expect(link.onWake(now: time).actions == [.heartbeat(isLevel: true)])
            _ = link.onEcho(now: time)
        }
        #expect(link.state == .level)
    }

    @Test func `a change-set that stays unacknowledged ends the connection`() {
        var link = level()
        _ = link.onCommitted(head: 110, now: now)
        _ = link.onPrepared(Link.prepared(1, Link.cursor(100), Link.cursor(110)), now: now)
        #expect(!link.onWake(now: now + SyncLimits.acknowledgementTimeout - 1).actions.contains(.disconnect))
        #expect(link.onWake(now: now + SyncLimits.acknowledgementTimeout).actions == [.disconnect])
        #expect(link.state == .unreachable)
        #expect(link.summary.lastError?.code == LinkCode.acknowledgementTimeout)
    }

    @Test func `a new policy connects anew and sweeps from the receiver's seq`() {
        var link = level()
        _ = link.onCommitted(head: 110, now: now)
        let actions = link.onPolicyChanged(Link.policy(version: 2), topology: Link.stamp(2), now: now).actions
        #expect(actions.first == .disconnect)
        guard case .connect(let hello) = actions.last else {
            Issue.record("did not connect")
            return
        }
        #expect(hello.revision == LinkRevision(topology: 2, policy: 0))
        let start = Link.cursor(100, sweep: Link.policy().sweepStart, version: 2)
        #expect(
            link.onHelloReply(Link.reply(Link.cursor(100), version: 2), now: now)
                .contains(.note(.connected(from: start))))
        _ = link.onStreamOpened(now: now)
        #expect(
            link.onEcho(now: now).actions == [
                .prepare(Link.request(from: start, rowsMax: SyncLimits.rowsInitial, evenIfEmpty: true))
            ])
        #expect(link.state == .sweeping)
    }

    @Test func `another epoch connects anew, and goes on at the head with a sweep`() {
        var link = level()
        let next = Epoch(counter: 2, nonce: 7)
        let actions = link.onNewEpoch(next, head: 40, now: now).actions
        guard actions.first == .disconnect, case .connect(let hello) = actions.last else {
            Issue.record("did not connect: \(actions)")
            return
        }
        #expect(hello.epoch == next && hello.head == 40)
        let start = Link.cursor(40, sweep: Link.policy().sweepStart, epoch: next)
        #expect(
            link.onHelloReply(Link.reply(Link.cursor(100)), now: now).contains(.note(.connected(from: start))))
        #expect(link.onNewEpoch(next, head: 41, now: now).actions == [])
    }

    @Test func `a receiver that keeps no history marks gets none`() {
        var link = Link.sender()
        _ = link.onStart(now: now)
        var reply = Link.reply(Link.cursor(90))
        reply.capabilities = []
        _ = link.onHelloReply(reply, now: now)
        _ = link.onStreamOpened(now: now)
        #expect(
            link.onEcho(now: now).actions == [
                .prepare(Link.request(from: Link.cursor(90), rowsMax: SyncLimits.rowsInitial, hasMark: false))
            ])
    }

    @Test func `a topology that grants the same is told by a heartbeat and disturbs nothing`() {
        var link = level()
        let actions = link.onPolicyChanged(Link.policy(), topology: Link.stamp(2), now: now).actions
        #expect(actions == [.heartbeat(isLevel: true)])
        #expect(link.state == .level)
        #expect(link.onPolicyChanged(Link.policy(), topology: Link.stamp(2), now: now).actions == [])
    }

    @Test func `a stop waits for what is in flight, but not for long`() {
        var link = level()
        _ = link.onCommitted(head: 110, now: now)
        _ = link.onPrepared(Link.prepared(1, Link.cursor(100), Link.cursor(110)), now: now)
        var other = link
        #expect(link.onStop(now: now).actions == [])
        #expect(link.onCommitted(head: 120, now: now).actions == [])
        #expect(link.onAcknowledged(Link.applied(Link.cursor(110)), now: now).actions == [.disconnect, .end])
        #expect(link.onCommitted(head: 121, now: now) == [])
        _ = other.onStop(now: now)
        #expect(other.onWake(now: now + SyncLimits.stopGrace).actions == [.disconnect, .end])
    }

    @Test func `batches grow while the round trip is short and they are full`() {
        var sizer = BatchSizer()
        sizer.onAcknowledged(limit: sizer.rows, isFull: false, roundTrip: 1)
        sizer.onAcknowledged(limit: sizer.rows, isFull: true, roundTrip: SyncLimits.roundTripTarget)
        #expect(sizer.rows == SyncLimits.rowsInitial)
        for _ in 0..<9 {
            sizer.onAcknowledged(limit: sizer.rows, isFull: true, roundTrip: SyncLimits.roundTripTarget - 1)
        }
        #expect(sizer.rows == SyncLimits.rowsMax)
        for limit in [SyncLimits.rowsInitial, SyncLimits.rowsMax / 2] {
            sizer.onAcknowledged(limit: limit, isFull: true, roundTrip: SyncLimits.roundTripMax + 1)
        }
        #expect(sizer.rows == SyncLimits.rowsMax, "what was sent before it grew says nothing about it")
        while sizer.shrink() {}
        #expect(sizer.rows == 1)
    }
}
