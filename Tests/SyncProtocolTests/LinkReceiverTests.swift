import ChangeSetFormat
import FederationModel
import SyncProtocol
import TestSupport
import Testing

@Suite struct LinkReceiverTests {
    private let now = Link.start

    /// A receiver on seq 100 whose first connection has been answered.
    private func open(at cursor: Cursor? = Link.cursor(100)) -> LinkReceiver {
        var link = Link.receiver(cursor: cursor)
        _ = link.onHello(Link.hello(), connection: 1, cursor: cursor, now: now)
        return link
    }

    private func refusal(_ directives: [ReceiverDirective]) -> Refusal? {
        directives.compactMap {
            switch $0 {
            case .refuse(let refusal), .refuseHello(let refusal, _): refusal
            default: nil
            }
        }.first
    }

    @discardableResult
    private func offer(
        _ link: inout LinkReceiver, _ id: Int, _ from: Cursor, _ to: Cursor, bytes: Int = 10, connection: Int = 1
    ) -> [ReceiverDirective] {
        link.onChangeSet(id: id, header: Link.header(from, to), bytes: bytes, connection: connection, now: now)
    }

    // MARK: - Hello

    @Test func `the answer to a hello has the history mark of the change-set that brought the cursor`() {
        var link = open()
        let (from, to) = (Link.cursor(100), Link.cursor(101))
        var header = Link.header(from, to)
        header.mark = HistoryMark(7)
        _ = link.onChangeSet(id: 1, header: header, bytes: 10, connection: 1, now: now)
        // A hello that comes during the apply is answered after it.
        #expect(link.onHello(Link.hello(), connection: 2, cursor: from, now: now) == [.end(connection: 1)])
        guard case .reply(let answer, 2)? = link.onApplied(Link.applied(to), now: now).first else {
            Issue.record("no reply")
            return
        }
        #expect(answer.cursor == to && answer.mark == HistoryMark(7))
        guard
            case .reply(let later, 3)? = link.onHello(
                Link.hello(), connection: 3, cursor: to, mark: HistoryMark(8), now: now
            ).last
        else {
            Issue.record("no reply")
            return
        }
        #expect(later.mark == HistoryMark(8))
    }

    @Test func `a hello is answered with the durable cursor`() {
        var link = Link.receiver()
        let reply = link.onHello(Link.hello(), connection: 1, cursor: Link.cursor(42), now: now)
        #expect(reply == [.reply(Link.reply(Link.cursor(42)), connection: 1)])
        #expect(link.onProbe(connection: 1, now: now) == [.echo])
        #expect(link.onProbe(connection: 0, now: now) == [])
    }

    /// It counts what the sender's catalog grants, which the receiver may not know yet.
    @Test func `the policy revision is the sender's, and a change-set must keep to it`() {
        var link = Link.receiver()
        var hello = Link.hello()
        hello.revision = LinkRevision(topology: 1, policy: 7)
        let reply = link.onHello(hello, connection: 1, cursor: Link.cursor(100), now: now)
        #expect(reply == [.reply(Link.reply(Link.cursor(100)), connection: 1)])
        func cursor(_ seq: Seq, policy: Int64) -> Cursor {
            Cursor(
                epoch: Link.epoch, seq: seq, revision: LinkRevision(topology: 1, policy: policy),
                sweep: Link.policy().sweepStart)
        }
        let other = offer(&link, 1, cursor(100, policy: 8), cursor(101, policy: 8))
        #expect(refusal(other)?.code == "E_TOPOLOGY_VERSION")
        _ = link.onHello(hello, connection: 2, cursor: Link.cursor(100), now: now)
        let same = offer(&link, 2, cursor(100, policy: 7), cursor(101, policy: 7), connection: 2)
        #expect(same == [.apply(2)])
        // Another hello of an older policy stands behind the cursor, and is told so.
        hello.revision = LinkRevision(topology: 1, policy: 6)
        var behind = Link.receiver()
        _ = behind.onHello(hello, connection: 1, cursor: cursor(101, policy: 7), now: now)
        #expect(refusal(offer(&behind, 3, cursor(101, policy: 6), cursor(102, policy: 6)))?.code == "E_OUT_OF_STEP")
    }

