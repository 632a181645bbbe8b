import ChangeSetFormat
import FederationModel
import Testing

@Suite struct `The rules of a row` {
    @Test func `find nothing in good rows`() throws {
        let good = row("k", [.text("名"), .text(""), .text("12345-a.b_C"), .integer(.min), .integer(0), .integer(1)])
        #expect(try PlainChangeSet([block([good, row("l")])]).faults().isEmpty)
    }

    @Test func `put aside a row whose required field is missing or empty`() throws {
        let rows = [row("a", [.null]), row("b"), row("c", [.text("")])]
        #expect(try violations(rows) == ["0 name E_FIELD_MISSING", "2 name E_FIELD_MISSING"])
        // No row has a value, so the column is not even there.
        #expect(try violations([row("a", [.null])]) == ["0 name E_FIELD_MISSING"])
    }

    @Test func `let a text be as long as its column allows and not one byte longer`() throws {
        func texts(_ text: String) throws -> [String] { try violations([row("a", [.text(text)])]) }
        #expect(try texts(String(repeating: "中", count: 20)) == [])
        #expect(try texts(String(repeating: "中", count: 20) + "a") == ["0 name E_FIELD_TOO_LONG"])
    }

    @Test func `let a key be 200 bytes long and not one longer`() throws {
        #expect(try violations([row(String(repeating: "k", count: RowKey.bytesMax))]) == [])
        #expect(
            try violations([row(String(repeating: "k", count: RowKey.bytesMax + 1))])
                == ["0 key E_FIELD_TOO_LONG"])
        #expect(try violations([row("")]) == ["0 key E_FIELD_MISSING"])
    }

    @Test func `take an unknown code but nothing that is not shaped like one`() throws {
        func code(_ text: String) throws -> [String] { try violations([row("a", [.text("n"), .null, .text(text)])]) }
        #expect(try code("code-of-2031") == [])
        #expect(try code("网站") == ["0 code E_FIELD_CODE"])
        #expect(try code("a b") == ["0 code E_FIELD_CODE"])
        #expect(try code("'; --") == ["0 code E_FIELD_CODE"])
    }

    @Test func `take 0 and 1 as a boolean only`() throws {
        func flag(_ value: Int64) throws -> [String] {
            try violations([row("a", [.text("n"), .null, .null, .null, .null, .integer(value)])])
        }
        #expect(try flag(0) == [])
        #expect(try flag(1) == [])
        #expect(try flag(2) == ["0 flag E_FIELD_TYPE"])
        #expect(try flag(.min) == ["0 flag E_FIELD_TYPE"])
    }

    @Test func `take the times of the years 1 to 9999 and no other`() throws {
        func time(_ value: Int64) throws -> [String] {
            try violations([row("a", [.text("n"), .null, .null, .null, .integer(value)])])
        }
        let first: UnixMilliseconds = -62_135_596_800_000  // 0001-01-01T00:00:00Z
        let last: UnixMilliseconds = 253_402_271_999_999  // 9999-12-31T23:59:59.999+08:00
        #expect(try time(first) == [])
        #expect(try time(last) == [])
        for wrong in [first - 1, last + 1, .min, .max] { #expect(try time(wrong) == ["0 at E_FIELD_TIME"]) }
    }

    @Test func `put aside a row without a version or with a state that is none`() throws {
        func envelope(version: FieldValue, state: FieldValue) throws -> [String] {
            var bad = row("a")
            bad[2] = version
            bad[3] = state
            return try violations([bad, row("b")])
        }
        #expect(try envelope(version: .null, state: .integer(0)) == ["0 version E_FIELD_MISSING"])
        #expect(try envelope(version: .integer(-1), state: .integer(0)) == ["0 version E_FIELD_MISSING"])
        #expect(try envelope(version: .integer(1), state: .null) == ["0 deleted E_FIELD_TYPE"])
        #expect(try envelope(version: .integer(1), state: .integer(3)) == ["0 deleted E_FIELD_TYPE"])
    }

    @Test func `ask nothing of a tombstone but that it carries no fields beyond the limits`() throws {
        var tombstone = row("a", [.null])
        tombstone[3] = .integer(RowState.deleted.rawValue)
        #expect(try violations([tombstone, row("b")]) == [])
        tombstone[4] = .text(String(repeating: "x", count: 61))
        #expect(try violations([tombstone, row("b")]) == ["0 name E_FIELD_TOO_LONG"])
    }

    @Test func `name the first fault of each row, in the order of the rows`() throws {
        let two = row("c", [.text(String(repeating: "x", count: 61)), .null, .text("坏")])
        #expect(
            try violations([row("a", [.null]), row("b"), two]) == ["0 name E_FIELD_MISSING", "2 name E_FIELD_TOO_LONG"])
    }

    @Test func `put aside a row whose value has another type than the catalog says, and no other row`() throws {
        var block = BlockWriter(resource: sample, kind: .tail)
        for (key, value) in [("a", FieldValue.text("7")), ("b", .real(7)), ("c", .null)] {
            for (index, value) in row(key).enumerated() { block.columns[index].append(value) }
            block.carry("amount", value)
            block.finishRow()
        }
        #expect(try faults(of: block) == ["0 amount E_FIELD_TYPE", "1 amount E_FIELD_TYPE"])
    }

    @Test func `let a row have 32 values and 100,000 bytes in unknown columns and not more`() throws {
        func carrying(_ values: [FieldValue]) throws -> [String] {
            var block = BlockWriter(resource: sample, kind: .tail)
            for key in ["a", "b"] {
                for (index, value) in row(key).enumerated() { block.columns[index].append(value) }
                if key == "a" { for (index, value) in values.enumerated() { block.carry("s\(index)", value) } }
                block.finishRow()
            }
            return try faults(of: block)
        }
        let many = [FieldValue](repeating: .integer(1), count: SyncLimits.carriedValuesMax)
        #expect(try carrying(many) == [])
        #expect(try carrying(many + [.integer(1)]) == ["0 s0 E_FIELD_TOO_LONG"])
        let half = FieldValue.text(String(repeating: "x", count: SyncLimits.carriedBytesMax / 2))
        #expect(try carrying([half, half]) == [])
        #expect(try carrying([half, half, .text("x")]) == ["0 s0 E_FIELD_TOO_LONG"])
    }

    @Test func `never show a value`() throws {
        let secret = "13800138000张三" + String(repeating: "x", count: 60)
        let faults = try PlainChangeSet([block([row("a", [.text(secret), .null, .text("李四 x")])])]).faults()
        #expect(faults.count == 1)
        #expect(faults.allSatisfy { !"\($0.violation)".contains("138") && !"\($0.violation)".contains("李四") })
    }

    private func violations(_ rows: [SampleRow]) throws -> [String] {
        try faults(of: block(rows))
    }

    private func faults(of block: BlockWriter) throws -> [String] {
        try PlainChangeSet([block]).faults().map {
            "\($0.row) \($0.violation.field ?? "") \($0.violation.code)"
        }
    }
}
