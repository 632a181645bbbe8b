import FederationModel

/// One column of a block, read whole and checked: type, counts, UTF-8, no NUL, finite numbers. Texts stay where they are in the payload.
package struct DecodedColumn: Sendable {
    package let name: String
    package let storage: ColumnType.Storage
    /// Value `i` of a text column occupies the payload from `starts[i]` up to `starts[i + 1]`.
    fileprivate(set) var starts: [Int] = []
    fileprivate(set) var integers: [Int64] = []
    fileprivate(set) var reals: [Double] = []
    /// For each row the index of its value, -1 where it has none; empty when row and value have the same index.
    let valueIndex: [Int32]
    /// What is wrong with values that no row may have, by their index: their rows are put aside, the others stand.
    fileprivate(set) var badValues: [Int: String] = [:]

    /// What is wrong with the value of `row`.
    func badValue(_ row: Int) -> String? { badValues.isEmpty ? nil : badValues[index(row)] }

    @inline(__always)
    private func index(_ row: Int) -> Int { valueIndex.isEmpty ? row : Int(valueIndex[row]) }

    package func isNull(_ row: Int) -> Bool { index(row) < 0 }

    /// The integer of `row`; nil when it has none or the column is of another type.
    package func integer(_ row: Int) -> Int64? {
        let index = index(row)
        return storage == .integer && index >= 0 ? integers[index] : nil
    }

    package func real(_ row: Int) -> Double? {
        let index = index(row)
        return storage == .real && index >= 0 ? reals[index] : nil
    }

    /// Where the text of `row` lies in the payload.
    package func textRange(_ row: Int) -> Range<Int>? {
        let index = index(row)
        return storage == .text && index >= 0 ? starts[index]..<starts[index + 1] : nil
    }

    package func value(_ row: Int, payload: UnsafeRawBufferPointer) -> FieldValue {
        if let range = textRange(row) { return .text(String(decoding: payload[range], as: UTF8.self)) }
        if let integer = integer(row) { return .integer(integer) }
        return real(row).map { .real($0) } ?? .null
    }
}

/// The rows of one resource in one change-set.
package struct DecodedBlock: Sendable {
    package let resource: ResourceDefinition
    package let kind: BlockKind
    package let rowCount: Int
    /// The envelope and columns that the catalog knows, with the type that it gives them.
    package let columns: [DecodedColumn]
    /// Columns of a later release, or of another one: the sender may only carry them along, so they condemn nothing. A name
    /// may come with several types.
    package let foreign: [DecodedColumn]

    /// Those of `foreign` whose name the catalog does not know: they are carried along too.
    package var carried: [DecodedColumn] { foreign.filter { resource.column(named: $0.name) == nil } }

    package func column(_ name: String) -> DecodedColumn? { columns.first { $0.name == name } }
}

