import ChangeSetFormat
import FederationModel
import SyncProtocol
import Testing

/// Hello tells both ends which resources the other knows.
@Suite struct `A link between two schema revisions` {
    private let now = Link.start
    private static let later =
        Link.catalog + [
            ResourceDefinition("meter_reading", "抄表", columns: [.init("value", "读数", .integer, level: .open)], since: 2)
        ]

    private func policy() throws -> LinkPolicy {
        let topology = Link.topology(granted: Self.later.map(\.name))
        return try #require(
            LinkPolicy(from: Link.city, to: Link.province, topology: topology, resources: Self.later))
    }

    private func requests(_ directives: [LinkDirective]) -> [PrepareRequest] {
        directives.compactMap { if case .prepare(let request) = $0 { request } else { nil } }
    }

    private func reply(schema: Int, _ cursor: Cursor?) -> HelloReply {
        var reply = Link.reply(cursor)
        reply.schemaRevision = schema
        return reply
    }

    @Test(arguments: [(1, 1), (2, 2), (3, 2)])
    func `asks the store for what both know`(theirs: Int, common: Int) throws {
        var link = LinkSender(
            policy: try policy(), topology: Link.stamp(1), epoch: Link.epoch, head: 100, schemaRevision: 2, seed: 1)
        _ = link.onStart(now: now)
        _ = link.onHelloReply(reply(schema: theirs, nil), now: now)
        _ = link.onStreamOpened(now: now)
        #expect(requests(link.onEcho(now: now)).map(\.schemaRevision) == [common])
    }

    @Test func `drops what was made for the revision from before the receiver was upgraded`() throws {
        var link = LinkSender(
            policy: try policy(), topology: Link.stamp(1), epoch: Link.epoch, head: 100, schemaRevision: 2, seed: 1)
        func open(_ schema: Int) -> [PrepareRequest] {
            _ = link.onHelloReply(reply(schema: schema, Link.cursor(5)), now: now)
            _ = link.onStreamOpened(now: now)
            return requests(link.onEcho(now: now))
        }
        _ = link.onStart(now: now)
        #expect(open(1).count == 1)
        _ = link.onDisconnected(FederationError("E_PEER_BROKEN", "", isRetryable: true), now: now)
        _ = link.onWake(now: now + SyncLimits.backOffMax)
        #expect(open(2).isEmpty, "the store is at work still")
        let made = link.onPrepared(Link.prepared(1, Link.cursor(5), Link.cursor(9), head: 100), now: now)
        #expect(!made.contains { if case .send = $0 { true } else { false } })
        #expect(requests(made).map(\.schemaRevision) == [2])
    }

    @Test func `takes the sweep of a sender that does not know the last resource, and later one of one that does`()
        throws
    {
        var link = LinkReceiver(
            node: Link.province, sender: Link.city, topology: Link.stamp(1), policy: try policy(), schemaRevision: 2,
            cursor: nil, now: now)
        func hello(_ schema: Int) -> Hello {
            var hello = Link.hello()
            hello.schemaRevision = schema
            return hello
        }
        _ = link.onHello(hello(1), connection: 1, cursor: nil, now: now)
        #expect(link.policy?.resources == Link.resources)
        let start = Link.cursor(100, sweep: .at(resource: Link.resources[0], after: nil))
        let end = Link.cursor(100)
        let taken = link.onChangeSet(id: 1, header: Link.header(start, end), bytes: 9, connection: 1, now: now)
        #expect(taken.contains(.apply(1)))
        _ = link.onApplied(Link.applied(end), now: now)
        _ = link.onHello(hello(2), connection: 2, cursor: end, now: now)
        #expect(link.policy?.resources.last == "meter_reading")
        // Another topology that grants the same does not forget what the sender knows.
        _ = link.onHello(hello(1), connection: 3, cursor: end, now: now)
        #expect(link.onPolicyChanged(try policy(), topology: Link.stamp(1), now: now).isEmpty)
        #expect(link.policy?.resources == Link.resources)
    }

    @Test func `is refused where no protocol version is common, and both ends name both ranges`() throws {
        var receiver = Link.receiver()
        let hello = Link.hello(range: ProtocolRange(min: 2, max: 4))
        let refusals = receiver.onHello(hello, connection: 1, cursor: nil, now: now).compactMap {
            if case .refuseHello(let refusal, _) = $0 { refusal } else { nil }
        }
        let refusal = try #require(refusals.first)
        var sender = Link.sender()
        _ = sender.onStart(now: now)
        _ = sender.onHelloRefused(refusal, now: now)
        let errors = [receiver.summary(now: now).lastError, sender.summary.lastError]
        for error in errors {
            #expect(error?.code == LinkCode.protocolVersion)
            #expect(error?.message.contains("1 to 1") == true && error?.message.contains("2 to 4") == true)
        }
        #expect(sender.state == .refused)
    }
}
