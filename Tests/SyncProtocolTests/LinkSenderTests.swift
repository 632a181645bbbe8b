import ChangeSetFormat
import FederationModel
import SyncProtocol
import Testing

@Suite struct LinkSenderTests {
    private let now = Link.start
    private let lost = FederationError("E_CONNECTION_LOST", "gone", isRetryable: true)

    /// A link that stands level on seq 100, with nothing outstanding.
    private func level() -> LinkSender {
        var link = Link.sender()
        _ = link.onStart(now: now)
        _ = link.onHelloReply(Link.reply(Link.cursor(100)), now: now)
        _ = link.onStreamOpened(now: now)
        _ = link.onEcho(now: now)
        return link
    }

    @Test func `a link connects, sends and becomes level`() {
        var link = Link.sender()
        #expect(link.state == .connecting)
        #expect(link.onStart(now: now).actions == [.connect(Link.hello())])
        #expect(link.onHelloReply(Link.reply(Link.cursor(90)), now: now).actions == [.openStream])
        #expect(link.onStreamOpened(now: now).wake == now + SyncLimits.probeTimeout)
        let first = Link.cursor(90)
        #expect(link.onEcho(now: now).actions == [.prepare(Link.request(from: first, rowsMax: SyncLimits.rowsInitial))])
        #expect(link.state == .behind)
        #expect(link.onPrepared(Link.prepared(1, first, Link.cursor(100)), now: now).actions == [.send(1)])
        #expect(link.summary.lagRows == 10)
        let end = link.onAcknowledged(Link.applied(Link.cursor(100)), now: now + 5)
        #expect(end.actions == [.heartbeat(isLevel: true)], "the receiver hears at once that its copy is whole")
        #expect(end.contains(.note(.becameLevel)))
        #expect(link.state == .level)
        #expect(link.summary.lagRows == 0)
        #expect(link.summary.lag(now: now + 99) == 0)
    }

