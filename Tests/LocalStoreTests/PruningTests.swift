import FederationModel
import LocalStore
import TestSupport
import Testing
import Zstandard

import struct FederationModel.Cursor

@Suite struct Tombstones {
    @Test func `stay until every receiver has confirmed them, and one that stands before them is swept`() async throws {
        let city = try TemporaryStore(jinan, topology: qilu)
        let above = try TemporaryStore(province, topology: qilu)
        let link = policy(from: jinan, to: province)
        _ = try await city.store.intake((1...3).map { ticket($0) }, now: noon)
        try await carry(city.store, above.store, policy: link)
        let before = try #require(try await above.store.cursor(of: jinan))
        _ = try await city.store.remove(
            .delete, tickets: ["370100-1"], reason: "unlawful", order: ulid(1), now: noon)
        try await city.store.catchUpConsumers(now: noon)
        let head = try await city.store.head()
        var now = noon
        func prune() async throws -> Int {
            now += 2 * 3_600_000
            _ = try await city.store.advanceConsumers(now: now)
            return try await city.store.prune(receivers: [province, qingdao], retention: 0, now: now).tombstones
        }
        func confirm(by receiver: NodeID) async throws {
            try await city.store.confirm(
                Cursor(epoch: city.store.epoch, seq: head, revision: link.revision, sweep: .complete), by: receiver,
                now: now)
        }
        #expect(try await prune() == 0)
        try await confirm(by: province)
        #expect(try await prune() == 0, "the other one has never confirmed anything")
        try await confirm(by: qingdao)
        #expect(try await prune() == 1)

        // The province's database is an older one again.
        func prepare(_ start: Cursor) async throws -> Preparation {
            try await city.store.prepareChangeSet(
                from: start, policy: link, rowsMax: 100, evenIfEmpty: true, now: now,
                compressor: ZstandardCompressor())
        }
        guard case .pruned(head: let swept) = try await prepare(before) else {
            Issue.record("it is sent on as if nothing were missing")
            return
        }
        let start = Cursor(
            epoch: city.store.epoch, seq: swept, revision: link.revision, sweep: link.sweepStart)
        guard case .changeSet(let sent) = try await prepare(start) else {
            Issue.record("no sweep")
            return
        }
        let read = try IncomingChangeSet(
            bytes: sent.bytes, policy: link, resources: above.store.resources, now: now)
        #expect(try await above.store.apply(read, policy: link, now: now).retracted == 1)
        #expect(try await above.store.keys(of: jinan) == ["370100-2", "370100-3"])
    }
}
