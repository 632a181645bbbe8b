import ChangeSetFormat
import FederationModel
import SyncProtocol
import Testing

/// A clock was three days ahead for a moment, and is set right.
@Suite struct `A link whose clock is set back by days` {
    private let ahead = Link.start + 3 * 86_400_000
    private let now = Link.start
    private let lost = FederationError("E_CONNECTION_LOST", "gone", isRetryable: true)

    private func level(at time: UnixMilliseconds) -> LinkSender {
        var link = Link.sender()
        _ = link.onStart(now: time)
        _ = link.onHelloReply(Link.reply(Link.cursor(100)), now: time)
        _ = link.onStreamOpened(now: time)
        _ = link.onEcho(now: time)
        return link
    }

    @Test func `connects again after the pause that it was in`() throws {
        var link = Link.sender()
        _ = link.onStart(now: ahead)
        _ = link.onConnectFailed(lost, now: ahead)
        let wake = try #require(link.onWake(now: now).wake)
        #expect(wake <= now + SyncLimits.backOffMax)
        #expect(!link.onWake(now: wake).actions.isEmpty)
    }

    @Test func `goes on with its heartbeats`() throws {
        var link = level(at: ahead)
        let wake = try #require(link.onWake(now: now).wake)
        #expect(wake <= now + SyncLimits.heartbeatInterval)
        #expect(link.onWake(now: wake).actions == [.heartbeat(isLevel: true)])
    }

    @Test func `gives up a change-set that nobody acknowledges`() throws {
        var link = level(at: ahead)
        _ = link.onCommitted(head: 101, now: ahead)
        _ = link.onPrepared(Link.prepared(1, Link.cursor(100), Link.cursor(101)), now: ahead)
        _ = link.onWake(now: now)
        let end = link.onWake(now: now + SyncLimits.acknowledgementTimeout)
        #expect(end.actions.contains(.disconnect))
    }

    @Test func `is paused for no longer than misbehaviour costs`() {
        var counter = MisbehaviourCounter()
        for _ in 0...SyncLimits.misbehaviourMax { _ = counter.note(now: ahead) }
        #expect(counter.pauseLeft(now: ahead) == SyncLimits.misbehaviourPause)
        #expect(counter.pauseLeft(now: now) == nil)
    }
}
