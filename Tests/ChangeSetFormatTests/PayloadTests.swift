import ChangeSetFormat
import FederationModel
import Testing

/// A change-set's payload with its header, made of rows of values.
struct Sample {
    static let resource = ResourceDefinition(
        "sample", "样例",
        columns: [
            .init("text", "文本", level: .open, bytesMax: 100_000), .init("number", "数", .integer, level: .open),
            .init("measure", "量", .real, level: .open), .init("flag", "标记", .boolean, level: .open),
            .init("code", "代码", level: .open, codeList: "channel"),
            .init("needed", "必填", level: .open, required: true),
        ])

    typealias Row = [String: FieldValue]

    var rows: [Row]
    var header: ChangeSetHeader
    var payload: [UInt8]

    init(_ rows: [Row], resource: ResourceDefinition = Sample.resource) {
        self.rows = rows
        var block = BlockWriter(resource: resource, kind: .tail)
        let names = EnvelopeColumn.all.map(\.name) + resource.columns.map(\.name)
        for row in rows {
            for (index, name) in names.enumerated() {
                switch row[name] ?? .null {
                case .null: block.columns[index].appendNull()
                case .integer(let integer): block.columns[index].append(integer: integer)
                case .real(let real): block.columns[index].append(real: real)
                case .text(let text):
                    Array(text.utf8).withUnsafeBytes { block.columns[index].append(text: $0) }
                }
            }
            block.finishRow()
        }
        header = Self.header(rows: rows.count)
        payload = changeSetPayload(digest: 0, blocks: rows.isEmpty ? [] : [block])
        header.payloadBytes = payload.count
        seal()
    }

    mutating func seal() {
        withUnsafeBytes(of: header.digest.littleEndian) { payload.replaceSubrange(0..<8, with: $0) }
    }

    static func header(rows: Int) -> ChangeSetHeader {
        guard let sender = NodeID("370100"), let receiver = NodeID("370000") else { preconditionFailure() }
        func cursor(_ seq: Seq, _ sweep: SweepPosition) -> Cursor {
            Cursor(
                epoch: Epoch(counter: 3, nonce: .max), seq: seq, revision: LinkRevision(topology: 7, policy: 2),
                sweep: sweep)
        }
        return ChangeSetHeader(
            sender: sender, receiver: receiver, start: cursor(5, .at(resource: "sample", after: nil)),
            end: cursor(90, .at(resource: "sample", after: RowKey(origin: "370100", key: "键/1"))), head: 1_000,
            schemaRevision: 1, rowCount: rows, payloadBytes: 0, createdAt: 1_790_000_000_000)
    }

    static func envelope(_ number: Int, state: Int64 = 0) -> Row {
        [
            "origin": .text("370100"), "key": .text("k\(number)"), "version": .integer(Int64(number)),
            "deleted": .integer(state), "needed": .text("x"),
        ]
    }

    static func random(_ generator: inout some RandomNumberGenerator) -> Sample {
        let texts = ["", "a", "解放东路3号", "🚰", String(repeating: "长", count: 300)]
        let numbers: [Int64] = [0, -1, 1, .min, .max, 1_790_000_000_000]
        return Sample(
            (0..<Int.random(in: 1...40, using: &generator)).map { number in
                var row = envelope(number)
                if Bool.random(using: &generator) {
                    row["text"] = texts.randomElement(using: &generator).map { .text($0) }
                }
                if Bool.random(using: &generator) {
                    row["number"] = numbers.randomElement(using: &generator).map { .integer($0) }
                }
                if Bool.random(using: &generator) { row["measure"] = .real(.random(in: -1e9...1e9, using: &generator)) }
                if Bool.random(using: &generator) { row["flag"] = .integer(.random(in: 0...1, using: &generator)) }
                return row
            })
    }

