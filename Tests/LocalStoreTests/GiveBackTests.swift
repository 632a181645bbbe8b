import ChangeSetFormat
import FederationModel
import GRDB
import LocalStore
import TestSupport
import Testing
import Zstandard

import struct FederationModel.Cursor

/// Design rule 6: what a node has lost and a neighbour holds goes back to it.
@Suite struct `What a sender has lost` {
    private let city: TemporaryStore
    private let above: TemporaryStore
    /// The city's database after it was set up afresh.
    private let afresh: TemporaryStore
    private let link: LinkPolicy

    init() throws {
        var grant = LinkGrant()
        grant.treatments["service_request"] = ["reporter_phone": .mask, "reporter_name": .drop]
        let topology = Topology(
            name: "test", version: 1,
            nodes: qilu.nodes.map { node in
                TopologyNode(
                    id: node.id, name: node.name, parent: node.parent, region: node.region, endpoint: nil,
                    grant: node.id == jinan ? grant : LinkGrant())
            })
        link = policy(from: jinan, to: province, topology: topology)
        city = try TemporaryStore(jinan, topology: topology)
        above = try TemporaryStore(province, topology: topology)
        afresh = try TemporaryStore(jinan, epoch: Epoch(counter: 1, nonce: 43), topology: topology)
    }

    private func person(_ number: Int, title: String = "路灯不亮", at time: UnixMilliseconds = noon) -> IntakeRecord {
        var record = ticket(number, title: title, at: time)
        record.fields["reporter_phone"] = .text("13805311234")
        record.fields["reporter_name"] = .text("王小明")
        return record
    }

    private func recognise(_ store: NodeStore) async throws {
        let durable = try await above.store.markedCursor(of: jinan)
        _ = try await store.recognise(durable?.cursor, mark: durable?.mark, of: province, now: noon)
    }

    /// All rounds of giving back, and what follows on the link.
    @discardableResult
    private func giveBack(
        to store: NodeStore, at time: UnixMilliseconds = noon + 1
    ) async throws -> (adopted: Int, passedOn: Int, settled: Int, rounds: Int) {
        var (adopted, passedOn, settled, rounds) = (0, 0, 0, 0)
        var position: LostPosition?
        while let (changeSet, end) = try await above.store.lostChangeSet(
            of: jinan, policy: link, after: position, now: noon, compressor: ZstandardCompressor())
        {
            let incoming = try IncomingChangeSet(
                bytes: changeSet.bytes, policy: link, resources: store.resources, now: noon)
            let taken = try await store.takeBack(incoming, policy: link, now: time)
            _ = try await above.store.settle(taken.settled, of: jinan, now: noon + 2)
            (adopted, passedOn) = (adopted + taken.adopted, passedOn + taken.passedOn)
            (settled, rounds, position) = (settled + taken.settled.count, rounds + 1, end)
        }
        try await carry(store, above.store, policy: link)
        return (adopted, passedOn, settled, rounds)
    }

    private func lost() async throws -> Int { try await above.store.lostRows()[jinan] ?? 0 }

    @Test func `becomes its own again, under a new version, and nothing is lost any more`() async throws {
        _ = try await city.store.intake((1...1_200).map { person($0) }, now: noon)
        try await carry(city.store, above.store, policy: link)
        try await recognise(afresh.store)
        try await carry(afresh.store, above.store, policy: link)
        #expect(try await lost() == 1_200)
        let back = try await giveBack(to: afresh.store)
        #expect(back == (1_200, 0, 0, 3))
        #expect(try await lost() == 0)
        for store in [afresh.store, above.store] { #expect(try await store.count("service_request") == 1_200) }
        let row = try await afresh.store.rows(
            sql: "SELECT reporter_phone, reporter_name, supplier FROM service_request WHERE \"key\" = '370100-7'",
            arguments: [])
        #expect(row == [[.text("138****1234"), .null, .integer(0)]])
        #expect(
            try await afresh.store.count(
                "returned_row",
                where: "treated = 'reporter_name reporter_phone' OR treated = 'reporter_phone reporter_name'")
                == 1_200)
    }

    @Test func `gets a later version than it had, also under a clock that is behind`() async throws {
        func versions(_ store: NodeStore) async throws -> [[FieldValue]] {
            try await store.rows(sql: "SELECT version FROM service_request ORDER BY \"key\"", arguments: [])
        }
        _ = try await city.store.intake((1...3).map { person($0) }, now: noon)
        try await carry(city.store, above.store, policy: link)
        let former = try await versions(above.store)
        try await recognise(afresh.store)
        try await carry(afresh.store, above.store, policy: link)
        #expect(try await giveBack(to: afresh.store, at: noon - 60_000).adopted == 3)
        let own = try await versions(afresh.store)
        #expect(zip(former, own).allSatisfy { ($0[0].integer ?? 0) < ($1[0].integer ?? 0) })
        #expect(try await versions(above.store) == own)
    }

