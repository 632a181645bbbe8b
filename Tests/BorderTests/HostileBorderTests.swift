import ChangeSetFormat
import FederationModel
import Foundation
import NodeIdentity
import PeerTransport
import SyncProtocol
import TestSupport
import Testing
import Zstandard

/// Garbage from a neighbour whose certificate is good: each is refused with its code and counted, nothing of it is stored,
/// and a good change-set of the same neighbour is taken afterwards.
@Suite(.serialized, .runningProvince, .timeLimit(.minutes(15)))
struct `A province that a hostile neighbour speaks to` {
    let province: Province
    let city: City

    init() throws {
        province = try #require(Province.current)
        city = try province.nextCity()
    }

    // MARK: - Change-sets

    @Test func `takes a good change-set`() async throws { try await expectGood() }

    @Test func `refuses a change-set that is cut off`() async throws {
        let whole = try city.changeSet()
        try await expectRefused(Array(whole.prefix(20)), "E_CHANGE_SET_TRUNCATED")
        try await expectRefused(Array(whole.prefix(whole.count - 9)), "E_CHANGE_SET_TRUNCATED")
        try await expectGood()
    }

    @Test func `refuses bytes that are no change-set`() async throws {
        try await expectRefused(Array("PK\u{3}\u{4} an archive".utf8), "E_CHANGE_SET_MAGIC")
        try await expectGood()
    }

    @Test func `refuses a zstd bomb`() async throws {
        let (header, _) = city.plain()
        try await expectRefused(header.encoded() + zstdBomb(), "E_CHANGE_SET_TOO_LARGE")
        try await expectGood()
    }

    @Test func `refuses a payload that does not decompress`() async throws {
        let (header, _) = city.plain()
        try await expectRefused(header.encoded() + Array("no frame of zstd".utf8), "E_CHANGE_SET_CORRUPT")
        try await expectGood()
    }

    @Test func `refuses a payload of another header`() async throws {
        let (header, _) = city.plain(editHeader: { $0.head += 1 })
        let (_, payload) = city.plain()
        try await expectRefused(header.encoded() + compressed(payload), "E_CHANGE_SET_CHECKSUM")
        try await expectGood()
    }

    @Test func `refuses counts that lie`() async throws {
        try await expectRefused(city.changeSet(editHeader: { $0.rowCount += 1 }), "E_CHANGE_SET_COUNTS")
        try await expectRefused(city.changeSet(editHeader: { $0.rowCount -= 1 }), "E_CHANGE_SET_COUNTS")
        try await expectRefused(city.changeSet(editHeader: { $0.payloadBytes += 1 }), "E_CHANGE_SET_COUNTS")
        try await expectRefused(city.changeSet(editHeader: { $0.payloadBytes -= 1 }), "E_CHANGE_SET_TOO_LARGE")
        let more = SyncLimits.payloadBytesMax + 1
        try await expectRefused(city.changeSet(editHeader: { $0.payloadBytes = more }), "E_CHANGE_SET_TOO_LARGE")
        try await expectGood()
    }

    @Test func `refuses a resource that it does not know`() async throws {
        let secret = ResourceDefinition("secret", "密", columns: BuiltInResources.serviceRequest.columns)
        try await expectRefused(city.changeSet(resource: secret), "E_RESOURCE_UNKNOWN")
        try await expectGood()
    }

    @Test func `keeps a column that it does not know, and refuses one whose name is none`() async throws {
        func changeSet(_ name: String) throws -> [UInt8] {
            let resource = like(BuiltInResources.serviceRequest) { $0 + [ColumnDefinition(name, "", level: .open)] }
            return try city.changeSet(resource: resource, edit: { $0[name] = .text("x") })
        }
        for name in ["seq", "carried", "Surprise", "a'); DROP TABLE node; --"] {
            try await expectRefused(changeSet(name), "E_COLUMN_UNKNOWN")
        }
        #expect(try await city.answer(to: changeSet("surprise")) == .acknowledged(rows: City.rowsOfDraft))
        #expect(try province.storedRows(of: city.node) == City.rowsOfDraft)
    }