/// Reads the payload of a change-set. All of it is read and checked before the caller sees any of it, so nothing is
/// stored of a change-set that turns out to be broken at its end.
package struct PayloadReader {
    private let schema: (ResourceName) -> ResourceDefinition?

    /// - Parameter schema: the resources that this node knows.
    package init(schema: @escaping (ResourceName) -> ResourceDefinition?) { self.schema = schema }

    /// - Throws: `E_CHANGE_SET_CHECKSUM` (payload of another header), `E_CHANGE_SET_COUNTS`, `E_CHANGE_SET_TRUNCATED`,
    ///   `E_CHANGE_SET_MALFORMED`, `E_RESOURCE_UNKNOWN`, `E_COLUMN_UNKNOWN`, `E_COLUMN_TYPE`; `E_TEXT_ENCODING` and
    ///   `E_TEXT_NUL` of origins and keys, without which nobody can say whose row is bad.
    package func blocks(
        of payload: UnsafeRawBufferPointer, header: ChangeSetHeader
    ) throws(FederationError) -> [DecodedBlock] {
        var reader = ByteReader(payload)
        guard try reader.fixed() == header.digest else {
            throw FederationError("E_CHANGE_SET_CHECKSUM", "the payload of a change-set does not belong to its header")
        }
        let count = try reader.count(max: SyncLimits.blocksMax, code: FederationError.counts, what: "blocks")
        var blocks: [DecodedBlock] = []
        var rowsLeft = header.rowCount
        for _ in 0..<count {
            let block = try block(&reader, rowsLeft: rowsLeft)
            // The listing of a bucket is one block; the store gives out seqs by it.
            guard !blocks.contains(where: { $0.resource.name == block.resource.name && $0.kind == block.kind }) else {
                throw .malformedChangeSet("its \(block.kind) of \(block.resource.name) comes twice")
            }
            rowsLeft -= block.rowCount
            blocks.append(block)
        }
        guard rowsLeft == 0, reader.remaining == 0 else {
            throw FederationError(
                FederationError.counts, "a change-set announces \(header.rowCount) rows and holds another number")
        }
        return blocks
    }

    private func block(_ reader: inout ByteReader, rowsLeft: Int) throws(FederationError) -> DecodedBlock {
        let name = ResourceName(try reader.text(max: SyncLimits.nameBytesMax))
        guard let resource = schema(name) else {
            throw FederationError(
                "E_RESOURCE_UNKNOWN",
                isName(name.text)
                    ? "a change-set holds the resource \(name), which this node does not know"
                    : "a change-set holds a resource whose name is not one",
                hint: "declare it in the catalog, or run a release that knows it")
        }
        guard let kind = BlockKind(rawValue: try reader.byte()) else {
            throw .malformedChangeSet("a block of \(name) has an unknown kind")
        }
        let rows = try reader.count(max: rowsLeft, code: FederationError.counts, what: "rows of \(name)")
        let columnCount = try reader.count(
            max: SyncLimits.columnsMax, code: FederationError.counts, what: "columns of \(name)")
        var columns: [DecodedColumn] = []
        var foreign: [DecodedColumn] = []
        for _ in 0..<columnCount {
            let column = try column(&reader, of: resource, rows: rows)
            guard !(columns + foreign).contains(where: { $0.name == column.name && $0.storage == column.storage })
            else {
                throw .malformedChangeSet("\(name).\(column.name) comes twice")
            }
            let isKnown =
                EnvelopeColumn.all.contains { $0.name == column.name }
                || resource.column(named: column.name)?.type.storage == column.storage
            if isKnown { columns.append(column) } else { foreign.append(column) }
        }
        guard foreign.count <= SyncLimits.carriedColumnsMax else {
            throw FederationError(
                "E_COLUMN_UNKNOWN",
                "a change-set holds \(foreign.count) columns of \(name) that this node does not know",
                hint: "run the same release on both nodes")
        }
        if rows > 0 {
            for envelope in EnvelopeColumn.all where !columns.contains(where: { $0.name == envelope.name }) {
                throw .malformedChangeSet("rows of \(name) have no \(envelope.name)")
            }
        }
        return DecodedBlock(resource: resource, kind: kind, rowCount: rows, columns: columns, foreign: foreign)
    }

    private func column(
        _ reader: inout ByteReader, of resource: ResourceDefinition, rows: Int
    ) throws(FederationError) -> DecodedColumn {
        let name = try reader.text(max: SyncLimits.nameBytesMax)
        let envelope = EnvelopeColumn.all.first { $0.name == name }?.storage
        guard envelope != nil || resource.column(named: name) != nil || isColumnName(name) else {
            throw FederationError(
                "E_COLUMN_UNKNOWN", "a change-set holds a column of \(resource.name) whose name is not one",
                hint: "run a release of this program on both nodes")
        }
        guard let storage = ColumnType.Storage(rawValue: try reader.byte()), envelope == nil || storage == envelope
        else {
            throw FederationError(
                "E_COLUMN_TYPE", "the values of \(resource.name).\(name) in a change-set are not of its type")
        }
        let length = try reader.count(max: reader.remaining, code: FederationError.truncated, what: "bytes of a column")
        var body = try reader.slice(length)
        let (present, valueIndex) = try presence(&body, rows: rows, column: "\(resource.name).\(name)")
        var column = DecodedColumn(name: name, storage: storage, valueIndex: valueIndex)
        switch storage {
        case .text:
            column.starts = try starts(of: &body, count: present)
            column.badValues = badTexts(body.bytes, starts: column.starts)
            if envelope != nil, let bad = column.badValues.values.first { throw Self.badEnvelope(bad, name, resource) }
        case .integer:
            var integers: [Int64] = []
            integers.reserveCapacity(present)
            var previous: Int64 = 0
            for _ in 0..<present {
                previous &+= try body.signed()
                integers.append(previous)
            }
            column.integers = integers
        case .real:
            var reals: [Double] = []
            reals.reserveCapacity(present)
            for index in 0..<present {
                let real = Double(bitPattern: try body.fixed())
                if !real.isFinite { column.badValues[index] = "is no finite number" }
                reals.append(real)
            }
            column.reals = reals
        }
        guard body.remaining == 0 else { throw .malformedChangeSet("\(resource.name).\(name) has bytes left over") }
        return column
    }

    private func presence(
        _ body: inout ByteReader, rows: Int, column: String
    ) throws(FederationError) -> (present: Int, valueIndex: [Int32]) {
        guard let presence = Presence(rawValue: try body.byte()) else {
            throw .malformedChangeSet("\(column) has an unknown encoding")
        }
        switch presence {
        case .every: return (rows, [])
        case .constant: return (1, [Int32](repeating: 0, count: rows))
        case .bitmap:
            let range = try body.skip((rows + 7) / 8)
            var index = [Int32](repeating: -1, count: rows)
            var present: Int32 = 0
            for row in 0..<rows where body.bytes[range.lowerBound + row >> 3] >> UInt8(row & 7) & 1 == 1 {
                index[row] = present
                present += 1
            }
            return (Int(present), index)
        }
    }

    /// Where the texts of a column begin in the payload, and the last ends.
    private func starts(of body: inout ByteReader, count: Int) throws(FederationError) -> [Int] {
        var starts: [Int] = []
        starts.reserveCapacity(count + 1)
        starts.append(0)
        for _ in 0..<count {
            let length = try body.count(max: body.remaining, code: FederationError.truncated, what: "bytes of a text")
            starts.append(starts[starts.count - 1] + length)
        }
        let range = try body.skip(starts[count])
        for index in starts.indices { starts[index] += range.lowerBound }
        return starts
    }

    /// The texts of a column are checked in one go: valid UTF-8 as a whole, no text begins inside a character, no NUL. Only when
    /// that fails each is looked at.
    private func badTexts(_ bytes: UnsafeRawBufferPointer, starts: [Int]) -> [Int: String] {
        guard let first = starts.first, let end = starts.last, first < end else { return [:] }
        let run = UnsafeRawBufferPointer(rebasing: bytes[first..<end])
        let isWhole = starts.allSatisfy { $0 == end || bytes[$0] & 0xc0 != 0x80 }
        if isWhole && isValidUTF8(run) && !run.contains(0) { return [:] }
        var bad: [Int: String] = [:]
        for (index, (start, end)) in zip(starts, starts.dropFirst()).enumerated() {
            let text = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            if !isValidUTF8(text) {
                bad[index] = Self.notUTF8
            } else if text.contains(0) {
                bad[index] = "holds a NUL character"
            }
        }
        return bad
    }

    private static let notUTF8 = "is not valid UTF-8"

    private static func badEnvelope(_ reason: String, _ column: String, _ resource: ResourceDefinition)
        -> FederationError
    {
        FederationError(
            reason == notUTF8 ? "E_TEXT_ENCODING" : "E_TEXT_NUL",
            "a text of \(resource.name).\(column) in a change-set \(reason)")
    }
}