    @Test func `brings its ticket numbers along: none of them is given out again`() async throws {
        let day = ShanghaiTime.dayNumber(noon)
        // More than a database with another past skips by itself.
        let numbers = try await city.store.drawTicketNumbers(count: 60_000, dayNumber: day, channel: "01")
        var record = person(1)
        record.fields["service_request_id"] = .text(numbers[59_999].description)
        _ = try await city.store.intake([record], now: noon)
        try await carry(city.store, above.store, policy: link)
        try await recognise(afresh.store)
        try await carry(afresh.store, above.store, policy: link)
        try await giveBack(to: afresh.store)
        let next = try await afresh.store.drawTicketNumbers(count: 1, dayNumber: day, channel: "02")
        #expect(next[0].sequence == 60_001)
    }

    @Test func `is taken in the same life of the database where a person asks for it, and is counted`() async throws {
        _ = try await city.store.intake((1...3).map { person($0) }, now: noon)
        try await carry(city.store, above.store, policy: link)
        let queue = try DatabaseQueue(path: city.path)
        try await queue.write { try $0.execute(sql: "DELETE FROM service_request") }
        try queue.close()
        // A comparison finds what the city does not know.
        _ = try await above.store.release(
            withdrawn: [], lost: (1...3).map { "370100-\($0)" }, of: "service_request", origin: jinan, from: jinan,
            now: noon)
        #expect(try await giveBack(to: city.store).adopted == 0)
        let begin = try await city.store.beginRecovery(now: noon)
        #expect(try await city.store.beginRecovery(now: noon + 5) == begin, "one that goes on goes on")
        #expect(try await giveBack(to: city.store).adopted == 3)
        #expect(try await lost() == 0)
        let returned = try await city.store.returnedRows(since: begin)
        #expect(returned.map(\.rows) == [3] && returned[0].receiver == province)
        #expect(returned[0].treated == ["reporter_name": 3, "reporter_phone": 3])
        #expect(try await city.store.returnedRows(since: noon + 60_000).isEmpty)
    }

    @Test func `keeps the plain fields that an older version of it has`() async throws {
        _ = try await afresh.store.intake([person(1, title: "旧")], now: noon)
        _ = try await city.store.intake([person(1, title: "新")], now: noon + 60_000)
        try await carry(city.store, above.store, policy: link)
        try await recognise(afresh.store)
        try await carry(afresh.store, above.store, policy: link)
        #expect(try await giveBack(to: afresh.store).adopted == 1)
        let row = try await afresh.store.rows(
            sql: "SELECT title, reporter_phone, reporter_name FROM service_request", arguments: [])
        #expect(row == [[.text("新"), .text("13805311234"), .text("王小明")]])
        #expect(try await lost() == 0)
    }