    @Test func `puts rows with values of another type aside`() async throws {
        let resource = like(BuiltInResources.serviceRequest) { columns in
            columns.map { $0.name == "title" ? ColumnDefinition("title", "", .integer, level: .open) : $0 }
        }
        let bytes = try city.changeSet(resource: resource, edit: { $0["title"] = .integer(7) })
        #expect(try await city.answer(to: bytes) == .acknowledged(rows: 0))
        #expect(try province.storedRows(of: city.node) == City.rowsOfDraft, "in quarantine")
    }

    @Test(arguments: [Cell.bytes([0xe4, 0xb8]), .text("a\0b")])
    func `puts a row aside whose text is not UTF-8, or has a NUL`(title: Cell) async throws {
        let bytes = try city.changeSet(edit: { $0["title"] = title })
        #expect(try await city.answer(to: bytes) == .acknowledged(rows: 0))
        #expect(try province.storedRows(of: city.node) == City.rowsOfDraft, "in quarantine")
    }

    @Test func `refuses a key that is not UTF-8, or has a NUL`() async throws {
        try await expectRefused(city.changeSet(edit: { $0["key"] = .bytes([0xe4, 0xb8]) }), "E_TEXT_ENCODING")
        try await expectRefused(city.changeSet(edit: { $0["key"] = .text("a\0b") }), "E_TEXT_NUL")
        try await expectGood()
    }

    @Test func `refuses rows of an origin that the neighbour does not supply`() async throws {
        let victim = try province.nextCity()
        for origin in [victim.node.code, Province.node, "37010", "' OR 1=1 --"] {
            try await expectRefused(
                city.changeSet(edit: { $0["origin"] = .text(origin) }), "E_ORIGIN_NOT_SUPPLIED")
        }
        #expect(try province.storedRows(of: victim.node) == 0)
        try await expectGood()
    }

    @Test func `puts rows with versions out of the future aside`() async throws {
        let future = (now() + SyncLimits.clockSkewMax + 60_000) << 16
        let bytes = try city.changeSet(edit: { $0["version"] = .integer(future) })
        #expect(try await city.answer(to: bytes) == .acknowledged(rows: 0))
        #expect(try province.storedRows(of: city.node) == City.rowsOfDraft, "in quarantine")
    }

    @Test func `refuses a change-set in the name of another node`() async throws {
        let victim = try province.nextCity()
        try await expectRefused(city.changeSet(editHeader: { $0.sender = victim.node }), "E_LINK_ADDRESS")
        try await expectRefused(city.changeSet(editHeader: { $0.receiver = victim.node }), "E_LINK_ADDRESS")
        try await expectGood()
    }

    @Test func `refuses a change-set that starts where its link does not stand`() async throws {
        let start = SweepPosition.at(resource: "closure", after: nil)
        try await expectRefused(city.changeSet(editHeader: { $0.start.sweep = start }), "E_OUT_OF_STEP")
        try await expectGood()
    }

    @Test func `puts single bad rows aside and takes the others`() async throws {
        let bytes = try city.changeSet(edit: { row in
            if row["key"] == .text("\(city.node)-2") { row["channel"] = .text("打电话") }
            if row["key"] == .text("\(city.node)-3") { row["requested_datetime"] = .integer(.max) }
        })
        #expect(try await city.answer(to: bytes) == .acknowledged(rows: City.rowsOfDraft - 2))
    }

    // MARK: - Frames

    @Test func `refuses a frame that is too long by its head alone`() async throws {
        let bytes = frameBytes(.changeSet, length: SyncLimits.changeSetBytesMax + 1, [1, 2, 3])
        try await expectRefusedFrame(bytes, "E_FRAME_TOO_LARGE")
        try await expectRefusedFrame(
            frameBytes(.heartbeat, length: SyncLimits.controlFrameBytesMax + 1, []), "E_FRAME_TOO_LARGE")
        try await expectGood()
    }

    @Test func `refuses a frame of a kind that it does not know or that only it may write`() async throws {
        try await expectRefusedFrame(frameBytes(99, length: 0, []), "E_FRAME_KIND")
        try await expectRefusedFrame(frameBytes(.acknowledgement, length: 0, []), "E_FRAME_KIND")
        try await expectGood()
    }

    @Test func `refuses a heartbeat that is none`() async throws {
        let body = Array("{\"head\": \"many\"}".utf8)
        let code = try await city.answer(toBytes: frameBytes(.heartbeat, length: body.count, body))
        guard case .refused = code else {
            Issue.record("the heartbeat is not refused: \(code)")
            return
        }
        try await expectGood()
    }