/// A name that does not begin with a digit, and nothing that a table uses for itself.
private func isColumnName(_ name: String) -> Bool {
    isName(name) && name.utf8.first.map { (0x30...0x39).contains($0) } == false
        && !EnvelopeColumn.localNames.contains(name)
}

func isValidUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let typed = bytes.assumingMemoryBound(to: UInt8.self)
    return (try? UTF8Span(validating: Span(_unsafeElements: typed))) != nil
}

extension FederationError {
    static let counts = "E_CHANGE_SET_COUNTS"
    static let truncated = "E_CHANGE_SET_TRUNCATED"
}

/// A column of a block opened for reading cell by cell, without counting references: staging binds tens of cells a row.
/// Valid only inside `DecodedBlock.withCells`.
package struct CellColumn {
    package enum Cell {
        case null
        case text(Range<Int>)
        case integer(Int64)
        case real(Double)
    }

    @usableFromInline let storage: ColumnType.Storage
    @usableFromInline let valueIndex: UnsafeBufferPointer<Int32>
    @usableFromInline let starts: UnsafeBufferPointer<Int>
    @usableFromInline let integers: UnsafeBufferPointer<Int64>
    @usableFromInline let reals: UnsafeBufferPointer<Double>

    @inlinable
    package subscript(row: Int) -> Cell {
        let index = valueIndex.isEmpty ? row : Int(valueIndex[row])
        if index < 0 { return .null }
        return switch storage {
        case .text: .text(starts[index]..<starts[index + 1])
        case .integer: .integer(integers[index])
        case .real: .real(reals[index])
        }
    }
}

extension DecodedBlock {
    package func withCells<Result>(_ body: ([CellColumn]) throws -> Result) rethrows -> Result {
        try Self.open(columns[...], [], body)
    }

    private static func open<Result>(
        _ columns: ArraySlice<DecodedColumn>, _ cells: [CellColumn], _ body: ([CellColumn]) throws -> Result
    ) rethrows -> Result {
        guard let column = columns.first else { return try body(cells) }
        return try column.valueIndex.withUnsafeBufferPointer { valueIndex in
            try column.starts.withUnsafeBufferPointer { starts in
                try column.integers.withUnsafeBufferPointer { integers in
                    try column.reals.withUnsafeBufferPointer { reals in
                        let cell = CellColumn(
                            storage: column.storage, valueIndex: valueIndex, starts: starts, integers: integers,
                            reals: reals)
                        return try open(columns.dropFirst(), cells + [cell], body)
                    }
                }
            }
        }
    }
}
