import ChangeSetFormat
import FederationModel
import Foundation
import LocalStore
import TestSupport
import Testing
import Zstandard

/// Design rule 6: nobody has to say that he restored.
@Suite struct `A database with another past` {
    private let folder: TemporaryFolder
    private let above: TemporaryStore
    private let link = policy(from: jinan, to: province)

    init() throws {
        folder = try TemporaryFolder("store")
        above = try TemporaryStore(province)
        try NodeStore.create(at: folder.path("node.db"), node: jinan, epoch: Epoch(counter: 1, nonce: 42))
    }

    /// The city's database, open for as long as `work` runs.
    private func city<Result>(_ name: String = "node.db", _ work: (NodeStore) async throws -> Result) async throws
        -> Result
    {
        let store = try NodeStore(at: folder.path(name))
        defer { try? store.close() }
        try store.publish(Standing(node: jinan, topology: qilu))
        return try await work(store)
    }

    private func copy() throws {
        for end in ["", "-wal"] where FileManager.default.fileExists(atPath: folder.path("node.db\(end)")) {
            try FileManager.default.copyItem(
                atPath: folder.path("node.db\(end)"), toPath: folder.path("copy.db\(end)"))
        }
    }

    private func send(_ store: NodeStore, rowsMax: Int = 1_000) async throws {
        while true {
            let start = try await startCursor(store, above.store, policy: link)
            let prepared = try await store.prepareChangeSet(
                from: start, policy: link, rowsMax: rowsMax, hasMark: true, now: noon,
                compressor: ZstandardCompressor())
            guard case .changeSet(let outgoing) = prepared else { return }
            let incoming = try IncomingChangeSet(
                bytes: outgoing.bytes, policy: link, resources: above.store.resources, now: noon)
            _ = try await above.store.apply(incoming, policy: link, now: noon)
        }
    }

    /// What the city makes of the province's cursor.
    private func recognise(_ store: NodeStore) async throws -> Epoch? {
        let durable = try await above.store.markedCursor(of: jinan)
        return try await store.recognise(durable?.cursor, mark: durable?.mark, of: province, now: noon)
    }

    @Test func `is not suspected while it goes on`() async throws {
        try await city { store in
            #expect(try await recognise(store) == nil)
            for number in 1...20 {
                _ = try await store.intake([ticket(number)], now: noon)
                try await send(store)
                #expect(try await recognise(store) == nil)
            }
        }
        try await city { store in
            _ = try await store.intake((21...50).map { ticket($0) }, now: noon)
            #expect(try await recognise(store) == nil)
        }
    }

    @Test(arguments: [0, 1, 500]) func `is recognised when it is an older copy, however far it has written on`(
        written: Int
    ) async throws {
        try await city { _ = try await $0.intake([ticket(1)], now: noon) }
        try copy()
        try await city { store in
            _ = try await store.intake((2...50).map { ticket($0) }, now: noon)
            try await send(store)
        }
        try await city("copy.db") { store in
            for number in 0..<written { _ = try await store.intake([ticket(1_000 + number)], now: noon) }
            #expect(try await recognise(store)?.counter == 2)
            #expect(store.epoch.counter == 2)
            #expect(try await recognise(store) == nil)
        }
        try await city("copy.db") { #expect($0.epoch.counter == 2) }
    }

    @Test func `is recognised by a receiver that stands in the middle of a commit that was lost`() async throws {
        try await city { _ = try await $0.intake([ticket(1)], now: noon) }
        try copy()
        try await city { store in
            _ = try await store.intake((2...500).map { ticket($0) }, now: noon)
            let start = try await startCursor(store, above.store, policy: link)
            // The tail alone, so that the cursor stands within the one commit.
            let tail = Cursor(epoch: start.epoch, seq: 1, revision: start.revision, sweep: .complete)
            guard
                case .changeSet(let part) = try await store.prepareChangeSet(
                    from: tail, policy: link, rowsMax: 10, hasMark: true, now: noon, compressor: ZstandardCompressor())
            else { preconditionFailure("499 rows are there") }
            #expect(part.header.end.seq == 11)
            let (cursor, mark) = (part.header.end, part.header.mark)
            #expect(try await store.recognise(cursor, mark: mark, of: province, now: noon) == nil)
            try await city("copy.db") { other in
                _ = try await other.intake((2...500).map { ticket(1_000 + $0) }, now: noon)
                #expect(try await other.recognise(cursor, mark: mark, of: province, now: noon) != nil)
            }
        }
    }

    @Test func `is recognised when it was set up afresh, by the epoch`() async throws {
        try await city { store in
            _ = try await store.intake([ticket(1)], now: noon)
            try await send(store)
        }
        let afresh = try TemporaryStore(jinan, epoch: Epoch(counter: 1, nonce: 43))
        #expect(try await recognise(afresh.store)?.counter == 2)
    }

    @Test func `is not suspected by a receiver that itself goes back behind what was pruned`() async throws {
        try await city { store in
            _ = try await store.intake((1...5).map { ticket($0) }, now: noon)
            try await send(store)
            let old = try #require(try await above.store.markedCursor(of: jinan))
            for number in 6...20 { _ = try await store.intake([ticket(number)], now: noon) }
            try await send(store)
            let now = try #require(try await above.store.markedCursor(of: jinan))
            try await store.confirm(now.cursor, by: province, now: noon)
            _ = try await store.advanceConsumers(now: noon)
            _ = try await store.prune(receivers: [province], retention: 0, now: noon)
            #expect(try await store.count("history_mark", where: "1") == 1)
            #expect(try await store.recognise(old.cursor, mark: old.mark, of: province, now: noon) == nil)
            #expect(try await recognise(store) == nil)
        }
    }

    @Test func `begins no epoch that no node comes to`() async throws {
        try await city { store in
            let cursor = Cursor(
                epoch: Epoch(counter: .max, nonce: 1), seq: 0, revision: link.revision, sweep: .complete)
            #expect(
                await errorCode { _ = try await store.recognise(cursor, mark: nil, of: province, now: noon) }
                    == "E_EPOCH")
            #expect(store.epoch.counter == 1)
        }
    }

    @Test func `gives out no ticket number twice`() async throws {
        let day = ShanghaiTime.dayNumber(noon)
        try await city { _ = try await $0.intake([ticket(1)], now: noon) }
        try copy()
        let last = try await city { store in
            let numbers = try await store.drawTicketNumbers(count: 30_000, dayNumber: day, channel: "01")
            _ = try await store.intake((2...9).map { ticket($0) }, now: noon)
            try await send(store)
            return numbers.last?.sequence ?? 0
        }
        try await city("copy.db") { store in
            _ = try await recognise(store)
            let next = try await store.drawTicketNumbers(count: 1, dayNumber: day, channel: "01")
            #expect(next[0].sequence > last)
        }
    }
}
