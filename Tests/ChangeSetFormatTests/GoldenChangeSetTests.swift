import ChangeSetFormat
import FederationModel
import TestSupport
import Testing

/// A change-set before its compression, as this release writes it, kept as bytes.
@Suite struct `A change-set as it is written` {
    private static let rows: [[SampleRow]] = [
        [
            row(
                "1",
                [
                    .text("路灯"), .text(""), .text("01"), .integer(.min), .integer(1_790_000_000_000), .integer(1),
                    .real(-0.0),
                    .text("{\"a\":1}"),
                ]),
            row("工单/2", [.text("名"), .null, .text("01"), .integer(.max), .null, .integer(0), .real(1e300)]),
            row("3", [.text("路灯"), .text("\u{1}🚧"), .text("02"), .integer(-1), .integer(0), .null, .real(36.650001)]),
        ],
        (0..<300).map {
            row("k\($0)", [.text("名\($0 % 7)"), .null, .text("0\($0 % 3)"), .integer(Int64($0) * 1_000)])
        },
    ]

    private static func made() -> PlainChangeSet {
        var tail = BlockWriter(resource: sample, kind: .tail)
        for (number, row) in rows[0].enumerated() {
            for (index, value) in row.enumerated() { tail.columns[index].append(value) }
            if number == 1 { tail.carry("later", .text("后来")) }
            tail.finishRow()
        }
        var changeSet = PlainChangeSet([tail, block(rows[1], kind: .sweep)])
        changeSet.header.mark = HistoryMark(0x0123_4567_89ab_cdef)
        changeSet.header.start = cursor(4, sweep: .at(resource: "sample", after: RowKey(origin: "370100", key: "k")))
        changeSet.seal()
        return changeSet
    }

    @Test func `is written byte for byte as ever, and read again`() throws {
        let made = Self.made()
        let stored = try GoldenFile("change-set-release-0.1.plain").bytes(or: made.header.encoded() + made.payload)
        #expect(stored == made.header.encoded() + made.payload, "today's release writes other bytes")
        let (header, length) = try stored.withUnsafeBytes { try ChangeSetHeader.decode($0) }
        #expect(header == made.header && header.rowCount == 303 && header.mark != nil)
        var read = made
        (read.header, read.payload) = (header, Array(stored[length...]))
        #expect(try read.rows() == Self.rows)
        let blocks = try read.decoded()
        #expect(blocks.map(\.kind) == [.tail, .sweep] && blocks[0].foreign.map(\.name) == ["later"])
    }
}