    static func read(_ payload: [UInt8], _ header: ChangeSetHeader) throws(FederationError) -> [DecodedBlock] {
        let result = payload.withUnsafeBytes { bytes -> Result<[DecodedBlock], FederationError> in
            do throws(FederationError) {
                return .success(
                    try PayloadReader { $0 == "sample" ? resource : nil }.blocks(of: bytes, header: header))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

private func code(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch {
        return (error as? FederationError)?.code ?? "\(error)"
    }
}

@Suite struct `A change-set's payload` {
    @Test(arguments: 0..<60) func `is read back as it was written`(seed: Int) throws {
        var generator = SplitMix64(seed: UInt64(seed))
        let sample = Sample.random(&generator)
        let block = try #require(try Sample.read(sample.payload, sample.header).first)
        try #require(block.rowCount == sample.rows.count)
        sample.payload.withUnsafeBytes { payload in
            for (index, row) in sample.rows.enumerated() {
                for name in EnvelopeColumn.all.map(\.name) + Sample.resource.columns.map(\.name) {
                    let value = block.column(name)?.value(index, payload: payload) ?? .null
                    #expect(value == row[name] ?? .null, "\(name) of row \(index)")
                }
            }
        }
    }

    @Test func `is refused wherever it is cut, and never read past its end`() {
        var generator = SplitMix64(seed: 7)
        let sample = Sample.random(&generator)
        for length in 0..<sample.payload.count {
            #expect(
                code { _ = try Sample.read(Array(sample.payload.prefix(length)), sample.header) } != nil, "\(length)")
        }
        #expect(code { _ = try Sample.read(sample.payload + [0], sample.header) } == "E_CHANGE_SET_COUNTS")
    }

    @Test(arguments: 0..<20) func `changed at random is refused or read, and never harms`(seed: Int) {
        var generator = SplitMix64(seed: UInt64(1_000 + seed))
        for _ in 0..<500 {
            let sample = Sample.random(&generator)
            var bytes = sample.payload
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let position = Int.random(in: 8..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[position] = .random(in: 0...255, using: &generator)
                case 1: bytes.insert(.random(in: 0...255, using: &generator), at: position)
                default: bytes.remove(at: position)
                }
            }
            guard let blocks = try? Sample.read(bytes, sample.header) else { continue }
            #expect(blocks.reduce(0) { $0 + $1.rowCount } == sample.header.rowCount)
            bytes.withUnsafeBytes { payload in
                for block in blocks {
                    _ = block.faults(payload: payload)
                    for row in 0..<block.rowCount {
                        for column in block.columns { _ = column.value(row, payload: payload) }
                    }
                }
            }
        }
    }

    @Test func `of another header is refused`() {
        var sample = Sample([Sample.envelope(1)])
        sample.header.createdAt += 1
        #expect(code { _ = try Sample.read(sample.payload, sample.header) } == "E_CHANGE_SET_CHECKSUM")
    }

    @Test func `whose header counts other rows is refused`() {
        for rows in [0, 1, 3] {
            var sample = Sample([Sample.envelope(1), Sample.envelope(2)])
            sample.header.rowCount = rows
            sample.seal()
            #expect(code { _ = try Sample.read(sample.payload, sample.header) } == "E_CHANGE_SET_COUNTS", "\(rows)")
        }
    }

    @Test func `with two blocks of one resource and one movement is refused`() {
        var block = BlockWriter(resource: Sample.resource, kind: .sweep)
        for (index, value) in ["370100", "k1"].enumerated() {
            Array(value.utf8).withUnsafeBytes { block.columns[index].append(text: $0) }
        }
        block.columns[2].append(integer: 1)
        block.columns[3].append(integer: 0)
        for index in 4..<block.columns.count { block.columns[index].appendNull() }
        block.finishRow()
        var header = Sample.header(rows: 2)
        var payload = changeSetPayload(digest: 0, blocks: [block, block])
        header.payloadBytes = payload.count
        withUnsafeBytes(of: header.digest.littleEndian) { payload.replaceSubrange(0..<8, with: $0) }
        #expect(code { _ = try Sample.read(payload, header) } == "E_CHANGE_SET_MALFORMED")
    }

    @Test func `with a text that breaks a character between two rows is refused`() {
        var block = BlockWriter(resource: Sample.resource, kind: .tail)
        let half = Array("路".utf8)
        for (number, text) in [half.prefix(1), half.suffix(2)].enumerated() {
            for (index, value) in ["370100", "k\(number)"].enumerated() {
                Array(value.utf8).withUnsafeBytes { block.columns[index].append(text: $0) }
            }
            block.columns[2].append(integer: 1)
            block.columns[3].append(integer: 0)
            Array(text).withUnsafeBytes { block.columns[4].append(text: $0) }
            for index in 5..<block.columns.count { block.columns[index].appendNull() }
            block.finishRow()
        }
        var header = Sample.header(rows: 2)
        var payload = changeSetPayload(digest: 0, blocks: [block])
        header.payloadBytes = payload.count
        withUnsafeBytes(of: header.digest.littleEndian) { payload.replaceSubrange(0..<8, with: $0) }
        #expect(code { _ = try Sample.read(payload, header) } == "E_TEXT_ENCODING")
    }

    @Test func `puts rows aside that break a rule, and names field and rule`() throws {
        var long = Sample.envelope(1)
        long["text"] = .text(String(repeating: "x", count: 100_001))
        var atLimit = Sample.envelope(2)
        atLimit["text"] = .text(String(repeating: "x", count: 100_000))
        var notBoolean = Sample.envelope(3)
        notBoolean["flag"] = .integer(2)
        var noCode = Sample.envelope(4)
        noCode["code"] = .text("电话")
        var unknownCode = Sample.envelope(5)
        unknownCode["code"] = .text("no-such-code")
        var missing = Sample.envelope(6)
        missing["needed"] = nil
        var tombstone = Sample.envelope(7, state: 1)
        tombstone["needed"] = nil
        var longTombstone = Sample.envelope(10, state: 1)
        longTombstone["text"] = .text(String(repeating: "x", count: 100_001))
        var noState = Sample.envelope(8)
        noState["deleted"] = .integer(9)
        var noKey = Sample.envelope(9)
        noKey["key"] = .text("")
        let sample = Sample([
            long, atLimit, notBoolean, noCode, unknownCode, missing, tombstone, noState, noKey, longTombstone,
        ])
        let block = try #require(try Sample.read(sample.payload, sample.header).first)
        let faults = sample.payload.withUnsafeBytes { block.faults(payload: $0) }
        #expect(
            faults.map { "\($0.row) \($0.violation.field) \($0.violation.rule.rawValue)" } == [
                "0 text E_FIELD_TOO_LONG", "2 flag E_FIELD_TYPE", "3 code E_FIELD_CODE", "5 needed E_FIELD_MISSING",
                "7 deleted E_FIELD_TYPE", "8 key E_FIELD_MISSING",
                "9 text E_FIELD_TOO_LONG",
            ])
    }
}

@Suite struct `A change-set's header` {
    private func decoded(_ bytes: [UInt8]) throws(FederationError) -> (ChangeSetHeader, Int) {
        let result = bytes.withUnsafeBytes { bytes -> Result<(ChangeSetHeader, Int), FederationError> in
            do throws(FederationError) { return .success(try ChangeSetHeader.decode(bytes)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    @Test func `is read back as it was written, with the offset of what follows`() throws {
        var header = Sample.header(rows: SyncLimits.rowsMax)
        header.payloadBytes = SyncLimits.payloadBytesMax
        let bytes = header.encoded()
        let (read, offset) = try decoded(bytes + [1, 2, 3])
        #expect(read == header)
        #expect(offset == bytes.count)
    }

    @Test func `past a limit is refused`() {
        var header = Sample.header(rows: SyncLimits.rowsMax + 1)
        #expect(code { _ = try decoded(header.encoded()) } == "E_CHANGE_SET_TOO_LARGE")
        header = Sample.header(rows: 1)
        header.payloadBytes = SyncLimits.payloadBytesMax + 1
        #expect(code { _ = try decoded(header.encoded()) } == "E_CHANGE_SET_TOO_LARGE")
        header = Sample.header(rows: 1)
        header.end.sweep = .at(
            resource: "sample", after: RowKey(origin: "370100", key: String(repeating: "k", count: 201)))
        #expect(code { _ = try decoded(header.encoded()) } == "E_CHANGE_SET_MALFORMED")
    }

    @Test func `whose seqs run backwards is refused`() {
        var header = Sample.header(rows: 1)
        header.end.seq = 4
        #expect(code { _ = try decoded(header.encoded()) } == "E_CHANGE_SET_MALFORMED")
        header = Sample.header(rows: 1)
        header.head = 80
        #expect(code { _ = try decoded(header.encoded()) } == "E_CHANGE_SET_MALFORMED")
    }

    @Test func `is refused wherever it is cut, and with another magic or version`() {
        let bytes = Sample.header(rows: 1).encoded()
        for length in 0..<bytes.count { #expect(code { _ = try decoded(Array(bytes.prefix(length))) } != nil) }
        #expect(code { _ = try decoded(Array("FCS2".utf8) + bytes.dropFirst(4)) } == "E_CHANGE_SET_MAGIC")
        var newer = bytes
        newer[5] = 2
        #expect(code { _ = try decoded(newer) } == "E_CHANGE_SET_VERSION")
    }
}
