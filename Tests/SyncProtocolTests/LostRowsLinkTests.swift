import ChangeSetFormat
import FederationModel
import SyncProtocol
import Testing

/// The receiving end of a link whose sender has lost rows (design rule 6).
@Suite struct `A receiver whose sender has lost rows` {
    private let now = Link.start

    /// A receiver on seq 100 whose first connection has been answered.
    private func open(_ capabilities: [String] = Capability.all) -> LinkReceiver {
        var link = Link.receiver(cursor: Link.cursor(100))
        var hello = Link.hello()
        hello.capabilities = capabilities
        _ = link.onHello(hello, connection: 1, cursor: Link.cursor(100), now: now)
        return link
    }

    private func offer(_ link: inout LinkReceiver, _ id: Int, from seq: Seq) {
        _ = link.onChangeSet(
            id: id, header: Link.header(Link.cursor(seq), Link.cursor(seq + 1)), bytes: 10, connection: 1, now: now)
    }

    @Test func `a link whose sender has lost rows is not level and says so, until somebody has accepted that`() {
        var link = open()
        offer(&link, 1, from: 100)
        let report = Acknowledgement(cursor: Link.cursor(101), applied: 1, skipped: 0, quarantined: 0, lost: 50)
        #expect(link.onApplied(report, now: now) == [.acknowledge(report)])
        #expect(link.summary(now: now).state == .behind)
        #expect(link.summary(now: now).lost == 50)
        let reply = link.onHello(Link.hello(), connection: 2, cursor: Link.cursor(101), now: now)
        guard case .reply(let answer, 2)? = reply.last else {
            Issue.record("no reply: \(reply)")
            return
        }
        #expect(answer.lost == 50)
        #expect(link.onLossChanged(50, now: now) == [])
        #expect(link.onLossChanged(0, now: now) == [.end(connection: 2)])
        #expect(link.summary(now: now).lost == 0)
    }

    /// A receiver whose sender has lost three rows, after its sweep.
    private func afterLoss(_ capabilities: [String] = Capability.all) -> LinkReceiver {
        var link = open(capabilities)
        offer(&link, 1, from: 100)
        _ = link.onApplied(
            Acknowledgement(cursor: Link.cursor(101), applied: 1, skipped: 0, quarantined: 0, lost: 3), now: now)
        return link
    }

    @Test func `what a sender has lost goes back in place of an echo, until nothing is lost any more`() {
        let heartbeat = Heartbeat(head: 101, clock: now, isLevel: true, origins: [:])
        var link = afterLoss()
        #expect(link.onHeartbeat(heartbeat, connection: 1, now: now) == [.giveBack])
        #expect(link.onSettled(lost: 2, connection: 1, now: now) == [.giveBack])
        #expect(link.onSettled(lost: 2, connection: 7, now: now) == [])
        // Not while something waits that the sender has sent: it may be just that.
        offer(&link, 2, from: 101)
        #expect(link.onHeartbeat(heartbeat, connection: 1, now: now) == [.echo])
        _ = link.onApplied(
            Acknowledgement(cursor: Link.cursor(102), applied: 1, skipped: 0, quarantined: 0, lost: 1), now: now)
        #expect(link.onSettled(lost: 0, connection: 1, now: now) == [.end(connection: 1)])
        #expect(link.summary(now: now).lost == 0)
    }

    @Test func `nothing goes back to a sender that would not know what it is`() {
        var link = afterLoss([])
        let heartbeat = Heartbeat(head: 101, clock: now, isLevel: true, origins: [:])
        #expect(link.onHeartbeat(heartbeat, connection: 1, now: now) == [.echo])
    }
}