    @Test func `a receiver that dials shows why there is no connection, until a hello has come`() {
        var link = Link.receiver()
        link.onUnreached(FederationError("E_PEER_UNREACHABLE", "", isRetryable: true), now: now)
        #expect(link.summary(now: now).state == .unreachable)
        #expect(link.summary(now: now).lastError?.code == "E_PEER_UNREACHABLE")
        _ = link.onHello(Link.hello(), connection: 1, cursor: Link.cursor(100), now: now)
        link.onUnreached(FederationError("E_PEER_UNREACHABLE", "", isRetryable: true), now: now)
        #expect(link.summary(now: now).state == .level)
        #expect(link.summary(now: now).lastError == nil)
    }

    @Test func `a hello without a common protocol version is refused with both ranges`() {
        var link = Link.receiver()
        let hello = Link.hello(range: ProtocolRange(min: 2, max: 4))
        let refusal = refusal(link.onHello(hello, connection: 1, cursor: nil, now: now))
        #expect(refusal?.code == LinkCode.protocolVersion)
        #expect(refusal?.message.contains("1 to 1") == true)
        #expect(refusal?.message.contains("2 to 4") == true)
    }

    @Test func `a hello of another topology is refused with both versions`() {
        var link = Link.receiver()
        let refusal = refusal(link.onHello(Link.hello(version: 7), connection: 1, cursor: nil, now: now))
        #expect(refusal?.code == LinkCode.topologyVersion)
        #expect(refusal?.message.contains("1 on") == true)
        #expect(refusal?.message.contains("7 on") == true)
    }

    @Test func `a hello for another node or from another node is refused`() {
        var hello = Link.hello()
        hello.receiver = Link.county
        var link = Link.receiver()
        #expect(refusal(link.onHello(hello, connection: 1, cursor: nil, now: now))?.code == LinkCode.address)
        hello = Link.hello()
        hello.node = Link.county
        #expect(refusal(link.onHello(hello, connection: 1, cursor: nil, now: now))?.code == LinkCode.address)
    }

