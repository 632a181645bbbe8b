import ChangeSetFormat
import FederationModel
import Foundation
import TestSupport
import Testing

@Suite struct `The header of a change-set` {
    @Test(arguments: 0..<300 as Range<UInt64>) func `comes back as it was written`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let header = anyHeader(&random)
        let bytes = header.encoded() + [1, 2, 3]
        let (read, offset) = try bytes.withUnsafeBytes { try ChangeSetHeader.decode($0) }
        #expect(read == header)
        #expect(read.digest == header.digest)
        #expect(offset == bytes.count - 3)
    }

    @Test func `is refused as truncated wherever it is cut`() {
        var random = SplitMix64(seed: 1)
        let bytes = anyHeader(&random).encoded()
        for length in 0..<bytes.count {
            #expect(headerCode(Array(bytes.prefix(length))) == "E_CHANGE_SET_TRUNCATED", "cut at \(length)")
        }
    }

    @Test func `is refused with another magic`() {
        let bytes = PlainChangeSet([]).header.encoded()
        for index in 0..<4 {
            var broken = bytes
            broken[index] ^= 0x20
            #expect(headerCode(broken) == "E_CHANGE_SET_MAGIC")
        }
        #expect(headerCode(Array("PK\u{3}\u{4} or whatever else".utf8)) == "E_CHANGE_SET_MAGIC")
    }

    @Test func `is refused in a format from the future`() {
        #expect(headerCode(wrapped([3])) == "E_CHANGE_SET_VERSION")
        #expect(headerCode(wrapped([0])) == "E_CHANGE_SET_VERSION")
    }

    @Test func `is refused when it is longer than its fields`() {
        let body = Array(PlainChangeSet([]).header.encoded().dropFirst(5))
        #expect(headerCode(wrapped(body)) == nil)
        #expect(headerCode(wrapped(body + [0])) == "E_CHANGE_SET_MALFORMED")
    }

    @Test func `may announce 4,096 bytes and not one more`() {
        let magic = ChangeSetHeader.magic
        var atLimit = ByteWriter()
        atLimit.appendVarint(UInt64(SyncLimits.headerBytesMax))
        #expect(headerCode(magic + atLimit.bytes) == "E_CHANGE_SET_TRUNCATED")
        var beyond = ByteWriter()
        beyond.appendVarint(UInt64(SyncLimits.headerBytesMax) + 1)
        #expect(headerCode(magic + beyond.bytes) == "E_CHANGE_SET_TOO_LARGE")
    }

    @Test func `is refused when its seqs run backwards`() {
        func seqs(_ start: Int64, _ step: Int64, _ ahead: Int64) -> String? {
            var fields = Fields()
            (fields.seq, fields.step, fields.ahead) = (start, step, ahead)
            return headerCode(wrapped(fields.bytes))
        }
        #expect(seqs(5, 0, 0) == nil)
        #expect(seqs(Int64.max, 0, 0) == nil)
        #expect(seqs(5, -1, 1) == "E_CHANGE_SET_MALFORMED")
        #expect(seqs(5, 3, -1) == "E_CHANGE_SET_MALFORMED")
        #expect(seqs(-1, 2, 0) == "E_CHANGE_SET_MALFORMED")
        #expect(seqs(Int64.max, 1, 0) == "E_CHANGE_SET_MALFORMED")
        #expect(seqs(0, Int64.max, 1) == "E_CHANGE_SET_MALFORMED")
    }

    @Test func `holds each of its numbers at the limit and refuses one more`() {
        func with(_ change: (inout Fields) -> Void) -> String? {
            var fields = Fields()
            change(&fields)
            return headerCode(wrapped(fields.bytes))
        }
        #expect(with { $0.rows = UInt64(SyncLimits.rowsMax) } == nil)
        #expect(with { $0.rows = UInt64(SyncLimits.rowsMax) + 1 } == "E_CHANGE_SET_TOO_LARGE")
        #expect(with { $0.payload = UInt64(SyncLimits.payloadBytesMax) } == nil)
        #expect(with { $0.payload = UInt64(SyncLimits.payloadBytesMax) + 1 } == "E_CHANGE_SET_TOO_LARGE")
        #expect(with { $0.payload = .max } == "E_CHANGE_SET_TOO_LARGE")
        #expect(with { $0.schema = UInt64(Int32.max) } == nil)
        #expect(with { $0.schema = UInt64(Int32.max) + 1 } == "E_CHANGE_SET_MALFORMED")
        #expect(with { $0.counter = UInt64(UInt32.max) } == nil)
        #expect(with { $0.counter = UInt64(UInt32.max) + 1 } == "E_CHANGE_SET_MALFORMED")
        #expect(with { $0.sender = "37010012345678" } == "E_CHANGE_SET_MALFORMED")
        #expect(with { $0.sender = "37010" } == "E_CHANGE_SET_MALFORMED")
        #expect(with { $0.sender = "37010a" } == "E_CHANGE_SET_MALFORMED")
    }

    @Test func `holds the names and keys of a sweep at the limit and refuses one byte more`() {
        func sweep(name: Int, key: Int) -> String? {
            var fields = Fields()
            fields.sweepName = String(repeating: "n", count: name)
            fields.sweepKey = String(repeating: "k", count: key)
            return headerCode(wrapped(fields.bytes))
        }
        #expect(sweep(name: SyncLimits.nameBytesMax, key: RowKey.bytesMax) == nil)
        #expect(sweep(name: SyncLimits.nameBytesMax + 1, key: 1) == "E_CHANGE_SET_MALFORMED")
        #expect(sweep(name: 1, key: RowKey.bytesMax + 1) == "E_CHANGE_SET_MALFORMED")
        var unknown = Fields()
        unknown.sweepKind = 3
        #expect(headerCode(wrapped(unknown.bytes)) == "E_CHANGE_SET_MALFORMED")
    }

    @Test func `is refused with a number of more than 64 bits`() {
        var most = ByteWriter()
        most.appendVarint(.max)
        #expect(most.bytes.count == 10)
        #expect(headerCode(wrapped(most.bytes)) == "E_CHANGE_SET_VERSION")
        #expect(headerCode(wrapped([UInt8](repeating: 0xff, count: 9) + [2])) == "E_CHANGE_SET_MALFORMED")
        #expect(headerCode(wrapped([UInt8](repeating: 0x80, count: 9) + [0x80, 0])) == "E_CHANGE_SET_MALFORMED")
    }

    /// Magic and length before `body`.
    private func wrapped(_ body: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(contentsOf: ChangeSetHeader.magic)
        writer.appendVarint(UInt64(body.count))
        writer.append(contentsOf: body)
        return writer.bytes
    }

    private func anyHeader(_ random: inout SplitMix64) -> ChangeSetHeader {
        let epoch = Epoch(counter: .random(in: 0 ... .max, using: &random), nonce: random.next())
        let revision = LinkRevision(
            topology: .random(in: .min ... .max, using: &random), policy: .random(in: .min ... .max, using: &random))
        let seqs = (0..<3).map { _ in Int64.random(in: 0...(Bool.random(using: &random) ? 99 : .max), using: &random) }
            .sorted()
        func position() -> SweepPosition {
            switch Int.random(in: 0..<3, using: &random) {
            case 0: .complete
            case 1: .at(resource: "service_request", after: nil)
            default: .at(resource: "回访", after: RowKey(origin: "370100", key: "370100-工单-\(random.next())"))
            }
        }
        return ChangeSetHeader(
            sender: node("370100"), receiver: node("370000123456"),
            start: Cursor(epoch: epoch, seq: seqs[0], revision: revision, sweep: position()),
            end: Cursor(epoch: epoch, seq: seqs[1], revision: revision, sweep: position()), head: seqs[2],
            schemaRevision: .random(in: 0...Int(Int32.max), using: &random),
            rowCount: .random(in: 0...SyncLimits.rowsMax, using: &random),
            payloadBytes: .random(in: 0...SyncLimits.payloadBytesMax, using: &random),
            createdAt: .random(in: .min ... .max, using: &random),
            mark: Bool.random(using: &random) ? HistoryMark(random.next()) : nil)
    }

    /// The fields of a header's body, which need not be sane.
    private struct Fields {
        var sender = "370100"
        var counter: UInt64 = 1
        var seq: Int64 = 1
        var step: Int64 = 1
        var ahead: Int64 = 1
        var sweepKind: UInt8 = 2
        var sweepName = "sample"
        var sweepKey = "k"
        var schema: UInt64 = 1
        var rows: UInt64 = 0
        var payload: UInt64 = 0

        var bytes: [UInt8] {
            var writer = ByteWriter()
            writer.appendVarint(ChangeSetHeader.formatVersions.lowerBound)
            writer.append(text: sender)
            writer.append(text: "370000")
            writer.appendVarint(counter)
            writer.append(fixed: 42)
            for number in [seq, step, ahead, 1, 0] { writer.appendSigned(number) }
            writer.append(sweepKind)
            writer.append(text: sweepName)
            writer.append(text: "370100")
            writer.append(text: sweepKey)
            writer.append(0)
            for number in [schema, rows, payload] { writer.appendVarint(number) }
            writer.appendSigned(0)
            return writer.bytes
        }
    }
}
