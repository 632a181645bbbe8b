import FederationModel
import Foundation
import SyncProtocol
import TestSupport
import Testing

@Suite struct MessageTests {
    private func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private func decode<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    @Test func `a hello has stable keys`() throws {
        let text = try json(Link.hello())
        #expect(
            text
                == #"{"capabilities":["history-marks","give-back","progress"],"clock":1900000000000,"epoch":"1-abc","head":100,"node":"370100","#
                + #""policy":0,"protocol":{"max":1,"min":1},"receiver":"370000","schema":1,"since":1,"topology":1}"#)
        #expect(try decode(Hello.self, text) == Link.hello())
        // From a node of an earlier release, whose links sweep with each topology version.
        let earlier = text.replacing(#","since":1"#, with: "")
        #expect(try decode(Hello.self, earlier) == Link.hello())
    }

    @Test(arguments: [
        SweepPosition.complete, .at(resource: "reply", after: nil),
        .at(resource: "reply", after: RowKey(origin: "370100", key: "工单-1")),
    ])
    func `a cursor survives the way through JSON`(_ sweep: SweepPosition) throws {
        let reply = Link.reply(Link.cursor(7, sweep: sweep))
        #expect(try decode(HelloReply.self, json(reply)) == reply)
    }

    @Test func `a reply to a first hello has no cursor`() throws {
        #expect(try decode(HelloReply.self, json(Link.reply(nil))).cursor == nil)
    }

    @Test func `freshness is an object by node`() throws {
        let heartbeat = Heartbeat(
            head: 3, clock: 4, isLevel: true, origins: [Link.city: OriginFreshness(asOf: 5, complete: true)])
        let text = try json(heartbeat)
        #expect(text == #"{"clock":4,"head":3,"level":true,"origins":{"370100":{"asOf":5,"complete":true}}}"#)
        #expect(try decode(Heartbeat.self, text) == heartbeat)
    }

    @Test func `a heartbeat does not call a receiver level that lacks what a command has written and not told`() {
        func heartbeat(head: Seq) -> Heartbeat {
            Heartbeat(
                policy: Link.policy(), isLevel: true, knownHead: 100, head: head, freshness: [:], topology: 1,
                clock: Link.start)
        }
        #expect(heartbeat(head: 100).isLevel)
        #expect(!heartbeat(head: 101).isLevel)
        #expect(heartbeat(head: 101).head == 101)
    }

    @Test(arguments: [
        #"{"epoch":"1-abc","seq":-1,"topology":1,"policy":0}"#, #"{"epoch":"abc","seq":1,"topology":1,"policy":0}"#,
        #"{"epoch":"1-abc","seq":1,"topology":1,"policy":0,"sweep":"reply","origin":"370100"}"#,
        #"{"epoch":"1-abc","seq":1e99,"topology":1,"policy":0}"#, "[]", "",
    ])
    func `a cursor that is none does not decode`(_ text: String) {
        #expect(throws: (any Error).self) { try decode(Cursor.self, text) }
    }

    @Test func `a node that is none is no key of a heartbeat`() {
        let text = #"{"clock":4,"head":3,"level":true,"origins":{"../x":{"asOf":5,"complete":true}}}"#
        #expect(throws: (any Error).self) { try decode(Heartbeat.self, text) }
    }

    @Test func `the highest common protocol version is taken`() {
        #expect(ProtocolRange(min: 1, max: 3).common(with: ProtocolRange(min: 2, max: 5)) == 3)
        #expect(ProtocolRange(min: 1, max: 1).common(with: ProtocolRange(min: 2, max: 5)) == nil)
        #expect(ProtocolRange(min: 5, max: 1).common(with: ProtocolRange(min: 1, max: 5)) == nil)
    }
}
