import ChangeSetFormat
import FederationModel
import Testing

@Suite struct `A hostile payload` {
    private let every: UInt8 = 0
    private let bitmap: UInt8 = 1

    @Test func `is refused wherever it is cut`() {
        let whole = PlainChangeSet([block([row("a"), row("b"), row("c")]), block([row("d")], kind: .sweep)])
        for length in 0..<whole.payload.count {
            var cut = whole
            cut.payload = Array(whole.payload.prefix(length))
            let code = payloadCode(cut)
            #expect(
                code == "E_CHANGE_SET_TRUNCATED" || code == "E_CHANGE_SET_COUNTS", "cut at \(length): \(code ?? "")")
        }
    }

    @Test func `is refused when it belongs to another header`() {
        var other = PlainChangeSet([block([row("a")])])
        other.header.end.seq += 1
        other.header.head += 1
        #expect(payloadCode(other) == "E_CHANGE_SET_CHECKSUM")
    }

    @Test func `is refused when it has bytes behind its blocks`() {
        var longer = PlainChangeSet([block([row("a")])])
        longer.payload.append(0)
        #expect(payloadCode(longer) == "E_CHANGE_SET_COUNTS")
    }

    @Test func `is refused when it holds more or fewer rows than its header says`() {
        let blocks = [block([row("a"), row("b")])]
        #expect(payloadCode(PlainChangeSet(blocks, rowCount: 1)) == "E_CHANGE_SET_COUNTS")
        #expect(payloadCode(PlainChangeSet(blocks, rowCount: 3)) == "E_CHANGE_SET_COUNTS")
    }

    @Test func `may hold 64 blocks and not one more`() {
        let resources = (0..<33).map { number in
            ResourceDefinition(ResourceName("r\(number)"), "", columns: [ColumnDefinition("c", "", level: .open)])
        }
        let blocks = resources.flatMap { [block([], of: $0), block([], of: $0, kind: .sweep)] }
        #expect(payloadCode(PlainChangeSet(Array(blocks.prefix(64))), resources: resources) == nil)
        #expect(
            payloadCode(PlainChangeSet(Array(blocks.prefix(65))), resources: resources) == "E_CHANGE_SET_COUNTS")
    }

    @Test func `may hold 160 columns and not one more`() {
        func wide(_ columns: Int) -> String? {
            let resource = ResourceDefinition(
                "wide", "", columns: (0..<columns - 4).map { ColumnDefinition("c\($0)", "", level: .open) })
            let values = [FieldValue](repeating: .text("v"), count: columns - 4)
            let envelope = row("k").prefix(4)
            return payloadCode(PlainChangeSet([block([envelope + values], of: resource)]), resources: [resource])
        }
        #expect(wide(SyncLimits.columnsMax) == nil)
        #expect(wide(SyncLimits.columnsMax + 1) == "E_CHANGE_SET_COUNTS")
    }

    @Test func `may hold names of 64 bytes and not one more`() {
        func named(_ length: Int) -> String? {
            let resource = ResourceDefinition(
                ResourceName(String(repeating: "r", count: length)), "",
                columns: [ColumnDefinition("c", "", level: .open)])
            return payloadCode(PlainChangeSet([block([], of: resource)]), resources: [resource])
        }
        #expect(named(SyncLimits.nameBytesMax) == nil)
        #expect(named(SyncLimits.nameBytesMax + 1) == "E_CHANGE_SET_MALFORMED")
    }

    @Test func `is refused with counts that lie`() {
        func lying(_ block: [UInt8], count: Int? = nil, rows: Int = 1) -> String? {
            payloadCode(PlainChangeSet(raw: [block], count: count, rowCount: rows))
        }
        #expect(lying(rawBlock(rows: 1, [])) == nil)
        #expect(lying(rawBlock(rows: 1, []), count: 2) == "E_CHANGE_SET_TRUNCATED")
        #expect(lying(rawBlock(rows: 1, []), count: 0) == "E_CHANGE_SET_COUNTS")
        #expect(lying(rawBlock(rows: 1, columnCount: 5, [])) == "E_CHANGE_SET_TRUNCATED")
        #expect(lying(rawBlock(rows: 1, columnCount: 3, [])) == "E_CHANGE_SET_MALFORMED")
        #expect(lying(rawBlock(rows: 1, columnCount: .max, [])) == "E_CHANGE_SET_COUNTS")
        #expect(lying(rawBlock(rows: 2, [])) == "E_CHANGE_SET_COUNTS")
        let name = rawColumn("name", 1, [every, 1, 0x61], length: 1 << 40)
        #expect(lying(rawBlock(rows: 1, [name])) == "E_CHANGE_SET_TRUNCATED")
        let longer = rawColumn("name", 1, [every, 1, 0x61, 0x62])
        #expect(lying(rawBlock(rows: 1, [longer])) == "E_CHANGE_SET_MALFORMED")
    }

    @Test func `is refused with a text that is longer than its column`() {
        for length: [UInt8] in [
            [2], [0xff, 0xff, 0xff, 0x7f], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        ] {
            #expect(column("name", 1, [every] + length + [0x61]) == "E_CHANGE_SET_TRUNCATED")
        }
        let wide = rawColumn("name", 1, [every, 1, 2, 0x61, 0x62])
        #expect(payloadCode(PlainChangeSet(raw: [rawBlock(rows: 2, [wide])], rowCount: 2)) == "E_CHANGE_SET_TRUNCATED")
    }

    @Test func `is refused with a bitmap or a constant that is not there`() {
        #expect(column("name", 1, []) == "E_CHANGE_SET_TRUNCATED")
        #expect(column("name", 1, [3]) == "E_CHANGE_SET_MALFORMED")
        #expect(column("name", 1, [bitmap]) == "E_CHANGE_SET_TRUNCATED")
        #expect(column("amount", 2, [bitmap, 1]) == "E_CHANGE_SET_TRUNCATED")
        #expect(column("amount", 2, [2]) == "E_CHANGE_SET_TRUNCATED")
        #expect(column("ratio", 3, [every, 0, 0, 0]) == "E_CHANGE_SET_TRUNCATED")
    }

    @Test func `is refused with a column that comes twice, a block that comes twice, or an envelope with gaps`() {
        let name = rawColumn("name", 1, [every, 1, 0x61])
        #expect(
            payloadCode(PlainChangeSet(raw: [rawBlock(rows: 1, [name, name])], rowCount: 1))
                == "E_CHANGE_SET_MALFORMED")
        // The sweep of one resource is one listing; two would be stored under the seqs of one.
        let sweep = rawBlock(kind: 2, rows: 1, [name])
        #expect(payloadCode(PlainChangeSet(raw: [sweep, sweep], rowCount: 2)) == "E_CHANGE_SET_MALFORMED")
        let tail = rawBlock(rows: 1, [name])
        #expect(payloadCode(PlainChangeSet(raw: [tail, sweep], rowCount: 2)) == nil)
        #expect(
            payloadCode(PlainChangeSet(raw: [rawBlock(rows: 1, envelope: false, [name])], rowCount: 1))
                == "E_CHANGE_SET_MALFORMED")
    }

    @Test func `is refused with what this node does not know`() {
        #expect(
            payloadCode(PlainChangeSet(raw: [rawBlock("secret", rows: 1, [])], rowCount: 1)) == "E_RESOURCE_UNKNOWN")
        #expect(
            payloadCode(PlainChangeSet(raw: [rawBlock(kind: 3, rows: 1, [])], rowCount: 1)) == "E_CHANGE_SET_MALFORMED")
        for name in ["", "1st", "Surprise", "名", "a.b", "name\"; DROP TABLE sample; --"] + EnvelopeColumn.localNames {
            #expect(column(name, 1, [every, 1, 0x61]) == "E_COLUMN_UNKNOWN", "\(name)")
        }
    }

    @Test func `may hold columns of a later release, 64 of them, which must be whole too`() {
        #expect(column("surprise", 1, [every, 1, 0x61]) == nil)
        #expect(column("surprise", 4, [every, 1, 0x61]) == "E_COLUMN_TYPE")
        #expect(fault("surprise", 1, [every, 1, 0xff]) == "E_FIELD_TEXT surprise")
        #expect(fault("surprise", 1, [every, 1, 0]) == "E_FIELD_TEXT surprise")
        #expect(column("surprise", 2, [every, 2, 2]) == "E_CHANGE_SET_MALFORMED")
        func surprises(_ count: Int) -> String? {
            let columns = (0..<count).map { rawColumn("s\($0)", 2, [every, 2]) }
            return payloadCode(PlainChangeSet(raw: [rawBlock(rows: 1, columns)], rowCount: 1))
        }
        #expect(surprises(SyncLimits.carriedColumnsMax) == nil)
        #expect(surprises(SyncLimits.carriedColumnsMax + 1) == "E_COLUMN_UNKNOWN")
        let twice = [rawColumn("s", 2, [every, 2]), rawColumn("s", 2, [every, 2])]
        #expect(payloadCode(PlainChangeSet(raw: [rawBlock(rows: 1, twice)], rowCount: 1)) == "E_CHANGE_SET_MALFORMED")
    }

    @Test func `is refused with an envelope of another type, or with a type that is none`() {
        #expect(column("origin", 2, [every, 2]) == "E_COLUMN_TYPE")
        #expect(column("version", 1, [every, 1, 0x61]) == "E_COLUMN_TYPE")
        #expect(column("deleted", 3, [every, 2]) == "E_COLUMN_TYPE")
        #expect(column("ratio", 9, [every, 2]) == "E_COLUMN_TYPE")
    }

    @Test(
        arguments: [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe4, 0xb8], [0x80]]
            as [[UInt8]])
    func `has its row put aside where bytes are not UTF-8, and is refused where they are a key`(bytes: [UInt8]) {
        #expect(fault("name", 1, [every, UInt8(bytes.count)] + bytes) == "E_FIELD_TEXT name")
        let key = rawColumn("key", 1, [every, UInt8(bytes.count)] + bytes)
        let block = rawBlock(rows: 1, envelope: false, [key])
        #expect(payloadCode(PlainChangeSet(raw: [block], rowCount: 1)) == "E_TEXT_ENCODING")
    }

    @Test func `has both rows put aside between which a character is cut`() throws {
        let cut = rawColumn("name", 1, [every, 1, 2] + Array("中".utf8))
        #expect(try faults([cut], rows: 2).map(\.row) == [0, 1])
        let whole = rawColumn("name", 1, [every, 3, 0] + Array("中".utf8))
        #expect(payloadCode(PlainChangeSet(raw: [rawBlock(rows: 2, [whole])], rowCount: 2)) == nil)
    }

    @Test func `has its row put aside for a NUL in a text, and is refused for one in a name`() {
        #expect(fault("name", 1, [every, 3, 0x61, 0, 0x62]) == "E_FIELD_TEXT name")
        #expect(column("na\0me", 1, [every, 1, 0x61]) == "E_CHANGE_SET_MALFORMED")
    }

    @Test func `is refused with numbers that are none`() {
        for real in [Double.nan, .signalingNaN, .infinity, -.infinity] {
            let bytes = withUnsafeBytes(of: real.bitPattern.littleEndian) { Array($0) }
            #expect(fault("ratio", 3, [every] + bytes) == "E_FIELD_TYPE ratio", "its row is put aside")
        }
        let long = [UInt8](repeating: 0xff, count: 9)
        #expect(column("amount", 2, [every] + long + [1]) == nil)
        #expect(column("amount", 2, [every] + long + [2]) == "E_CHANGE_SET_MALFORMED")
        #expect(column("amount", 2, [every] + long + [0xff, 1]) == "E_CHANGE_SET_MALFORMED")
    }

    @Test func `has the same digest in every release`() {
        // FNV-1a test vectors of its authors, http://www.isthe.com/chongo/tech/comp/fnv/.
        #expect(fnv1a64("".utf8) == 0xcbf2_9ce4_8422_2325)
        #expect(fnv1a64("a".utf8) == 0xaf63_dc4c_8601_ec8c)
        #expect(fnv1a64("foobar".utf8) == 0x8594_4171_f739_67e8)
    }

    /// The code of a change-set of one row with one more column, written byte by byte.
    /// Rule and field of the one row's fault.
    private func fault(_ name: String, _ storage: UInt8, _ body: [UInt8]) -> String? {
        (try? faults([rawColumn(name, storage, body)], rows: 1))?.first
            .map { "\($0.violation.code) \($0.violation.field ?? "")" }
    }

    private func faults(_ columns: [[UInt8]], rows: Int) throws -> [RowFault] {
        let changeSet = PlainChangeSet(raw: [rawBlock(rows: rows, columns)], rowCount: rows)
        let blocks = try changeSet.decoded()
        return changeSet.payload.withUnsafeBytes { payload in blocks.flatMap { $0.faults(payload: payload) } }
    }

    private func column(_ name: String, _ storage: UInt8, _ body: [UInt8]) -> String? {
        payloadCode(PlainChangeSet(raw: [rawBlock(rows: 1, [rawColumn(name, storage, body)])], rowCount: 1))
    }
}