    @Test func `stays deleted when it was deleted`() async throws {
        _ = try await afresh.store.intake([person(1), person(2)], now: noon)
        _ = try await city.store.intake([person(1), person(2)], now: noon)
        try await carry(city.store, above.store, policy: link)
        _ = try await city.store.remove(
            .delete, tickets: ["370100-1"], reason: "unlawful", order: ulid(1), now: noon + 60_000)
        _ = try await city.store.advanceConsumers(now: noon + 60_000)
        try await carry(city.store, above.store, policy: link)
        #expect(try await above.store.count("service_request") == 1)
        try await recognise(afresh.store)
        try await carry(afresh.store, above.store, policy: link)
        try await giveBack(to: afresh.store)
        try await carry(afresh.store, above.store, policy: link)
        for store in [afresh.store, above.store] { #expect(try await store.count("service_request") == 1) }
    }

    @Test func `is not taken from a neighbour while nothing was lost`() async throws {
        _ = try await city.store.intake((1...3).map { person($0) }, now: noon)
        try await carry(city.store, above.store, policy: link)
        try await carry(afresh.store, above.store, policy: link)
        // The city does not recover: anybody above could write tickets in its name.
        #expect(try await giveBack(to: afresh.store) == (0, 0, 0, 1))
        #expect(try await afresh.store.count("service_request") == 0)
        #expect(try await lost() == 3)
    }

    @Test func `is not taken from another than the receiver, nor more of it than an answer can name`() async throws {
        _ = try await city.store.intake((1...600).map { person($0) }, now: noon)
        try await carry(city.store, above.store, policy: link)
        try await recognise(afresh.store)
        func code(_ bytes: [UInt8], _ policy: LinkPolicy) async -> String? {
            await errorCode {
                let incoming = try IncomingChangeSet(
                    bytes: bytes, policy: policy, resources: afresh.store.resources, now: noon)
                _ = try await afresh.store.takeBack(incoming, policy: policy, now: noon)
            }
        }
        // What the city itself once sent, and the same as if the province gave it back.
        let start = Cursor(epoch: city.store.epoch, seq: 0, revision: link.revision, sweep: .complete)
        for (rows, verdict) in [(501, "E_CHANGE_SET_TOO_LARGE"), (500, nil)] {
            let sent = try await changeSet(city.store, from: start, policy: link, rowsMax: rows)
            #expect(await code(sent.bytes, link) == "E_LINK_ADDRESS")
            let (_, offset) = try sent.bytes.withUnsafeBytes { try ChangeSetHeader.decode($0) }
            var header = sent.header
            (header.sender, header.receiver) = (province, jinan)
            var payload = try Array(sent.bytes.dropFirst(offset)).withUnsafeBytes {
                try zstandardDecompress($0, limit: header.payloadBytes)
            }
            withUnsafeBytes(of: header.digest.littleEndian) { payload.replaceSubrange(0..<8, with: $0) }
            let returned = header.encoded() + (try ZstandardCompressor().compress(payload))
            #expect(await code(returned, link) == verdict)
            #expect(try await afresh.store.count("service_request") == (verdict == nil ? 500 : 0))
        }
    }

    @Test func `is let go of when the sender knows it and does not grant it`() async throws {
        _ = try await city.store.intake((1...3).map { person($0) }, now: noon)
        try await carry(city.store, above.store, policy: link)
        _ = try await afresh.store.intake((1...3).map { person($0) }, now: noon + 60_000)
        try await recognise(afresh.store)
        var grant = LinkGrant()
        grant.tickets.requestTypes = ["9"]
        let narrowed = Topology(
            name: "test", version: 2,
            nodes: qilu.nodes.map {
                TopologyNode(
                    id: $0.id, name: $0.name, parent: $0.parent, region: $0.region, endpoint: nil,
                    grant: $0.id == jinan ? grant : LinkGrant())
            })
        let narrow = policy(from: jinan, to: province, topology: narrowed)
        try await carry(afresh.store, above.store, policy: narrow)
        #expect(try await lost() == 3)
        let (changeSet, _) = try #require(
            try await above.store.lostChangeSet(
                of: jinan, policy: narrow, after: nil, now: noon, compressor: ZstandardCompressor()))
        let incoming = try IncomingChangeSet(
            bytes: changeSet.bytes, policy: narrow, resources: afresh.store.resources, now: noon)
        let taken = try await afresh.store.takeBack(incoming, policy: narrow, now: noon + 1)
        #expect(taken.settled.count == 3 && taken.adopted == 0)
        #expect(try await above.store.settle(taken.settled, of: jinan, now: noon + 2).lost == 0)
        #expect(try await above.store.count("service_request") == 0)
        #expect(try await afresh.store.count("service_request") == 3)
    }

    @Test func `of another node goes on towards that`() async throws {
        let county = try TemporaryStore(lixia, topology: qilu)
        let below = policy(from: lixia, to: jinan)
        _ = try await county.store.intake((1...4).map { ticket($0, origin: lixia) }, now: noon)
        try await carry(county.store, city.store, policy: below)
        try await carry(city.store, above.store, policy: link)
        // The county and the city are both set up afresh.
        let countyAfresh = try TemporaryStore(lixia, epoch: Epoch(counter: 1, nonce: 7), topology: qilu)
        try await recognise(afresh.store)
        try await carry(afresh.store, above.store, policy: link)
        #expect(try await giveBack(to: afresh.store).passedOn == 4)
        #expect(try await afresh.store.lostRows() == [lixia: 4])
        #expect(try await lost() == 0)
        try countyAfresh.store.publish(
            Standing(node: lixia, topology: qilu))
        let cursor = Cursor(
            epoch: Epoch(counter: 5, nonce: 5), seq: 9, revision: below.revision, sweep: .complete)
        _ = try await countyAfresh.store.recognise(cursor, mark: nil, of: jinan, now: noon)
        try await carry(countyAfresh.store, afresh.store, policy: below)
        let (changeSet, _) = try #require(
            try await afresh.store.lostChangeSet(
                of: lixia, policy: below, after: nil, now: noon, compressor: ZstandardCompressor()))
        let incoming = try IncomingChangeSet(
            bytes: changeSet.bytes, policy: below, resources: countyAfresh.store.resources, now: noon)
        #expect(try await countyAfresh.store.takeBack(incoming, policy: below, now: noon + 1).adopted == 4)
        try await carry(countyAfresh.store, afresh.store, policy: below)
        #expect(try await afresh.store.lostRows().isEmpty)
        #expect(try await countyAfresh.store.count("service_request") == 4)
    }
}