    @Test(arguments: [Int64.min, .max]) func `answers questions whatever a neighbour says of its freshness`(
        asOf: Int64
    ) async throws {
        let conversation = try await city.connect()
        let bytes = try city.changeSet()
        try await conversation.stream.write(frameBytes(.changeSet, length: bytes.count, bytes))
        #expect(try await conversation.answer() == .acknowledged(rows: City.rowsOfDraft))
        let heartbeat = Heartbeat(
            head: 3, clock: now(), isLevel: true, origins: [city.node: OriginFreshness(asOf: asOf, complete: true)])
        // It is noted soon after the echo; the process that asks takes some milliseconds each time.
        for _ in 0..<200 {
            try await conversation.stream.write(Frame(.heartbeat, Array(JSONEncoder().encode(heartbeat))).encoded)
            #expect(try await conversation.next()?.kind == .echo)
            if try province.freshness(of: city.node) == asOf { break }
        }
        #expect(try province.freshness(of: city.node) == asOf)
        #expect(try [0, 3].contains(province.query()))
        conversation.stream.cancel()
    }

    @Test func `forgets a change-set whose connection breaks in the middle`() async throws {
        let bytes = try city.changeSet()
        let conversation = try await city.connect()
        try await conversation.stream.write(
            frameBytes(.changeSet, length: bytes.count, Array(bytes.prefix(bytes.count / 2))))
        conversation.stream.cancel()
        #expect(try province.storedRows(of: city.node) == 0)
        try await expectGood()
    }

    @Test func `ends the connection of a neighbour that asks and never listens`() async throws {
        let conversation = try await city.connect()
        let probes = Array(repeatElement(Frame(.probe).encoded, count: 10_000).joined())
        var isOpen = true
        for _ in 0..<60 where isOpen {
            // It fails once the province has ended the stream.
            do { try await conversation.stream.write(probes) } catch { isOpen = false }
        }
        conversation.stream.finish()
        while let frame = try? await conversation.next() { #expect(frame.kind == .echo || frame.kind == .goodbye) }
        #expect(try province.refusals("E_PEER_SLOW", of: city.node) == 1)
        try await expectGood()
    }

    // MARK: - Expectations

    func expectRefused(_ changeSet: [UInt8], _ code: String) async throws {
        try await expectRefusedFrame(frameBytes(.changeSet, length: changeSet.count, changeSet), code)
    }

    func expectRefusedFrame(_ bytes: [UInt8], _ code: String) async throws {
        let before = try province.refusals(code, of: city.node)
        #expect(try await city.answer(toBytes: bytes) == .refused(code))
        #expect(try province.refusals(code, of: city.node) == before + 1)
        #expect(try province.storedRows(of: city.node) == 0)
    }

    func expectGood() async throws { #expect(try await expectGood(of: city)) }

    /// Whether the province takes a good change-set of `city` and has it on its disk.
    func expectGood(of city: City) async throws -> Bool {
        let answer = try await city.answer(to: city.changeSet())
        #expect(answer == .acknowledged(rows: City.rowsOfDraft))
        return try province.storedRows(of: city.node) == City.rowsOfDraft && province.isRunning
    }

    func expectNoHandshake(_ credentials: PeerCredentials, _ outcome: String) async throws {
        let before = try province.handshakes(outcome)
        let intruder = try City(city.node, of: province, credentials: credentials)
        await #expect(throws: (any Error).self) { try await intruder.say(intruder.hello) }
        #expect(try province.handshakes(outcome) == before + 1)
        try await expectGood()
    }

    private func like(
        _ resource: ResourceDefinition, _ columns: ([ColumnDefinition]) -> [ColumnDefinition]
    ) -> ResourceDefinition {
        ResourceDefinition(resource.name, resource.title, columns: columns(resource.columns))
    }

    private func compressed(_ payload: [UInt8]) throws -> [UInt8] { try City.compressor.compress(payload) }

    /// 10 GiB of zeros in 320 KiB: a frame that does not say its size, of blocks of 128 KiB in four bytes each (RFC 8878,
    /// 3.1.1).
    private func zstdBomb() -> [UInt8] {
        let block: [UInt8] = [0x02, 0x00, 0x10, 0x00]
        return [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38] + repeatElement(block, count: 81_919).joined() + [
            0x03, 0x00, 0x10, 0,
        ]
    }
}