    @Test func `a commit on an idle link is prepared at once`() {
        var link = level()
        #expect(link.state == .level)
        #expect(
            link.onCommitted(head: 101, now: now + 1).actions
                == [.prepare(Link.request(from: Link.cursor(100), rowsMax: SyncLimits.rowsInitial))])
        #expect(link.state == .behind)
        #expect(link.summary.lag(now: now + 3_001) == 3_000)
    }

    @Test func `a head that a heartbeat finds is gone after, and the receiver hears at once when it is level`() {
        var link = level()
        _ = link.onWake(now: now + SyncLimits.heartbeatInterval)
        _ = link.onEcho(now: now + SyncLimits.heartbeatInterval)
        #expect(
            link.onHeadRead(101, now: now + SyncLimits.heartbeatInterval).actions
                == [.prepare(Link.request(from: Link.cursor(100), rowsMax: SyncLimits.rowsInitial))])
        #expect(
            link.onNothingToPrepare(head: 101, now: now + SyncLimits.heartbeatInterval).actions
                == [.heartbeat(isLevel: true)])
    }

    @Test func `a commit that is not granted leaves the link level`() {
        var link = level()
        _ = link.onCommitted(head: 101, now: now)
        #expect(link.onNothingToPrepare(head: 101, now: now).actions == [])
        #expect(link.state == .level)
        #expect(link.summary.lagRows == 0)
    }

    @Test func `a receiver from before the removal of tombstones is swept from the head`() {
        var link = Link.sender()
        _ = link.onStart(now: now)
        _ = link.onHelloReply(Link.reply(Link.cursor(40)), now: now)
        _ = link.onStreamOpened(now: now)
        _ = link.onEcho(now: now)
        let start = Link.cursor(120, sweep: Link.policy().sweepStart)
        #expect(
            link.onPruned(head: 120, now: now).actions
                == [.prepare(Link.request(from: start, rowsMax: SyncLimits.rowsInitial, evenIfEmpty: true))])
        #expect(link.onPrepared(Link.prepared(1, start, Link.cursor(120)), now: now).actions == [.send(1)])
    }

    @Test func `a commit that crosses with the answer of the store is asked for again`() {
        var link = level()
        _ = link.onCommitted(head: 101, now: now)
        #expect(link.onCommitted(head: 102, now: now).actions == [])
        #expect(
            link.onNothingToPrepare(head: 101, now: now).actions
                == [.prepare(Link.request(from: Link.cursor(100), rowsMax: SyncLimits.rowsInitial))])
    }

    @Test func `preparing overlaps sending up to the limit in flight`() {
        var link = level()
        _ = link.onCommitted(head: 200, now: now)
        var prepares = 0
        for seq in Seq(101)...110 {
            let made = Link.prepared(Int(seq), Link.cursor(seq - 1), Link.cursor(seq), head: 200)
            guard case let actions = link.onPrepared(made, now: now).actions, actions.first == .send(Int(seq)) else {
                break
            }
            prepares += actions.count - 1
        }
        #expect(prepares == SyncLimits.inFlightMax - 1)
        #expect(link.onAcknowledged(Link.applied(Link.cursor(101)), now: now).actions.count == 1)
    }

    @Test func `a receiver that knows nothing is swept from the head on`() {
        var link = Link.sender()
        _ = link.onStart(now: now)
        let start = Link.cursor(100, sweep: Link.policy().sweepStart)
        #expect(link.onHelloReply(Link.reply(nil), now: now).contains(.note(.connected(from: start))))
        _ = link.onStreamOpened(now: now)
        _ = link.onEcho(now: now)
        #expect(link.state == .bootstrapping)
        _ = link.onPrepared(Link.prepared(1, start, Link.cursor(100)), now: now)
        let end = link.onAcknowledged(Link.applied(Link.cursor(100)), now: now)
        #expect(end.contains(.note(.sweepCompleted)))
        #expect(link.state == .level)
    }

    @Test func `a cursor of another epoch is swept too`() {
        var link = Link.sender()
        _ = link.onStart(now: now)
        let old = Link.cursor(900, epoch: Epoch(counter: 0, nonce: 1))
        let start = Link.cursor(100, sweep: Link.policy().sweepStart)
        #expect(link.onHelloReply(Link.reply(old), now: now).contains(.note(.connected(from: start))))
    }

    @Test func `a cursor of an older policy keeps its seq and is swept`() {
        var link = LinkSender(
            policy: Link.policy(version: 2), topology: Link.stamp(2), epoch: Link.epoch, head: 100, schemaRevision: 1,
            seed: 1)
        _ = link.onStart(now: now)
        let start = Link.cursor(40, sweep: Link.policy().sweepStart, version: 2)
        #expect(
            link.onHelloReply(Link.reply(Link.cursor(40), version: 2), now: now)
                .contains(.note(.connected(from: start))))
        _ = link.onStreamOpened(now: now)
        _ = link.onEcho(now: now)
        #expect(link.state == .sweeping)
    }

    @Test func `a cursor ahead of the head is for a person`() {
        var link = Link.sender()
        _ = link.onStart(now: now)
        #expect(link.onHelloReply(Link.reply(Link.cursor(101)), now: now).actions == [.disconnect])
        #expect(link.state == .refused)
        #expect(link.summary.lastError?.code == LinkCode.cursorAhead)
        #expect(link.onWake(now: now + SyncLimits.refusedPause - 1).actions == [])
        #expect(link.onWake(now: now + SyncLimits.refusedPause).actions.count == 1)
    }

    @Test func `both protocol ranges are named when none is common`() {
        var link = Link.sender()
        _ = link.onStart(now: now)
        _ = link.onHelloReply(Link.reply(nil, protocolVersion: 9), now: now)
        #expect(link.state == .refused)
        #expect(link.summary.lastError?.code == LinkCode.protocolVersion)
        #expect(link.summary.lastError?.message.contains("1 to 1") == true)
        #expect(link.summary.lastError?.message.contains("9") == true)
    }

    @Test func `a stream whose probe is not echoed in time gives way to requests on a new connection`() {
        var link = Link.sender(head: 102)
        _ = link.onStart(now: now)
        _ = link.onHelloReply(Link.reply(Link.cursor(100)), now: now)
        _ = link.onStreamOpened(now: now)
        #expect(link.onWake(now: now + SyncLimits.probeTimeout - 1).actions == [])
        let overdue = now + SyncLimits.probeTimeout
        #expect(link.onWake(now: overdue).actions == [.disconnect, .connect(Link.hello(head: 102, clock: overdue))])
        let actions = link.onHelloReply(Link.reply(Link.cursor(100)), now: overdue).actions
        #expect(
            actions == [.useRequests, .prepare(Link.request(from: Link.cursor(100), rowsMax: SyncLimits.rowsInitial))])
        let made = Link.prepared(1, Link.cursor(100), Link.cursor(101), head: 102)
        let sent = link.onPrepared(made, now: overdue).actions
        #expect(sent == [.send(1)], "requests may overtake each other, so only one is in flight")
    }

    @Test func `a link that found streams buffered tries one again after an hour, when it connects anew`() throws {
        var link = Link.sender()
        _ = link.onStart(now: now)
        _ = link.onHelloReply(Link.reply(Link.cursor(100)), now: now)
        _ = link.onStreamOpened(now: now)
        let overdue = now + SyncLimits.probeTimeout
        _ = link.onWake(now: overdue)
        func reconnect(at time: UnixMilliseconds) throws -> LinkDirective? {
            let pause = try #require(link.onDisconnected(lost, now: time - SyncLimits.backOffMax).wake)
            try #require(pause <= time)
            _ = link.onWake(now: time)
            return link.onHelloReply(Link.reply(Link.cursor(100)), now: time).actions.first
        }
        #expect(try reconnect(at: overdue + SyncLimits.requestsPeriod - 1) == .useRequests)
        #expect(try reconnect(at: overdue + SyncLimits.requestsPeriod + SyncLimits.backOffMax) == .openStream)
    }

    @Test func `an acknowledged cursor that was not expected is the truth`() {
        var link = level()
        _ = link.onCommitted(head: 110, now: now)
        _ = link.onPrepared(Link.prepared(1, Link.cursor(100), Link.cursor(105), head: 110), now: now)
        #expect(link.onPrepared(Link.prepared(2, Link.cursor(105), Link.cursor(110)), now: now).actions == [.send(2)])
        let actions = link.onAcknowledged(Link.applied(Link.cursor(103)), now: now).actions
        #expect(actions == [.prepare(Link.request(from: Link.cursor(103), rowsMax: SyncLimits.rowsInitial))])
        #expect(link.summary.cursor == Link.cursor(103))
    }

    @Test func `a prepared change-set that starts elsewhere by now is not sent`() {
        var link = level()
        _ = link.onCommitted(head: 110, now: now)
        _ = link.onDisconnected(lost, now: now)
        #expect(link.onPrepared(Link.prepared(1, Link.cursor(100), Link.cursor(110)), now: now).actions == [])
    }

    @Test func `what is queued at the receiver stays in flight when the next is refused`() {
        var link = level()
        _ = link.onCommitted(head: 110, now: now)
        _ = link.onPrepared(Link.prepared(1, Link.cursor(100), Link.cursor(105), head: 110), now: now)
        _ = link.onPrepared(Link.prepared(2, Link.cursor(105), Link.cursor(110)), now: now)
        let full = FederationError(LinkCode.queueFull, "full")
        _ = link.onRefused(Refusal(full, retryAfterMS: 700, cursor: Link.cursor(105)), now: now)
        #expect(link.state == .paused)
        #expect(link.onAcknowledged(Link.applied(Link.cursor(105)), now: now + 1).actions == [])
        #expect(link.onWake(now: now + 699).actions == [])
        #expect(
            link.onWake(now: now + 700).actions
                == [.prepare(Link.request(from: Link.cursor(105), rowsMax: SyncLimits.rowsInitial / 2))])
    }

    @Test func `a change-set that is too large is made again with half the rows`() {
        var link = level()
        _ = link.onCommitted(head: 110, now: now)
        _ = link.onPrepared(Link.prepared(1, Link.cursor(100), Link.cursor(110)), now: now)
        let refusal = Refusal(FederationError(LinkCode.tooLarge, "too large"), cursor: Link.cursor(100))
        #expect(
            link.onRefused(refusal, now: now).actions
                == [.prepare(Link.request(from: Link.cursor(100), rowsMax: SyncLimits.rowsInitial / 2))])
    }

    @Test func `a receiver that is always out of step does not make the sender spin`() {
        var link = level()
        _ = link.onCommitted(head: 110, now: now)
        let refusal = Refusal(FederationError(LinkCode.outOfStep, "no"), cursor: Link.cursor(100))
        var rounds = 0
        while link.state == .behind, rounds < 100 {
            _ = link.onPrepared(Link.prepared(1, Link.cursor(100), Link.cursor(110)), now: now)
            _ = link.onRefused(refusal, now: now)
            rounds += 1
        }
        #expect(rounds == SyncLimits.outOfStepMax + 1)
        #expect(link.state == .unreachable)
        #expect(link.summary.lastError?.code == LinkCode.outOfStep)
    }

    @Test func `a refusal for a person is tried again unhurriedly, and at once under a new policy`() throws {
        var link = Link.sender()
        _ = link.onStart(now: now)
        let refusal = Refusal(FederationError(LinkCode.topologyVersion, "1.0 and 2.0"))
        // The other end fetches what it lacks within a moment.
        let wake = try #require(link.onHelloRefused(refusal, now: now).wake)
        #expect(wake <= now + SyncLimits.backOffInitial)
        #expect(link.state == .refused)
        #expect(link.summary.lastError?.code == LinkCode.topologyVersion)
        var retried = link
        let later = link.onPolicyChanged(Link.policy(version: 2), topology: Link.stamp(2), now: now + 1).actions
        guard case .connect(let hello) = later.first else {
            Issue.record("did not connect")
            return
        }
        #expect(hello.topology.version == 2)
        guard case .connect(let again) = retried.onRetry(now: now + 1).actions.first else {
            Issue.record("did not connect")
            return
        }
        #expect(again.topology.version == 1)
    }

    @Test func `a certificate error is for a person, a network error is not`() {
        var link = Link.sender()
        _ = link.onStart(now: now)
        let certificate = FederationError("E_TLS_CERTIFICATE", "not of this federation")
        #expect(link.onConnectFailed(certificate, now: now).wake == now + SyncLimits.refusedPause)
        #expect(link.state == .refused)
        #expect(link.summary.lastError?.code == "E_TLS_CERTIFICATE")
        _ = link.onWake(now: now + SyncLimits.refusedPause)
        _ = link.onConnectFailed(lost, now: now + SyncLimits.refusedPause)
        #expect(link.state == .unreachable)
        #expect(link.summary.lastError?.code == lost.code)
    }

    /// The receiver drops a waiting hello when its own topology changes; seed 3686 of the simulation.
    @Test func `a connection that ends before its hello was answered is tried again`() {
        var link = Link.sender()
        _ = link.onStart(now: now)
        #expect(link.onDisconnected(lost, now: now).wake != nil)
        #expect(link.state == .unreachable)
        #expect(link.summary.lastError?.code == lost.code)
    }

    @Test func `pauses double with jitter up to their limit and are short again after contact`() throws {
        var link = Link.sender()
        var time = now
        _ = link.onStart(now: time)
        var pauses: [Int64] = []
        for _ in 0..<12 {
            let wake = try #require(link.onConnectFailed(lost, now: time).wake)
            pauses.append(wake - time)
            time = wake
            _ = link.onWake(now: time)
        }
        for (index, pause) in pauses.enumerated() {
            let ceiling = min(SyncLimits.backOffInitial << Int64(index), SyncLimits.backOffMax)
            #expect((ceiling / 2...ceiling).contains(pause))
        }
        #expect(Set(pauses.suffix(4)).count > 1, "jitter")
        _ = link.onHelloReply(Link.reply(Link.cursor(100)), now: time)
        _ = link.onStreamOpened(now: time)
        _ = link.onEcho(now: time)
        _ = link.onWake(now: time)
        let wake = try #require(link.onDisconnected(lost, now: time).wake)
        #expect(wake - time <= SyncLimits.backOffInitial)
    }

    @Test func `a receiver that has been told that it is level is not told again after the next change`() {
        var link = level()
        _ = link.onEcho(now: now)
        _ = link.onCommitted(head: 101, now: now)
        _ = link.onPrepared(Link.prepared(1, Link.cursor(100), Link.cursor(101)), now: now)
        let end = link.onAcknowledged(Link.applied(Link.cursor(101)), now: now + 5)
        #expect(end.contains(.note(.becameLevel)))
        #expect(end.actions == [])
    }

    @Test func `a link that grants nothing sets the receiver's cursor with one empty change-set`() {
        var link = Link.sender()
        _ = link.onStart(now: now)
        _ = link.onHelloReply(Link.reply(nil), now: now)
        _ = link.onStreamOpened(now: now)
        let request = link.onEcho(now: now).compactMap { directive in
            if case .prepare(let request) = directive { request } else { nil }
        }
        #expect(request.map(\.evenIfEmpty) == [true])
    }
}