    @Test func `a node without an edge is no neighbour`() {
        var link = LinkReceiver(
            node: Link.province, sender: Link.city, topology: Link.stamp(1), policy: nil, schemaRevision: 1,
            cursor: nil,
            now: now)
        #expect(
            refusal(link.onHello(Link.hello(), connection: 1, cursor: nil, now: now))?.code == LinkCode.notANeighbour)
        #expect(
            refusal(link.onHello(Link.hello(version: 2), connection: 2, cursor: nil, now: now))?.code
                == LinkCode.topologyVersion)
    }

    @Test(arguments: [Int64(1), -1]) func `a clock at the skew limit passes and one past it does not`(_ sign: Int64) {
        var link = Link.receiver()
        let limit = sign * SyncLimits.clockSkewMax
        #expect(refusal(link.onHello(Link.hello(clock: now + limit), connection: 1, cursor: nil, now: now)) == nil)
        let far = Link.hello(clock: now + limit + sign)
        let refusal = refusal(link.onHello(far, connection: 2, cursor: nil, now: now))
        #expect(refusal?.code == LinkCode.clockSkew)
        #expect(refusal?.message.contains("\(now)") == true)
        #expect(refusal?.message.contains("\(now + limit + sign)") == true)
    }

    @Test(arguments: [Int64.min, .max]) func `absurd numbers in a hello are refused or harmless`(_ number: Int64) {
        var link = Link.receiver()
        #expect(
            refusal(link.onHello(Link.hello(clock: number), connection: 1, cursor: nil, now: now))?.code
                == LinkCode.clockSkew)
        _ = link.onHello(Link.hello(head: number), connection: 2, cursor: Link.cursor(100), now: now)
        #expect(link.summary(now: now).lagRows >= 0)
    }

    @Test func `a refused hello leaves the connection that exists alone`() {
        var link = open()
        _ = link.onHello(Link.hello(version: 2), connection: 2, cursor: Link.cursor(100), now: now)
        #expect(offer(&link, 1, Link.cursor(100), Link.cursor(101)) == [.apply(1)])
    }

    @Test func `a newer connection supersedes the older and what that still brings is dropped`() {
        var link = open()
        let reply = link.onHello(Link.hello(), connection: 2, cursor: Link.cursor(100), now: now)
        #expect(reply == [.end(connection: 1), .reply(Link.reply(Link.cursor(100)), connection: 2)])
        #expect(offer(&link, 1, Link.cursor(100), Link.cursor(101), connection: 1) == [.discard([1])])
        #expect(offer(&link, 2, Link.cursor(100), Link.cursor(101), connection: 2) == [.apply(2)])
    }

    @Test func `a hello during an apply is answered when the cursor is known`() {
        var link = open()
        offer(&link, 1, Link.cursor(100), Link.cursor(101))
        #expect(offer(&link, 2, Link.cursor(101), Link.cursor(102)) == [])
        let hello = link.onHello(Link.hello(), connection: 2, cursor: Link.cursor(100), now: now)
        #expect(hello == [.discard([2]), .end(connection: 1)])
        #expect(
            link.onApplied(Link.applied(Link.cursor(101)), now: now)
                == [.reply(Link.reply(Link.cursor(101)), connection: 2)])
    }

    // MARK: - Change-sets

    @Test func `a batch is acknowledged only after it was applied`() {
        var link = open()
        #expect(offer(&link, 1, Link.cursor(100), Link.cursor(105)) == [.apply(1)])
        #expect(offer(&link, 2, Link.cursor(105), Link.cursor(106)) == [])
        #expect(
            link.onApplied(Link.applied(Link.cursor(105)), now: now)
                == [.acknowledge(Link.applied(Link.cursor(105))), .apply(2)])
        #expect(
            link.onApplied(Link.applied(Link.cursor(106)), now: now)
                == [.acknowledge(Link.applied(Link.cursor(106)))])
        #expect(link.onApplied(Link.applied(Link.cursor(107)), now: now) == [], "nothing was outstanding")
    }

    @Test func `a run of change-sets out of step is answered once`() {
        var link = open()
        let first = offer(&link, 1, Link.cursor(101), Link.cursor(102))
        #expect(first.first == .discard([1]))
        #expect(refusal(first)?.code == LinkCode.outOfStep)
        #expect(refusal(first)?.cursor == Link.cursor(100))
        #expect(offer(&link, 2, Link.cursor(102), Link.cursor(103)) == [.discard([2])])
        #expect(offer(&link, 3, Link.cursor(100), Link.cursor(103)) == [.apply(3)])
        #expect(refusal(offer(&link, 4, Link.cursor(100), Link.cursor(103)))?.cursor == Link.cursor(103))
    }

    @Test func `a new epoch may begin at any seq but only with a sweep`() {
        var link = open(at: Link.cursor(900, epoch: Epoch(counter: 0, nonce: 1)))
        #expect(refusal(offer(&link, 1, Link.cursor(50), Link.cursor(51)))?.code == LinkCode.outOfStep)
        let start = Link.cursor(50, sweep: Link.policy().sweepStart)
        #expect(offer(&link, 2, start, Link.cursor(51)) == [.apply(2)])
    }

    @Test func `a new policy begins at the cursor's seq and with a sweep`() {
        var link = LinkReceiver(
            node: Link.province, sender: Link.city, topology: Link.stamp(2), policy: Link.policy(version: 2),
            schemaRevision: 1, cursor: nil, now: now)
        _ = link.onHello(Link.hello(version: 2), connection: 1, cursor: Link.cursor(100), now: now)
        let start = Link.policy().sweepStart
        let end = Link.cursor(102, version: 2)
        #expect(refusal(offer(&link, 1, Link.cursor(99, sweep: start, version: 2), end)) != nil)
        #expect(offer(&link, 2, Link.cursor(100, version: 2), end) == [.discard([2])])
        #expect(offer(&link, 3, Link.cursor(100, sweep: start, version: 2), end) == [.apply(3)])
    }

    @Test func `a sender that has removed tombstones goes on further up, with a sweep, and never back`() {
        let start = Link.policy().sweepStart
        var link = open(at: Link.cursor(100))
        #expect(refusal(offer(&link, 1, Link.cursor(100, sweep: start), Link.cursor(102)))?.code == LinkCode.outOfStep)
        link = open(at: Link.cursor(100))
        #expect(refusal(offer(&link, 1, Link.cursor(99, sweep: start), Link.cursor(102)))?.code == LinkCode.outOfStep)
        link = open(at: Link.cursor(100))
        #expect(refusal(offer(&link, 1, Link.cursor(140), Link.cursor(142)))?.code == LinkCode.outOfStep)
        link = open(at: Link.cursor(100))
        #expect(offer(&link, 1, Link.cursor(140, sweep: start), Link.cursor(142, sweep: start)) == [.apply(1)])
    }

    @Test func `a change-set of another sender, epoch, revision or time ends the connection`() {
        let (from, to) = (Link.cursor(100), Link.cursor(101))
        let other = Epoch(counter: 2, nonce: 2)
        let headers: [(ChangeSetHeader, String)] = [
            (Link.header(from, to, sender: Link.county), LinkCode.address),
            (Link.header(Link.cursor(100, epoch: other), Link.cursor(101, epoch: other)), LinkCode.epoch),
            (Link.header(Link.cursor(100, version: 2), Link.cursor(101, version: 2)), LinkCode.topologyVersion),
            (Link.header(from, to, createdAt: now + SyncLimits.clockSkewMax + 1), LinkCode.clockSkew),
        ]
        for (header, code) in headers {
            var link = open()
            let directives = link.onChangeSet(id: 1, header: header, bytes: 1, connection: 1, now: now)
            #expect(refusal(directives)?.code == code)
            #expect(directives.last == .end(connection: 1))
        }
    }

    @Test func `a change-set that leads nowhere or back is refused`() {
        let resources = Link.resources
        let middle = SweepPosition.at(resource: resources[1], after: RowKey(origin: "370100", key: "m"))
        let ends: [SweepPosition] = [
            middle, .at(resource: resources[0], after: nil), .at(resource: resources[1], after: nil),
            .at(resource: resources[1], after: RowKey(origin: "370100", key: "a")),
            .at(resource: "unknown", after: nil),
        ]
        for end in ends {
            let cursor = Link.cursor(100, sweep: middle)
            var link = open(at: cursor)
            let directives = offer(&link, 1, cursor, Link.cursor(100, sweep: end))
            #expect(refusal(directives)?.code == LinkCode.noProgress)
            #expect(offer(&link, 2, cursor, Link.cursor(100)) == [.apply(2)])
        }
    }

    @Test func `the queue takes its limit in bytes and refuses what goes past it`() {
        var link = open()
        let half = SyncLimits.queueBytesMax / 2
        #expect(offer(&link, 1, Link.cursor(100), Link.cursor(101), bytes: half) == [.apply(1)])
        #expect(offer(&link, 2, Link.cursor(101), Link.cursor(102), bytes: half) == [])
        let refused = refusal(offer(&link, 3, Link.cursor(102), Link.cursor(103), bytes: 1))
        #expect(refused?.code == LinkCode.queueFull)
        #expect(refused?.retryAfterMS == SyncLimits.busyPause)
        #expect(refused?.cursor == Link.cursor(102), "what is queued need not be sent again")
        _ = link.onApplied(Link.applied(Link.cursor(101)), now: now)
        #expect(offer(&link, 4, Link.cursor(102), Link.cursor(103), bytes: 1) == [])
    }

    @Test func `a change-set that the store refuses takes the queue with it and the cursor stays`() {
        var link = open()
        offer(&link, 1, Link.cursor(100), Link.cursor(101))
        offer(&link, 2, Link.cursor(101), Link.cursor(102))
        let directives = link.onApplyRefused(FederationError("E_CHANGE_SET_CHECKSUM", "broken"), now: now)
        #expect(directives.first == .discard([2]))
        #expect(refusal(directives)?.code == "E_CHANGE_SET_CHECKSUM")
        #expect(refusal(directives)?.cursor == Link.cursor(100))
        #expect(offer(&link, 3, Link.cursor(102), Link.cursor(103)) == [.discard([3])])
        #expect(offer(&link, 4, Link.cursor(100), Link.cursor(101)) == [.apply(4)])
    }

    @Test func `trouble of the store itself asks for patience`() {
        var link = open()
        offer(&link, 1, Link.cursor(100), Link.cursor(101))
        let refused = refusal(
            link.onApplyRefused(FederationError("E_DISK_FULL", "the disk is full", isRetryable: true), now: now))
        #expect(refused?.code == LinkCode.busy)
        #expect(refused?.retryAfterMS == SyncLimits.busyPause)
    }

    @Test func `a lost connection drops the queue but not what the store has`() {
        var link = open()
        offer(&link, 1, Link.cursor(100), Link.cursor(101))
        offer(&link, 2, Link.cursor(101), Link.cursor(102))
        #expect(link.onDisconnected(nil, connection: 1, now: now) == [.discard([2])])
        #expect(link.onApplied(Link.applied(Link.cursor(101)), now: now) == [])
        #expect(link.summary(now: now).cursor == Link.cursor(101))
    }

    @Test func `a topology that lets the same through disturbs nothing, and the next hello must name it`() {
        var link = open()
        #expect(link.onPolicyChanged(Link.policy(version: 2), topology: Link.stamp(2), now: now) == [])
        let header = Link.header(Link.cursor(100), Link.cursor(101))
        #expect(link.onChangeSet(id: 1, header: header, bytes: 1, connection: 1, now: now) == [.apply(1)])
        #expect(
            refusal(link.onHello(Link.hello(), connection: 2, cursor: nil, now: now))?.code == LinkCode.topologyVersion)
    }

    @Test func `two topologies of one number are refused by name`() {
        var link = LinkReceiver(
            node: Link.province, sender: Link.city, topology: TopologyStamp(version: 1, digest: "1-a"),
            policy: Link.policy(), schemaRevision: 1, cursor: nil, now: now)
        var hello = Link.hello()
        hello.topology = TopologyStamp(version: 1, digest: "1-b")
        #expect(refusal(link.onHello(hello, connection: 1, cursor: nil, now: now))?.code == LinkCode.topologyDiffers)
        // Made in another way, they can't be compared.
        hello.topology = TopologyStamp(version: 1, digest: "2-b")
        #expect(refusal(link.onHello(hello, connection: 2, cursor: nil, now: now)) == nil)
    }

    @Test func `another policy here ends the connection`() {
        var link = open()
        let narrow = Link.policy(version: 2, granted: [Link.resources[0]])
        #expect(link.onPolicyChanged(narrow, topology: Link.stamp(2), now: now) == [.end(connection: 1)])
        #expect(
            refusal(link.onHello(Link.hello(), connection: 2, cursor: nil, now: now))?.code == LinkCode.topologyVersion)
    }

    // MARK: - Misbehaviour

    @Test func `too many refused change-sets pause the link for a while`() {
        var link = open()
        let broken = FederationError("E_CHANGE_SET_MAGIC", "no change-set")
        for _ in 0..<SyncLimits.misbehaviourMax {
            #expect(link.onUnreadable(broken, connection: 1, now: now).count == 1)
        }
        #expect(link.onUnreadable(broken, connection: 1, now: now).last == .end(connection: 1))
        #expect(link.summary(now: now).state == .paused)
        let paused = refusal(link.onHello(Link.hello(), connection: 2, cursor: nil, now: now + 1))
        #expect(paused?.code == LinkCode.tooManyErrors)
        #expect(paused?.retryAfterMS == SyncLimits.misbehaviourPause - 1)
        let later = now + SyncLimits.misbehaviourPause
        #expect(refusal(link.onHello(Link.hello(clock: later), connection: 3, cursor: nil, now: later)) == nil)
    }

    @Test func `a node that waits for a person's help is not paused`() {
        var link = Link.receiver()
        for attempt in 0..<100 {
            let time = now + Int64(attempt) * SyncLimits.refusedPause
            let refused = refusal(
                link.onHello(Link.hello(version: 2, clock: time), connection: attempt, cursor: nil, now: time))
            #expect(refused?.code == LinkCode.topologyVersion)
        }
    }

    // MARK: - Status

    @Test func `both clocks agree as long as heartbeats say so and none of the two jumps`() {
        var link = Link.receiver()
        #expect(!link.doClocksAgree(now: now))
        _ = link.onHello(Link.hello(), connection: 1, cursor: nil, now: now)
        #expect(link.doClocksAgree(now: now))
        #expect(link.doClocksAgree(now: now + 3 * SyncLimits.heartbeatInterval))
        #expect(!link.doClocksAgree(now: now + 3 * SyncLimits.heartbeatInterval + 1))
        // This node's clock steps back, and the heartbeats of the other show it.
        let behind = now - 3_600_000
        #expect(!link.doClocksAgree(now: behind))
        func heartbeat(_ clock: UnixMilliseconds) -> Heartbeat {
            Heartbeat(head: 100, clock: clock, isLevel: true, origins: [:])
        }
        _ = link.onHeartbeat(heartbeat(now + 5_000), connection: 1, now: behind)
        #expect(!link.doClocksAgree(now: behind))
        _ = link.onHeartbeat(heartbeat(now + 10_000), connection: 1, now: now + 10_000)
        #expect(link.doClocksAgree(now: now + 10_000))
    }

    @Test func `freshness holds once everything before the heartbeat is applied`() {
        var link = open()
        let origins = [Link.city: OriginFreshness(asOf: now, complete: true)]
        offer(&link, 1, Link.cursor(100), Link.cursor(105))
        let heartbeat = Heartbeat(head: 105, clock: now, isLevel: false, origins: origins)
        #expect(link.onHeartbeat(heartbeat, connection: 1, now: now) == [.echo])
        #expect(link.origins.isEmpty)
        _ = link.onApplied(Link.applied(Link.cursor(105)), now: now)
        #expect(link.origins == origins)
    }

    @Test(arguments: [Link.cursor(200, version: 0), Link.cursor(200, epoch: Epoch(counter: 0, nonce: 7))])
    func `nothing is fresh by a cursor of an earlier policy or epoch, however far that is`(cursor: Cursor) {
        var link = open(at: cursor)
        let origins = [Link.city: OriginFreshness(asOf: now, complete: true)]
        _ = link.onHeartbeat(
            Heartbeat(head: 105, clock: now, isLevel: false, origins: origins), connection: 1, now: now)
        #expect(link.origins.isEmpty)
        #expect(link.summary(now: now).state != .level)
    }

    @Test func `a sender on an earlier topology does not make whole again what the present one has put in doubt`() {
        var link = open()
        let origins = [Link.city: OriginFreshness(asOf: now, complete: true)]
        func heartbeat(_ topology: Int64) -> Heartbeat {
            Heartbeat(head: 100, clock: now, isLevel: true, origins: origins, topology: topology)
        }
        _ = link.onHeartbeat(heartbeat(1), connection: 1, now: now)
        #expect(link.origins[Link.city]?.complete == true)
        _ = link.onPolicyChanged(Link.policy(), topology: Link.stamp(2), doubted: [Link.city], now: now)
        _ = link.onHeartbeat(heartbeat(1), connection: 1, now: now)
        #expect(link.origins[Link.city]?.complete == false)
        _ = link.onHeartbeat(heartbeat(2), connection: 1, now: now)
        #expect(link.origins[Link.city]?.complete == true)
    }

    @Test func `a receiver is level when the sender says so, whatever its head`() {
        var link = open()
        _ = link.onHeartbeat(Heartbeat(head: 130, clock: now, isLevel: false, origins: [:]), connection: 1, now: now)
        #expect(link.summary(now: now).state == .behind)
        #expect(link.summary(now: now).lagRows == 30)
        _ = link.onHeartbeat(Heartbeat(head: 130, clock: now, isLevel: true, origins: [:]), connection: 1, now: now)
        #expect(link.summary(now: now).state == .level)
        #expect(link.summary(now: now).lagRows == 0)
    }

    @Test func `a silent sender is unreachable`() {
        let link = open()
        let limit = SyncLimits.heartbeatInterval * Int64(SyncLimits.heartbeatsMissedMax)
        #expect(link.summary(now: now + limit).state == .level)
        #expect(link.summary(now: now + limit + 1).state == .unreachable)
        #expect(link.summary(now: now + limit + 1).lag(now: now + limit + 1) == limit + 1)
    }
}
